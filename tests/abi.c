/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abi.c -- freezes what a compiled plugin relies on: where each field of sdk/weir.h stands, how large each struct is,
 * and what each enum counts to, on x86-64 and aarch64 (LP64).  That it compiles is the test; run, it says how many rows
 * there are.
 *
 * The figures follow from the types by the rules of the System V ABI, not from the header.  Whoever appends a field
 * adds its row and raises the struct's SIZE.  Any other row that must change to let this file compile is a plugin that
 * breaks: then WEIR_ABI is raised, or the change is not made.
 */
#include <stdio.h>

#include "weir.h"

#if !defined(__LP64__)
#error "weir is for LP64: x86-64 and aarch64"
#endif

#define SIZE(bytes)                                                                                                    \
    _Static_assert(__COUNTER__ >= 0 && sizeof(struct S) == (bytes), "a struct of weir.h has another size");
#define F(field, at)                                                                                                   \
    _Static_assert(__COUNTER__ >= 0 && offsetof(struct S, field) == (at), "a field of weir.h has moved: " #field);
#define V(name, n) _Static_assert(__COUNTER__ >= 0 && name == (n), "an enum of weir.h counts differently: " #name);

_Static_assert(WEIR_ABI == 1, "WEIR_ABI");
_Static_assert(sizeof(enum weir_verdict) == 4 && sizeof(bool) == 1 && sizeof(size_t) == 8 && sizeof(void *) == 8,
               "LP64");

/* clang-format off */

/* ---- structs ---- */

#define S weir_str
SIZE(16)
F(ptr, 0) F(len, 8)
#undef S

#define S weir_error
SIZE(368)
F(text, 0) F(field, 256) F(code, 320)
#undef S

#define S weir_node
SIZE(16)
F(at, 0) F(len, 4) F(next, 8) F(type, 12) F(escaped, 13) F(depth, 14)
#undef S

#define S weir_json
SIZE(32)
F(text, 0) F(nodes, 16) F(count, 24)
#undef S

#define S weir_path
SIZE(32)
F(method, 0) F(path, 8) F(kind, 16) F(header, 24)
#undef S

#define S weir_request
SIZE(120)
F(size, 0) F(kind, 4) F(path, 8) F(model, 24) F(model_at, 40) F(model_len, 44) F(stream, 48) F(usage_asked, 49) F(anew, 50)
F(max_output, 56) F(choices, 64) F(query, 72) F(stream_type, 88) F(method, 96) F(form, 112) F(answer, 116)
#undef S

#define S weir_span
SIZE(40)
F(text, 0) F(where, 16) F(form, 20) F(message, 24) F(part, 28) F(at, 32) F(len, 36)
#undef S

#define S weir_candidate
SIZE(80)
F(size, 0) F(provider, 8) F(model, 24) F(region, 40) F(zdr, 56) F(trains, 57) F(rank, 64) F(out, 72)
#undef S

#define S weir_model
SIZE(40)
F(id, 0) F(owner, 16) F(created, 32)
#undef S

#define S weir_refusal
SIZE(40)
F(status, 0) F(code, 8) F(text, 16) F(field, 24) F(in_stream, 32)
#undef S

#define S weir_frame
SIZE(72)
F(size, 0) F(stream, 4) F(first, 5) F(status, 8) F(raw, 16) F(name, 32) F(data, 48) F(json, 64)
#undef S

#define S weir_usage
SIZE(56)
F(input, 0) F(cache_read, 8) F(cache_write, 16) F(output, 24) F(reasoning, 32) F(audio_in, 40) F(audio_out, 48)
#undef S

#define S weir_event
SIZE(144)
F(size, 0) F(channel, 4) F(choice, 8) F(block, 12) F(text, 16) F(at, 32) F(len, 36) F(escaped, 40) F(copy, 41)
F(last, 42) F(tool_id, 48) F(tool_name, 64) F(detail, 80) F(usage, 96)
F(raw, 104) F(finish, 108) F(status, 112) F(value, 120) F(retry_after, 136)
#undef S

#define S weir_field
SIZE(48)
F(name, 0) F(text, 16) F(number, 32) F(is_number, 40)
#undef S

#define S weir_credential
SIZE(48)
F(size, 0) F(secret, 8) F(expires, 24) F(again, 32) F(from, 40)
#undef S

#define S weir_fetch
SIZE(56)
F(size, 0) F(method, 8) F(url, 16) F(headers, 24) F(body, 32) F(timeout, 48)
#undef S

#define S weir_fetched
SIZE(24)
F(size, 0) F(status, 4) F(body, 8)
#undef S

#define S weir_record
SIZE(72)
F(size, 0) F(field_size, 4) F(seq, 8) F(time_us, 16) F(kind, 24) F(fields, 40) F(count, 48) F(json, 56)
#undef S

#define S weir_list
SIZE(16)
F(items, 0) F(count, 8)
#undef S

#define S weir_option
SIZE(64)
F(name, 0) F(fallback, 8) F(help, 16) F(type, 24) F(unit, 28) F(offset, 32) F(min, 40) F(max, 48) F(choices, 56)
#undef S

#define S weir_ctx
SIZE(32)
F(host, 0) F(shared, 8) F(self, 16) F(local, 24)
#undef S

#define S weir_plugin
SIZE(248)
F(abi, 0) F(size, 4) F(option_size, 8) F(path_size, 12) F(name, 16) F(version, 24) F(summary, 32) F(options, 40)
F(shared_size, 48) F(self_size, 56) F(local_size, 64) F(dialect, 72) F(paths, 80) F(lifts, 88) F(lowers, 92)
F(prepare, 96) F(init, 104) F(fini, 112) F(accept, 120) F(on_request, 128) F(on_route, 136) F(lift, 144) F(encode, 152)
F(serve, 160) F(decode, 168) F(on_event, 176) F(on_response, 184) F(on_cancel, 192) F(answer, 200) F(refuse, 208)
F(list, 216) F(on_record, 224) F(write, 232) F(credential, 240)
#undef S

#define S weir_host
SIZE(256)
F(abi, 0) F(size, 4) F(span_size, 8) F(event_size, 12) F(log, 16) F(alloc, 24) F(body, 32) F(request, 40) F(skim, 48)
F(unescape, 56) F(fact, 64) F(canonical, 72) F(lossy, 80) F(span, 88) F(spans, 96) F(edit, 104) F(answer, 112)
F(label, 120) F(block, 128) F(http_target, 136) F(http_header, 144) F(http_splice, 152) F(http_body, 160) F(serve, 168)
F(emit, 176) F(frame_drop, 184) F(frame_splice, 192) F(out, 200) F(after, 208) F(resume, 216) F(fetch, 224)
F(credential, 232) F(model, 240) F(http_enveloped, 248)
#undef S

/* ---- enums ---- */

/* enum weir_level */
V(WEIR_ERROR, 0) V(WEIR_WARN, 1) V(WEIR_INFO, 2) V(WEIR_DEBUG, 3)

/* enum weir_verdict */
V(WEIR_PASS, 0) V(WEIR_BLOCK, 1) V(WEIR_WAIT, 2) V(WEIR_FAIL, 3) V(WEIR_UNSUPPORTED, 4)

/* enum weir_sent */
V(WEIR_DONE, 0) V(WEIR_RETRY, 1) V(WEIR_SPLIT, 2) V(WEIR_REJECT, 3) V(WEIR_PAUSE, 4)

/* enum weir_json_type */
V(WEIR_JSON_NULL, 0) V(WEIR_JSON_FALSE, 1) V(WEIR_JSON_TRUE, 2) V(WEIR_JSON_NUMBER, 3) V(WEIR_JSON_STRING, 4)
V(WEIR_JSON_ARRAY, 5) V(WEIR_JSON_OBJECT, 6)

/* enum weir_kind */
V(WEIR_CHAT, 0) V(WEIR_COMPLETION, 1) V(WEIR_EMBEDDING, 2) V(WEIR_MODERATION, 3) V(WEIR_LIST_MODELS, 4)
V(WEIR_SHOW_MODEL, 5) V(WEIR_RERANK, 6) V(WEIR_COUNT_TOKENS, 7) V(WEIR_UNSERVED, 8) V(WEIR_IMAGE, 9)
V(WEIR_IMAGE_EDIT, 10) V(WEIR_IMAGE_VARIATION, 11) V(WEIR_SPEECH, 12) V(WEIR_TRANSCRIPTION, 13)
V(WEIR_TRANSLATION, 14) V(WEIR_FILE, 15) V(WEIR_UPLOAD, 16) V(WEIR_BATCH, 17)

/* enum weir_body */
V(WEIR_BODY_JSON, 0) V(WEIR_BODY_TYPED, 1) V(WEIR_BODY_BYTES, 2)

/* enum weir_where */
V(WEIR_SYSTEM, 0) V(WEIR_USER, 1) V(WEIR_ASSISTANT, 2) V(WEIR_TOOL_CALL, 3) V(WEIR_TOOL_RESULT, 4)
V(WEIR_DOCUMENT, 5) V(WEIR_OTHER, 6)

/* enum weir_form */
V(WEIR_PLAIN_TEXT, 0) V(WEIR_INNER_JSON, 1)

/* enum weir_channel */
V(WEIR_TEXT, 0) V(WEIR_REASONING, 1) V(WEIR_ARGUMENTS, 2) V(WEIR_USAGE, 3) V(WEIR_FINISH, 4) V(WEIR_ERRORED, 5)
V(WEIR_DONE_MARK, 6) V(WEIR_START, 7) V(WEIR_OPAQUE, 8) V(WEIR_VECTOR, 9) V(WEIR_SCORE, 10)

/* enum weir_finish */
V(WEIR_FINISH_UNKNOWN, 0) V(WEIR_FINISH_STOP, 1) V(WEIR_FINISH_STOP_SEQUENCE, 2) V(WEIR_FINISH_LENGTH, 3)
V(WEIR_FINISH_CONTEXT, 4) V(WEIR_FINISH_TOOL_CALLS, 5) V(WEIR_FINISH_FILTERED, 6) V(WEIR_FINISH_PAUSED, 7)
V(WEIR_FINISH_FAILED, 8)

/* enum weir_type */
V(WEIR_T_END, 0) V(WEIR_T_STR, 1) V(WEIR_T_INT, 2) V(WEIR_T_NUM, 3) V(WEIR_T_BOOL, 4) V(WEIR_T_LIST, 5)

/* enum weir_unit */
V(WEIR_PLAIN, 0) V(WEIR_MS, 1) V(WEIR_BYTES, 2) V(WEIR_SECRET, 3) V(WEIR_PATH, 4)

    /* clang-format on */

    _Static_assert(WEIR_NO_NODE == 0xFFFFFFFFu, "WEIR_NO_NODE is compiled into plugins");

int main(void)
{
    printf("%d passed, 0 failed\n", __COUNTER__);
    return 0;
}
