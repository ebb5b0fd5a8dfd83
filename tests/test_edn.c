/* The EDN reader: what it reads, what it passes over, what it refuses and where. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "reports/formats/edn.h"

/* The tokens of a text, one letter each: a bracket for a collection, `)` for its end. */
static const char *tokens_of(const char *text, char *out, size_t size)
{
    struct edn edn;
    size_t count = 0;
    edn_begin(&edn, text, strlen(text));
    while (edn_next(&edn) > EDN_ERROR && count + 2 < size) {
        static const char of[] = {
            [EDN_CLOSE] = ')',  [EDN_NIL] = 'n',    [EDN_TRUE] = 't',   [EDN_FALSE] = 'f',
            [EDN_INT] = 'i',    [EDN_NUMBER] = 'x', [EDN_STRING] = 's', [EDN_KEYWORD] = 'k',
            [EDN_SYMBOL] = 'y', [EDN_CHAR] = 'c',   [EDN_VECTOR] = '[', [EDN_LIST] = '(',
            [EDN_MAP] = '{',    [EDN_SET] = '#',
        };
        out[count++] = of[edn.token];
    }
    out[count++] = edn.token == EDN_ERROR ? '!' : '$';
    out[count] = '\0';
    return out;
}

static void reads(const char *text, const char *expected)
{
    char out[200];
    cr_expect_str_eq(tokens_of(text, out, sizeof(out)), expected, "%s reads as %s, not %s", text,
                     out, expected);
}

static void refuses(const char *text, const char *problem)
{
    struct edn edn;
    char buffer[200];
    edn_begin(&edn, text, strlen(text));
    while (edn_next(&edn) > EDN_ERROR) {
    }
    cr_expect_eq(edn.token, EDN_ERROR, "%s must be refused", text);
    edn_problem(&edn, buffer, sizeof(buffer));
    cr_expect_str_eq(buffer, problem, "%s: %s", text, buffer);
    cr_expect_eq(edn_next(&edn), EDN_ERROR, "an error stays one");
}

Test(edn, reads_every_kind_of_value)
{
    reads("", "$");
    reads("{:a [1 -2 +3], :b (x \"s\" \\a \\newline)} #{nil true false}", "{k[iii)k(yscc))#ntf)$");
    reads("1.5 1e9 12N 1/2 9223372036854775808 0x1f ##Inf", "xxxxxxx$");
    reads("- + -a a/b :a/b :1 foo' .x", "yyyykkyy$");
    reads("\"a \\\" [ b\" 1", "si$");
    reads("#inst \"1985\" #jepsen.history.Op{:a 1} #\"re\"", "s{ki)s$");
    reads("[[]{}()#{}]", "[[){)()#))$");
    reads("{:a 1}{:b 2}", "{ki){ki)$");
    reads("[1;c\n2]", "[ii)$");
}

Test(edn, never_shows_what_is_discarded)
{
    reads("#_ a b", "y$");
    reads("#_ #_ a b c", "y$");
    reads("#_ #_ [a #_ x] {b} c", "y$");
    reads("[#_ a]", "[)$");
    reads("{:a #_ 1 2 #_ :b}", "{ki)$");
    reads("#_ #tag a b", "y$");
    reads("#tag #_ a b", "y$");
    reads("1 #_[1 [2 [3]]]", "i$");
}

Test(edn, refuses_with_line_column_and_reason)
{
    refuses("[1 2", "line 1, column 5: the text ends inside a collection");
    refuses("\n [1 2)", "line 2, column 6: this bracket does not close what was opened last");
    refuses("}", "line 1, column 1: a closing bracket that nothing opened");
    refuses("{:a 1\n :b}", "line 2, column 4: this map's last key has no value");
    refuses("{:a 1 :b #_ 2}", "line 1, column 14: this map's last key has no value");
    refuses("\"abc", "line 1, column 1: this string has no closing quote");
    refuses("\"abc\\", "line 1, column 1: this string has no closing quote");
    refuses("[#_]", "line 1, column 4: #_ or a tag without a value after it");
    refuses("#_ #_ a", "line 1, column 8: #_ or a tag without a value after it");
    refuses("[#_ [#_] 1]", "line 1, column 8: #_ or a tag without a value after it");
    refuses("[#tag]", "line 1, column 6: a tag without a value after it");
    refuses("# a", "line 1, column 1: # without a tag");
    refuses(":", "line 1, column 1: a colon without a name");
    refuses("12&", "line 1, column 1: this is not a number");
    refuses("a \x01", "line 1, column 3: a character that EDN has no use for here");
    refuses("a @b", "line 1, column 3: a character that EDN has no use for here");
    refuses("\\", "line 1, column 1: a backslash without a character");
}

