/*
 * bare_responder.c - the least that a libfcgi program can do to answer as the product does: the
 * measuring stick for its requests. One thread, one statement, one snprintf; nothing is checked.
 *
 *   bench-responder get SOCKET DATABASE KEYHASH              .../v1/calls/{id}: one SELECT of
 *                                                            key and call, the product's own body
 *   bench-responder post SOCKET DATABASE WORKSPACE AGENT     one durable INSERT of the same columns
 *
 * KEYHASH, WORKSPACE and AGENT are hexadecimal: nothing is hashed or decoded per request but the
 * call's id.
 */
#include "bare_mysql.h"
#include "lib/rules/call.h"
#include <fcgiapp.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

/* Key and call in one SELECT: the least with which a request's key is checked anew each time. */
static const char select_call[] =
    "SELECT k.scopes & 1, c.call_id, c.agent_id, c.workspace_id, c.status+0, c.test, "
    "c.contact_number, c.contact_name, c.contact_email, c.additional_info, c.scheduled_at, "
    "c.created_at, c.updated_at, c.completed_at, c.cancelled_at, c.hold_reason, "
    "c.duration_seconds, c.outcome, c.summary, c.error_code, c.error_message "
    "FROM api_keys k LEFT JOIN calls c ON c.call_id = ? AND c.workspace_id = k.workspace_id "
    "WHERE k.secret_hash = ? AND k.revoked_at IS NULL";

static const char insert_call[] =
    "INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, "
    "contact_name, contact_email, additional_info, scheduled_at, due_at, origin, idempotency_key, "
    "fingerprint, created_at, updated_at) VALUES (?, ?, ?, 'scheduled', 0, ?, ?, ?, ?, NOW(6), "
    "NOW(6), 'api_live', ?, ?, NOW(6), NOW(6))";

static void from_hex(const char *hex, unsigned char *out, size_t n)
{
    for (size_t i = 0, k = 0; k < n; i++) {
        unsigned value;
        if (hex[i] == '-')
            continue;
        if (sscanf(hex + i, "%2x", &value) != 1)
            bare_fail(hex, "not hexadecimal");
        out[k++] = (unsigned char)value;
        i++;
    }
}

static unsigned nibble(char c)
{
    return c <= '9' ? (unsigned)c - '0' : ((unsigned)c | 32u) - 'a' + 10;
}

/* 36 characters of a UUID; false: it is none. */
static bool uuid_read(const char *text, unsigned char out[16])
{
    if (strlen(text) != 36)
        return false;
    for (size_t k = 0; k < 16; k++) {
        if (*text == '-')
            text++;
        out[k] = (unsigned char)(nibble(text[0]) << 4 | nibble(text[1]));
        text += 2;
    }
    return true;
}

static void uuid_write(const unsigned char id[16], char out[37])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t k = 0; k < 16; k++) {
        if (k == 4 || k == 6 || k == 8 || k == 10)
            *out++ = '-';
        *out++ = digits[id[k] >> 4];
        *out++ = digits[id[k] & 15];
    }
    *out = '\0';
}

static void base32_write(const unsigned char id[16], char out[27])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned bits = 0, value = 0;
    for (size_t k = 0; k < 16; k++) {
        value = value << 8 | id[k];
        for (bits += 8; bits >= 5; bits -= 5)
            *out++ = digits[value >> (bits - 5) & 31];
    }
    *out++ = digits[value << (5 - bits) & 31];
    *out = '\0';
}

static void answer(FCGX_Request *request, const char *status, const char *body, int n)
{
    char head[128];
    int head_n = snprintf(head, sizeof head,
                          "Status: %s\r\nContent-Type: application/json\r\n"
                          "Content-Length: %d\r\n\r\n",
                          status, n);
    FCGX_PutStr(head, head_n, request->out);
    FCGX_PutStr(body, n, request->out);
}

/* ---- get ---- */

