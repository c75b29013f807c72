/* SPDX-License-Identifier: Apache-2.0 */
/*
 * translate.c -- the plugins as they were built, under the fake host, for tests that ask many questions: what becomes
 * of a request between two dialects, and of a recorded stream.  Called by tests/integration/{fields,grammar}.py; one
 * command a line on stdin, one line of JSON on stdout.
 *
 *   request FROM TO METHOD PATH OPTIONS DROP BODY                       fields are parted by tabs
 *   stream UP CLIENT METHOD PATH BODY KIND STATUS FILE CUT END          KIND: sse, eventstream, body; CUT: bytes a
 * piece, 0: whole; END: bytes after which the upstream breaks off, 0: it does not records KIND FILE whether every cut
 * in two gives the same records
 */
#include <dlfcn.h>

#include "base/eventstream.h"
#include "base/sse.h"
#include "weir_test.h"

#define FIELDS_MAX 12
#define LIMIT      (16u << 20)

static const struct weir_plugin *plugin_load(const char *folder, const char *name)
{
    char path[512];
    void *so;
    const struct weir_plugin *p;

    snprintf(path, sizeof path, "%s/plugins/providers/%s.so", folder, name);
    so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    p = so ? dlsym(so, "weir_plugin") : NULL;
    if (!p)
        wt_die("translate", 0, "%s", dlerror());
    return p;
}

/* ---- what is said on stdout ---- */

static void say_text(const char *key, struct weir_str text)
{
    struct weir_test_buf b = {0};

    wt_escape(&b, text);
    printf(",\"%s\":\"%.*s\"", key, (int)b.len, b.ptr ? b.ptr : "");
    wt_buf_free(&b);
}

static void say_hex(const char *key, struct weir_str bytes)
{
    printf(",\"%s\":\"", key);
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", (unsigned char)bytes.ptr[i]);
    printf("\"");
}

static void say_error(const struct weir_error *e)
{
    say_text("text", wt_str(e->text));
    say_text("field", wt_str(e->field));
    say_text("code", wt_str(e->code));
}

/* ---- a request ---- */

struct pair {
    struct weir_test client, upstream;
    struct weir_str canonical;
};

static void facts_give(struct weir_test *t)
{
    weir_test_fact(t, "request_id", "req_0123456789abcdef");
    weir_test_fact(t, "time", "1700000000");
    weir_test_fact(t, "model.max_output", "64000");
}

static void pair_init(struct pair *p, const char *folder, const char *from, const char *to, const char *options,
                      bool drop)
{
    *p = (struct pair){0};
    weir_test_init(&p->client, plugin_load(folder, from), "");
    weir_test_init(&p->upstream, plugin_load(folder, to), options);
    p->client.lenient = p->upstream.lenient = true;
    p->client.drop = p->upstream.drop = drop;
    facts_give(&p->client);
    facts_give(&p->upstream);
}

static void pair_fini(struct pair *p)
{
    weir_test_fini(&p->client);
    weir_test_fini(&p->upstream);
}

/* Models that reason, by a budget where the vendor has such. */
static const char *model_of(const char *dialect)
{
    static const char *const models[][2] = {
        {"anthropic", "claude-sonnet-4-5"},
        {"gemini", "gemini-2.5-flash"},
        {"bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"},
    };

    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strcmp(models[i][0], dialect) == 0)
            return models[i][1];
    return "gpt-5";
}

/* As the host does: what only servers of the client's own dialect know is refused for others, or told. */
static bool extra_passes(struct pair *p, struct weir_error *e)
{
    const struct weir_json *j;
    uint32_t extra, k;
    bool ok = true;

    if (p->client.plugin == p->upstream.plugin)
        return true;
    p->upstream.hook = WT_ENCODE;
    j = weir_canonical(&p->upstream.ctx);
    extra = weir_json_get(j, 0, "extra");
    for (k = extra == WEIR_NO_NODE ? extra : weir_json_first(j, extra); ok && k != WEIR_NO_NODE;
         k = weir_json_next(j, extra, k + 1)) {
        struct weir_str name = weir_json_text(j, k);
        ok = p->upstream.host.lossy(&p->upstream.ctx, name, false);
        if (!ok)
            snprintf(e->field, sizeof e->field, "%.*s", (int)name.len, name.ptr);
    }
    p->upstream.hook = 0;
    return ok;
}

