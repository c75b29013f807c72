/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c -- finds, loads and checks plugins; see plugin.h. */
#include "world/plugin.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "world/blocks.h"

#define ROWS_MAX  256                 /* of a table */
#define BLOCK_MAX ((size_t)256 << 20) /* bytes of self, shared, local */
/* Every header has had what stands before the hooks; hooks that an older one lacks are NULL here. */
#define PLUGIN_LEAST offsetof(struct weir_plugin, prepare)

const char *const plugin_kinds[] = {"providers", "guardrails", "sinks", NULL};

struct hook {
    const char *name;
    size_t offset;
};
#define HOOK(field)                                                                                                    \
    {                                                                                                                  \
#field, offsetof(struct weir_plugin, field)                                                                    \
    }

/* What fills at least one of them is of that kind. */
static const struct hook provider_hooks[] = {HOOK(accept), HOOK(encode),     HOOK(serve),
                                             HOOK(decode), HOOK(credential), {NULL, 0}};
static const struct hook guardrail_hooks[] = {HOOK(on_request),  HOOK(on_route),  HOOK(on_event),
                                              HOOK(on_response), HOOK(on_record), {NULL, 0}};
static const struct hook sink_hooks[] = {HOOK(write), {NULL, 0}};
static const struct hook other_hooks[] = {HOOK(prepare), HOOK(init),   HOOK(fini), HOOK(on_cancel),
                                          HOOK(answer),  HOOK(refuse), HOOK(list), {NULL, 0}};
static const struct hook *const hooks_of[] = {provider_hooks, guardrail_hooks, sink_hooks};

static bool has_hook(const struct weir_plugin *p, const struct hook *h)
{
    void *hook;

    memcpy(&hook, (const char *)p + h->offset, sizeof(hook));
    return hook != NULL;
}

static bool has_any(const struct weir_plugin *p, const struct hook *h)
{
    for (; h->name; h++)
        if (has_hook(p, h))
            return true;
    return false;
}

void plugin_hooks(struct buf *b, const struct weir_plugin *p)
{
    const struct hook *const all[] = {provider_hooks, guardrail_hooks, sink_hooks, other_hooks};
    size_t start = b->len;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        for (const struct hook *h = all[i]; h->name; h++)
            if (has_hook(p, h))
                buf_printf(b, "%s%s", b->len > start ? " " : "", h->name);
}

static size_t kind_index(const char *kind)
{
    size_t i = 0;

    while (plugin_kinds[i] && strcmp(plugin_kinds[i], kind) != 0)
        i++;
    must(plugin_kinds[i]);
    return i;
}

/* A file's name is no path: nothing outside of the folder is ever loaded. */
static bool is_plugin_name(const char *name)
{
    size_t n = 0;

    for (; name[n]; n++)
        if (!isalnum((unsigned char)name[n]) && (!n || (name[n] != '_' && name[n] != '-')))
            return false;
    return n > 0 && n <= 48;
}

static bool all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* Copies a struct of another header's size into a zeroed one of ours; false: it uses what we do not have. */
static bool copy_struct(void *to, size_t ours, const void *from, size_t theirs)
{
    memset(to, 0, ours);
    memcpy(to, from, theirs < ours ? theirs : ours);
    return theirs <= ours || all_zero((const char *)from + ours, theirs - ours);
}

static const char *const NEWER =
    "uses something that this weir does not have; update weir, or build it with this weir's weir.h";
static const char *const ENDLESS =
    "has a table without an end; close it with WEIR_OPT_END, or a row whose path is NULL";
static const char *const UNKNOWN_ROWS = "has tables of another row size; rebuild it with this weir's weir.h";

/* An older header's rows are shorter and what they lack is zero, but `least` bytes are in every header there has been.
 */
static bool row_fits(size_t size, size_t least, size_t align)
{
    return size >= least && size <= 4096 && size % align == 0;
}

/* `n` rows of `stride` bytes as rows of ours, and a zeroed one behind them, which ends the table.  NULL: NEWER. */
static void *copy_rows(struct arena *a, const void *rows, size_t n, size_t stride, size_t ours)
{
    char *copy = arena_alloc(a, (n + 1) * ours);

    for (size_t i = 0; i < n; i++)
        if (!copy_struct(copy + i * ours, ours, (const char *)rows + i * stride, stride))
            return NULL;
    return copy;
}

