/* SPDX-License-Identifier: Apache-2.0 */
/* providers.c -- the blocks of `providers`: read, left out when they are not there, joined with their dialects; see
 * world.h. */
#include "world/providers.h"

#include <stdlib.h>
#include <unistd.h>

#include "net/tls.h"

#define SECRET_SHORTEST 8 /* shorter ones would be found in any text */

static const char *const unsupported_words[] = {"error", "drop", NULL};
static const char *const retentions[] = {"unknown", "zdr", "stored", "trained", NULL};

#define OPT(...) WEIR_OPT(struct provider, __VA_ARGS__)

const struct weir_option provider_options[] = {
    OPT(models, "",
        "Models that it serves, tried in this order: \"NAME\", \"NAM*\", \"NAME=UPSTREAM\" when the upstream calls it "
        "otherwise, \"PREFIX/*=*\" to cut a prefix off.  None: \"<name of the block>/*=*\"."),
    OPT(preset, "",
        "A known vendor or server, such as \"groq\": what the block does not say, the row of that name in "
        "share/presets.conf does."),
    OPT(only_for, "", "Workspaces or ids of keys that may use it; none: all."),
    OPT(url, "", "Base URL of its API; empty: as the plugin knows it."),
    OPT(region, "", "Where it keeps data, as you name it: \"eu\", \"us\"."),
    OPT(retention, "unknown",
        "What it promises of data: zdr keeps none, stored keeps some for a time, trained may train on it.",
        .choices = retentions),
    OPT(unsupported, "error",
        "What happens to a field of a request that this provider's API cannot say, when the client speaks another API: "
        "the "
        "request is refused with 400, or the field is left out and told in x-weir-dropped and the record.",
        .choices = unsupported_words),
    OPT(always_translate, "false",
        "Make requests anew, and write answers anew, for clients of this provider's own API too, as for those of "
        "others: for a server that has that API's paths but not all its words."),
    OPT(proxy, "", "CONNECT proxy, \"http://HOST:PORT\"; with a password in it as a reference: \"env:NAME\" ..."),
    OPT(ca, "", "PEM file of the authorities that may sign its certificate, in place of the system's.",
        .unit = WEIR_PATH),
    OPT(cert, "", "PEM file of the certificate that weir shows to it.", .unit = WEIR_PATH),
    OPT(cert_key, "", "PEM file with the private key of cert.", .unit = WEIR_PATH),
    OPT(home, "false",
        "Requests that name neither a model nor a provider (x-weir-provider) go to it when several could take them: "
        "files, "
        "uploads, batches."),
    OPT(optional, "false",
        "Leave it out, with a note, when its key is not there or its server on this machine does not answer."),
    OPT(connect_timeout, "5s", "Time to resolve its name and to connect.", .unit = WEIR_MS, .min = 10, .max = 600000),
    OPT(tls_timeout, "5s", "Time for the TLS handshake.", .unit = WEIR_MS, .min = 10, .max = 600000),
    OPT(first_byte_timeout, "5m", "Time from the request to the first byte of the answer.", .unit = WEIR_MS, .min = 10,
        .max = 86400000),
    OPT(idle_timeout, "2m", "Time between two pieces of an answer.", .unit = WEIR_MS, .min = 10, .max = 86400000),
    OPT(total_timeout, "30m", "Time for one attempt, all in all.", .unit = WEIR_MS, .min = 10, .max = 86400000),
    OPT(max_connections, "512", "Connections to it, for each worker; a request that finds none free waits for one.",
        .min = 1, .max = 65536),
    OPT(keep_alive, "60s", "Time that an idle connection to it is kept.", .unit = WEIR_MS, .min = 0, .max = 3600000),
    WEIR_OPT_END,
};

static struct place place_of(const struct block *b, const char *option)
{
    const config_setting_t *s = b->setting ? config_setting_get_member(b->setting, option) : NULL;