enum {
    SCOPE,
    CALL_ID,
    AGENT_ID,
    WORKSPACE_ID,
    STATUS,
    TEST,
    NUMBER,
    NAME,
    EMAIL,
    INFO,
    SCHEDULED,
    CREATED,
    UPDATED,
    COMPLETED,
    CANCELLED,
    HOLD,
    DURATION,
    OUTCOME,
    SUMMARY,
    ERROR_CODE,
    ERROR_MESSAGE,
    COLUMNS
};

/* One row, in buffers that never move. */
static struct {
    MYSQL_BIND bind[COLUMNS];
    char text[COLUMNS][2048];
    long long number[COLUMNS];
    MYSQL_TIME time[COLUMNS];
    unsigned long length[COLUMNS];
    my_bool null[COLUMNS];
} row;

static void bind_row(void)
{
    for (int i = 0; i < COLUMNS; i++) {
        bool is_time = i >= SCHEDULED && i <= CANCELLED;
        bool is_number = i == SCOPE || i == STATUS || i == TEST || i == DURATION;
        row.bind[i] = bare_blob(row.text[i], sizeof row.text[i] - 1, &row.length[i]);
        row.bind[i].is_null = &row.null[i];
        if (is_number) {
            row.bind[i].buffer_type = MYSQL_TYPE_LONGLONG;
            row.bind[i].buffer = &row.number[i];
        } else if (is_time) {
            row.bind[i].buffer_type = MYSQL_TYPE_DATETIME;
            row.bind[i].buffer = &row.time[i];
        }
    }
}

/* "text" or null; what the bench stores needs no escape. */
static const char *quoted(int column)
{
    static char buffers[COLUMNS][2060];
    if (row.null[column])
        return "null";
    if (row.bind[column].buffer_type == MYSQL_TYPE_DATETIME) {
        const MYSQL_TIME *t = &row.time[column];
        snprintf(buffers[column], sizeof buffers[column],
                 "\"%04u-%02u-%02uT%02u:%02u:%02u.%03luZ\"", t->year, t->month, t->day, t->hour,
                 t->minute, t->second, t->second_part / 1000);
    } else {
        snprintf(buffers[column], sizeof buffers[column], "\"%.*s\"", (int)row.length[column],
                 row.text[column]);
    }
    return buffers[column];
}

static int call_body(char *out, size_t size)
{
    static const char *const statuses[] = {
#define X(name, text) text,
        CALL_STATUSES(X)
#undef X
    };
    char call[37], agent[27];
    uuid_write((unsigned char *)row.text[CALL_ID], call);
    base32_write((unsigned char *)row.text[AGENT_ID], agent);
    return snprintf(out, size,
                    "{\"data\":{\"call_id\":\"%s\",\"status\":\"%s\",\"agent_id\":\"agent_%s\","
                    "\"contact_number\":%s,\"contact_name\":%s,\"contact_email\":%s,"
                    "\"additional_info\":%.*s,\"scheduled_at\":%s,\"completed_at\":%s,"
                    "\"error\":null,\"created_at\":%s,\"updated_at\":%s}}",
                    call, statuses[row.number[STATUS] - 1], agent, quoted(NUMBER), quoted(NAME),
                    quoted(EMAIL), (int)row.length[INFO], row.text[INFO], quoted(SCHEDULED),
                    quoted(COMPLETED), quoted(CREATED), quoted(UPDATED));
}

static void get(FCGX_Request *request, MYSQL_STMT *stmt, unsigned char id[16])
{
    static char body[16384];
    const char *path = FCGX_GetParam("REQUEST_URI", request->envp);
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash || !uuid_read(slash + 1, id) || mysql_stmt_execute(stmt))
        bare_fail(path ? path : "no path", mysql_stmt_error(stmt));
    bool found = mysql_stmt_fetch(stmt) == 0 && !row.null[CALL_ID];
    if (found)
        answer(request, "200 OK", body, call_body(body, sizeof body));
    else
        answer(request, "404 Not Found", "{}", 2);
    mysql_stmt_free_result(stmt);
}

