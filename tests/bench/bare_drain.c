/*
 * bare_drain.c - the least that a single-threaded program can do to deliver a backlog: claim a
 * batch, send it with curl_multi, mark it, and again. The measuring stick for the dispatcher: no
 * attempt log, no windows, no health, no retries, all destinations one queue, one signature.
 *
 *   bench-drain SOCKET DATABASE     ends when nothing is due; prints how many it delivered
 *
 * Its database has the product's tables, but its index `due` is (state, due_at).
 */
#include "bare_mysql.h"
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <time.h>

#define BATCH 200
#define IN_FLIGHT 64
#define BODY_MAX 4096
#define URL_SIZE 256
#define TEN "?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define FIFTY TEN ", " TEN ", " TEN ", " TEN ", " TEN
#define MARKS FIFTY ", " FIFTY ", " FIFTY ", " FIFTY

struct delivery {
    unsigned char id[16], event_id[16];
    char url[URL_SIZE], body[BODY_MAX];
    unsigned long url_length, body_length;
};

struct slot {
    CURL *easy;
    struct curl_slist *headers;
    char url[URL_SIZE]; /* that the handle has */
};

static struct delivery batch[BATCH];
static unsigned char ids[BATCH][16]; /* of the batch, the last repeated to its end */
static struct slot slots[IN_FLIGHT];
static unsigned long failures;

static void run(MYSQL_STMT *stmt)
{
    if (mysql_stmt_execute(stmt))
        bare_fail("execute", mysql_stmt_error(stmt));
}

/* ---- the database ---- */

static struct {
    MYSQL *db;
    MYSQL_STMT *select, *claim, *bodies, *mark;
    unsigned char id[16], event_id[16];
    char url[URL_SIZE], body[BODY_MAX];
    unsigned long id_length, event_length, url_length, body_length;
} store;

static void bind_ids(MYSQL_STMT *stmt)
{
    MYSQL_BIND binds[BATCH];
    for (int i = 0; i < BATCH; i++)
        binds[i] = bare_blob(ids[i], 16, NULL);
    if (mysql_stmt_bind_param(stmt, binds))
        bare_fail("bind", mysql_stmt_error(stmt));
}

static void open_store(const char *socket, const char *name)
{
    store.db = bare_connect(socket, name);
    store.select = bare_prepare(store.db, "SELECT delivery_id FROM deliveries "
                                          "WHERE state = 'waiting' AND due_at <= NOW(6) "
                                          "ORDER BY due_at LIMIT 200 FOR UPDATE SKIP LOCKED");
    store.claim = bare_prepare(store.db, "UPDATE deliveries SET owner = 1, fence = fence + 1, "
                                         "due_at = NOW(6) + INTERVAL 30 SECOND "
                                         "WHERE delivery_id IN (" MARKS ")");
    store.bodies = bare_prepare(store.db, "SELECT d.delivery_id, d.event_id, t.url, e.body "
                                          "FROM deliveries d JOIN events e USING (event_id) "
                                          "JOIN destinations t USING (destination_id) "
                                          "WHERE d.delivery_id IN (" MARKS ")");
    store.mark = bare_prepare(store.db, "UPDATE deliveries SET state = 'succeeded', owner = 0, "
                                        "attempts = attempts + 1, last_status = 204, "
                                        "updated_at = NOW(6) WHERE delivery_id IN (" MARKS ")");
    bind_ids(store.claim);
    bind_ids(store.bodies);
    bind_ids(store.mark);
    MYSQL_BIND id = bare_blob(store.id, 16, &store.id_length);
    MYSQL_BIND columns[] = {
        id,
        bare_blob(store.event_id, 16, &store.event_length),
        bare_blob(store.url, URL_SIZE - 1, &store.url_length),
        bare_blob(store.body, BODY_MAX, &store.body_length),
    };
    if (mysql_stmt_bind_result(store.select, &id) || mysql_stmt_bind_result(store.bodies, columns))
        bare_fail("bind", "results");
}

