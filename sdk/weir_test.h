/* SPDX-License-Identifier: MIT */
/*
 * weir_test.h -- a fake host: runs the hooks of a plugin inside a unit test, without weir, sockets or a clock.
 *
 * It needs weir.h and the C library.  This file is the whole interface; the weir_test_*.h files beside it are how it is
 * done and may change.  One `struct weir_test` is one instance of a plugin and one request at a time; no globals.
 *
 *     #include "weir_test.h"
 *     #include "wordlimit.c"                       // or link it: the table is `weir_plugin`
 *
 *     int main(void)
 *     {
 *         struct weir_test t;
 *         weir_test_init(&t, &weir_plugin, "limit = 3");
 *         weir_test_say(&t, WEIR_USER, "one two three four");
 *         weir_test_verdict(weir_test_on_request(&t), WEIR_BLOCK);
 *         weir_test_same(t.block_code, "too_many_words");
 *         weir_test_fini(&t);
 *         return 0;
 *     }
 *
 * What the header promises, this host keeps; what it forbids, it notices: a service called from the wrong hook, a range
 * that does not exist, a second weir_resume(), an event after `last`.  A misuse, and every check that does not hold,
 * prints one line and ends the process with exit code 1.  With `lenient` set, misuses are counted and ignored instead.
 * Memory is handed out in blocks of the exact size, and pieces of a stream are freed once they have been judged: build
 * tests with -fsanitize=address,undefined, and a plugin that reads too far or keeps a borrowed string is caught.
 */
#ifndef WEIR_TEST_H
#define WEIR_TEST_H

#include <stdio.h>
#include <stdlib.h>

#include "weir.h"

extern const struct weir_plugin weir_plugin;

struct weir_test_buf { char *ptr; size_t len, cap; };

struct weir_test_span {       /* longer than a weir_span on purpose: arrays are walked by their stride */
    struct weir_span pub;
    struct weir_str original;
    bool edited;
};

struct weir_test_event {      /* an event that the plugin emitted, copied */
    struct weir_event event;
    struct weir_str text;     /* the text as a reader sees it: unescaped, when it came from decode */
};

struct weir_test_said { enum weir_where where; struct weir_str text; };

struct weir_test_splice { uint32_t at, len; struct weir_str with; };

struct weir_test_pair { struct weir_str name, value; };

struct weir_test_list { void *items; size_t count, cap; };

struct wt_fetched { const char *url, *body; int status; bool used; };

struct weir_test {
    struct weir_ctx ctx;      /* what the hooks get; stays first */
    struct weir_host host;
    struct weir_plugin table; /* the plugin's, of this header's size: what it lacks is NULL */
    const struct weir_plugin *plugin;        /* &table */
    bool lenient;             /* misuse is counted and ignored */
    unsigned misuses;
    struct weir_test_block *kept, *given, *memory;   /* as long as the instance, the request's input, the request */

    /* the request: read it after weir_test_accept() */
    struct weir_request request;
    struct weir_str body;
    struct weir_json json;    /* of the body; count 0: none */
    struct weir_test_list spans, said, facts, answers, records;

    /* what the plugin did */
    unsigned hook;            /* the one that runs, or waits */
    enum weir_verdict verdict;               /* of the last hook or weir_resume() */
    bool waiting, resumed, cancelled;
    struct weir_str block_code, block_reason;
    struct weir_test_list events, labels;
    struct weir_test_buf log;                /* "warn: text\n" for each weir_log() */
    struct weir_test_buf out;                /* weir_out() of the last answer, refuse or list */
    struct weir_test_buf served;             /* weir_serve() */
    bool served_last;
    void (*fire)(struct weir_ctx *);         /* weir_after(): the timer that is set, or NULL */
    uint32_t fire_ms;
    uint64_t clock_ms;                       /* time that fired timers have taken */

    struct weir_json canonical;              /* of weir_test_canonical(); count 0: none */
    bool drop;                               /* as if the provider's block said unsupported = "drop" */
    struct weir_test_buf named;              /* what weir_model() was told: raw text, and a line end, of each */
    struct weir_test_buf lossy;              /* what weir_lossy() was told: "field\n", or "field (hint)\n" */

    struct weir_test_list fetched;           /* what weir_fetch() is to answer */
    struct weir_test_buf fetches;            /* what it was asked: "POST URL\nname: value\n\nBODY\n" each */
    struct weir_str credential;              /* of weir_test_kept() */
    bool credential_given, lacks;            /* lacks: encode asked for it in vain */

