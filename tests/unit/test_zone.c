/*
 * test_zone.c - what clocks show, by the host's zone files and by rules that are written here.
 */
#include "lib/base/zone.h"
#include "lib/base/zone_rule.h"
#include "tests/unit/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/usr/share/zoneinfo"

static usec_t at(const char *text)
{
    usec_t t;
    if (time_parse(str_of(text), &t) != 0)
        ck_abort_msg("%s", text);
    return t;
}

START_TEST(two_zones_need_no_file)
{
    ck_assert_int_eq(zone_offset(zone_find(STR("UTC")), at("2026-07-01T00:00:00Z")), 0);
    const struct zone *kolkata = zone_find(STR("Asia/Kolkata"));
    ck_assert_int_eq(zone_offset(kolkata, at("2026-01-01T00:00:00Z")), 19800);
    ck_assert_int_eq(zone_day(kolkata, at("2026-01-26T18:29:59.999999Z")),
                     zone_day(kolkata, at("2026-01-26T18:30:00Z")) - 1);
    ck_assert_int_eq(zone_day_start(kolkata, zone_day(kolkata, at("2026-01-26T12:00:00Z"))),
                     at("2026-01-25T18:30:00Z"));
}
END_TEST

START_TEST(zones_that_are_none)
{
    static const char *const names[] = {"",     "Asia/Nowhere", "../passwd", "/etc/passwd",
                                        "Asia", "tzdata.zi",    "a/../UTC",  "zone.tab"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(zone_find(str_of(names[i])) == NULL, "%s", names[i]);
}
END_TEST

static const struct {
    const char *zone, *utc;
    int64_t offset;
} offsets[] = {
    {"Europe/Berlin", "2026-03-29T00:59:59Z", 3600},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", 7200},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", 7200},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", 3600},
    {"Europe/Berlin", "2099-07-01T00:00:00Z", 7200}, /* by the rule in the footer */
    {"Europe/Berlin", "1850-01-01T00:00:00Z", 3208}, /* before the first change */
    {"America/New_York", "2026-03-08T06:59:59Z", -18000},
    {"America/New_York", "2026-03-08T07:00:00Z", -14400},
    {"America/New_York", "2090-12-01T00:00:00Z", -18000},
    {"Australia/Sydney", "2026-01-15T00:00:00Z", 39600}, /* summer over the new year */
    {"Australia/Sydney", "2026-07-15T00:00:00Z", 36000},
    {"Australia/Sydney", "2095-12-31T23:59:59Z", 39600},
    {"Europe/Dublin", "2026-07-01T00:00:00Z", 3600}, /* its winter is the summer time */
    {"Europe/Dublin", "2026-01-01T00:00:00Z", 0},
    {"Asia/Kathmandu", "2026-01-01T00:00:00Z", 20700},
    {"America/Sao_Paulo", "2026-01-01T00:00:00Z", -10800},
    {"Pacific/Apia", "2011-12-30T09:59:59Z", -36000}, /* a day that was left out */
    {"Pacific/Apia", "2011-12-30T10:00:00Z", 50400},
};

START_TEST(offsets_by_files)
{
    if (access(FOLDER, R_OK) != 0)
        return;
    const struct zone *zone = zone_find(str_of(offsets[_i].zone));
    ck_assert_msg(zone != NULL, "%s", offsets[_i].zone);
    ck_assert_msg(zone_offset(zone, at(offsets[_i].utc)) == offsets[_i].offset, "%s %s: %d",
                  offsets[_i].zone, offsets[_i].utc, (int)zone_offset(zone, at(offsets[_i].utc)));
    ck_assert_ptr_eq(zone_find(str_of(offsets[_i].zone)), zone);
}
END_TEST

