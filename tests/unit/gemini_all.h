/* SPDX-License-Identifier: Apache-2.0 */
/* gemini_all.h -- the gemini plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef GEMINI_ALL_H
#define GEMINI_ALL_H

#include "../../plugins/providers/gemini/accept.c"
#include "../../plugins/providers/gemini/answer.c"
#include "../../plugins/providers/gemini/call.c"
#include "../../plugins/providers/gemini/contents.c"
#include "../../plugins/providers/gemini/decode.c"
#include "../../plugins/providers/gemini/encode.c"
#include "../../plugins/providers/gemini/encode_parts.c"
#include "../../plugins/providers/gemini/encode_tools.c"
#include "../../plugins/providers/gemini/gemini.c"
#include "../../plugins/providers/gemini/lift.c"
#include "../../plugins/providers/gemini/lift_config.c"
#include "../../plugins/providers/gemini/lift_parts.c"
#include "../../plugins/providers/gemini/names.c"
#include "../../plugins/providers/gemini/partial.c"
#include "../../plugins/providers/gemini/refuse.c"
#include "../../plugins/providers/gemini/schema.c"
#include "../../plugins/providers/gemini/target.c"
#include "../../plugins/providers/gemini/usage.c"

#include "weir_test.h"

#endif
