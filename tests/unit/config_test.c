/* SPDX-License-Identifier: Apache-2.0 */
/* config_test.c -- every mistake in a configuration is one line with file, line and cure. */
#include "world_kit.h"

struct mistake {
    const char *text, *lines;
};

#define WORD "guardrails = ( { name = \"options\"; word = \"x\"; "
#define SHA  "sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"; "
#define SYNTAX                                                                                                         \
    "look here and at the line before: a setting ends with \";\", blocks and items of a list have \",\" between them " \
    "and none after the last, text stands in quotes\n"

static const struct mistake mistakes[] = {
    /* what libconfig finds */
    {"state = ;", "c:1: syntax error; " SYNTAX},
    {"\nproviders = ( { name = \"mock\"; }, );", "c:2: syntax error; " SYNTAX},
    {"state = \"a\";\nstate = \"b\";", "c:2: duplicate setting name; keep one of the two\n"},
    {"\n@include \"missing.conf\"\n", "c:2: cannot open include file; write its path relative to this file\n"},
    {"\n  @include \"\"\n", "c:2: @include \"\" names no file of at most 64 MB; name one, relative to this file\n"},
    {"cors_origins = [ \"a\", 1 ];", "c:1: mismatched element type in array; put every item in quotes\n"},

    /* names */
    {"\nlisten_ = \"127.0.0.1:1\";", "c:2: unknown option listen_; did you mean \"listen\"?\n"},
    {"provider = ( );", "c:1: unknown option provider; did you mean \"providers\"?\n"},
    {"zzzzzzzz = 1;", "c:1: unknown option zzzzzzzz; \"weir help settings\" lists what there is\n"},
    {WORD "\n  cuont = 3; } );", "c:2: unknown option cuont; did you mean \"count\"?\n"},
    {WORD "\n  mod = \"observe\"; } );", "c:2: unknown option mod; did you mean \"mode\"?\n"},
    {"keys = ( { id = \"a\"; " SHA "\n rat = \"1 / day\"; } );", "c:2: unknown option rat; did you mean \"rate\"?\n"},

    /* types and units */
    {"listen = 8080;", "c:1: listen must be a string in quotes; correct it\n"},
    {"workers = \"4\";", "c:1: workers must be a whole number; correct it\n"},
    {"workers = 1.5;", "c:1: workers must be a whole number; correct it\n"},
    {"max_body = \"1T\";", "c:1: max_body must be a size such as 4096, \"64k\", \"10M\" or \"1G\"; correct it\n"},
    {"idle_timeout = \"5x\";",
     "c:1: idle_timeout must be a time such as 250, \"250ms\", \"5s\", \"2m\", \"1h\" or \"1d\"; correct it\n"},
    {WORD "on = \"yes\"; } );", "c:1: on must be true or false, without quotes; correct it\n"},
    {WORD "on = 1; } );", "c:1: on must be true or false, without quotes; correct it\n"},
    {WORD "share = \"0.5\"; } );", "c:1: share must be a number; correct it\n"},
    {WORD "words = 5; } );", "c:1: words must be a list of strings such as [ \"a\", \"b\" ]; correct it\n"},
    {WORD "words = ( 5, 6 ); } );", "c:1: words must be a list of strings such as [ \"a\", \"b\" ]; correct it\n"},
    {WORD "words = { a = \"b\"; }; } );",
     "c:1: words must be a list of strings such as [ \"a\", \"b\" ]; correct it\n"},
    {WORD "words = [ \"a\", \"\" ]; } );", "c:1: words holds an empty string; take it out\n"},

    /* ranges and choices */
    {"workers = -1;", "c:1: workers is out of range; it must be 0 to 1024\n"},
    {"workers = 99999999999;", "c:1: workers is out of range; it must be 0 to 1024\n"},
    {"head_timeout = \"2h\";", "c:1: head_timeout is out of range; it must be 100ms to 1h\n"},
    {"max_body = 1;", "c:1: max_body is out of range; it must be 1k to 1G\n"},
    {"durability = \"stict\";",
     "c:1: durability cannot be \"stict\"; it must be \"batched\" or \"strict\" (did you mean \"strict\"?)\n"},
    {WORD "colours = [ \"red\", \"pink\" ]; } );",
     "c:1: colours cannot be \"pink\"; it must be \"red\", \"green\" or \"blue\"\n"},
    {WORD "share = 1.01; } );", "c:1: share is out of range; it must be 0 to 1\n"},
    {WORD "files = [ \"a\", \"b\", \"c\" ]; } );", "c:1: files is out of range; it must be 0 to 2 items\n"},

    /* what is missing */
    {"guardrails = ( { name = \"options\";\n } );", "c:1: word is missing; add it: A word that must be given.\n"},
    {"guardrails = ( { name = \"options\";\n word = \"\"; } );", "c:2: word is empty; give it a value\n"},
    {"guardrails = ( { plugin = \"options\"; } );",
     "c:1: name is missing; add it: What records, logs and metrics call this block; it stands once in its list.\n"},
    {"keys = ( { id = \"a\"; } );", "c:1: sha256 is missing; add it: SHA-256 of the key, 64 hex digits, as \"weir keys "
                                    "new\" prints it.  The key itself stands "
                                    "nowhere.\n"},

    /* blocks */
    {"providers = { name = \"mock\"; };",
     "c:1: providers must be a list of blocks; write providers = ( { ... }, { ... } );\n"},
    {"sinks = [ \"tell\" ];", "c:1: sinks must be a list of blocks; write sinks = ( { ... }, { ... } );\n"},
    {"sinks = ( \"tell\" );", "c:1: sinks must be a list of blocks; write sinks = ( { ... }, { ... } );\n"},
    {"providers = ( );", "c:1: providers is empty; add a block, or remove the line to get the built-in ones\n"},
    {"sinks = (\n { name = \"tell\"; },\n { name = \"tell\"; } );",
     "c:3: name \"tell\" is taken by line 2; give each its own\n"},
    {"sinks = ( { name = \"a/b\"; } );",
     "c:1: name \"a/b\" must be 1 to 64 letters, digits, dots, - and _; change it\n"},
    {"sinks = ( { name = \"a\\nb\"; } );",
     "c:1: name \"a?b\" must be 1 to 64 letters, digits, dots, - and _; change it\n"},

    /* providers */
    {"providers = ( { name = \"openai\"; url = \"api.example\"; } );",
     "c:1: url is no URL; write \"https://HOST/PATH\"\n"},
    {"providers = ( { name = \"openai\"; url = \"https://u:canary@h/\"; } );",
     "c:1: url has a user or password in it; take it out, and refer to it as a secret\n"},
    {"providers = ( { name = \"openai\"; url = \"https://h/v1?a=b\"; } );",
     "c:1: url has a query, a fragment or a character that no base URL has; take it out\n"},
    {"providers = ( { name = \"openai\"; proxy = \"http://u:canary@h:1\"; } );",
     "c:1: proxy has a user or password in it; take it out, and refer to it as a secret\n"},
    {"providers = ( { name = \"openai\"; proxy = \"http://h:1/x\"; } );",
     "c:1: proxy has a path; write \"http://HOST:PORT\"\n"},
    {"providers = ( { name = \"openai\";\n cert = \"a.pem\"; } );",
     "c:2: cert stands without cert_key; a client certificate needs both\n"},
    {"providers = ( { name = \"openai\";\n models = [ \"a\", \"=b\" ]; } );",
     "c:2: models: \"=b\" has an empty side; write \"NAME=UPSTREAM\"\n"},
    {"providers = ( { name = \"openai\"; models = \"a/*=x/*\"; } );",
     "c:1: models: \"a/*=x/*\": behind = a star stands alone, for one star before it; write \"openai/*=*\"\n"},
    {"providers = ( { name = \"openai\"; retention = \"zrd\"; } );",
     "c:1: retention cannot be \"zrd\"; it must be \"unknown\", \"zdr\", \"stored\" or \"trained\" (did you mean "
     "\"zdr\"?)\n"},
    {"providers = ( { name = \"openai\"; only_for = \"lab\"; } );",
     "c:1: only_for: no key has the id or workspace \"lab\"; \"weir keys list\" lists them\n"},

    /* secrets: the text itself is never told */
    {"providers = ( { name = \"openai\"; key = \"canary\"; } );",
     "c:1: key must not stand in the file itself; write \"env:NAME\", \"file:/path\" or \"exec:COMMAND\"\n"},
    {"providers = ( { name = \"openai\"; key = \"env:\"; } );",
     "c:1: key must not stand in the file itself; write \"env:NAME\", \"file:/path\" or \"exec:COMMAND\"\n"},
    {"providers = ( { name = \"openai\"; key = 12345; } );",
     "c:1: key must be a string; write \"env:NAME\", \"file:/path\" or \"exec:COMMAND\"\n"},

    /* plugins */
    {"sinks = ( { name = \"a\"; plugin = \"tel\"; } );",
     "c:1: there is no plugin \"tel\" in plugins/sinks (found: tell); did you mean \"tell\"?\n"},
    {"sinks = ( { name = \"a\"; plugin = \"options\"; } );",
     "c:1: plugin \"options\" is in plugins/guardrails, not in sinks; move this block to guardrails\n"},
    {"sinks = ( { name = \"a\"; plugin = \"../sinks/tell\"; } );",
     "c:1: \"../sinks/tell\" is no name of a plugin; letters, digits, - and _ make one, and no path\n"},
    {"sinks = ( { name = \"a\"; plugin = \"b\"; }, { name = \"b\"; } );", /* one cure, one line */
     "c:1: there is no plugin \"b\" in plugins/sinks (found: tell); put it there, or set plugins to another folder\n"},

    /* keys */
    {"keys = ( { id = \"a\"; sha256 = \"canary\"; } );",
     "c:1: sha256 is no 64 hex digits; make a key and its block with \"weir keys new\"\n"},
    {"keys = ( { id = \"a\"; sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"; } );",
     "c:1: sha256 is that of an empty key; make one with \"weir keys new\"\n"},
    {"keys = ( { id = \"local\"; " SHA "} );",
     "c:1: id \"local\" is what callers without a key are called; change it\n"},
    {"keys = ( { id = \"a b\"; " SHA "} );",
     "c:1: id \"a b\" must be 1 to 64 letters, digits, dots, - and _; change it\n"},
    {"keys = ( { id = \"a\"; " SHA "rate = \"sixty\"; } );",
     "c:1: rate \"sixty\" is none; write \"60 / minute\", \"10 / second\" or \"1000 / 5 hours\"\n"},
    {"keys = ( { id = \"a\"; " SHA "burst = 3; } );", "c:1: burst stands without rate; add rate = \"60 / minute\"\n"},
    {"keys = ( { id = \"a\"; " SHA "providers = \"mokc\"; } );",
     "c:1: providers: no provider is called \"mokc\"; did you mean \"mock\"?\n"},
    {"keys = ( { id = \"a\"; " SHA "},\n { id = \"b\"; " SHA "} );",
     "c:2: key \"b\" has the sha256 of the one in line 1; change or remove one\n"},
    {"keys = ( { id = \"a\"; " SHA "},\n { id = \"a\";\n"
     " sha256 = \"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"; } );",
     "c:2: key \"a\" has the id of the one in line 1; change or remove one\n"},

    /* the listener */
    {"listen = \"localhost\";",
     "c:1: listen \"localhost\" is no address; write it as \"127.0.0.1:8080\" or \"[::1]:8080\"\n"},
    {"admin = \"x:1\";", "c:1: admin \"x:1\" is no address; write it as \"127.0.0.1:8080\" or \"[::1]:8080\"\n"},
    {"\nlisten = \"0.0.0.0:80\";",
     "c:2: 0.0.0.0:80 is open to other machines but there is no key; listen on 127.0.0.1, or add one "
     "with \"weir keys new\"\n"},
    {"tls_cert = \"a.pem\";", "c:1: tls_cert stands without tls_key; TLS needs both\n"},

    /* what a plugin says in `prepare` is one line too */
    {WORD "fail = \"prepare\"; } );", "c:1: options \"options\": fail: it was told?to fail; correct it\n"},

    /* all that can be found is told at once */
    {"workers = -1;\nfoo_bar_baz = 1;\n" WORD "\n count = 11; nope_nope_nope = 1; } );\nsinks = ( { name = \"x\"; } );",
     "c:2: unknown option foo_bar_baz; \"weir help settings\" lists what there is\n"
     "c:1: workers is out of range; it must be 0 to 1024\n"
     "c:4: count is out of range; it must be 1 to 10\n"
     "c:4: unknown option nope_nope_nope; \"weir help options\" lists what there is\n"
     "c:5: there is no plugin \"x\" in plugins/sinks (found: tell); put it there, or set plugins to another folder\n"},
};

