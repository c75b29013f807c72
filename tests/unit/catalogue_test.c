/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_test.c -- prices to the last digit, the file and what is wrong with it, names, the operator's word. */
#include "base/clock.h"
#include "world/catalogue.h"
#include "world/options.h"
#include "world_kit.h"

/* ---- prices ---- */

START_TEST(prices_are_exact)
{
    static const struct {
        const char *text;
        int64_t pico; /* per token: the text times 10^6 */
        const char *again;
    } rows[] = {
        {"3", 3000000, "3"},
        {"0", 0, "0"},
        {"0.0", 0, "0"},
        {"0.1", 100000, "0.1"}, /* no double holds these two */
        {"0.3", 300000, "0.3"},
        {"0.000001", 1, "0.000001"},
        {"0.075", 75000, "0.075"},
        {"1.250", 1250000, "1.25"},
        {"37.5", 37500000, "37.5"},
        {"150", 150000000, "150"},
        {"10.000010", 10000010, "10.00001"},
        {"999999.999999", 999999999999, "999999.999999"},
        {"1000000", 1000000000000, "1000000"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b = {0};
        int64_t v = -7;
        ck_assert_msg(price_parse(str_of(rows[i].text), &v), "%s", rows[i].text);
        ck_assert_msg(v == rows[i].pico, "%s gave %lld", rows[i].text, (long long)v);
        price_print(&b, v);
        buf_char(&b, '\0');
        ck_assert_str_eq(b.ptr, rows[i].again);
        buf_fini(&b);
    }
}
END_TEST

START_TEST(what_is_no_price)
{
    static const char *const rows[] = {"",
                                       ".",
                                       ".5",
                                       "5.",
                                       "-1",
                                       "+1",
                                       "1e3",
                                       " 1",
                                       "1 ",
                                       "01",
                                       "1,5",
                                       "0x1",
                                       "1.0000001",
                                       "1000000.000001",
                                       "1000001",
                                       "1.2.3",
                                       "NaN",
                                       "..",
                                       "99999999999999999999999999",
                                       "0.00000000000000000000001"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t v = -7;
        ck_assert_msg(!price_parse(str_of(rows[i]), &v), "%s was taken", rows[i]);
        ck_assert_int_eq(v, -7);
    }
}
END_TEST

/* ---- the file ---- */

#define FILE_HEAD "{\"about\":\"x\",\"models\":[\n"

static const char good[] = FILE_HEAD
    "{\"id\":\"acme/"
    "big\",\"name\":\"B\\u00efg\",\"released\":\"2026-02-23\",\"knowledge\":\"2025-12\",\"context\":200000,"
    "\"max_output\":64000,\"inputs\":[\"text\",\"image\",\"smell\"],\"outputs\":[\"text\"],\"tools\":true,"
    "\"reasoning\":false,"
    "\"structured_output\":null,\"future\":{\"a\":[1]},\"endpoints\":["
    "{\"provider\":\"acme\",\"model\":\"big-v1\",\"input\":\"3\",\"output\":\"15\",\"cache_read\":\"0.3\",\"above\":["
    "{\"tokens\":128000,\"input\":\"6\",\"output\":\"22.5\"},{\"tokens\":256000,\"input\":\"9\"}]},"
    "{\"provider\":\"azure\",\"model\":\"big-v1\",\"max_output\":32000,\"input\":\"0\",\"status\":\"beta\"},"
    "{\"provider\":\"cloud\",\"model\":\"eu.big\",\"input\":\"4\"},{\"provider\":\"cloud\",\"model\":\"us.big\","
    "\"input\":\"5\"}]},\n"
    "{\"id\":\"other/big\",\"endpoints\":[{\"provider\":\"other\",\"input\":\"1\"}]},\n"
    "{\"id\":\"other/small\",\"endpoints\":[]},\n"
    "{\"id\":\"openai/gpt-5.1\",\"endpoints\":[{\"provider\":\"openai\",\"model\":\"gpt-5.1\",\"input\":\"1.25\"}]},\n"
    "{\"id\":\"bare\"}\n]}\n";

struct shelf {
    struct arena arena;
    struct catalogue c;
    int line;
    struct weir_error e;
};

static bool shelf_read(struct shelf *s, struct weir_str text)
{
    memset(s, 0, sizeof *s);
    return catalogue_read(&s->c, &s->arena, text, &s->line, &s->e);
}

static void shelf_open(struct shelf *s, const char *text)
{
    ck_assert_msg(shelf_read(s, str_of(text)), "line %d: %s", s->line, s->e.text);
    ck_assert_ptr_null(catalogue_finish(&s->c, &s->arena));
}

/* The fact as text, ended by 0. */
static const char *fact(struct shelf *s, const char *model, const char *provider, const char *name)
{
    const struct catalogue_model *m = catalogue_find(&s->c, str_of(model));
    const struct catalogue_endpoint *e = m && provider ? catalogue_at(m, provider, str_of(model)) : NULL;

    return m ? arena_strdup(&s->arena, catalogue_fact(m, e, name, &s->arena)) : "no model";
}

START_TEST(a_model_is_what_the_file_says)
{
    struct shelf s;
    const struct catalogue_model *m;

    shelf_open(&s, good);
    ck_assert_uint_eq(s.c.model_count, 5);
    m = s.c.models[0];
    ck_assert_str_eq(m->id, "acme/big");
    ck_assert_str_eq(m->name, "B\xc3\xafg");
    ck_assert_int_eq(m->created, 1771804800); /* date -u -d 2026-02-23 +%s */
    ck_assert_int_eq(m->context, 200000);
    ck_assert_int_eq(m->max_output, 64000);
    ck_assert_uint_eq(m->inputs, 1 << MODALITY_TEXT | 1 << MODALITY_IMAGE);
    ck_assert_uint_eq(m->outputs, 1 << MODALITY_TEXT);
    ck_assert_int_eq(m->tools, 1);
    ck_assert_int_eq(m->reasoning, 0);
    ck_assert_int_eq(m->structured_output, CATALOGUE_UNKNOWN);
    ck_assert_int_eq(m->open_weights, CATALOGUE_UNKNOWN);
    ck_assert_uint_eq(m->endpoint_count, 4);
    ck_assert_int_eq(m->endpoints[0]->prices[PRICE_input_price], 3000000);
    ck_assert_int_eq(m->endpoints[0]->prices[PRICE_output_price], 15000000);
    ck_assert_int_eq(m->endpoints[0]->prices[PRICE_cache_read_price], 300000);
    ck_assert_int_eq(m->endpoints[0]->prices[PRICE_cache_write_price], PRICE_UNKNOWN);
    ck_assert_int_eq(m->endpoints[0]->prices[PRICE_reasoning_price], PRICE_UNKNOWN);
    ck_assert_uint_eq(m->endpoints[0]->tier_count, 2);
    ck_assert_int_eq(m->endpoints[0]->tiers[0].above, 128000);
    ck_assert_int_eq(m->endpoints[0]->tiers[0].prices[PRICE_output_price], 22500000);
    ck_assert_int_eq(m->endpoints[0]->tiers[1].prices[PRICE_input_price], 9000000);
    ck_assert_int_eq(m->endpoints[0]->tiers[1].prices[PRICE_output_price], PRICE_UNKNOWN);
    ck_assert_int_eq(m->endpoints[1]->prices[PRICE_input_price], 0); /* free is known */
    ck_assert_str_eq(m->endpoints[1]->status, "beta");
    arena_fini(&s.arena);
}
END_TEST

START_TEST(facts_are_the_endpoint_s_then_the_model_s)
{
    struct shelf s;

    shelf_open(&s, good);
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "max_output"), "64000");
    ck_assert_str_eq(fact(&s, "big-v1", "azure", "max_output"), "32000");
    ck_assert_str_eq(fact(&s, "big-v1", "azure", "context"), "200000");
    ck_assert_str_eq(fact(&s, "big-v1", "acme", "input_price"), "3");
    ck_assert_str_eq(fact(&s, "big-v1", "azure", "input_price"), "0");
    ck_assert_str_eq(fact(&s, "big-v1", "azure", "output_price"), "");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "input_price"), ""); /* nobody's price is nobody else's */
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "inputs"), "text image");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "tools"), "true");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "reasoning"), "false");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "structured_output"), "");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "id"), "acme/big");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "author"), "acme");
    ck_assert_str_eq(fact(&s, "bare", NULL, "author"), "");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "colour"), "");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, ""), "");
    arena_fini(&s.arena);
}
END_TEST

