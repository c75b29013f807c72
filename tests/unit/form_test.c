/* SPDX-License-Identifier: Apache-2.0 */
/* form_test.c -- multipart/form-data: the same parts for every way in which a form may be cut, and what is refused. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"

/* "name|filename|type|bytes;" of each part; why, when it is bad. */
static void read_form(struct buf *out, struct weir_str body, const char *boundary, size_t cut)
{
    struct arena arena = {0};
    struct form_reader f;
    bool ok = true;

    form_init(&f, &arena, str_of(boundary));
    for (size_t at = 0; ok && at < body.len;) {
        size_t n = cut && at + cut < body.len ? cut : body.len - at;
        char *piece = malloc(n);
        memcpy(piece, body.ptr + at, n);
        ok = form_feed(&f, (struct weir_str){piece, n});
        free(piece);
        at += n;
    }
    if (!ok || !form_end(&f)) {
        buf_printf(out, "bad: %s", f.why);
    } else {
        for (size_t i = 0; i < f.count; i++) {
            const struct form_part *p = &f.parts[i];
            ck_assert(p->at + p->len <= body.len);
            ck_assert(!p->name_at || str_eq(str_sub(body, p->name_at, p->name_at + p->filename.len), p->filename));
            buf_printf(out, STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT ";", STR_ARG(p->name),
                       STR_ARG(p->file ? p->filename.len ? p->filename : WEIR_STR("\"\"") : WEIR_STR("-")),
                       STR_ARG(p->type), STR_ARG(str_sub(body, p->at, p->at + p->len)));
        }
    }
    form_fini(&f);
    arena_fini(&arena);
}

static void check(const char *body, const char *boundary, const char *want)
{
    for (size_t cut = 0; cut <= strlen(body) && cut < 64; cut++) {
        struct buf b = {0};
        read_form(&b, str_of(body), boundary, cut);
        ck_assert_msg(str_is(buf_view(&b), want), "cut %zu: %.*s", cut, (int)b.len, b.ptr);
        buf_fini(&b);
    }
}

#define D "Content-Disposition: form-data; name="

START_TEST(parts)
{
    check("--AaB03x\r\n" D "\"submit-name\"\r\n\r\nLarry\r\n--AaB03x\r\n" D
          "\"files\"; filename=\"file1.txt\"\r\nContent-Type: text/plain\r\n\r\n... contents ...\r\n--AaB03x--\r\n",
          "AaB03x", "submit-name|-||Larry;files|file1.txt|text/plain|... contents ...;");
    check("--b\r\n" D "a\r\n\r\n\r\n--b--", "b", "a|-||;"); /* empty, a token, no last line end */
    check("--b\r\nCONTENT-DISPOSITION:form-data;NAME=\"a\";FileName=\"\"\r\ncontent-length: 1\r\n\r\nx\r\n--b--\r\n",
          "b", "a|\"\"||x;");
    check("--b--\r\n", "b", "");
    check("--b\r\n" D "\"a\"\r\nContent-Transfer-Encoding: Binary\r\n\r\nx\r\n--b--\r\n", "b", "a|-||x;");
}
END_TEST

