/*
 * http.c - transfers over libcurl's multi interface, driven by its socket call-backs.
 *
 * Easy handles are kept and used again; what never changes is set once per handle. How a transfer
 * ended is decided from whether a byte of the request was handed to the network
 * (CURLINFO_REQUEST_SIZE counts every such byte, also those of an attempt on a dead connection
 * that libcurl repeats). Which addresses may be dialled is the caller's guard's business.
 */
#include "lib/base/http_private.h"
#include "lib/base/pool.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX ((size_t)65536) /* bytes of an answer's headers */
#define VALUE_MAX ((size_t)256)     /* bytes of a header value that is handed on */
#define BODY_KEPT ((size_t)16384)   /* body memory that an idle handle keeps */
#define RECEIVE_BUFFER 8192L
#define UPLOAD_BUFFER 16384L
#define READY_MAX 256

struct http_transfer {
    struct http_client *client;
    struct http_transfer *newer, *older; /* under way, or (older only) idle */
    CURL *easy;
    http_done_fn *done;
    void *ctx;
    usec_t started, connect_by;
    bool https, unguarded, refused, late, dialled, capped;
    size_t response_max, header_bytes;
    struct buf body, retry_after, content_type;
    struct buf header_text; /* the request's lines, each with its NUL */
    struct curl_slist *header_nodes;
    size_t header_node_cap;
    struct buf resolve_text;
    struct curl_slist resolve_node;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    CURLM *multi;
    struct http_poll *poll;
    usec_t timer; /* when libcurl wants to be called (monotonic), or TIME_NONE */
    http_guard_fn *guard;
    void *guard_ctx;
    char *user_agent, *hosts_file, *ca_file;
    struct http_transfer *under_way, *idle;
    size_t in_flight;
};

static void must(CURLcode code)
{
    if (code != CURLE_OK) {
        die("libcurl: %s", curl_easy_strerror(code));
    }
}

static void must_multi(CURLMcode code)
{
    if (code != CURLM_OK) {
        die("libcurl: %s", curl_multi_strerror(code));
    }
}

#define SET(easy, option, value) must(curl_easy_setopt((easy), (option), (value)))

/* --- what libcurl calls back --- */

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_transfer *t = ctx;
    bool known = purpose == CURLSOCKTYPE_IPCXN && address->socktype == SOCK_STREAM &&
                 (address->family == AF_INET || address->family == AF_INET6);
    http_guard_fn *guard = t->client->guard;
    bool asked = guard != NULL && !t->unguarded;
    if (!known || (asked && !guard(t->client->guard_ctx, t->https, &address->addr))) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    if (t->connect_by != 0 && clock_monotonic() > t->connect_by) {
        t->late = true;
        return CURL_SOCKET_BAD;
    }
    t->dialled = true;
    return socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, address->protocol);
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_transfer *t = ctx;
    size_t bytes = size * n;
    size_t room = t->response_max - t->body.len;
    buf_add(&t->body, data, bytes < room ? bytes : room);
    t->capped = bytes > room;
    return t->capped ? 0 : bytes;
}

static char ascii(char c)
{
    return c < 0x20 || c > 0x7E ? '?' : c;
}

/* Whatever the peer sends, it can be shown and stored. */
static void keep_value(struct buf *value, struct str text)
{
    buf_clear(value);
    text = str_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        buf_char(value, ascii(text.p[i]));
    }
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    struct http_transfer *t = ctx;
    size_t bytes = size * n;
    t->header_bytes += bytes;
    if (t->header_bytes > HEADERS_MAX) {
        return 0;
    }
    struct str rest = {data, bytes};
    while (rest.n > 0 && (rest.p[rest.n - 1] == '\r' || rest.p[rest.n - 1] == '\n')) {
        rest.n--;
    }
    if (str_starts(rest, "HTTP/")) { /* the final answer's headers, after an interim one's */
        buf_clear(&t->retry_after);
        buf_clear(&t->content_type);
        return bytes;
    }
    struct str name;
    if (str_split(&rest, ':', &name) && rest.p != NULL) {
        if (str_is_nocase(name, "retry-after")) {
            keep_value(&t->retry_after, rest);
        } else if (str_is_nocase(name, "content-type")) {
            keep_value(&t->content_type, rest);
        }
    }
    return bytes;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
    struct http_client *client = ctx;
    (void)easy;
    (void)unused;
    short events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) {
        events |= POLLIN;
    }
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) {
        events |= POLLOUT;
    }
    http_poll_set(client->poll, fd, events);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct http_client *client = ctx;
    (void)multi;
    client->timer = ms < 0 ? TIME_NONE : clock_monotonic() + ms * USEC_PER_MS;
    return 0;
}

