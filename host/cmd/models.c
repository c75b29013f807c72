/* SPDX-License-Identifier: Apache-2.0 */
/* models.c -- `weir models`: what the catalogue knows, as the configuration has changed it; and how one is made. */
#include "cmd/models.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "world/build.h"
#include "world/catalogue.h"

/* What the words of the command line ask for. */
struct asked {
    const char *config, *file, *provider, *out;
    bool json;
    struct world *world; /* of the configuration, or with nothing but a catalogue */
    bool bare;           /* the latter */
};

/* ---- the catalogue ---- */

/* Without a configuration only the file is read: plugins and secrets have no part in it. */
static void open_bare(struct asked *a, struct buf *notes, struct buf *faults)
{
    struct world *w = must_alloc(sizeof *w);
    struct build b = {.world = w, .depth = WORLD_CHECK, .notes = notes, .faults = faults};

    w->settings.catalogue = catalogue_path(&w->arena, a->file ? a->file : "");
    catalogue_build(&b);
    a->world = w;
    a->bare = true;
}

static void close_world(struct asked *a)
{
    if (a->bare) {
        arena_fini(&a->world->arena);
        free(a->world);
    } else {
        world_free(a->world);
    }
    a->world = NULL;
}

/* false: stderr has said why. */
static bool open_world(struct asked *a)
{
    const struct world_source from = {.file = a->config};
    struct buf notes = {0}, faults = {0};
    bool ok;

    if (a->config)
        a->world = world_load_from(&from, WORLD_CHECK, &notes, &faults);
    else
        open_bare(a, &notes, &faults);
    ok = a->world && !faults.len && (a->world->catalogue->model_count || !notes.len);
    if (!ok)
        fprintf(stderr, STR_FMT, STR_ARG(faults.len ? buf_view(&faults) : buf_view(&notes)));
    if (a->world && !ok)
        close_world(a);
    buf_fini(&notes);
    buf_fini(&faults);
    return ok;
}

/* ---- JSON ---- */

static json_t *words_json(const char *words)
{
    json_t *list = json_array();

    for (size_t n; *words; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        if (n)
            json_array_append_new(list, json_stringn_nocheck(words, n));
    }
    return list;
}

static bool is_list(const struct catalogue_field *f)
{
    static const char *const lists[] = {"efforts", "tool_efforts", "refuses", "parameters", NULL};

    for (const char *const *l = lists; *l; l++)
        if (strcmp(*l, f->name) == 0)
            return true;
    return f->kind == FIELD_MODALITIES;
}

/* A fact that is not known has no member. */
static void field_json(json_t *to, const struct catalogue_field *f, const struct catalogue_model *m,
                       const struct catalogue_endpoint *e)
{
    struct buf text = {0};

    catalogue_print(&text, f, m, e);
    if (text.len) {
        buf_char(&text, '\0');
        if (is_list(f))
            json_object_set_new(to, f->name, words_json(text.ptr));
        else if (f->kind == FIELD_FLAG)
            json_object_set_new(to, f->name, json_boolean(strcmp(text.ptr, "true") == 0));
        else if (f->kind == FIELD_TOKENS)
            json_object_set_new(to, f->name, json_integer(catalogue_number(f, m, e)));
        else
            json_object_set_new(to, f->name, json_string_nocheck(text.ptr));
    }
    buf_fini(&text);
}

static void tiers_json(json_t *to, const struct catalogue_endpoint *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < e->tier_count; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "tokens", json_integer(e->tiers[i].above));
        for (int k = 0; k < PRICE_KINDS; k++) {
            struct buf text = {0};
            if (e->tiers[i].prices[k] < 0)
                continue;
            price_print(&text, e->tiers[i].prices[k]);
            json_object_set_new(o, price_names[k], json_stringn_nocheck(text.ptr, text.len));
            buf_fini(&text);
        }
        json_array_append_new(list, o);
    }
    json_object_set_new(to, "above", list);
}

static json_t *endpoint_json(const struct catalogue_model *m, const struct catalogue_endpoint *e)
{
    json_t *o = json_pack("{s:s, s:s}", "provider", e->provider, "model", e->upstream);

    must(o);
    if (*e->status)
        json_object_set_new(o, "status", json_string_nocheck(e->status));
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
        if (f->in_endpoint != FIELD_NOWHERE)
            field_json(o, f, m, e);
    if (e->tier_count)
        tiers_json(o, e);
    return o;
}

