/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c -- listening sockets, and addresses as people write them; see listener.h. */
#include "supervisor/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "world/value.h"

#define BACKLOG 4096 /* the kernel cuts it down to net.core.somaxconn */

/* ---- addresses ---- */

bool address_parse(struct address *a, const char *text, struct weir_error *error)
{
    size_t len;

    if (!value_address(text, &a->sa, &len, NULL)) {
        snprintf(error->text, sizeof error->text, "that is no address; write it as 127.0.0.1:8080 or [::1]:8080");
        return false;
    }
    a->len = (socklen_t)len;
    return true;
}

void address_print(const struct address *a, char *to, size_t size)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->sa;
    char host[INET6_ADDRSTRLEN];

    if (a->sa.ss_family == AF_INET)
        snprintf(to, size, "%s:%u", inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host), ntohs(v4->sin_port));
    else
        snprintf(to, size, "[%s]:%u", inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host), ntohs(v6->sin6_port));
}

void address_print_near(const struct address *a, char *to, size_t size)
{
    struct address near = *a;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&near.sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&near.sa;

    if (a->sa.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (a->sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
    address_print(&near, to, size);
}

/* ---- sockets ---- */

static void cure(struct weir_error *error, const struct address *a, int why)
{
    unsigned port = ntohs(((const struct sockaddr_in *)&a->sa)->sin_port);

    if (why == EADDRINUSE)
        snprintf(
            error->text, sizeof error->text,
            "port %u is taken by another program; stop that one (`ss -ltnp 'sport = :%u'` shows it), or choose another "
            "port here or with -l",
            port, port);
    else if (why == EACCES)
        snprintf(error->text, sizeof error->text,
                 "no permission for port %u; choose one above 1023, or give the program CAP_NET_BIND_SERVICE", port);
    else if (why == EADDRNOTAVAIL)
        snprintf(error->text, sizeof error->text,
                 "this machine has no such address; take 127.0.0.1, 0.0.0.0 or one that `ip address` shows");
    else
        snprintf(error->text, sizeof error->text, "cannot listen there: %s", strerror(why));
}

/* -1 and errno.  What is set here is inherited by every connection that is accepted. */
static int socket_bound(const struct address *a, bool shared)
{
    const int on = 1, off = 0;
    int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (a->sa.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (const struct sockaddr *)&a->sa, a->len) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* With SO_REUSEPORT alone a second weir of the same user would silently get half of the connections: a socket without
 * it finds out whether anybody is there. */
static bool address_probe(struct address *a)
{
    int fd = socket_bound(a, false);

    if (fd < 0)
        return false;
    a->len = sizeof a->sa;
    getsockname(fd, (struct sockaddr *)&a->sa, &a->len);
    close(fd);
    return true;
}

bool listener_open(struct address *a, int *fds, unsigned count, struct weir_error *error)
{
    unsigned n = 0;
    bool ok = address_probe(a);

    while (ok && n < count) {
        fds[n] = socket_bound(a, true);
        ok = fds[n] >= 0;
        n += ok;
        ok = ok && listen(fds[n - 1], BACKLOG) == 0;
    }
    if (ok)
        return true;
    cure(error, a, errno);
    while (n)
        close(fds[--n]);
    return false;
}
