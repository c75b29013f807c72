/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router.h -- clients below /api/v1: they speak OpenRouter's superset of chat completions.  Worker process.
 */
#ifndef OPENAI_ROUTER_H
#define OPENAI_ROUTER_H

#include "emit.h"
#include "openai.h"
#include "voice.h"

void router_refuse(struct weir_ctx *, const struct weir_refusal *);
void router_list(struct weir_ctx *, const struct weir_model *, size_t n, size_t stride);

#endif
