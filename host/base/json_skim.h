/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_skim.h -- one pass over a JSON text: checks all of it, keeps where things stand, copies nothing.
 *
 * RFC 8259 in full and nothing beyond it: grammar, UTF-8 (RFC 3629: no overlong forms, no surrogates), no control
 * characters in strings, no BOM, nothing after the value; escapes that name half a surrogate pair are allowed, as
 * JavaScript sends them. Keys of one object must differ after unescaping.  Linear in the text; pathological inputs
 * (many keys, deep nesting) meet the limits, not quadratic time.  The nodes are described at `struct weir_json` in
 * sdk/weir.h.
 */
#ifndef BASE_JSON_SKIM_H
#define BASE_JSON_SKIM_H

#include "base/arena.h"
#include "base/json_keys.h"
#include "weir.h"

/* Most levels of containers (65535 at most), and most nodes. */
struct json_limits {
    uint32_t depth, nodes;
};

/* A container that is open: its node; of an object the keys so far, and whether the hash table is to judge them. */
struct json_frame { uint64_t seen; uint32_t node, keys; bool hashed; };

/* Memory that is used again from text to text, in the end as much as `limits` allow; {0} to begin with. */
struct json_skim {
    struct weir_node *nodes;
    size_t node_cap;
    struct json_frame *frames;
    size_t frame_cap;
    struct json_keys keys;
};

void json_skim_fini(struct json_skim *);

/* `out` borrows the text, and the nodes from the skim until its next use.  false: `error` says what is wrong and at
 * which byte; its code is one of invalid_json, invalid_utf8, duplicate_key, json_too_deep, json_too_large. */
bool json_skim(struct json_skim *, struct weir_str text, const struct json_limits *, struct weir_json *out,
               struct weir_error *);

/* The same; the nodes are copied into the arena and live as long as it. */
bool json_skim_arena(struct arena *, struct json_skim *, struct weir_str text, const struct json_limits *,
                     struct weir_json *out, struct weir_error *);

#endif
