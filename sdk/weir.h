/* SPDX-License-Identifier: MIT */
/*
 * weir.h -- everything a weir plugin may use.  One header; it needs nothing but the C library.
 *
 * A plugin is one shared object that ends with WEIR_PLUGIN(...).  The host loads it, checks its options against its
 * table, and calls its hooks in the order in which `struct weir_plugin` lists them: that struct is the map of a
 * request's life.  A hook that is NULL costs nothing.
 *
 *   client -> accept -> on_request -> on_route -> encode -> [upstream] -> decode -> on_event -> answer -> client
 *          -> on_response -> on_record;  then `write` in the sink's own process
 *
 * Client and upstream of one dialect: the client's bytes go through but for what was edited.  Of two dialects: `lift`
 * makes the canonical request (docs/canonical.md) of the client's, `encode` makes the upstream's of that, and every
 * event of `decode` is said by the client's dialect in `answer`.  Each dialect is written once, for both of its sides.
 *
 * Words   plugin     what is compiled: one const table
 *         instance   a plugin plus one block of the configuration
 *         ctx        one instance's view of one request; the first argument of most hooks
 *         dialect    a wire format that clients speak ("openai"); the plugin that knows it serves its paths
 *         span       a piece of text inside the client's body: where it stands and what it is
 *         candidate  an endpoint that may serve the request
 *         frame      what the upstream sent in one piece: an SSE record, or a whole body
 *         event      a piece of the answer inside a frame: text, reasoning, arguments, usage, the end
 *         verdict    what a guardrail answers
 *
 * Process [worker] hooks run on a worker's event loop and must not block: return WEIR_WAIT and call weir_resume()
 *         later.  [sink] hooks run in the sink's own process and may block; so does [keeper], in one process for all
 *         providers.  [load] hooks run once, before the workers are forked; what they build is shared copy-on-write
 *         and must not be written afterwards.
 *         No hook is ever called from two threads: a plugin needs no lock.
 * Memory  weir_alloc() lasts until the request ends; free nothing.  A `struct weir_str` is borrowed: what the host
 *         hands out is valid until the hook returns unless its comment says longer; what a hook hands in is copied
 *         before the service returns.
 * Growth  Fields are appended, never moved.  `size` fields say which exist, arrays travel with their stride.  A
 *         plugin built against an older header gets NULL for later hooks; one built against a newer header loads
 *         only when it leaves the hooks this host does not know NULL.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WEIR_ABI 1            /* raised only when an old plugin must not load */

/* ---- small types ------------------------------------------------------------------------------------------ */

struct weir_str { const char *ptr; size_t len; };        /* borrowed bytes, not ended by 0 */
#define WEIR_STR(literal) ((struct weir_str){ "" literal, sizeof(literal) - 1 })

/* Item i of an array whose items the host may know to be longer: weir_at(spans, c->host->span_size, i). */
#define weir_at(first, stride, i) ((__typeof__(first))((uintptr_t)(first) + (size_t)(i) * (stride)))

enum weir_level { WEIR_ERROR, WEIR_WARN, WEIR_INFO, WEIR_DEBUG };

enum weir_verdict {
    WEIR_PASS,                /* go on; the request or event may have been edited                              */
    WEIR_BLOCK,               /* stop: 403 with the code given to weir_block()                                 */
    WEIR_WAIT,                /* not known yet: weir_resume() will tell, exactly once                          */
    WEIR_FAIL,                /* the plugin could not judge; `on_failure` of its block decides                 */
    WEIR_UNSUPPORTED,         /* encode only: this candidate cannot say that; error.field names what           */
};

enum weir_sent {              /* what a sink says of a batch */
    WEIR_DONE,                /* delivered: the cursor moves on                                                */
    WEIR_RETRY,               /* later; the host keeps the batch and backs off                                 */
    WEIR_SPLIT,               /* too large, or one of them is bad: the host halves the batch                   */
    WEIR_REJECT,              /* never deliverable: written to the dead letters, the cursor moves on           */
    WEIR_PAUSE,               /* configuration at fault (permission, path): keep everything, probe slowly      */
};

/* Filled by the side that fails.  `text` is a sentence for the user; `field` is the JSON path or option at fault,
 * `code` a short machine-readable reason; both may be empty.  Always ended by 0. */
struct weir_error { char text[256]; char field[64]; char code[48]; };

struct weir_host;  struct weir_ctx;  struct weir_http;

/* ---- JSON as the host skimmed it: a flat list of nodes -------------------------------------------------------
 * RFC 8259, checked whole: grammar, UTF-8, no duplicate keys at any depth.  Nodes stand in the order of the text.
 * An object is followed by key, value, key, value ...; an array by its elements, of which numbers, true, false and
 * null have no node (their text is in the array's).  Walk with weir_json_first/next/get below. */

