/*
 * router.c - goes through the table of routes; matches a path segment by segment.
 */
#include "fcgi/router.h"

static const struct route_info routes[ROUTE_COUNT] = {
#define X(name, method, path, handler, scope, role, body, program)                                 \
    [ROUTE_##name] = {METHOD_##method, path,        SCOPE_##scope,                                 \
                      ROLE_##role,     BODY_##body, PROGRAM_##program},
#include "fcgi/routes.def"
#undef X
};

static const char *const method_texts[] = {
#define X(name) #name,
    METHODS(X)
#undef X
};
_Static_assert(sizeof(method_texts) / sizeof(*method_texts) == METHOD_COUNT, "a text per method");

enum method method_parse(struct str s)
{
    for (unsigned m = 0; m < METHOD_COUNT; m++)
        if (str_is(s, method_texts[m]))
            return (enum method)m;
    return METHOD_COUNT;
}

const char *method_text(enum method m)
{
    return m < METHOD_COUNT ? method_texts[m] : "other";
}

const struct route_info *route_info(enum route route)
{
    return &routes[route];
}

static bool path_matches(const char *pattern, struct str path, struct str args[ROUTE_ARGS_MAX])
{
    size_t i = 0, arg = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (i == path.n || path.p[i] != *pattern)
                return false;
            i++;
            pattern++;
            continue;
        }
        size_t start = i;
        while (i < path.n && path.p[i] != '/')
            i++;
        if (i == start)
            return false;
        if (arg == ROUTE_ARGS_MAX)
            die("a route with more than %d arguments", ROUTE_ARGS_MAX);
        args[arg++] = (struct str){path.p + start, i - start};
        while (*pattern++ != '}')
            ;
    }
    return i == path.n;
}

int router_find(enum program_bit program, enum method method, struct str path,
                struct route_match *match_r, unsigned *allowed_r, struct err *err)
{
    enum method wanted = method == METHOD_HEAD ? METHOD_GET : method;
    unsigned allowed = 0;

    *allowed_r = 0;
    for (unsigned r = 0; r < ROUTE_COUNT; r++) {
        if (((unsigned)routes[r].program & (unsigned)program) == 0 ||
            !path_matches(routes[r].path, path, match_r->args))
            continue;
        if (routes[r].method == wanted) {
            match_r->route = (enum route)r;
            return 0;
        }
        allowed |= 1u << routes[r].method;
    }
    if (allowed == 0)
        return err_set(err, ERR_NOT_FOUND, "There is nothing at this path.");
    if ((allowed & (1u << METHOD_GET)) != 0)
        allowed |= 1u << METHOD_HEAD;
    *allowed_r = allowed | (1u << METHOD_OPTIONS);
    return err_set(err, ERR_METHOD, "This path does not have this method.");
}

void router_allow(unsigned allowed, struct buf *b)
{
    const char *separator = "";
    for (unsigned m = 0; m < METHOD_COUNT; m++) {
        if ((allowed & (1u << m)) == 0)
            continue;
        buf_text(b, separator);
        buf_text(b, method_texts[m]);
        separator = ", ";
    }
}