/* --- the client --- */

static void set_up_multi(struct http_client *client, size_t connections_max)
{
    client->multi = curl_multi_init();
    if (client->multi == NULL) {
        die("curl_multi_init failed");
    }
    CURLM *multi = client->multi;
    must_multi(curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket));
    must_multi(curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client));
    must_multi(curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer));
    must_multi(curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client));
    must_multi(curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING));
    if (connections_max > 0) {
        must_multi(curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections_max));
    }
}

static char *dup_or_null(const char *s)
{
    return s == NULL || s[0] == '\0' ? NULL : mem_strdup(s);
}

int http_client_create(struct http_client **client_r, const struct http_client_conf *conf,
                       struct err *err)
{
    static bool initialized;
    if (!initialized) {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
            return err_set(err, ERR_INTERNAL, "curl_global_init failed");
        }
        initialized = true;
    }
    if (conf->ca_file != NULL && conf->ca_file[0] != '\0' && access(conf->ca_file, R_OK) != 0) {
        return err_set(err, ERR_INVALID, "%s cannot be read", conf->ca_file);
    }
    struct http_client *client = mem_alloc(sizeof(*client));
    client->timer = TIME_NONE;
    client->guard = conf->guard;
    client->guard_ctx = conf->guard_ctx;
    client->user_agent = dup_or_null(conf->user_agent);
    client->hosts_file = dup_or_null(conf->hosts_file);
    client->ca_file = dup_or_null(conf->ca_file);
    http_poll_create(&client->poll);
    set_up_multi(client, conf->connections_max);
    *client_r = client;
    return 0;
}

static void transfer_destroy(struct http_transfer *t)
{
    curl_easy_cleanup(t->easy);
    buf_deinit(&t->body);
    buf_deinit(&t->retry_after);
    buf_deinit(&t->content_type);
    buf_deinit(&t->header_text);
    buf_deinit(&t->resolve_text);
    free(t->header_nodes);
    free(t);
}

void http_client_destroy(struct http_client **client_p)
{
    struct http_client *client = *client_p;
    if (client == NULL) {
        return;
    }
    struct http_transfer *older;
    for (struct http_transfer *t = client->under_way; t != NULL; t = older) {
        older = t->older;
        must_multi(curl_multi_remove_handle(client->multi, t->easy));
        transfer_destroy(t);
    }
    for (struct http_transfer *t = client->idle; t != NULL; t = older) {
        older = t->older;
        transfer_destroy(t);
    }
    must_multi(curl_multi_cleanup(client->multi));
    http_poll_destroy(&client->poll);
    free(client->user_agent);
    free(client->hosts_file);
    free(client->ca_file);
    free(client);
    *client_p = NULL;
}

/* --- a transfer's beginning --- */

