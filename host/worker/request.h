/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h -- one call in flight, from its first byte to its last record: the state that the steps of pipeline.c share.
 *
 * Worker process only.  Its memory is the arena, but for the two buffers that may grow large (body, answer).  A request
 * belongs to one client connection; it outlives nothing.
 */
#ifndef WORKER_REQUEST_H
#define WORKER_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "net/http1.h"
#include "net/loop.h"
#include "weir.h"
#include "worker/pipeline.h"
#include "world/world.h"

struct client;
struct exchange;
struct worker;

/* Which hook a ctx is in, or waits in. */
enum hook {
    HOOK_NONE, HOOK_ACCEPT, HOOK_REQUEST, HOOK_ROUTE, HOOK_LIFT, HOOK_ENCODE, HOOK_DECODE, HOOK_EVENT, HOOK_RESPONSE,
    HOOK_ANSWER, HOOK_OTHER,
};

struct ctx {                                 /* the host's part of a weir_ctx; `pub` comes first */
    struct weir_ctx pub;
    struct request *r;
    const struct instance *in;
    const struct stage *stage;               /* NULL: a dialect or a provider */
    size_t place;                            /* of the stage in its chain */
    enum hook hook;                          /* running */
    enum hook waits;                         /* WEIR_WAIT was answered there and not yet resumed */
    enum weir_verdict verdict;               /* of an early weir_resume(), from inside the hook */
    bool resumed;
    bool broken;                             /* a service was misused so that its verdict cannot be trusted */
    bool bypassed;                           /* it failed and may: it is not asked again in this request */
    struct loop_timer budget;                /* the stage's time for one answer */
    struct loop_timer timer;                 /* weir_after() */
    void (*fire)(struct weir_ctx *);
    struct buf *out;                         /* where weir_out() goes during `answer`, `refuse`, `list` */
    struct queued *queue, **queue_end;       /* events for a stage that waits */
};

struct span {                                /* a weir_span and what the host knows of it */
    struct weir_span pub;
    bool raw;                                /* text not yet unescaped: pub.text is as sent */
    bool edited;
};

struct splice { uint32_t at, len; struct weir_str with; };   /* bytes of the body that are sent as `with` */

struct label { struct label *next; struct weir_str name, value; };

enum outcome { OUTCOMES_ENUM };

struct times {                               /* microseconds, monotonic; 0: not reached */
    int64_t begin, admitted, asked, opened, connected, sent, head, first, done;
    int64_t guard_us;                        /* spent inside stages */
};

struct request {
    struct worker *w;
    struct client *client;
    struct arena arena, frames;              /* frames: of the answer's frame at hand */
    struct request *spare;                   /* in the worker's list of those that wait for use */
    char id[32];
    enum step step;
    bool running;                            /* pipeline_run() is on the stack */
    bool jumped;                             /* pipeline_goto() was called meanwhile */
    struct loop_task task;                   /* goes on with the pipeline from a clean stack */
    int64_t step_us;                         /* when the step at hand began */

    /* as received */
    struct http1_head head;                  /* its bytes are in the arena */
    struct buf body;                         /* given back once it has been sent, when nobody can look at it again */
    uint64_t bytes_in;                       /* its length */
    struct weir_json json;                   /* of the body */
    bool has_json;
    const struct weir_str *type;             /* Content-Type; NULL: none */
    struct form *form;                       /* the body is one: it is here, and `json` describes it; see form.h */
    uint64_t unseen;                         /* bytes of it that no guardrail can read */

    /* ACCEPT */
    struct instance *dialect;
    struct weir_request view;
    struct provider_model *listed; size_t listed_count;  /* a list of models: what the catalogue knows of its rows */
    bool known;                              /* the path is served: the view has a kind */
    struct span *spans; size_t span_count, span_cap;
    bool spans_ready;                        /* unescaped and expanded: some stage has looked */
    uint64_t text_bytes;
    struct named { struct weir_str model; uint32_t at, len; } *named; size_t named_count, named_cap;   /* weir_model() */

    /* ADMIT, ROUTE, PICK */
    const struct key *key;                   /* NULL: the caller is `local` */
    uint64_t hold; bool held;                /* concurrency */
    struct weir_str allow;                   /* told with a 405 */
    int retry_after_s;                       /* told with a 429 or 503 */
    bool refusal_upstreams;                  /* it is the upstream's: reply.headers go with it (limits, retry hints) */
    struct weir_candidate *candidates; const struct provider **endpoints; size_t candidate_count;
    size_t pick;                             /* the candidate being tried */

    /* TRY */
    unsigned attempt;
    struct exchange *x;
    struct weir_http *http;                  /* what `encode` makes */
    struct weir_str credential;              /* that the attempt has from the vault */
    bool lacks;                              /* `encode` asked for one and there was none */
    int64_t lacks_until_us;                  /* how long it is waited for */
    bool open;                               /* an `open` record waits for its `close` */
    uint64_t open_at;                        /* the ring's position behind it */
    struct loop_timer open_timer;            /* strict: how long to wait until it is durable */
    struct request *unacked_next, **unacked_link;       /* strict: in the worker's list of those that wait */

    struct translation *tr;                  /* NULL: client and upstream speak one dialect; see translate.h */

    /* STREAM */
    struct answer *answer;
    struct reply {
        int status;                          /* that the client gets */
        bool begun, chunked;                 /* the head is in the client's output */
        bool bytes;                          /* no stream of records: it is broken off, not ended by an error event */
        int64_t length;                      /* of bytes; -1: not known */
        bool held;                           /* a stage wants to see the whole answer first */
        struct buf hold;
        struct weir_str headers;             /* the upstream's that go through, as lines */
        bool hinted;                         /* they say when to try again */
    } reply;

    /* the end */
    struct weir_refusal refusal;
    char refusal_text[256], refusal_code[48], refusal_field[64];
    struct weir_str reason;                  /* why, for the record only */
    enum outcome outcome;
    bool gone;                               /* the client has left */
    struct weir_usage usage;
    struct weir_str finish;                  /* why the model stopped */
    int upstream_status;
    uint64_t bytes_out;
    struct label *labels;
    struct times t;

    size_t stage_at;                         /* `ask`, `pick`, `check`: the stage whose turn it is */
    struct ctx **ctxs;                       /* by instance.index; made on first use */
};

struct request *request_new(struct worker *, struct client *);
void request_free(struct request *);
void request_spares_free(struct worker *);           /* when the worker ends */

/* The ctx of an instance in this request. */
struct ctx *request_ctx(struct request *, const struct instance *, const struct stage *);

/* `/v1/models/x` as the dialects know it: no /api before it, no query behind it. */
struct weir_str request_path(const struct request *);

/* Ends the request with an error for the client: the first one counts.  `code` is a short word, fmt a sentence. */
void request_refuse(struct request *, int status, const char *code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* The client has left, or the worker stops: cancels what waits and goes on to CLOSE. */
void request_abandon(struct request *, enum outcome);

const char *outcome_name(enum outcome);

#endif