enum weir_json_type {
    WEIR_JSON_NULL, WEIR_JSON_FALSE, WEIR_JSON_TRUE, WEIR_JSON_NUMBER, WEIR_JSON_STRING, WEIR_JSON_ARRAY,
    WEIR_JSON_OBJECT
};

struct weir_node {
    uint32_t at, len;         /* bytes of the text: a string without its quotes, a container with its brackets  */
    uint32_t next;            /* the node after this one and everything below it                                */
    uint8_t  type;            /* enum weir_json_type; a key is a STRING                                         */
    uint8_t  escaped;         /* string: holds a backslash, so text is not its value: see weir_unescape()       */
    uint16_t depth;           /* 0 for the root                                                                 */
};

struct weir_json { struct weir_str text; const struct weir_node *nodes; uint32_t count; };

#define WEIR_NO_NODE UINT32_MAX

/* The raw text of a node, escapes as sent. */
static inline struct weir_str weir_json_text(const struct weir_json *j, uint32_t node)
{
    return (struct weir_str){j->text.ptr + j->nodes[node].at, j->nodes[node].len};
}

static inline bool weir_json_is(const struct weir_json *j, uint32_t node, enum weir_json_type type)
{
    return node != WEIR_NO_NODE && j->nodes[node].type == type;
}

/* First thing below a container (a key, or an array's element), or WEIR_NO_NODE. */
static inline uint32_t weir_json_first(const struct weir_json *j, uint32_t container)
{
    return container + 1 < j->nodes[container].next ? container + 1 : WEIR_NO_NODE;
}

/* The sibling after `node` inside `container`, or WEIR_NO_NODE.  After a key comes its value, after that a key. */
static inline uint32_t weir_json_next(const struct weir_json *j, uint32_t container, uint32_t node)
{
    uint32_t n = j->nodes[node].next;
    return n < j->nodes[container].next ? n : WEIR_NO_NODE;
}

static inline bool weir_json_eq(const struct weir_json *j, uint32_t node, const char *word, size_t len)
{
    return j->nodes[node].len == len && !j->nodes[node].escaped
        && memcmp(j->text.ptr + j->nodes[node].at, word, len) == 0;
}

/* The value under `key` in `object`, or WEIR_NO_NODE (also when `object` is no object).  A key spelled with escapes is
 * not found: a dialect refuses those with weir_json_strict(). */
static inline uint32_t weir_json_get(const struct weir_json *j, uint32_t object, const char *key)
{
    size_t len = strlen(key);

    if (!weir_json_is(j, object, WEIR_JSON_OBJECT))
        return WEIR_NO_NODE;
    for (uint32_t k = weir_json_first(j, object); k != WEIR_NO_NODE; k = weir_json_next(j, object, k + 1))
        if (weir_json_eq(j, k, key, len))
            return k + 1;
    return WEIR_NO_NODE;
}

/* The first key of `object` that could be read as a known one by a laxer parser: spelled with escapes, or equal to one
 * of `known` (NULL-ended) but for upper and lower case.  WEIR_NO_NODE when all are clear. */
static inline uint32_t weir_json_strict(const struct weir_json *j, uint32_t object, const char *const *known)
{
    if (!weir_json_is(j, object, WEIR_JSON_OBJECT))
        return WEIR_NO_NODE;
    for (uint32_t k = weir_json_first(j, object); k != WEIR_NO_NODE; k = weir_json_next(j, object, k + 1)) {
        struct weir_str s = weir_json_text(j, k);
        if (j->nodes[k].escaped)
            return k;
        for (const char *const *w = known; *w; w++) {
            size_t i = 0;
            while (i < s.len && (*w)[i] && (s.ptr[i] | 32) == ((*w)[i] | 32))
                i++;
            if (i == s.len && !(*w)[i] && memcmp(s.ptr, *w, s.len) != 0)
                return k;
        }
    }
    return WEIR_NO_NODE;
}

/* A number node as an integer; `otherwise` when it is no integer or does not fit. */
static inline int64_t weir_json_int(const struct weir_json *j, uint32_t node, int64_t otherwise)
{
    if (!weir_json_is(j, node, WEIR_JSON_NUMBER))
        return otherwise;
    struct weir_str s = weir_json_text(j, node);
    bool minus = s.len && s.ptr[0] == '-';
    int64_t v = 0;
    for (size_t i = minus; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || v > (INT64_MAX - 9) / 10)
            return otherwise;
        v = v * 10 + (s.ptr[i] - '0');
    }
    return minus ? -v : v;
}

/* ---- the request, as its dialect reads it ------------------------------------------------------------------- */