/* accept, lift, encode.  The name of the step that refused, or "sent". */
static const char *pair_send(struct pair *p, char **f, struct weir_error *e)
{
    struct weir_candidate c = weir_test_candidate("up", model_of(p->upstream.plugin->name));
    char *canonical;
    enum weir_verdict v;

    if (!weir_test_accept(&p->client, f[0], f[1], f[2], e))
        return "accept";
    p->canonical = weir_test_lift(&p->client, e);
    if (!p->canonical.ptr)
        return "lift";
    canonical = strndup(p->canonical.ptr, p->canonical.len);
    weir_test_begin(&p->upstream);
    weir_test_canonical(&p->upstream, canonical);
    free(canonical);
    v = weir_test_encode(&p->upstream, &c, e);
    return v == WEIR_PASS && extra_passes(p, e) ? "sent" : "encode";
}

static void request_run(const char *folder, char **f)
{
    struct weir_error e = {{0}, {0}, {0}};
    struct pair p;
    const char *step;

    pair_init(&p, folder, f[0], f[1], f[4], strcmp(f[5], "drop") == 0);
    step = pair_send(&p, (char *[]){f[2], f[3], f[6]}, &e);
    printf("{\"step\":\"%s\"", step);
    say_error(&e);
    say_text("lift_lossy", wt_view(&p.client.lossy));
    say_text("encode_lossy", wt_view(&p.upstream.lossy));
    say_text("canonical", p.canonical);
    if (strcmp(step, "sent") == 0) {
        say_text("url", p.upstream.http_url);
        say_text("body", weir_test_sent(&p.upstream));
    }
    printf(",\"misuses\":%u}\n", p.client.misuses + p.upstream.misuses);
    pair_fini(&p);
}

/* ---- a stream: what the host does between the two, in small ---- */

struct lane {
    enum weir_channel channel;
    uint32_t choice, block;
    bool said, closed;
};

struct relay {
    struct pair p;
    struct weir_test_buf out; /* what the client got */
    struct weir_test_list lanes;
    size_t seen; /* events that were passed on */
    int status;
    bool started, finished, done, stopped;
};

static bool relay_write(struct relay *r, const struct weir_event *ev)
{
    if (!weir_test_answer(&r->p.client, ev)) {
        r->stopped = true;
        wt_add_text(&r->out, "UNSAYABLE");
        return false;
    }
    wt_add(&r->out, wt_view(&r->p.client.out));
    return true;
}

static void relay_say(struct relay *r, const struct weir_event *ev)
{
    struct weir_event start = {.size = sizeof start, .channel = WEIR_START};

    if (!r->started) {
        r->started = true;
        start.detail = ev->channel == WEIR_START && ev->detail.len ? ev->detail : WEIR_STR("req_0123456789abcdef");
        start.value = ev->channel == WEIR_START && ev->value.len ? ev->value : WEIR_STR("model-1");
        relay_write(r, &start);
    }
    if (ev->channel != WEIR_START && !r->stopped)
        relay_write(r, ev);
}

static struct lane *relay_lane(struct relay *r, const struct weir_event *ev)
{
    struct lane *l = r->lanes.items;

    for (size_t i = 0; i < r->lanes.count; i++)
        if (l[i].channel == ev->channel && l[i].choice == ev->choice && l[i].block == ev->block)
            return &l[i];
    l = wt_push(&r->lanes, sizeof *l);
    *l = (struct lane){.channel = ev->channel, .choice = ev->choice, .block = ev->block};
    return l;
}

static void relay_text(struct relay *r, const struct weir_test_event *te)
{
    struct weir_event ev = te->event;
    struct lane *l = relay_lane(r, &ev);

    if (ev.copy || l->closed || (!te->text.len && !ev.last && !ev.tool_name.len))
        return;
    if (!te->text.len && !ev.last && l->said)
        return;
    ev.text = te->text;
    ev.at = ev.len = 0;
    ev.escaped = ev.raw = false;
    if (l->said)
        ev.tool_id = ev.tool_name = WEIR_STR("");
    l->said = true;
    l->closed = ev.last;
    relay_say(r, &ev);
}

