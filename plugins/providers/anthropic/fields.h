/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h -- the members of Anthropic's request bodies as tables: what type each may have, and whether it is text.
 *
 * accept.c walks a body by them.  What stands in no table is text.
 */
#ifndef ANTHROPIC_FIELDS_H
#define ANTHROPIC_FIELDS_H

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
    WORD,   /* an enumeration or an id: no text, unless it is longer than those are            */
    OPAQUE, /* what only Anthropic can read: no text while it looks like that                  */
    BASE64, /* a file                                                                          */
    TEXT,   /* one string                                                                      */
    NAME,   /* one string, and nobody said it: WEIR_OTHER                                      */
    ALL,    /* whatever strings are in it, keys too                                            */
    LINK,   /* a URL: WEIR_DOCUMENT                                                            */
    BLOCKS, /* content: a string, a block, or an array of them                                 */
    SYSTEM, /* the same, said by the system                                                    */
    INPUT,  /* a call's: whatever strings are in it, WEIR_TOOL_CALL                            */
    SOURCE, /* of an image or a document; of a search result a string                          */
    EACH,   /* an object that `below` describes, or an array of them                           */
    MODEL,
    STREAM,
    LIMIT,
    MESSAGES,
};

struct field {
    const char *name;
    uint8_t len, types, deed;
    const struct field *below;
};

#define LONGEST_WORD 64 /* bytes of an enumeration or an id; what is longer is text */

/* Each ended by a row without a name. */
extern const struct field anthropic_fields[], message_fields[], block_fields[], source_fields[], source_file_fields[];

#endif
