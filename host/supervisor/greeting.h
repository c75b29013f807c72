/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greeting.h -- what `weir serve` says on stdout, once: where it answers, a curl line that works when pasted, and the
 * models. Said by the first worker, for it knows the world and is about to answer.
 */
#ifndef SUPERVISOR_GREETING_H
#define SUPERVISOR_GREETING_H

#include "base/buf.h"
#include "supervisor/listener.h"
#include "world/world.h"

void greeting_write(struct buf *, const struct world *, const struct address *);
void greeting_print(const struct world *, const struct address *);

#endif
