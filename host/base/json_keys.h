/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_keys.h -- finds two keys of one object that mean the same once they are unescaped; for json_skim alone.
 *
 * A hash table whose seed the sender cannot know: linear, whatever the keys are.
 */
#ifndef BASE_JSON_KEYS_H
#define BASE_JSON_KEYS_H

#include "base/buf.h"
#include "weir.h"

struct json_keys {    /* {0} to begin with; used again from object to object */
    uint64_t seed[2]; /* 0, 0: not drawn yet */
    uint64_t *slots;
    size_t slot_cap;
    struct buf left, right; /* values of keys that hold escapes */
};

void json_keys_fini(struct json_keys *);

/* The first key from `first` on that repeats an earlier one of its object, or WEIR_NO_NODE.  `count` keys, each
 * followed by its value; the nodes end at j->count. */
uint32_t json_keys_repeated(struct json_keys *, const struct weir_json *, uint32_t first, uint32_t count);

#endif