enum weir_kind {              /* what a path is for; records call it `task`, by the words of docs/pipeline.md */
    WEIR_CHAT, WEIR_COMPLETION, WEIR_EMBEDDING, WEIR_MODERATION,
    WEIR_LIST_MODELS, WEIR_SHOW_MODEL,       /* answered by the dialect's `list`, sent nowhere */
    WEIR_RERANK, WEIR_COUNT_TOKENS,
    WEIR_UNSERVED,                           /* part of the API, but not served: `accept` is called without a body and
                                                refuses with a sentence that names the alternative; answered with 501 */
    WEIR_IMAGE, WEIR_IMAGE_EDIT, WEIR_IMAGE_VARIATION, WEIR_SPEECH, WEIR_TRANSCRIPTION, WEIR_TRANSLATION,
    WEIR_FILE, WEIR_UPLOAD, WEIR_BATCH,      /* these three name no model                                        */
};
#define WEIR_CAN(kind) (1u << (kind))        /* for the sets `lifts` and `lowers` of struct weir_plugin */

struct weir_path {            /* one path that a dialect serves; /api is accepted before it too */
    const char *method, *path;               /* "GET", "*" for any; "/v1/models/": a path that ends in '/' is a
                                                prefix                                                           */
    enum weir_kind kind;
    const char *header;                      /* the row counts only for requests that have this header, and then
                                                before rows without; NULL: for all                                */
};

enum weir_body {              /* what an answer that is no stream of records is */
    WEIR_BODY_JSON,           /* JSON of the dialect                                                             */
    WEIR_BODY_TYPED,          /* that when its content-type says so, else bytes                                  */
    WEIR_BODY_BYTES,          /* bytes: they go through as they come, of any length.  When guardrails read answers
                                 and it is no sound and no picture, `decode` gets it as one frame without json    */
};

struct weir_request {         /* filled by `accept`, zeroed before, then read-only for all */
    uint32_t size;            /* of this struct as the host knows it; set by the host                            */
    enum weir_kind kind;      /* set by the host from the path; `accept` may change it where the path's end says */
    struct weir_str path;     /* set by the host: the path without /api and without the query                    */
    struct weir_str model;    /* as the client asked                                                             */
    uint32_t model_at, model_len;            /* where it stands in the body, quotes not included; 0: not there    */
    bool stream;              /* the client asked for a stream                                                   */
    bool usage_asked;         /* the client wants usage in the stream                                            */
    bool anew;                /* the client speaks more than its dialect: what is sent upstream, and the answer, are made
                                 anew as between dialects, but for a provider whose block says superset = true    */
    int64_t max_output;       /* tokens; 0: not said                                                             */
    uint32_t choices;         /* answers asked for; 0 and 1 mean one                                             */
    struct weir_str query;    /* set by the host: what stands behind '?', as sent                                */
    const char *stream_type;  /* content-type of a stream that `answer` writes; NULL: text/event-stream          */
    struct weir_str method;   /* set by the host                                                                 */
    bool form;                /* set by the host: the body is multipart/form-data, and weir_body() says it as an
                                 object: a text is a string; a file is {"filename","content_type","bytes"} and, when
                                 it holds text, "text", or "lines" when each of its lines is JSON; what stands there
                                 several times is an array.  Splices replace whole strings but in "lines"       */
    enum weir_body answer;
};

enum weir_where {             /* who said a span */
    WEIR_SYSTEM, WEIR_USER, WEIR_ASSISTANT, WEIR_TOOL_CALL, WEIR_TOOL_RESULT, WEIR_DOCUMENT, WEIR_OTHER
};

enum weir_form {
    WEIR_PLAIN_TEXT,          /* the value of a JSON string                                                      */
    WEIR_INNER_JSON,          /* given to weir_span(): the string holds JSON of its own.  The host makes one span of
                                 each string inside it; stages see those unescaped twice, an edit is escaped twice */
};

struct weir_span {
    struct weir_str text;     /* unescaped, as edited so far; valid as long as the request                       */
    enum weir_where where;
    enum weir_form form;
    uint32_t message, part;   /* which message and which part of it, counted from 0                              */
    uint32_t at, len;         /* bytes in the body, quotes not included                                          */
};

struct weir_candidate {       /* read-only but for `rank` and `out` */
    uint32_t size;
    struct weir_str provider; /* name of its block in the configuration                                          */
    struct weir_str model;    /* what the upstream calls it                                                      */
    struct weir_str region;   /* "" unknown                                                                      */
    bool zdr, trains;         /* retention promise: zero data retention; may train on the data                   */
    double rank;              /* lower is tried first                                                            */
    const char *out;          /* a reason code removes it for good                                               */
};

