/* SPDX-License-Identifier: Apache-2.0 */
/* form.c -- see form.h. */
#include "worker/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json_skim.h"
#include "base/json_text.h"
#include "base/log.h"
#include "worker/accept.h"
#include "worker/admit.h"
#include "worker/kind.h"
#include "worker/worker.h"

/* ---- arriving ---- */

/* Whoever has no key, on a listener that asks for one, may not fill a disk. */
void form_begin(struct request *r)
{
    const struct settings *set = &r->w->world->settings;
    const struct weir_path *p;
    struct instance *dialect;
    struct weir_str boundary;
    struct form *f;

    if (!r->type || !form_is(*r->type) || !str_is(r->head.method, "POST"))
        return;
    p = accept_find(r, &dialect, NULL);
    if (!p || !kind_takes_form(p->kind) || strcmp(p->method, "POST") != 0)
        return;
    f = arena_alloc(&r->arena, sizeof *f);
    f->fd = -1;
    f->limit = (uint64_t)(r->w->world->key_count && !admit_key(r) ? set->max_body : set->max_form);
    f->broken = !form_boundary(*r->type, &boundary);
    form_init(&f->reader, &r->arena, boundary.len <= FORM_BOUNDARY_MAX ? boundary : WEIR_STR(""));
    if (f->broken)
        f->reader.why = "the content-type names no clear boundary";
    r->form = f;
}

