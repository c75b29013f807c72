/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse.c -- an error -> what a client of Converse understands: a body whose __type says which exception it is (SDKs
 * read it there when the header x-amzn-errortype is missing), or an exception that ends the stream.
 */
#include "bedrock.h"
#include "emit.h"

struct exception {
    int status;
    const char *name, *in_stream;
};

static const struct exception *exception_of(int status)
{
    static const struct exception rows[] = {
        {400, "ValidationException", "validationException"},
        {401, "UnrecognizedClientException", "validationException"},
        {403, "AccessDeniedException", "validationException"},
        {404, "ResourceNotFoundException", "validationException"},
        {408, "ModelTimeoutException", "modelTimeoutException"},
        {409, "ConflictException", "validationException"},
        {413, "ValidationException", "validationException"},
        {424, "ModelErrorException", "modelStreamErrorException"},
        {429, "ThrottlingException", "throttlingException"},
        {502, "InternalServerException", "modelStreamErrorException"},
        {503, "ServiceUnavailableException", "serviceUnavailableException"},
        {504, "ModelTimeoutException", "modelTimeoutException"},
        {529, "ServiceUnavailableException", "serviceUnavailableException"},
    };
    static const struct exception client = {0, "ValidationException", "validationException"};
    static const struct exception server = {0, "InternalServerException", "internalServerException"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status)
            return &rows[i];
    return status >= 400 && status < 500 ? &client : &server;
}

void bedrock_refuse(struct weir_ctx *c, const struct weir_refusal *f)
{
    const struct exception *x = exception_of(f->status);
    struct emit m = {.t.c = c};

    emit_open(&m, '{');
    if (!f->in_stream)
        emit_member_text(&m, "__type", str_of(x->name));
    emit_member_text(&m, "message", str_of(f->text));
    emit_close(&m, '}');
    if (f->in_stream)
        bedrock_frame(c, true, x->in_stream, text_view(&m.t));
    else
        weir_out(c, text_view(&m.t));
}