    /* encode: what would be sent */
    struct weir_str http_method, http_url;
    struct weir_test_list http_headers;      /* struct weir_test_pair */
    struct weir_test_list http_splices;
    struct weir_str http_body;
    bool http_body_set, http_enveloped;
    struct weir_test_buf sent;               /* see weir_test_sent(), weir_test_http() */

    /* decode */
    const struct weir_frame *frame;
    bool frame_dropped, done_mark, frame_seen;
    struct weir_test_list frame_splices;
    struct weir_test_buf client;             /* what reaches the client of the frames so far */
    struct weir_test_buf joined;             /* see weir_test_text() */
};

/* ---- an instance ----------------------------------------------------------------------------------------------- */

/* Checks the table, fills `self` from `options`, calls prepare and init, begins a request.  Options are written as in
 * weir.conf, quotes only where needed: "limit = 3; words = [ one, \"two three\" ]; timeout = 5s".  A secret is
 * env:NAME, file:PATH, or the value itself. */
static inline void weir_test_init(struct weir_test *, const struct weir_plugin *, const char *options);
/* The same, for what must be refused: false and the error; then there is nothing to fini. */
static inline bool weir_test_try(struct weir_test *, const struct weir_plugin *, const char *options,
                                 struct weir_error *);
static inline void weir_test_fini(struct weir_test *);

/* ---- a request ------------------------------------------------------------------------------------------------- */

/* Forgets everything of the last request, the input too.  `self` stays. */
static inline void weir_test_begin(struct weir_test *);
/* The same request from its start: input and facts stay, the rest is forgotten.  `local` is zeroed. */
static inline void weir_test_again(struct weir_test *);

/* A message of the body, seen by stages as one span.  The body is {"model": "test", "messages": [ ... ]}. */
static inline void weir_test_say(struct weir_test *, enum weir_where, const char *text);
/* Any body, for `encode` and for stages that read weir_body().  It must be JSON. */
static inline void weir_test_body(struct weir_test *, const char *json);
/* Begins a request as a client sends it and calls `accept`: `method` and `path` must be in the plugin's table, `body`
 * is NULL for none.  The path may have a query.  A header that tells rows of the table apart is given before, as the
 * fact "header.NAME".  false: the error would be the client's 400. */
static inline bool weir_test_accept(struct weir_test *, const char *method, const char *path, const char *body,
                                    struct weir_error *);
/* A canonical request (docs/canonical.md): encode gets it as that of a client who speaks another dialect.  `stream` of
 * the request is what it says. */
static inline void weir_test_canonical(struct weir_test *, const char *json);
/* Calls lift, after weir_test_accept() or weir_test_body().  Returns the canonical request, which must be JSON, as long
 * as the request; with ptr NULL and the error when it refuses. */
static inline struct weir_str weir_test_lift(struct weir_test *, struct weir_error *);
/* What weir_fact() says from now on. */
static inline void weir_test_fact(struct weir_test *, const char *name, const char *value);

static inline const struct weir_span *weir_test_span(struct weir_test *, size_t index);
static inline size_t weir_test_span_count(struct weir_test *);
/* The client's body with the edits of on_request, as it would be sent. */
static inline struct weir_str weir_test_sent(struct weir_test *);
/* The last value of a label; "" for none. */
static inline struct weir_str weir_test_label(struct weir_test *, const char *name);

/* ---- hooks of a guardrail -------------------------------------------------------------------------------------- */

/* Each returns what the hook said; WEIR_WAIT leaves it waiting: fire its timer by hand, or settle it. */
static inline enum weir_verdict weir_test_on_request(struct weir_test *);
static inline enum weir_verdict weir_test_on_route(struct weir_test *, struct weir_candidate *, size_t n);
static inline enum weir_verdict weir_test_on_event(struct weir_test *, enum weir_channel, const char *text, bool last);
static inline enum weir_verdict weir_test_on_event_full(struct weir_test *, const struct weir_event *);
static inline enum weir_verdict weir_test_on_response(struct weir_test *);
static inline void weir_test_on_record(struct weir_test *);
/* One text of the whole answer, for weir_answer() in on_response. */
static inline void weir_test_answered(struct weir_test *, enum weir_channel, const char *text);

