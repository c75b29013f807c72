/* SPDX-License-Identifier: Apache-2.0 */
/* world_test.c -- what a configuration becomes: options, providers, dialects, keys, the life of instances; speed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "../plugins/world_openai.h"
#include "../plugins/world_options.h"
#include "base/clock.h"
#include "base/str.h"
#include "world/options.h"
#include "world_kit.h"

#define SHA_A    "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* of "a", by sha256sum(1) */
#define SHA_B    "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d" /* of "b" */
#define SHA_TEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */

static const char *const vendor_keys[] = {"OPENAI_API_KEY", "OPENROUTER_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY",
                                          "GROQ_API_KEY",   "TOGETHER_API_KEY",   "XAI_API_KEY"};

static void forget_vendors(void)
{
    for (size_t i = 0; i < sizeof(vendor_keys) / sizeof(vendor_keys[0]); i++)
        unsetenv(vendor_keys[i]);
}

START_TEST(settings_have_their_fallbacks)
{
    struct kit k;
    struct world *w;
    char state[160];

    kit_open(&k);
    w = kit_takes(&k, "", WORLD_SETTINGS);
    kit_path(&k, state, "state");
    ck_assert_str_eq(w->settings.listen, "127.0.0.1:8080");
    ck_assert_str_eq(w->settings.admin, "");
    ck_assert_str_eq(w->settings.state, state);
    ck_assert_str_eq(w->settings.durability, "batched");
    ck_assert_int_eq(w->settings.workers, 0);
    ck_assert_int_eq(w->settings.max_body, 32 << 20);
    ck_assert_int_eq(w->settings.head_timeout, 10000);
    ck_assert_uint_eq(w->settings.cors_origins.count, 0);
    ck_assert_ptr_null(w->tls);
    world_free(w);
    kit_close(&k);
}
END_TEST

static const struct world_options *options_of(const struct world *w)
{
    ck_assert_uint_eq(w->stage_count, 1);
    return w->stages[0]->in.options;
}

