/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h -- everything a configuration says, checked and built: settings, plugins, instances, providers, keys.
 *
 * Built once per generation by world_load(), immutable afterwards, shared copy-on-write by the forked workers.  Each
 * process then calls world_init() for what it has for itself (`self` blocks).  Who reads it: workers, the recorder
 * (settings only), sink processes.  It must not know requests.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include "base/arena.h"
#include "base/buf.h"
#include "weir.h"
#include "world/secret.h"

struct evp_md_ctx_st;
struct evp_md_st;
struct ssl_ctx_st;
struct catalogue;
struct catalogue_model;
struct catalogue_endpoint;

/* The top level of the file.  One row of settings_options[] (settings.c) for each field. */
struct settings {
    const char *listen;                      /* "ADDR:PORT" or "[V6]:PORT" */
    const char *admin;                       /* the same; "" none */
    const char *state;                       /* folder of the journal and the cursors */
    const char *plugins;                     /* folder that holds <kind>/<name>.so */
    struct weir_list dialects;               /* that clients may speak; empty: see dialects_load() */
    const char *catalogue;                   /* file of models */
    const char *presets;                     /* file of known providers */
    const char *tls_cert, *tls_key;          /* PEM files; "" plain HTTP */
    const char *durability;                  /* "batched" | "strict" */
    const char *log_level;
    int64_t workers;                         /* 0: one per core */
    struct weir_list cors_origins;           /* empty: CORS is off */
    int64_t max_connections;                 /* per worker */
    int64_t max_head, max_headers, max_body, max_form, form_memory, max_response, max_media, json_depth, json_nodes;
    int64_t head_timeout, body_timeout, idle_timeout, write_timeout;   /* ms; body_timeout: without min_rate */
    int64_t body_min_rate;                   /* bytes per second, after body_timeout of grace */
    int64_t strict_wait;                     /* ms a strict request waits for its `open` to be durable, then 503 */
    int64_t drain_timeout;                   /* ms a stopping worker gives its requests */
    int64_t ring_size, segment_size, journal_keep;      /* bytes */
};

struct plugin {                              /* a loaded .so; `hooks` has the host's size, later hooks are NULL */
    const char *name, *kind, *file;          /* kind: "providers", "guardrails", "sinks" */
    struct weir_plugin hooks;                /* its tables of options and paths too: plain arrays of the host's rows */
};

struct instance {                            /* a plugin and a block of the file */
    const char *name;
    const struct plugin *plugin;
    unsigned index;                          /* among all instances of the world: place of its ctx in a request */
    unsigned place;                          /* among the blocks of its part of the file, left-out ones counted: it is
                                                the same at every depth, so processes may agree on it */
    void *options;                           /* `self` as `init` will find it; copied per process */
    void *shared;                            /* what `prepare` built */
    void *self;                              /* in this process, after world_init() */
    bool unread;                             /* WORLD_CHECK: its options refer to secrets, which were not read */
    const char *file; int line;
};

struct model_rule {                          /* one item of a provider's `models`: "name", "glob*", "name=upstream" */
    struct weir_str pattern, upstream;       /* upstream "": the name as asked */
    bool glob;
};

struct provider {
    struct instance in;
    struct instance *dialect;                /* whose encode and decode serve when the plugin has none */
    /* common options: one row each of provider_options[] */
    struct weir_list models, only_for;
    const char *preset;                      /* the row that filled in what the block did not say; "" none */
    const char *url, *region, *retention, *unsupported, *proxy, *ca, *cert, *cert_key;
    bool asked;                              /* derived: a secret is referred to */
    bool always_translate;                   /* also clients of its own dialect, whose words it does not all know */
    bool home;                               /* takes requests that name neither a model nor a provider */
    bool optional;                           /* left out when its key is not set or its local server is silent */
    int64_t connect_timeout, tls_timeout, first_byte_timeout, idle_timeout, total_timeout;   /* ms */
    int64_t max_connections, keep_alive;     /* per worker; ms an idle connection is kept */
    /* derived */
    struct model_rule *rules; size_t rule_count;
    struct ssl_ctx_st *tls;                  /* for https; built before the fork */
    bool drops;                              /* unsupported = "drop" */
    struct weir_str *secrets; size_t secret_count;      /* values that no client, no log may see; of >= 8 bytes */
};

struct stage {
    struct instance in;
    /* common options: stage_options[] */
    const char *mode, *on_failure;       /* "enforce"|"observe"; "closed"|"open" */
    const char *on_unseen;                   /* "pass"|"block" */
    int64_t timeout;                         /* ms for one answer of one hook */
    bool observe, fail_open, block_unseen;   /* derived */
};