static json_t *model_json(const struct catalogue_model *m)
{
    json_t *o = json_object(), *endpoints = json_array();

    json_object_set_new(o, "id", json_string_nocheck(m->id));
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
        field_json(o, f, m, NULL);
    for (size_t i = 0; i < m->endpoint_count; i++)
        json_array_append_new(endpoints, endpoint_json(m, m->endpoints[i]));
    json_object_set_new(o, "endpoints", endpoints);
    return o;
}

/* A disk that is full is told by cmd_print(). */
static void print_json(json_t *t)
{
    (void)json_dumpf(t, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    printf("\n");
    json_decref(t);
}

/* ---- list ---- */

static const struct catalogue_endpoint *first_at(const struct catalogue_model *m, const char *provider)
{
    for (size_t i = 0; i < m->endpoint_count; i++)
        if (!provider || strcmp(m->endpoints[i]->provider, provider) == 0)
            return m->endpoints[i];
    return NULL;
}

static void cell(struct cmd_table *t, const char *field, const struct catalogue_model *m,
                 const struct catalogue_endpoint *e)
{
    struct buf text = {0};

    catalogue_print(&text, catalogue_field(field), m, e);
    cmd_cell(t, STR_FMT, STR_ARG(text.len ? buf_view(&text) : WEIR_STR("-")));
    buf_fini(&text);
}

/* Limits and prices are those of the provider asked for, else of the first that is listed. */
static void list_row(struct cmd_table *t, const struct catalogue_model *m, const char *provider)
{
    const struct catalogue_endpoint *e = first_at(m, provider);

    cmd_cell(t, "%s", m->id);
    cell(t, "context", m, e);
    cell(t, "max_output", m, e);
    cell(t, "input_price", m, e);
    cell(t, "output_price", m, e);
    cell(t, "inputs", m, e);
    cmd_cell(t, "%s%s%s%s", m->tools == 1 ? "tools " : "", m->reasoning == 1 ? "reasoning " : "",
             m->structured_output == 1 ? "schema" : "",
             m->tools < 1 && m->reasoning < 1 && m->structured_output < 1 ? "-" : "");
    cmd_cell(t, "%s", e ? e->provider : "-");
}

/* A glob without author means any. */
static bool wanted(const struct asked *a, const struct catalogue_model *m, const char *glob)
{
    const char *slash = strrchr(m->id, '/'), *bare = slash ? slash + 1 : m->id;

    if (glob && !str_glob(str_of(glob), str_of(m->id)) && !str_glob(str_of(glob), str_of(bare)))
        return false;
    return !a->provider || first_at(m, a->provider);
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct catalogue_model *const *)a)->id, (*(struct catalogue_model *const *)b)->id);
}

static int print_list(struct asked *a, const char *glob)
{
    static const char *const heads[] = {"model", "context", "max output", "input", "output", "reads", "can", "at"};
    struct cmd_table t = {.columns = sizeof heads / sizeof *heads};
    const struct catalogue *c = a->world->catalogue;
    json_t *rows = json_array();
    size_t n = 0;

    qsort(c->models, c->model_count, sizeof *c->models, by_id);
    for (size_t i = 0; i < t.columns; i++)
        cmd_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < c->model_count; i++) {
        if (!wanted(a, c->models[i], glob))
            continue;
        n++;
        if (a->json)
            json_array_append_new(rows, model_json(c->models[i]));
        else
            list_row(&t, c->models[i], a->provider);
    }
    if (a->json) {
        print_json(json_incref(rows));
        buf_fini(&t.cells);
    } else if (n) {
        cmd_table_print(&t, "");
    } else {
        printf("no model of %zu is meant by that\n", c->model_count);
        buf_fini(&t.cells);
    }
    json_decref(rows);
    return cmd_print(WEIR_STR(""));
}

/* ---- show ---- */

static void show_endpoints(const struct catalogue_model *m)
{
    static const char *const fields[] = {"context",      "max_output",       "input_price",
                                         "output_price", "cache_read_price", "cache_write_price"};
    static const char *const heads[] = {"provider", "model",      "context",     "max output", "input",
                                        "output",   "cache read", "cache write", "status"};
    struct cmd_table t = {.columns = sizeof heads / sizeof *heads};

    if (!m->endpoint_count)
        return;
    for (size_t i = 0; i < t.columns; i++)
        cmd_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < m->endpoint_count; i++) {
        const struct catalogue_endpoint *e = m->endpoints[i];
        cmd_cell(&t, "%s", e->provider);
        cmd_cell(&t, "%s", e->upstream);
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            cell(&t, fields[k], m, e);
        cmd_cell(&t, "%s%s", e->status, e->tier_count ? " (dearer above a length: --json)" : "");
    }
    printf("\nat (prices in USD per million tokens)\n");
    cmd_table_print(&t, "  ");
}

