/* SPDX-License-Identifier: Apache-2.0 */
/* write.h -- what answer.c (streams) and write_body.c (answers in one piece) share. */
#ifndef COHERE_WRITE_H
#define COHERE_WRITE_H

#include "cohere.h"
#include "emit.h"

struct weir_str write_content_type(enum weir_channel);
/* {"id","type","function":{"name","arguments"}} */
void write_call(struct emit *, const struct cohere_block *, struct weir_str arguments);
struct weir_str write_finish(const struct cohere_local *);
void write_usage(struct emit *, const struct weir_usage *); /* "usage": ... */

#endif
