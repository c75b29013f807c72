/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h -- writes JSON: commas come by themselves, nothing is checked for balance.
 *
 * {.t.c = ctx} is an empty document.  Values that are carried and not read go in as the bytes that they are.  Any
 * process; knows nothing but sdk/weir.h and text.h.
 */
#ifndef LIB_EMIT_H
#define LIB_EMIT_H

#include "text.h"

struct emit {
    struct text t;
    bool comma; /* something stands before at this depth */
};

static inline void emit_comma(struct emit *m)
{
    if (m->comma)
        text_lit(&m->t, ",");
    m->comma = true;
}

static inline void emit_open(struct emit *m, char bracket)
{
    emit_comma(m);
    text_put(&m->t, &bracket, 1);
    m->comma = false;
}

static inline void emit_close(struct emit *m, char bracket)
{
    text_put(&m->t, &bracket, 1);
    m->comma = true;
}

/* The key must need no escaping. */
static inline void emit_key(struct emit *m, const char *key)
{
    emit_comma(m);
    text_lit(&m->t, "\"");
    text_str(&m->t, str_of(key));
    text_lit(&m->t, "\":");
    m->comma = false;
}

/* JSON as it stands. */
static inline void emit_raw(struct emit *m, struct weir_str json)
{
    emit_comma(m);
    text_str(&m->t, json);
}

/* The inside of a JSON string, escapes as sent. */
static inline void emit_quoted(struct emit *m, struct weir_str inside)
{
    emit_comma(m);
    text_lit(&m->t, "\"");
    text_str(&m->t, inside);
    text_lit(&m->t, "\"");
}

/* A value, to be escaped. */
static inline void emit_text(struct emit *m, struct weir_str value)
{
    emit_comma(m);
    text_lit(&m->t, "\"");
    text_json(&m->t, value);
    text_lit(&m->t, "\"");
}

static inline void emit_int(struct emit *m, int64_t n)
{
    emit_comma(m);
    text_int(&m->t, n);
}

static inline void emit_bool(struct emit *m, bool b)
{
    emit_raw(m, b ? WEIR_STR("true") : WEIR_STR("false"));
}

/* Any node's value, with the quotes that a string's node lacks. */
static inline void emit_node(struct emit *m, const struct weir_json *j, uint32_t node)
{
    if (j->nodes[node].type == WEIR_JSON_STRING)
        emit_quoted(m, weir_json_text(j, node));
    else
        emit_raw(m, weir_json_text(j, node));
}

/* "key": value, when there is one. */
static inline void emit_member(struct emit *m, const char *key, const struct weir_json *j, uint32_t node)
{
    if (node == WEIR_NO_NODE || j->nodes[node].type == WEIR_JSON_NULL)
        return;
    emit_key(m, key);
    emit_node(m, j, node);
}

static inline void emit_member_text(struct emit *m, const char *key, struct weir_str value)
{
    emit_key(m, key);
    emit_text(m, value);
}

#define emit_member_lit(m, key, literal) emit_member_text((m), (key), WEIR_STR(literal))

#endif
