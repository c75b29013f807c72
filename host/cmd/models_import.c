/* SPDX-License-Identifier: Apache-2.0 */
/*
 * models_import.c -- `weir models import`: a list of models as models.dev's data are regrouped (docs/models.md) becomes
 * weir's catalogue: sorted, one model a line, prices as decimal text.  It makes share/models.json.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_text.h"
#include "base/json_tree.h"
#include "base/must.h"
#include "cmd/models.h"
#include "world/catalogue.h"

#define IMPORT_MAX (64 << 20) /* bytes of a file */

static const char about[] =
    "\"about\":\"Made by `weir models import`. Prices: USD per million tokens. Data: models.dev, copyright (c) 2025 "
    "models.dev, MIT licence (share/LICENCE.models).\"";

/* ---- members ---- */

static void put_string(struct buf *b, const char *key, const char *text)
{
    buf_printf(b, ",\"%s\":\"", key);
    json_escape(b, str_of(text));
    buf_char(b, '"');
}

/* A string that says something; controls, which names typed by hand may end with, are left out. */
static void copy_string(struct buf *b, const char *key, const json_t *from)
{
    struct buf clean = {0};

    for (const char *c = json_is_string(from) ? json_string_value(from) : ""; *c; c++)
        if ((unsigned char)*c >= ' ' && *c != 0x7f)
            buf_char(&clean, *c);
    buf_char(&clean, '\0');
    if (*clean.ptr)
        put_string(b, key, clean.ptr);
    buf_fini(&clean);
}

static void copy_flag(struct buf *b, const char *key, const json_t *from)
{
    if (json_is_boolean(from))
        buf_printf(b, ",\"%s\":%s", key, json_is_true(from) ? "true" : "false");
}

static void copy_tokens(struct buf *b, const char *key, const json_t *from)
{
    if (json_is_integer(from) && json_integer_value(from) >= 0)
        buf_printf(b, ",\"%s\":%lld", key, (long long)json_integer_value(from));
}

static void copy_words(struct buf *b, const char *key, const json_t *from)
{
    bool first = true;

    if (!json_array_size(from))
        return;
    buf_printf(b, ",\"%s\":[", key);
    for (size_t i = 0; i < json_array_size(from); i++) {
        const char *word = json_string_value(json_array_get(from, i));
        if (!word)
            continue;
        buf_str(b, first ? WEIR_STR("\"") : WEIR_STR(",\""));
        json_escape(b, str_of(word));
        buf_char(b, '"');
        first = false;
    }
    buf_char(b, ']');
}

/* Whole micro-USD per million tokens, which is pico-USD per token, as it is kept. */
static void copy_prices(struct buf *b, const json_t *from)
{
    for (int i = 0; price_names[i]; i++) {
        const json_t *v = json_object_get(from, price_names[i]);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > PRICE_MAX)
            continue;
        buf_printf(b, ",\"%s\":\"", price_names[i]);
        price_print(b, json_integer_value(v));
        buf_char(b, '"');
    }
}

/* ---- models ---- */

/* Vendors that weir's plugins and presets call otherwise than models.dev. */
static const char *vendor(const char *name)
{
    static const char *const names[][2] = {
        {"amazon-bedrock", "bedrock"}, {"google", "gemini"},    {"google-vertex", "vertex"}, {"togetherai", "together"},
        {"fireworks-ai", "fireworks"}, {"novita-ai", "novita"}, {"moonshotai", "moonshot"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], name) == 0)
            return names[i][1];
    return name;
}

static void put_tiers(struct buf *b, const json_t *tiers)
{
    if (!json_array_size(tiers))
        return;
    buf_lit(b, ",\"above\":[");
    for (size_t i = 0; i < json_array_size(tiers); i++) {
        const json_t *t = json_array_get(tiers, i);
        buf_printf(b, "%s{\"tokens\":%lld", i ? "," : "",
                   (long long)json_integer_value(json_object_get(t, "above_context_tokens")));
        copy_prices(b, t);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static bool put_endpoint(struct buf *b, const char *id, const json_t *e)
{
    const char *provider = json_string_value(json_object_get(e, "provider"));
    const char *upstream = json_string_value(json_object_get(e, "provider_model_id"));

    if (!provider || !*provider)
        return false;
    buf_lit(b, "{\"provider\":\"");
    json_escape(b, str_of(vendor(provider)));
    buf_char(b, '"');
    if (upstream && *upstream && strcmp(upstream, id) != 0)
        put_string(b, "model", upstream);
    copy_tokens(b, "context", json_object_get(e, "context_tokens"));
    copy_tokens(b, "max_output", json_object_get(e, "max_output_tokens"));
    copy_prices(b, json_object_get(e, "price"));
    put_tiers(b, json_object_get(e, "price_tiers"));
    copy_string(b, "status", json_object_get(e, "status"));
    buf_char(b, '}');
    return true;
}

static bool put_model(struct buf *b, const json_t *m)
{
    const char *id = json_string_value(json_object_get(m, "id"));
    const json_t *endpoints = json_object_get(m, "endpoints");

    buf_lit(b, "{\"id\":\"");
    json_escape(b, str_of(id));
    buf_char(b, '"');
    copy_string(b, "name", json_object_get(m, "name"));
    copy_string(b, "released", json_object_get(m, "release_date"));
    copy_string(b, "knowledge", json_object_get(m, "knowledge"));
    copy_tokens(b, "context", json_object_get(m, "context_tokens"));
    copy_tokens(b, "max_output", json_object_get(m, "max_output_tokens"));
    copy_words(b, "inputs", json_object_get(m, "input_modalities"));
    copy_words(b, "outputs", json_object_get(m, "output_modalities"));
    copy_flag(b, "tools", json_object_get(m, "tool_call"));
    copy_flag(b, "reasoning", json_object_get(m, "reasoning"));
    copy_flag(b, "structured_output", json_object_get(m, "structured_output"));
    copy_flag(b, "open_weights", json_object_get(m, "open_weights"));
    buf_lit(b, ",\"endpoints\":[");
    for (size_t i = 0; i < json_array_size(endpoints); i++) {
        if (i)
            buf_char(b, ',');
        if (!put_endpoint(b, id, json_array_get(endpoints, i)))
            return false;
    }
    buf_lit(b, "]}");
    return true;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "id")),
                  json_string_value(json_object_get(*(json_t *const *)b, "id")));
}

