/* SPDX-License-Identifier: Apache-2.0 */
/* source.c -- see source.h. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool source_fail(struct weir_error *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return false;
}

char *source_print(struct weir_ctx *c, const char *fmt, ...)
{
    va_list ap, again;
    char *to;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    to = weir_alloc(c, (size_t)n + 1);
    vsnprintf(to, (size_t)n + 1, fmt, again);
    va_end(again);
    return to;
}

const char *source_env(const char *name)
{
    const char *v = getenv(name);

    return v ? v : "";
}

/* ---- files ---- */

bool source_file(struct weir_ctx *c, const char *path, struct weir_str *text, bool *absent, struct weir_error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    char *to;
    size_t n = 0;
    ssize_t got = 1;

    if (absent)
        *absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return source_fail(e, "%.120s cannot be read (%s)", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SOURCE_FILE_MAX) {
        close(fd);
        return source_fail(e, "%.120s is no plain file of at most 64 KB", path);
    }
    to = weir_alloc(c, SOURCE_FILE_MAX + 1);
    while (n < SOURCE_FILE_MAX && (got = read(fd, to + n, SOURCE_FILE_MAX - n)) > 0)
        n += (size_t)got;
    close(fd);
    *text = (struct weir_str){to, n};
    return got >= 0 || source_fail(e, "%.120s cannot be read whole", path);
}

struct weir_str source_trim(struct weir_str s)
{
    while (s.len && (unsigned char)s.ptr[0] <= ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

bool source_is_token(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || (unsigned char)s.ptr[i] >= 0x7f)
            return false;
    return s.len > 0;
}

/* ---- time ---- */

/* `n` digits at `at`; -1: they are none. */
static int digits(struct weir_str s, size_t at, size_t n)
{
    int v = 0;

    if (at + n > s.len)
        return -1;
    for (size_t i = at; i < at + n; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        v = v * 10 + (s.ptr[i] - '0');
    }
    return v;
}

/* What stands behind the seconds: a fraction, then Z or an offset.  The offset's seconds; INT64_MIN: neither. */
static int64_t offset_of(struct weir_str s)
{
    size_t at = 0;
    int hours, minutes;

    if (at < s.len && s.ptr[at] == '.')
        for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';)
            at++;
    if (at + 1 == s.len && s.ptr[at] == 'Z')
        return 0;
    hours = digits(s, at + 1, 2);
    minutes = digits(s, at + 4, 2);
    if (at + 6 != s.len || (s.ptr[at] != '+' && s.ptr[at] != '-') || s.ptr[at + 3] != ':' || hours < 0 || minutes < 0)
        return INT64_MIN;
    return (s.ptr[at] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

int64_t source_time(struct weir_str s)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    struct tm tm = {0};
    int64_t offset;

    if (s.len < sizeof form)
        return -1;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? s.ptr[i] < '0' || s.ptr[i] > '9' : s.ptr[i] != form[i])
            return -1;
    tm.tm_year = digits(s, 0, 4) - 1900;
    tm.tm_mon = digits(s, 5, 2) - 1;
    tm.tm_mday = digits(s, 8, 2);
    tm.tm_hour = digits(s, 11, 2);
    tm.tm_min = digits(s, 14, 2);
    tm.tm_sec = digits(s, 17, 2);
    offset = offset_of((struct weir_str){s.ptr + sizeof form - 1, s.len - sizeof form + 1});
    if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60 || offset == INT64_MIN)
        return -1;
    return (int64_t)timegm(&tm) - offset;
}

int64_t source_now(struct weir_ctx *c)
{
    struct weir_str s = weir_fact(c, "time");
    int64_t v = 0;

    for (size_t i = 0; i < s.len && i < 18 && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        v = v * 10 + (s.ptr[i] - '0');
    return v;
}

/* ---- answers ---- */

/* A word such as "invalid_grant": what a server says in its own sentences may repeat what it was sent. */
static bool is_code(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = (char)(s.ptr[i] | 32);
        if (!(ch >= 'a' && ch <= 'z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != '_' && s.ptr[i] != '.')
            return false;
    }
    return s.len && s.len <= 64;
}

bool source_refused(struct weir_ctx *c, const struct weir_fetched *got, const char *what, struct weir_error *e)
{
    static const char *const names[] = {"error", "code", "Code", NULL};
    struct weir_error ignored = {{0}, {0}, {0}};
    const struct weir_json *j = weir_skim(c, got->body, &ignored);

    for (const char *const *n = names; j && *n; n++) {
        struct weir_str code = get_value(c, j, 0, *n);
        if (is_code(code))
            return source_fail(e, "%s says %d %.*s", what, got->status, (int)code.len, code.ptr);
    }
    return source_fail(e, "%s says %d", what, got->status);
}

const struct weir_json *source_json(struct weir_ctx *c, const struct weir_fetched *got, const char *what,
                                    struct weir_error *e)
{
    const struct weir_json *j;

    if (got->status != 200) {
        source_refused(c, got, what, e);
        return NULL;
    }
    j = weir_skim(c, got->body, e);
    if (j && weir_json_is(j, 0, WEIR_JSON_OBJECT))
        return j;
    source_fail(e, "%s answers with no JSON object", what);
    return NULL;
}