START_TEST(models_are_found_by_every_clear_name)
{
    struct shelf s;

    shelf_open(&s, good);
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "id"), "acme/big");
    ck_assert_str_eq(fact(&s, "big-v1", NULL, "id"), "acme/big");
    ck_assert_str_eq(fact(&s, "us.big", NULL, "id"), "acme/big");
    ck_assert_str_eq(fact(&s, "small", NULL, "id"), "other/small");
    ck_assert_str_eq(fact(&s, "gpt-5.1", NULL, "id"), "openai/gpt-5.1");
    ck_assert_str_eq(fact(&s, "bare", NULL, "id"), "bare");
    ck_assert_ptr_null(catalogue_find(&s.c, WEIR_STR("big"))); /* two authors have one */
    ck_assert_ptr_null(catalogue_find(&s.c, WEIR_STR("")));
    ck_assert_ptr_null(catalogue_find(&s.c, WEIR_STR("acme/bi")));
    ck_assert_ptr_null(catalogue_find(&s.c, WEIR_STR("acme/bigg")));
    ck_assert_ptr_null(catalogue_find(&s.c, WEIR_STR("ACME/big")));
    arena_fini(&s.arena);
}
END_TEST

/* Two endpoints of one provider: only their own names tell which. */
START_TEST(an_endpoint_is_not_guessed)
{
    struct shelf s;
    const struct catalogue_model *m;

    shelf_open(&s, good);
    m = catalogue_find(&s.c, WEIR_STR("acme/big"));
    ck_assert_str_eq(catalogue_at(m, "cloud", WEIR_STR("us.big"))->upstream, "us.big");
    ck_assert_ptr_null(catalogue_at(m, "cloud", WEIR_STR("jp.big")));
    ck_assert_str_eq(catalogue_at(m, "acme", WEIR_STR("my-deployment"))->upstream, "big-v1"); /* it has but one */
    ck_assert_ptr_null(catalogue_at(m, "nobody", WEIR_STR("big-v1")));
    arena_fini(&s.arena);
}
END_TEST