/* A file that never has a name, so that no kill leaves one; some file systems cannot, there it has one for a moment. */
static bool file_open(struct request *r)
{
    struct form *f = r->form;
    const char *state = r->w->world->settings.state;
    char *name;

    f->fd = open(state, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (f->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return f->fd >= 0;
    name = arena_printf(&r->arena, "%s/form-XXXXXX", state);
    f->fd = mkostemp(name, O_CLOEXEC);
    if (f->fd >= 0)
        unlink(name);
    return f->fd >= 0;
}

static bool file_write(struct form *f, struct weir_str s)
{
    while (s.len) {
        ssize_t n = write(f->fd, s.ptr, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = str_sub(s, (size_t)n, s.len);
    }
    return true;
}

static bool form_store(struct request *r, struct weir_str bytes)
{
    struct form *f = r->form;

    if (f->fd < 0 && r->body.len + bytes.len <= (size_t)r->w->world->settings.form_memory) {
        buf_str(&r->body, bytes);
        return true;
    }
    if (f->fd < 0) {
        if (!file_open(r) || !file_write(f, buf_view(&r->body)))
            return false;
        r->body.len = 0;
    }
    return file_write(f, bytes);
}

bool form_take(struct request *r, struct weir_str bytes)
{
    struct form *f = r->form;

    if (!f->broken)
        f->broken = !form_feed(&f->reader, bytes);
    if (f->broken || form_store(r, bytes)) /* what will be refused need not be kept */
        return true;
    log_event(WEIR_ERROR, LOG_form_unstored, "request=%s errno=%d", r->id, errno);
    return false;
}

void form_free(struct request *r)
{
    struct form *f = r->form;

    if (!f)
        return;
    if (f->map)
        munmap(f->map, f->map_len);
    if (f->fd >= 0)
        close(f->fd);
    form_fini(&f->reader);
    buf_fini(&f->json);
    r->form = NULL;
}

struct weir_str request_body(const struct request *r)
{
    return r->form && r->form->map ? (struct weir_str){r->form->map, r->form->map_len} : buf_view(&r->body);
}

/* ---- the description ---- */

static struct form_row *row_add(struct request *r, int kind, uint64_t form_at, uint64_t form_len)
{
    struct form *f = r->form;

    if (f->row_count == f->row_cap) {
        size_t cap = f->row_cap ? f->row_cap * 2 : 16;
        struct form_row *more = arena_alloc(&r->arena, cap * sizeof *more);
        if (f->row_count)
            memcpy(more, f->rows, f->row_count * sizeof *more);
        f->rows = more;
        f->row_cap = cap;
    }
    f->rows[f->row_count] = (struct form_row){kind, f->json.len, 0, form_at, form_len};
    return &f->rows[f->row_count++];
}

static void put_string(struct request *r, int kind, uint64_t form_at, struct weir_str s)
{
    struct form *f = r->form;
    struct form_row *row;

    buf_char(&f->json, '"');
    row = row_add(r, kind, form_at, s.len);
    json_escape(&f->json, s);
    row->len = f->json.len - row->at;
    buf_char(&f->json, '"');
}

/* "lines":[...]: each line of the file that holds JSON, as it stands there.  false: some line is none; nothing is put.
 */
static bool put_lines(struct request *r, uint64_t at, struct weir_str s)
{
    const struct settings *set = &r->w->world->settings;
    const struct json_limits limits = {(uint32_t)set->json_depth, (uint32_t)set->json_nodes};
    struct form *f = r->form;
    size_t json_len = f->json.len, rows = f->row_count;
    const char *begin = s.ptr;
    bool first = true, ok = true;

    buf_lit(&f->json, ",\"lines\":[");
    while (ok && s.len) {
        const char *end = memchr(s.ptr, '\n', s.len);
        size_t n = end ? (size_t)(end - s.ptr) + 1 : s.len;
        struct weir_str line = str_sub(s, 0, n);
        struct weir_error error;
        struct weir_json j;
        while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
            line.len--;
        s = str_sub(s, n, s.len);
        if (!str_trim(line).len)
            continue;
        ok = json_skim(&r->w->skim, line, &limits, &j, &error);
        if (!first)
            buf_char(&f->json, ',');
        first = false;
        row_add(r, ROW_JSON, at + (uint64_t)(line.ptr - begin), line.len)->len = line.len;
        buf_str(&f->json, line);
    }
    buf_char(&f->json, ']');
    if (!ok || first) {
        f->json.len = json_len;
        f->row_count = rows;
    }
    return ok && !first;
}

bool text_is_plain(struct request *r, struct weir_str s)
{
    const struct json_limits limits = {1, 2};
    struct weir_error error;
    struct weir_json j;
    struct buf b = {0};
    bool ok = true;

    for (size_t i = 0; i < s.len && ok; i++)
        ok = (unsigned char)s.ptr[i] >= ' ' || (s.ptr[i] && strchr("\t\n\r\f\b\x1b", s.ptr[i]));
    if (!ok)
        return false;
    buf_char(&b, '"');
    json_escape(&b, s);
    buf_char(&b, '"');
    ok = json_skim(&r->w->skim, buf_view(&b), &limits, &j, &error);
    buf_fini(&b);
    return ok;
}

/* What holds text is shown as text; of anything else only its size. */
static void put_content(struct request *r, const struct form_part *p)
{
    struct weir_str s = str_sub(request_body(r), (size_t)p->at, (size_t)(p->at + p->len));
    struct weir_str front = str_sub(s, 0, s.len < 256 ? s.len : 256);

    while (front.len && strchr(" \t\r\n", front.ptr[0] ? front.ptr[0] : 'x'))
        front = str_sub(front, 1, front.len);
    if (!s.len)
        return;
    if (s.len <= (size_t)r->w->world->settings.max_body) {
        if (front.len && (front.ptr[0] == '{' || front.ptr[0] == '[') && put_lines(r, p->at, s))
            return;
        if (text_is_plain(r, s)) {
            buf_lit(&r->form->json, ",\"text\":");
            put_string(r, ROW_VALUE, p->at, s);
            return;
        }
    }
    r->unseen += p->len;
}

static void put_part(struct request *r, const struct form_part *p)
{
    struct buf *json = &r->form->json;

    if (!p->file) {
        put_string(r, ROW_VALUE, p->at, str_sub(request_body(r), (size_t)p->at, (size_t)(p->at + p->len)));
        return;
    }
    buf_lit(json, "{\"filename\":");
    put_string(r, ROW_NAME, p->name_at, p->filename);
    buf_lit(json, ",\"content_type\":\"");
    json_escape(json, p->type);
    buf_lit(json, "\",\"bytes\":");
    buf_int(json, (int64_t)p->len);
    put_content(r, p);
    buf_char(json, '}');
}

/* Parts of one name together, in the order of the first. */
static void put_parts(struct request *r)
{
    const struct form_reader *f = &r->form->reader;
    struct buf *json = &r->form->json;
    bool done[FORM_PARTS_MAX] = {false};

    buf_char(json, '{');
    for (size_t i = 0; i < f->count; i++) {
        size_t same = 0;
        if (done[i])
            continue;
        for (size_t k = i; k < f->count; k++)
            same += str_eq(f->parts[k].name, f->parts[i].name);
        if (i)
            buf_char(json, ',');
        buf_char(json, '"');
        json_escape(json, f->parts[i].name);
        buf_str(json, same > 1 ? WEIR_STR("\":[") : WEIR_STR("\":"));
        for (size_t k = i, n = 0; n < same; k++) {
            if (!str_eq(f->parts[k].name, f->parts[i].name))
                continue;
            done[k] = true;
            if (n++)
                buf_char(json, ',');
            put_part(r, &f->parts[k]);
        }
        if (same > 1)
            buf_char(json, ']');
    }
    buf_char(json, '}');
}

static bool texts_fit(struct request *r)
{
    const struct form_reader *f = &r->form->reader;
    uint64_t sum = 0;

    for (size_t i = 0; i < f->count; i++)
        sum += f->parts[i].file ? 0 : f->parts[i].len;
    return sum <= (uint64_t)r->w->world->settings.max_body;
}

static bool form_fail(struct weir_error *e, const char *code, const char *text)
{
    snprintf(e->code, sizeof e->code, "%s", code);
    snprintf(e->text, sizeof e->text, "%s", text);
    return false;
}

bool form_describe(struct request *r, struct weir_error *e)
{
    const struct settings *set = &r->w->world->settings;
    const struct json_limits limits = {(uint32_t)set->json_depth + 4, (uint32_t)set->json_nodes};
    struct form *f = r->form;

    if (f->broken || !form_end(&f->reader))
        return form_fail(e, "invalid_form", f->reader.why);
    if (f->fd >= 0) {
        f->map_len = (size_t)f->reader.at;
        f->map = mmap(NULL, f->map_len, PROT_READ, MAP_PRIVATE, f->fd, 0);
        if (f->map == MAP_FAILED) {
            f->map = NULL;
            return form_fail(e, "form_unreadable", "the gateway cannot read the form back");
        }
    }
    if (!texts_fit(r))
        return form_fail(e, "form_too_large", "the texts of the form are larger than max_body");
    put_parts(r);
    return json_skim_arena(&r->arena, &r->w->skim, buf_view(&f->json), &limits, &r->json, e);
}

/* ---- edits ---- */

/* What a name cannot hold in its quotes is written as browsers do. */
static struct weir_str name_quoted(struct arena *a, struct weir_str s)
{
    struct buf b = {0};
    struct weir_str out;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            buf_printf(&b, "%%%02X", c);
        else
            buf_char(&b, s.ptr[i]);
    }
    out = arena_copy(a, buf_view(&b));
    buf_fini(&b);
    return out;
}

static bool row_splice(struct request *r, const struct form_row *row, struct splice *s)
{
    const struct form_reader *f = &r->form->reader;

    if (row->kind == ROW_JSON) {
        s->at = (uint32_t)(row->form_at + (s->at - row->at));
        return true;
    }
    if (s->at != row->at || s->len != row->len || !row->form_at)
        return false;
    s->at = (uint32_t)row->form_at;
    s->len = (uint32_t)row->form_len;
    s->with = json_unescape(&r->arena, s->with);
    if (row->kind == ROW_NAME)
        s->with = name_quoted(&r->arena, s->with);
    return !s->with.len || !memmem(s->with.ptr, s->with.len, f->mark + 2, f->mark_len - 2);
}

/* Rows are in the order of the description. */
static const struct form_row *row_find(const struct form *f, size_t at, size_t len)
{
    size_t from = 0, to = f->row_count;

    while (from < to) {
        size_t mid = (from + to) / 2;
        if (f->rows[mid].at + f->rows[mid].len < at + len)
            from = mid + 1;
        else
            to = mid;
    }
    return from < f->row_count && at >= f->rows[from].at ? &f->rows[from] : NULL;
}

bool form_splices(struct request *r, struct splice *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct form_row *row = row_find(r->form, s[i].at, s[i].len);
        if (!row || !row_splice(r, row, &s[i]))
            return false;
    }
    return true;
}