static void lanes_end(struct relay *r, const uint32_t *choice)
{
    struct lane *l = r->lanes.items;

    for (size_t i = 0; i < r->lanes.count && !r->stopped; i++) {
        struct weir_event end = {
            .size = sizeof end, .channel = l[i].channel, .choice = l[i].choice, .block = l[i].block, .last = true};
        if (l[i].closed || (choice && l[i].choice != *choice))
            continue;
        l[i].closed = true;
        relay_say(r, &end);
    }
}

static void relay_refuse(struct relay *r, int status, const char *code, struct weir_str text)
{
    char words[512];
    const struct weir_refusal refusal = {.status = status,
                                         .code = code,
                                         .text = words,
                                         .field = "",
                                         .in_stream = r->started && r->p.client.request.stream};

    snprintf(words, sizeof words, "%.*s", (int)text.len, text.len ? text.ptr : "");
    if (!refusal.in_stream)
        r->out.len = 0;
    weir_test_refuse(&r->p.client, &refusal);
    wt_add(&r->out, wt_view(&r->p.client.out));
    r->stopped = true;
}

static void relay_event(struct relay *r, const struct weir_test_event *te)
{
    const struct weir_event *ev = &te->event;

    if (ev->channel <= WEIR_ARGUMENTS) {
        relay_text(r, te);
    } else if (ev->channel == WEIR_ERRORED) {
        relay_refuse(r, ev->status >= 400 ? ev->status : 502, "upstream_error", ev->detail);
    } else if (ev->channel == WEIR_DONE_MARK) {
        r->done = true;
    } else {
        if (ev->channel == WEIR_FINISH) {
            lanes_end(r, &ev->choice);
            r->finished = true;
        }
        if (!r->stopped)
            relay_say(r, ev);
    }
}

static void relay_frame(struct relay *r, struct weir_frame f)
{
    struct weir_error e = {{0}, {0}, {0}};

    if (r->done || r->stopped || !f.data.len)
        return;
    f.status = r->status;
    if (!wt_decode(&r->p.upstream, f, &e)) {
        relay_refuse(r, 502, "upstream_invalid", wt_str(e.text));
        return;
    }
    for (; r->seen < weir_test_event_count(&r->p.upstream) && !r->stopped; r->seen++)
        relay_event(r, weir_test_event(&r->p.upstream, r->seen));
    if (r->done)
        lanes_end(r, NULL);
}

static void relay_end(struct relay *r)
{
    const struct weir_event mark = {.size = sizeof mark, .channel = WEIR_DONE_MARK};

    if (r->stopped)
        return;
    if (!r->finished && !r->done) {
        relay_refuse(r, 502, "upstream_truncated",
                     WEIR_STR("the model's provider broke off in the middle of its answer"));
        return;
    }
    lanes_end(r, NULL);
    if (!r->stopped)
        relay_say(r, &mark);
}

/* ---- bytes into records ---- */

static char *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *bytes;

    if (!f)
        wt_die("translate", 0, "no %s", path);
    fseek(f, 0, SEEK_END);
    *len = (size_t)ftell(f);
    rewind(f);
    bytes = wt_memory(malloc(*len + 1));
    if (fread(bytes, 1, *len, f) != *len)
        wt_die("translate", 0, "cannot read %s", path);
    fclose(f);
    return bytes;
}

typedef void take_record(void *to, struct weir_frame);

/* The pieces are `cut` bytes long, but for the first, of `lead` bytes. */
static void sse_read(struct weir_str all, size_t lead, size_t cut, take_record *take, void *to)
{
    struct sse s = {.limit = LIMIT};
    struct sse_record rec;

    for (size_t at = 0, n; at < all.len; at += n) {
        size_t want = !at && lead ? lead : cut ? cut : all.len;
        char *piece;
        n = want < all.len - at ? want : all.len - at;
        piece = memcpy(wt_memory(malloc(n)), all.ptr + at, n);
        sse_feed(&s, (struct weir_str){piece, n});
        while (sse_next(&s, &rec) == SSE_RECORD)
            take(to, (struct weir_frame){.stream = true, .raw = rec.raw, .name = rec.name, .data = rec.data});
        free(piece);
    }
    while (sse_end(&s, &rec))
        take(to, (struct weir_frame){.stream = true, .raw = rec.raw, .name = rec.name, .data = rec.data});
    sse_fini(&s);
}

