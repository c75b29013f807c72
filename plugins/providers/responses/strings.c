/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings.c -- what an answer says beside its texts, string by string: annotations, queries and results of the vendor's
 * tools, members and records that nobody knows.  Called by decode.c and texts.c.
 *
 * Each string is a text of its own, every time it is said: whoever guards them sees all of them.  Ids, enumerations and
 * data are passed over as long as they look like that.  A client of another dialect gets none of it.
 */
#include "decode.h"

enum { LONGEST_WORD_SAID = 64 }; /* bytes of an enumeration or a name */

static bool key_in(const struct weir_json *j, uint32_t key, const char *const *words)
{
    for (; *words; words++)
        if (weir_json_eq(j, key, *words, strlen(*words)))
            return true;
    return false;
}

/* No blank, no mark of a sentence: an id, base64 of either alphabet. */
static bool looks_opaque(struct weir_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!word && !memchr("+/=_-:.|", ch, 8))
            return false;
    }
    return true;
}

static bool is_data_url(struct weir_str s)
{
    const char *comma = s.len > 5 && memcmp(s.ptr, "data:", 5) == 0 ? memchr(s.ptr, ',', s.len) : NULL;

    return comma && comma - s.ptr >= 12 && memcmp(comma - 7, ";base64", 7) == 0 &&
           looks_opaque((struct weir_str){comma + 1, s.len - (size_t)(comma + 1 - s.ptr)});
}

/* The value of this key is nothing that anybody reads. */
static bool is_mute(const struct weir_json *j, uint32_t key)
{
    static const char *const words[] = {"type", "status", "role", "phase", "object", "name", "server_label", NULL};
    static const char *const opaque[] = {
        "id",       "item_id",      "call_id",           "approval_request_id", "file_id",
        "logprobs", "container_id", "vector_store_id",   "response_id",         "fingerprint",
        "data",     "obfuscation",  "encrypted_content", "partial_image_b64",   "b64_json",
        NULL};
    uint32_t v = key + 1;
    struct weir_str s = weir_json_text(j, v);

    if (j->nodes[v].type != WEIR_JSON_STRING)
        return KEY_IS(j, key, "logprobs"); /* texts_shadow() has them */
    if (KEY_IS(j, key, "result"))          /* of image_generation_call, an image */
        return s.len > LONGEST_WORD_SAID && looks_opaque(s);
    return (s.len <= LONGEST_WORD_SAID && key_in(j, key, words)) || (looks_opaque(s) && key_in(j, key, opaque)) ||
           is_data_url(s);
}

/* As deep as the host takes JSON. */
static void strings_below(struct decoder *d, uint32_t node, enum weir_channel channel)
{
    if (d->failed)
        return;
    for (EACH_KEY(d->j, k, node))
        strings_member(d, k);
    for (EACH_ITEM(d->j, n, node))
        strings_below(d, n, WEIR_TEXT);
    text_stray(d, channel, node);
}

void strings_member(struct decoder *d, uint32_t key)
{
    bool inner = KEY_IS(d->j, key, "arguments") && node_is_string(d->j, key + 1);

    if (!d->l->foreign && !is_mute(d->j, key))
        strings_below(d, key + 1, inner ? WEIR_ARGUMENTS : WEIR_TEXT);
}

void strings_say(struct decoder *d, uint32_t node)
{
    if (node != WEIR_NO_NODE && !d->l->foreign)
        strings_below(d, node, WEIR_TEXT);
}
