/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.c -- what clients below /api/v1 get otherwise than OpenAI's: errors and models in OpenRouter's shapes.  Hooks
 * `refuse` and `list`, worker process.
 */
#include "router.h"

/* ---- errors ---- */

static const char *router_error_type(const struct weir_refusal *f)
{
    static const struct {
        int status;
        const char *type;
    } types[] = {
        {401, "authentication"},
        {402, "payment_required"},
        {403, "permission_denied"},
        {404, "not_found"},
        {408, "timeout"},
        {412, "precondition_failed"},
        {413, "payload_too_large"},
        {422, "unprocessable"},
        {429, "rate_limit_exceeded"},
        {502, "provider_unavailable"},
        {503, "provider_overloaded"},
        {504, "timeout"},
        {524, "timeout"},
        {529, "provider_overloaded"},
    };

    if (f->code && strcmp(f->code, "context_length_exceeded") == 0)
        return "context_length_exceeded";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].status == f->status)
            return types[i].type;
    return f->status < 500 ? "invalid_request" : "server";
}

/* `code` is a number here; ours, and the field, stand beside the type. */
static void router_error(struct emit *m, const struct weir_refusal *f)
{
    emit_key(m, "error");
    emit_open(m, '{');
    emit_key(m, "code");
    emit_int(m, f->status);
    emit_member_text(m, "message", str_of(f->text));
    emit_key(m, "metadata");
    emit_open(m, '{');
    emit_member_text(m, "error_type", str_of(router_error_type(f)));
    if (f->code && *f->code)
        emit_member_text(m, "code", str_of(f->code));
    if (f->field && *f->field)
        emit_member_text(m, "field", str_of(f->field));
    emit_close(m, '}');
    emit_close(m, '}');
}

static void router_chunk(struct emit *m, const struct weir_refusal *f)
{
    const struct openai_local *l = m->t.c->local;
    struct text id = {.c = m->t.c};

    text_lit(&id, "gen-");
    text_str(&id, weir_fact(m->t.c, "request_id"));
    emit_open(m, '{');
    if (l->id.len)
        emit_key(m, "id"), emit_quoted(m, l->id);
    else
        emit_member_text(m, "id", text_view(&id));
    emit_member_lit(m, "object", "chat.completion.chunk");
    emit_key(m, "created");
    emit_raw(m, weir_fact(m->t.c, "time").len ? weir_fact(m->t.c, "time") : WEIR_STR("0"));
    emit_member_text(m, "model", weir_request(m->t.c)->model);
    router_error(m, f);
    emit_key(m, "choices");
    emit_raw(m, WEIR_STR("[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
                         "\"finish_reason\":\"error\",\"native_finish_reason\":null}]"));
    emit_close(m, '}');
}

void router_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    struct emit m = {.t.c = c};

    if (f->in_stream) {
        router_chunk(&m, f);
        weir_out(c, WEIR_STR("data: "));
        weir_out(c, text_view(&m.t));
        weir_out(c, WEIR_STR("\n\ndata: [DONE]\n\n"));
        return;
    }
    emit_open(&m, '{');
    router_error(&m, f);
    emit_key(&m, "user_id");
    emit_raw(&m, WEIR_STR("null"));
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}

/* ---- models ---- */

struct listed {
    struct weir_ctx *c;
    struct emit *m;
    const struct weir_model *model;
    size_t row;
};

static struct weir_str listed_fact(const struct listed *l, const char *name)
{
    struct text t = {.c = l->c};

    text_lit(&t, "listed.");
    text_int(&t, (int64_t)l->row);
    text_lit(&t, ".");
    text_str(&t, str_of(name));
    text_put(&t, "", 1);
    return weir_fact(l->c, text_view(&t).ptr);
}

static void router_number(const struct listed *l, const char *key, const char *name)
{
    struct weir_str n = listed_fact(l, name);

    emit_key(l->m, key);
    emit_raw(l->m, n.len ? n : WEIR_STR("null"));
}

/* "2.50" for a million tokens is "0.0000025" for one. */
static struct weir_str per_token(struct weir_ctx *c, struct weir_str million)
{
    const char *point = memchr(million.ptr, '.', million.len);
    size_t whole = point ? (size_t)(point - million.ptr) : million.len;
    struct text t = {.c = c};

    if (whole > 6)
        return WEIR_STR("-1");
    text_lit(&t, "0.");
    for (size_t i = whole; i < 6; i++)
        text_lit(&t, "0");
    text_put(&t, million.ptr, whole);
    if (point)
        text_put(&t, point + 1, million.len - whole - 1);
    while (t.ptr[t.len - 1] == '0')
        t.len--;
    return t.len > 2 ? text_view(&t) : WEIR_STR("0");
}

/* An unknown price is "-1" where there must be one. */
static void put_price(const struct listed *l, const char *key, const char *name, bool must)
{
    struct weir_str price = listed_fact(l, name);

    if (price.len || must)
        emit_member_text(l->m, key, price.len ? per_token(l->c, price) : WEIR_STR("-1"));
}

/* What the catalogue calls pdf is a file here. */
static struct weir_str router_word(struct weir_str *words)
{
    const char *space = memchr(words->ptr, ' ', words->len);
    struct weir_str word = {words->ptr, space ? (size_t)(space - words->ptr) : words->len};