/* What looks like a boundary and is none. */
START_TEST(nearly)
{
    check("--b\r\n" D "a\r\n\r\n\r\r\n--\r\n-b\r\n\n--b\r--b--b\r\n--b--\r\n", "b",
          "a|-||\r\r\n--\r\n-b\r\n\n--b\r--b--b;");
    check("--bb\r\n" D "a\r\n\r\n\r\n--b\r\n--b\r\n\r\n\r\n--bb--\r\n", "bb", "a|-||\r\n--b\r\n--b\r\n\r\n;");
    check("--b\r\n" D "a\r\n\r\n\r\n\r\n--b--\r\n", "b", "a|-||\r\n;");
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *body, *why;
    } rows[] = {
        {"", "the form breaks off before its last boundary"},
        {"\r\n--b\r\n" D "a\r\n\r\nx\r\n--b--\r\n",
         "the form does not begin with the boundary that its content-type names"},
        {"--b\r\n" D "a\r\n\r\nx\r\n--b-", "the form breaks off before its last boundary"},
        {"--b\r\n" D "a\r\n\r\nx\r\n--b--\r", "the form breaks off before its last boundary"},
        {"--b\r\n" D "a\r\n\r\nx\r\n--b--\r\n\r\n", "something follows the end of the form"},
        {"--b\r\n" D "a\r\n\r\nx\r\n--b--x", "something follows the end of the form"},
        {"--b \r\n" D "a\r\n\r\nx\r\n--b--\r\n", "a line of the form begins with its boundary and goes on"},
        {"--b\r\n" D "a\r\n\r\nx\r\n--bc\r\n\r\n--b--\r\n", "a line of the form begins with its boundary and goes on"},
        {"--b\r\n\r\nx\r\n--b--\r\n", "a part of the form has no name"},
        {"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n", "a part of the form has no name"},
        {"--b\r\n" D "\"\"\r\n\r\nx\r\n--b--\r\n", "a part of the form has no name"},
        {"--b\r\n" D "a\r\n" D "c\r\n\r\nx\r\n--b--\r\n",
         "a part of the form has a header that it may not have, or has it twice"},
        {"--b\r\n" D "a\r\nX-A: b\r\n\r\nx\r\n--b--\r\n",
         "a part of the form has a header that it may not have, or has it twice"},
        {"--b\r\n" D "a\r\nno colon\r\n\r\nx\r\n--b--\r\n",
         "a part of the form has a header that it may not have, or has it twice"},
        {"--b\r\n" D "a\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--\r\n",
         "a part of the form is encoded, which is not understood"},
        {"--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--\r\n", "a part of the form is not form-data"},
        {"--b\r\n" D "\"a\\\"b\"\r\n\r\nx\r\n--b--\r\n",
         "a part's content-disposition cannot be read clearly (no backslashes, no filename*)"},
        {"--b\r\n" D "\"a\r\n\r\nx\r\n--b--\r\n",
         "a part's content-disposition cannot be read clearly (no backslashes, no filename*)"},
        {"--b\r\n" D "a; filename*=utf-8''x\r\n\r\nx\r\n--b--\r\n",
         "a part's content-disposition has other members than one name and one filename"},
        {"--b\r\n" D "a\n\r\n\r\nx\r\n--b--\r\n", "a part's headers do not end their lines with CR LF"},
        {"--b\r\n" D "a\r\rx\r\n--b--\r\n", "a part's headers do not end their lines with CR LF"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char want[256];
        snprintf(want, sizeof want, "bad: %s", rows[i].why);
        check(rows[i].body, "b", want);
    }
}
END_TEST

START_TEST(limits)
{
    struct buf b = {0}, got = {0};

    for (int i = 0; i <= FORM_PARTS_MAX; i++)
        buf_lit(&b, "--b\r\n" D "a\r\n\r\nx\r\n");
    buf_lit(&b, "--b--\r\n");
    read_form(&got, buf_view(&b), "b", 0);
    ck_assert_msg(str_is(buf_view(&got), "bad: the form has too many parts"), "%.*s", (int)got.len, got.ptr);
    b.len = got.len = 0;
    buf_lit(&b, "--b\r\n" D "a\r\nContent-Type: ");
    for (int i = 0; i < FORM_HEAD_MAX; i++)
        buf_char(&b, 'x');
    read_form(&got, buf_view(&b), "b", 0);
    ck_assert_msg(str_is(buf_view(&got), "bad: a part's headers are too long"), "%.*s", (int)got.len, got.ptr);
    buf_fini(&b);
    buf_fini(&got);
}
END_TEST

START_TEST(boundaries)
{
    static const struct {
        const char *type, *want; /* NULL: none */
    } rows[] = {
        {"multipart/form-data; boundary=AaB03x", "AaB03x"},
        {"Multipart/Form-Data;BOUNDARY=\"a:b=c\"", "a:b=c"},
        {"multipart/form-data; charset=utf-8; boundary=a", "a"},
        {"multipart/form-data; boundary=a; charset=utf-8", "a"},
        {"multipart/form-data", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary=a; boundary=b", NULL},
        {"multipart/form-data; boundary=a b", NULL},
        {"multipart/form-data; boundary=\"a b\"", NULL},
        {"multipart/form-data; boundary=\"a", NULL},
        {"multipart/form-data, boundary=a", NULL},
        {"multipart/mixed; boundary=a", NULL},
        {"application/json", NULL},
        {"multipart/form-data; boundary=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggggggggh", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct weir_str b;
        bool ok = form_boundary(str_of(rows[i].type), &b);
        ck_assert_msg(ok == (rows[i].want != NULL), "%s", rows[i].type);
        ck_assert_msg(!ok || str_is(b, rows[i].want), "%s: %.*s", rows[i].type, (int)b.len, b.ptr);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("form");
    TCase *t = tcase_create("all");

    tcase_add_test(t, parts);
    tcase_add_test(t, nearly);
    tcase_add_test(t, refused);
    tcase_add_test(t, limits);
    tcase_add_test(t, boundaries);
    suite_add_tcase(s, t);
    return s;
}
