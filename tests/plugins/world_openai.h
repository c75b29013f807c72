/* SPDX-License-Identifier: MIT */
/* world_openai.h -- options of the fixture, for the test that looks at them. */
#include "weir.h"

struct world_openai { const char *url, *key; };