    *words = (struct weir_str){words->ptr + word.len + (space != NULL), words->len - word.len - (space != NULL)};
    return str_is(word, "pdf") ? WEIR_STR("file") : word;
}

static void router_words(struct emit *m, struct weir_str words)
{
    while (words.len)
        emit_text(m, router_word(&words));
}

static void put_modality(struct text *t, struct weir_str words)
{
    for (bool any = false; words.len; any = true) {
        if (any)
            text_lit(t, "+");
        text_str(t, router_word(&words));
    }
}

static void put_architecture(const struct listed *l)
{
    struct weir_str in = listed_fact(l, "inputs"), out = listed_fact(l, "outputs");
    struct text t = {.c = l->c};

    put_modality(&t, in);
    text_lit(&t, "->");
    put_modality(&t, out);
    emit_key(l->m, "architecture");
    emit_open(l->m, '{');
    emit_key(l->m, "modality");
    if (in.len && out.len)
        emit_text(l->m, text_view(&t));
    else
        emit_raw(l->m, WEIR_STR("null"));
    emit_key(l->m, "input_modalities");
    emit_open(l->m, '[');
    router_words(l->m, in);
    emit_close(l->m, ']');
    emit_key(l->m, "output_modalities");
    emit_open(l->m, '[');
    router_words(l->m, out);
    emit_close(l->m, ']');
    emit_member_lit(l->m, "tokenizer", "Other");
    emit_key(l->m, "instruct_type");
    emit_raw(l->m, WEIR_STR("null"));
    emit_close(l->m, '}');
}

static void put_parameters(const struct listed *l)
{
    static const struct {
        const char *fact, *words;
    } abilities[] = {
        {"tools", "tools tool_choice"},
        {"reasoning", "reasoning include_reasoning"},
        {"structured_output", "response_format structured_outputs"},
    };
    struct weir_str all = listed_fact(l, "parameters");

    emit_key(l->m, "supported_parameters");
    emit_open(l->m, '[');
    router_words(l->m, all);
    for (size_t i = 0; !all.len && i < sizeof abilities / sizeof *abilities; i++)
        if (str_is(listed_fact(l, abilities[i].fact), "true"))
            router_words(l->m, str_of(abilities[i].words));
    emit_close(l->m, ']');
}

static void router_limits(const struct listed *l)
{
    router_number(l, "context_length", "context");
    emit_key(l->m, "top_provider");
    emit_open(l->m, '{');
    router_number(l, "context_length", "context");
    router_number(l, "max_completion_tokens", "max_output");
    emit_key(l->m, "is_moderated");
    emit_bool(l->m, false);
    emit_close(l->m, '}');
    emit_key(l->m, "pricing");
    emit_open(l->m, '{');
    put_price(l, "prompt", "input_price", true);
    put_price(l, "completion", "output_price", true);
    put_price(l, "input_cache_read", "cache_read_price", false);
    put_price(l, "input_cache_write", "cache_write_price", false);
    put_price(l, "internal_reasoning", "reasoning_price", false);
    emit_close(l->m, '}');
}

static void router_model(const struct listed *l)
{
    static const char *const nulls[] = {"per_request_limits", "default_parameters", "supported_voices"};
    struct weir_str name = listed_fact(l, "name"), id = listed_fact(l, "id"), until = listed_fact(l, "knowledge");
    struct text details = {.c = l->c};

    text_lit(&details, "/api/v1/models/");
    text_str(&details, l->model->id);
    emit_open(l->m, '{');
    emit_member_text(l->m, "id", l->model->id);
    emit_member_text(l->m, "canonical_slug", id.len ? id : l->model->id);
    emit_member_text(l->m, "name", name.len ? name : l->model->id);
    emit_key(l->m, "created");
    emit_int(l->m, l->model->created);
    router_limits(l);
    put_architecture(l);
    put_parameters(l);
    if (until.len)
        emit_member_text(l->m, "knowledge_cutoff", until);
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        emit_key(l->m, nulls[i]);
        emit_raw(l->m, WEIR_STR("null"));
    }
    emit_key(l->m, "links");
    emit_open(l->m, '{');
    emit_member_text(l->m, "details", text_view(&details));
    emit_close(l->m, '}');
    emit_close(l->m, '}');
}

void router_list(struct weir_ctx *c, const struct weir_model *models, size_t n, size_t stride)
{
    bool one = weir_request(c)->kind == WEIR_SHOW_MODEL;
    struct emit m = {.t.c = c};

    emit_open(&m, '{');
    emit_key(&m, "data");
    if (!one)
        emit_open(&m, '[');
    for (size_t i = 0; i < n; i++)
        router_model(
            &(struct listed){c, &m, (const struct weir_model *)(const void *)((const char *)models + i * stride), i});
    if (!one) {
        emit_close(&m, ']');
        emit_key(&m, "links");
        emit_raw(&m, WEIR_STR("{\"next\":null}"));
        emit_key(&m, "total_count");
        emit_int(&m, (int64_t)n);
    }
    emit_close(&m, '}');
    weir_out(c, text_view(&m.t));
}
