/* SPDX-License-Identifier: Apache-2.0 */
/* kind.c -- the words of kind.h. */
#include "worker/kind.h"

const char *const kind_names[] = {
#define ROW(name, help) #name,
    KINDS(ROW)
#undef ROW
};
