/* SPDX-License-Identifier: Apache-2.0 */
/* responses_all.h -- the responses plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef RESPONSES_ALL_H
#define RESPONSES_ALL_H

#include "../../plugins/providers/responses/accept.c"
#include "../../plugins/providers/responses/answer.c"
#include "../../plugins/providers/responses/decode.c"
#include "../../plugins/providers/responses/encode.c"
#include "../../plugins/providers/responses/input.c"
#include "../../plugins/providers/responses/items.c"
#include "../../plugins/providers/responses/kept.c"
#include "../../plugins/providers/responses/lift.c"
#include "../../plugins/providers/responses/lower.c"
#include "../../plugins/providers/responses/object.c"
#include "../../plugins/providers/responses/piece.c"
#include "../../plugins/providers/responses/refuse.c"
#include "../../plugins/providers/responses/responses.c"
#include "../../plugins/providers/responses/streams.c"
#include "../../plugins/providers/responses/strings.c"
#include "../../plugins/providers/responses/texts.c"
#include "../../plugins/providers/responses/usage.c"

#include "weir_test.h"

#endif