START_TEST(tells_mistakes)
{
    struct kit k;

    kit_open(&k);
    kit_refuses(&k, mistakes[_i].text, WORLD_CHECK, mistakes[_i].lines);
    kit_close(&k);
}
END_TEST

/* A plugin's fixture, the name of its file, and what is said of it. */
static const struct {
    const char *fixture, *name, *line;
} misfits[] = {
    {"symbol", "symbol", "is no plugin of weir (no symbol weir_plugin); end it with WEIR_PLUGIN(...)"},
    {"newer", "newer", "uses something that this weir does not have; update weir, or build it with this weir's weir.h"},
    {"table", "table", "has a bad table: option count has a fallback that it would not take itself; correct it"},
    {"options", "renamed", "calls itself \"options\"; name the file options.so"},
    {"sink", "tell", "fills no hook of guardrails but some of sinks; put it there"},
    {"openai", "openai", "fills no hook of guardrails but some of providers; put it there"},
};

START_TEST(tells_misfits)
{
    char text[200], line[300];
    struct kit k;

    kit_open(&k);
    kit_plugin(&k, "guardrails", misfits[_i].name, misfits[_i].fixture);
    snprintf(text, sizeof(text), "guardrails = ( { name = \"%s\"; } );", misfits[_i].name);
    snprintf(line, sizeof(line), "c:1: plugin plugins/guardrails/%s.so %s\n", misfits[_i].name, misfits[_i].line);
    kit_refuses(&k, text, WORLD_CHECK, line);
    kit_close(&k);
}
END_TEST

