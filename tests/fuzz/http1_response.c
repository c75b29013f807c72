/* SPDX-License-Identifier: Apache-2.0 */
/* http1_response.c -- fuzzes heads of responses; the input is what an upstream sends, to a GET and to a HEAD. */
#include "http1_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_response(const struct http1_head *h, enum http1_result result)
{
    must(result != HTTP1_BAD || h->status == 502);
    if (result != HTTP1_OK)
        return;
    must(h->status >= 100 && h->status <= 599 && h->status != 101);
    must(h->body != HTTP1_UNTIL_CLOSE || !h->keep_alive);
    must(h->body == HTTP1_NO_BODY || (h->status >= 200 && h->status != 204 && h->status != 304));
}

static enum http1_result read_to_get(struct http1_head *h, const char *bytes, size_t n, size_t *examined,
                                     const struct http1_limits *limits)
{
    enum http1_result result = http1_response(h, bytes, n, examined, limits, false);

    check_response(h, result);
    return result;
}

static enum http1_result read_to_head(struct http1_head *h, const char *bytes, size_t n, size_t *examined,
                                      const struct http1_limits *limits)
{
    enum http1_result result = http1_response(h, bytes, n, examined, limits, true);

    check_response(h, result);
    must(result != HTTP1_OK || h->body == HTTP1_NO_BODY);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_head(read_to_get, data, size);
    check_head(read_to_head, data, size);
    return 0;
}
