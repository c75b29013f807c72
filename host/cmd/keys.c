/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c -- `weir keys`: makes virtual keys, and lists those of a configuration.  A key is printed once and kept
 * nowhere. */
#include <jansson.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "cmd/cmd.h"
#include "world/world.h"

#define KEY_SECRET 43 /* base-62 digits: 62^43 > 2^256 */
#define KEY_CHECK  6  /* and of the checksum behind them: 62^6 > 2^32 */
#define KEY_SIZE   (3 + KEY_SECRET + KEY_CHECK + 1)

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* CRC-32 as zlib has it, bit by bit: a scanner that finds a key in a file can tell it from noise without asking anyone.
 */
static uint32_t crc32_of(const char *text, size_t n)
{
    uint32_t crc = ~0u;

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

/* One evenly spread digit: bytes of the last, incomplete row of 62 are thrown away. */
static char random_digit(void)
{
    uint8_t byte;

    do
        must(RAND_bytes(&byte, 1) == 1);
    while (byte >= 248);
    return digits[byte % 62];
}

static void make_key(char key[KEY_SIZE])
{
    uint32_t crc;
    size_t n = 3;

    key[0] = 'w', key[1] = 'k', key[2] = '_';
    while (n < 3 + KEY_SECRET)
        key[n++] = random_digit();
    crc = crc32_of(key, n);
    for (int i = 0; i < KEY_CHECK; i++, crc /= 62)
        key[n++] = digits[crc % 62];
    key[n] = '\0';
}

static void digest_hex(const char *key, char hex[65])
{
    uint8_t digest[32];

    SHA256((const unsigned char *)key, strlen(key), digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static bool is_id(const char *id)
{
    size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    return n > 0 && n <= 64 && !id[n] && strcmp(id, "local") != 0;
}

static void print_new(const char *key, const char *id, const char *hex, bool json)
{
    if (json) {
        json_t *o = json_pack("{s:s, s:s, s:s}", "id", id, "key", key, "sha256", hex);
        must(o);
        must(json_dumpf(o, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0);
        printf("\n");
        json_decref(o);
        return;
    }
    printf("%s\n"
           "\n"
           "This is shown only now.  Clients send it as their API key.  Put this block into keys = ( ... ); of the "
           "configuration,\n"
           "with a comma between blocks:\n"
           "\n"
           "  { id = \"%s\";  sha256 = \"%s\"; }\n",
           key, id, hex);
}

static int run_new(int argc, char **argv)
{
    const char *id = NULL;
    bool json = false;
    const struct cmd_option options[] = {{'i', "id", &id, NULL}, {0, "json", NULL, &json}};
    char key[KEY_SIZE], hex[65], own[16] = "k_";

    if (!cmd_options(&cmd_keys, &argc, argv, options, 2))
        return CMD_USAGE;
    if (argc > 1)
        return cmd_misused(&cmd_keys, "what is \"%s\"? An id is given with --id", argv[1]);
    if (id && !is_id(id))
        return cmd_misused(&cmd_keys, "an id is 1 to 64 letters, digits, dots, - and _, and not \"local\"");
    for (int i = 2; i < 10; i++)
        own[i] = random_digit();
    make_key(key);
    digest_hex(key, hex);
    print_new(key, id ? id : own, hex, json);
    explicit_bzero(key, sizeof(key));
    return cmd_print(WEIR_STR(""));
}

static void rate_text(struct buf *b, const struct key *k)
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{86400000000, "day"}, {3600000000, "hour"}, {60000000, "minute"}, {1000000, "second"}};
    size_t i = 0;

    b->len = 0;
    while (k->rate && k->rate_period_us % units[i].us)
        i++;
    if (k->rate && k->rate_period_us == units[i].us)
        buf_printf(b, "%lld / %s", (long long)k->rate, units[i].unit);
    else if (k->rate)
        buf_printf(b, "%lld / %lld %ss", (long long)k->rate, (long long)(k->rate_period_us / units[i].us),
                   units[i].unit);
    buf_char(b, '\0');
}

static void words(struct buf *b, const struct weir_list *list)
{
    b->len = 0;
    for (size_t i = 0; i < list->count; i++)
        buf_printf(b, "%s%s", i ? " " : "", list->items[i]);
    buf_printf(b, "%s", list->count ? "" : "all");
    buf_char(b, '\0');
}

static void key_row(struct cmd_table *t, const struct key *k)
{
    struct buf models = {0}, providers = {0}, rate = {0};

    words(&models, &k->models);
    words(&providers, &k->providers);
    rate_text(&rate, k);
    cmd_cell(t, "%s", k->id);
    cmd_cell(t, "%02x%02x%02x%02x...", k->sha256[0], k->sha256[1], k->sha256[2], k->sha256[3]);
    cmd_cell(t, "%s", k->disabled ? "disabled" : "active");
    cmd_cell(t, "%s", *k->workspace ? k->workspace : "-");
    cmd_cell(t, "%s", *rate.ptr ? rate.ptr : "-");
    cmd_cell(t, "%s", providers.ptr);
    cmd_cell(t, "%s", models.ptr);
    buf_fini(&models);
    buf_fini(&providers);
    buf_fini(&rate);
}

static json_t *strings(const struct weir_list *list)
{
    json_t *a = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(a, json_string(list->items[i]));
    return a;
}

static json_t *key_json(const struct key *k)
{
    struct buf rate = {0};
    char hex[65];

    rate_text(&rate, k);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", k->sha256[i]);
    json_t *o =
        json_pack("{s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:o, s:o}", "id", k->id, "sha256", hex, "disabled", k->disabled,
                  "workspace", k->workspace, "rate", rate.ptr, "burst", (json_int_t)k->rate_burst, "concurrency",
                  (json_int_t)k->concurrent, "providers", strings(&k->providers), "models", strings(&k->models));
    must(o);
    buf_fini(&rate);
    return o;
}

static void print_list(const struct world *w, bool json)
{
    static const char *const heads[] = {"id", "sha256", "state", "workspace", "rate", "providers", "models"};
    struct cmd_table t = {.columns = sizeof(heads) / sizeof(heads[0])};
    json_t *rows = json_array();

    for (size_t i = 0; i < t.columns; i++)
        cmd_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < w->key_count; i++)
        if (json)
            json_array_append_new(rows, key_json(w->keys[i]));
        else
            key_row(&t, w->keys[i]);
    if (json) {
        must(json_dumpf(rows, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0);
        printf("\n");
        buf_fini(&t.cells);
    } else if (w->key_count) {
        cmd_table_print(&t, "");
    } else {
        printf("no key is configured; every client on this machine is let in as \"local\"\n");
        buf_fini(&t.cells);
    }
    json_decref(rows);
}

static int run_list(int argc, char **argv)
{
    struct world_source from = {0};
    struct buf faults = {0};
    bool json = false;
    const struct cmd_option options[] = {{'c', "config", &from.file, NULL}, {0, "json", NULL, &json}};
    struct world *w;
    int status = CMD_FAILED;

    if (!cmd_options(&cmd_keys, &argc, argv, options, 2))
        return CMD_USAGE;
    if (argc > 1 || !from.file)
        return cmd_misused(&cmd_keys, "give the configuration with -c FILE, and nothing else");
    w = world_load_from(&from, WORLD_SETTINGS, NULL, &faults);
    if (w) {
        print_list(w, json);
        status = cmd_print(WEIR_STR(""));
    } else {
        fprintf(stderr, STR_FMT, STR_ARG(buf_view(&faults)));
    }
    world_free(w);
    buf_fini(&faults);
    return status;
}

static int run(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "new") == 0)
        return run_new(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "list") == 0)
        return run_list(argc - 1, argv + 1);
    return cmd_misused(&cmd_keys, "say \"weir keys new\" or \"weir keys list\"");
}

const struct cmd cmd_keys = {
    .name = "keys",
    .summary = "Makes virtual keys, and lists those of a configuration",
    .usage = "weir keys new [--id ID] [--json]\n"
             "weir keys list -c FILE [--json]\n"
             "\n"
             "  -i, --id ID          what records and logs call the key; without it a random one\n"
             "  -c, --config FILE    the configuration\n"
             "      --json           JSON in place of text\n"
             "\n"
             "`new` prints a key, once, and the block for the configuration, which has only its SHA-256.  A key is "
             "\"wk_\", 43\n"
             "random digits of base 62, and 6 that are the CRC-32 of what is before them (least digit first).\n",
    .run = run,
};
