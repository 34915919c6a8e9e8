/*
 * openapi_handlers.c - the API's description (OpenAPI 3.1), with the address of this server in it.
 */
#include "fcgi/openapi.h"
#include "fcgi/responder.h"

#include <string.h>

/* What openapi.json has where public_url goes. */
#define PLACEHOLDER "\"https://api.example.com\""

int openapi_document(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    const char *text = (const char *)openapi_json, *end = text + openapi_json_size;
    const char *at = memmem(text, openapi_json_size, STR(PLACEHOLDER).p, STR(PLACEHOLDER).n);
    struct str url = str_of(rs->conf->public_url);

    (void)rq;
    if (at == NULL)
        return err_set(err, ERR_INTERNAL, "openapi.json has no place for public_url");
    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    buf_str(&an->body, (struct str){text, (size_t)(at - text)});
    buf_json(&an->body, url);
    at += STR(PLACEHOLDER).n;
    buf_str(&an->body, (struct str){at, (size_t)(end - at)});
    return 0;
}