START_TEST(tells_what_does_not_load)
{
    struct kit k;

    kit_open(&k);
    kit_put(&k, "plugins/sinks/junk.so", "no shared object");
    ck_assert_ptr_null(kit_load(&k, "sinks = ( { name = \"junk\"; } );", WORLD_CHECK));
    ck_assert_ptr_nonnull(strstr(kit_text(&k, &k.faults), "c:1: plugin \"junk\" does not load: "));
    ck_assert_ptr_nonnull(strstr(k.faults.ptr, "; rebuild it\n"));
    kit_close(&k);
}
END_TEST

START_TEST(tells_file_of_include)
{
    struct kit k;

    kit_open(&k);
    kit_put(&k, "keys.conf", "keys = (\n  { id = \"a\"; }\n);\n");
    kit_refuses(&k, "\n@include \"keys.conf\"\n", WORLD_CHECK,
                "keys.conf:2: sha256 is missing; add it: SHA-256 of the key, 64 hex digits, as \"weir keys new\" "
                "prints it.  The key "
                "itself stands nowhere.\n");
    kit_put(&k, "keys.conf", "keys = (\n  { id = ; }\n);\n");
    kit_refuses(&k, "\n@include \"keys.conf\"\n", WORLD_CHECK, "keys.conf:2: syntax error; " SYNTAX);
    kit_close(&k);
}
END_TEST

