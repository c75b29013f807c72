/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h -- the members of OpenAI's request bodies as tables: what type each may have, and whether it is text.
 *
 * accept.c walks a body by them.  What stands in no table is text.
 */
#ifndef OPENAI_FIELDS_H
#define OPENAI_FIELDS_H

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
    WORD,  /* an enumeration or an id: no text, unless it is longer than those are     */
    DATA,  /* base64                                                                  */
    TEXT,  /* one string                                                              */
    NAME,  /* one string, and nobody said it: WEIR_OTHER */
    INNER, /* one string that holds JSON; as an object, whatever strings it holds     */
    ALL,   /* whatever strings are in it, keys too                                    */
    LINK,  /* a URL or a file: WEIR_DOCUMENT, unless it carries its data in base64                       */
    PARTS, /* content: a string, or an array of parts and strings                     */
    EACH,  /* an object that `below` describes, or an array of them                   */
    MODEL,
    STREAM,
    USAGE,
    LIMIT,
    OLD_LIMIT,
    CHOICES,
    MESSAGES,
    INPUT,
};

struct field {
    const char *name;
    uint8_t len, types, deed;
    const struct field *below;
};

#define LONGEST_WORD 64 /* bytes of an enumeration or an id; what is longer is text */

/* Each ended by a row without a name. */
extern const struct field chat_fields[], completion_fields[], embedding_fields[], moderation_fields[];
extern const struct field message_fields[], part_fields[], image_fields[], call_fields[], call_function_fields[];

#endif
