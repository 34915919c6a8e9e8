/*
 * statements.c - the statement table and the expansion of its repeated groups: text only, it
 * knows no connection.
 */
#include "sql/statements.h"

#include <string.h>

static const char *const names[] = {
#define X(name, text) #name,
#include "sql/statements.def"
#undef X
};
static const char *const texts[] = {
#define X(name, text) text,
#include "sql/statements.def"
#undef X
};
_Static_assert(sizeof(names) / sizeof(names[0]) == STMT_COUNT, "a name per statement");
_Static_assert(sizeof(texts) / sizeof(texts[0]) == STMT_COUNT, "a text per statement");

const char *stmt_name(enum stmt s)
{
    return (size_t)s < STMT_COUNT ? names[s] : "?";
}

const char *stmt_text(enum stmt s)
{
    if ((size_t)s >= STMT_COUNT)
        die("statement %d does not exist", (int)s);
    return texts[s];
}

/* The next of `?`, `{`, `}` outside quotes, or the end of the text. */
static const char *next_mark(const char *p)
{
    char quote = '\0';

    for (; *p != '\0'; p++) {
        if (quote != '\0') {
            if (*p == quote)
                quote = '\0';
        } else if (*p == '\'' || *p == '"' || *p == '`') {
            quote = *p;
        } else if (*p == '?' || *p == '{' || *p == '}') {
            break;
        }
    }
    return p;
}

void stmt_shape(enum stmt stmt, struct stmt_shape *shape_r)
{
    size_t *count = &shape_r->before;

    memset(shape_r, 0, sizeof(*shape_r));
    for (const char *p = next_mark(stmt_text(stmt)); *p != '\0'; p = next_mark(p + 1)) {
        if (*p == '{') {
            if (shape_r->has_group)
                die("statement %s has two groups", stmt_name(stmt));
            shape_r->has_group = true;
            count = &shape_r->group;
        } else if (*p == '}') {
            count = &shape_r->after;
        } else {
            (*count)++;
        }
    }
}

static const char *find_mark(const char *p, char mark)
{
    for (p = next_mark(p); *p != '\0' && *p != mark; p = next_mark(p + 1))
        ;
    return p;
}

void stmt_expand(struct buf *b, enum stmt stmt, size_t copies)
{
    const char *text = stmt_text(stmt);
    const char *open = find_mark(text, '{');

    buf_add(b, text, (size_t)(open - text));
    if (*open == '\0')
        return;
    const char *group = open + 1, *close = find_mark(group, '}');
    const char *separator = strncmp(group, "(SELECT", 7) == 0 ? " UNION ALL " : ", ";
    for (size_t i = 0; i < copies; i++) {
        if (i > 0)
            buf_text(b, separator);
        buf_add(b, group, (size_t)(close - group));
    }
    if (*close == '}')
        buf_text(b, close + 1);
}

bool stmt_writes(enum stmt stmt)
{
    const char *text = stmt_text(stmt);

    text += strspn(text, "({ ");
    return strncmp(text, "SELECT", 6) != 0 && strncmp(text, "SHOW", 4) != 0;
}
