/* SPDX-License-Identifier: Apache-2.0 */
/* docs.c -- `weir docs PAGE`: pages of docs/ in Markdown, printed from the tables in the code; tools/docs.sh keeps
 * them. */
#include <stdio.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "ipc/metrics.h"
#include "ipc/record.h"
#include "world/options.h"
#include "worker/kind.h"
#include "worker/pipeline.h"
#include "world/catalogue.h"
#include "world/plugin.h"

/* A table's cell: what Markdown would take for its own is escaped, but for `code`. */
static void cell(const char *text)
{
    bool code = false;

    for (; *text; text++) {
        code ^= *text == '`';
        if (*text == '|' || (!code && strchr("*<_", *text)))
            putchar('\\');
        putchar(*text == '\n' ? ' ' : *text);
    }
}

static const char *type_word(const struct weir_option *row)
{
    static const char *const units[] = {
        [WEIR_MS] = "time", [WEIR_BYTES] = "size", [WEIR_SECRET] = "secret", [WEIR_PATH] = "path"};
    static const char *const types[] = {[WEIR_T_STR] = "text",
                                        [WEIR_T_INT] = "number",
                                        [WEIR_T_NUM] = "number",
                                        [WEIR_T_BOOL] = "bool",
                                        [WEIR_T_LIST] = "list"};

    return row->unit && row->type != WEIR_T_LIST ? units[row->unit] : types[row->type];
}

static void option_rows(const struct weir_option *rows)
{
    printf("\n| option | type | default | what it does |\n| --- | --- | --- | --- |\n");
    for (; rows->type != WEIR_T_END; rows++) {
        struct buf fallback = {0}, limits = {0};
        options_default(&fallback, rows);
        options_limits(&limits, rows);
        buf_char(&fallback, '\0');
        printf("| `%s` | %s | %s%s%s | ", rows->name, type_word(rows), rows->fallback ? "`" : "", fallback.ptr,
               rows->fallback ? "`" : "");
        cell(rows->help);
        if (limits.len)
            printf(" (" STR_FMT ")", STR_ARG(buf_view(&limits)));
        printf(" |\n");
        buf_fini(&fallback);
        buf_fini(&limits);
    }
}

static int plugin_options(struct arena *a, const char *folder, const char *kind)
{
    struct names names = {0};
    int bad = 0;

    plugin_names(a, folder, kind, &names);
    for (size_t i = 0; i < names.count; i++) {
        char why[1024];
        const struct plugin *p = plugin_load(a, folder, kind, names.list[i], why, sizeof(why));
        if (!p) {
            fprintf(stderr, "weir: %s\n", why);
            bad++;
            continue;
        }
        printf("\n### %s\n\n", p->name);
        cell(p->hooks.summary);
        printf("\n");
        if (p->hooks.options && p->hooks.options->type != WEIR_T_END)
            option_rows(p->hooks.options);
        else
            printf("\nIt has no options of its own.\n");
    }
    names_fini(&names);
    return bad;
}

static bool page_options(const char *folder)
{
    struct arena a = {0};
    int bad = 0;

    printf("# Options\n\n"
           "A time is typed as `250`, `\"250ms\"`, `\"5s\"`, `\"2m\"`, `\"1h\"` or `\"1d\"`; a size as `4096`, "
           "`\"64k\"`, `\"10M\"` or `\"1G\"`.  "
           "A secret is a reference: `\"env:NAME\"`, `\"file:/path\"` or `\"exec:COMMAND\"`.  A path begins at the "
           "folder of the configuration "
           "file.  A list is `[ \"a\", \"b\" ]`, and one text stands for a list of one.  Every part may come from "
           "another file: "
           "`@include \"keys.conf\"`.\n");
    for (const struct section *s = sections; s->name; s++) {
        printf("\n## %s\n\n", s->name);
        cell(s->help);
        printf("\n");
        if (*s->kind)
            option_rows(block_options);
        option_rows(s->options);
        if (*s->kind)
            bad += plugin_options(&a, folder, s->kind);
    }
    arena_fini(&a);
    return !bad;
}

/* One row of a table of two columns. */
static void row(const char *name, const char *help)
{
    printf("| `%s` | ", name);
    cell(help);
    printf(" |\n");
}

#define ROW(name, help) row(#name, help);

static bool page_records(const char *folder)
{
    (void)folder;
    printf("# Records\n\nA record is one flat JSON object.  `kind`, `time` and `id` stand first; a member that has "
           "nothing to say is left "
           "out.\n\n## Kinds\n\n| kind | when |\n| --- | --- |\n");
    RECORD_KINDS(ROW)
    printf("\n## Members\n\n| member | what it is |\n| --- | --- |\n");
    RECORD_FIELDS(ROW)
    return true;
}

static bool page_log(const char *folder)
{
    (void)folder;
    printf("# Log\n\nOne line for each event on stderr: time, level, process, event, then `key=value`.  Never content, "
           "never a secret.\n\n"
           "    2026-11-25T08:00:00.123Z warn worker.0 upstream_failed provider=openai why=\"connection refused\"\n\n"
           "| event | what happened |\n| --- | --- |\n");
    LOG_EVENTS(ROW)
    return true;
}