static void serve_gets(FCGX_Request *request, MYSQL *db, const char *key_hash)
{
    unsigned char id[16], hash[32];
    MYSQL_BIND binds[2] = {bare_blob(id, sizeof id, NULL), bare_blob(hash, sizeof hash, NULL)};
    MYSQL_STMT *stmt = bare_prepare(db, select_call);
    from_hex(key_hash, hash, sizeof hash);
    bind_row();
    if (mysql_stmt_bind_param(stmt, binds) || mysql_stmt_bind_result(stmt, row.bind))
        bare_fail("bind", mysql_stmt_error(stmt));
    while (FCGX_Accept_r(request) == 0)
        get(request, stmt, id);
}

/* ---- post ---- */

/* A UUIDv7: milliseconds, process and counter. */
static void next_id(unsigned char id[16])
{
    static uint64_t counter;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    uint64_t tail = (uint64_t)getpid() << 32 | (counter++ & 0xffffffff);
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(ms >> (40 - 8 * i));
    id[6] = 0x70;
    id[7] = (unsigned char)counter;
    for (int i = 0; i < 8; i++)
        id[8 + i] = (unsigned char)(tail >> (56 - 8 * i));
}

static void post(FCGX_Request *request, MYSQL_STMT *stmt, unsigned char id[16], char *key,
                 unsigned long *key_length)
{
    char in[4096], body[128], text[37];
    const char *given = FCGX_GetParam("HTTP_IDEMPOTENCY_KEY", request->envp);
    while (FCGX_GetStr(in, sizeof in, request->in) > 0)
        ;
    *key_length = (unsigned long)snprintf(key, 256, "%s", given ? given : "");
    next_id(id);
    if (mysql_stmt_execute(stmt))
        bare_fail("insert", mysql_stmt_error(stmt));
    uuid_write(id, text);
    int n = snprintf(body, sizeof body, "{\"data\":{\"call_id\":\"%s\",\"status\":\"scheduled\"}}",
                     text);
    answer(request, "201 Created", body, n);
}

/* The values are what the product stores for the bench's own request (rows/calls_api.mjs). */
static void serve_posts(FCGX_Request *request, MYSQL *db, char **argv)
{
    unsigned char id[16], workspace[16], agent[16], fingerprint[32] = {0};
    char key[256], number[] = "+919876543210", name[] = "Asha Verma", email[] = "asha@example.com";
    char info[] = "{\"company\":\"Acme Traders\",\"order\":\"A-1024\",\"language\":\"hi\"}";
    unsigned long key_length = 0;
    MYSQL_BIND binds[] = {
        bare_blob(id, sizeof id, NULL),
        bare_blob(workspace, sizeof workspace, NULL),
        bare_blob(agent, sizeof agent, NULL),
        bare_blob(number, sizeof number - 1, NULL),
        bare_blob(name, sizeof name - 1, NULL),
        bare_blob(email, sizeof email - 1, NULL),
        bare_blob(info, sizeof info - 1, NULL),
        bare_blob(key, sizeof key, &key_length),
        bare_blob(fingerprint, sizeof fingerprint, NULL),
    };
    MYSQL_STMT *stmt = bare_prepare(db, insert_call);
    from_hex(argv[0], workspace, sizeof workspace);
    from_hex(argv[1], agent, sizeof agent);
    if (mysql_stmt_bind_param(stmt, binds))
        bare_fail("bind", mysql_stmt_error(stmt));
    while (FCGX_Accept_r(request) == 0)
        post(request, stmt, id, key, &key_length);
}

int main(int argc, char **argv)
{
    FCGX_Request request;
    bool gets = argc == 5 && strcmp(argv[1], "get") == 0;
    if (!gets && (argc != 6 || strcmp(argv[1], "post") != 0))
        bare_fail("usage", "bench-responder get SOCKET DATABASE KEYHASH | "
                           "post SOCKET DATABASE WORKSPACE AGENT");
    MYSQL *db = bare_connect(argv[2], argv[3]);
    if (FCGX_Init() || FCGX_InitRequest(&request, 0, 0))
        bare_fail("FCGX_Init", "failed");
    if (gets)
        serve_gets(&request, db, argv[4]);
    else
        serve_posts(&request, db, argv + 4);
    return 0;
}
