/*
 * admin_doctor_database.c - the checks of `doctor` that ask the database: is it there, is its
 * schema ours, does it keep what it has confirmed.
 */
#include "daemon/admin_doctor.h"
#include "sql/migrate.h"
#include "sql/server_facts.h"

#define VERSION_MIN 1006
#define PACKET_MIN (16 << 20)
#define CONNECTIONS_MIN 100
#define CLOCK_DIFFERENCE_MAX (2 * USEC_PER_S)

static void check_version(struct doctor *d, const struct server_facts *f)
{
    unsigned version = server_version_number(f->version);

    doctor_found(d, version >= VERSION_MIN ? FINDING_OK : FINDING_FAIL, "database version",
                 version >= VERSION_MIN ? NULL : "install MariaDB 10.6 or newer", "%.*s",
                 STR_ARG(f->version));
}

static void check_schema(struct doctor *d, struct db *db)
{
    struct err err;

    if (migrate_check(db, &err) == 0)
        doctor_found(d, FINDING_OK, "schema", NULL, "version %d", SCHEMA_VERSION);
    else
        doctor_found(d, FINDING_FAIL, "schema", "huskyvoice-admin migrate", "%s", err.message);
}

static void check_durability(struct doctor *d, const struct server_facts *f)
{
    if (f->flush_log_at_commit == 1)
        doctor_found(d, FINDING_OK, "durability", NULL, "every commit is on disk");
    else
        doctor_found(d, FINDING_FAIL, "durability",
                     "set innodb_flush_log_at_trx_commit = 1 in the server's configuration",
                     "innodb_flush_log_at_trx_commit is %lld: a power cut loses confirmed calls",
                     (long long)f->flush_log_at_commit);
    if (!f->log_bin) {
        doctor_found(d, FINDING_OK, "binary log", NULL, "off");
        return;
    }
    if (str_is(f->binlog_format, "STATEMENT"))
        doctor_found(d, FINDING_FAIL, "binary log",
                     "set binlog_format = ROW (or MIXED) in the server's configuration",
                     "its format is STATEMENT, in which replicas drift");
    else if (f->sync_binlog != 1)
        doctor_found(d, FINDING_WARN, "binary log",
                     "set sync_binlog = 1 in the server's configuration",
                     "sync_binlog is %lld: after a power cut replicas may lack commits",
                     (long long)f->sync_binlog);
    else
        doctor_found(d, FINDING_OK, "binary log", NULL, "%.*s, synced", STR_ARG(f->binlog_format));
}

static void check_limits(struct doctor *d, const struct server_facts *f)
{
    if (f->packet_max >= PACKET_MIN)
        doctor_found(d, FINDING_OK, "max_allowed_packet", NULL, "%lld", (long long)f->packet_max);
    else
        doctor_found(d, FINDING_WARN, "max_allowed_packet",
                     "set max_allowed_packet = 16M in the server's configuration",
                     "%lld: long prompts and transcripts may not fit", (long long)f->packet_max);
    if (f->connections_max >= CONNECTIONS_MIN)
        doctor_found(d, FINDING_OK, "max_connections", NULL, "%lld", (long long)f->connections_max);
    else
        doctor_found(d, FINDING_WARN, "max_connections",
                     "set it to at least 10 more than all responders and dispatchers together",
                     "%lld: every responder keeps one, a dispatcher a few",
                     (long long)f->connections_max);
}

static void check_session(struct doctor *d, const struct server_facts *f)
{
    if (str_is(f->isolation, "READ-COMMITTED"))
        doctor_found(d, FINDING_OK, "isolation", NULL, "READ COMMITTED");
    else
        doctor_found(d, FINDING_FAIL, "isolation",
                     "remove what changes it: init_connect, or a proxy before the server",
                     "%.*s instead of READ COMMITTED", STR_ARG(f->isolation));
    if (f->read_only)
        doctor_found(d, FINDING_FAIL, "writing",
                     "name the primary first in database_hosts, or set read_only = OFF",
                     "the server is read-only");
    else
        doctor_found(d, FINDING_OK, "writing", NULL, "allowed");
}

static void check_clock(struct doctor *d, usec_t before, usec_t database, usec_t after)
{
    usec_t difference = 0;

    if (database < before)
        difference = before - database;
    else if (database > after)
        difference = database - after;
    if (difference <= CLOCK_DIFFERENCE_MAX)
        doctor_found(d, FINDING_OK, "clocks", NULL, "this host's and the database's agree");
    else
        doctor_found(d, FINDING_WARN, "clocks", "run an NTP client on both",
                     "this host's and the database's differ by %lld s",
                     (long long)(difference / USEC_PER_S));
}

void doctor_database(struct doctor *d, struct admin *a)
{
    struct server_facts facts;
    struct err err;

    db_create(&a->db, a->conf);
    if (db_ping(a->db, &err) < 0) {
        doctor_found(d, FINDING_FAIL, "database",
                     "start it, or correct database_hosts, database_name, database_user and "
                     "database_password; without a password run this as the system's user of "
                     "database_user's name",
                     "%s", err.message);
        return;
    }
    doctor_found(d, FINDING_OK, "database", NULL, "reached");
    usec_t before = clock_wall();
    if (server_facts_read(a->db, a->pool, &facts, &err) < 0) {
        doctor_found(d, FINDING_FAIL, "database", "install MariaDB 10.6 or newer", "%s",
                     err.message);
        return;
    }
    usec_t after = clock_wall();
    check_version(d, &facts);
    check_schema(d, a->db);
    check_durability(d, &facts);
    check_limits(d, &facts);
    check_session(d, &facts);
    check_clock(d, before, facts.now, after);
}
