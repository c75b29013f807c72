/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.h -- the first process: owns the listening sockets, the shared memory and the children; loads no plugin
 * and parses no request.
 *
 *   supervisor -> generation -> worker x N      the generation loads the world once, then only forks (workers.h)
 *              -> recorder, sink x M            the sinks begin once weir answers
 *
 * One SO_REUSEPORT socket per worker slot is made here and inherited by each generation, so that a connection that the
 * kernel has queued outlives any worker and any generation.  A dead child of any kind is replaced at once; one that
 * keeps dying right after its start waits a little (child.h).  Nothing outlives the supervisor.
 *
 * SIGTERM and SIGINT: workers drain, the recorder takes in their last records, sinks stop.  A second one: now.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

struct world_source;

/* Returns the exit status: 0 when it stopped as told, 1 when it could not start; one line on stderr has said why. */
int supervisor_run(const struct world_source *);

#endif
