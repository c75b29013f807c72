/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.c -- hostile files and answers of token servers through the parsers of plugins/lib.  First byte: which.
 *
 * What must hold: what is found lies inside of what was given, holds no line end, and a time is one of this era.
 */
#include <stdlib.h>

#include "aws_keys.h"
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
    if (!ok)
        abort();
}

static void check_inside(struct weir_str whole, struct weir_str s)
{
    need(!s.len || (s.ptr >= whole.ptr && s.ptr + s.len <= whole.ptr + whole.len));
}

static void check_keys(struct weir_str whole, const struct aws_keys *k)
{
    check_inside(whole, k->id);
    check_inside(whole, k->secret);
    check_inside(whole, k->token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t expires = 0;
    struct aws_keys k;
    struct weir_str s;
    char *copy;

    if (!size)
        return 0;
    copy = malloc(size); /* of the exact size: whoever reads too far is caught */
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    s = (struct weir_str){copy, size - 1};
    switch (data[0] % 5) {
    case 0:
        if (aws_profile_read(s, "default", &k))
            need(!memchr(k.id.ptr, '\n', k.id.len) && !memchr(k.secret.ptr, '\n', k.secret.len));
        check_keys(s, &k);
        break;
    case 1:
        if (aws_sts_read(s, &k, &expires))
            need(expires > 0 && k.id.len && k.secret.len && k.token.len && !memchr(k.token.ptr, '<', k.token.len));
        check_keys(s, &k);
        break;
    case 2:
        need(source_time(s) >= -86400 * 2 && source_time(s) < 253402500000);
        break;
    case 3:
        if (aws_container_fits(copy))
            need(strncmp(copy, "http", 4) == 0 && !strchr(copy + 7, '@'));
        break;
    default:
        if (aws_keys_read(s, &k))
            need(k.id.len && k.secret.len);
        check_keys(s, &k);
    }
    free(copy);
    return 0;
}
