/*
 * huskyvoice-api.fcgi - the Calls API.
 */
#include "fcgi/program.h"

#define API(handler) handler
#define VOICE(handler) NULL
#define HOOKS(handler) NULL
#define ANY(handler) handler

static handler_fn *const handlers[ROUTE_COUNT] = {
#define X(name, method, path, handler, scope, role, body, program)                                 \
    [ROUTE_##name] = program(handler),
#include "fcgi/routes.def"
#undef X
};

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "huskyvoice-api.fcgi",
        .purpose = "Answers the Calls API.",
        .bit = PROGRAM_API,
        .needs_keys = true,
        .handlers = handlers,
    };
    return program_main(&program, argc, argv);
}
