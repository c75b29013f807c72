/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.h -- what a path is for, as records, metrics and docs call it, and what follows from it for the host.
 *
 * One row for each enum weir_kind of the SDK, in its order.
 */
#ifndef WORKER_KIND_H
#define WORKER_KIND_H

#include "weir.h"

#define KINDS(X)                                                                                                        \
    X(chat,            "an answer to messages")                                                                         \
    X(completion,      "a text that goes on")                                                                           \
    X(embedding,       "vectors of texts")                                                                              \
    X(moderation,      "a judgement of texts")                                                                          \
    X(list_models,     "what models there are; answered by weir")                                                       \
    X(show_model,      "one of them; answered by weir")                                                                 \
    X(rerank,          "documents in the order of their relevance")                                                     \
    X(count_tokens,    "how many tokens a request has")                                                                 \
    X(unserved,        "part of the API, but not served: answered with 501")                                            \
    X(image,           "an image made of a text")                                                                       \
    X(image_edit,      "an image changed as a text says")                                                               \
    X(image_variation, "an image like another")                                                                         \
    X(speech,          "a text read aloud")                                                                             \
    X(transcription,   "speech written down")                                                                           \
    X(translation,     "speech written down in English")                                                                \
    X(file,            "a file at the provider: sent, listed, fetched, deleted")                                        \
    X(upload,          "a large file, in parts")                                                                        \
    X(batch,           "many requests in one, answered later")

/* Answers may hold whole pictures in their JSON: max_media counts, not max_response. */
static inline bool kind_has_media(enum weir_kind k)
{
    return k >= WEIR_IMAGE && k <= WEIR_SPEECH;
}

/* Goes to a provider by the rule of select.c, for it names no model. */
static inline bool kind_is_bare(enum weir_kind k)
{
    return k >= WEIR_FILE && k <= WEIR_BATCH;
}

/* Takes multipart/form-data. */
static inline bool kind_takes_form(enum weir_kind k)
{
    return k >= WEIR_IMAGE && k <= WEIR_UPLOAD && k != WEIR_SPEECH;
}

#define KINDS_ROW(name, help) KIND_IS_##name,
enum { KINDS(KINDS_ROW) KIND_OF_ALL };
#undef KINDS_ROW
_Static_assert((int)KIND_IS_batch == (int)WEIR_BATCH, "rows stand in the order of enum weir_kind");

extern const char *const kind_names[];       /* by enum weir_kind; KIND_OF_ALL of them */

static inline const char *kind_name(enum weir_kind k)
{
    return (unsigned)k < KIND_OF_ALL ? kind_names[k] : "";
}

#endif
