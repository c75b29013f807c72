/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_all.h -- the anthropic plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef ANTHROPIC_ALL_H
#define ANTHROPIC_ALL_H

#include "../../plugins/providers/anthropic/accept.c"
#include "../../plugins/providers/anthropic/answer.c"
#include "../../plugins/providers/anthropic/anthropic.c"
#include "../../plugins/providers/anthropic/cloud.c"
#include "../../plugins/providers/anthropic/decode.c"
#include "../../plugins/providers/anthropic/encode.c"
#include "../../plugins/providers/anthropic/ends.c"
#include "../../plugins/providers/anthropic/kept.c"
#include "../../plugins/providers/anthropic/lift.c"
#include "../../plugins/providers/anthropic/lift_parts.c"
#include "../../plugins/providers/anthropic/lower.c"
#include "../../plugins/providers/anthropic/lower_parts.c"
#include "../../plugins/providers/anthropic/lower_think.c"
#include "../../plugins/providers/anthropic/refuse.c"
#include "../../plugins/providers/anthropic/writer.c"

#include "weir_test.h"

#endif
