/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue.h -- what is known of models: limits, prices, what they take.  Read from share/models.json once per
 * generation, the operator's `models` blocks laid over it, immutable afterwards and shared by the workers.
 *
 * Who asks: workers (facts for `encode`, the list of models, money), `weir models`.  It knows no requests.  Everything
 * may be unknown, and then says so: nothing is guessed, least of all a price.
 */
#ifndef WORLD_CATALOGUE_H
#define WORLD_CATALOGUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "weir.h"
#include "world/price.h"

#define CATALOGUE_UNKNOWN (-1)
#define CATALOGUE_FILE_MAX (16 << 20)        /* bytes of a file */
#define CATALOGUE_TOKENS_MAX 1000000000      /* of a limit */

/* What may be known of a model: X(NAME, KIND, HELP).  Each is a fact ("model.NAME"), an option of a `models` block, a member
 * of the file (prices without their "_price", and at the endpoints) and a row of docs/models.md. */
#define CATALOGUE_FIELDS(X)                                                                                             \
    X(name, TEXT, "The name for people.")                                                                               \
    X(released, TEXT, "The day it came out, such as 2026-02-23.")                                                       \
    X(knowledge, TEXT, "The day or month that its knowledge ends with.")                                                \
    X(context, TOKENS, "Tokens of a prompt and its answer together.")                                                   \
    X(max_output, TOKENS, "Tokens of an answer, reasoning counted; of an embedding model the length of its vectors.")   \
    X(inputs, MODALITIES, "What it reads: text, image, pdf, audio, video.")                                             \
    X(outputs, MODALITIES, "What it makes, in the same words.")                                                         \
    X(tools, FLAG, "Whether it calls tools.")                                                                           \
    X(reasoning, FLAG, "Whether it reasons before it answers.")                                                         \
    X(structured_output, FLAG, "Whether it can be held to a JSON schema.")                                              \
    X(open_weights, FLAG, "Whether its weights are published.")                                                         \
    X(max_tokens_field, TEXT,                                                                                           \
      "What chat completions must call the limit of output: max_tokens or max_completion_tokens.")                      \
    X(efforts, TEXT, "Efforts of reasoning that it takes, with spaces between, the least first.")                       \
    X(tool_efforts, TEXT,                                                                                               \
      "With which effort chat completions take function tools: \"absent\" when none may be given, else the efforts.")   \
    X(thinking, TEXT, "How reasoning is asked for: budget (in tokens), level, or adaptive.")                            \
    X(refuses, TEXT,                                                                                                    \
      "Parameters, as chat completions call them, that it answers with an error when they are not at their default; "   \
      "with spaces between.")                                                                                           \
    X(parameters, TEXT, "Parameters that it takes, when all of them are known; with spaces between.")                   \
    X(input_price, PRICE, "USD for a million tokens of input.")                                                         \
    X(output_price, PRICE, "USD for a million tokens of output.")                                                       \
    X(cache_read_price, PRICE, "USD for a million tokens of input that were read from a cache.")                        \
    X(cache_write_price, PRICE, "USD for a million tokens of input that were put into a cache.")                        \
    X(reasoning_price, PRICE, "USD for a million tokens of reasoning, where they are not paid as output.")

enum price_kind {
    PRICE_input_price, PRICE_output_price, PRICE_cache_read_price, PRICE_cache_write_price, PRICE_reasoning_price, PRICE_KINDS
};
extern const char *const price_names[];      /* "input", "output" ...: as members of the file; ended by NULL */

/* Bits of `inputs` and `outputs`, in the order of modality_names[], which ends with NULL. */
enum modality { MODALITY_TEXT, MODALITY_IMAGE, MODALITY_PDF, MODALITY_AUDIO, MODALITY_VIDEO };
extern const char *const modality_names[];

struct catalogue_tier { int64_t above, prices[PRICE_KINDS]; };         /* what counts above so many input tokens */

struct catalogue_endpoint {                  /* a model as one provider has it; what it does not say, the model says */
    const char *provider;                    /* as weir calls the vendor: its plugin's name, or the usual block's */
    const char *upstream;                    /* what it calls the model */
    const char *status;                      /* "beta", "deprecated", "" */
    int64_t context, max_output;
    int64_t prices[PRICE_KINDS];             /* pico-USD per token */
    const struct catalogue_tier *tiers; size_t tier_count;
};

