/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h -- the text of one record: a flat JSON object whose first members are `kind`, `time` and `id`.
 *
 * Writing (workers, recorder) appends to a buffer and never passes RECORD_MAX: a member that would is cut or left
 * out, and `"cut":true` says so.  Whatever the bytes, the result is valid JSON in valid UTF-8.  Reading (sinks,
 * recorder) skims it into fields. The journal adds the sequence.
 */
#ifndef IPC_RECORD_H
#define IPC_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json_skim.h"
#include "ipc/ring.h"

/* Kinds of records; docs/records.md prints the table. */
#define RECORD_KINDS(X)                                                                                                \
    X(open,  "data is about to be sent to an endpoint; one per attempt")                                               \
    X(close, "that attempt has ended; exactly one for each open")                                                      \
    X(deny,  "a request was refused before anything was sent; it has no `open`.  Of callers without a valid key only " \
             "so many a second leave one, the others are counted in weir_denies_dropped_total")                        \
    X(gap,   "records were lost between the record before and this one; `code` says how, docs/journal.md what it means")

/* Members of records, in the order of writing; docs/records.md prints the table. */
#define RECORD_FIELDS(X)                                                                                               \
    X(kind,         "open, close, deny or gap")                                                                        \
    X(time,         "Unix time in microseconds")                                                                       \
    X(id,           "of the request, as the client sees it in x-weir-request-id; of a gap: \"\"")                      \
    X(attempt,      "which send of this request it is, counted from 1")                                                \
    X(key,          "id of the caller's key; \"local\" where no keys are configured; of a deny: left out when the "    \
                    "caller has none that is valid")                                                                   \
    X(workspace,    "of the key, when it has one")                                                                     \
    X(dialect,      "the wire format that the client spoke")                                                           \
    X(path,         "that the client asked for")                                                                       \
    X(task,         "what the path is for; see docs/pipeline.md")                                                      \
    X(model,        "as the client asked")                                                                             \
    X(provider,     "the block of the configuration that it was sent to")                                              \
    X(upstream,     "what that provider calls the model")                                                              \
    X(stream,       "the client asked for a stream")                                                                   \
    X(bytes_in,     "of the client's body")                                                                            \
    X(text_bytes,   "bytes of text in it that guardrails could see")                                                   \
    X(unscanned,    "bytes of text in it that no guardrail saw")                                                       \
    X(unseen,       "bytes in it that no guardrail can read, such as sound and pictures in files; left out when 0")     \
    X(outcome,      "what it came to; see docs/pipeline.md; worker_died: nobody knows, written by the recorder")       \
    X(status,       "HTTP status that the client got")                                                                 \
    X(upstream_status, "HTTP status that the upstream answered")                                                       \
    X(code,         "the short reason that the client was told; of a gap: what kind of gap")                           \
    X(reason,       "the long reason, for this record only")                                                           \
    X(bytes_out,    "of the answer's body")                                                                            \
    X(unseen_out,   "the same, of the answer")                                                                         \
    X(finish,       "why the model stopped")                                                                           \
    X(spoken,       "the wire format that the provider got, when it is not the client's")                              \
    X(dropped,      "fields of the request that were left out because that format cannot say them, with commas")       \
    X(input,        "tokens: fresh input")                                                                             \
    X(cache_read,   "tokens: input read from a cache")                                                                 \
    X(cache_write,  "tokens: input written to a cache")                                                                \
    X(output,       "tokens: output, without reasoning")                                                               \
    X(reasoning,    "tokens: reasoning")                                                                               \
    X(audio_in,     "tokens: audio heard")                                                                             \
    X(audio_out,    "tokens: audio spoken")                                                                            \
    X(connect_us,   "until a connection was there (0: a kept one)")                                                    \
    X(first_us,     "from the send to the first byte of the answer")                                                   \
    X(guard_us,     "inside guardrails")                                                                               \
    X(total_us,     "from the request's last byte to the answer's last")                                               \
    X(labels,       "an object: what guardrails wrote with weir_label()")                                              \
    X(from,         "gap: the first sequence that is missing, when any sequence is")                                   \
    X(to,           "gap: the last one")                                                                               \
    X(cut,          "something did not fit into this record")

#define RECORD_ROW(name, help) RECORD_##name,
enum record_field { RECORD_FIELDS(RECORD_ROW) RECORD_FIELD_COUNT };
#undef RECORD_ROW
#define RECORD_ROW(name, help) KIND_##name,
enum record_kind { RECORD_KINDS(RECORD_ROW) KIND_COUNT };
#undef RECORD_ROW

#define RECORD_STR_MAX 1024                  /* bytes of one string's value */

/* The buffer's length moves in record_end(); nobody else appends to it before that. */
struct record_writer { struct buf *to; char *start, *at, *limit, *labels; uint64_t seen; bool cut; };

/* Members may come in any order (`attempt` first, where there is one) and each once; labels are the last things
 * written. */
struct record_writer record_begin(struct buf *to, enum record_kind, int64_t time_us, struct weir_str id);
/* Left out when empty; cut at RECORD_STR_MAX. */
void record_str(struct record_writer *, enum record_field, struct weir_str);
void record_int(struct record_writer *, enum record_field, int64_t);
void record_bool(struct record_writer *, enum record_field, bool);
/* Of equal names the first stays. */
void record_label(struct record_writer *, struct weir_str name, struct weir_str value);
void record_end(struct record_writer *);

/* Drops members from the end of the record that stands in `b` from `start` until it has at most `most` (>= 512)
 * bytes; says "cut". */
void record_shorten(struct buf *b, size_t start, size_t most);
/* ring_put() of the record that stands in `b` from `start`; an ending that finds no room is shortened to
 * RING_END_MAX and then always does.  false: no room, never for RING_END. */
bool record_put(struct ring *, enum ring_room, struct buf *b, size_t start, uint64_t *position);

/* What the recorder must know of a record, read from its beginning without a look at the rest; false: no record of
 * ours. */
struct record_head {
    enum record_kind kind;
    int64_t time_us;
    struct weir_str id;                      /* raw: escapes as written */
    int64_t attempt;                         /* 0: none */
};
bool record_read_head(struct weir_str text, struct record_head *);

/* Parsed: a weir_record whose fields live in the arena and whose text is borrowed; false when `text` is no record (a
 * damaged journal). Each label is a field of its own, "labels.NAME"; booleans are the texts "true" and "false". */
bool record_read(struct arena *, struct json_skim *, uint64_t seq, struct weir_str text, struct weir_record *);

const char *record_field_name(enum record_field);
const char *record_field_help(enum record_field);
const char *record_kind_name(enum record_kind);
const char *record_kind_help(enum record_kind);

#endif