struct weir_model { struct weir_str id, owner; int64_t created; };   /* a row of `list`; created: seconds, Unix   */

struct weir_refusal {         /* an error that the host answers in the client's dialect */
    int status;               /* HTTP status, also when the stream has begun                                     */
    const char *code;         /* "denied", "model_not_found" ...                                                 */
    const char *text;         /* a sentence for the user                                                         */
    const char *field;        /* JSON path at fault, or ""                                                       */
    bool in_stream;           /* the answer has begun as a stream: write an error event that ends it well        */
};

/* ---- the answer ------------------------------------------------------------------------------------------------ */

struct weir_frame {           /* valid until `decode` returns, and while a stage WAITs on one of its events */
    uint32_t size;
    bool stream;              /* an SSE record (WHATWG HTML, section 9.2); else the whole body                   */
    bool first;               /* of its attempt: what decode remembers of an earlier one is void                 */
    int status;               /* of the upstream's answer                                                        */
    struct weir_str raw;      /* every byte of it, line ends too                                                 */
    struct weir_str name;     /* SSE event name, "" for none                                                     */
    struct weir_str data;     /* SSE data lines joined with \n, or the body                                      */
    const struct weir_json *json;            /* data skimmed; NULL when it is no JSON ("[DONE]")                 */
};

enum weir_channel {
    WEIR_TEXT, WEIR_REASONING, WEIR_ARGUMENTS,   /* these three carry text that stages may rewrite              */
    WEIR_USAGE, WEIR_FINISH, WEIR_ERRORED,
    WEIR_DONE_MARK,           /* the dialect's last record ("[DONE]"): nothing may follow it                     */
    WEIR_START,               /* the answer begins: its id and model, as far as the upstream says them           */
    WEIR_OPAQUE,              /* what only its issuer can read (a signature, encrypted reasoning), to be handed
                                 back to it: about the reasoning block named, or the call that follows           */
    WEIR_VECTOR,              /* an embedding: `choice` says of which input                                      */
    WEIR_SCORE,               /* rerank, the most relevant first: `choice` is a document's place in the request, `text`
                                 its relevance, a number                                                         */
};

enum weir_finish {            /* why a choice ended, in words that all dialects share */
    WEIR_FINISH_UNKNOWN, WEIR_FINISH_STOP, WEIR_FINISH_STOP_SEQUENCE, WEIR_FINISH_LENGTH, WEIR_FINISH_CONTEXT,
    WEIR_FINISH_TOOL_CALLS, WEIR_FINISH_FILTERED, WEIR_FINISH_PAUSED, WEIR_FINISH_FAILED,
};

struct weir_usage {           /* a partition: no token is counted twice; -1 = not reported */
    int64_t input, cache_read, cache_write, output, reasoning, audio_in, audio_out;
};

struct weir_event {
    uint32_t size;            /* of this struct as its maker knows it: begin with {.size = sizeof(struct weir_event)} */
    enum weir_channel channel;
    uint32_t choice, block;   /* each (choice, channel, block) is a stream of its own; a tool call is a block    */
    struct weir_str text;     /* decode: the string's bytes as they stand in the frame's data, escapes as sent.
                                 stages: unescaped; arguments: one piece of one string inside them               */
    uint32_t at, len;         /* decode: where that string stands in frame->data, quotes not included; both 0: the
                                 event has no text in the frame                                                  */
    bool escaped;             /* decode: the string holds a backslash                                            */
    bool copy;                /* decode: repeats text of earlier events of its stream; follows their edits.  Without
                                 text but with a length: an array or object that says it in another form
                                 (logprobs): sent as null once the stream is held back or edited                 */
    bool last;                /* nothing more on this stream: what is held must be emitted now                   */
    struct weir_str tool_id, tool_name;      /* ARGUMENTS: in the first event of a call                          */
    struct weir_str detail;   /* FINISH: the reason as the upstream says it; ERRORED: the message; START: the id;
                                 OPAQUE: the data                                                                */
    const struct weir_usage *usage;          /* USAGE                                                            */
    bool raw;                 /* decode: the text at `at` is JSON itself (an object of arguments, an array of
                                 numbers), or plain text in a frame that is no JSON; not the inside of a string  */
    enum weir_finish finish;  /* FINISH                                                                          */
    int status;               /* ERRORED: HTTP status that says it best; 0: unknown                              */
    struct weir_str value;    /* FINISH: the stop sequence that was hit; ERRORED: a short code; START: the model;
                                 OPAQUE: "ISSUER.KIND", such as "anthropic.signature" (docs/canonical.md)        */
    uint32_t retry_after;     /* ERRORED: seconds after which the upstream may be asked again; 0: not said       */
};

/* ---- credentials that expire --------------------------------------------------------------------------------- */