#define METRIC_ROW(name, type, label, help) metric_row(#name, #type, label, help);

static void metric_row(const char *name, const char *type, enum metric_label label, const char *help)
{
    static const char *const labels[] = {
        [LABEL_NONE] = "",       [LABEL_STEP] = "step", [LABEL_OUTCOME] = "outcome", [LABEL_ENDPOINT] = "provider",
        [LABEL_STAGE] = "stage", [LABEL_SINK] = "sink", [LABEL_TASK] = "task"};
    size_t n = strlen(name);

    if (strcmp(type, "HISTOGRAM") == 0)
        printf("| `weir_%.*s_seconds` | histogram | ", (int)(n - 3), name);
    else
        printf("| `weir_%s%s` | %s | ", name, *type == 'C' ? "_total" : "", *type == 'C' ? "counter" : "gauge");
    printf("%s | ", labels[label]);
    cell(help);
    printf(" |\n");
}

static bool page_metrics(const char *folder)
{
    (void)folder;
    printf("# Metrics\n\nPrometheus text format at `/metrics` of the admin listener.\n\n"
           "| metric | type | label | what it counts |\n| --- | --- | --- | --- |\n");
    METRICS(METRIC_ROW)
    return true;
}

static void step_row(const char *name, const char *file, const char *help, const char *statuses)
{
    printf("| `%s` | `%s` | ", name, file);
    cell(help);
    printf(" | %s |\n", statuses);
}

#define STEP_ROW(name, file, help, statuses) step_row(#name, file, help, statuses);

static bool page_pipeline(const char *folder)
{
    (void)folder;
    printf("# Pipeline\n\nThe life of a request, step by step, as `host/worker/pipeline.c` walks it.\n\n"
           "| step | file in host/worker/ | what it does | may refuse with |\n| --- | --- | --- | --- |\n");
    PIPELINE(STEP_ROW)
    printf("\n## Outcomes\n\nWhat a request came to: `outcome` in its record.\n\n| outcome | when |\n| --- | --- |\n");
    OUTCOMES(ROW)
    printf("\n## Tasks\n\nWhat a path is for: `task` in a record.\n\n| task | what |\n| --- | --- |\n");
    KINDS(ROW)
    return true;
}

static void families(void)
{
    static const char *const heads[] = {"max_tokens_field", "efforts", "tool_efforts", "thinking", "refuses"};

    printf("\n## Families\n\nWhat vendors say of whole families, and no list of models tells.  The first row that fits "
           "fills in what the catalogue does not say, also for models that are too new to be in it.\n\n| models |");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        printf(" `%s` |", heads[i]);
    printf("\n| --- | --- | --- | --- | --- | --- |\n");
    for (const struct catalogue_family *f = catalogue_families; f->pattern; f++) {
        const char *cells[] = {f->max_tokens_field, f->efforts, f->tool_efforts, f->thinking, f->refuses};
        printf("| `%s` |", f->pattern);
        for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
            putchar(' ');
            cell(cells[i]);
            printf("%s|", *cells[i] ? " " : "");
        }
        printf("\n");
    }
}

