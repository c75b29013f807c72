/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c -- virtual keys: read from the file by their SHA-256, found again in constant time; see world.h. */
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/must.h"
#include "world/blocks.h"
#include "world/value.h"

struct key_block { /* as it is typed */
    const char *id, *sha256, *workspace, *rate;
    int64_t burst, concurrency;
    struct weir_list models, providers;
    bool disabled;
};

#define OPT(...) WEIR_OPT(struct key_block, __VA_ARGS__)

const struct weir_option key_options[] = {
    OPT(id, NULL, "What records and logs call it: 1 to 64 letters, digits, dots, - and _."),
    OPT(sha256, NULL,
        "SHA-256 of the key, 64 hex digits, as \"weir keys new\" prints it.  The key itself stands nowhere."),
    OPT(workspace, "", "The group of keys that it belongs to."),
    OPT(models, "", "Models that it may ask for, as clients name them; * stands for anything; none: all."),
    OPT(providers, "", "Blocks of `providers` that may serve it; * stands for anything; none: all."),
    OPT(rate, "", "Requests in a time: \"60 / minute\", \"1000 / 5 hours\"; empty: no limit."),
    OPT(burst, "0", "Requests at once within the rate; 0: as many as the rate counts.", .min = 0, .max = 1000000000),
    OPT(concurrency, "0", "Requests under way at the same time; 0: no limit.", .min = 0, .max = 1000000),
    OPT(disabled, "false", "The key stays listed but opens nothing."),
    WEIR_OPT_END,
};

static struct place place_of(const struct block *b, const char *option)
{
    const config_setting_t *s = config_setting_get_member(b->setting, option);

    return s ? build_place(b->build, s) : b->place;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The text is not told: somebody may have written the key itself. */
static bool read_digest(struct block *b, const char *text, uint8_t *out)
{
    uint8_t nothing[32];
    bool ok = strlen(text) == 64;

    for (size_t i = 0; ok && i < 32; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        ok = high >= 0 && low >= 0;
        out[i] = (uint8_t)(high * 16 + low);
    }
    if (!ok) {
        build_fault(b->build, place_of(b, "sha256"),
                    "sha256 is no 64 hex digits; make a key and its block with \"weir keys new\"");
        return false;
    }
    SHA256((const unsigned char *)"", 0, nothing);
    if (memcmp(out, nothing, 32) != 0)
        return true;
    build_fault(b->build, place_of(b, "sha256"), "sha256 is that of an empty key; make one with \"weir keys new\"");
    return false;
}

static bool check_id(struct block *b, const char *id)
{
    size_t n = strlen(id);
    bool ok = n > 0 && n <= 64;

    for (size_t i = 0; ok && i < n; i++)
        ok = isalnum((unsigned char)id[i]) || strchr("_-.", id[i]);
    if (ok && strcmp(id, "local") != 0)
        return true;
    build_fault(b->build, place_of(b, "id"), "id \"%.70s\" %s; change it", id,
                ok ? "is what callers without a key are called" : "must be 1 to 64 letters, digits, dots, - and _");
    return false;
}

static bool read_rate(struct block *b, const struct key_block *from, struct key *k)
{
    if (*from->rate && !value_rate(from->rate, &k->rate, &k->rate_period_us)) {
        build_fault(b->build, place_of(b, "rate"),
                    "rate \"%.40s\" is none; write \"60 / minute\", \"10 / second\" or \"1000 / 5 hours\"", from->rate);
        return false;
    }
    if (from->burst && !k->rate) {
        build_fault(b->build, place_of(b, "burst"), "burst stands without rate; add rate = \"60 / minute\"");
        return false;
    }
    k->rate_burst = from->burst ? from->burst : k->rate;
    return true;
}

/* Each pattern must fit a block of the file, also one that was left out. */
static bool check_providers(struct block *b, const struct key *k)
{
    const struct world *w = b->build->world;
    struct names names = {0};
    bool ok = true;

    for (size_t i = 0; i < w->provider_count; i++)
        names_add(&names, w->providers[i]->in.name);
    for (const struct left_out *l = b->build->left_out; l; l = l->next)
        names_add(&names, l->name);
    for (size_t i = 0; i < k->providers.count; i++) {
        const char *pattern = k->providers.items[i];
        size_t n = 0;
        while (n < names.count && !str_glob(str_of(pattern), str_of(names.list[n])))
            n++;
        if (n < names.count)
            continue;
        build_fault(b->build, place_of(b, "providers"), "providers: no provider is called \"%.60s\"; %s", pattern,
                    build_hint(b->build, pattern, names.list, "\"weir check\" lists them"));
        ok = false;
    }
    names_fini(&names);
    return ok;
}

static void key_read(struct build *b, config_setting_t *list, size_t i)
{
    static const struct weir_option *const tables[] = {key_options, NULL};
    struct world *w = b->world;
    config_setting_t *setting = config_setting_get_elem(list, (unsigned)i);
    struct block block = {.build = b, .setting = setting, .place = build_place(b, setting), .what = "keys"};
    struct key *k = arena_alloc(&w->arena, sizeof(*k));
    struct key_block from = {0};

    if (!(options_known(&block, tables, NULL) & options_read(&block, key_options, &from)))
        return;
    *k = (struct key){.id = from.id,
                      .workspace = from.workspace,
                      .models = from.models,
                      .providers = from.providers,
                      .hash = str_hash(str_of(from.id)),
                      .concurrent = from.concurrency,
                      .disabled = from.disabled,
                      .line = block.place.line};
    if (!(check_id(&block, k->id) & read_digest(&block, from.sha256, k->sha256) & read_rate(&block, &from, k)))
        return;
    if (b->fault_count || check_providers(&block, k))
        w->keys = list_add(&w->arena, w->keys, &w->key_count, k);
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct key *const *)a)->id, (*(struct key *const *)b)->id);
}

