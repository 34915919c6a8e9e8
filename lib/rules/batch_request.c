/*
 * batch_request.c - contacts are read into an array, each by the rules of a single call; then those
 * whose number came before are taken out.
 */
#include "lib/rules/batch_request.h"

#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include "lib/rules/fields.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)128 << 20) /* far over any body that is let in, escapes included */
#define TOLD_MAX 3                   /* faults in a message, when no contact is good */

/* ---- the whole ---- */

static int check_name(struct str name, struct err *err)
{
    if (str_utf8_count(name) > BATCH_NAME_MAX)
        return err_set(err, ERR_INVALID, "name must be at most %d characters.", BATCH_NAME_MAX);
    if (field_has_control(name, false))
        return err_set(err, ERR_INVALID, "name must not contain control characters.");
    return 0;
}

int batch_request_check_words(const struct batch_words *words, usec_t now,
                              struct batch_request *request_r, struct err *err)
{
    struct batch_request *r = request_r;

    if (words->agent_id.p == NULL)
        return err_set(err, ERR_INVALID, "agent_id is required.");
    r->name = words->name.p != NULL ? words->name : STR("");
    if (check_name(r->name, err) != 0 ||
        call_request_scheduled_at(words->scheduled_at, now, &r->scheduled_at, err) != 0 ||
        call_request_expires_at(words->expires_at, r->scheduled_at, now, &r->expires_at, err) != 0)
        return -1;
    /* Last, so that what is wrong in itself is told first. */
    if (id_parse(ID_AGENT, words->agent_id, &r->agent_id) != 0)
        return call_request_no_agent(err, words->agent_id);
    return 0;
}

static int too_many(const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s at most %d contacts.", what, BATCH_CONTACTS_MAX);
}

/* ---- contacts ---- */

static void make_room(struct pool *pool, struct batch_request *r, size_t count)
{
    r->contacts = pool_new(pool, struct batch_contact, count + 1);
    r->refusals = pool_new(pool, struct batch_refusal, count + 1);
    r->count = r->refusal_count = 0;
}

static void refuse(struct pool *pool, struct batch_request *r, uint64_t line, const char *message)
{
    r->refusals[r->refusal_count++] =
        (struct batch_refusal){line, str_of(pool_strdup(pool, message))};
}

static int check_info(const struct call_request *call, struct err *err)
{
    if (call->additional_info.n <= BATCH_INFO_MAX)
        return 0;
    return err_set(err, ERR_INVALID, "additional_info must not be over %d bytes.", BATCH_INFO_MAX);
}

static int by_line(const void *a, const void *b)
{
    const struct batch_refusal *x = a, *y = b;

    return x->line < y->line ? -1 : x->line > y->line;
}

/* The first contact of a number stays, the others are refused. */
static void refuse_doubles(struct pool *pool, struct batch_request *r, struct seen_numbers *seen)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct batch_contact *contact = &r->contacts[i];
        uint64_t first = seen_numbers_add(seen, contact->call.contact_number, contact->line);
        if (first == 0)
            r->contacts[kept++] = *contact;
        else
            refuse(pool, r, contact->line,
                   pool_printf(pool, "Line %llu has the same contact_number.",
                               (unsigned long long)first));
    }
    r->count = kept;
    qsort(r->refusals, r->refusal_count, sizeof(*r->refusals), by_line);
}

static int check_some_good(const struct batch_request *r, struct err *err)
{
    struct buf b;

    if (r->count > 0)
        return 0;
    buf_init(&b, sizeof(err->message) - 1);
    for (size_t i = 0; i < r->refusal_count && i < TOLD_MAX; i++)
        buf_printf(&b, " %llu: %.*s", (unsigned long long)r->refusals[i].line,
                   STR_ARG(r->refusals[i].message));
    err_set(err, ERR_INVALID, "None of the %zu contacts can be called.%.*s", r->refusal_count,
            (int)b.len, b.len > 0 ? b.data : "");
    buf_deinit(&b);
    return -1;
}

/* ---- JSON ---- */

struct given {
    struct batch_words words;
    const struct json *contacts;
};
static const struct field table[] = {
    {FIELD(TEXT, struct batch_words, agent_id), .required = true, .min = 0, .max = 1000},
    {FIELD(TEXT, struct batch_words, name), .nullable = true, .min = 0, .max = BATCH_NAME_MAX},
    {FIELD(TEXT, struct batch_words, scheduled_at), .nullable = true, .min = 0, .max = 100},
    {FIELD(TEXT, struct batch_words, expires_at), .nullable = true, .min = 0, .max = 100},
    {FIELD(JSON, struct given, contacts), .required = true},
};

static int fingerprint_of_json(const struct json *body, unsigned char out[SHA256_SIZE],
                               struct err *err)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    json_write_sorted(&text, body);
    bool overflow = text.overflow;
    crypto_sha256(buf_as_str(&text), out);
    buf_deinit(&text);
    return overflow ? err_set(err, ERR_TOO_LARGE, "The request body is too large.") : 0;
}

static int read_contacts(struct pool *pool, const struct json *contacts, struct batch_request *r,
                         struct err *err)
{
    size_t count = json_count(contacts);
    struct err fault;

    if (json_type(contacts) != JSON_ARRAY)
        return err_set(err, ERR_INVALID, "contacts must be an array.");
    if (count == 0)
        return err_set(err, ERR_INVALID, "contacts must have at least one element.");
    if (count > BATCH_CONTACTS_MAX)
        return too_many("contacts must have", err);
    make_room(pool, r, count);
    for (size_t i = 0; i < count; i++) {
        struct batch_contact *contact = &r->contacts[r->count];
        contact->line = i + 1;
        if (call_request_read_contact(pool, json_at(contacts, i), &contact->call, &fault) != 0 ||
            check_info(&contact->call, &fault) != 0)
            refuse(pool, r, i + 1, fault.message);
        else
            r->count++;
    }
    return 0;
}