static const char *copy_options(struct arena *a, struct weir_plugin *p)
{
    const char *row = (const char *)p->options;
    size_t n = 0;

    if (!row)
        return NULL;
    if (!row_fits(p->option_size, offsetof(struct weir_option, min), _Alignof(struct weir_option)))
        return UNKNOWN_ROWS;
    for (; ((const struct weir_option *)(const void *)row)->type != WEIR_T_END; row += p->option_size)
        if (++n > ROWS_MAX)
            return ENDLESS;
    p->options = copy_rows(a, p->options, n, p->option_size, sizeof(struct weir_option));
    p->option_size = sizeof(struct weir_option);
    return p->options ? NULL : NEWER;
}

static const char *copy_paths(struct arena *a, struct weir_plugin *p)
{
    const char *row = (const char *)p->paths;
    size_t n = 0;

    if (!row)
        return NULL;
    if (!row_fits(p->path_size, sizeof(struct weir_path), _Alignof(struct weir_path)))
        return UNKNOWN_ROWS;
    for (; ((const struct weir_path *)(const void *)row)->path; row += p->path_size)
        if (++n > ROWS_MAX)
            return ENDLESS;
    p->paths = copy_rows(a, p->paths, n, p->path_size, sizeof(struct weir_path));
    p->path_size = sizeof(struct weir_path);
    return p->paths ? NULL : NEWER;
}

static const char *check_paths(const struct weir_plugin *p)
{
    if (p->accept && (!p->paths || !p->paths->path || !p->refuse || !p->dialect))
        return "accepts requests but lacks paths, refuse or dialect; fill all four";
    for (const struct weir_path *row = p->paths; row && row->path; row++)
        if (!row->method || !*row->method || *row->path != '/')
            return "has a path without a method, or one that does not begin with /; correct its table";
    return NULL;
}

/* What is wrong with a copied plugin; NULL: nothing. */
static const char *check_plugin(struct arena *a, const struct weir_plugin *p, const char *kind, const char *name)
{
    const struct weir_option *common = sections[1 + kind_index(kind)].options;
    const char *flaw;

    if (!p->name || strcmp(p->name, name) != 0)
        return arena_printf(a, "calls itself \"%.60s\"; name the file %.60s.so", p->name ? p->name : "",
                            p->name ? p->name : "");
    if (!p->version || !p->summary)
        return "has no version or no summary; fill both";
    if (p->self_size > BLOCK_MAX || p->shared_size > BLOCK_MAX || p->local_size > BLOCK_MAX)
        return "asks for a block of more than 256 MB; correct its sizes";
    flaw = check_paths(p);
    if (flaw)
        return flaw;
    flaw = options_flaw(a, p->options, common, p->self_size);
    if (flaw)
        return arena_printf(a, "has a bad table: %s; correct it", flaw);
    if (has_any(p, hooks_of[kind_index(kind)]))
        return NULL;
    for (size_t i = 0; plugin_kinds[i]; i++)
        if (has_any(p, hooks_of[i]))
            return arena_printf(a, "fills no hook of %s but some of %s; put it there", kind, plugin_kinds[i]);
    return "fills no hook; give it at least one";
}

/* `symbol` as it lies in the .so -> p->hooks.  NULL: it fits. */
static const char *take_symbol(struct arena *a, struct plugin *p, const struct weir_plugin *symbol, size_t room)
{
    const char *flaw;

    if (symbol->abi != WEIR_ABI)
        return arena_printf(a, "was built for plugin ABI %u and this weir has %d; rebuild it with this weir's weir.h",
                            symbol->abi, WEIR_ABI);
    if (symbol->size < PLUGIN_LEAST || symbol->size > room)
        return "says that it has another size than it has; rebuild it with this weir's weir.h";
    if (!copy_struct(&p->hooks, sizeof(p->hooks), symbol, symbol->size))
        return NEWER;
    p->hooks.size = sizeof(p->hooks);
    flaw = copy_options(a, &p->hooks);
    if (!flaw)
        flaw = copy_paths(a, &p->hooks);
    return flaw ? flaw : check_plugin(a, &p->hooks, p->kind, p->name);
}

/* The symbol, and how many bytes it really has. */
static const struct weir_plugin *find_symbol(void *so, size_t *room)
{
    const struct weir_plugin *symbol = dlsym(so, "weir_plugin");
    const ElfW(Sym) *entry = NULL;
    Dl_info info;

    if (!symbol || !dladdr1(symbol, &info, (void **)&entry, RTLD_DL_SYMENT) || !entry ||
        info.dli_saddr != (void *)symbol)
        return NULL;
    *room = entry->st_size;
    return *room >= 2 * sizeof(uint32_t) ? symbol : NULL;
}