static const struct {
    const char *zone, *wall, *utc;
} walls[] = {
    {"Asia/Kolkata", "2026-01-26T09:00:00Z", "2026-01-26T03:30:00Z"},
    {"Europe/Berlin", "2026-01-15T09:00:00Z", "2026-01-15T08:00:00Z"},
    {"Europe/Berlin", "2026-07-15T09:00:00Z", "2026-07-15T07:00:00Z"},
    {"Europe/Berlin", "2026-03-29T01:59:59Z", "2026-03-29T00:59:59Z"},
    {"Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z"}, /* skipped */
    {"Europe/Berlin", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z"}, /* shown twice */
    {"Europe/Berlin", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z"},
    {"America/New_York", "2026-03-08T02:00:00Z", "2026-03-08T07:00:00Z"},
    {"America/New_York", "2026-11-01T01:00:00Z", "2026-11-01T05:00:00Z"},
    {"America/Santiago", "2026-09-06T00:30:00Z", "2026-09-06T04:00:00Z"}, /* midnight is skipped */
};

START_TEST(wall_times_come_back)
{
    if (access(FOLDER, R_OK) != 0)
        return;
    const struct zone *zone = zone_find(str_of(walls[_i].zone));
    char text[TIME_TEXT_SIZE];
    ck_assert_msg(zone != NULL, "%s", walls[_i].zone);
    time_format(zone_utc_of(zone, at(walls[_i].wall)), text);
    ck_assert_msg(zone_utc_of(zone, at(walls[_i].wall)) == at(walls[_i].utc), "%s %s: %s",
                  walls[_i].zone, walls[_i].wall, text);
}
END_TEST

static const struct {
    const char *rule, *utc;
    int64_t offset; /* 1: the rule is refused */
} rules[] = {
    {"UTC0", "2026-01-01T00:00:00Z", 0},
    {"<+0530>-5:30", "2026-01-01T00:00:00Z", 19800},
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T00:00:00Z", 7200},
    {"EST5EDT,M3.2.0,M11.1.0", "2026-07-01T00:00:00Z", -14400},
    {"AAA3BBB2:30:15,J60/0,J61/0", "2024-03-01T04:00:00Z", -9015}, /* J60 is 1 March always */
    {"AAA3BBB2:30:15,J60/0,J61/0", "2024-02-29T12:00:00Z", -10800},
    {"AAA0BBB,59,60", "2024-02-29T12:00:00Z", 3600}, /* day 59 of a leap year is 29 February */
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600},
    {"", "2026-01-01T00:00:00Z", 1},
    {"CET", "2026-01-01T00:00:00Z", 1},
    {"CE-1", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST,M3.5.0", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST,M13.5.0,M10.5.0", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST,M3.6.0,M10.5.0", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST,M3.5.7,M10.5.0", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST,J0,J366", "2026-01-01T00:00:00Z", 1},
    {"CET-168", "2026-01-01T00:00:00Z", 1},
    {"CET-1x", "2026-01-01T00:00:00Z", 1},
    {"<CET-1", "2026-01-01T00:00:00Z", 1},
    {"CET-1CEST,M3.5.0,M10.5.0/3x", "2026-01-01T00:00:00Z", 1},
};

START_TEST(rules_of_footers)
{
    struct zone_rule rule;
    int result = zone_rule_parse(str_of(rules[_i].rule), &rule);
    ck_assert_msg((result == 0) == (rules[_i].offset != 1), "%s", rules[_i].rule);
    if (result == 0)
        ck_assert_msg(zone_rule_offset(&rule, at(rules[_i].utc) / USEC_PER_S) == rules[_i].offset,
                      "%s at %s", rules[_i].rule, rules[_i].utc);
}
END_TEST

/* Each prefix of a file, and each single byte of one changed: refused, or read; never worse. */
START_TEST(broken_files)
{
    char folder[] = "/tmp/hv-zone-XXXXXX", path[64];
    unsigned char whole[4096];
    FILE *file = fopen(FOLDER "/Europe/Berlin", "rb");
    if (file == NULL)
        return;
    size_t n = fread(whole, 1, sizeof whole, file);
    fclose(file);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/Zone", folder);
    for (size_t cut = 0; cut < n; cut += 1 + n / 200) {
        file = fopen(path, "wb");
        ck_assert_uint_eq(fwrite(whole, 1, cut, file), cut);
        fclose(file);
        struct zone *zone = zone_read(folder, STR("Zone"));
        ck_assert_ptr_null(zone);
    }
    for (size_t i = 0; i < n; i += 1 + n / 400) {
        whole[i] ^= 0xff;
        file = fopen(path, "wb");
        ck_assert_uint_eq(fwrite(whole, 1, n, file), n);
        fclose(file);
        whole[i] ^= 0xff;
        struct zone *zone = zone_read(folder, STR("Zone"));
        if (zone != NULL)
            (void)zone_utc_of(zone, at("2026-03-29T02:30:00Z"));
        zone_destroy(&zone);
    }
    unlink(path);
    rmdir(folder);
}
END_TEST

static Suite *zone_suite(void)
{
    Suite *suite = suite_create("zone");
    TCase *tc = tcase_create("zone");

    tcase_add_test(tc, two_zones_need_no_file);
    tcase_add_test(tc, zones_that_are_none);
    tcase_add_loop_test(tc, offsets_by_files, 0, (int)(sizeof offsets / sizeof *offsets));
    tcase_add_loop_test(tc, wall_times_come_back, 0, (int)(sizeof walls / sizeof *walls));
    tcase_add_loop_test(tc, rules_of_footers, 0, (int)(sizeof rules / sizeof *rules));
    tcase_add_test(tc, broken_files);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(zone_suite)