static int print_model(const struct asked *a, const struct catalogue_model *m)
{
    struct cmd_table t = {.columns = 2};
    struct buf text = {0};

    if (a->json) {
        print_json(model_json(m));
        return cmd_print(WEIR_STR(""));
    }
    printf("%s\n", m->id);
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++) {
        text.len = 0;
        catalogue_print(&text, f, m, NULL);
        if (!text.len)
            continue;
        cmd_cell(&t, "%s", f->name);
        cmd_cell(&t, STR_FMT, STR_ARG(buf_view(&text)));
    }
    buf_fini(&text);
    cmd_table_print(&t, "  ");
    show_endpoints(m);
    return cmd_print(WEIR_STR(""));
}

static int unknown_model(const struct catalogue *c, const char *id)
{
    struct names names = {0};
    const char *near;

    for (size_t i = 0; i < c->name_count; i++)
        names_add(&names, c->names[i].text.ptr);
    near = names.count ? str_nearest(id, names.list) : NULL;
    fprintf(stderr, "weir models: no model is called \"%s\"; %s%s%s\n", id,
            near ? "did you mean \"" : "\"weir models list\" lists them", near ? near : "", near ? "\"?" : "");
    names_fini(&names);
    return CMD_FAILED;
}

/* ---- the command ---- */

static int list_or_show(struct asked *a, bool show, const char *word)
{
    const struct catalogue_model *m;
    int status;

    if (a->config && a->file)
        return cmd_misused(&cmd_models, "the configuration says which catalogue it has: --config or --file, not both");
    if (a->out || (show && a->provider))
        return cmd_misused(&cmd_models, a->out ? "--out is for import" : "--provider is for list");
    if (!open_world(a))
        return CMD_FAILED;
    if (show) {
        m = catalogue_find(a->world->catalogue, str_of(word));
        status = m ? print_model(a, m) : unknown_model(a->world->catalogue, word);
    } else {
        status = print_list(a, word);
    }
    close_world(a);
    return status;
}

static int run(int argc, char **argv)
{
    struct asked a = {0};
    const struct cmd_option options[] = {
        {'c', "config", &a.config, NULL}, {'f', "file", &a.file, NULL}, {'p', "provider", &a.provider, NULL},
        {'o', "out", &a.out, NULL},       {0, "json", NULL, &a.json},
    };
    const char *what, *word;

    if (!cmd_options(&cmd_models, &argc, argv, options, sizeof options / sizeof *options))
        return CMD_USAGE;
    what = argc > 1 ? argv[1] : "";
    word = argc > 2 ? argv[2] : NULL;
    if (argc > 3)
        return cmd_misused(&cmd_models, "what is \"%s\"?", argv[3]);
    if (strcmp(what, "list") == 0)
        return list_or_show(&a, false, word);
    if (strcmp(what, "show") == 0 && word)
        return list_or_show(&a, true, word);
    if (strcmp(what, "import") == 0 && word) {
        if (a.config || a.file || a.provider || a.json)
            return cmd_misused(&cmd_models, "import takes a file and --out");
        return models_import(word, a.out);
    }
    if (strcmp(what, "show") == 0 || strcmp(what, "import") == 0)
        return cmd_misused(&cmd_models, *what == 's' ? "show needs a model" : "import needs a file");
    return cmd_misused(&cmd_models, "say \"weir models list\", \"weir models show ID\" or \"weir models import FILE\"");
}

const struct cmd cmd_models = {
    .name = "models",
    .summary = "Lists what is known of models, shows one, or makes a catalogue of them",
    .usage = "weir models list [-c FILE | -f FILE] [-p PROVIDER] [--json] [GLOB]\n"
             "weir models show [-c FILE | -f FILE] [--json] ID\n"
             "weir models import FILE [-o OUT]\n"
             "\n"
             "  -c, --config FILE         a configuration: its catalogue, with its `models` blocks laid over it\n"
             "  -f, --file FILE           a catalogue; without both the one that belongs to this weir\n"
             "  -p, --provider NAME       only models that this provider has, with its limits and prices\n"
             "  -o, --out OUT             the catalogue that is made; without it stdout\n"
             "      --json                JSON in place of tables\n"
             "\n"
             "GLOB is part of a name with * for anything: \"openai/*\", \"*claude*\".  ID may be the catalogue's, a "
             "provider's, or\n"
             "without its author.  What is not known is not shown, or shown as \"-\".  Prices are USD per million "
             "tokens.\n"
             "`import` reads a list of models that was regrouped from models.dev; docs/models.md has both formats.\n",
    .run = run,
};