    return s ? build_place(b->build, s) : b->place;
}

/* http:// or https://, a host, and nothing that a path cannot be added to.  The text is never told: it may hold a
 * password. */
static bool check_url(struct block *b, const char *option, const char *url, bool path)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    const char *bad = NULL;

    if (!scheme || !url[scheme] || url[scheme] == '/' || url[scheme] == ':')
        bad = "is no URL; write \"https://HOST/PATH\"";
    else if (strchr(url + scheme, '@'))
        bad = "has a user or password in it; take it out, and refer to it as a secret";
    else if (strpbrk(url, "?# \"\\<>"))
        bad = "has a query, a fragment or a character that no base URL has; take it out";
    else if (!path && strchr(url + scheme, '/'))
        bad = "has a path; write \"http://HOST:PORT\"";
    for (const char *c = url; *c && !bad; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            bad = "holds a character that no URL has; take it out";
    if (bad)
        build_fault(b->build, place_of(b, option), "%s %s", option, bad);
    return !bad;
}

/* The plugin may have a `url` of its own: both lose the slashes at the end. */
static bool read_url(struct block *b, struct provider *p)
{
    const struct weir_option *own = options_find(b->over, "url");
    size_t n = strlen(p->url);

    if (!n)
        return true;
    if (!check_url(b, "url", p->url, true))
        return false;
    while (p->url[n - 1] == '/')
        n--;
    p->url = arena_strdup(&b->build->world->arena, (struct weir_str){p->url, n});
    if (own)
        *(const char **)(void *)((char *)p->in.options + own->offset) = p->url;
    return true;
}

/* A proxy with a password is a secret: it comes by reference, as keys do. */
static bool read_proxy(struct block *b, struct provider *p)
{
    static const struct weir_option row[] = {
        {.name = "proxy", .fallback = "", .help = "-", .type = WEIR_T_STR, .unit = WEIR_SECRET}, WEIR_OPT_END};
    struct secret_ref ref;

    if (!*p->proxy)
        return true;
    if (!secret_parse(p->proxy, &ref))
        return check_url(b, "proxy", p->proxy, false);
    const struct weir_option *over = b->over;
    b->over = NULL;
    bool ok = options_read(b, row, &p->proxy);
    b->over = over;
    return ok;
}

static bool check_files(struct block *b, const struct provider *p)
{
    bool cert = *p->cert, key = *p->cert_key;

    if (cert != key)
        build_fault(b->build, place_of(b, cert ? "cert" : "cert_key"),
                    "%s stands without %s; a client certificate needs both", cert ? "cert" : "cert_key",
                    cert ? "cert_key" : "cert");
    return cert == key;
}

static void keep_secrets(struct block *b, struct provider *p)
{
    p->secrets = arena_alloc(&b->build->world->arena, (b->secret_count + 1) * sizeof(*p->secrets));
    for (size_t i = 0; i < b->secret_count; i++)
        if (b->secrets[i].len >= SECRET_SHORTEST)
            p->secrets[p->secret_count++] = b->secrets[i];
}

static void leave_out(struct build *b, const struct provider *p, const char *why)
{
    struct left_out *l = arena_alloc(&b->world->arena, sizeof(*l));

    *l = (struct left_out){p->in.name, b->left_out};
    b->left_out = l;
    build_note(b, (struct place){p->in.file, p->in.line}, "provider %s is left out: %s", p->in.name, why);
}

