/* SPDX-License-Identifier: Apache-2.0 */
/* check.c -- `weir check`: would this configuration run, and what would run; starts nothing, reads no secret. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "cmd/cmd.h"
#include "world/world.h"

static void list_text(struct buf *b, const struct weir_list *list, const char *none)
{
    b->len = 0;
    for (size_t i = 0; i < list->count; i++)
        buf_printf(b, "%s%s", i ? " " : "", list->items[i]);
    if (!list->count)
        buf_printf(b, "%s", none);
    buf_char(b, '\0');
}

static void print_settings(const struct world *w)
{
    const struct settings *s = &w->settings;

    printf("listener    %s://%s/v1\n", *s->tls_cert ? "https" : "http", s->listen);
    printf("callers     %s\n",
           w->key_count ? "by key" : "everybody on this machine, as \"local\" (no key is configured)");
    if (*s->admin)
        printf("admin       http://%s/metrics\n", s->admin);
    printf("state       %s (%s)\n", s->state, s->durability);
    printf("plugins     %s\n", s->plugins);
}

static void print_providers(const struct world *w)
{
    struct cmd_table t = {.columns = 5};
    struct buf models = {0};

    cmd_cell(&t, "provider"), cmd_cell(&t, "plugin"), cmd_cell(&t, "dialect"), cmd_cell(&t, "upstream"),
        cmd_cell(&t, "models");
    for (size_t i = 0; i < w->provider_count; i++) {
        const struct provider *p = w->providers[i];
        list_text(&models, &p->models, "");
        cmd_cell(&t, "%s", p->in.name);
        cmd_cell(&t, "%s", p->in.plugin->name);
        cmd_cell(&t, "%s", p->dialect->name);
        cmd_cell(&t, "%s%s", p->in.plugin->hooks.serve ? "(in this process)" : p->url,
                 p->optional && !p->asked ? " (when it answers)" : "");
        cmd_cell(&t, "%s", models.ptr);
    }
    printf("\n");
    cmd_table_print(&t, "");
    buf_fini(&models);
}

static void print_stages(const struct world *w)
{
    struct cmd_table t = {.columns = 5};

    if (!w->stage_count)
        return;
    cmd_cell(&t, "guardrail"), cmd_cell(&t, "plugin"), cmd_cell(&t, "mode"), cmd_cell(&t, "on failure"),
        cmd_cell(&t, "hooks");
    for (size_t i = 0; i < w->stage_count; i++) {
        const struct stage *s = w->stages[i];
        const struct weir_plugin *h = &s->in.plugin->hooks;
        cmd_cell(&t, "%zu %s", i + 1, s->in.name);
        cmd_cell(&t, "%s", s->in.plugin->name);
        cmd_cell(&t, "%s", s->mode);
        cmd_cell(&t, "%s", s->on_failure);
        cmd_cell(&t, "%s%s%s%s%s", h->on_request ? "on_request " : "", h->on_route ? "on_route " : "",
                 h->on_event ? "on_event " : "", h->on_response ? "on_response " : "", h->on_record ? "on_record" : "");
    }
    printf("\n");
    cmd_table_print(&t, "");
}

static void print_sinks(const struct world *w)
{
    struct cmd_table t = {.columns = 3};
    struct buf kinds = {0};

    if (!w->sink_count)
        return;
    cmd_cell(&t, "sink"), cmd_cell(&t, "plugin"), cmd_cell(&t, "records");
    for (size_t i = 0; i < w->sink_count; i++) {
        list_text(&kinds, &w->sinks[i]->kinds, "none");
        cmd_cell(&t, "%s", w->sinks[i]->in.name);
        cmd_cell(&t, "%s", w->sinks[i]->in.plugin->name);
        cmd_cell(&t, "%s", kinds.ptr);
    }
    printf("\n");
    cmd_table_print(&t, "");
    buf_fini(&kinds);
}

static void print_keys(const struct world *w)
{
    size_t disabled = 0;

    if (!w->key_count)
        return;
    for (size_t i = 0; i < w->key_count; i++)
        disabled += w->keys[i]->disabled;
    printf("\n%zu key%s, %zu disabled; \"weir keys list\" shows them\n", w->key_count, w->key_count == 1 ? "" : "s",
           disabled);
}

static json_t *list_json(const struct weir_list *list)
{
    json_t *a = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(a, json_string(list->items[i]));
    return a;
}

/* Each line of `lines` as a string. */
static json_t *lines_json(struct weir_str lines)
{
    json_t *a = json_array();

    while (lines.len) {
        const char *end = memchr(lines.ptr, '\n', lines.len);
        size_t n = end ? (size_t)(end - lines.ptr) : lines.len;
        json_array_append_new(a, json_stringn_nocheck(lines.ptr, n));
        lines = str_sub(lines, n + (end != NULL), lines.len);
    }
    return a;
}

