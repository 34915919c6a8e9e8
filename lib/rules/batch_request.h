/*
 * batch_request.h - what a customer asks for when many calls of one agent are made in one act: from
 * JSON, or from CSV whose rows are contacts. Contacts that are no good are refused one by one; the
 * rest is called.
 */
#ifndef HV_BATCH_REQUEST_H
#define HV_BATCH_REQUEST_H

#include "lib/rules/call_request.h"
#include "lib/rules/csv.h"
#include "lib/rules/seen_numbers.h"

#define BATCH_CONTACTS_MAX 10000
/* Of its JSON, weighed (lib/base/json.h): 30 values of additional_info for each contact; 96 MB. */
#define BATCH_VALUES_MAX 1200000
#define BATCH_NAME_MAX 200   /* code points */
#define BATCH_INFO_MAX 65536 /* bytes of one contact's additional_info */

/* line: of CSV, the line on which the row begins; of JSON, which element it is, from 1. */
struct batch_contact {
    uint64_t line;
    struct call_request call; /* the contact's fields; agent and times are the batch's */
};
struct batch_refusal {
    uint64_t line;
    struct str message; /* without the number itself */
};

struct batch_request {
    struct id agent_id;
    struct str name;                 /* never STR_NULL */
    usec_t scheduled_at, expires_at; /* TIME_NONE: not given */
    struct batch_contact *contacts;
    struct batch_refusal *refusals; /* by line */
    size_t count, refusal_count;
    unsigned char fingerprint[32]; /* SHA-256 of all that was asked for */
};

/* What is asked for besides the contacts, as text; STR_NULL: not given. */
struct batch_words {
    struct str agent_id, name, scheduled_at, expires_at;
};

/*
 * Both: ERR_INVALID for what is wrong with the whole (a field, no contact, too many of them, none
 * that can be called: the first faults are told), ERR_NOT_FOUND for an agent_id that is none. The
 * fingerprint is filled before anything can be wrong. A number that stands in an earlier contact
 * is refused. Times are as of a single call.
 *
 * JSON: {agent_id, name, scheduled_at, expires_at, contacts: [{contact_number, ...}, ...]}.
 * CSV: the columns contact_number, contact_name, contact_email; what others hold becomes
 * additional_info, under the column's name, where it is not empty.
 */
int batch_request_read_json(struct pool *pool, const struct json *body, usec_t now,
                            struct batch_request *request_r, struct err *err) MUST_CHECK;
int batch_request_read_csv(struct pool *pool, const struct batch_words *words, struct str text,
                           usec_t now, struct batch_request *request_r, struct err *err) MUST_CHECK;

/* ---- a file that is too long for one batch, portion by portion ---- */

/* The rules of all but the contacts. */
int batch_request_check_words(const struct batch_words *words, usec_t now,
                              struct batch_request *request_r, struct err *err) MUST_CHECK;
/* Which column is contact_number; ERR_INVALID: there is none. */
int batch_request_check_columns(const struct csv *csv, struct err *err) MUST_CHECK;
/* Adds up to BATCH_CONTACTS_MAX rows, good or not. *more_r: there may be others. seen: the numbers
 * of the portions before, and then of this. */
void batch_request_take_rows(struct pool *pool, struct csv *csv, struct seen_numbers *seen,
                             struct batch_request *request, bool *more_r);

#endif
