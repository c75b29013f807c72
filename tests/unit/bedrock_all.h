/* SPDX-License-Identifier: Apache-2.0 */
/* bedrock_all.h -- the bedrock plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef BEDROCK_ALL_H
#define BEDROCK_ALL_H

#include "../../plugins/providers/bedrock/accept.c"
#include "../../plugins/providers/bedrock/answer.c"
#include "../../plugins/providers/bedrock/bedrock.c"
#include "../../plugins/providers/bedrock/decode.c"
#include "../../plugins/providers/bedrock/encode.c"
#include "../../plugins/providers/bedrock/frames.c"
#include "../../plugins/providers/bedrock/lift.c"
#include "../../plugins/providers/bedrock/lift_blocks.c"
#include "../../plugins/providers/bedrock/lower.c"
#include "../../plugins/providers/bedrock/lower_blocks.c"
#include "../../plugins/providers/bedrock/lower_tools.c"
#include "../../plugins/providers/bedrock/refuse.c"

#include "weir_test.h"

#endif
