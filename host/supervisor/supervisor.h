/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.h -- the first process: owns the listening sockets, the shared memory and the children; loads no plugin and parses
 * no request.
 *
 *   supervisor -> generation -> worker x N      the generation loads the world once, then only forks
 *              -> recorder, sink x M
 *
 * One SO_REUSEPORT socket per worker slot is made here and handed on from generation to generation (over a Unix socket, SCM_RIGHTS, or by
 * inheritance).  A dead child of any kind is replaced at once; one that dies within a second of its start, again and again, waits up to 5 s.
 * Children notice a dead supervisor (PR_SET_PDEATHSIG and a pipe's end) and go.  SIGTERM and SIGINT: drain, then stop; a second one: now.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

struct supervisor_options {
    const char *config;                      /* file; NULL: the built-in configuration */
    const char *listen;                      /* replaces the setting; NULL: as configured */
};

int supervisor_run(const struct supervisor_options *);   /* returns the exit status */

#endif
