/* SPDX-License-Identifier: Apache-2.0 */
/* openai_all.h -- the openai plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef OPENAI_ALL_H
#define OPENAI_ALL_H

#include "../../plugins/providers/openai/accept.c"
#include "../../plugins/providers/openai/accept_media.c"
#include "../../plugins/providers/openai/answer.c"
#include "../../plugins/providers/openai/decode.c"
#include "../../plugins/providers/openai/decode_calls.c"
#include "../../plugins/providers/openai/decode_error.c"
#include "../../plugins/providers/openai/decode_media.c"
#include "../../plugins/providers/openai/decode_other.c"
#include "../../plugins/providers/openai/details.c"
#include "../../plugins/providers/openai/encode.c"
#include "../../plugins/providers/openai/lift.c"
#include "../../plugins/providers/openai/lift_extra.c"
#include "../../plugins/providers/openai/lift_messages.c"
#include "../../plugins/providers/openai/lift_parts.c"
#include "../../plugins/providers/openai/lift_reasoning.c"
#include "../../plugins/providers/openai/lift_tools.c"
#include "../../plugins/providers/openai/lower.c"
#include "../../plugins/providers/openai/lower_ids.c"
#include "../../plugins/providers/openai/lower_messages.c"
#include "../../plugins/providers/openai/lower_parts.c"
#include "../../plugins/providers/openai/lower_tools.c"
#include "../../plugins/providers/openai/openai.c"
#include "../../plugins/providers/openai/streams.c"
#include "../../plugins/providers/openai/think.c"
#include "../../plugins/providers/openai/usage.c"
#include "../../plugins/providers/openai/write.c"
#include "../../plugins/providers/openai/write_body.c"
#include "../../plugins/providers/openai/write_vectors.c"

#include "weir_test.h"

#endif
