/* SPDX-License-Identifier: Apache-2.0 */
/* ends.c -- how an Anthropic-like answer begins, what it cost, how it ends or fails; called by decode.c. */
#include "decode.h"

static int64_t tokens(const struct decoder *d, uint32_t object, const char *key)
{
    int64_t v = weir_json_int(d->j, member(d, object, key), -1);

    return v > MOST_TOKENS ? -1 : v;
}

/* What is written to the cache is told twice: as a sum, and by how long it stays. */
static int64_t tokens_written(const struct decoder *d, uint32_t usage)
{
    uint32_t by = member(d, usage, "cache_creation");
    int64_t sum = tokens(d, usage, "cache_creation_input_tokens");
    int64_t a = tokens(d, by, "ephemeral_5m_input_tokens"), b = tokens(d, by, "ephemeral_1h_input_tokens");

    if (sum >= 0 || (a < 0 && b < 0))
        return sum;
    return (a > 0 ? a : 0) + (b > 0 ? b : 0);
}

void put_tokens(struct decoder *d, uint32_t usage)
{
    struct weir_event ev = event_of(WEIR_USAGE, 0);
    struct weir_usage u = {-1, -1, -1, -1, -1, -1, -1};

    if (!weir_json_is(d->j, usage, WEIR_JSON_OBJECT))
        return;
    u.input = tokens(d, usage, "input_tokens");
    u.cache_read = tokens(d, usage, "cache_read_input_tokens");
    u.cache_write = tokens_written(d, usage);
    u.output = tokens(d, usage, "output_tokens");
    u.reasoning = tokens(d, member(d, usage, "output_tokens_details"), "thinking_tokens");
    if (u.output >= 0 && u.reasoning >= 0) {
        if (u.reasoning > u.output)
            u.reasoning = u.output;
        u.output -= u.reasoning;
    }
    ev.usage = &u;
    weir_emit(d->c, &ev);
}

bool put_start(struct decoder *d, uint32_t message)
{
    struct weir_event ev = event_of(WEIR_START, 0);

    ev.detail = member_value(d, message, "id");
    ev.value = member_value(d, message, "model");
    if (d->l->started)
        return str_eq(ev.detail, d->l->id) || decode_fails(d, "another answer begins in the middle of this one");
    d->l->started = true;
    d->l->id = text_keep(d->c, ev.detail);
    weir_emit(d->c, &ev);
    return true;
}

static enum weir_finish finish_of(struct weir_str reason)
{
    static const struct {
        const char *reason;
        enum weir_finish finish;
    } words[] = {
        {"end_turn", WEIR_FINISH_STOP},     {"stop_sequence", WEIR_FINISH_STOP_SEQUENCE},
        {"max_tokens", WEIR_FINISH_LENGTH}, {"tool_use", WEIR_FINISH_TOOL_CALLS},
        {"pause_turn", WEIR_FINISH_PAUSED}, {"model_context_window_exceeded", WEIR_FINISH_CONTEXT},
        {"refusal", WEIR_FINISH_FILTERED},  {"compaction", WEIR_FINISH_PAUSED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(reason, words[i].reason))
            return words[i].finish;
    return WEIR_FINISH_UNKNOWN;
}

void put_finish(struct decoder *d, uint32_t object)
{
    struct weir_event ev = event_of(WEIR_FINISH, 0);

    ev.detail = member_value(d, object, "stop_reason");
    if (!ev.detail.len || str_eq(ev.detail, d->l->end))
        return;
    d->l->end = text_keep(d->c, ev.detail);
    blocks_end(d);
    ev.finish = finish_of(ev.detail);
    if (ev.finish == WEIR_FINISH_STOP_SEQUENCE)
        ev.value = member_value(d, object, "stop_sequence");
    weir_emit(d->c, &ev);
}

void put_done(struct decoder *d)
{
    struct weir_event ev = event_of(WEIR_DONE_MARK, 0);

    blocks_end(d);
    d->l->done = true;
    weir_emit(d->c, &ev);
}

/* ---- errors ---- */

static int status_of(struct weir_str type)
{
    static const struct {
        const char *type;
        int status;
    } types[] = {
        {"invalid_request_error", 400}, {"authentication_error", 401},
        {"billing_error", 402},         {"permission_error", 403},
        {"not_found_error", 404},       {"timeout_error", 504},
        {"conflict_error", 409},        {"request_too_large", 413},
        {"rate_limit_error", 429},      {"api_error", 500},
        {"overloaded_error", 529},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_is(type, types[i].type))
            return types[i].status;
    return 0;
}

/* {"error": {"type", "message"}}, or what servers that only look like Anthropic send. */
void put_error(struct decoder *d, uint32_t error)
{
    struct weir_event ev = event_of(WEIR_ERRORED, 0);

    if (d->j && weir_json_is(d->j, error, WEIR_JSON_OBJECT)) {
        ev.value = member_value(d, error, "type");
        ev.detail = member_value(d, error, "message");
    } else if (d->j) {
        ev.detail = node_value(d->c, d->j, error);
        if (!ev.detail.len)
            ev.detail = member_value(d, 0, "message");
    }
    ev.status = d->frame->status >= 400 ? d->frame->status : status_of(ev.value);
    if (str_is(ev.value, "invalid_request_error") && str_starts(ev.detail, "prompt is too long"))
        ev.value = WEIR_STR("context_length_exceeded");
    weir_emit(d->c, &ev);
}