START_TEST(families_fill_in)
{
    struct shelf s;

    shelf_open(&s, good);
    ck_assert_str_eq(fact(&s, "openai/gpt-5.1", NULL, "max_tokens_field"), "max_completion_tokens");
    ck_assert_str_eq(fact(&s, "openai/gpt-5.1", NULL, "tool_efforts"), "");
    ck_assert_str_eq(fact(&s, "gpt-5.6-mini", NULL, "tool_efforts"), "none"); /* too new for the file */
    ck_assert_str_eq(fact(&s, "openai/gpt-5.6", NULL, "efforts"), "none low medium high xhigh");
    ck_assert_str_eq(fact(&s, "openai/gpt-6.2", NULL, "efforts"), "low medium high xhigh");
    ck_assert_str_eq(fact(&s, "o3-mini", NULL, "max_tokens_field"), "max_completion_tokens");
    ck_assert_str_eq(fact(&s, "openai/gpt-4o", NULL, "max_tokens_field"), "no model");
    ck_assert_str_eq(fact(&s, "someone/gpt-5-clone", NULL, "max_tokens_field"), "no model");
    ck_assert_str_eq(fact(&s, "acme/big", NULL, "max_tokens_field"), "");
    arena_fini(&s.arena);
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_line)
{
    static const struct {
        const char *text, *said;
        int line;
    } rows[] = {
        {FILE_HEAD "{\"id\":\"a\"},\n{\"id\":7}\n]}", "id must be a string", 3},
        {FILE_HEAD "{\"id\":\"a\"},\n{\"name\":\"x\"}\n]}", "id must be given for each model", 3},
        {FILE_HEAD "{\"id\":\"\"}]}", "id must be a string of 1 to 256 bytes, without controls", 2},
        {FILE_HEAD "{\"id\":\"a\\u001b[2J\"}]}", "id must be a string of 1 to 256 bytes, without controls", 2},
        {FILE_HEAD "{\"id\":\"a\\u0000b\"}]}", "id must be a string of 1 to 256 bytes, without controls", 2},
        {FILE_HEAD "{\"id\":\"a*\"}]}", "id must be a name without a star", 2},
        {FILE_HEAD "{\"id\":\"a\",\"context\":-1}]}", "context must be a whole number up to 1000000000", 2},
        {FILE_HEAD "{\"id\":\"a\",\"context\":1e3}]}", "context must be a whole number up to 1000000000", 2},
        {FILE_HEAD "{\"id\":\"a\",\"max_output\":99999999999999999999}]}",
         "max_output must be a whole number up to 1000000000", 2},
        {FILE_HEAD "{\"id\":\"a\",\"tools\":\"yes\"}]}", "tools must be true or false", 2},
        {FILE_HEAD "{\"id\":\"a\",\"inputs\":\"text\"}]}", "inputs must be a list of strings", 2},
        {FILE_HEAD "{\"id\":\"a\",\"endpoints\":{}}]}", "endpoints must be a list of objects", 2},
        {FILE_HEAD "{\"id\":\"a\",\"endpoints\":[\n{\"input\":\"3\"}]}]}", "provider must be given for each endpoint",
         3},
        {FILE_HEAD "{\"id\":\"a\",\"endpoints\":[{\"provider\":\"p\",\"input\":3}]}]}",
         "input must be a price: USD per million tokens as a string such as \"0.25\"", 2},
        {FILE_HEAD "{\"id\":\"a\",\"endpoints\":[{\"provider\":\"p\",\"input\":\"0.0000001\"}]}]}",
         "input must be a price: USD per million tokens as a string such as \"0.25\"", 2},
        {FILE_HEAD "{\"id\":\"a\",\"endpoints\":[{\"provider\":\"p\",\"above\":[{\"tokens\":9},{\"tokens\":9}]}]}]}",
         "above must be in the order of \"tokens\", all above 0", 2},
        {FILE_HEAD "{\"id\":\"a\",\"endpoints\":[{\"provider\":\"p\",\"above\":[{\"input\":\"9\"}]}]}]}",
         "above must be in the order of \"tokens\", all above 0", 2},
        {FILE_HEAD "\"x\"]}", "models must be a list of objects", 2},
        {"{\"models\":{}}", "models must be a list of objects", 1},
        {"[]", "models must be a list of objects", 1},
        {"{}", "models must be a list of objects", 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct shelf s;
        ck_assert_msg(!shelf_read(&s, str_of(rows[i].text)), "taken: %s", rows[i].text);
        ck_assert_str_eq(s.e.text, rows[i].said);
        ck_assert_msg(s.line == rows[i].line, "%s: line %d", rows[i].text, s.line);
        arena_fini(&s.arena);
    }
}
END_TEST

START_TEST(what_is_no_json_is_told_with_its_line)
{
    static const char *const rows[] = {FILE_HEAD "{\"id\":\"a\",\"id\":\"b\"}]}", FILE_HEAD "{\"id\":\"\xff\"}]}",
                                       FILE_HEAD "{\"id\":}]}", FILE_HEAD "[[[[[[[[[[[]]]]]]]]]]]]}"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct shelf s;
        ck_assert(!shelf_read(&s, str_of(rows[i])));
        ck_assert_msg(s.line == 2, "%s: line %d, %s", rows[i], s.line, s.e.text);
        arena_fini(&s.arena);
    }
}
END_TEST

START_TEST(an_id_stands_once)
{
    struct shelf s;

    ck_assert(shelf_read(&s, str_of(FILE_HEAD "{\"id\":\"x/a\"},{\"id\":\"x/b\"},{\"id\":\"x/a\"}]}")));
    ck_assert_str_eq(catalogue_finish(&s.c, &s.arena), "x/a");
    arena_fini(&s.arena);
}
END_TEST

/* ---- the configuration ---- */

#define PROVIDERS                                                                                                      \
    "providers = ( { name = \"acme\"; plugin = \"openai\"; url = \"http://127.0.0.1:9/v1\"; models = \"*\"; },\n"      \
    "  { name = \"openai\"; key = \"env:HOME\"; models = \"*\"; } );\n"

/* What a provider's candidate is told. */
static const char *told(struct world *w, size_t provider, const char *upstream, const char *asked, const char *name)
{
    struct provider_model m = provider_model(w, w->providers[provider], str_of(upstream), str_of(asked));

    return m.model ? arena_strdup(&w->arena, catalogue_fact(m.model, m.endpoint, name, &w->arena)) : "no model";
}

static struct world *world_with(struct kit *k, const char *text)
{
    struct buf all = {0};
    struct world *w;

    kit_open(k);
    kit_put(k, "models", good);
    buf_printf(&all, PROVIDERS "%s", text);
    buf_char(&all, '\0');
    w = kit_takes(k, all.ptr, WORLD_CHECK);
    buf_fini(&all);
    return w;
}

START_TEST(a_provider_means_its_own_endpoint)
{
    struct kit k;
    struct world *w = world_with(&k, "");

    ck_assert_str_eq(told(w, 0, "big-v1", "acme/big", "input_price"), "3");
    ck_assert_str_eq(told(w, 0, "big-v1", "acme/big", "max_output"), "64000");
    ck_assert_str_eq(told(w, 1, "big-v1", "acme/big", "input_price"), ""); /* not sold there */
    ck_assert_str_eq(told(w, 1, "big-v1", "acme/big", "max_output"), "64000");
    ck_assert_str_eq(told(w, 0, "my-deployment", "acme/big", "input_price"), "3");
    ck_assert_str_eq(told(w, 0, "gpt-5-deployment", "acme/big", "id"), "acme/big"); /* a family knows less than an id */
    ck_assert_str_eq(told(w, 0, "gpt-5-deployment", "fast", "max_tokens_field"), "max_completion_tokens");
    ck_assert_str_eq(told(w, 0, "llama", "fast", "id"), "no model");
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(the_operator_s_word_counts)
{
    struct kit k;
    struct world *w =
        world_with(&k, "models = ( { id = \"acme/big\"; max_output = 1000; input_price = \"2.5\"; tools = false; },\n"
                       "  { id = \"mine\"; context = 5; inputs = [ \"text\", \"pdf\" ]; output_price = \"1\"; },\n"
                       "  { id = \"other/*\"; released = \"1970-01-02\"; },\n"
                       "  { id = \"openai/gpt-5.1\"; max_tokens_field = \"max_tokens\"; } );");

    ck_assert_str_eq(told(w, 0, "big-v1", "", "max_output"), "1000");
    ck_assert_str_eq(told(w, 0, "big-v1", "", "input_price"), "2.5");
    ck_assert_str_eq(told(w, 1, "big-v1", "", "input_price"), "2.5"); /* said of all */
    ck_assert_str_eq(told(w, 0, "big-v1", "", "output_price"), "15");
    ck_assert_str_eq(told(w, 0, "big-v1", "", "tools"), "false");
    ck_assert_str_eq(told(w, 0, "big-v1", "", "reasoning"), "false");
    ck_assert_str_eq(told(w, 0, "mine", "", "context"), "5");
    ck_assert_str_eq(told(w, 0, "mine", "", "inputs"), "text pdf");
    ck_assert_str_eq(told(w, 0, "mine", "", "output_price"), "1");
    ck_assert_str_eq(told(w, 0, "mine", "", "tools"), "");
    ck_assert_str_eq(told(w, 0, "other/small", "", "released"), "1970-01-02");
    ck_assert_str_eq(told(w, 0, "gpt-5.1", "", "max_tokens_field"), "max_tokens");
    ck_assert_uint_eq(catalogue_find(w->catalogue, WEIR_STR("acme/big"))->endpoints[0]->tier_count, 0);
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(a_word_about_one_provider)
{
    struct kit k;
    struct world *w =
        world_with(&k, "models = ( { id = \"acme/big\"; provider = \"acme\"; input_price = \"2\"; max_output = 7; },\n"
                       "  { id = \"acme/big\"; provider = \"openai\"; output_price = \"8\"; },\n"
                       "  { id = \"new-*\"; provider = \"acme\"; input_price = \"0.5\"; context = 9; } );");

    ck_assert_str_eq(told(w, 0, "big-v1", "", "input_price"), "2");
    ck_assert_str_eq(told(w, 0, "big-v1", "", "max_output"), "7");
    ck_assert_str_eq(told(w, 1, "big-v1", "", "input_price"), "");
    ck_assert_str_eq(told(w, 1, "big-v1", "", "output_price"), "8");
    ck_assert_str_eq(told(w, 1, "big-v1", "", "max_output"), "64000");
    ck_assert_str_eq(told(w, 0, "new-thing", "", "input_price"), "0.5");
    ck_assert_str_eq(told(w, 1, "new-thing", "", "input_price"), "");
    world_free(w);
    kit_close(&k);
}
END_TEST

/* A plugin that many servers speak through is its vendor only where the block goes to the vendor. */
START_TEST(a_server_of_one_s_own_has_no_vendor_s_prices)
{
    struct kit k;
    struct world *w;

    kit_open(&k);
    kit_put(&k, "models", good);
    w = kit_takes(&k,
                  "providers = ( { name = \"work\"; plugin = \"openai\"; key = \"env:HOME\"; },\n"
                  "  { name = \"ours\"; plugin = \"openai\"; key = \"env:HOME\"; url = \"http://127.0.0.1:9/v1\"; } );",
                  WORLD_CHECK);
    ck_assert_str_eq(told(w, 0, "gpt-5.1", "", "input_price"), "1.25");
    ck_assert_str_eq(told(w, 1, "gpt-5.1", "", "input_price"), "");
    ck_assert_str_eq(told(w, 1, "gpt-5.1", "", "max_tokens_field"), "max_completion_tokens");
    world_free(w);
    kit_close(&k);
}
END_TEST

/* The later block is laid over the earlier one. */
START_TEST(blocks_are_laid_over_in_their_order)
{
    struct kit k;
    struct world *w =
        world_with(&k, "models = ( { id = \"*\"; context = 1; max_output = 2; }, { id = \"acme/*\"; context = 3; } );");

    ck_assert_str_eq(told(w, 0, "big-v1", "", "context"), "3");
    ck_assert_str_eq(told(w, 0, "big-v1", "", "max_output"), "2");
    ck_assert_str_eq(told(w, 0, "other/small", "", "context"), "1");
    ck_assert_str_eq(told(w, 0, "whatever", "", "context"), "1"); /* a star fits it */
    world_free(w);
    kit_close(&k);
}
END_TEST

START_TEST(mistakes_in_blocks_are_told)
{
    struct kit k;

    kit_open(&k);
    kit_put(&k, "models", good);
    kit_refuses(&k, "\nmodels = ( { id = \"a\";\n max_outptu = 5; } );", WORLD_SETTINGS,
                "c:3: unknown option max_outptu; did you mean \"max_output\"?\n");
    kit_refuses(&k, "\nmodels = ( { id = \"a\";\n input_price = \"1e3\"; } );", WORLD_SETTINGS,
                "c:3: input_price \"1e3\" is no price; write USD per million tokens with at most six decimals, such as "
                "\"0.25\"\n");
    kit_refuses(&k, "\nmodels = ( { id = \"a\";\n input_price = 3.0; } );", WORLD_SETTINGS,
                "c:3: input_price must be a string in quotes; correct it\n");
    kit_refuses(&k, "\nmodels = ( { id = \"a\";\n context = -1; } );", WORLD_SETTINGS,
                "c:3: context is out of range; it must be 0 to 1000000000\n");
    kit_refuses(&k, "\nmodels = ( { id = \"a\";\n inputs = [ \"txt\" ]; } );", WORLD_SETTINGS,
                "c:3: inputs cannot be \"txt\"; it must be \"text\", \"image\", \"pdf\", \"audio\" or \"video\" (did "
                "you mean \"text\"?)\n");
    kit_refuses(
        &k, "\nmodels = ( {\n context = 1; } );", WORLD_SETTINGS,
        "c:2: id is missing; add it: The model, as the catalogue or a provider calls it; * stands for anything.\n");
    kit_refuses(&k, "\nmodels = \"a\";", WORLD_SETTINGS,
                "c:2: models must be a list of blocks; write models = ( { ... }, { ... } );\n");
    kit_close(&k);
}
END_TEST

START_TEST(a_bad_file_is_a_fault_and_none_is_a_note)
{
    struct kit k;
    struct world *w;

    kit_open(&k);
    kit_put(&k, "models", FILE_HEAD "{\"id\":\"a\"},\n{\"id\":\"b\",\"tools\":1}]}");
    kit_refuses(&k, "", WORLD_CHECK,
                "models:3: tools must be true or false; correct it, or make it again with \"weir models import\"\n");
    kit_put(&k, "models", FILE_HEAD "{\"id\":\"a\"},\n{\"id\":\"a\"}]}");
    kit_refuses(&k, "", WORLD_CHECK, "models: model \"a\" stands twice; take one out\n");
    w = kit_takes(&k, "", WORLD_SETTINGS); /* who only needs settings does not read it */
    ck_assert_uint_eq(w->catalogue->model_count, 0);
    world_free(w);
    char path[160];
    kit_path(&k, path, "models");
    unlink(path);
    w = kit_takes(&k, "", WORLD_CHECK);
    ck_assert_ptr_nonnull(strstr(kit_text(&k, &k.notes),
                                 "models: there is no catalogue of models: their limits and prices are not known\n"));
    ck_assert_ptr_null(catalogue_find(w->catalogue, WEIR_STR("acme/big")));
    world_free(w);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    kit_refuses(&k, "", WORLD_CHECK,
                "models: the catalogue of models cannot be read: it is no file, or larger than 16 MB; correct it\n");
    kit_close(&k);
}
END_TEST

START_TEST(every_fact_is_an_option)
{
    for (const struct catalogue_field *f = catalogue_fields; f->name; f++)
        ck_assert_msg(options_find(model_options, f->name) != NULL, "%s", f->name);
}
END_TEST

/* ---- the shipped file ---- */

/* Found from the tests' folder: build/tests or build/san-x/tests. */
static void shipped(struct shelf *s)
{
    static struct buf text;
    FILE *f = fopen("share/models.json", "r");

    ck_assert_msg(f != NULL, "run this in the project's folder");
    text.len = 0;
    text.len = fread(buf_room(&text, 1 << 20), 1, 1 << 20, f);
    fclose(f);
    ck_assert_msg(shelf_read(s, buf_view(&text)), "line %d: %s", s->line, s->e.text);
    ck_assert_ptr_null(catalogue_finish(&s->c, &s->arena));
    buf_fini(&text);
}

/* Prices by the vendors' price lists, as the data has them: whole micro-USD per million tokens there. */
START_TEST(the_shipped_catalogue)
{
    struct shelf s;

    shipped(&s);
    ck_assert_uint_ge(s.c.model_count, 400);
    for (size_t i = 1; i < s.c.model_count; i++)
        ck_assert_int_lt(strcmp(s.c.models[i - 1]->id, s.c.models[i]->id), 0);
    ck_assert_str_eq(fact(&s, "gpt-4o", "openai", "input_price"), "2.5");
    ck_assert_str_eq(fact(&s, "gpt-4o", "openai", "output_price"), "10");
    ck_assert_str_eq(fact(&s, "gpt-4o", "openai", "max_output"), "16384");
    ck_assert_str_eq(fact(&s, "claude-opus-4-8", "anthropic", "cache_write_price"), "6.25");
    ck_assert_str_eq(fact(&s, "claude-opus-4-8", "anthropic", "max_output"), "128000");
    ck_assert_str_eq(fact(&s, "openai/o3-mini", NULL, "max_tokens_field"), "max_completion_tokens");
    ck_assert_str_eq(fact(&s, "openai/gpt-4o", NULL, "max_tokens_field"), "");
    arena_fini(&s.arena);
}
END_TEST

/* At the start of every generation: 100 ms are all there is from exec to the first answer. */
START_TEST(it_is_read_quickly_and_kept_small)
{
    struct shelf s;
    int64_t best = INT64_MAX;

    for (int i = 0; i < 7; i++) {
        int64_t t = clock_us();
        shipped(&s);
        t = clock_us() - t;
        best = t < best ? t : best;
        if (i < 6)
            arena_fini(&s.arena);
    }
    printf("catalogue: %lld us, %zu KB\n", (long long)best, arena_size(&s.arena) / 1024);
    ck_assert_uint_lt(arena_size(&s.arena), 1 << 20);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_int_lt(best, 50000);
#endif
    arena_fini(&s.arena);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("catalogue");
    TCase *file = tcase_create("file"), *conf = tcase_create("configuration"), *own = tcase_create("shipped");

    tcase_add_test(file, prices_are_exact);
    tcase_add_test(file, what_is_no_price);
    tcase_add_test(file, a_model_is_what_the_file_says);
    tcase_add_test(file, facts_are_the_endpoint_s_then_the_model_s);
    tcase_add_test(file, models_are_found_by_every_clear_name);
    tcase_add_test(file, an_endpoint_is_not_guessed);
    tcase_add_test(file, families_fill_in);
    tcase_add_test(file, what_is_wrong_is_told_with_its_line);
    tcase_add_test(file, what_is_no_json_is_told_with_its_line);
    tcase_add_test(file, an_id_stands_once);
    suite_add_tcase(s, file);
    tcase_add_test(conf, a_provider_means_its_own_endpoint);
    tcase_add_test(conf, the_operator_s_word_counts);
    tcase_add_test(conf, a_word_about_one_provider);
    tcase_add_test(conf, a_server_of_one_s_own_has_no_vendor_s_prices);
    tcase_add_test(conf, blocks_are_laid_over_in_their_order);
    tcase_add_test(conf, mistakes_in_blocks_are_told);
    tcase_add_test(conf, a_bad_file_is_a_fault_and_none_is_a_note);
    tcase_add_test(conf, every_fact_is_an_option);
    suite_add_tcase(s, conf);
    tcase_add_test(own, the_shipped_catalogue);
    tcase_add_test(own, it_is_read_quickly_and_kept_small);
    suite_add_tcase(s, own);
    return s;
}