#define WEIR_CREDENTIAL_MAX 16384

struct weir_credential {      /* filled by `credential`, zeroed before */
    uint32_t size;            /* of this struct as the host knows it; set by the host                            */
    struct weir_str secret;   /* for `encode`, in whatever form it likes; "": this block needs none              */
    int64_t expires;          /* seconds, Unix; 0: never                                                         */
    uint32_t again;           /* seconds until it is asked for again; 0: in time before it expires               */
    const char *from;         /* where it came from ("web_identity"), for the log                                */
};

struct weir_fetch {           /* an HTTP request; begin with {.size = sizeof(struct weir_fetch)} */
    uint32_t size;
    const char *method, *url;
    const char *const *headers;              /* "name: value" each, NULL-ended; NULL: none                       */
    struct weir_str body;
    uint32_t timeout;                        /* ms, for all of it; 0: 5 s                                        */
};
struct weir_fetched { uint32_t size; int status; struct weir_str body; };    /* body: ended by 0 */

/* ---- records and sinks ----------------------------------------------------------------------------------------- */

struct weir_field { struct weir_str name, text; int64_t number; bool is_number; };

struct weir_record {          /* one line of the journal; docs/records.md lists the fields */
    uint32_t size, field_size;
    uint64_t seq;             /* one sequence for the whole journal, without gaps                                */
    int64_t  time_us;         /* Unix, microseconds                                                              */
    struct weir_str kind;     /* "open", "close", "deny", "gap"                                                  */
    const struct weir_field *fields;  size_t count;
    struct weir_str json;     /* the same as one JSON object, without a line end                                 */
};

/* ---- options --------------------------------------------------------------------------------------------------- */

enum weir_type { WEIR_T_END, WEIR_T_STR, WEIR_T_INT, WEIR_T_NUM, WEIR_T_BOOL, WEIR_T_LIST };
enum weir_unit {
    WEIR_PLAIN,
    WEIR_MS,                  /* INT, typed as 250, "250ms", "5s", "2m", "1h", "1d"; kept in milliseconds        */
    WEIR_BYTES,               /* INT, typed as 4096, "64k", "10M", "1G" (powers of 1024); kept in bytes          */
    WEIR_SECRET,              /* STR, typed as "env:NAME", "file:/path" or "exec:COMMAND"; kept as its value;
                                 never shown                                                                     */
    WEIR_PATH,                /* STR, a file or folder; relative to the configuration file                       */
};

struct weir_list { const char *const *items; size_t count; };

struct weir_option {
    const char *name, *fallback, *help;  /* fallback: as the user would type it, "" empty; NULL: required        */
    enum weir_type type;
    enum weir_unit unit;
    size_t offset;
    double min, max;                     /* checked when min < max                                               */
    const char *const *choices;          /* NULL-ended, or NULL                                                  */
};

/* One row: the key is the field's name and the type is the field's type, each said once.  A list's fallback is its
 * items with spaces between.  After the help: .unit .min .max .choices as needed. */
#define WEIR_OPT(S, field, fallback_, ...)                                                 \
    { .name = #field, .fallback = fallback_, .offset = offsetof(S, field),                 \
      .type = _Generic(((S *)0)->field,                                                    \
          const char *: WEIR_T_STR, int64_t: WEIR_T_INT, double: WEIR_T_NUM,               \
          bool: WEIR_T_BOOL, struct weir_list: WEIR_T_LIST),                               \
      .help = __VA_ARGS__ }
#define WEIR_OPT_END { .type = WEIR_T_END }

/* ---- the plugin: the life of a request, top to bottom ---------------------------------------------------------- */

struct weir_ctx {             /* what every [worker] hook gets; the host's own part lies behind it */
    const struct weir_host *host;
    const void *shared;       /* what `prepare` built: read-only, the same for all workers                       */
    void *self;               /* the instance in this process: options filled in, then what `init` added         */
    void *local;              /* this request's block: zeroed, local_size bytes; NULL when local_size is 0       */
};

struct weir_plugin {
    uint32_t abi, size, option_size, path_size;  /* filled by WEIR_PLUGIN */
    const char *name;         /* the same as the file's, without .so                                             */
    const char *version, *summary;
    const struct weir_option *options;           /* fields of `self`, ended by WEIR_OPT_END; NULL: none          */
    size_t shared_size, self_size, local_size;   /* bytes per generation, per process, per request               */

    const char *dialect;      /* the wire format it speaks, to clients (paths) or upstream (encode, serve)       */
    const struct weir_path *paths;               /* dialect: what it serves, ended by a row with path NULL       */
    uint32_t lifts;           /* kinds, WEIR_CAN(...) | ..., of which `lift` makes a canonical request           */
    uint32_t lowers;          /* kinds that `encode` makes of a canonical request                                */