/* The rows in their order.  false: `why` says which is none. */
static bool rows_sort(const json_t *models, const json_t **rows, char *why, size_t room)
{
    size_t n = json_array_size(models);

    for (size_t i = 0; i < n; i++) {
        rows[i] = json_array_get(models, i);
        if (!json_string_length(json_object_get(rows[i], "id"))) {
            snprintf(why, room, "model %zu has no id", i + 1);
            return false;
        }
    }
    qsort(rows, n, sizeof *rows, by_id);
    return true;
}

static bool convert(const json_t *tree, struct buf *to, size_t *count, char *why, size_t room)
{
    const json_t *models = json_object_get(tree, "models");
    const json_t **rows = must_alloc((json_array_size(models) + 1) * sizeof *rows);
    bool ok = rows_sort(models, rows, why, room);

    *count = json_array_size(models);
    buf_printf(to, "{%s,\"models\":[", about);
    for (size_t i = 0; ok && i < *count; i++) {
        buf_str(to, i ? WEIR_STR(",\n") : WEIR_STR("\n"));
        ok = put_model(to, rows[i]);
        if (!ok)
            snprintf(why, room, "model %.80s has an endpoint without provider",
                     json_string_value(json_object_get(rows[i], "id")));
    }
    buf_lit(to, "\n]}\n");
    free(rows);
    if (ok && !*count)
        snprintf(why, room, "it holds no list of models");
    return ok && *count;
}

/* What was made must be what weir reads. */
static bool reads_back(const struct buf *made, char *why, size_t room)
{
    struct arena a = {0};
    struct catalogue c = {0};
    struct weir_error e = {0};
    int line = 0;
    bool ok = catalogue_read(&c, &a, buf_view(made), &line, &e);
    const char *twice = ok ? catalogue_finish(&c, &a) : NULL;

    if (!ok)
        snprintf(why, room, "line %d of the catalogue: %s", line, e.text);
    else if (twice)
        snprintf(why, room, "model %.80s stands twice", twice);
    arena_fini(&a);
    return ok && !twice;
}

/* ---- files ---- */

static bool file_read(const char *path, struct buf *to)
{
    FILE *f = fopen(path, "rbe");
    size_t n = 1;

    if (!f)
        return false;
    while (n && to->len <= IMPORT_MAX) {
        n = fread(buf_room(to, 65536), 1, 65536, f);
        to->len += n;
    }
    n = (size_t)ferror(f);
    fclose(f);
    return !n && to->len <= IMPORT_MAX;
}

/* Whole or not at all: a weir that starts meanwhile reads the old one. */
static bool file_write(const char *path, const struct buf *from)
{
    struct buf beside = {0};
    FILE *f;
    bool ok;

    buf_printf(&beside, "%s.new", path);
    buf_char(&beside, '\0');
    f = fopen(beside.ptr, "wbe");
    ok = f && fwrite(from->ptr, 1, from->len, f) == from->len && fflush(f) == 0 && fsync(fileno(f)) == 0;
    ok = (!f || fclose(f) == 0) && ok && rename(beside.ptr, path) == 0;
    if (f && !ok)
        unlink(beside.ptr);
    buf_fini(&beside);
    return ok;
}

static int write_out(const struct buf *made, const char *path, size_t count)
{
    if (!path)
        return cmd_print(buf_view(made));
    if (!file_write(path, made)) {
        perror(path);
        return CMD_FAILED;
    }
    printf("%zu models in %s\n", count, path);
    return cmd_print(WEIR_STR(""));
}

int models_import(const char *from, const char *to)
{
    struct buf text = {0}, made = {0};
    struct weir_error e = {0};
    char why[400] = "";
    size_t count = 0;
    json_t *tree = NULL;
    int status = CMD_FAILED;

    if (!file_read(from, &text))
        perror(from);
    else if (!(tree = json_tree_text(buf_view(&text), &e)))
        fprintf(stderr, "%s: %s\n", from, e.text);
    else if (!convert(tree, &made, &count, why, sizeof why) || !reads_back(&made, why, sizeof why))
        fprintf(stderr, "%s: %s\n", from, why);
    else
        status = write_out(&made, to, count);
    json_decref(tree);
    buf_fini(&text);
    buf_fini(&made);
    return status;
}