Test(edn, nests_to_a_limit_and_no_deeper)
{
    char text[EDN_DEPTH_MAX * 2 + 2];
    struct edn edn;
    memset(text, '[', EDN_DEPTH_MAX + 1);
    edn_begin(&edn, text, EDN_DEPTH_MAX + 1);
    for (int i = 0; i < EDN_DEPTH_MAX; i++) {
        cr_assert_eq(edn_next(&edn), EDN_VECTOR);
    }
    cr_expect_eq(edn_next(&edn), EDN_ERROR);
    memset(text + EDN_DEPTH_MAX, ']', EDN_DEPTH_MAX);
    edn_begin(&edn, text, (size_t)EDN_DEPTH_MAX * 2);
    cr_assert_eq(edn_next(&edn), EDN_VECTOR);
    cr_expect(edn_skip(&edn));
    cr_expect_eq(edn_next(&edn), EDN_END);
}

Test(edn, tells_integers_to_the_last_one_that_fits)
{
    static const struct {
        const char *text;
        enum edn_token token;
        int64_t integer;
    } cases[] = {
        {"0", EDN_INT, 0},
        {"-0", EDN_INT, 0},
        {"9223372036854775807", EDN_INT, INT64_MAX},
        {"-9223372036854775808", EDN_INT, INT64_MIN},
        {"-9223372036854775809", EDN_NUMBER, 0},
        {"99999999999999999999999999", EDN_NUMBER, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct edn edn;
        edn_begin(&edn, cases[i].text, strlen(cases[i].text));
        cr_expect_eq(edn_next(&edn), cases[i].token, "%s", cases[i].text);
        cr_expect_eq(edn.integer, cases[i].integer, "%s", cases[i].text);
    }
}

Test(edn, resolves_escapes)
{
    static const char text[] = "\"a\\tb\\n\\\"\\\\ \\u0041\\u00e9\\u20ac \\u12\"";
    struct edn edn;
    char buffer[sizeof(text)];
    edn_begin(&edn, text, sizeof(text) - 1);
    cr_assert_eq(edn_next(&edn), EDN_STRING);
    const size_t size = edn_string(&edn, buffer);
    cr_expect_str_eq(buffer, "a\tb\n\"\\ A\xc3\xa9\xe2\x82\xac u12");
    cr_expect_eq(size, strlen(buffer));
}

/* A bookmark reads the same again, and a caller's own complaint has the token's place. */
Test(edn, skips_and_goes_back)
{
    static const char text[] = "{:f :txn,\n :value [1 [2]], :x 3}";
    struct edn edn;
    char buffer[100];
    edn_begin(&edn, text, sizeof(text) - 1);
    cr_assert_eq(edn_next(&edn), EDN_MAP);
    for (int i = 0; i < 3; i++) {
        edn_next(&edn);
    }
    cr_expect(edn_keyword_is(&edn, "value"));
    cr_expect_not(edn_keyword_is(&edn, "values"));
    edn_next(&edn);
    struct edn value = edn;
    cr_expect(edn_skip(&edn));
    cr_expect_eq(edn_next(&edn), EDN_KEYWORD);
    cr_expect_eq(edn_next(&edn), EDN_INT);
    cr_expect_eq(edn_next(&value), EDN_INT);
    cr_expect_eq(value.integer, 1);
    cr_expect_not(edn_fail(&value, "not what was expected"));
    edn_problem(&value, buffer, sizeof(buffer));
    cr_expect_str_eq(buffer, "line 2, column 10: not what was expected");
}

/* All tokens of a text up to its end or an error, in words; integers by shortcut where it takes
 * them. */
static void flatten(const char *text, bool shortcuts, char *out, size_t size_bytes)
{
    struct edn edn;
    size_t used = 0;
    edn_begin(&edn, text, strlen(text));
    out[0] = '\0';
    do {
        int64_t integers[2];
        if (shortcuts && edn_keyword_integer(&edn, &integers[0])) {
            used += (size_t)snprintf(out + used, size_bytes - used,
                                     "a keyword %.*s, an integer %" PRId64 ", ", (int)edn.length,
                                     edn.text, integers[0]);
        }
        const size_t count = shortcuts ? edn_integers(&edn, integers, 2) : 0;
        for (size_t i = 0; i < count; i++) {
            used += (size_t)snprintf(out + used, size_bytes - used, "an integer %" PRId64 ", ",
                                     integers[i]);
        }
        (void)edn_next(&edn);
        used += (size_t)snprintf(out + used, size_bytes - used, "%s", edn_token_name(edn.token));
        if (edn.token == EDN_INT) {
            used += (size_t)snprintf(out + used, size_bytes - used, " %" PRId64, edn.integer);
        } else if (edn.token == EDN_KEYWORD) {
            used +=
                (size_t)snprintf(out + used, size_bytes - used, " %.*s", (int)edn.length, edn.text);
        } else if (edn.token == EDN_ERROR) {
            edn_problem(&edn, out + used, size_bytes - used);
            used += strlen(out + used);
        }
        used += (size_t)snprintf(out + used, size_bytes - used, ", ");
    } while (edn.token > EDN_ERROR);
}

/* The shortcuts read nothing that edn_next() would not read, and leave the rest to it. */
Test(edn, shortcuts_read_the_same)
{
    static const char *const texts[] = {
        "[:r 5 nil]",
        "[:r 5 [1 2 3]]",
        "[:append 5 1]",
        "[:append,5,1]",
        "[:append  5 1]",
        "[ :append 5 1]",
        "[:r -5 +7]",
        "[:r 5]",
        "[:r 5",
        "[:r 5)",
        "[:r 5x 1]",
        "[:r 5N 1]",
        "[:r 5;comment\n 1]",
        "[: 5]",
        "[:a5 5]",
        "[:a/b 5]",
        "[:a:b 5]",
        "[:r 999999999999999999 1]",
        "[:r 9999999999999999999 99999999999999999999]",
        "[0009223372036854775807 9223372036854775808 -9223372036854775808]",
        "[1 #_2 3 #_:r 5]",
        "{:a 1 :b 2}",
        "{:a 1 2}",
        "[{:r 5 :w 6} :r 7]",
        "#{:r 5 6}",
        "(:r 5 6)",
        ":r 5 6",
        "[:r\t5 6]",
        "[:r 5 \"6\" 7]",
        "[[1 2] [3 '4] [5]] 6",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char plain[600], fast[600];
        flatten(texts[i], false, plain, sizeof plain);
        flatten(texts[i], true, fast, sizeof fast);
        cr_expect_str_eq(fast, plain, "%s", texts[i]);
    }
}

/* What is passed over is what would have been read. */
Test(edn, skips_as_far_as_it_would_read)
{
    static const char *const values[] = {
        "[]",      "[[1 :a] [b [2 3]]]", "[\"]\" 1]", "[1 ;]\n 2]", "[1 #_] 2]",
        "[\\] 1]", "[{:a [1]} (2)]",     "[1 '[2]]",  "[#{1} 2]"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[100];
        struct edn skipped, read;
        (void)snprintf(text, sizeof text, "%s :after", values[i]);
        edn_begin(&skipped, text, strlen(text));
        edn_begin(&read, text, strlen(text));
        (void)edn_next(&skipped);
        const bool good = edn_skip(&skipped);
        do {
            (void)edn_next(&read);
        } while (read.token > EDN_ERROR && read.depth > 0);
        cr_expect_eq(good, read.token != EDN_ERROR, "%s", text);
        if (good) {
            cr_expect_eq(skipped.at, read.at, "%s", text);
            cr_expect_eq(edn_next(&skipped), EDN_KEYWORD, "%s", text);
        }
    }
}
