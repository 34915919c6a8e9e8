/*
 * phone.c - the Indian numbering plan, as far as a caller needs it: which +91 numbers there are,
 * which of them are a person's, and what is wrong with the others.
 *
 * After +91 come ten digits. Those that start with 6 to 9 are all in use, for mobiles and, within
 * some area codes, landlines. Those that start with 1 to 5 are landlines, if they are an area code
 * of two, three or four digits and a subscriber's number whose first digit is 2 to 7.
 */
#include "lib/rules/phone.h"
#include <string.h>

#define NATIONAL_DIGITS 10

/*
 * What the first three of the ten digits say, from 100 to 899:
 *   '2' an area code of two digits and the first digit of the subscriber's number
 *   '3' an area code of three digits: the fourth digit must be 2 to 7
 *   '4' the start of area codes of four digits: the fifth digit must be 2 to 7
 *   'b' both of the last two
 *   '.' no landlines; from 600 on: mobiles, or a range that landlines share with mobiles
 */
/* clang-format off */
static const char area_codes[] =
    /* 100 */ ".........." "..222222.." "3334344443" "3334434444" ".344334444"
              "4344344444" "3344344444" ".334434344" "3343343444" "4344344444"
    /* 200 */ "..222222.2" ".434434344" "..222222.2" "334344444." "334444444."
              "3343.44344" "3344434434" ".4.4444434" ".344433434" "2344344444"
    /* 300 */ ".4........" ".......4.4" ".442443..." "..222222.." ".3b3.4444."
              ".443344.44" "3344344433" "3433343444" "2344434443" ".........."
    /* 400 */ "..222222.." ".4.344344." ".333344344" ".3444344.." "..222222.."
              ".33.4444.." "3334.43333" "33.4333333" "3343334344" "3344333344"
    /* 500 */ ".........." "343.434444" ".43.44444." ".434434..." ".43.444.34"
              ".3..4.4..." ".43.434444" ".3444....." ".34444444." ".34.434..."
    /* 600 */ ".........." ".434.4..4." ".34.44.4.." ".3444....." ".344.444.."
              ".344444344" ".34344.44." ".344b44.44" "3442444..." ".........."
    /* 700 */ ".........." "4434444444" ".........." ".3433....4" ".........."
              ".34..3...4" "434444...." "4........." "........b." ".222222..."
    /* 800 */ "..222.22.." "......3..." "33..3....." ".33...3..." ".........."
              ".........." ".3.3..3..." "3......33." "...33....." ".3........";
/* clang-format on */
_Static_assert(sizeof(area_codes) == 801, "a character for each of 100 to 899");

/* Area codes whose subscribers' numbers start with any digit, and one such exchange. */
static const char *const open_area_codes[] = {
    "1702", "1704", "2801", "2803", "2804", "2806", "2808", "4202",
    "4204", "4722", "4723", "4724", "4725", "4726", "4727", "4728",
    "5521", "5522", "5523", "5524", "5525", "5526", "5527", "271795",
};

/* Numbers that are answered by services and not by people: telemarketers', banks' and authorities',
 * toll-free, shared cost. */
static const char *const service_series[] = {"140", "1600", "1601", "1800", "1860"};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_subscriber(char c)
{
    return c >= '2' && c <= '7';
}

/* digits: ten, of which the first is not 0. */
static bool is_landline(struct str digits)
{
    int start = (digits.p[0] - '0') * 100 + (digits.p[1] - '0') * 10 + (digits.p[2] - '0');

    if (start >= 900)
        return false;
    if (str_starts(digits, "68284")) /* mobiles amid the landlines of 6828 */
        return false;
    for (size_t i = 0; i < sizeof(open_area_codes) / sizeof(open_area_codes[0]); i++) {
        if (str_starts(digits, open_area_codes[i]))
            return true;
    }
    switch (area_codes[start - 100]) {
    case '2':
        return true;
    case '3':
        return starts_subscriber(digits.p[3]);
    case '4':
        return starts_subscriber(digits.p[4]);
    case 'b':
        return starts_subscriber(digits.p[3]) || starts_subscriber(digits.p[4]);
    }
    return false;
}

static bool is_service(struct str digits)
{
    for (size_t i = 0; i < sizeof(service_series) / sizeof(service_series[0]); i++) {
        if (str_starts(digits, service_series[i]))
            return true;
    }
    return false;
}

static int refuse(struct err *err, const char *field, const char *sentence)
{
    return err_set(err, ERR_INVALID, "%s must be a valid +91 E.164 phone number. %s", field,
                   sentence);
}

/* What is wrong with the characters, or NULL when they are +91 and digits. */
static const char *form_fault(struct str number)
{
    bool letters = false, punctuation = false;

    if (number.n == 0)
        return "It is empty.";
    for (size_t i = 0; i < number.n; i++) {
        if (is_digit(number.p[i]) || (i == 0 && number.p[i] == '+'))
            continue;
        if (number.p[i] != '\0' && strchr(" \t-.()/+", number.p[i]) != NULL)
            punctuation = true;
        else
            letters = true;
    }
    if (letters)
        return "It has characters that are not digits.";
    if (punctuation)
        return "It has blanks or punctuation.";
    if (number.p[0] != '+') {
        if (number.n == 2 + NATIONAL_DIGITS && str_starts(number, "91"))
            return "It has no + in front.";
        return "It has no +91 in front.";
    }
    if (!str_starts(number, "+91"))
        return "Its country code is not +91.";
    return NULL;
}

int phone_check(struct str number, const char *field, enum phone_kind *kind_r, struct err *err)
{
    const char *fault = form_fault(number);
    struct str digits;

    if (fault != NULL)
        return refuse(err, field, fault);
    digits = (struct str){number.p + 3, number.n - 3};
    if (digits.n > 0 && digits.p[0] == '0')
        return refuse(err, field, "No Indian number starts with 0 after +91.");
    if (digits.n != NATIONAL_DIGITS)
        return err_set(err, ERR_INVALID,
                       "%s must be a valid +91 E.164 phone number. "
                       "It has %zu digit%s after +91 instead of 10.",
                       field, digits.n, digits.n == 1 ? "" : "s");
    if (is_service(digits)) {
        *kind_r = PHONE_SERVICE;
        return 0;
    }
    if (is_landline(digits)) {
        *kind_r = PHONE_LANDLINE;
        return 0;
    }
    if (digits.p[0] < '6')
        return refuse(err, field,
                      "No Indian area code fits these digits, and mobile numbers start "
                      "with 6, 7, 8 or 9.");
    *kind_r = PHONE_MOBILE;
    return 0;
}
