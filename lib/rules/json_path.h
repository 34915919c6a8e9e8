/*
 * json_path.h - where in a JSON value something is: "$.slots[0].time", `$["First name"]`, "$".
 */
#ifndef HV_JSON_PATH_H
#define HV_JSON_PATH_H

#include "lib/base/json.h"

#define JSON_PATH_MAX 500

/* ERR_INVALID begins with "at character 5:". Filters, slices, wildcards and ".." are refused. */
int json_path_check(struct str path, struct err *err) MUST_CHECK;
/* NULL: not there (a JSON null that is there has JSON_NULL for its type). */
struct json *json_path_find(struct json *root, struct str path);

/* One step of a path: ".name", "[3]" or `["name"]`. Cuts it off *rest. */
struct json_step {
    struct str name; /* STR_NULL: an index */
    size_t index;
};
/* 1: a step; 0: *rest begins with none; -1: with a broken one, *rest stands there. A name in
 * brackets may not have a quote or a backslash in it. */
int json_path_step(struct str *rest, struct json_step *step_r);
struct json *json_path_down(const struct json *value, const struct json_step *step);

#endif
