/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edited.h -- the client's body with the edits of all stages in it, as one text: for whoever has to sign what is sent.
 *
 * In `encode`, of a client that speaks the same dialect.  Knows nothing but sdk/weir.h and text.h.
 */
#ifndef LIB_EDITED_H
#define LIB_EDITED_H

#include "text.h"

struct edit { /* bytes of the body that are sent as `with` */
    uint32_t at, len;
    struct weir_str with;
};

/* With `more` edits, in any order; what lies inside of another one goes with it. */
struct weir_str edited_body(struct weir_ctx *, const struct weir_json *body, const struct edit *more, size_t n);

#endif
