/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h -- the members of a request's body as tables, and the one walk that reads a body by them.
 *
 * A row says what a member is called, what types it may have, who says the text in it, and how it is read.  What stands
 * in no table is text, its key too, so that nothing a model reads goes by the stages unseen.  A key that a laxer reader
 * than ours could take for a known one is refused.  Host: step `accept`, worker process.
 *
 *     static const struct field image_fields[] = {
 *         FIELD_AS("url", IS_STRING, walk_link, WEIR_DOCUMENT),
 *         FIELD("detail", IS_ANY, walk_word),
 *         FIELDS_END,
 *     };
 */
#ifndef LIB_FIELDS_H
#define LIB_FIELDS_H

#include "walk.h"

/* What a value may be. */
enum {
    IS_NULL = 1 << WEIR_JSON_NULL,
    IS_BOOL = 1 << WEIR_JSON_FALSE | 1 << WEIR_JSON_TRUE,
    IS_NUMBER = 1 << WEIR_JSON_NUMBER,
    IS_STRING = 1 << WEIR_JSON_STRING,
    IS_ARRAY = 1 << WEIR_JSON_ARRAY,
    IS_OBJECT = 1 << WEIR_JSON_OBJECT,
    IS_ANY = 0x7f,
    MUST = 0x80, /* be there, and not null: these rows are the first of their table */
};

#define LONGEST_WORD 64 /* bytes of an enumeration or an id; what is longer is text */

struct walk;

struct path { /* where a value stands, for messages */
    const struct path *up;
    const char *name; /* NULL: an element of an array */
    uint32_t index;
};

struct field {
    const char *name;
    uint8_t len, types; /* len 0: the table ends */
    uint8_t where;      /* enum weir_where of what is in it, or AROUND: as that around it */
    /* NULL: nothing in it is text (base64).  A null is never handed on. */
    bool (*read)(struct walk *, const struct field *, uint32_t value, const struct path *);
    const struct field *below; /* for walk_each() and its like */
};

#define AROUND 0xff
#define FIELD_ROW(name, types, where, read, below)                                                                     \
    {                                                                                                                  \
        "" name, sizeof name - 1, types, where, read, below                                                            \
    }
#define FIELD(name, types, read)             FIELD_ROW(name, types, AROUND, read, NULL)
#define FIELD_AS(name, types, read, where)   FIELD_ROW(name, types, where, read, NULL)
#define FIELDS(name, types, read, below)     FIELD_ROW(name, types, AROUND, read, below)
#define FIELDS_AS(name, types, below, where) FIELD_ROW(name, types, where, walk_each, below)
#define FIELDS_END                           FIELD_ROW("", 0, 0, NULL, NULL)

enum walk_fault {
    FAULT_TYPE,    /* `want`: the types it may have, `got`: the one it has */
    FAULT_NEARLY,  /* a key that is `want` but for upper and lower case */
    FAULT_ESCAPED, /* a key spelled with escapes */
    FAULT_TWICE,   /* one member under both of its spellings */
    FAULT_MISSING,
};

struct walk {
    struct weir_ctx *c;
    const struct weir_json *j;
    struct weir_request *r;
    struct weir_error *e;
    /* Writes e->text in the dialect's words; code and field are set. */
    void (*say)(struct weir_error *, enum walk_fault, const char *want, const char *got);
    enum weir_where (*role)(const struct weir_json *, uint32_t message); /* for walk_messages() */
    bool proto; /* protobuf's JSON: snake_case counts as camelCase, null anywhere, integers may be strings */
    enum weir_where where;
    uint32_t message, part;
};

/* A walk over the request's body, which is said by nobody so far.  false: refused, the body is no JSON object. */
bool walk_begin(struct walk *);
bool walk_object(struct walk *, uint32_t object, const struct field *, const struct path *);

/* The model that the path names, percent-encoded as SDKs send slashes; r->model. */
bool walk_path_model(struct walk *, struct weir_str id);

bool walk_refuse(struct walk *, enum walk_fault, const struct path *, const char *want, const char *got); /* false */
bool walk_refuse_type(struct walk *, uint32_t types, uint32_t value, const struct path *);                /* false */

/* Reads of rows.  All return true, or false when they refused. */
#define WALK_READ(name) bool name(struct walk *, const struct field *, uint32_t value, const struct path *)
WALK_READ(walk_word);     /* enumerations and ids: text only where longer than those are */
WALK_READ(walk_text);     /* whatever strings are in it, keys too */
WALK_READ(walk_link);     /* the same, but for a data: URL in base64 */
WALK_READ(walk_inner);    /* a string that holds JSON; of anything else whatever strings are in it */
WALK_READ(walk_each);     /* an object that `below` describes, or an array of them; a string is a word */
WALK_READ(walk_parts);    /* the same, the elements are the parts of a message; a string is text */
WALK_READ(walk_messages); /* an array of messages that `below` describes, said by whom walk.role tells */
WALK_READ(walk_model);
WALK_READ(walk_usage); /* usage_asked */
WALK_READ(walk_limit); /* max_output */
WALK_READ(walk_choices);

/* An integer that is not negative; what is negative is the upstream's to refuse and counts as 0. */
bool walk_count(struct walk *, uint32_t value, const struct path *, int64_t *out);

/* One string node as a span, said by `where`. */
static inline void walk_span(struct walk *w, uint32_t node, enum weir_where where, enum weir_form form)
{
    if (w->j->nodes[node].type == WEIR_JSON_STRING)
        weir_span(w->c, node, where, form, w->message, w->part);
}

#endif
