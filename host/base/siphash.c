/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.c -- after the paper by Aumasson and Bernstein, 2012; see siphash.h. */
#include "base/siphash.h"

#include <endian.h>

struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(struct sip *s)
{
    s->a += s->b;
    s->b = rotate(s->b, 13) ^ s->a;
    s->a = rotate(s->a, 32);
    s->c += s->d;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = rotate(s->b, 17) ^ s->c;
    s->c = rotate(s->c, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->d ^= word;
    sip_round(s);
    sip_round(s);
    s->a ^= word;
}

/* Up to eight bytes, the first one lowest. */
static uint64_t word_at(const char *p, size_t n)
{
    uint64_t w = 0;

    memcpy(&w, p, n);
    return le64toh(w);
}

uint64_t siphash(const uint64_t key[2], struct weir_str text)
{
    struct sip s = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                    key[1] ^ 0x7465646279746573u};
    size_t i = 0;

    for (; text.len - i >= 8; i += 8)
        sip_word(&s, word_at(text.ptr + i, 8));
    sip_word(&s, (uint64_t)text.len << 56 | (i < text.len ? word_at(text.ptr + i, text.len - i) : 0));
    s.c ^= 0xff;
    for (int k = 0; k < 4; k++)
        sip_round(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}