struct sink {
    struct instance in;
    /* common options: sink_options[] */
    int64_t batch_count, batch_bytes, batch_age;        /* ms */
    struct weir_list kinds;                  /* which records: "open" "close" "deny" "gap" */
};

struct key {
    const char *id;
    uint8_t sha256[32];
    const char *workspace;                   /* "" none */
    struct weir_list models, providers;      /* globs; empty: all */
    uint64_t hash;                           /* of id: its place in the shared counters */
    int64_t rate, rate_period_us, rate_burst;           /* requests; 0: no limit */
    int64_t concurrent;                      /* requests at once; 0: no limit */
    bool disabled;
    int line;                                /* of the file */
};

struct served {                              /* a path that a dialect serves */
    struct weir_str path;
    bool below;                              /* it ends in a slash: whatever stands behind it, too */
    struct instance *dialect;
    const struct weir_path *row;
};

struct world {
    struct arena arena;
    const char *file;                        /* the configuration */
    struct settings settings;
    struct { int listen, admin, state; } lines;          /* of the file, where it sets them; 0: it does not */
    struct plugin **plugins; size_t plugin_count;
    struct instance **dialects; size_t dialect_count;   /* one implicit instance per plugin that has `accept` */
    struct served *served; size_t served_count;         /* of all dialects, in their order */
    struct provider **providers; size_t provider_count;
    struct stage **stages; size_t stage_count;
    struct sink **sinks; size_t sink_count;
    struct catalogue *catalogue;             /* of models; empty for WORLD_SETTINGS, NULL in a sink's own process */
    struct key **keys; size_t key_count;
    uint8_t *digests;                        /* 32 bytes of each key, in the same order */
    struct evp_md_st *sha256; struct evp_md_ctx_st *digest;  /* to compute one with; NULL without keys */
    struct instance **instances; size_t instance_count;      /* all of the above, by index */
    size_t provider_places;                  /* blocks of providers, left-out ones counted */
    struct secrets secrets;
    struct ssl_ctx_st *tls;                  /* the listener's; NULL: plain */
};

enum world_depth {
    WORLD_SETTINGS,                          /* the file, its settings, keys, and the blocks' names: loads no plugin */
    WORLD_CHECK,                             /* and plugins with their options; `prepare` of what refers to no secret */
    WORLD_FULL,                              /* and secrets, all `prepare`s, local servers, TLS: workers fork from it */
};

struct world_source {
    const char *file;                        /* NULL: the built-in configuration */
    const char *listen;                      /* replaces the setting; NULL: as it says */
    const char *sink;                        /* a sink's own process: of all blocks only this one's plugin and secrets are loaded;
                                                the other sinks are there by name, for their places.  NULL: everything */
};

/* NULL: `faults` has gained one line "FILE:LINE: what is wrong; what to do" for each mistake that could be
 * found.  `notes` (may be NULL) gains one line of the same form for each optional block that was left out, and
 * for what is not wrong but odd.  Without any key a listener that other machines can reach is a fault, at every
 * depth and also when it comes from `listen`. */
struct world *world_load_from(const struct world_source *, enum world_depth, struct buf *notes, struct buf *faults);
/* The same; only the first fault is told, and cut at the error's size. */
struct world *world_load(const char *file, enum world_depth, struct buf *notes, struct weir_error *);
void world_free(struct world *);

/* Per process: copies options into `self`, calls `init` of every instance a worker uses (sink NULL), or of one sink. */
bool world_init(struct world *, struct sink *only, struct weir_error *);
void world_fini(struct world *);
/* The same for one of them. */
bool instance_init(struct instance *, struct weir_error *);
void instance_fini(struct instance *);

/* A key by the SHA-256 of what the client sent.  Compares all of them in constant time.  NULL: unknown, or disabled. */
const struct key *world_key(const struct world *, struct weir_str presented);
/* Whether a caller may have a model of this name, and be served by that provider.  NULL: no key is configured
 * ("local"). */
bool key_may_ask(const struct key *, struct weir_str model);
bool provider_open_to(const struct provider *, const struct key *);

/* Whether this provider serves `model`, and what it calls it: a piece of `model` or of the world. */
bool provider_serves(const struct provider *, struct weir_str model, struct weir_str *upstream);

/* What the catalogue knows of the model that this provider calls `upstream` and the client asked for as `asked`; NULL:
 * nothing, or nothing of it at this provider. */
struct provider_model { const struct catalogue_model *model; const struct catalogue_endpoint *endpoint; };
struct provider_model provider_model(const struct world *, const struct provider *, struct weir_str upstream,
                                     struct weir_str asked);

#endif
