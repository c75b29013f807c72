/* SPDX-License-Identifier: Apache-2.0 */
/* json_keys.c -- comparing keys by value; see json_keys.h. */
#include "base/json_keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json_text.h"
#include "base/must.h"
#include "base/siphash.h"

void json_keys_fini(struct json_keys *k)
{
    free(k->slots);
    buf_fini(&k->left);
    buf_fini(&k->right);
    *k = (struct json_keys){0};
}

static struct weir_str value_of(struct buf *scratch, const struct weir_json *j, uint32_t key)
{
    struct weir_str raw = weir_json_text(j, key);

    if (!j->nodes[key].escaped)
        return raw;
    scratch->len = 0;
    json_unescape_to(scratch, raw);
    return buf_view(scratch);
}

/* An empty table with at least half of its slots free to the end; returns its mask. */
static size_t slots_clear(struct json_keys *k, uint32_t count)
{
    size_t n = 64;

    while (n < (size_t)count * 2)
        n *= 2;
    if (n > k->slot_cap) {
        k->slots = must_realloc(k->slots, n * sizeof *k->slots);
        k->slot_cap = n;
    }
    memset(k->slots, 0, n * sizeof *k->slots);
    return n - 1;
}

static void seed_draw(struct json_keys *k)
{
    while (!k->seed[0] && !k->seed[1])
        must(getrandom(k->seed, sizeof k->seed, 0) == (ssize_t)sizeof k->seed);
}

/* A slot is the upper half of the hash and the node; node 0 is the root, never a key, so that 0 is an empty slot. */
uint32_t json_keys_repeated(struct json_keys *k, const struct weir_json *j, uint32_t first, uint32_t count)
{
    size_t mask = slots_clear(k, count);

    seed_draw(k);
    for (uint32_t key = first; key < j->count; key = j->nodes[key + 1].next) {
        struct weir_str value = value_of(&k->left, j, key);
        uint64_t hash = siphash(k->seed, value);
        size_t at = hash & mask;
        for (; k->slots[at]; at = (at + 1) & mask)
            if (k->slots[at] >> 32 == hash >> 32 && str_eq(value_of(&k->right, j, (uint32_t)k->slots[at]), value))
                return key;
        k->slots[at] = hash >> 32 << 32 | key;
    }
    return WEIR_NO_NODE;
}
