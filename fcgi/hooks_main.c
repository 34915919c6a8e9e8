/*
 * huskyvoice-hooks.fcgi - inbound hooks.
 */
#include "fcgi/program.h"

#define API(handler) NULL
#define VOICE(handler) NULL
#define HOOKS(handler) handler
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
        .name = "huskyvoice-hooks.fcgi",
        .purpose = "Takes what other systems send to inbound hooks.",
        .bit = PROGRAM_HOOKS,
        .needs_keys = true,
        .handlers = handlers,
    };
    return program_main(&program, argc, argv);
}
