/*
 * pattern.h - regular expressions of customers, matched in time that grows with pattern times text
 * and no faster: no backtracking.
 *
 * The part of ECMAScript's that says where a text matches or not: literals, ".", [sets] and [^sets]
 * with ranges, \d \w \s and \D \W \S, escaped signs, (groups), (?:groups), "|", * + ? {n} {n,}
 * {n,m}, ^ and $ (of the whole text). What it has not (look-around, references, \b, \u) is refused.
 */
#ifndef HV_PATTERN_H
#define HV_PATTERN_H

#include "lib/base/pool.h"
#include "lib/base/str.h"

#define PATTERN_LENGTH_MAX 500 /* bytes */
#define PATTERN_TEXT_MAX 10000 /* code points of a text; a longer one does not match */

/* ERR_INVALID begins with "at character 5:". */
int pattern_check(struct str pattern, struct err *err) MUST_CHECK;
/* Does the pattern match anywhere in text? false for a pattern that pattern_check() refuses. */
bool pattern_matches(struct str pattern, struct str text);

/* The same for many texts: compiled once. Work is counted in steps and ranges of characters that
 * are looked at, some nanoseconds each; it is taken from *work, and who comes to 0 was given up. */
struct program; /* the pool's */
/* NULL: pattern_check() refuses it. */
const struct program *pattern_make(struct pool *pool, struct str pattern, uint64_t *work);
bool pattern_run(const struct program *program, struct str text, uint64_t *work);

#endif
