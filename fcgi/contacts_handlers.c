/*
 * contacts_handlers.c - erases one person's data from everything that the workspace keeps.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/phone.h"
#include "sql/erasure.h"

int contact_erase(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct str number = list_blank_to_plus(rq->pool, rq->match.args[0], 0);
    struct erased erased;
    enum phone_kind kind;

    if (phone_check(number, "The number", &kind, err) != 0 ||
        erase_contact(rs->db, rq->pool, &rq->who->workspace_id, number, &erased, err) != 0)
        return -1;
    buf_printf(&an->body, "{\"data\":{\"calls\":%llu,\"events\":%llu}}",
               (unsigned long long)erased.calls, (unsigned long long)erased.events);
    return 0;
}
