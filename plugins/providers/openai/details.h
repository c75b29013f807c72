/* SPDX-License-Identifier: Apache-2.0 */
/*
 * details.h -- OpenRouter's reasoning_details: which of their items is what kind of opaque reasoning, and back.
 *
 * Clients, answers and requests to routers use them.  Worker process.
 */
#ifndef OPENAI_DETAILS_H
#define OPENAI_DETAILS_H

#include "emit.h"
#include "walk.h"

/* "ISSUER.KIND" of an item that has something opaque (docs/canonical.md); "" when it has none or nobody knows it. */
struct weir_str details_kind(struct weir_ctx *, const struct weir_json *, uint32_t item);
/* Its signature or data; "" none. */
struct weir_str details_data(struct weir_ctx *, const struct weir_json *, uint32_t item);

/* What there is of a block of reasoning as items: its text, what is opaque about it.  Each may be "", so that a stream
 * says one after the other; `id`: of the call that it belongs to. */
void details_put(struct emit *, struct weir_str text, struct weir_str kind, struct weir_str data, struct weir_str id,
                 uint32_t index);

#endif
