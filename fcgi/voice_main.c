/*
 * huskyvoice-voice.fcgi - what carriers report on calls.
 */
#include "fcgi/program.h"

#define API(handler) NULL
#define VOICE(handler) handler
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
        .name = "huskyvoice-voice.fcgi",
        .purpose = "Takes what carriers report on calls.",
        .bit = PROGRAM_VOICE,
        .needs_keys = true,
        .handlers = handlers,
    };
    return program_main(&program, argc, argv);
}
