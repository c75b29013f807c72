/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.h -- the inside of a generation: loads the world once, then only forks workers and replaces the dead.
 *
 * Runs in the generation's process; one thread.  Replacing is one fork: it reads no file and loads no plugin.
 */
#ifndef SUPERVISOR_WORKERS_H
#define SUPERVISOR_WORKERS_H

struct generation;

/* Until the supervisor says stop and the last worker has drained.  CHILD_REFUSED: the configuration cannot work, and
 * stderr says why. */
int workers_run(struct generation *);

#endif