    /* [load] Once per generation.  `options` is a filled `self`; `shared` is zeroed.  May read files. */
    bool (*prepare)(void *shared, const void *options, struct weir_error *);
    /* [worker or sink] Once per process, options filled in. */
    bool (*init)(void *self, const void *shared, struct weir_error *);
    void (*fini)(void *self);

    /* [worker] dialect: client bytes -> struct weir_request and spans (weir_span).  The body has been skimmed:
     * weir_body().  false: 400 with the error. */
    bool (*accept)(struct weir_ctx *, struct weir_request *, struct weir_error *);

    /* [worker] guardrail: asked, must answer.  May edit spans (weir_edit), add labels, block, wait. */
    enum weir_verdict (*on_request)(struct weir_ctx *);
    /* [worker] guardrail: may change `rank` and set `out`; walk the array by `stride`. */
    enum weir_verdict (*on_route)(struct weir_ctx *, struct weir_candidate *, size_t n, size_t stride);

    /* [worker] dialect: only when the candidate speaks another one.  The body (weir_body: with all edits in it) -> the
     * canonical request, written with weir_out().  What has no place there: weir_lossy().  Called once, before the
     * first such attempt.  false: 400 with the error. */
    bool (*lift)(struct weir_ctx *, struct weir_error *);
    /* [worker] provider: pure translation; the host owns the socket.  NULL: the dialect's own encode is called.
     * weir_canonical() is NULL when the client speaks the same dialect: its bytes are sent, with splices.  Else the
     * body must be made of it.  UNSUPPORTED: the next candidate is tried, then 400 with the error; FAIL: the attempt
     * fails. */
    enum weir_verdict (*encode)(struct weir_ctx *, const struct weir_candidate *, struct weir_http *,
                                struct weir_error *);
    /* [worker] in-process provider: stands in for the upstream.  Writes the bytes of an HTTP/1.1 response with
     * weir_serve(), at once or from timers (weir_after), until `last`. */
    void (*serve)(struct weir_ctx *, const struct weir_candidate *);
    /* [worker] provider: a frame -> events (weir_emit), in the order of the frame; may mark it (weir_frame_drop,
     * weir_frame_splice).  false: the frame makes no sense; the attempt ends as an upstream error.  NULL: the
     * dialect's own decode is called. */
    bool (*decode)(struct weir_ctx *, const struct weir_frame *, struct weir_error *);

    /* [worker] guardrail: one piece of text (TEXT, REASONING, ARGUMENTS).  Pass it on, changed or not, with
     * weir_emit(); what is not emitted is held back or removed.  With `last` everything held must be emitted. */
    enum weir_verdict (*on_event)(struct weir_ctx *, const struct weir_event *);
    /* [worker] guardrail: the whole answer has arrived; weir_answer() has its texts.  A stage that has no on_event
     * holds a stream back until this. */
    enum weir_verdict (*on_response)(struct weir_ctx *);
    /* [worker] Only while the ctx waits: the client left or time is up.  No hook and no timer follows. */
    void (*on_cancel)(struct weir_ctx *);

    /* [worker] dialect: an event that has no frame of its own -> client bytes (weir_out).  false: it cannot be said
     * here, and the host refuses to go on.
     * Same dialect: held text set free, and DONE_MARK.  Other dialect: everything, and the first is START.  Then texts
     * come unescaped, the pieces of a block one after the other with `last` at its end, but blocks may take turns; then
     * USAGE and FINISH, as the upstream has them, and DONE_MARK when all is complete.  weir_request()->stream says
     * whether a stream is written piece by piece, or one body at DONE_MARK.  An error ends it by `refuse`. */
    bool (*answer)(struct weir_ctx *, const struct weir_event *);
    /* [worker] dialect: an error -> client bytes (weir_out): a body, or an event that ends the stream. */
    void (*refuse)(struct weir_ctx *, const struct weir_refusal *);
    /* [worker] dialect: the models this caller may use -> client bytes (weir_out).  For WEIR_SHOW_MODEL the host
     * gives the one. */
    void (*list)(struct weir_ctx *, const struct weir_model *, size_t n, size_t stride);

    /* [worker] any stage: last chance to add fields to the `close` record (weir_label). */
    void (*on_record)(struct weir_ctx *);

    /* [sink] Told, cannot object.  Records in order; may block.  The host batches, retries, keeps the cursor. */
    enum weir_sent (*write)(void *self, const struct weir_record *, size_t n, size_t stride, struct weir_error *);