static bool page_models(const char *folder)
{
    static const char *const kinds[] = {[FIELD_TEXT] = "text",
                                        [FIELD_TOKENS] = "number",
                                        [FIELD_PRICE] = "price",
                                        [FIELD_FLAG] = "bool",
                                        [FIELD_MODALITIES] = "list"};

    (void)folder;
    printf("# Models\n\nThe catalogue is one file, `share/models.json`: read once at the start, the same for all "
           "workers.  "
           "`weir models list` and `weir models show ID` print it; the setting `catalogue` names another file.  "
           "Without any, "
           "nothing is known of models and weir runs all the same.\n\n"
           "A price is USD for a million tokens, decimal text with at most six places (`\"0.075\"`).  It is kept as a "
           "whole "
           "number of pico-USD per token, which is the same number times a million: nothing is rounded on the way.\n\n"
           "## What may be known\n\nEach row is a fact that plugins ask for in `encode` (`weir_fact(c, "
           "\"model.NAME\")`, \"\" when "
           "it is not known; `model.id` and `model.author` too), an option of a block in `models` of the "
           "configuration, and a "
           "member of a model in the file.  Where the last column says so, each provider may have its own.\n\n"
           "| fact | kind | what it says | by provider |\n| --- | --- | --- | --- |\n");
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++) {
        printf("| `%s` | %s | ", f->name, kinds[f->kind]);
        cell(f->help);
        printf(" | %s |\n", f->in_endpoint == FIELD_NOWHERE ? "" : "yes");
    }
    families();
    printf(
        "\n## Which model is meant\n\nWhat the provider calls it, then what the client asked for: each by its id, by a "
        "name that some provider has for it, or by its id without the author when no other model shares that.  Else "
        "the first pattern that fits, of the configuration before the families.  Limits and prices are those of the "
        "endpoint whose `provider` is the name of the block in `providers`, or of its plugin when the block has no "
        "`url` of its own; a price is never taken from another provider.\n"
        "\n## Your own word\n\n```conf\nmodels = (\n"
        "  { id = \"ours/large\";  context = 131072;  max_output = 16384;  tools = true; },\n"
        "  { id = \"openai/gpt-4o\";  provider = \"openai\";  input_price = \"2.25\";  output_price = \"9\"; },\n"
        "  { id = \"ours/gpt-*\";  max_tokens_field = \"max_completion_tokens\"; }\n);\n```\n\n"
        "Blocks are laid over the catalogue in their order, and over each other.  One with `provider` says only limits "
        "and "
        "prices of that one; a price typed here replaces the steps of the file, too.\n"
        "\n## The file\n\nOne model a line, sorted by `id`.  What is not known is left out, and what weir does not "
        "know "
        "is passed over.  Prices stand at the endpoints: `input`, `output`, `cache_read`, `cache_write`, `reasoning`; "
        "`model` is there when the provider calls it otherwise; `above` has the prices of prompts with more than so "
        "many "
        "tokens.\n\n```json\n{\"about\":\"...\",\"models\":[\n"
        "{\"id\":\"acme/large\",\"name\":\"Large\",\"released\":\"2026-02-23\",\"context\":200000,\"max_output\":64000,"
        "\"inputs\":[\"text\",\"image\"],\"outputs\":[\"text\"],\"tools\":true,\"endpoints\":["
        "{\"provider\":\"acme\",\"model\":\"large-2\",\"input\":\"3\",\"output\":\"15\",\"cache_read\":\"0.3\","
        "\"above\":[{\"tokens\":128000,\"input\":\"6\",\"output\":\"22.5\"}]}]}\n]}\n```\n\n"
        "`weir models import FILE -o share/models.json` makes it of a list of models.dev's data, regrouped by model: "
        "`{\"models\":[{id, name, context_tokens, max_output_tokens, input_modalities, output_modalities, reasoning, "
        "tool_call, structured_output, knowledge, release_date, open_weights, endpoints: [{provider, "
        "provider_model_id, "
        "price: {input, output, cache_read, cache_write, reasoning}, price_tiers, context_tokens, max_output_tokens, "
        "status}]}]}`, prices there as whole micro-USD per million tokens.  Vendors get the names of weir's plugins: "
        "`amazon-bedrock` becomes `bedrock`, `google` becomes `gemini`, `google-vertex` becomes `vertex`.  The data is "
        "models.dev's, under the MIT licence: `share/LICENCE.models`.\n");
    return true;
}

/* A page more is a row more.  false: it is not whole. */
static const struct page {
    const char *name, *summary;
    bool (*print)(const char *folder);
} pages[] = {
    {"options", "every option of the configuration, of the parts and of each plugin", page_options},
    {"pipeline", "the steps of a request", page_pipeline},
    {"records", "the members of a record", page_records},
    {"log", "the events of the log", page_log},
    {"metrics", "what /metrics has", page_metrics},
    {"models", "what the catalogue knows of models, and its file", page_models},
};

static const size_t page_count = sizeof(pages) / sizeof(pages[0]);

static int list_pages(bool names)
{
    for (size_t i = 0; i < page_count; i++)
        if (names)
            printf("%s\n", pages[i].name);
        else
            printf("weir docs %-8s  %s\n", pages[i].name, pages[i].summary);
    return cmd_print(WEIR_STR(""));
}

static int run(int argc, char **argv)
{
    const char *folder = "";
    bool names = false;
    const struct cmd_option options[] = {{'p', "plugins", &folder, NULL}, {0, "list", NULL, &names}};
    struct arena a = {0};

    if (!cmd_options(&cmd_docs, &argc, argv, options, 2))
        return CMD_USAGE;
    if (argc < 2)
        return list_pages(names);
    for (size_t i = 0; i < page_count; i++) {
        if (argc != 2 || strcmp(pages[i].name, argv[1]) != 0)
            continue;
        printf("<!-- Printed by `weir docs %s`; change the tables in the code, not this file. -->\n", pages[i].name);
        bool whole = pages[i].print(plugin_folder(&a, folder));
        arena_fini(&a);
        return cmd_print(WEIR_STR("")) == CMD_OK && whole ? CMD_OK : CMD_FAILED;
    }
    return cmd_misused(&cmd_docs, "there is no page \"%s\"", argv[1]);
}

const struct cmd cmd_docs = {
    .name = "docs",
    .summary = "Prints pages of the documentation from the tables in the code",
    .usage = "weir docs [-p FOLDER] [--list | PAGE]\n"
             "\n"
             "  -p, --plugins FOLDER    whose plugins are shown; without it the folder that belongs to this weir\n"
             "      --list              the names of the pages, one a line\n"
             "\n"
             "Markdown on stdout; without a page the list of pages.\n",
    .run = run,
};