static void set_trust(CURL *easy, const char *ca_file)
{
    const char *bundle = ca_file;
    if (bundle != NULL) {
        SET(easy, CURLOPT_CAINFO, bundle);
    } else {
        must(curl_easy_getinfo(easy, CURLINFO_CAINFO, &bundle));
    }
    if (bundle != NULL) {
        /* With a folder besides the bundle, libcurl reads all certificates anew per connection. */
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static struct http_transfer *transfer_create(struct http_client *client)
{
    struct http_transfer *t = mem_alloc(sizeof(*t));
    t->client = client;
    t->easy = curl_easy_init();
    if (t->easy == NULL) {
        die("curl_easy_init failed");
    }
    buf_init(&t->body, 0);
    buf_init(&t->retry_after, VALUE_MAX);
    buf_init(&t->content_type, VALUE_MAX);
    buf_init(&t->header_text, SIZE_MAX / 2);
    buf_init(&t->resolve_text, 8192);
    SET(t->easy, CURLOPT_PRIVATE, t);
    SET(t->easy, CURLOPT_ERRORBUFFER, t->error);
    SET(t->easy, CURLOPT_NOSIGNAL, 1L);
    SET(t->easy, CURLOPT_QUICK_EXIT, 1L); /* don't wait for a name server on the way out */
    SET(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(t->easy, CURLOPT_PROXY, "");
    SET(t->easy, CURLOPT_NOPROXY, "*");
    SET(t->easy, CURLOPT_TCP_NODELAY, 1L);
    SET(t->easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    SET(t->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    SET(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(t->easy, CURLOPT_OPENSOCKETDATA, t);
    SET(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(t->easy, CURLOPT_WRITEDATA, t);
    SET(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    SET(t->easy, CURLOPT_HEADERDATA, t);
    if (client->user_agent != NULL) {
        SET(t->easy, CURLOPT_USERAGENT, client->user_agent);
    }
    set_trust(t->easy, client->ca_file);
    return t;
}

/* "Name: value" lines for libcurl, which wants "Name;" for an empty value and takes "Name:" as
 * the order to leave out a header of its own. */
static void add_header(struct buf *text, struct str name, struct str value)
{
    value = str_trim(value);
    buf_str(text, name);
    if (value.n == 0) {
        buf_char(text, ';');
    } else {
        buf_lit(text, ": ");
        buf_str(text, value);
    }
    buf_char(text, '\0');
}

static int set_headers(struct http_transfer *t, const struct http_request *request, struct err *err)
{
    bool typed = false;
    buf_clear(&t->header_text);
    for (size_t i = 0; i < request->header_count; i++) {
        struct str name;
        struct str value = request->headers[i];
        for (size_t k = 0; k < value.n; k++) {
            if ((unsigned char)value.p[k] < 0x20 && value.p[k] != '\t') {
                return err_set(err, ERR_INVALID,
                               "a header has a line break or a control character");
            }
        }
        if (!str_split(&value, ':', &name) || value.p == NULL || name.n == 0) {
            return err_set(err, ERR_INVALID, "a header must have the form Name: value");
        }
        typed = typed || str_is_nocase(name, "content-type");
        add_header(&t->header_text, name, value);
    }
    buf_add(&t->header_text, "Expect:", sizeof("Expect:")); /* no 100-continue, ever */
    if (!typed) {
        buf_add(&t->header_text, "Content-Type:", sizeof("Content-Type:"));
    }
    size_t count = request->header_count + (typed ? 1 : 2);
    if (count > t->header_node_cap) {
        t->header_node_cap = count;
        t->header_nodes = mem_realloc(t->header_nodes, count * sizeof(*t->header_nodes));
    }
    char *line = t->header_text.data;
    for (size_t i = 0; i < count; i++) {
        t->header_nodes[i].data = line;
        t->header_nodes[i].next = i + 1 < count ? &t->header_nodes[i + 1] : NULL;
        line += strlen(line) + 1;
    }
    SET(t->easy, CURLOPT_HTTPHEADER, t->header_nodes);
    return 0;
}

static void set_method_and_body(CURL *easy, const struct http_request *request)
{
    const char *method = request->method;
    bool has_body = request->body.p != NULL || strcmp(method, "POST") == 0 ||
                    strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
    if (has_body) {
        SET(easy, CURLOPT_POST, 1L);
        SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        SET(easy, CURLOPT_POSTFIELDS, request->body.p == NULL ? "" : request->body.p);
    } else if (strcmp(method, "HEAD") == 0) {
        SET(easy, CURLOPT_NOBODY, 1L);
    } else {
        SET(easy, CURLOPT_HTTPGET, 1L);
    }
    bool implied = strcmp(method, has_body ? "POST" : "GET") == 0;
    SET(easy, CURLOPT_CUSTOMREQUEST, implied ? NULL : method);
}

/* The hosts file's word on the name goes into libcurl's cache before each transfer, or out of it.
 */
static void set_resolve(struct http_transfer *t, const struct url_parts *parts)
{
    const char *file = t->client->hosts_file;
    if (file == NULL || memchr(parts->host.p, ':', parts->host.n) != NULL) {
        return;
    }
    struct buf addresses;
    buf_init(&addresses, 4096);
    http_hosts_find(file, parts->host, &addresses);
    buf_clear(&t->resolve_text);
    buf_text(&t->resolve_text, addresses.len > 0 ? "" : "-");
    buf_str(&t->resolve_text, parts->host);
    buf_printf(&t->resolve_text, ":%u", parts->port);
    buf_text(&t->resolve_text, addresses.len > 0 ? ":" : "");
    buf_str(&t->resolve_text, buf_as_str(&addresses));
    buf_deinit(&addresses);
    t->resolve_node = (struct curl_slist){.data = t->resolve_text.data};
    SET(t->easy, CURLOPT_RESOLVE, &t->resolve_node);
}

static int set_up(struct http_transfer *t, const struct http_request *request, struct err *err)
{
    struct url_parts parts;
    if (http_url_cut(str_of(request->url), &parts, err) != 0 || set_headers(t, request, err) != 0) {
        return -1;
    }
    t->https = str_is(parts.scheme, "https");
    t->unguarded = request->unguarded;
    t->connect_by = request->connect_by;
    t->refused = t->late = t->dialled = t->capped = false;
    t->response_max = request->response_max;
    t->header_bytes = 0;
    t->error[0] = '\0';
    t->body.max = request->response_max;
    buf_clear(&t->retry_after);
    buf_clear(&t->content_type);
    usec_t ms = (request->timeout + USEC_PER_MS - 1) / USEC_PER_MS;
    SET(t->easy, CURLOPT_TIMEOUT_MS, (long)(ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : ms));
    SET(t->easy, CURLOPT_URL, request->url);
    bool alone = request->fresh_connection || request->unguarded;
    SET(t->easy, CURLOPT_FRESH_CONNECT, alone ? 1L : 0L);
    SET(t->easy, CURLOPT_FORBID_REUSE, alone ? 1L : 0L);
    set_method_and_body(t->easy, request);
    set_resolve(t, &parts);
    return 0;
}

static void recycle(struct http_transfer *t)
{
    if (t->body.cap > BODY_KEPT) {
        buf_deinit(&t->body);
    }
    buf_clear(&t->body);
    t->older = t->client->idle;
    t->client->idle = t;
}

int http_start(struct http_client *client, const struct http_request *request, http_done_fn *done,
               void *ctx, struct err *err)
{
    struct http_transfer *t = client->idle;
    if (t == NULL) {
        t = transfer_create(client);
    } else {
        client->idle = t->older;
    }
    if (set_up(t, request, err) != 0) {
        recycle(t);
        return -1;
    }
    t->done = done;
    t->ctx = ctx;
    t->started = clock_monotonic();
    t->newer = NULL;
    t->older = client->under_way;
    if (t->older != NULL) {
        t->older->newer = t;
    }
    client->under_way = t;
    client->in_flight++;
    must_multi(curl_multi_add_handle(client->multi, t->easy));
    return 0;
}

size_t http_in_flight(const struct http_client *client)
{
    return client->in_flight;
}

/* --- a transfer's end --- */

static bool is_tls_fault(CURLcode code)
{
    static const CURLcode faults[] = {
        CURLE_SSL_CONNECT_ERROR,   CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_CIPHER,          CURLE_SSL_CACERT_BADFILE,       CURLE_SSL_ISSUER_ERROR,
        CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
        CURLE_SSL_CRL_BADFILE,     CURLE_USE_SSL_FAILED,           CURLE_SSL_CLIENTCERT,
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (code == faults[i]) {
            return true;
        }
    }
    return false;
}

/* Which step a transfer that sent nothing was at when its time was up. CURLINFO_CONNECT_TIME would
 * say it too late: with https it is set after the handshake only. */
static enum http_outcome step_reached(const struct http_transfer *t)
{
    curl_off_t name = 0;
    long local_port = 0;
    must(curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &name));
    must(curl_easy_getinfo(t->easy, CURLINFO_LOCAL_PORT, &local_port));
    if (local_port > 0) {
        return t->https ? HTTP_TLS_FAILED : HTTP_NOT_SENT;
    }
    return name > 0 || t->dialled ? HTTP_CONNECT_FAILED : HTTP_NAME_FAILED;
}

static enum http_outcome outcome_unsent(const struct http_transfer *t, CURLcode code)
{
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        return HTTP_NAME_FAILED;
    }
    if (t->late && !t->dialled) {
        return HTTP_NOT_SENT;
    }
    if (t->refused && !t->dialled) {
        return HTTP_ADDRESS_REFUSED;
    }
    if (code == CURLE_COULDNT_CONNECT) {
        return HTTP_CONNECT_FAILED;
    }
    if (is_tls_fault(code)) {
        return HTTP_TLS_FAILED;
    }
    return code == CURLE_OPERATION_TIMEDOUT ? step_reached(t) : HTTP_NOT_SENT;
}

static enum http_outcome outcome_of(const struct http_transfer *t, CURLcode code, long status)
{
    if (code == CURLE_OK || t->capped) {
        return status > 0 ? HTTP_ANSWERED : HTTP_BAD_ANSWER;
    }
    long sent = 0;
    must(curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent));
    if (sent == 0) {
        return outcome_unsent(t, code);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return HTTP_TIMEOUT;
    }
    bool garbled = code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL ||
                   code == CURLE_WRITE_ERROR || code == CURLE_BAD_CONTENT_ENCODING ||
                   code == CURLE_FILESIZE_EXCEEDED;
    return garbled ? HTTP_BAD_ANSWER : HTTP_RESET;
}

static struct str value_of(const struct buf *value)
{
    return value->len == 0 || value->overflow ? STR_NULL : buf_as_str(value);
}

static void copy_ascii(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0' && n < size - 1; n++) {
        out[n] = ascii(text[n]);
    }
    out[n] = '\0';
}

static void finish(struct http_transfer *t, CURLcode code)
{
    struct http_client *client = t->client;
    struct http_answer answer = {.duration = clock_monotonic() - t->started};
    const char *address = NULL;
    long status = 0;
    must(curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status));
    must(curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address));
    answer.outcome = outcome_of(t, code, status);
    if (answer.outcome == HTTP_ANSWERED) {
        answer.status = (int)status;
        answer.body = buf_as_str(&t->body);
        answer.retry_after = value_of(&t->retry_after);
        answer.content_type = value_of(&t->content_type);
    } else {
        const char *detail = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
        copy_ascii(answer.detail, sizeof(answer.detail), detail);
    }
    copy_ascii(answer.address, sizeof(answer.address), address == NULL ? "" : address);
    must_multi(curl_multi_remove_handle(client->multi, t->easy));
    if (t->newer != NULL) {
        t->newer->older = t->older;
    } else {
        client->under_way = t->older;
    }
    if (t->older != NULL) {
        t->older->newer = t->newer;
    }
    client->in_flight--;
    t->done(t->ctx, &answer);
    recycle(t);
}

static void finish_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        char *private = NULL;
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            must(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private));
            finish((struct http_transfer *)(void *)private, code);
        }
    }
}