/* ... no such file: says what there is. */
static void say_missing(struct arena *a, const char *folder, const char *kind, const char *name, char *why, size_t room)
{
    struct names found = {0};
    struct buf list = {0};
    const char *near;

    for (size_t i = 0; plugin_kinds[i]; i++) {
        const char *file = arena_printf(a, "%s/%s/%s.so", folder, plugin_kinds[i], name);
        if (access(file, F_OK) != 0)
            continue;
        snprintf(why, room, "plugin \"%s\" is in %s/%s, not in %s; move this block to %s", name, folder,
                 plugin_kinds[i], kind, plugin_kinds[i]);
        return;
    }
    plugin_names(a, folder, kind, &found);
    near = found.list ? str_nearest(name, found.list) : NULL;
    for (size_t i = 0; i < found.count && list.len < 400; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", found.list[i]);
    if (!found.count)
        buf_lit(&list, "none");
    snprintf(why, room, "there is no plugin \"%s\" in %s/%s (found: " STR_FMT "); %s%s%s", name, folder, kind,
             STR_ARG(buf_view(&list)), near ? "did you mean \"" : "put it there, or set plugins to another folder",
             near ? near : "", near ? "\"?" : "");
    names_fini(&found);
    buf_fini(&list);
}

struct plugin *plugin_load(struct arena *a, const char *folder, const char *kind, const char *name, char *why,
                           size_t room)
{
    struct plugin *p = arena_alloc(a, sizeof(*p));
    const struct weir_plugin *symbol;
    const char *flaw;
    size_t size;
    void *so;

    if (!is_plugin_name(name)) {
        snprintf(why, room, "\"%.60s\" is no name of a plugin; letters, digits, - and _ make one, and no path", name);
        return NULL;
    }
    p->name = arena_strdup(a, str_of(name));
    p->kind = plugin_kinds[kind_index(kind)];
    p->file = arena_printf(a, "%s/%s/%s.so", folder, kind, name);
    if (access(p->file, F_OK) != 0) {
        say_missing(a, folder, kind, name, why, room);
        return NULL;
    }
    so = dlopen(strchr(p->file, '/') == p->file ? p->file : arena_printf(a, "./%s", p->file), RTLD_NOW | RTLD_LOCAL);
    if (!so) {
        snprintf(why, room, "plugin \"%s\" does not load: %s; rebuild it", name, dlerror());
        return NULL;
    }
    symbol = find_symbol(so, &size);
    flaw = symbol ? take_symbol(a, p, symbol, size)
                  : "is no plugin of weir (no symbol weir_plugin); end it with WEIR_PLUGIN(...)";
    if (!flaw)
        return p;
    snprintf(why, room, "plugin %s %s", p->file, flaw);
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void plugin_names(struct arena *a, const char *folder, const char *kind, struct names *names)
{
    DIR *dir = opendir(arena_printf(a, "%s/%s", folder, kind));
    struct dirent *e;

    while (dir && (e = readdir(dir)) && names->count < 1000) {
        size_t n = strlen(e->d_name);
        if (n < 4 || strcmp(e->d_name + n - 3, ".so") != 0)
            continue;
        const char *name = arena_strdup(a, (struct weir_str){e->d_name, n - 3});
        if (is_plugin_name(name))
            names_add(names, name);
    }
    if (dir)
        closedir(dir);
    if (names->count)
        qsort(names->list, names->count, sizeof(*names->list), by_name);
}

const struct plugin *plugin_get(struct build *b, const char *kind, const char *name, struct place p)
{
    struct world *w = b->world;
    struct plugin *plugin;
    char why[1024];

    for (size_t i = 0; i < w->plugin_count; i++)
        if (strcmp(w->plugins[i]->kind, kind) == 0 && strcmp(w->plugins[i]->name, name) == 0)
            return w->plugins[i];
    for (size_t i = 0; i < b->misfits.count; i += 2)
        if (strcmp(b->misfits.list[i], kind) == 0 && strcmp(b->misfits.list[i + 1], name) == 0)
            return NULL; /* told already: one cure for all its blocks */
    plugin = plugin_load(&w->arena, w->settings.plugins, kind, name, why, sizeof(why));
    if (!plugin) {
        build_fault(b, p, "%s", why);
        names_add(&b->misfits, kind);
        names_add(&b->misfits, arena_strdup(&w->arena, str_of(name)));
        return NULL;
    }
    w->plugins = list_add(&w->arena, w->plugins, &w->plugin_count, plugin);
    return plugin;
}
