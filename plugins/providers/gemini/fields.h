/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h -- the members of Gemini's request bodies as tables: what type each may have, and whether it is text.
 *
 * accept.c walks a body by them.  What stands in no table is text.  Names are in camelCase and count in snake_case too.
 */
#ifndef GEMINI_FIELDS_H
#define GEMINI_FIELDS_H

#include "weir.h"

/* What a value may be; null always. */
enum {
    IS_BOOL = 1 << WEIR_JSON_FALSE | 1 << WEIR_JSON_TRUE,
    IS_NUMBER = 1 << WEIR_JSON_NUMBER,
    IS_STRING = 1 << WEIR_JSON_STRING,
    IS_ARRAY = 1 << WEIR_JSON_ARRAY,
    IS_OBJECT = 1 << WEIR_JSON_OBJECT,
    IS_SOME = IS_OBJECT | IS_ARRAY, /* an object, or several */
    IS_ANY = 0x7f,
};

/* What is done with it. */
enum deed {
    WORD,     /* an enumeration or an id: no text, unless it is longer than those are */
    DATA,     /* base64 */
    TEXT,     /* one string */
    NAME,     /* one string, and nobody said it: WEIR_OTHER */
    LINK,     /* a URL or a file's name: WEIR_DOCUMENT */
    ALL,      /* whatever strings are in it, keys too */
    EACH,     /* an object that `below` describes, or an array of them */
    PARTS,    /* the same, and the elements are the parts of a message */
    CONTENTS, /* the messages */
    CALL,     /* as EACH, said by the model in a call */
    RESULT,   /* as EACH, said by a tool */
    SYSTEM,   /* as EACH, or a string */
    DOCUMENT, /* as EACH */
    LIMIT,
    CHOICES,
};

struct field {
    const char *name;
    uint8_t types, deed;
    const struct field *below;
};

#define LONGEST_WORD 64 /* bytes of an enumeration or an id; what is longer is text */

/* Each ended by a row without a name; no table has more than 32 rows. */
extern const struct field generate_fields[], count_fields[], embed_fields[], batch_fields[], content_fields[];

#endif
