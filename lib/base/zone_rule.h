/*
 * zone_rule.h - the rule for the offsets of a zone from its last listed change on, in the form of
 * POSIX's TZ variable with the extensions of RFC 8536 section 3.3.1:
 * "CET-1CEST,M3.5.0,M10.5.0/3".
 */
#ifndef HV_ZONE_RULE_H
#define HV_ZONE_RULE_H

#include "lib/base/str.h"

enum zone_date_kind {
    ZONE_DATE_MONTH_WEEK_DAY, /* M3.5.0: the week'th such day of a month, 5: the last */
    ZONE_DATE_JULIAN,         /* J60: 1 to 365, 29 February never counts */
    ZONE_DATE_DAY             /* 59: 0 to 365 */
};

struct zone_date {
    enum zone_date_kind kind;
    int64_t month, week, day;
    int64_t seconds; /* of that day */
};

struct zone_rule {
    int64_t standard, summer; /* seconds east of UTC */
    bool has_summer;
    struct zone_date start, end; /* of summer time */
};

int zone_rule_parse(struct str text, struct zone_rule *rule_r) MUST_CHECK;
/* second: since 1970, UTC. */
int64_t zone_rule_offset(const struct zone_rule *rule, int64_t second);

#endif