static json_t *instance_json(const struct instance *in)
{
    json_t *o = json_pack("{s:s, s:s}", "name", in->name, "plugin", in->plugin->name);

    must(o);
    if (in->file)
        json_object_set_new(o, "file", json_string(in->file));
    json_object_set_new(o, "line", json_integer(in->line));
    return o;
}

static void providers_json(json_t *to, const struct world *w)
{
    json_t *a = json_array();

    for (size_t i = 0; i < w->provider_count; i++) {
        const struct provider *p = w->providers[i];
        json_t *o = instance_json(&p->in);
        json_object_set_new(o, "dialect", json_string(p->dialect->name));
        json_object_set_new(o, "url", json_string(p->url));
        json_object_set_new(o, "models", list_json(&p->models));
        json_object_set_new(o, "region", json_string(p->region));
        json_object_set_new(o, "retention", json_string(p->retention));
        json_object_set_new(o, "training", json_string(p->training));
        json_object_set_new(o, "entity", json_string(p->entity));
        json_object_set_new(o, "optional", json_boolean(p->optional));
        json_array_append_new(a, o);
    }
    json_object_set_new(to, "providers", a);
}

static void world_json(json_t *to, const struct world *w)
{
    json_t *stages = json_array(), *sinks = json_array();

    json_object_set_new(to, "listen", json_string(w->settings.listen));
    json_object_set_new(to, "tls", json_boolean(*w->settings.tls_cert));
    json_object_set_new(to, "admin", json_string(w->settings.admin));
    json_object_set_new(to, "state", json_string(w->settings.state));
    json_object_set_new(to, "durability", json_string(w->settings.durability));
    json_object_set_new(to, "plugins", json_string(w->settings.plugins));
    providers_json(to, w);
    for (size_t i = 0; i < w->stage_count; i++) {
        json_t *o = instance_json(&w->stages[i]->in);
        json_object_set_new(o, "mode", json_string(w->stages[i]->mode));
        json_object_set_new(o, "on_failure", json_string(w->stages[i]->on_failure));
        json_array_append_new(stages, o);
    }
    for (size_t i = 0; i < w->sink_count; i++) {
        json_t *o = instance_json(&w->sinks[i]->in);
        json_object_set_new(o, "kinds", list_json(&w->sinks[i]->kinds));
        json_array_append_new(sinks, o);
    }
    json_object_set_new(to, "guardrails", stages);
    json_object_set_new(to, "sinks", sinks);
    json_object_set_new(to, "keys", json_integer((json_int_t)w->key_count));
}

static void print_json(const struct world *w, const struct buf *notes, const struct buf *faults)
{
    json_t *o = json_object();

    json_object_set_new(o, "ok", json_boolean(w != NULL));
    if (w)
        world_json(o, w);
    json_object_set_new(o, "notes", lines_json(buf_view(notes)));
    json_object_set_new(o, "errors", lines_json(buf_view(faults)));
    must(json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0);
    printf("\n");
    json_decref(o);
}

static void print_text(const struct world *w, const struct buf *notes)
{
    print_settings(w);
    print_providers(w);
    print_stages(w);
    print_sinks(w);
    print_keys(w);
    if (notes->len)
        printf("\nnotes\n" STR_FMT, STR_ARG(buf_view(notes)));
}

static int run(int argc, char **argv)
{
    struct world_source from = {0};
    struct buf notes = {0}, faults = {0};
    bool json = false;
    const struct cmd_option options[] = {
        {'c', "config", &from.file, NULL}, {'l', "listen", &from.listen, NULL}, {0, "json", NULL, &json}};
    struct world *w;
    int status;

    if (!cmd_options(&cmd_check, &argc, argv, options, sizeof(options) / sizeof(options[0])))
        return CMD_USAGE;
    if (argc > 1)
        return cmd_misused(&cmd_check, "what is \"%s\"? A file is given with -c", argv[1]);
    w = world_load_from(&from, WORLD_CHECK, &notes, &faults);
    if (json)
        print_json(w, &notes, &faults);
    else if (w)
        print_text(w, &notes);
    else
        fprintf(stderr, STR_FMT, STR_ARG(buf_view(&faults)));
    status = cmd_print(WEIR_STR("")) == CMD_OK && w ? CMD_OK : CMD_FAILED;
    world_free(w);
    buf_fini(&notes);
    buf_fini(&faults);
    return status;
}

const struct cmd cmd_check = {
    .name = "check",
    .summary = "Validates a configuration and shows what would run",
    .usage = "weir check [-c FILE] [-l ADDR:PORT] [--json]\n"
             "\n"
             "  -c, --config FILE    the configuration; without it the built-in one\n"
             "  -l, --listen A:P     as `weir serve` would be given it\n"
             "      --json           one JSON object in place of the tables\n"
             "\n"
             "Starts nothing, connects to nothing, and does not read secrets: it says which are not there.  Prints one "
             "line\n"
             "for every mistake, FILE:LINE: what is wrong; what to do.  Exits with 0 when the configuration would run, "
             "else 1.\n",
    .run = run,
};