static inline void weir_test_fire(struct weir_test *);                  /* runs the timer that is set */
static inline enum weir_verdict weir_test_settle(struct weir_test *);   /* fires timers until nothing waits */
static inline void weir_test_cancel(struct weir_test *);                /* the client leaves while it waits */

/* Starts the request again (on_request too, when the request has an input) and streams `text` to on_event in the
 * pieces [0, cut1) [cut1, cut2) [cut2, end), the last one marked `last`; waits are settled.  Returns the emitted text;
 * t->verdict is WEIR_BLOCK when the plugin blocked. */
static inline struct weir_str weir_test_stream(struct weir_test *, enum weir_channel, const char *text, size_t cut1,
                                               size_t cut2);
/* Does so for every pair of cuts between characters: the emitted text must always be `expected`, or, when that is NULL,
 * the plugin must always block. */
static inline void weir_test_every_cut(struct weir_test *, enum weir_channel, const char *text, const char *expected);

/* What has been emitted on one stream of the answer, put together (repetitions left out). */
static inline struct weir_str weir_test_text(struct weir_test *, enum weir_channel, uint32_t choice, uint32_t block);
static inline size_t weir_test_event_count(struct weir_test *);
static inline const struct weir_test_event *weir_test_event(struct weir_test *, size_t index);

/* ---- hooks of a provider --------------------------------------------------------------------------------------- */

/* A candidate of this name; rank 0, nothing promised. */
static inline struct weir_candidate weir_test_candidate(const char *provider, const char *model);
/* Forgets the last attempt, calls encode. */
static inline enum weir_verdict weir_test_encode(struct weir_test *, const struct weir_candidate *,
                                                 struct weir_error *);
/* The request that encode made: "POST URL\nname: value\n...\n\nBODY". */
static inline struct weir_str weir_test_http(struct weir_test *);
/* A header that encode set, by its name in any case; "" for none. */
static inline struct weir_str weir_test_http_header(struct weir_test *, const char *name);

/* What weir_credential() says from now on; NULL: nothing, and then encode must say WAIT. */
static inline void weir_test_kept(struct weir_test *, const char *secret);
/* The next weir_fetch() of `url` that has no answer yet gets this one; status 0: nobody answers. */
static inline void weir_test_fetched(struct weir_test *, const char *url, int status, const char *body);
/* Calls `credential`. */
static inline bool weir_test_credential(struct weir_test *, struct weir_credential *, struct weir_error *);

/* Cuts `sse` into its records and decodes each: events gather in weir_test_event(), the client's bytes in t->client. */
static inline bool weir_test_decode_stream(struct weir_test *, const char *sse, struct weir_error *);
static inline bool weir_test_decode_body(struct weir_test *, int status, const char *body, struct weir_error *);

/* Calls serve and fires its timers until it says `last` (true), or stops without (false).  Its bytes: t->served. */
static inline bool weir_test_serve(struct weir_test *, const struct weir_candidate *);

/* ---- hooks of a dialect: the bytes are in t->out --------------------------------------------------------------- */

static inline bool weir_test_answer(struct weir_test *, const struct weir_event *);
static inline void weir_test_refuse(struct weir_test *, const struct weir_refusal *);
static inline void weir_test_list(struct weir_test *, const struct weir_model *, size_t n);

/* ---- hooks of a sink ------------------------------------------------------------------------------------------- */

/* Adds a record to the next batch; `json` is a flat object, its texts and integers become the fields. */
static inline void weir_test_record(struct weir_test *, const char *kind, const char *json);
/* Writes the batch and forgets it, whatever the sink said. */
static inline enum weir_sent weir_test_write(struct weir_test *, struct weir_error *);

/* ---- checks: one line and exit code 1 when they do not hold ---------------------------------------------------- */

#define weir_test_ok(condition)                                                            \
    ((condition) ? (void)0 : wt_die(__FILE__, __LINE__, "does not hold: %s", #condition))
/* A weir_str or weir_test_buf against the text it should be. */
#define weir_test_same(got, want)                                                          \
    wt_same(__FILE__, __LINE__, #got, (struct weir_str){(got).ptr, (got).len}, (want))
#define weir_test_int(got, want)                                                           \
    wt_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define weir_test_verdict(got, want)                                                       \
    wt_verdict(__FILE__, __LINE__, #got, (got), (want))

#include "weir_test_memory.h"
#include "weir_test_json.h"
#include "weir_test_options.h"
#include "weir_test_host.h"
#include "weir_test_run.h"
#include "weir_test_wire.h"

#endif