/* Claims up to a batch and reads what is to be sent; 0: nothing is due. */
static int claim(void)
{
    int count = 0, read = 0;
    bare_run(store.db, "START TRANSACTION");
    run(store.select);
    while (count < BATCH && mysql_stmt_fetch(store.select) == 0)
        memcpy(ids[count++], store.id, 16);
    mysql_stmt_free_result(store.select);
    for (int i = count; i < BATCH && count > 0; i++)
        memcpy(ids[i], ids[count - 1], 16);
    if (count > 0)
        run(store.claim);
    bare_run(store.db, "COMMIT");
    if (count == 0)
        return 0;
    run(store.bodies);
    while (read < count && mysql_stmt_fetch(store.bodies) == 0) {
        struct delivery *d = &batch[read++];
        memcpy(d->id, store.id, 16);
        memcpy(d->event_id, store.event_id, 16);
        memcpy(d->url, store.url, store.url_length);
        d->url[store.url_length] = '\0';
        memcpy(d->body, store.body, store.body_length);
        d->body_length = store.body_length;
    }
    mysql_stmt_free_result(store.bodies);
    if (read != count)
        bare_fail("bodies", "not all were found");
    return count;
}

/* ---- the network ---- */

static void sign(const struct delivery *d, long now, char out[160])
{
    static const char secret[] = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    char text[BODY_MAX + 32];
    unsigned char mac[32];
    unsigned mac_length;
    int n = snprintf(text, sizeof text, "%ld.", now);
    memcpy(text + n, d->body, d->body_length);
    HMAC(EVP_sha256(), secret, (int)sizeof secret - 1, (unsigned char *)text,
         (size_t)n + d->body_length, mac, &mac_length);
    n = snprintf(out, 160, "X-Webhook-Signature: t=%ld,v1=", now);
    for (unsigned i = 0; i < mac_length; i++)
        n += snprintf(out + n, 160 - (size_t)n, "%02x", mac[i]);
}

static void start(CURLM *multi, struct slot *slot, const struct delivery *d)
{
    char line[160], id[64];
    int n = snprintf(id, sizeof id, "webhook-id: evt_");
    for (int i = 0; i < 16; i++)
        n += snprintf(id + n, sizeof id - (size_t)n, "%02x", d->event_id[i]);
    sign(d, (long)time(NULL), line);
    curl_slist_free_all(slot->headers);
    slot->headers = curl_slist_append(NULL, "Content-Type: application/json");
    slot->headers = curl_slist_append(slot->headers, id);
    slot->headers = curl_slist_append(slot->headers, line);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->headers);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, d->body);
    curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, (long)d->body_length);
    if (strcmp(slot->url, d->url) != 0) {
        snprintf(slot->url, sizeof slot->url, "%s", d->url);
        curl_easy_setopt(slot->easy, CURLOPT_URL, slot->url);
    }
    curl_multi_add_handle(multi, slot->easy);
}

/* Takes ended transfers out; *free_r gets those slots. */
static int collect(CURLM *multi, struct slot **free_r)
{
    int ended = 0, left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *easy = message->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (message->data.result != CURLE_OK || status != 204)
            failures++;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &free_r[ended++]);
        curl_multi_remove_handle(multi, easy);
    }
    return ended;
}

static void send_batch(CURLM *multi, int count)
{
    struct slot *idle[IN_FLIGHT];
    int idle_count = IN_FLIGHT, next = 0, under_way = 0, running;
    for (int i = 0; i < IN_FLIGHT; i++)
        idle[i] = &slots[i];
    while (next < count || under_way > 0) {
        for (; next < count && idle_count > 0; under_way++)
            start(multi, idle[--idle_count], &batch[next++]);
        curl_multi_perform(multi, &running);
        int ended = collect(multi, &idle[idle_count]);
        idle_count += ended;
        under_way -= ended;
        if (ended == 0)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
}

static size_t swallow(char *p, size_t size, size_t n, void *ctx)
{
    (void)p;
    (void)ctx;
    return size * n;
}

static CURLM *open_network(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
    CURLM *multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IN_FLIGHT);
    for (int i = 0; i < IN_FLIGHT; i++) {
        CURL *easy = slots[i].easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 15000L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &slots[i]);
    }
    return multi;
}

int main(int argc, char **argv)
{
    unsigned long delivered = 0;
    int count;
    if (argc != 3)
        bare_fail("usage", "bench-drain SOCKET DATABASE");
    open_store(argv[1], argv[2]);
    CURLM *multi = open_network();
    while ((count = claim()) > 0) {
        send_batch(multi, count);
        run(store.mark);
        delivered += (unsigned long)count;
    }
    printf("%lu\n", delivered - failures);
    return failures > 0;
}
