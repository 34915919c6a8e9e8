/*
 * custom_headers.h - header lines of the owner's own that go with each delivery to an endpoint:
 * which are allowed, how a change is merged, and the lines that are sent.
 *
 * They are kept as the text of a JSON object {"Name": "value"}; STR_NULL: none.
 */
#ifndef HV_CUSTOM_HEADERS_H
#define HV_CUSTOM_HEADERS_H

#include "lib/base/json.h"

#define CUSTOM_HEADERS_MAX 20
#define CUSTOM_HEADER_NAME_MAX 100
#define CUSTOM_HEADER_VALUE_MAX 4096

/* now with `change` merged into it: an object of strings, or of nulls, which remove; names are the
 * same in any case of letters. A JSON null removes all. ERR_INVALID names the header: its name is
 * no token (RFC 9110 section 5.6.2) or one that the server sets or that concerns the connection;
 * its value is empty, over 4096 bytes, begins or ends with a blank, or has anything but printable
 * ASCII; or there are over 20. */
int custom_headers_merge(struct pool *pool, struct str now, const struct json *change,
                         struct str *merged_r, struct err *err) MUST_CHECK;

/* The same object with "(hidden)" for each value: what a reader may see. ERR_INTERNAL, here and
 * below: it is no such object. */
int custom_headers_hidden(struct buf *b, struct pool *pool, struct str headers,
                          struct err *err) MUST_CHECK;

/* Lines "Name: value", in the pool. */
int custom_headers_lines(struct pool *pool, struct str headers, struct str **lines_r,
                         size_t *count_r, struct err *err) MUST_CHECK;

/* A text that came from the server that got these lines, with "(hidden)" wherever a value of theirs
 * stands in it, or its last word ("Bearer TOKEN"), as it is or as JSON has it, also with "\\/":
 * some servers send back what they got. Values and words under 8 bytes stay. In the pool, or text
 * itself. */
struct str custom_headers_hide(struct pool *pool, const struct str *lines, size_t count,
                               struct str text);

#endif
