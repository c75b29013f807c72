/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h -- listening sockets, and addresses as people write them.
 *
 * Called by the supervisor before anything is forked.  Errors say what is wrong and what to do; the caller puts the
 * place in the configuration before them.
 */
#ifndef SUPERVISOR_LISTENER_H
#define SUPERVISOR_LISTENER_H

#include <sys/socket.h>

#include "weir.h"

struct address {
    struct sockaddr_storage sa;
    socklen_t len;
};

/* "ADDR:PORT", "[V6]:PORT", "localhost:PORT"; names are not looked up.  Port 0: any that is free. */
bool address_parse(struct address *, const char *text, struct weir_error *);
/* As it would be parsed again. */
void address_print(const struct address *, char *to, size_t size);
/* The same, for a client on this machine: an address that stands for all becomes the loopback one. */
void address_print_near(const struct address *, char *to, size_t size);

/* `count` sockets on one address, each with a queue of its own: the kernel deals connections out to them
 * (SO_REUSEPORT).  Refuses an address that anybody else listens on.  A port 0 in the address becomes the port that was
 * given.  false: none is open. */
bool listener_open(struct address *, int *fds, unsigned count, struct weir_error *);

#endif
