/*
 * mail.c - headers, encodings, and the words.
 */
#include "lib/rules/mail.h"

#include <string.h>

#define LINE_MAX_PLAIN 900   /* RFC 5322 allows 998 */
#define WORD_BYTES 45        /* of an encoded word: 60 digits, so that a line is under 76 */
#define BASE64_LINE_BYTES 57 /* 76 digits */

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    }
    return true;
}

/* Lines of printable ASCII, none too long. */
static bool is_plain(struct str body)
{
    struct str line;
    while (str_split(&body, '\n', &line)) {
        if (line.n > LINE_MAX_PLAIN || !is_printable(line))
            return false;
    }
    return true;
}

static void add_base64(struct buf *b, const char *p, size_t n)
{
    char digits[(BASE64_LINE_BYTES + 2) / 3 * 4 + 1];
    base64_encode(p, n, digits);
    buf_text(b, digits);
}

/* Whole characters that fit one encoded word. */
static size_t word_length(struct str s)
{
    size_t n = s.n < WORD_BYTES ? s.n : WORD_BYTES;
    while (n > 1 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void add_subject(struct buf *b, struct str subject)
{
    buf_lit(b, "Subject: ");
    if (is_printable(subject) && subject.n <= LINE_MAX_PLAIN) {
        buf_str(b, subject);
        buf_char(b, '\n');
        return;
    }
    for (const char *separator = ""; subject.n > 0; separator = "\n ") {
        size_t n = word_length(subject);
        buf_text(b, separator);
        buf_lit(b, "=?UTF-8?B?");
        add_base64(b, subject.p, n);
        buf_lit(b, "?=");
        subject.p += n;
        subject.n -= n;
    }
    buf_char(b, '\n');
}

static void add_date(struct buf *b, usec_t date)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    struct time_fields f;

    time_split(date, &f);
    buf_printf(b, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\n",
               days + 3 * (date / USEC_PER_DAY % 7), f.day, months + 3 * (f.month - 1), f.year,
               f.hour, f.minute, f.second);
}

void mail_render(struct buf *b, const struct mail *mail, struct str from, usec_t date,
                 struct str id)
{
    bool plain = is_plain(mail->body);
    const char *at = memchr(from.p, '@', from.n);
    struct str host = at != NULL ? (struct str){at + 1, (size_t)(from.p + from.n - at - 1)} : from;

    buf_printf(b, "From: HuskyVoice <%.*s>\nTo: <%.*s>\n", STR_ARG(from), STR_ARG(mail->to));
    add_subject(b, mail->subject);
    add_date(b, date);
    buf_printf(b, "Message-Id: <%.*s@%.*s>\n", STR_ARG(id), STR_ARG(host));
    buf_printf(b,
               "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
               "Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: %s\n\n",
               plain ? "us-ascii" : "utf-8", plain ? "7bit" : "base64");
    if (plain) {
        buf_str(b, mail->body);
        return;
    }
    for (size_t i = 0; i < mail->body.n; i += BASE64_LINE_BYTES) {
        size_t left = mail->body.n - i;
        add_base64(b, mail->body.p + i, left < BASE64_LINE_BYTES ? left : BASE64_LINE_BYTES);
        buf_char(b, '\n');
    }
}

/* ---- where from and where to ---- */

static struct str host_of(struct str url)
{
    static const char slashes[] = "://";
    const char *p = memmem(url.p, url.n, slashes, 3);
    struct str host = p != NULL ? (struct str){p + 3, (size_t)(url.p + url.n - p - 3)} : url;
    size_t n = 0;
    while (n < host.n && host.p[n] != '/' && host.p[n] != ':')
        n++;
    return (struct str){host.p, n};
}

struct str mail_sender(struct pool *pool, struct str mail_from, struct str public_url)
{
    if (mail_from.n > 0)
        return mail_from;
    struct str host = host_of(public_url);
    return str_of(pool_printf(pool, "huskyvoice@%.*s", STR_ARG(host)));
}

static struct str without_slash(struct str url)
{
    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

struct str mail_link(struct pool *pool, struct str public_url, const char *name, const char *token)
{
    public_url = without_slash(public_url);
    return str_of(pool_printf(pool, "%.*s/#%s=%s", STR_ARG(public_url), name, token));
}

/* ---- the words ---- */

struct mail mail_invitation(struct pool *pool, struct str to, struct str workspace,
                            struct str inviter, struct str link)
{
    const char *who = inviter.p != NULL ? pool_printf(pool, "%.*s invites you", STR_ARG(inviter))
                                        : "You are invited";
    const char *where = workspace.p != NULL
                            ? pool_printf(pool, "the workspace \"%.*s\" on ", STR_ARG(workspace))
                            : "";
    return (struct mail){
        .to = to,
        .subject = STR("You are invited to HuskyVoice"),
        .body = str_of(pool_printf(pool,
                                   "%s to %sHuskyVoice.\n\n"
                                   "To accept, follow this link within 7 days:\n\n%.*s\n\n"
                                   "If you do not know what this is about, leave it unanswered.\n",
                                   who, where, STR_ARG(link))),
    };
}

struct mail mail_confirmation(struct pool *pool, struct str to, struct str link)
{
    return (struct mail){
        .to = to,
        .subject = STR("Confirm your HuskyVoice account"),
        .body = str_of(
            pool_printf(pool,
                        "Somebody, probably you, signed up for HuskyVoice with this address.\n\n"
                        "To confirm that it was you, follow this link within 24 hours:\n\n%.*s\n\n"
                        "If it was not you, do not follow it: without it no account is made.\n",
                        STR_ARG(link))),
    };
}

struct mail mail_already_registered(struct pool *pool, struct str to, struct str public_url)
{
    public_url = without_slash(public_url);
    return (struct mail){
        .to = to,
        .subject = STR("You already have a HuskyVoice account"),
        .body = str_of(pool_printf(
            pool,
            "Somebody, probably you, signed up for HuskyVoice with this address, which already\n"
            "has an account. Nothing was changed.\n\nSign in, or ask for a new password:\n\n"
            "%.*s/\n",
            STR_ARG(public_url))),
    };
}

struct mail mail_reset(struct pool *pool, struct str to, struct str link)
{
    return (struct mail){
        .to = to,
        .subject = STR("A new password for HuskyVoice"),
        .body = str_of(pool_printf(
            pool,
            "Somebody, probably you, asked for a new password for your HuskyVoice account.\n\n"
            "To choose one, follow this link within an hour:\n\n%.*s\n\n"
            "If it was not you, leave it unanswered: the password stays as it is.\n",
            STR_ARG(link))),
    };
}

struct mail mail_endpoint_held(struct pool *pool, struct str to, struct str workspace,
                               struct str url, usec_t since)
{
    char at[TIME_TEXT_SIZE];
    time_format(since, at);
    return (struct mail){
        .to = to,
        .subject = STR("A webhook endpoint does not answer"),
        .body = str_of(pool_printf(
            pool,
            "Webhook endpoint of the workspace \"%.*s\":\n\n    %.*s\n\n"
            "It has been failing since %s. What it has not received waits, and is sent when it\n"
            "answers again; it is tried at least once an hour. If it goes on failing for days, it\n"
            "is disabled.\n",
            STR_ARG(workspace), STR_ARG(url), at)),
    };
}

struct mail mail_endpoint_disabled(struct pool *pool, struct str to, struct str workspace,
                                   struct str url, struct str reason)
{
    return (struct mail){
        .to = to,
        .subject = STR("A webhook endpoint was disabled"),
        .body = str_of(
            pool_printf(pool,
                        "Webhook endpoint of the workspace \"%.*s\":\n\n    %.*s\n\n"
                        "It was disabled: %.*s.\n\n"
                        "Events go on being kept for it, and are sent when it is enabled again.\n",
                        STR_ARG(workspace), STR_ARG(url), STR_ARG(reason))),
    };
}
