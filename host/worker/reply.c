/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c -- framing answers for clients; see reply.h. */
#include "worker/reply.h"

#include "base/json_text.h"
#include "worker/client.h"
#include "worker/request.h"
#include "worker/stages.h"
#include "worker/translate.h"
#include "worker/worker.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* Upstream headers that mean something to the client's SDK (providers' request ids, limits, retry hints). */
#define NAME(literal)                                                                                                  \
    {                                                                                                                  \
        literal, sizeof(literal) - 1                                                                                   \
    }
static const struct weir_str passed[] = {
    NAME("x-request-id"),
    NAME("request-id"),
    NAME("retry-after"),
    NAME("retry-after-ms"),
    NAME("x-should-retry"),
    NAME("apim-request-id"),
    NAME("x-ms-request-id"),
    NAME("x-amzn-requestid"),
    NAME("x-generation-id"),
    NAME("x-ds-trace-id"),
    NAME("cf-ray"),
    NAME("openai-processing-ms"),
    NAME("openai-version"),
    NAME("openai-organization"),
    NAME("anthropic-organization-id"),
    NAME("anthropic-workspace-id"),
};
static const struct weir_str passed_prefix[] = {NAME("x-ratelimit-"), NAME("anthropic-ratelimit-")};
#undef NAME

static bool header_passes(struct weir_str name)
{
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        if (name.len == passed[i].len && str_eq_nocase(name, passed[i]))
            return true;
    for (size_t i = 0; i < sizeof passed_prefix / sizeof *passed_prefix; i++) {
        struct weir_str prefix = passed_prefix[i];
        if (name.len > prefix.len && str_eq_nocase(str_sub(name, 0, prefix.len), prefix))
            return true;
    }
    return false;
}

void reply_pass_headers(struct request *r, const struct http1_head *up)
{
    size_t len = 0;
    char *lines;

    for (size_t i = 0; i < up->count; i++)
        if (header_passes(up->headers[i].name))
            len += up->headers[i].name.len + up->headers[i].value.len + 4;
    r->reply.headers = WEIR_STR("");
    r->reply.hinted = http1_find(up, WEIR_STR("retry-after")) || http1_find(up, WEIR_STR("retry-after-ms"));
    if (!len)
        return;
    lines = arena_bytes(&r->arena, len);
    len = 0;
    for (size_t i = 0; i < up->count; i++) {
        const struct http1_header *h = &up->headers[i];
        if (!header_passes(h->name))
            continue;
        memcpy(lines + len, h->name.ptr, h->name.len);
        len += h->name.len;
        memcpy(lines + len, ": ", 2);
        memcpy(lines + len + 2, h->value.ptr, h->value.len);
        len += 2 + h->value.len;
        memcpy(lines + len, "\r\n", 2);
        len += 2;
    }
    r->reply.headers = (struct weir_str){lines, len};
}

void reply_pass_bytes(struct request *r, const struct http1_head *up)
{
    const struct weir_str *name = http1_find(up, WEIR_STR("content-disposition"));

    r->reply.length = up->body == HTTP1_LENGTH ? up->content_length : -1;
    if (name)
        r->reply.headers = str_of(arena_printf(&r->arena, STR_FMT "content-disposition: " STR_FMT "\r\n",
                                               STR_ARG(r->reply.headers), STR_ARG(*name)));
}

/* ---- heads ---- */

static void head_begin(struct client *c, struct buf *b, int status, const char *type)
{
    buf_lit(b, "HTTP/1.1 ");
    buf_int(b, status);
    buf_char(b, ' ');
    buf_str(b, str_of(reason_of(status)));
    buf_lit(b, "\r\ndate: ");
    buf_str(b, worker_date(c->w));
    if (type) {
        buf_lit(b, "\r\ncontent-type: ");
        buf_str(b, str_of(type));
    }
    buf_lit(b, "\r\n");
    if (!c->keep_alive)
        buf_lit(b, "connection: close\r\n");
    else if (c->http10)
        buf_lit(b, "connection: keep-alive\r\n");
}

/* CORS is off until origins are configured; then the browser is told about exactly the origin that asked. */
static void head_cors(struct request *r, struct buf *b)
{
    const struct weir_list *allowed = &r->w->world->settings.cors_origins;
    const struct weir_str *origin = allowed->count ? http1_find(&r->head, WEIR_STR("origin")) : NULL;

    for (size_t i = 0; origin && i < allowed->count; i++)
        if (str_is(*origin, allowed->items[i]) || strcmp(allowed->items[i], "*") == 0) {
            buf_lit(b, "access-control-allow-origin: ");
            buf_str(b, *origin);
            buf_lit(b, "\r\nvary: origin\r\naccess-control-expose-headers: x-request-id, x-weir-request-id, "
                       "retry-after, retry-after-ms, x-should-retry\r\n");
            return;
        }
}

static void head_request(struct request *r, struct buf *b, struct weir_str headers)
{
    buf_lit(b, "x-weir-request-id: ");
    buf_str(b, str_of(r->id));
    buf_lit(b, "\r\n");
    if (r->tr && r->tr->dropped.len) {
        buf_lit(b, "x-weir-dropped: ");
        buf_str(b, buf_view(&r->tr->dropped));
        buf_lit(b, "\r\n");
    }
    head_cors(r, b);
    buf_str(b, headers);
}

