/* SPDX-License-Identifier: Apache-2.0 */
/* details.c -- see details.h. */
#include "details.h"

#include "text.h"

/* In the order in which a kind looks for its format; a format without a row is written as "weir:KIND". */
static const struct format {
    const char *format, *kind;
    bool signs; /* the text of its item */
} formats[] = {
    {"anthropic-claude-v1", "anthropic.signature", true}, {"anthropic-claude-v1", "anthropic.redacted", false},
    {"openai-responses-v1", "openai.encrypted", false},   {"azure-openai-responses-v1", "openai.encrypted", false},
    {"google-gemini-v1", "gemini.thought", false},        {"google-gemini-v1", "gemini.thought", true},
    {"bedrock-converse-v1", "bedrock.signature", true},   {"bedrock-converse-v1", "bedrock.redacted", false},
};
#define FORMATS (sizeof formats / sizeof *formats)

struct weir_str details_data(struct weir_ctx *c, const struct weir_json *j, uint32_t item)
{
    struct weir_str data = get_value(c, j, item, "signature");

    return data.len ? data : get_value(c, j, item, "data");
}

struct weir_str details_kind(struct weir_ctx *c, const struct weir_json *j, uint32_t item)
{
    struct weir_str format = get_value(c, j, item, "format");
    bool signs = get_value(c, j, item, "signature").len > 0;

    if (!details_data(c, j, item).len)
        return WEIR_STR("");
    if (str_starts(format, "weir:"))
        return (struct weir_str){format.ptr + 5, format.len - 5};
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].signs == signs && str_is(format, formats[i].format))
            return str_of(formats[i].kind);
    return WEIR_STR("");
}

static void put_format_name(struct emit *m, const struct format *f, struct weir_str kind)
{
    struct text own = {.c = m->t.c};

    if (f) {
        emit_member_text(m, "format", str_of(f->format));
        return;
    }
    text_lit(&own, "weir:");
    text_str(&own, kind);
    emit_member_text(m, "format", text_view(&own));
}

static void put_index(struct emit *m, uint32_t index)
{
    emit_key(m, "index");
    emit_int(m, index);
    emit_close(m, '}');
}

static const struct format *format_of(struct weir_str kind)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (str_is(kind, formats[i].kind))
            return &formats[i];
    return NULL;
}

void details_put(struct emit *m, struct weir_str text, struct weir_str kind, struct weir_str data, struct weir_str id,
                 uint32_t index)
{
    const struct format *f = format_of(kind);
    bool signs = f && f->signs;

    if (text.len && !signs) {
        emit_open(m, '{');
        emit_member_lit(m, "type", "reasoning.text");
        emit_member_text(m, "text", text);
        put_index(m, index);
    }
    if (!kind.len)
        return;
    emit_open(m, '{');
    emit_member_text(m, "type", signs ? WEIR_STR("reasoning.text") : WEIR_STR("reasoning.encrypted"));
    if (signs && text.len)
        emit_member_text(m, "text", text);
    emit_member_text(m, signs ? "signature" : "data", data);
    if (id.len)
        emit_member_text(m, "id", id);
    put_format_name(m, f, kind);
    put_index(m, index);
}
