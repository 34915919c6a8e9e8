/* Patterns: what matches, what is refused, and that none takes for ever. */
#include "lib/base/pool.h"
#include "lib/rules/pattern.h"
#include "tests/unit/check_main.h"

#include <string.h>

static const struct {
    const char *pattern, *text;
    bool matches;
} cases[] = {
    {"", "", true},
    {"", "x", true},
    {"a", "xay", true},
    {"^a$", "a", true},
    {"^a$", "xa", false},
    {"^a$", "ax", false},
    {"^$", "", true},
    {"^$", "x", false},
    {"^\\d{4}-\\d{2}-\\d{2}$", "2026-11-26", true},
    {"^\\d{4}-\\d{2}-\\d{2}$", "2026-11-2", false},
    {"^\\d{4}-\\d{2}-\\d{2}$", "2026-11-261", false},
    {"^[A-Z]{2,3}$", "AB", true},
    {"^[A-Z]{2,3}$", "ABCD", false},
    {"^[A-Z]{2,}$", "ABCDEF", true},
    {"^[A-Z]{2,}$", "A", false},
    {"^[^0-9]+$", "abc", true},
    {"^[^0-9]+$", "ab1", false},
    {"^[\\w.-]+@[\\w.-]+$", "a.b-c@d.e", true},
    {"^[\\w.-]+@[\\w.-]+$", "a b@c", false},
    {"^(red|green|blue)$", "green", true},
    {"^(red|green|blue)$", "greenish", false},
    {"^(?:ab)*$", "ababab", true},
    {"^(?:ab)*$", "ababa", false},
    {"^(a|b)+?c$", "abac", true},
    {"^a?b?$", "b", true},
    {"^a?b?$", "ba", false},
    {"^.$", "\xe0\xa4\xb9", true},
    {"^.{2}$", "\xe0\xa4\xb9", false},
    {"^[\xe0\xa4\x85-\xe0\xa4\xb9]+$", "\xe0\xa4\x95\xe0\xa4\xb9", true},
    {"^[\xe0\xa4\x85-\xe0\xa4\xb9]+$", "\xe0\xa4\x95x", false},
    {"^.$", "\n", false},
    {"\\.", "a.b", true},
    {"\\.", "ab", false},
    {"^\\+91\\d{10}$", "+919876543210", true},
    {"^[\\]\\-]$", "]", true},
    {"^[a-]$", "-", true},
    {"^\\s\\S\\D\\W$", " a.!", true},
    {"a|b|^c$", "xb", true},
    {"^(a|)$", "", true},
    {"^(a|b|c|d|e|f|g|h|i|j|(k))$", "k", true},
    {"^\\n$", "\n", true},
    {"^(a*)*$", "aaab", false},
    {"^(?:[A-Z]{2}-?){1,100}$", "AB-CD-EF", true},
    {"^[A-Za-z]{1,200}$", "Abc", true},
    {"^(mon|tue|wed|thu|fri|sat|sun)(,(mon|tue|wed|thu|fri|sat|sun))*$", "mon,sun", true},
    {"^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
    {"^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
};

START_TEST(matches)
{
    struct err err;
    ck_assert_ok(pattern_check(str_of(cases[_i].pattern), &err), err);
    ck_assert_msg(pattern_matches(str_of(cases[_i].pattern), str_of(cases[_i].text)) ==
                      cases[_i].matches,
                  "%s on %s", cases[_i].pattern, cases[_i].text);
}
END_TEST

static const struct {
    const char *pattern, *message;
} broken[] = {
    {"(", "at character 2: a group is not closed"},
    {")", "at character 1: this ) closes nothing"},
    {"[a", "at character 3: a set is not closed"},
    {"*", "at character 1: there is nothing to repeat"},
    {"a**", "at character 3: there is nothing to repeat"},
    {"a{", "at character 3: a repetition"},
    {"a{2,1}", "at character 6: a repetition"},
    {"a{256}", "at character 6: a repetition"},
    {"[b-a]", "at character 5: a range"},
    {"[a-\\d]", "at character 6: a range"},
    {"(?=a)", "at character 2: of groups"},
    {"(?<!a)", "at character 2: of groups"},
    {"(?<n>a)", "at character 2: of groups"},
    {"\\1", "at character 2: this escape"},
    {"\\b", "at character 2: this escape"},
    {"\\p{L}", "at character 2: this escape"},
    {"a\\", "at character 3: a backslash"},
    {"(((((((((a)))))))))", "at character 10: the groups are too deep"},
    {"((a{255}){255}){255}", "at character"},
    {"((((){255}){255}){255}){255}", "at character"},
    {"((((a|b|c)*|d)*|e)*|f){255}", "at character"},
    {"((a{0}){200}){200}", "at character 2: the pattern is too large."},
    {"(([abcdefghijklmnop]{0}){20}){20}", "at character"},
};

START_TEST(refuses)
{
    struct err err;
    ck_assert_int_eq(pattern_check(str_of(broken[_i].pattern), &err), -1);
    ck_assert_msg(strncmp(err.message, broken[_i].message, strlen(broken[_i].message)) == 0,
                  "%s: %s", broken[_i].pattern, err.message);
    ck_assert(!pattern_matches(str_of(broken[_i].pattern), STR("a")));
}
END_TEST

START_TEST(long_texts_do_not_match)
{
    char *text = mem_alloc(PATTERN_TEXT_MAX + 1);
    memset(text, 'a', PATTERN_TEXT_MAX + 1);
    ck_assert(pattern_matches(STR("^a*$"), (struct str){text, PATTERN_TEXT_MAX}));
    ck_assert(!pattern_matches(STR("^a*$"), (struct str){text, PATTERN_TEXT_MAX + 1}));
    free(text);
}
END_TEST

static Suite *pattern_suite(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tc = tcase_create("pattern");
    tcase_add_loop_test(tc, matches, 0, CASES(cases));
    tcase_add_loop_test(tc, refuses, 0, CASES(broken));
    tcase_add_test(tc, long_texts_do_not_match);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(pattern_suite)