static void provider_read(struct build *b, config_setting_t *list, size_t i, const struct section *section)
{
    struct world *w = b->world;
    struct provider *p = arena_alloc(&w->arena, sizeof(*p));
    struct block block;
    bool ok;

    if (!preset_apply(b, config_setting_get_elem(list, (unsigned)i)) ||
        !block_begin(&block, b, list, i, section, &p->in))
        return;
    ok = options_read(&block, provider_options, p);
    block.optional = p->optional;
    ok &= block_end(&block, section, &p->in);
    if (!ok || !models_read(&block, p))
        return;
    if (b->depth != WORLD_SETTINGS && (!read_url(&block, p) || !read_proxy(&block, p) || !check_files(&block, p)))
        return;
    if (block.absent) {
        leave_out(b, p, block.absent);
        return;
    }
    keep_secrets(&block, p);
    p->drops = strcmp(p->unsupported, "drop") == 0;
    p->asked = block.secret_asked;
    w->providers = list_add(&w->arena, w->providers, &w->provider_count, p);
}

void providers_read(struct build *b)
{
    config_setting_t *root =
        b->root && config_setting_get_member(b->root, "providers") ? b->root : config_root_setting(&b->builtin);
    config_setting_t *list = blocks_find(b, root, "providers", BLOCKS_MAX, &b->world->provider_places);

    if (list && !b->world->provider_places)
        build_fault(b, build_place(b, list),
                    "providers is empty; add a block, or remove the line to get the built-in ones");
    for (size_t i = 0; i < b->world->provider_places; i++)
        provider_read(b, list, i, section_of("providers"));
}

/* Optional servers on this machine that have no key to be missed by. */
static void drop_silent(struct build *b)
{
    struct world *w = b->world;
    const char **urls = arena_alloc(&w->arena, (w->provider_count + 1) * sizeof(*urls));
    bool *there = arena_alloc(&w->arena, w->provider_count + 1);
    size_t kept = 0;

    for (size_t i = 0; i < w->provider_count; i++)
        urls[i] = w->providers[i]->optional && !w->providers[i]->asked ? w->providers[i]->url : "";
    probe_local(urls, w->provider_count, there);
    for (size_t i = 0; i < w->provider_count; i++)
        if (there[i])
            w->providers[kept++] = w->providers[i];
        else
            leave_out(b, w->providers[i], arena_printf(&w->arena, "nothing answers at %s", urls[i]));
    w->provider_count = kept;
}

static struct instance *dialect_find(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->dialect_count; i++)
        if (strcmp(w->dialects[i]->name, name) == 0)
            return w->dialects[i];
    return NULL;
}

static struct instance *dialect_add(struct build *b, const struct plugin *plugin, struct place place)
{
    struct world *w = b->world;
    struct instance *in = instance_implicit(b, plugin, place);

    w->dialects = list_add(&w->arena, w->dialects, &w->dialect_count, in);
    return in;
}

/* What clients may speak, whether or not a provider speaks it too. */
static void dialects_load(struct build *b)
{
    static const char *const usual[] = {"openai", "anthropic", "responses", "gemini", "bedrock", "cohere"};
    struct world *w = b->world;
    const struct weir_list *asked = &w->settings.dialects;
    const config_setting_t *s = b->root ? config_setting_get_member(b->root, "dialects") : NULL;
    struct place place = s ? build_place(b, s) : (struct place){w->file, 0};

    for (size_t i = 0; i < (asked->count ? asked->count : sizeof usual / sizeof *usual); i++) {
        const char *name = asked->count ? asked->items[i] : usual[i];
        const char *file = arena_printf(&w->arena, "%s/providers/%s.so", w->settings.plugins, name);
        const struct plugin *plugin;
        if (!asked->count && access(file, F_OK) != 0)
            continue;
        plugin = plugin_get(b, "providers", name, place);
        if (!plugin || dialect_find(w, name))
            continue;
        if (plugin->hooks.accept)
            dialect_add(b, plugin, place);
        else
            build_fault(b, place, "dialects: plugin \"%s\" takes no requests from clients; take it out", name);
    }
}

static struct instance *dialect_get(struct build *b, const struct provider *p)
{
    const struct weir_plugin *own = &p->in.plugin->hooks;
    struct place place = {p->in.file, p->in.line};
    const struct plugin *plugin;
    struct instance *known;

