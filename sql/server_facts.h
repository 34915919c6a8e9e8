/*
 * server_facts.h - how the database server is set up, as far as the product's promises hang on it.
 */
#ifndef HV_SERVER_FACTS_H
#define HV_SERVER_FACTS_H

#include "sql/db.h"

struct server_facts {
    struct str version; /* "10.11.6-MariaDB-..." */
    int64_t flush_log_at_commit;
    bool log_bin;
    int64_t sync_binlog;
    struct str binlog_format;
    int64_t packet_max, connections_max;
    struct str isolation; /* of our own session */
    usec_t now;
    bool read_only;
};
int server_facts_read(struct db *db, struct pool *pool, struct server_facts *facts_r,
                      struct err *err) MUST_CHECK;

/* "10.11.6-MariaDB" is 1011; 0 when it is no MariaDB. */
unsigned server_version_number(struct str version);

#endif