static void eventstream_read(struct weir_str all, size_t lead, size_t cut, take_record *take, void *to)
{
    struct eventstream s = {.limit = LIMIT};
    struct eventstream_record rec;

    for (size_t at = 0, n; at < all.len; at += n) {
        size_t want = !at && lead ? lead : cut ? cut : all.len;
        char *piece;
        n = want < all.len - at ? want : all.len - at;
        piece = memcpy(wt_memory(malloc(n)), all.ptr + at, n);
        eventstream_feed(&s, (struct weir_str){piece, n});
        while (eventstream_next(&s, &rec) == EVENTSTREAM_RECORD)
            take(to, (struct weir_frame){.stream = true, .raw = rec.raw, .name = rec.name, .data = rec.data});
        free(piece);
    }
    eventstream_fini(&s);
}

static void bytes_read(const char *kind, struct weir_str all, size_t lead, size_t cut, take_record *take, void *to)
{
    if (strcmp(kind, "sse") == 0)
        sse_read(all, lead, cut, take, to);
    else if (strcmp(kind, "eventstream") == 0)
        eventstream_read(all, lead, cut, take, to);
    else
        take(to, (struct weir_frame){.raw = all, .name = WEIR_STR(""), .data = all});
}

static void take_frame(void *to, struct weir_frame f)
{
    relay_frame(to, f);
}

static void stream_run(const char *folder, char **f)
{
    struct relay r = {.status = (int)strtol(f[6], NULL, 10)};
    struct weir_error e = {{0}, {0}, {0}};
    size_t len, end = strtoul(f[9], NULL, 10);
    char *bytes = file_read(f[7], &len);
    const char *step;

    pair_init(&r.p, folder, f[1], f[0], "", true);
    step = pair_send(&r.p, f + 2, &e);
    if (strcmp(step, "sent") == 0) {
        bytes_read(f[5], (struct weir_str){bytes, end && end < len ? end : len}, 0, strtoul(f[8], NULL, 10), take_frame,
                   &r);
        relay_end(&r);
    }
    printf("{\"step\":\"%s\"", step);
    say_error(&e);
    say_hex("out", wt_view(&r.out));
    printf(",\"finished\":%s,\"done\":%s", r.finished ? "true" : "false", r.done ? "true" : "false");
    printf(",\"misuses\":%u}\n", r.p.client.misuses + r.p.upstream.misuses);
    wt_buf_free(&r.out);
    wt_list_free(&r.lanes);
    pair_fini(&r.p);
    free(bytes);
}

static void take_bytes(void *to, struct weir_frame f)
{
    if (!f.data.len) /* a comment, or a line end that came late: nobody is told of those */
        return;
    wt_add(to, f.name);
    wt_add_text(to, "\n");
    wt_add(to, f.data);
    wt_add_text(to, "\n\n");
}

static void records_run(char **f)
{
    struct weir_test_buf want = {0}, got = {0};
    size_t len, differ = 0;
    char *bytes = file_read(f[1], &len);

    bytes_read(f[0], (struct weir_str){bytes, len}, 0, 0, take_bytes, &want);
    for (size_t at = 1; at < len; at++) {
        got.len = 0;
        bytes_read(f[0], (struct weir_str){bytes, len}, at, 0, take_bytes, &got);
        differ += got.len != want.len || memcmp(got.ptr, want.ptr, got.len) != 0;
    }
    printf("{\"cuts\":%zu,\"differ\":%zu}\n", len ? len - 1 : 0, differ);
    wt_buf_free(&want);
    wt_buf_free(&got);
    free(bytes);
}

static void command_run(const char *folder, char *line)
{
    char *f[FIELDS_MAX] = {NULL}, *tab;
    size_t n = 0;

    for (f[n++] = line; n < FIELDS_MAX && (tab = strchr(line, '\t')); f[n++] = line = tab + 1)
        *tab = '\0';
    if (n == 8 && strcmp(f[0], "request") == 0)
        request_run(folder, f + 1);
    else if (n == 11 && strcmp(f[0], "stream") == 0)
        stream_run(folder, f + 1);
    else if (n == 3 && strcmp(f[0], "records") == 0)
        records_run(f + 1);
    else
        wt_die("translate", 0, "no command: %s with %zu fields", f[0], n);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (argc != 2)
        wt_die("translate", 0, "translate BUILD_FOLDER");
    while ((n = getline(&line, &cap, stdin)) > 0) {
        line[n - 1] = '\0';
        command_run(argv[1], line);
    }
    free(line);
    return 0;
}