int batch_request_read_json(struct pool *pool, const struct json *body, usec_t now,
                            struct batch_request *request_r, struct err *err)
{
    struct given given = {.words = {STR_NULL, STR_NULL, STR_NULL, STR_NULL}};
    struct batch_request *r = request_r;
    struct seen_numbers *seen;
    struct fields_seen fields;

    memset(r, 0, sizeof(*r));
    if (json_type(body) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "The request body must be a JSON object.");
    if (fingerprint_of_json(body, r->fingerprint, err) != 0 ||
        fields_read(body, table, sizeof(table) / sizeof(*table), false, &given, &fields, err) !=
            0 ||
        read_contacts(pool, given.contacts, r, err) != 0 ||
        batch_request_check_words(&given.words, now, r, err) != 0)
        return -1;
    seen_numbers_create(&seen);
    refuse_doubles(pool, r, seen);
    seen_numbers_destroy(&seen);
    return check_some_good(r, err);
}

/* ---- CSV ---- */

static void fingerprint_of_csv(const struct batch_words *words, struct str text,
                               unsigned char out[SHA256_SIZE])
{
    const struct str *parts[] = {&words->agent_id, &words->name, &words->scheduled_at,
                                 &words->expires_at};
    unsigned char of_text[SHA256_SIZE];
    struct buf b;

    crypto_sha256(text, of_text);
    buf_init(&b, TEXT_MAX);
    buf_lit(&b, "csv");
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        buf_char(&b, '\n');
        buf_json(&b, *parts[i]);
    }
    buf_add(&b, of_text, sizeof(of_text));
    crypto_sha256(buf_as_str(&b), out);
    buf_deinit(&b);
}

int batch_request_check_columns(const struct csv *csv, struct err *err)
{
    if (csv_column(csv, "contact_number") >= 0)
        return 0;
    return err_set(err, ERR_INVALID,
                   "The header row has no column contact_number; columns are separated by commas.");
}

/* What stands in the columns that are not a contact's own, as a JSON object. */
static struct str info_of(struct pool *pool, const struct csv *csv, const struct csv_row *row)
{
    struct str info = STR_NULL;
    struct buf b;

    buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < csv->column_count; i++) {
        struct str name = csv->columns[i];
        if (row->fields[i].n == 0 || str_is(name, "contact_number") ||
            str_is(name, "contact_name") || str_is(name, "contact_email"))
            continue;
        buf_char(&b, b.len == 0 ? '{' : ',');
        buf_json(&b, name);
        buf_char(&b, ':');
        buf_json(&b, row->fields[i]);
    }
    if (b.len > 0) {
        buf_char(&b, '}');
        info = pool_str(pool, buf_as_str(&b));
    }
    buf_deinit(&b);
    return info;
}

static struct str field_of(const struct csv *csv, const struct csv_row *row, const char *name)
{
    int column = csv_column(csv, name);

    return column >= 0 && row->fields[column].n > 0 ? row->fields[column] : STR_NULL;
}

static void take_row(struct pool *pool, const struct csv *csv, const struct csv_row *row,
                     struct batch_request *r)
{
    struct batch_contact *contact = &r->contacts[r->count];
    struct call_request *call = &contact->call;
    struct err fault;

    memset(contact, 0, sizeof(*contact));
    contact->line = row->line;
    call->contact_number = row->fields[csv_column(csv, "contact_number")];
    call->contact_name = field_of(csv, row, "contact_name");
    call->contact_email = field_of(csv, row, "contact_email");
    call->additional_info = info_of(pool, csv, row);
    if (call_request_check_contact(call, &fault) != 0 || check_info(call, &fault) != 0)
        refuse(pool, r, row->line, fault.message);
    else
        r->count++;
}

void batch_request_take_rows(struct pool *pool, struct csv *csv, struct seen_numbers *seen,
                             struct batch_request *request, bool *more_r)
{
    struct batch_request *r = request;
    struct csv_row row;
    struct err fault;

    make_room(pool, r, BATCH_CONTACTS_MAX);
    *more_r = true;
    for (size_t taken = 0; taken < BATCH_CONTACTS_MAX && *more_r; taken++) {
        switch (csv_next(csv, pool, &row, &fault)) {
        case CSV_ROW:
            take_row(pool, csv, &row, r);
            break;
        case CSV_FAULT:
            refuse(pool, r, row.line, fault.message);
            break;
        case CSV_END:
            *more_r = false;
            break;
        }
    }
    refuse_doubles(pool, r, seen);
}

int batch_request_read_csv(struct pool *pool, const struct batch_words *words, struct str text,
                           usec_t now, struct batch_request *request_r, struct err *err)
{
    struct batch_request *r = request_r;
    struct seen_numbers *seen;
    struct csv_row row;
    struct err fault;
    struct csv csv;
    bool more;

    memset(r, 0, sizeof(*r));
    fingerprint_of_csv(words, text, r->fingerprint);
    if (csv_open(&csv, pool, text, err) != 0 || batch_request_check_columns(&csv, err) != 0)
        return -1;
    seen_numbers_create(&seen);
    batch_request_take_rows(pool, &csv, seen, r, &more);
    seen_numbers_destroy(&seen);
    if (more && csv_next(&csv, pool, &row, &fault) != CSV_END)
        return too_many("The body must have", err);
    if (batch_request_check_words(words, now, r, err) != 0)
        return -1;
    if (r->count + r->refusal_count == 0)
        return err_set(err, ERR_INVALID, "There is no contact below the header row.");
    return check_some_good(r, err);
}
