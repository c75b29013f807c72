/* SPDX-License-Identifier: Apache-2.0 */
/* scalar_skim.h -- json_skim.c once more, built without SSE2 as on other machines, under names of its own. */
#ifndef SCALAR_SKIM_H
#define SCALAR_SKIM_H

#include "base/json_skim.h"

/* Macros with arguments, so that `struct json_skim` stays what it is. */
#define JSON_SKIM_SCALAR
#define json_skim(...)       scalar_skim(__VA_ARGS__)
#define json_skim_arena(...) scalar_skim_arena(__VA_ARGS__)
#define json_skim_fini(...)  scalar_skim_fini(__VA_ARGS__)
bool scalar_skim(struct json_skim *, struct weir_str, const struct json_limits *, struct weir_json *,
                 struct weir_error *);
bool scalar_skim_arena(struct arena *, struct json_skim *, struct weir_str, const struct json_limits *,
                       struct weir_json *, struct weir_error *);
void scalar_skim_fini(struct json_skim *);
#include "../../host/base/json_skim.c"
#undef json_skim
#undef json_skim_arena
#undef json_skim_fini

#endif
