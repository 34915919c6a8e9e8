/*
 * router.h - which route a method and a path mean. The table is routes.def; here it is looked up,
 * and what 405 and OPTIONS say in Allow is computed from it. Knows no handler: a program brings
 * its own (responder.h), and what it has no handler for does not exist there.
 */
#ifndef HV_ROUTER_H
#define HV_ROUTER_H

#include "lib/base/buf.h"
#include "sql/credentials.h"

#define METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)
enum method {
#define X(name) METHOD_##name,
    METHODS(X)
#undef X
        METHOD_COUNT /* stands for any other */
};
enum method method_parse(struct str s);
const char *method_text(enum method m);

/* What a route reads of the body. JSON is capped by the setting body_bytes_max. */
enum body_kind {
    BODY_NO_BODY,
    BODY_JSON,
    BODY_OPTIONAL_JSON,
    BODY_CALLBACK,
    BODY_SIGNED_JSON,
    BODY_BATCH
};
#define BATCH_BYTES_MAX 8388608    /* ten thousand contacts with something of each */
#define CALLBACK_BYTES_MAX 1048576 /* a call's end may bring its transcript */

#define SCOPE_NONE 0u
#define SCOPE_HOOK                                                                                 \
    0x100u /* no key's: the token of an inbound hook, first in the path's arguments */

enum program_bit { PROGRAM_API = 1, PROGRAM_HOOKS = 2, PROGRAM_VOICE = 4, PROGRAM_ANY = 7 };

enum route {
#define X(name, method, path, handler, scope, role, body, program) ROUTE_##name,
#include "fcgi/routes.def"
#undef X
    ROUTE_COUNT
};

struct route_info {
    enum method method;
    const char *path;
    unsigned scope; /* SCOPE_ of sql/credentials.h */
    enum role role; /* of a session, at least; ROLE_NONE: none will do */
    enum body_kind body;
    enum program_bit program;
};
const struct route_info *route_info(enum route route);

#define ROUTE_ARGS_MAX 2
struct route_match {
    enum route route;
    struct str args[ROUTE_ARGS_MAX]; /* never empty, without '/'; they point into the path */
};

/*
 * The route of this program that has the path and the method: 0. HEAD finds the route of GET.
 * Else ERR_NOT_FOUND, or ERR_METHOD. *allowed_r, also with ERR_METHOD: a bit (1 << method) for each
 * method that the path has there. A path that ends in '/' is another path than the one without.
 */
int router_find(enum program_bit program, enum method method, struct str path,
                struct route_match *match_r, unsigned *allowed_r, struct err *err) MUST_CHECK;

/* "GET, HEAD, OPTIONS" */
void router_allow(unsigned allowed, struct buf *b);

#endif