    /* [keeper] provider: gets a credential that expires (a token, the keys of a session), in a process of its own where
     * it may block: at the start, in time before it expires, and when the upstream refuses it.  Services: log, alloc,
     * skim, unescape, fact ("time", "provider") and fetch.  false: the error says why, with the cure; it is asked
     * again later, and what it got before stays in use until it expires. */
    bool (*credential)(struct weir_ctx *, struct weir_credential *, struct weir_error *);

    /* 1.1 hooks go here */
};

#define WEIR_PLUGIN(...)                                                                   \
    __attribute__((visibility("default")))                                                 \
    const struct weir_plugin weir_plugin = {                                               \
        .abi = WEIR_ABI, .size = sizeof(struct weir_plugin),                               \
        .option_size = sizeof(struct weir_option), .path_size = sizeof(struct weir_path),  \
        __VA_ARGS__ }

/* ---- what the host does for a plugin --------------------------------------------------------------------------- */

struct weir_host {
    uint32_t abi, size, span_size, event_size;

    /* [any hook with a ctx] One line in the log, with the instance and the request's id.  No content, no secrets. */
    void  (*log)(struct weir_ctx *, enum weir_level, const char *fmt, va_list);
    /* Zeroed memory that lasts as long as the request. */
    void *(*alloc)(struct weir_ctx *, size_t);

    /* The client's body, skimmed; NULL when there is none. */
    const struct weir_json *(*body)(struct weir_ctx *);
    const struct weir_request *(*request)(struct weir_ctx *);
    /* Skims other text, as strictly; lasts as long as the request.  NULL and the error when it is no JSON. */
    const struct weir_json *(*skim)(struct weir_ctx *, struct weir_str text, struct weir_error *);
    /* The value of a JSON string's raw text.  Lasts as long as the request; the same pointer if nothing is escaped. */
    struct weir_str (*unescape)(struct weir_ctx *, struct weir_str raw);
    /* What the host knows: "key", "workspace", "model", "provider", "request_id", "time" (seconds, Unix: when the request
     * came), "base" ("/api" when the client's path begins so), "header.NAME".  In list, of its row N, "listed.N.NAME".
     * In encode, of the candidate's model as the catalogue has it, "model.NAME" (docs/models.md: model.max_output,
     * model.context ...), and of its provider "promise.NAME" (retention, training, region, entity).  "" when absent. */
    struct weir_str (*fact)(struct weir_ctx *, const char *name);

    /* encode, decode: the canonical request, skimmed; NULL when client and candidate speak one dialect. */
    const struct weir_json *(*canonical)(struct weir_ctx *);
    /* lift, encode: this field of the client's request cannot be said.  A `hint` (what changes no meaning) is always left
     * out, and told in the header x-weir-dropped and in the record.  Anything else only when the provider's block says
     * unsupported = "drop": true, leave it out, it is told.  false: refuse, with this field in the error. */
    bool (*lossy)(struct weir_ctx *, struct weir_str field, bool hint);

    /* accept: declares the string node `node` of the body as text that stages may see; what is no string, or is empty,
     * is passed over. */
    void (*span)(struct weir_ctx *, uint32_t node, enum weir_where, enum weir_form, uint32_t message, uint32_t part);
    /* Stages: all spans of the request.  Walk by span_size. */
    const struct weir_span *(*spans)(struct weir_ctx *, size_t *n);
    /* on_request only: replaces bytes [from, to) of spans[index].text, at once: the next edit counts in the new text,
     * so several are made from the back.  Later stages see it. */
    void (*edit)(struct weir_ctx *, size_t index, size_t from, size_t to, struct weir_str with);
    /* on_response: the answer's texts as the client will see them, one TEXT, REASONING or ARGUMENTS event each. */
    const struct weir_event *(*answer)(struct weir_ctx *, size_t *n);

    /* A field of the request's `close` record. */
    void (*label)(struct weir_ctx *, struct weir_str name, struct weir_str value);
    /* Before returning WEIR_BLOCK.  `code` goes to the client; `reason` only to the record. */
    void (*block)(struct weir_ctx *, const char *code, struct weir_str reason);

    /* encode: what to send.  The body is the client's with the stages' edits, unless http_body() replaces it; `at` and
     * `len` of a splice are bytes of the client's body, and `with` is raw JSON text.  Splices must not overlap. */
    void (*http_target)(struct weir_http *, const char *method, struct weir_str url);
    void (*http_header)(struct weir_http *, const char *name, struct weir_str value);
    void (*http_splice)(struct weir_http *, uint32_t at, uint32_t len, struct weir_str with);
    void (*http_body)(struct weir_http *, struct weir_str);
    /* serve: bytes of the upstream's response, framed as HTTP/1.1; `last`: the connection ends after them. */
    void (*serve)(struct weir_ctx *, struct weir_str bytes, bool last);