START_TEST(tells_unreadable_files)
{
    struct weir_error e = {0};

    ck_assert_ptr_null(world_load("/nowhere/weir.conf", WORLD_CHECK, NULL, &e));
    ck_assert_str_eq(
        e.text, "/nowhere/weir.conf: cannot be read: No such file or directory; give the configuration with -c FILE");
    ck_assert_ptr_null(world_load("/tmp", WORLD_CHECK, NULL, &e));
    ck_assert_str_eq(e.text, "/tmp: is no file of at most 64 MB; give the configuration with -c FILE");
    ck_assert_ptr_null(world_load("/dev/null", WORLD_CHECK, NULL, &e));
    ck_assert_str_eq(e.text, "/dev/null: is no file of at most 64 MB; give the configuration with -c FILE");
}
END_TEST

START_TEST(listener_rule_holds_for_the_command_line)
{
    static const char open_line[] =
        "c: 0.0.0.0:80 is open to other machines but there is no key; listen on 127.0.0.1, or add one with "
        "\"weir keys new\"\n";
    struct world_source from = {0};
    struct world *w;
    struct kit k;

    kit_open(&k);
    world_free(kit_takes(&k, "", WORLD_SETTINGS));
    from = (struct world_source){.file = k.conf, .listen = "0.0.0.0:80"};
    ck_assert_ptr_null(world_load_from(&from, WORLD_SETTINGS, NULL, &k.faults));
    ck_assert_str_eq(kit_text(&k, &k.faults), open_line);
    k.faults.len = 0;
    from.listen = "nonsense";
    ck_assert_ptr_null(world_load_from(&from, WORLD_SETTINGS, NULL, &k.faults));
    ck_assert_str_eq(kit_text(&k, &k.faults), "\"nonsense\" is no address; write it as 127.0.0.1:8080 or [::1]:8080\n");

    /* an open setting is fine when the command line closes it, and so is an open one with a key */
    kit_refuses(&k, "listen = \"0.0.0.0:80\";", WORLD_SETTINGS,
                "c:1: 0.0.0.0:80 is open to other machines but there is no key; "
                "listen on 127.0.0.1, or add one with \"weir keys new\"\n");
    from.listen = "[::1]:80";
    w = world_load_from(&from, WORLD_SETTINGS, NULL, &k.faults);
    ck_assert_ptr_nonnull(w);
    ck_assert_str_eq(w->settings.listen, "[::1]:80");
    world_free(w);
    world_free(kit_takes(&k, "listen = \"0.0.0.0:80\"; keys = ( { id = \"a\"; " SHA "} );", WORLD_SETTINGS));
    kit_close(&k);
}
END_TEST

