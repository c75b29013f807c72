/* SPDX-License-Identifier: Apache-2.0 */
/* world.c -- builds a world from a configuration, part by part, and takes it down; see world.h. */
#include "world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/must.h"
#include "net/tls.h"
#include "world/blocks.h"
#include "world/value.h"

/* Whoever can reach the listener may spend the operator's money: without keys that must be nobody but this machine. */
static void check_listener(struct build *b)
{
    const struct world *w = b->world;
    struct sockaddr_storage address;
    const config_setting_t *listen = b->root ? config_setting_get_member(b->root, "listen") : NULL;
    bool loopback = false;
    size_t n;

    if (!value_address(w->settings.listen, &address, &n, &loopback)) {
        if (b->fault_count == 0) /* a wrong setting has been told; this is the command line's */
            build_fault(b, (struct place){0}, "\"%.80s\" is no address; write it as 127.0.0.1:8080 or [::1]:8080",
                        w->settings.listen);
        return;
    }
    if (loopback || b->key_blocks)
        return;
    build_fault(
        b, listen ? build_place(b, listen) : (struct place){w->file, 0},
        "%s is open to other machines but there is no key; listen on 127.0.0.1, or add one with \"weir keys new\"",
        w->settings.listen);
}

/* Whom a provider is only for must exist. */
static void check_only_for(struct build *b)
{
    struct world *w = b->world;
    struct names names = {0};

    for (size_t i = 0; i < w->key_count; i++) {
        names_add(&names, w->keys[i]->id);
        names_add(&names, w->keys[i]->workspace);
    }
    names_add(&names, "local");
    for (size_t i = 0; i < w->provider_count; i++) {
        const struct provider *p = w->providers[i];
        for (size_t k = 0; k < p->only_for.count; k++) {
            size_t n = 0;
            while (n < names.count && !str_glob(str_of(p->only_for.items[k]), str_of(names.list[n])))
                n++;
            if (n == names.count)
                build_fault(b, (struct place){p->in.file, p->in.line},
                            "only_for: no key has the id or workspace \"%.60s\"; %s", p->only_for.items[k],
                            build_hint(b, p->only_for.items[k], names.list, "\"weir keys list\" lists them"));
        }
    }
    names_fini(&names);
}

static void open_listener_tls(struct build *b)
{
    struct world *w = b->world;
    struct weir_error e = {0};

    if (!*w->settings.tls_cert)
        return;
    w->tls = tls_server(w->settings.tls_cert, w->settings.tls_key, &e);
    if (!w->tls)
        build_fault(b, build_place(b, config_setting_get_member(b->root, "tls_cert")), "tls_%s: %s; correct it",
                    e.field, e.text);
}

static void add_instances(struct build *b)
{
    struct world *w = b->world;

    for (size_t i = 0; i < w->dialect_count; i++)
        instance_add(b, w->dialects[i]);
    for (size_t i = 0; i < w->provider_count; i++)
        instance_add(b, &w->providers[i]->in);
    for (size_t i = 0; i < w->stage_count; i++)
        instance_add(b, &w->stages[i]->in);
    for (size_t i = 0; i < w->sink_count; i++)
        if (w->sinks[i]->in.plugin)
            instance_add(b, &w->sinks[i]->in);
}

static void instances_build(struct build *b)
{
    struct world *w = b->world;

    add_instances(b);
    for (size_t i = 0; i < w->instance_count && !b->fault_count; i++)
        instance_prepare(b, w->instances[i]);
}

/* Looked through for every request: one flat table, its lengths known. */
static void served_build(struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->dialect_count; i++)
        for (const struct weir_path *p = w->dialects[i]->plugin->hooks.paths; p->path; p++)
            n++;
    w->served = arena_alloc(&w->arena, n * sizeof *w->served);
    for (size_t i = 0; i < w->dialect_count; i++)
        for (const struct weir_path *p = w->dialects[i]->plugin->hooks.paths; p->path; p++) {
            struct weir_str path = str_of(p->path);
            bool below = path.len > 1 && path.ptr[path.len - 1] == '/';
            w->served[w->served_count++] = (struct served){path, below, w->dialects[i], p};
        }
}

static void build_sink(struct build *b, const char *listen)
{
    settings_read(b, listen);
    sinks_read(b);
    if (!b->fault_count)
        instances_build(b);
}

static void build(struct build *b, const char *listen)
{
    settings_read(b, listen);
    providers_read(b);
    stages_read(b);
    sinks_read(b);
    keys_read(b);
    catalogue_build(b);
    check_listener(b);
    if (b->fault_count)
        return;
    check_only_for(b);
    if (b->depth == WORLD_SETTINGS)
        return;
    providers_finish(b);
    served_build(b->world);
    instances_build(b);
    if (b->depth == WORLD_FULL && !b->fault_count)
        open_listener_tls(b);
}

struct world *world_load_from(const struct world_source *from, enum world_depth depth, struct buf *notes,
                              struct buf *faults)
{
    struct world *w = must_alloc(sizeof(*w));
    struct build b = {.world = w, .depth = depth, .notes = notes, .faults = faults, .sink = from->sink};

    w->file = from->file ? arena_strdup(&w->arena, str_of(from->file)) : NULL;
    if (config_open(&b, from->file))
        (from->sink ? build_sink : build)(&b, from->listen);
    config_close(&b);
    if (!b.fault_count)
        return w;
    world_free(w);
    return NULL;
}

struct world *world_load(const char *file, enum world_depth depth, struct buf *notes, struct weir_error *e)
{
    const struct world_source from = {.file = file};
    struct buf faults = {0};
    struct world *w = world_load_from(&from, depth, notes, &faults);

    if (!w) {
        const char *end = memchr(faults.ptr, '\n', faults.len);
        snprintf(e->text, sizeof(e->text), "%.*s", (int)(end - faults.ptr), faults.ptr);
    }
    buf_fini(&faults);
    return w;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->provider_count; i++)
        if (w->providers[i]->tls)
            tls_free(w->providers[i]->tls);
    if (w->tls)
        tls_free(w->tls);
    keys_free(w);
    secrets_fini(&w->secrets);
    arena_fini(&w->arena);
    free(w);
}

bool world_init(struct world *w, struct sink *only, struct weir_error *e)
{
    secrets_keep(&w->secrets);
    for (size_t i = 0; i < w->instance_count; i++) {
        struct instance *in = w->instances[i];
        bool wanted = only ? in == &only->in : strcmp(in->plugin->kind, "sinks") != 0;
        if (wanted && !instance_init(in, e)) {
            world_fini(w);
            return false;
        }
    }
    return true;
}

void world_fini(struct world *w)
{
    for (size_t i = w->instance_count; i-- > 0;)
        instance_fini(w->instances[i]);
}