START_TEST(options_have_their_fallbacks)
{
    struct kit k;
    struct world *w;
    const struct world_options *o;

    kit_open(&k);
    w = kit_takes(&k, "guardrails = ( { name = \"g\"; plugin = \"options\"; word = \"w\"; } );", WORLD_CHECK);
    o = options_of(w);
    ck_assert_str_eq(o->word, "w");
    ck_assert_str_eq(o->mood, "calm");
    ck_assert_str_eq(o->script, "");
    ck_assert_str_eq(o->token, "");
    ck_assert_int_eq(o->count, 3);
    ck_assert_int_eq(o->wait, 5000);
    ck_assert_int_eq(o->room, 65536);
    ck_assert_double_eq(o->share, 0.5);
    ck_assert(o->on);
    ck_assert_uint_eq(o->words.count, 2);
    ck_assert_str_eq(o->words.items[0], "a");
    ck_assert_str_eq(o->words.items[1], "bc");
    ck_assert_uint_eq(o->colours.count, 2);
    ck_assert_uint_eq(o->files.count, 0);
    ck_assert(!w->stages[0]->observe);
    ck_assert(!w->stages[0]->fail_open);
    ck_assert_int_eq(w->stages[0]->timeout, 2000);
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(options_are_read)
{
    struct kit k;
    struct world *w;
    const struct world_options *o;
    char path[160];

    kit_open(&k);
    w = kit_takes(
        &k,
        "guardrails = ( { name = \"g\"; plugin = \"options\"; word = \"w\"; mood = \"wild\"; script = \"a/b.lua\";\n"
        "  count = 10; wait = \"2m\"; room = 10; share = 1; on = false; words = \"one of\"; colours = ( \"green\" );\n"
        "  files = [ \"./x\", \"/y\" ]; mode = \"observe\"; on_failure = \"open\"; timeout = "
        "7; } );",
        WORLD_CHECK);
    o = options_of(w);
    ck_assert_str_eq(o->mood, "wild");
    kit_path(&k, path, "a/b.lua");
    ck_assert_str_eq(o->script, path);
    ck_assert_int_eq(o->count, 10);
    ck_assert_int_eq(o->wait, 120000);
    ck_assert_int_eq(o->room, 10);
    ck_assert_double_eq(o->share, 1);
    ck_assert(!o->on);
    ck_assert_uint_eq(o->words.count, 1); /* one string is a list of one */
    ck_assert_str_eq(o->words.items[0], "one of");
    ck_assert_uint_eq(o->colours.count, 1);
    ck_assert_str_eq(o->colours.items[0], "green");
    kit_path(&k, path, "x");
    ck_assert_str_eq(o->files.items[0], path);
    ck_assert_str_eq(o->files.items[1], "/y");
    ck_assert(w->stages[0]->observe);
    ck_assert(w->stages[0]->fail_open);
    ck_assert_int_eq(w->stages[0]->timeout, 7);
    world_free(w);
    kit_close(&k);
}
END_TEST

/* A plugin built against a later header, with longer rows and a longer table, none of it used. */
START_TEST(a_larger_plugin_loads)
{
    struct kit k;
    struct world *w;
    const struct {
        const char *word;
        int64_t count;
    } * o;

    kit_open(&k);
    kit_plugin(&k, "guardrails", "larger", "larger");
    w = kit_takes(&k, "guardrails = ( { name = \"larger\"; count = 8; } );", WORLD_CHECK);
    o = w->stages[0]->in.options;
    ck_assert_str_eq(o->word, "deep");
    ck_assert_int_eq(o->count, 8);
    ck_assert_uint_eq(w->stages[0]->in.plugin->hooks.size, sizeof(struct weir_plugin));
    ck_assert_str_eq(w->stages[0]->in.plugin->hooks.options[1].name, "count");
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(providers_are_joined_with_their_dialect)
{
    struct kit k;
    struct world *w;
    const struct world_openai *o;

    kit_open(&k);
    w = kit_takes(&k,
                  "providers = ( { name = \"mock\"; }, { name = \"a\"; plugin = \"openai\"; },\n"
                  "  { name = \"b\"; plugin = \"openai\"; url = \"http://127.0.0.1:1/v1//\"; } );\n"
                  "sinks = ( { name = \"tell\"; kinds = \"open\"; batch_age = 5; } );",
                  WORLD_CHECK);
    ck_assert_uint_eq(w->provider_count, 3);
    ck_assert_uint_eq(w->dialect_count, 1);
    ck_assert_str_eq(w->dialects[0]->name, "openai");
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_eq(w->providers[i]->dialect, w->dialects[0]);
    ck_assert(w->providers[1]->in.plugin == w->providers[2]->in.plugin);

    /* an option that the plugin has too: its fallback counts, and both get the value */
    ck_assert_str_eq(w->providers[0]->url, "");
    o = w->providers[1]->in.options;
    ck_assert_str_eq(w->providers[1]->url, "https://api.example/v1");
    ck_assert_str_eq(o->url, "https://api.example/v1");
    o = w->providers[2]->in.options;
    ck_assert_str_eq(w->providers[2]->url, "http://127.0.0.1:1/v1");
    ck_assert_str_eq(o->url, "http://127.0.0.1:1/v1");

    ck_assert_uint_eq(w->instance_count, 5);
    for (size_t i = 0; i < w->instance_count; i++)
        ck_assert_uint_eq(w->instances[i]->index, i);
    ck_assert_uint_eq(w->providers[2]->in.place, 2);
    ck_assert_int_eq(w->providers[2]->in.line, 2);
    ck_assert_uint_eq(w->sinks[0]->kinds.count, 1);
    ck_assert_int_eq(w->sinks[0]->batch_age, 5);
    world_free(w);
    kit_close(&k);
}
END_TEST

#define ROWS                                                                                                           \
    "presets = ( { name = \"acme\"; plugin = \"openai\"; url = \"https://api.acme.test/v1\"; key = "                   \
    "\"env:WEIR_TEST_ACME\"; "                                                                                         \
    "retention = \"zdr\"; max_connections = 7; optional = true; models = [ \"a-*\", \"b\" ]; },\n"                     \
    "  { name = \"bare\"; plugin = \"openai\"; needs = [ \"url\", \"region\" ]; } );\n"

START_TEST(presets_fill_in_what_a_block_leaves_out)
{
    struct kit k;
    struct world *w;
    const struct world_openai *o;

    kit_open(&k);
    kit_put(&k, "p", ROWS);
    ck_assert_int_eq(setenv("WEIR_TEST_ACME", "ten-letters", 1), 0);
    w = kit_takes(&k,
                  "presets = \"p\"; providers = ( { name = \"mock\"; }, { name = \"one\"; preset = \"acme\"; },\n"
                  "  { name = \"two\"; preset = \"acme\"; url = \"http://127.0.0.1:1/v1\"; retention = \"stored\"; "
                  "models = [ \"c\" ]; } );",
                  WORLD_FULL);
    ck_assert_uint_eq(w->provider_count, 3);
    o = w->providers[1]->in.options;
    ck_assert_str_eq(w->providers[1]->in.plugin->name, "openai");
    ck_assert_str_eq(w->providers[1]->url, "https://api.acme.test/v1");
    ck_assert_str_eq(o->url, "https://api.acme.test/v1");
    ck_assert_str_eq(o->key, "ten-letters");
    ck_assert_str_eq(w->providers[1]->retention, "zdr");
    ck_assert_int_eq(w->providers[1]->max_connections, 7);
    ck_assert(w->providers[1]->optional);
    ck_assert_uint_eq(w->providers[1]->models.count, 2);
    ck_assert_str_eq(w->providers[1]->models.items[1], "b");
    /* what the block says counts */
    ck_assert_str_eq(w->providers[2]->url, "http://127.0.0.1:1/v1");
    ck_assert_str_eq(w->providers[2]->retention, "stored");
    ck_assert_uint_eq(w->providers[2]->models.count, 1);
    ck_assert_str_eq(w->providers[2]->models.items[0], "c");
    world_free(w);

    /* a key that is not there is looked for where the block stands */
    ck_assert_int_eq(unsetenv("WEIR_TEST_ACME"), 0);
    kit_refuses(&k,
                "presets = \"p\"; providers = ( { name = \"mock\"; },\n"
                "  { name = \"one\"; preset = \"acme\"; optional = false; } );",
                WORLD_FULL, "c:2: key: environment variable WEIR_TEST_ACME is not set; export it\n");
    kit_close(&k);
}
END_TEST

START_TEST(presets_are_refused)
{
    struct kit k;

    kit_open(&k);
    kit_put(&k, "p", ROWS);
    kit_put(&k, "odd", "presets = ( { name = \"acme\"; plugin = \"openai\"; kee = \"x\"; } );\n");
    kit_put(&k, "empty", "");
    kit_put(&k, "flat", "presets = \"acme\";\n");
    kit_put(&k, "mixed", "presets = ( \"acme\", { name = \"acme\"; } );\n");
    kit_put(&k, "bad", "presets = (\n");
#define ONE(file, preset, more)                                                                                        \
    "presets = \"" file "\"; providers = ( { name = \"a\"; preset = " preset "; " more "} );"
    kit_refuses(&k, ONE("p", "\"acne\"", ""), WORLD_CHECK,
                "c:1: no preset is called \"acne\"; did you mean \"acme\"?\n");
    kit_refuses(&k, ONE("p", "\"zzzzzzzz\"", ""), WORLD_CHECK,
                "c:1: no preset is called \"zzzzzzzz\"; p has them all\n");
    kit_refuses(&k, ONE("p", "\"bare\"", "url = \"https://h/\"; "), WORLD_CHECK,
                "c:1: preset \"bare\" needs region; add it to the block\n");
    kit_refuses(&k, ONE("p", "7", "plugin = \"openai\"; "), WORLD_CHECK,
                "c:1: preset must be a string in quotes; correct it\n");
    kit_refuses(&k, ONE("odd", "\"acme\"", ""), WORLD_CHECK, "c:1: unknown option kee; did you mean \"key\"?\n");
    kit_refuses(&k, ONE("none", "\"acme\"", ""), WORLD_CHECK,
                "c:1: the file of presets, none, cannot be read; name it with presets = \"FILE\"\n");
    kit_refuses(&k, ONE("plugins", "\"acme\"", ""), WORLD_CHECK,
                "c:1: the file of presets, plugins, cannot be read; name it with presets = \"FILE\"\n");
    kit_refuses(&k, ONE("empty", "\"acme\"", ""), WORLD_CHECK,
                "empty: no list of rows; write presets = ( { name = \"...\"; ... } );\n");
    kit_refuses(&k, ONE("flat", "\"acme\"", ""), WORLD_CHECK,
                "flat: no list of rows; write presets = ( { name = \"...\"; ... } );\n");
    kit_refuses(&k, ONE("mixed", "\"acme\"", ""), WORLD_CHECK,
                "mixed: no list of rows; write presets = ( { name = \"...\"; ... } );\n");
    kit_refuses(&k, ONE("bad", "\"acme\"", ""), WORLD_CHECK, "bad:2: syntax error; correct it\n");
    kit_close(&k);
}
END_TEST

static const struct {
    const char *model, *upstream;
} served[] = {
    {"gpt-4o", "gpt-4o"},
    {"gpt-", "gpt-"},
    {"openai/gpt-4o", "gpt-4o"},
    {"openai/", NULL}, /* nothing is no name */
    {"openai/a/b", "a/b"},
    {"fast", "meta/llama"},
    {"x-mid-y", "mid"},
    {"x--y", NULL},
    {"x-y", NULL}, /* the star's two sides must not overlap */
    {"exact", "exact"},
    {"exactly", NULL},
    {"Fast", NULL},
    {"", NULL},
};

START_TEST(models_are_matched)
{
    struct weir_str upstream = {0};
    struct kit k;
    struct world *w;

    kit_open(&k);
    w = kit_takes(&k,
                  "providers = ( { name = \"mock\"; models = [ \"gpt-*\", \"openai/*=*\", \"fast=meta/llama\", "
                  "\"x-*-y=*\", \"exact\" ]; } );",
                  WORLD_CHECK);
    ck_assert_int_eq(provider_serves(w->providers[0], str_of(served[_i].model), &upstream),
                     served[_i].upstream != NULL);
    if (served[_i].upstream)
        ck_assert_msg(str_is(upstream, served[_i].upstream), "%s", served[_i].model);
    world_free(w);

    w = kit_takes(&k, "providers = ( { name = \"mock\"; } );", WORLD_CHECK);
    ck_assert(provider_serves(w->providers[0], WEIR_STR("mock/echo"), &upstream));
    ck_assert(str_is(upstream, "echo"));
    ck_assert(!provider_serves(w->providers[0], WEIR_STR("echo"), &upstream));
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(keys_are_found)
{
    const struct key *a, *b;
    struct kit k;
    struct world *w;

    kit_open(&k);
    w = kit_takes(
        &k,
        "providers = ( { name = \"mock\"; }, { name = \"ours\"; plugin = \"mock\"; only_for = [ \"lab\" ]; } );\n"
        "keys = (\n { id = \"a\"; sha256 = \"" SHA_A
        "\"; models = [ \"gpt-*\", \"x\" ]; rate = \"60 / minute\"; burst = 5; "
        "concurrency = 2; workspace = \"lab\"; },\n { id = \"b\"; sha256 = \"" SHA_B
        "\"; providers = \"mo*\"; rate = \"3 / day\"; },\n"
        " { id = \"c\"; sha256 = \"" SHA_TEST "\"; disabled = true; } );",
        WORLD_SETTINGS);
    a = world_key(w, WEIR_STR("a"));
    b = world_key(w, WEIR_STR("b"));
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_str_eq(a->id, "a");
    ck_assert_str_eq(b->id, "b");
    ck_assert_int_eq(a->rate, 60);
    ck_assert_int_eq(a->rate_period_us, 60000000);
    ck_assert_int_eq(a->rate_burst, 5);
    ck_assert_int_eq(a->concurrent, 2);
    ck_assert_int_eq(b->rate_burst, 3);
    ck_assert(a->hash != b->hash);
    ck_assert_ptr_null(world_key(w, WEIR_STR("test"))); /* disabled */
    ck_assert_ptr_null(world_key(w, WEIR_STR("")));
    ck_assert_ptr_null(world_key(w, WEIR_STR("aa")));

    ck_assert(key_may_ask(a, WEIR_STR("gpt-4o")));
    ck_assert(!key_may_ask(a, WEIR_STR("xx")));
    ck_assert(key_may_ask(b, WEIR_STR("anything")));
    ck_assert(key_may_ask(NULL, WEIR_STR("anything")));
    ck_assert(provider_open_to(w->providers[0], a));
    ck_assert(provider_open_to(w->providers[1], a)); /* by its workspace */
    ck_assert(provider_open_to(w->providers[0], b));
    ck_assert(!provider_open_to(w->providers[1], b)); /* neither its workspace nor among its providers */
    ck_assert(provider_open_to(w->providers[0], NULL));
    ck_assert(!provider_open_to(w->providers[1], NULL)); /* "local" is not of the lab */
    world_free(w);
    kit_close(&k);
}
END_TEST

/* One of many keys is found at the first, the last and the middle place. */
START_TEST(keys_are_found_among_many)
{
    struct buf text = {0};
    struct kit k;
    struct world *w;

    kit_open(&k);
    buf_lit(&text, "keys = ( { id = \"a\"; sha256 = \"" SHA_A "\"; }");
    for (int i = 0; i < 3000; i++)
        buf_printf(&text, ",\n { id = \"k%d\"; sha256 = \"%064x\"; }%s", i, i + 1,
                   i == 1500 ? ", { id = \"b\"; sha256 = \"" SHA_B "\"; }" : "");
    buf_lit(&text, ", { id = \"t\"; sha256 = \"" SHA_TEST "\"; } );");
    buf_char(&text, '\0');
    w = kit_takes(&k, text.ptr, WORLD_SETTINGS);
    ck_assert_uint_eq(w->key_count, 3003);
    ck_assert_str_eq(world_key(w, WEIR_STR("a"))->id, "a");
    ck_assert_str_eq(world_key(w, WEIR_STR("b"))->id, "b");
    ck_assert_str_eq(world_key(w, WEIR_STR("test"))->id, "t");
    ck_assert_ptr_null(world_key(w, WEIR_STR("c")));
    world_free(w);
    buf_fini(&text);
    kit_close(&k);
}
END_TEST

/* A digest that differs in one digit, wherever, is another key. */
START_TEST(keys_are_compared_whole)
{
    struct buf text = {0};
    struct kit k;
    struct world *w;
    char sha[] = SHA_A;

    kit_open(&k);
    buf_lit(&text, "keys = ( ");
    for (int i = 0; i < 64; i++) {
        char was = sha[i];
        sha[i] = was == '0' ? '1' : '0';
        buf_printf(&text, "%s{ id = \"k%d\"; sha256 = \"%s\"; }", i ? ", " : "", i, sha);
        sha[i] = was;
    }
    buf_lit(&text, " );");
    buf_char(&text, '\0');
    w = kit_takes(&k, text.ptr, WORLD_SETTINGS);
    ck_assert_uint_eq(w->key_count, 64);
    ck_assert_ptr_null(world_key(w, WEIR_STR("a")));
    world_free(w);
    buf_fini(&text);
    kit_close(&k);
}
END_TEST

START_TEST(instances_live_as_the_header_says)
{
    const struct world_options *self;
    const struct world_options_shared *shared;
    struct weir_error e = {0};
    struct kit k;
    struct world *w;
    struct stat st;
    char path[160];

    kit_open(&k);
    kit_path(&k, path, "finis");
    setenv("WORLD_OPTIONS_FINI", path, 1);
    w = kit_takes(&k,
                  "guardrails = ( { name = \"options\"; word = \"w\"; } ); providers = ( { name = \"mock\"; } );\n"
                  "sinks = ( { name = \"tell\"; }, { name = \"two\"; plugin = \"tell\"; } );",
                  WORLD_FULL);
    shared = w->stages[0]->in.shared;
    ck_assert_int_eq(shared->prepares, 1);
    ck_assert_str_eq(shared->word, "w");
    ck_assert_ptr_null(w->stages[0]->in.self);

    ck_assert(world_init(w, NULL, &e)); /* a worker: all but the sinks */
    self = w->stages[0]->in.self;
    ck_assert_ptr_ne(self, w->stages[0]->in.options);
    ck_assert_int_eq(self->inits, 1);
    ck_assert_str_eq(self->word, "w");
    ck_assert_int_eq(options_of(w)->inits, 0);
    ck_assert_ptr_null(w->sinks[0]->in.self);
    world_fini(w);
    ck_assert_ptr_null(w->stages[0]->in.self);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 1);

    ck_assert(world_init(w, w->sinks[1], &e)); /* a sink's process: that one alone */
    ck_assert_ptr_null(w->stages[0]->in.self);
    ck_assert_ptr_null(w->sinks[0]->in.self);
    ck_assert_ptr_nonnull(w->sinks[1]->in.self);
    world_fini(w);
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(a_failing_init_undoes_the_others)
{
    struct weir_error e = {0};
    struct kit k;
    struct world *w;
    struct stat st;
    char path[160];

    kit_open(&k);
    kit_path(&k, path, "finis");
    setenv("WORLD_OPTIONS_FINI", path, 1);
    w = kit_takes(&k,
                  "guardrails = ( { name = \"one\"; plugin = \"options\"; word = \"w\"; },\n"
                  "  { name = \"two\"; plugin = \"options\"; word = \"w\"; fail = \"init\"; } );",
                  WORLD_CHECK);
    ck_assert(!world_init(w, NULL, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "/c:2: two: it was told to fail"));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 1); /* the first was undone, the second never lived */
    for (size_t i = 0; i < w->instance_count; i++)
        ck_assert_ptr_null(w->instances[i]->self);
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(secrets_are_read_when_all_is)
{
    static const char text[] =
        "providers = ( { name = \"openai\"; key = \"env:WEIR_TEST_SECRET\"; proxy = \"file:proxy\"; } );\n"
        "guardrails = ( { name = \"options\"; word = \"w\"; token = \"exec:echo short\"; } );";
    const struct world_openai *o;
    struct kit k;
    struct world *w;

    kit_open(&k);
    setenv("WEIR_TEST_SECRET", "canary-of-the-provider", 1);
    kit_put(&k, "proxy", "http://u:canary@127.0.0.1:1\n");
    w = kit_takes(&k, text, WORLD_CHECK);
    o = w->providers[0]->in.options;
    ck_assert_str_eq(o->key, "");
    ck_assert_uint_eq(w->providers[0]->secret_count, 0);
    ck_assert_ptr_null(w->stages[0]->in.shared); /* `prepare` would have wanted the secret */
    world_free(w);

    w = kit_takes(&k, text, WORLD_FULL);
    o = w->providers[0]->in.options;
    ck_assert_str_eq(o->key, "canary-of-the-provider");
    ck_assert_str_eq(w->providers[0]->proxy, "http://u:canary@127.0.0.1:1");
    ck_assert_uint_eq(w->providers[0]->secret_count, 2);
    ck_assert(str_is(w->providers[0]->secrets[0], "canary-of-the-provider") ||
              str_is(w->providers[0]->secrets[1], "canary-of-the-provider"));
    ck_assert_str_eq(options_of(w)->token, "short");
    ck_assert_ptr_nonnull(w->stages[0]->in.shared);
    ck_assert_ptr_nonnull(w->providers[0]->tls);
    world_free(w);

    unsetenv("WEIR_TEST_SECRET");
    world_free(kit_takes(&k, text, WORLD_CHECK)); /* a machine that only checks has no secrets */
    ck_assert_str_eq(kit_text(&k, &k.notes), "c:1: key: environment variable WEIR_TEST_SECRET is not set; export it\n");
    kit_refuses(&k, text, WORLD_FULL, "c:1: key: environment variable WEIR_TEST_SECRET is not set; export it\n");
    kit_close(&k);
}
END_TEST

/* The canary stands where people put it by mistake: no fault and no note repeats it. */
START_TEST(no_message_holds_a_secret)
{
    static const char *const texts[] = {
        "providers = ( { name = \"openai\"; key = \"CANARY-1234567\"; } );",
        "providers = ( { name = \"openai\"; key = [ \"CANARY-1234567\" ]; } );",
        "providers = ( { name = \"openai\"; url = \"https://CANARY-1234567@h/\"; } );",
        "providers = ( { name = \"openai\"; url = \"CANARY-1234567\"; } );",
        "providers = ( { name = \"openai\"; proxy = \"http://u:CANARY-1234567@h:1\"; } );",
        "providers = ( { name = \"openai\"; proxy = \"CANARY-1234567\"; } );",
        "providers = ( { name = \"openai\"; kee = \"CANARY-1234567\"; } );",
        "providers = ( { name = \"openai\"; key = \"env:WEIR_TEST_SECRET\"; nope = 1; } );",
        "providers = ( { name = \"openai\"; key = \"env:WEIR_TEST_SECRET\"; } ); guardrails = ( { name = \"options\"; "
        "word = \"w\"; "
        "fail = \"prepare\"; } );",
        "providers = ( { name = \"openai\"; key = \"exec:echo $WEIR_TEST_SECRET; exit 1\"; } );",
        "providers = ( { name = \"openai\"; key = \"exec:echo $WEIR_TEST_SECRET; echo $WEIR_TEST_SECRET\"; } );",
        "keys = ( { id = \"a\"; sha256 = \"CANARY-1234567\"; } );",
        "api_key = \"CANARY-1234567\";",
    };
    struct kit k;

    kit_open(&k);
    setenv("WEIR_TEST_SECRET", "CANARY-1234567", 1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (int depth = WORLD_CHECK; depth <= WORLD_FULL; depth++) {
            struct world *w = kit_load(&k, texts[i], (enum world_depth)depth);
            ck_assert(!w || depth == WORLD_CHECK);
            world_free(w);
            ck_assert_ptr_null(strstr(kit_text(&k, &k.faults), "CANARY"));
            ck_assert_ptr_null(strstr(kit_text(&k, &k.notes), "CANARY"));
        }
    kit_close(&k);
}
END_TEST

START_TEST(world_readable_secrets_are_noted)
{
    struct kit k;
    char path[160];

    kit_open(&k);
    kit_put(&k, "key", "canary-in-a-file\n");
    kit_path(&k, path, "key");
    chmod(path, 0644);
    world_free(kit_takes(&k, "providers = ( { name = \"openai\"; key = \"file:key\"; } );", WORLD_FULL));
    ck_assert_str_eq(kit_text(&k, &k.notes), "c:1: key: key can be read by everybody; chmod 600 it\n");
    chmod(path, 0600);
    world_free(kit_takes(&k, "providers = ( { name = \"openai\"; key = \"file:key\"; } );", WORLD_FULL));
    ck_assert_uint_eq(k.notes.len, 0);
    kit_close(&k);
}
END_TEST

/* A listening socket on a free port of 127.0.0.1. */
static int local_server(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, n), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

START_TEST(optional_providers_are_left_out)
{
    char text[400], note[400];
    struct kit k;
    struct world *w;
    int port, fd = local_server(&port);

    kit_open(&k);
    unsetenv("WEIR_TEST_SECRET");
    snprintf(text, sizeof(text),
             "providers = ( { name = \"mock\"; },\n { name = \"a\"; plugin = \"openai\"; key = "
             "\"env:WEIR_TEST_SECRET\"; optional = true; },\n"
             " { name = \"b\"; plugin = \"openai\"; url = \"http://127.0.0.1:%d/v1\"; optional = true; } );\n"
             "keys = ( { id = \"k\"; sha256 = \"" SHA_A "\"; providers = [ \"a\", \"b\" ]; } );",
             port);
    w = kit_takes(&k, text, WORLD_FULL);
    ck_assert_uint_eq(w->provider_count, 2);
    ck_assert_uint_eq(w->provider_places, 3);
    ck_assert_str_eq(w->providers[1]->in.name, "b");
    ck_assert_uint_eq(w->providers[1]->in.place, 2);
    ck_assert_str_eq(kit_text(&k, &k.notes),
                     "c:2: provider a is left out: key: environment variable WEIR_TEST_SECRET is not set; export it\n");
    world_free(w);

    close(fd);
    setenv("WEIR_TEST_SECRET", "canary-optional", 1);
    w = kit_takes(&k, text, WORLD_FULL);
    ck_assert_uint_eq(w->provider_count, 2);
    ck_assert_str_eq(w->providers[1]->in.name, "a");
    snprintf(note, sizeof(note), "c:3: provider b is left out: nothing answers at http://127.0.0.1:%d/v1\n", port);
    ck_assert_str_eq(kit_text(&k, &k.notes), note);
    world_free(w);
    w = kit_takes(&k, text, WORLD_CHECK); /* a check connects to nothing */
    ck_assert_uint_eq(w->provider_count, 3);
    world_free(w);
    kit_close(&k);
}
END_TEST

/* A server that neither takes nor refuses costs no more than the bound. */
START_TEST(silent_servers_cost_little)
{
    char text[200];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct kit k;
    int port, fd = local_server(&port), full[8];
    int64_t start;

    kit_open(&k);
    a.sin_port = htons((uint16_t)port);
    for (int i = 0; i < 8; i++) { /* its backlog is full: more connections hang */
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(full[i], (struct sockaddr *)&a, sizeof(a));
    }
    snprintf(text, sizeof(text),
             "providers = ( { name = \"mock\"; }, { name = \"b\"; plugin = \"openai\"; url = \"http://127.0.0.1:%d\"; "
             "optional = true; } );",
             port);
    start = clock_us();
    world_free(kit_takes(&k, text, WORLD_FULL));
    ck_assert_int_lt(clock_us() - start, 500000);
    ck_assert_ptr_nonnull(strstr(kit_text(&k, &k.notes), "provider b is left out"));
    for (int i = 0; i < 8; i++)
        close(full[i]);
    close(fd);
    kit_close(&k);
}
END_TEST

static void same_list(const struct weir_list *a, const struct weir_list *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        ck_assert_str_eq(a->items[i], b->items[i]);
}

static void same_options(const struct weir_option *rows, const void *a, const void *b)
{
    for (; rows->type != WEIR_T_END; rows++) {
        const void *x = (const char *)a + rows->offset, *y = (const char *)b + rows->offset;
        if (strcmp(rows->name, "plugins") == 0 || strcmp(rows->name, "state") == 0)
            continue; /* they begin at the folder of the file */
        if (rows->type == WEIR_T_STR)
            ck_assert_msg(strcmp(*(const char *const *)x, *(const char *const *)y) == 0, "%s", rows->name);
        else if (rows->type == WEIR_T_LIST)
            same_list(x, y);
        else
            ck_assert_msg(memcmp(x, y, options_width(rows->type)) == 0, "%s", rows->name);
    }
}

START_TEST(tls_contexts_are_made)
{
    struct kit k;
    struct world *w;

    kit_open(&k);
    w = kit_takes(&k,
                  "providers = ( { name = \"mock\"; }, { name = \"a\"; plugin = \"openai\"; }, { name = \"b\"; plugin "
                  "= \"openai\"; "
                  "url = \"http://h\"; },\n { name = \"c\"; plugin = \"openai\"; url = \"https://h\"; } );",
                  WORLD_FULL);
    ck_assert_ptr_null(w->providers[0]->tls); /* in this process */
    ck_assert_ptr_nonnull(w->providers[1]->tls);
    ck_assert_ptr_null(w->providers[2]->tls); /* plain */
    ck_assert_ptr_nonnull(w->providers[3]->tls);
    ck_assert_ptr_ne(w->providers[1]->tls, w->providers[3]->tls);
    ck_assert_ptr_eq(SSL_CTX_get_cert_store(w->providers[1]->tls), SSL_CTX_get_cert_store(w->providers[3]->tls));
    world_free(w);

    kit_refuses(&k, "providers = ( { name = \"openai\"; ca = \"none.pem\"; } );", WORLD_FULL,
                "c:1: ca: none.pem: No such file or directory; correct it\n");
    kit_refuses(&k, "providers = ( { name = \"openai\"; cert = \"none.pem\"; cert_key = \"k.pem\"; } );", WORLD_FULL,
                "c:1: cert: none.pem: No such file or directory; correct it\n");
    kit_refuses(&k, "\ntls_cert = \"none.pem\"; tls_key = \"k.pem\";", WORLD_FULL,
                "c:2: tls_cert: none.pem: No such file or directory; correct it\n");
    kit_close(&k);
}
END_TEST

/* The world of the configuration that is compiled in, and of weir.conf without its comments, are the same. */
START_TEST(weir_conf_says_what_is_built_in)
{
    const struct world_source given = {.file = "weir.conf"};
    struct world *built, *said;
    struct buf text = {0}, faults = {0}, notes = {0};
    struct kit k;
    char line[400];
    FILE *f = fopen("weir.conf", "r");

    ck_assert_msg(f != NULL, "run from the top of the tree");
    kit_open(&k);
    for (size_t i = 0; i < sizeof(vendor_keys) / sizeof(vendor_keys[0]); i++)
        setenv(vendor_keys[i], "canary", 1);
    while (fgets(line, sizeof(line), f))
        buf_printf(&text, "%s", line);
    fclose(f);
    buf_char(&text, '\0');
    built = kit_takes(&k, "", WORLD_CHECK);
    said = kit_takes(&k, text.ptr, WORLD_CHECK);
    same_options(settings_options, &built->settings, &said->settings);
    ck_assert_uint_eq(built->provider_count, 10);
    ck_assert_uint_eq(said->provider_count, 10);
    for (size_t i = 0; i < built->provider_count; i++) {
        const struct provider *a = built->providers[i], *b = said->providers[i];
        ck_assert_str_eq(a->in.name, b->in.name);
        ck_assert(a->in.plugin->name && strcmp(a->in.plugin->name, b->in.plugin->name) == 0);
        same_options(provider_options, a, b);
        if (a->in.plugin->hooks.options)
            same_options(a->in.plugin->hooks.options, a->in.options, b->in.options);
    }
    ck_assert_uint_eq(said->stage_count + said->sink_count + said->key_count, 0);

    /* it shows every setting, and every option of the parts */
    for (const struct section *s = sections; s->name; s++)
        for (const struct weir_option *row = s->options; row->type != WEIR_T_END; row++)
            ck_assert_msg(strstr(text.ptr, row->name) != NULL, "weir.conf does not show %s", row->name);
    world_free(built);
    world_free(said);
    forget_vendors();
    world_free(world_load_from(&given, WORLD_SETTINGS, &notes, &faults));
    ck_assert_uint_eq(faults.len, 0);
    buf_fini(&text);
    buf_fini(&faults);
    buf_fini(&notes);
    kit_close(&k);
}
END_TEST

/* Each setting that weir.conf shows behind a # is shown with its default. */
START_TEST(weir_conf_shows_the_defaults)
{
    char line[400], shown[100];
    FILE *f = fopen("weir.conf", "r");
    size_t found = 0;

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f))
        for (const struct weir_option *row = settings_options; row->type != WEIR_T_END; row++) {
            struct buf fallback = {0};
            const char *at = line + (line[0] == '#' ? 2 : 0);
            size_t n = strcspn(at, " =");
            if (n != strlen(row->name) || strncmp(at, row->name, n) != 0 || !*row->fallback || !strchr(at, '='))
                continue;
            options_default(&fallback, row);
            snprintf(shown, sizeof(shown), "= %.*s;", (int)fallback.len, fallback.ptr);
            ck_assert_msg(strstr(at, shown) != NULL, "%s is shown as %s", row->name, at);
            buf_fini(&fallback);
            found++;
        }
    fclose(f);
    ck_assert_uint_eq(found, 25);
}
END_TEST

/* DESIGN: 100 ms from exec to the first answer; the world may take 20 of them. */
START_TEST(loading_is_fast)
{
    int64_t best = INT64_MAX;
    struct kit k;

    kit_open(&k);
    forget_vendors();
    for (int i = 0; i < 10; i++) {
        int64_t start = clock_us();
        world_free(kit_takes(&k, "", WORLD_FULL));
        if (clock_us() - start < best)
            best = clock_us() - start;
    }
    ck_assert_msg(best < 20000, "%lld us", (long long)best);
    kit_close(&k);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("world");
    TCase *t = tcase_create("world");

    tcase_set_timeout(t, 30);
    tcase_add_test(t, settings_have_their_fallbacks);
    tcase_add_test(t, options_have_their_fallbacks);
    tcase_add_test(t, options_are_read);
    tcase_add_test(t, a_larger_plugin_loads);
    tcase_add_test(t, providers_are_joined_with_their_dialect);
    tcase_add_test(t, presets_fill_in_what_a_block_leaves_out);
    tcase_add_test(t, presets_are_refused);
    tcase_add_loop_test(t, models_are_matched, 0, (int)(sizeof(served) / sizeof(served[0])));
    tcase_add_test(t, keys_are_found);
    tcase_add_test(t, keys_are_found_among_many);
    tcase_add_test(t, keys_are_compared_whole);
    tcase_add_test(t, instances_live_as_the_header_says);
    tcase_add_test(t, a_failing_init_undoes_the_others);
    tcase_add_test(t, secrets_are_read_when_all_is);
    tcase_add_test(t, no_message_holds_a_secret);
    tcase_add_test(t, world_readable_secrets_are_noted);
    tcase_add_test(t, optional_providers_are_left_out);
    tcase_add_test(t, silent_servers_cost_little);
    tcase_add_test(t, tls_contexts_are_made);
    tcase_add_test(t, weir_conf_says_what_is_built_in);
    tcase_add_test(t, weir_conf_shows_the_defaults);
    tcase_add_test(t, loading_is_fast);
    suite_add_tcase(s, t);
    return s;
}