/* A sink's process gets no other block's plugin, nor its secrets. */
START_TEST(loads_one_sink_alone)
{
    struct world_source from;
    struct weir_error e;
    struct world *w;
    struct kit k;

    kit_open(&k);
    world_free(
        kit_takes(&k,
                  "providers = ( { name = \"x\"; plugin = \"none\"; } );\n"
                  "sinks = ( { name = \"first\"; plugin = \"none\"; }, { name = \"second\"; plugin = \"tell\"; } );",
                  WORLD_SETTINGS));
    from = (struct world_source){.file = k.conf, .sink = "second"};
    w = world_load_from(&from, WORLD_FULL, NULL, &k.faults);
    ck_assert_msg(w != NULL, "refused: %s", kit_text(&k, &k.faults));
    ck_assert_uint_eq(w->sink_count, 2);
    ck_assert_uint_eq(w->plugin_count, 1);
    ck_assert_uint_eq(w->provider_count, 0);
    ck_assert_str_eq(w->sinks[0]->in.name, "first");
    ck_assert_ptr_null(w->sinks[0]->in.plugin);
    ck_assert_str_eq(w->sinks[1]->in.plugin->name, "tell");
    ck_assert(world_init(w, w->sinks[1], &e));
    ck_assert_ptr_nonnull(w->sinks[1]->in.self);
    world_fini(w);
    world_free(w);
    from.sink = "first";
    ck_assert_ptr_null(world_load_from(&from, WORLD_FULL, NULL, &k.faults));
    ck_assert_str_eq(kit_text(&k, &k.faults),
                     "c:2: there is no plugin \"none\" in plugins/sinks (found: tell); put it there, or set "
                     "plugins to another folder\n");
    kit_close(&k);
}
END_TEST

/* A file full of mistakes does not fill the terminal. */
START_TEST(bounds_the_number_of_lines)
{
    struct buf text = {0};
    struct kit k;
    size_t lines = 0;

    kit_open(&k);
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "zzzzzzzzzz%d = 1;\n", i);
    buf_char(&text, '\0');
    ck_assert_ptr_null(kit_load(&k, text.ptr, WORLD_SETTINGS));
    for (size_t i = 0; i < k.faults.len; i++)
        lines += k.faults.ptr[i] == '\n';
    ck_assert_uint_eq(lines, 100);
    buf_fini(&text);
    kit_close(&k);
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof((t)[0]))

Suite *suite(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("config");

    tcase_add_loop_test(t, tells_mistakes, 0, ROWS(mistakes));
    tcase_add_loop_test(t, tells_misfits, 0, ROWS(misfits));
    tcase_add_test(t, tells_what_does_not_load);
    tcase_add_test(t, tells_file_of_include);
    tcase_add_test(t, tells_unreadable_files);
    tcase_add_test(t, listener_rule_holds_for_the_command_line);
    tcase_add_test(t, loads_one_sink_alone);
    tcase_add_test(t, bounds_the_number_of_lines);
    suite_add_tcase(s, t);
    return s;
}