static void body_length(struct buf *b, size_t len)
{
    buf_lit(b, "content-length: ");
    buf_int(b, (int64_t)len);
    buf_lit(b, "\r\n\r\n");
}

void reply_whole(struct request *r, int status, const char *type, struct weir_str headers, struct weir_str body)
{
    struct client *c = r->client;
    struct buf *b = client_out(c);

    r->reply.begun = true;
    r->reply.status = status;
    head_begin(c, b, status, type);
    head_request(r, b, headers);
    if (status != 204)
        body_length(b, body.len);
    else
        buf_lit(b, "\r\n");
    if (!c->head_only)
        buf_str(b, body);
    r->bytes_out += body.len;
}

/* For who has spoken no dialect that we know. */
static void plain_body(struct buf *b, int status, const char *code, const char *text)
{
    buf_lit(b, "{\"error\":{\"message\":\"");
    json_escape(b, str_of(text));
    buf_printf(b, "\",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
               status < 500 ? "invalid_request_error" : "server_error", code);
}

void reply_plain(struct client *c, int status, const char *code, const char *text)
{
    struct buf body = worker_buf_take(c->w), *b;

    plain_body(&body, status, code, text);
    b = client_out(c);
    head_begin(c, b, status, "application/json");
    body_length(b, body.len);
    if (!c->head_only)
        buf_str(b, buf_view(&body));
    body.len = 0;
    worker_buf_give(c->w, &body);
}

/* ---- streams ---- */

void reply_begin(struct request *r, int status, const char *type, struct weir_str headers)
{
    struct client *c = r->client;
    bool sized = r->reply.bytes && r->reply.length >= 0;
    struct buf *b;

    r->reply.begun = true;
    r->reply.status = status;
    r->reply.chunked = !c->http10 && !sized;
    if (c->http10 && !sized)
        c->keep_alive = false;
    b = r->reply.held ? &r->reply.hold : client_out(c);
    head_begin(c, b, status, type);
    head_request(r, b, headers);
    if (sized) {
        body_length(b, (size_t)r->reply.length);
        return;
    }
    if (!r->reply.bytes)
        buf_lit(b, "cache-control: no-cache\r\nx-accel-buffering: no\r\n");
    buf_str(b, r->reply.chunked ? WEIR_STR("transfer-encoding: chunked\r\n\r\n") : WEIR_STR("\r\n"));
}

static void put_chunk_size(struct buf *b, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char text[16], *p = text + sizeof text;

    do
        *--p = hex[n & 15];
    while (n >>= 4);
    buf_put(b, p, (size_t)(text + sizeof text - p));
    buf_lit(b, "\r\n");
}

void reply_piece(struct request *r, struct weir_str s)
{
    struct buf *b;

    if (!s.len || r->gone)
        return;
    b = r->reply.held ? &r->reply.hold : client_out(r->client);
    if (r->reply.chunked)
        put_chunk_size(b, s.len);
    buf_str(b, s);
    if (r->reply.chunked)
        buf_lit(b, "\r\n");
    r->bytes_out += s.len;
    if (!r->t.first)
        r->t.first = r->w->loop.now_us;
}

void reply_end(struct request *r)
{
    if (r->reply.chunked && !r->gone)
        client_put(r->client, WEIR_STR("0\r\n\r\n"));
}

void reply_release(struct request *r)
{
    r->reply.held = false;
    if (!r->gone)
        client_put(r->client, buf_view(&r->reply.hold));
    buf_fini(&r->reply.hold);
}

void reply_discard(struct request *r)
{
    if (!r->reply.held)
        return;
    r->reply.held = false;
    r->reply.begun = r->reply.chunked = false;
    buf_fini(&r->reply.hold);
}

/* ---- refusals ---- */

void reply_refusal(struct request *r)
{
    struct buf body = worker_buf_take(r->w);
    const char *type = "application/json";
    struct weir_str headers = r->refusal_upstreams ? r->reply.headers : WEIR_STR("");
    bool told = r->refusal_upstreams && r->reply.hinted;

    if (r->gone) {
        worker_buf_give(r->w, &body);
        return;
    }
    reply_discard(r);
    if (r->reply.begun && r->reply.bytes) { /* nothing can be said inside: that it is not whole must be seen */
        r->client->keep_alive = false;
        worker_buf_give(r->w, &body);
        return;
    }
    r->refusal.in_stream = r->reply.begun;
    if (r->dialect)
        stages_refuse(r, &body);
    else if (!r->reply.begun)
        plain_body(&body, r->refusal.status, r->refusal.code, r->refusal.text);
    if (r->refusal.status == 405 && r->allow.len)
        headers = str_of(arena_printf(&r->arena, "allow: " STR_FMT "\r\n", STR_ARG(r->allow)));
    if ((r->refusal.status == 429 || r->refusal.status == 503) && !told)
        headers = str_of(arena_printf(&r->arena, STR_FMT "retry-after: %d\r\n", STR_ARG(headers),
                                      r->retry_after_s ? r->retry_after_s : 1));
    if (r->reply.begun) {
        reply_piece(r, buf_view(&body));
        reply_end(r);
    } else {
        reply_whole(r, r->refusal.status, type, headers, buf_view(&body));
    }
    body.len = 0;
    worker_buf_give(r->w, &body);
}
