/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c -- HTTP/1.1 as an upstream would write it, well or badly. */
#include "mock.h"

#include <stdio.h>

#define HTML "<html><body><h1>mock: this is no JSON</h1></body></html>\n"

void wire_head(struct mock *m, int status, const char *type, int64_t length)
{
    struct text *t = &m->out;

    text_lit(t, "HTTP/1.1 ");
    text_int(t, status);
    text_str(t, status == 200 ? WEIR_STR(" OK\r\ncontent-type: ") : WEIR_STR(" Mock\r\ncontent-type: "));
    text_str(t, str_of(type));
    text_lit(t, "\r\nx-request-id: req_mock\r\n");
    if (length < 0) {
        text_lit(t, "transfer-encoding: chunked\r\n\r\n");
        return;
    }
    if (m->s.retry >= 0 || (m->s.retry < 0 && (status == 429 || status == 503))) {
        text_lit(t, "retry-after: ");
        text_int(t, m->s.retry < 0 ? 1 : m->s.retry);
        text_lit(t, "\r\n");
    }
    if (status >= 300 && status < 400)
        text_lit(t, "location: http://127.0.0.1:9/elsewhere\r\n");
    text_lit(t, "content-length: ");
    text_int(t, length);
    text_lit(t, "\r\n\r\n");
}

void wire_chunk(struct mock *m, struct weir_str data)
{
    char size[24];
    int n = snprintf(size, sizeof size, "%zx\r\n", data.len);

    if (!data.len)
        return;
    text_put(&m->out, size, (size_t)n);
    text_str(&m->out, data);
    text_lit(&m->out, "\r\n");
}

void wire_flush(struct weir_ctx *c, bool last)
{
    struct mock *m = c->local;

    if (m->out.len || last)
        weir_serve(c, text_view(&m->out), last);
    m->out.len = 0;
}

void wire_body(struct mock *m, int status)
{
    struct weir_str body = text_view(&m->record);
    size_t half = body.len / 2;

    switch (m->s.fault) {
    case FAULT_json:
    case FAULT_half:
        body.len = half;
        break;
    case FAULT_type:
        wire_head(m, status, "text/html", sizeof HTML - 1);
        text_lit(&m->out, HTML);
        return;
    case FAULT_chunk:
        wire_head(m, status, "application/json", -1);
        text_lit(&m->out, "10zz\r\n");
        text_str(&m->out, body);
        return;
    case FAULT_head:
        text_lit(&m->out, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
        return;
    case FAULT_cut:
        wire_head(m, status, "application/json", (int64_t)body.len);
        text_put(&m->out, body.ptr, half);
        return;
    default:
        break;
    }
    wire_head(m, status, "application/json", (int64_t)body.len);
    text_str(&m->out, body);
}

void wire_error(struct mock *m, int status, const char *code, const char *message)
{
    struct text *t = &m->record;

    t->len = 0;
    text_lit(t, "{\"error\":{\"message\":\"");
    text_json(t, str_of(message));
    text_lit(t, "\",\"type\":\"");
    text_str(t, status == 429  ? WEIR_STR("requests")
                : status < 500 ? WEIR_STR("invalid_request_error")
                               : WEIR_STR("server_error"));
    text_lit(t, "\",\"param\":null,\"code\":\"");
    text_json(t, str_of(code));
    text_lit(t, "\"}}");
    wire_body(m, status);
}
