/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c -- see streams.h. */
#include "streams.h"

const struct stream_grammar stream_grammar[KIND_COUNT] = {
    [KIND_TEXT] = {"response.output_text", "text", "content_index", WEIR_TEXT, true},
    [KIND_REFUSAL] = {"response.refusal", "refusal", "content_index", WEIR_TEXT, true},
    [KIND_SUMMARY] = {"response.reasoning_summary_text", "text", "summary_index", WEIR_REASONING, true},
    [KIND_REASONING] = {"response.reasoning_text", "text", "content_index", WEIR_REASONING, true},
    [KIND_ARGUMENTS] = {"response.function_call_arguments", "arguments", NULL, WEIR_ARGUMENTS, true},
    [KIND_CUSTOM] = {"response.custom_tool_call_input", "input", NULL, WEIR_TEXT, true},
    [KIND_MCP] = {"response.mcp_call_arguments", "arguments", NULL, WEIR_ARGUMENTS, false},
    [KIND_CODE] = {"response.code_interpreter_call_code", "code", NULL, WEIR_TEXT, false},
    [KIND_COMMAND] = {"response.shell_call_command", "command", "command_index", WEIR_TEXT, false},
    [KIND_DIFF] = {"response.apply_patch_call_operation_diff", "diff", NULL, WEIR_TEXT, false},
    [KIND_TRANSCRIPT] = {"response.audio.transcript", NULL, NULL, WEIR_TEXT, false},
};

struct stream *stream_find(struct responses_local *l, uint32_t output, enum stream_kind kind, uint32_t part)
{
    for (uint32_t i = l->stream_count; i-- > 0;) { /* the newest is asked for most */
        struct stream *s = &l->streams[i];
        if (s->output == output && s->kind == kind && s->part == part)
            return s;
    }
    return NULL;
}

struct stream *stream_get(struct weir_ctx *c, uint32_t output, enum stream_kind kind, uint32_t part)
{
    struct responses_local *l = c->local;
    struct stream *s = stream_find(l, output, kind, part);

    if (s || l->stream_count == MOST_STREAMS)
        return s;
    if (l->stream_count == l->stream_cap) {
        uint32_t cap = l->stream_cap ? l->stream_cap * 2 : 8;
        struct stream *more = weir_alloc(c, cap * sizeof *more);
        if (l->stream_count)
            memcpy(more, l->streams, l->stream_count * sizeof *more);
        l->streams = more;
        l->stream_cap = cap;
    }
    s = &l->streams[l->stream_count++];
    *s = (struct stream){.output = output, .part = part, .kind = (uint8_t)kind};
    return s;
}

struct stream *stream_same(struct responses_local *l, enum stream_kind kind, struct digest d, uint32_t before)
{
    for (uint32_t i = 0; i < l->stream_count; i++) {
        struct stream *s = &l->streams[i];
        if (s->kind == kind && s->begun && s->frame < before && digest_eq(s->digest, d))
            return s;
    }
    return NULL;
}

/* ---- digests ---- */

static void digest_unit(struct digest *d, unsigned unit)
{
    d->hash = (d->hash ^ unit) * 0x9e3779b97f4a7c15u;
    d->hash ^= d->hash >> 32;
    d->count++;
}

static unsigned hex_unit(const char *p)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++)
        v = v << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    return v;
}

/* `raw` is the inside of a JSON string that has been checked: escapes and UTF-8 are whole. */
void digest_add(struct digest *d, struct weir_str raw)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    const unsigned char *s = (const unsigned char *)raw.ptr;

    for (size_t i = 0; i < raw.len;) {
        unsigned u = s[i++];
        if (u == '\\' && i < raw.len) {
            unsigned char ch = s[i++];
            const char *at = memchr(from, ch, sizeof from - 1);
            if (ch == 'u' && raw.len - i >= 4) {
                digest_unit(d, hex_unit(raw.ptr + i));
                i += 4;
            } else {
                digest_unit(d, at ? (unsigned char)to[at - from] : ch);
            }
            continue;
        }
        if (u >= 0xc0) {
            int more = u >= 0xf0 ? 3 : u >= 0xe0 ? 2 : 1;
            u &= 0x3fu >> more;
            while (more-- && i < raw.len)
                u = u << 6 | (s[i++] & 0x3f);
        }
        if (u >= 0x10000) {
            digest_unit(d, 0xd7c0 + (u >> 10));
            u = 0xdc00 | (u & 0x3ff);
        }
        digest_unit(d, u);
    }
}
