/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h -- the members of a request's body as tables: what type each may have, and whether it is text.
 *
 * accept.c walks a body by them.  What stands in no table is text.
 */
#ifndef RESPONSES_FIELDS_H
#define RESPONSES_FIELDS_H

#include "weir.h"

/* What a value may be. */
enum {
    IS_NULL = 1 << WEIR_JSON_NULL,
    IS_BOOL = 1 << WEIR_JSON_FALSE | 1 << WEIR_JSON_TRUE,
    IS_NUMBER = 1 << WEIR_JSON_NUMBER,
    IS_STRING = 1 << WEIR_JSON_STRING,
    IS_ARRAY = 1 << WEIR_JSON_ARRAY,
    IS_OBJECT = 1 << WEIR_JSON_OBJECT,
    IS_ANY = 0x7f,
};

/* What is done with it. */
enum deed {
    WORD,   /* an enumeration or an id: no text, unless it is longer than those are                        */
    DATA,   /* base64, as long as it looks like that; else one string                                      */
    IMAGE,  /* the same, and never short; else whatever strings are in it                                  */
    TEXT,   /* one string                                                                                  */
    SYSTEM, /* the same, and the operator said it                                                          */
    NAME,   /* one string, and nobody said it: WEIR_OTHER                                                  */
    INNER,  /* one string that holds JSON; as an object, whatever strings it holds                         */
    ALL,    /* whatever strings are in it, keys too                                                        */
    LINK,   /* a URL or a file: WEIR_DOCUMENT, unless it carries its data in base64                        */
    PARTS,  /* content: a string, or an array of parts and strings                                         */
    EACH,   /* an object that `below` describes, or an array of them                                       */
    MODEL,
    STREAM,
    LIMIT,
    ITEMS,  /* input: a string, or an array of items                                                       */
};

struct field {
    const char *name;
    uint8_t len, types, deed;
    const struct field *below;
};

#define LONGEST_WORD 64 /* bytes of an enumeration or an id; what is longer is text */

/* Each ended by a row without a name. */
extern const struct field request_fields[], item_fields[], part_fields[], image_fields[];

#endif
