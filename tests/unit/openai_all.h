/* SPDX-License-Identifier: Apache-2.0 */
/* openai_all.h -- the openai plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef OPENAI_ALL_H
#define OPENAI_ALL_H

#include "../../plugins/providers/openai/accept.c"
#include "../../plugins/providers/openai/answer.c"
#include "../../plugins/providers/openai/decode.c"
#include "../../plugins/providers/openai/encode.c"
#include "../../plugins/providers/openai/fields.c"
#include "../../plugins/providers/openai/openai.c"
#include "../../plugins/providers/openai/streams.c"
#include "../../plugins/providers/openai/usage.c"

#include "weir_test.h"

#endif
