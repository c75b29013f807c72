/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.c -- frames of application/vnd.amazon.eventstream that this plugin writes, and headers of those that it is
 * given.
 *
 * The host cuts and checks what comes from the upstream; a plugin sees none of the host's code, so the few lines that
 * make a frame stand here.
 */
#include "bedrock.h"

/* CRC-32 of IEEE 802.3, four bits at a time: frames to clients are small. */
static uint32_t crc32(uint32_t crc, const char *p, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void put_u32(struct text *t, size_t v)
{
    char b[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};

    text_put(t, b, 4);
}

static void put_header(struct text *t, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);
    char lead = (char)n, kind[3] = {7, (char)(v >> 8), (char)v};

    text_put(t, &lead, 1);
    text_put(t, name, n);
    text_put(t, kind, 3);
    text_put(t, value, v);
}

void bedrock_frame(struct weir_ctx *c, bool exception, const char *name, struct weir_str payload)
{
    struct text head = {.c = c}, t = {.c = c};

    put_header(&head, exception ? ":exception-type" : ":event-type", name);
    put_header(&head, ":content-type", "application/json");
    put_header(&head, ":message-type", exception ? "exception" : "event");
    put_u32(&t, 16 + head.len + payload.len);
    put_u32(&t, head.len);
    put_u32(&t, crc32(0, t.ptr, 8));
    text_put(&t, head.ptr, head.len);
    text_str(&t, payload);
    put_u32(&t, crc32(0, t.ptr, t.len));
    weir_out(c, text_view(&t));
}

/* ---- reading ---- */

static size_t u16(const char *p)
{
    return (size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* Bytes of the value at `p` by its type, the length before it too; more than `left`: it makes no sense. */
static size_t value_size(unsigned char type, const char *p, size_t left)
{
    static const uint8_t sizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};

    if (type == 6 || type == 7)
        return left < 2 ? left + 1 : 2 + u16(p);
    return type < sizeof sizes ? sizes[type] : left + 1;
}

struct weir_str bedrock_header(struct weir_str raw, const char *name)
{
    size_t at = 12, end;

    if (raw.len < 16)
        return WEIR_STR("");
    end = at + (u16(raw.ptr + 4) << 16 | u16(raw.ptr + 6));
    if (end > raw.len - 4)
        return WEIR_STR("");
    while (at < end) {
        size_t n = (unsigned char)raw.ptr[at++], size;
        struct weir_str key = {raw.ptr + at, n};
        if (n + 1 > end - at)
            break;
        at += n + 1;
        size = value_size((unsigned char)raw.ptr[at - 1], raw.ptr + at, end - at);
        if (size > end - at)
            break;
        if (raw.ptr[at - 1] == 7 && str_is(key, name))
            return (struct weir_str){raw.ptr + at + 2, size - 2};
        at += size;
    }
    return WEIR_STR("");
}