/* Not known are: numbers CATALOGUE_UNKNOWN, texts "", sets 0. */
struct catalogue_model {
    const char *id;                          /* "author/name"; a pattern when it holds a star */
    const char *name, *released, *knowledge, *max_tokens_field, *efforts, *tool_efforts, *thinking, *refuses, *parameters;
    int64_t created;                         /* of `released`, seconds, Unix; 0 unknown */
    int64_t context, max_output;
    int64_t prices[PRICE_KINDS];             /* the operator's word; those of the file stand at the endpoints */
    int8_t tools, reasoning, structured_output, open_weights;
    uint8_t inputs, outputs;
    struct catalogue_endpoint **endpoints; size_t endpoint_count;
};

struct catalogue_name { struct weir_str text; const struct catalogue_model *model; int rank; };

struct catalogue {
    const char *file;                        /* NULL: none was read */
    struct catalogue_model **models; size_t model_count;     /* in the file's order, then those of the operator */
    struct catalogue_model **rules; size_t rule_count;       /* patterns: the operator's, then families */
    struct catalogue_name *names; size_t name_count;         /* sorted */
};

enum field_kind { FIELD_TEXT, FIELD_TOKENS, FIELD_PRICE, FIELD_FLAG, FIELD_MODALITIES };

#define FIELD_NOWHERE SIZE_MAX

struct catalogue_field {                     /* a row of CATALOGUE_FIELDS */
    const char *name, *help;
    enum field_kind kind;
    size_t in_model, in_endpoint;            /* offsets; in_endpoint FIELD_NOWHERE: the same at every provider */
};
extern const struct catalogue_field catalogue_fields[];      /* ended by a row with name NULL */

/* ---- asking ---- */

/* By its id, by what a provider calls it, by its id without the author when only one model is called so; else the first
 * pattern that fits.  NULL: unknown. */
const struct catalogue_model *catalogue_find(const struct catalogue *, struct weir_str name);

/* The endpoint of `provider` that is called `upstream`, or that provider's only one.  NULL: not known. */
const struct catalogue_endpoint *catalogue_at(const struct catalogue_model *, const char *provider, struct weir_str upstream);

/* A fact by its name in catalogue_fields[], or "id" or "author", as text that lives in the arena or the catalogue; ""
 * unknown.  The endpoint may be NULL. */
struct weir_str catalogue_fact(const struct catalogue_model *, const struct catalogue_endpoint *, const char *name,
                               struct arena *);
void catalogue_print(struct buf *, const struct catalogue_field *, const struct catalogue_model *,
                     const struct catalogue_endpoint *);     /* appends the fact, nothing when it is unknown */
int64_t catalogue_number(const struct catalogue_field *, const struct catalogue_model *, const struct catalogue_endpoint *);
const struct catalogue_field *catalogue_field(const char *name);           /* NULL: there is none */

struct weir_str catalogue_author(const struct catalogue_model *);          /* the id up to its slash, or "" */

/* ---- building ---- */

/* Where the file is: the setting, or when it is "" beside this program. */
const char *catalogue_path(struct arena *, const char *setting);

/* A new model of which nothing is known. */
struct catalogue_model *catalogue_model_new(struct arena *, const char *id);
struct catalogue_endpoint *catalogue_endpoint_new(struct arena *, struct catalogue_model *, const char *provider);

/* Midnight (UTC) of a day such as "2026-02-23", in seconds, Unix; 0 when it is none. */
int64_t catalogue_seconds(const char *day);

/* Adds the models of a file's text.  false: the error, and the line it is in (0: none in particular). */
bool catalogue_read(struct catalogue *, struct arena *, struct weir_str text, int *line, struct weir_error *);

/* What `from` knows goes into `to`: over what that knows (`replace`), or only where it knows nothing.  Of the endpoints
 * too, when replacing: all of them, or only `at`, which then gets what endpoints can have. */
void catalogue_merge(struct catalogue_model *to, const struct catalogue_model *from, bool replace,
                     struct catalogue_endpoint *at);

/* Fills in what families tell, and sorts the names; the catalogue is finished.  NULL, or an id that stands twice. */
const char *catalogue_finish(struct catalogue *, struct arena *);

/* Whether a pattern fits a name; a name without author is compared with what the pattern has behind its own, unless that
 * begins with a star. */
bool catalogue_fits(const char *pattern, struct weir_str name);

/* What holds for whole families of models, and no list of models tells; ended by a row with pattern NULL. */
struct catalogue_family {
    const char *pattern, *max_tokens_field, *efforts, *tool_efforts, *thinking, *refuses;
};
extern const struct catalogue_family catalogue_families[];

#endif
