/*
 * server_facts.c - reads the server's variables, for doctor.
 */
#include "sql/server_facts.h"

#include <string.h>

int server_facts_read(struct db *db, struct pool *pool, struct server_facts *facts_r,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_SERVER_FACTS);

    memset(facts_r, 0, sizeof(*facts_r));
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "the server gave no variables");
    facts_r->version = query_str(q, pool);
    facts_r->flush_log_at_commit = query_i64(q);
    facts_r->log_bin = query_i64(q) != 0;
    facts_r->sync_binlog = query_i64(q);
    facts_r->binlog_format = query_str(q, pool);
    facts_r->packet_max = query_i64(q);
    facts_r->connections_max = query_i64(q);
    facts_r->isolation = query_str(q, pool);
    facts_r->now = query_time(q);
    facts_r->read_only = query_i64(q) != 0;
    return 0;
}

unsigned server_version_number(struct str version)
{
    struct str major, minor, rest = version;
    uint64_t a, b;

    if (memmem(version.p, version.n, "MariaDB", 7) == NULL)
        return 0;
    if (!str_split(&rest, '.', &major) || !str_split(&rest, '.', &minor))
        return 0;
    if (str_u64(major, 999, &a) < 0 || str_u64(minor, 99, &b) < 0)
        return 0;
    return (unsigned)(a * 100 + b);
}
