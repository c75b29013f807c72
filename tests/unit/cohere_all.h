/* SPDX-License-Identifier: Apache-2.0 */
/* cohere_all.h -- the cohere plugin as one unit, for tests and fuzzers that run it under weir_test.h. */
#ifndef COHERE_ALL_H
#define COHERE_ALL_H

#include "../../plugins/providers/cohere/accept.c"
#include "../../plugins/providers/cohere/answer.c"
#include "../../plugins/providers/cohere/cohere.c"
#include "../../plugins/providers/cohere/decode.c"
#include "../../plugins/providers/cohere/decode_body.c"
#include "../../plugins/providers/cohere/encode.c"
#include "../../plugins/providers/cohere/lift.c"
#include "../../plugins/providers/cohere/lift_messages.c"
#include "../../plugins/providers/cohere/lower.c"
#include "../../plugins/providers/cohere/lower_messages.c"
#include "../../plugins/providers/cohere/lower_other.c"
#include "../../plugins/providers/cohere/write_body.c"

#include "weir_test.h"

#endif
