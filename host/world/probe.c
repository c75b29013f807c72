/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c -- does a model server run on this machine?  One quick connection to each, at start; see providers.h. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "world/providers.h"
#include "world/value.h"

#define PROBE_MS   50
#define PROBES_MAX 64 /* more are counted as there */

bool probe_address(const char *url, struct sockaddr_storage *to, size_t *length)
{
    static const char scheme[] = "http://";
    char text[80];
    bool loopback;
    size_t n;

    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return false;
    url += sizeof(scheme) - 1;
    n = strcspn(url, "/");
    if (n >= sizeof(text))
        return false;
    memcpy(text, url, n);
    text[n] = '\0';
    return value_address(text, to, length, &loopback) && loopback;
}

static int probe_start(const char *url, bool *there)
{
    struct sockaddr_storage address;
    size_t n;
    int fd;

    *there = !probe_address(url, &address, &n);
    if (*there)
        return -1;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)n) == 0)
        *there = true;
    if (*there || errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static void probe_end(struct pollfd *p, bool *there)
{
    int error = 0;
    socklen_t n = sizeof(error);

    *there = getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0 && (p->revents & POLLOUT);
    close(p->fd);
    p->fd = -1;
}

void probe_local(const char *const *urls, size_t n, bool *there)
{
    struct pollfd polls[PROBES_MAX];
    int64_t end = clock_us() + PROBE_MS * 1000;
    size_t waiting = 0, asked = n < PROBES_MAX ? n : PROBES_MAX;

    for (size_t i = 0; i < n; i++)
        there[i] = true;
    for (size_t i = 0; i < asked; i++) {
        polls[i] = (struct pollfd){.fd = probe_start(urls[i], &there[i]), .events = POLLOUT};
        waiting += polls[i].fd >= 0;
    }
    while (waiting && clock_us() < end) {
        if (poll(polls, asked, (int)((end - clock_us()) / 1000) + 1) <= 0)
            continue;
        for (size_t i = 0; i < asked; i++)
            if (polls[i].fd >= 0 && polls[i].revents) {
                probe_end(&polls[i], &there[i]);
                waiting--;
            }
    }
    for (size_t i = 0; i < asked; i++)
        if (polls[i].fd >= 0)
            close(polls[i].fd);
}