    /* decode and on_event: hands an event to the next stage, in the end to the client. */
    void (*emit)(struct weir_ctx *, const struct weir_event *);
    /* decode: the client does not get this frame.  Its events are seen all the same. */
    void (*frame_drop)(struct weir_ctx *);
    /* decode: bytes [at, at + len) of frame->data reach the client as `with`.  answer, while text is set free ahead of a
     * frame, may do the same, and a splice of the same bytes takes the place of decode's. */
    void (*frame_splice)(struct weir_ctx *, uint32_t at, uint32_t len, struct weir_str with);
    /* answer, refuse, list: bytes to the client.  lift: of the canonical request. */
    void (*out)(struct weir_ctx *, struct weir_str);

    /* One timer per ctx: calls `fire` once after `ms`; NULL stops it.  Never fires after the request's end. */
    void (*after)(struct weir_ctx *, uint32_t ms, void (*fire)(struct weir_ctx *));
    /* Ends a WEIR_WAIT.  A second call is ignored and logged. */
    void (*resume)(struct weir_ctx *, enum weir_verdict);

    /* credential: sends one request and waits for its answer, by the block's proxy (https only) and ca.  No redirect is
     * followed; an answer may have 256 KB.  What is filled in lasts until the hook returns.  false: there is no answer. */
    bool (*fetch)(struct weir_ctx *, const struct weir_fetch *, struct weir_fetched *, struct weir_error *);
    /* encode: what the block's `credential` got, while it is valid; lasts as long as the request.  ptr NULL: there is
     * none now.  Then return WEIR_WAIT: encode is called again, from its beginning, once there is one; or the
     * request fails with 503. */
    struct weir_str (*credential)(struct weir_ctx *);

    /* accept: the string node `node` of the body names one more model that is asked for, as each line of a batch does.  The
     * key must be allowed all of them, the provider must serve them, and they are sent as the provider calls them. */
    void (*model)(struct weir_ctx *, uint32_t node);

    /* encode: where the answer comes as application/vnd.amazon.eventstream, each frame is an envelope, JSON whose member
     * `bytes` is one record of the dialect's own in base64.  `decode` and clients get it as the SSE record that it is. */
    void (*http_enveloped)(struct weir_http *);

    /* 1.1 services go here */
};

/* true when this host has `service`: for plugins built against a newer header than the host's. */
#define weir_has(ctx, service)                                                             \
    (offsetof(struct weir_host, service) + sizeof (ctx)->host->service <= (ctx)->host->size)

__attribute__((format(printf, 3, 4)))
static inline void weir_log(struct weir_ctx *c, enum weir_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->host->log(c, level, fmt, ap);
    va_end(ap);
}

#define weir_alloc(c, n)                ((c)->host->alloc((c), (n)))
#define weir_body(c)                    ((c)->host->body(c))
#define weir_request(c)                 ((c)->host->request(c))
#define weir_skim(c, text, e)           ((c)->host->skim((c), (text), (e)))
#define weir_unescape(c, raw)           ((c)->host->unescape((c), (raw)))
#define weir_fact(c, name)              ((c)->host->fact((c), (name)))
#define weir_canonical(c)               ((c)->host->canonical(c))
#define weir_lossy(c, field, hint)      ((c)->host->lossy((c), (field), (hint)))
#define weir_span(c, node, w, f, m, p)  ((c)->host->span((c), (node), (w), (f), (m), (p)))
#define weir_model(c, node)             ((c)->host->model((c), (node)))
#define weir_spans(c, n)                ((c)->host->spans((c), (n)))
#define weir_edit(c, i, from, to, with) ((c)->host->edit((c), (i), (from), (to), (with)))
#define weir_answer(c, n)               ((c)->host->answer((c), (n)))
#define weir_label(c, name, value)      ((c)->host->label((c), (name), (value)))
#define weir_block(c, code, why)        ((c)->host->block((c), (code), (why)), WEIR_BLOCK)
#define weir_serve(c, bytes, last)      ((c)->host->serve((c), (bytes), (last)))
#define weir_emit(c, ...)               ((c)->host->emit((c), __VA_ARGS__))   /* a compound literal has commas */
#define weir_frame_drop(c)              ((c)->host->frame_drop(c))
#define weir_frame_splice(c, at, n, w)  ((c)->host->frame_splice((c), (at), (n), (w)))
#define weir_out(c, ...)                ((c)->host->out((c), __VA_ARGS__))
#define weir_after(c, ms, fire)         ((c)->host->after((c), (ms), (fire)))
#define weir_resume(c, verdict)         ((c)->host->resume((c), (verdict)))
#define weir_fetch(c, ask, got, e)      ((c)->host->fetch((c), (ask), (got), (e)))
#define weir_credential(c)              ((c)->host->credential(c))

#endif
