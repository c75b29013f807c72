/* SPDX-License-Identifier: Apache-2.0 */
/* models.h -- the parts of `weir models`. */
#ifndef CMD_MODELS_H
#define CMD_MODELS_H

#include "cmd/cmd.h"

/* Makes a catalogue of the list of models `from`; `to` NULL: on stdout.  Returns an exit code; stderr says why. */
int models_import(const char *from, const char *to);

#endif