/* --- the loop --- */

void http_wait(struct http_client *client, struct http_watch *watches, size_t count, usec_t timeout)
{
    if (client->timer != TIME_NONE) {
        usec_t wait = client->timer - clock_monotonic();
        timeout = wait < timeout ? wait : timeout;
    }
    http_poll_wait(client->poll, watches, count, timeout);
}

static void run_timer(struct http_client *client)
{
    int running;
    if (client->timer != TIME_NONE && client->timer <= clock_monotonic()) {
        /* It goes off once: libcurl sets it anew if anything is left to wait for, and says nothing
         * if not. */
        client->timer = TIME_NONE;
        must_multi(curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running));
    }
}

void http_run(struct http_client *client)
{
    struct http_watch ready[READY_MAX];
    int running;
    size_t n = http_poll_ready(client->poll, ready, READY_MAX);
    for (size_t i = 0; i < n; i++) {
        int what = ((ready[i].revents & POLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                   ((ready[i].revents & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((ready[i].revents & POLLERR) != 0 ? CURL_CSELECT_ERR : 0);
        must_multi(curl_multi_socket_action(client->multi, ready[i].fd, what, &running));
    }
    run_timer(client);
    finish_ended(client);
    run_timer(client); /* puts on the wire what the call-backs started */
}

struct once {
    struct pool *pool;
    struct http_answer *answer;
    bool done;
};

static void on_once_done(void *ctx, const struct http_answer *answer)
{
    struct once *once = ctx;
    *once->answer = *answer;
    once->answer->body = pool_str(once->pool, answer->body);
    once->answer->retry_after = pool_str(once->pool, answer->retry_after);
    once->answer->content_type = pool_str(once->pool, answer->content_type);
    once->done = true;
}

int http_once(struct http_client *client, const struct http_request *request, struct pool *pool,
              struct http_answer *answer_r, struct err *err)
{
    struct once once = {.pool = pool, .answer = answer_r};
    if (http_start(client, request, on_once_done, &once, err) != 0) {
        return -1;
    }
    while (!once.done) {
        http_wait(client, NULL, 0, USEC_PER_S);
        http_run(client);
    }
    return 0;
}