    if (!own->dialect || !*own->dialect) {
        build_fault(b, place, "plugin \"%s\" does not say which dialect it speaks; fill .dialect", own->name);
        return NULL;
    }
    known = dialect_find(b->world, own->dialect);
    if (known)
        return known;
    plugin = strcmp(own->name, own->dialect) == 0 ? p->in.plugin : plugin_get(b, "providers", own->dialect, place);
    if (!plugin)
        return NULL;
    if (!plugin->hooks.accept || strcmp(plugin->hooks.dialect, own->dialect) != 0) {
        build_fault(b, place, "plugin \"%s\" speaks \"%s\", which no plugin takes from clients; add one", own->name,
                    own->dialect);
        return NULL;
    }
    return dialect_add(b, plugin, place);
}

/* Somebody must make the request and read the answer: the plugin, or its dialect. */
static void check_verbs(struct build *b, const struct provider *p)
{
    const struct weir_plugin *own = &p->in.plugin->hooks, *dialect = &p->dialect->plugin->hooks;

    if (!own->serve && !own->encode && !dialect->encode)
        build_fault(b, (struct place){p->in.file, p->in.line},
                    "plugin \"%s\" cannot make requests, nor can its dialect \"%s\"; it "
                    "needs encode or serve",
                    own->name, own->dialect);
    else if (!own->decode && !dialect->decode)
        build_fault(b, (struct place){p->in.file, p->in.line},
                    "plugin \"%s\" cannot read answers, nor can its dialect \"%s\"; it "
                    "needs decode",
                    own->name, own->dialect);
}

static bool needs_tls(const struct provider *p)
{
    return *p->url ? strncmp(p->url, "https:", 6) == 0 : !p->in.plugin->hooks.serve;
}

/* Reading a list of authorities takes long: providers with the same one share it.  The rest of a context is their own,
 * for it remembers the last session. */
static void tls_get(struct build *b, struct provider *p)
{
    struct tls_client_config config = {.ca = p->ca, .cert = p->cert, .key = p->cert_key};
    struct world *w = b->world;
    struct weir_error e = {0};

    for (size_t i = 0; i < w->provider_count && !config.same_ca; i++)
        if (w->providers[i]->tls && strcmp(w->providers[i]->ca, p->ca) == 0)
            config.same_ca = w->providers[i]->tls;
    p->tls = tls_client(&config, &e);
    if (!p->tls)
        build_fault(b, (struct place){p->in.file, p->in.line}, "%s%s: %s; correct it",
                    strcmp(e.field, "key") ? "" : "cert_", e.field, e.text);
}

void providers_finish(struct build *b)
{
    struct world *w = b->world;

    if (b->depth == WORLD_FULL)
        drop_silent(b);
    dialects_load(b);
    for (size_t i = 0; i < w->provider_count; i++) {
        struct provider *p = w->providers[i];
        p->dialect = dialect_get(b, p);
        if (p->dialect)
            check_verbs(b, p);
        if (b->depth == WORLD_FULL && needs_tls(p))
            tls_get(b, p);
    }
    if (!w->provider_count && !b->fault_count)
        build_note(b, (struct place){w->file, 0}, "no provider is left: every request will be refused");
}

static bool names_one(const struct weir_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_glob(str_of(list->items[i]), str_of(name)))
            return true;
    return false;
}

bool provider_open_to(const struct provider *p, const struct key *k)
{
    if (p->only_for.count && !names_one(&p->only_for, k ? k->id : "local") &&
        !(k && names_one(&p->only_for, k->workspace)))
        return false;
    return !k || !k->providers.count || names_one(&k->providers, p->in.name);
}

bool key_may_ask(const struct key *k, struct weir_str model)
{
    if (!k || !k->models.count)
        return true;
    for (size_t i = 0; i < k->models.count; i++)
        if (str_glob(str_of(k->models.items[i]), model))
            return true;
    return false;
}