static int by_digest(const void *a, const void *b)
{
    return memcmp((*(struct key *const *)a)->sha256, (*(struct key *const *)b)->sha256, 32);
}

/* Tells keys that share their id or their digest; by sorting, for there may be many. */
static void check_twins(struct build *b, struct key **sorted, int (*by)(const void *, const void *), const char *what)
{
    size_t n = b->world->key_count;

    qsort(sorted, n, sizeof(*sorted), by);
    for (size_t i = 1; i < n; i++) {
        const struct key *one = sorted[i - 1], *two = sorted[i];
        if (by(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        int later = one->line > two->line ? one->line : two->line,
            earlier = one->line > two->line ? two->line : one->line;
        build_fault(b, (struct place){b->world->file, later},
                    "key \"%s\" has the %s of the one in line %d; change or remove one", two->id, what, earlier);
    }
}

void keys_read(struct build *b)
{
    struct world *w = b->world;
    struct key **sorted;
    size_t n;
    config_setting_t *list = blocks_find(b, b->root, "keys", KEYS_MAX, &n);

    b->key_blocks = n;
    for (size_t i = 0; i < n; i++)
        key_read(b, list, i);
    if (!w->key_count)
        return;
    sorted = arena_alloc(&w->arena, w->key_count * sizeof(*sorted));
    memcpy(sorted, w->keys, w->key_count * sizeof(*sorted));
    check_twins(b, sorted, by_id, "id");
    check_twins(b, sorted, by_digest, "sha256");
    w->digests = arena_alloc(&w->arena, w->key_count * 32);
    for (size_t i = 0; i < w->key_count; i++)
        memcpy(w->digests + 32 * i, w->keys[i]->sha256, 32);
    w->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    w->digest = EVP_MD_CTX_new();
    must(w->sha256 && w->digest);
}

void keys_free(struct world *w)
{
    EVP_MD_CTX_free(w->digest);
    EVP_MD_free(w->sha256);
}

/* With an algorithm that is fetched once: SHA256() of OpenSSL 3 looks it up by name and allocates, each time. */
static void key_digest(const struct world *w, struct weir_str key, uint8_t to[32])
{
    must(EVP_DigestInit_ex2(w->digest, w->sha256, NULL) == 1 && EVP_DigestUpdate(w->digest, key.ptr, key.len) == 1 &&
         EVP_DigestFinal_ex(w->digest, to, NULL) == 1);
}

/* Every digest is compared whole, whatever the ones before it said: time tells nothing of which one fits, or how far.
 */
const struct key *world_key(const struct world *w, struct weir_str presented)
{
    uint64_t mine[4], theirs[4], found = 0;
    uint8_t digest[32];

    if (!w->key_count)
        return NULL;
    key_digest(w, presented, digest);
    memcpy(mine, digest, 32);
    for (size_t i = 0; i < w->key_count; i++) {
        memcpy(theirs, w->digests + 32 * i, 32);
        uint64_t differ = (mine[0] ^ theirs[0]) | (mine[1] ^ theirs[1]) | (mine[2] ^ theirs[2]) | (mine[3] ^ theirs[3]);
        uint64_t same = ((differ | (0 - differ)) >> 63) - 1; /* all ones when nothing differs */
        found |= same & (i + 1);
    }
    return found && !w->keys[found - 1]->disabled ? w->keys[found - 1] : NULL;
}
