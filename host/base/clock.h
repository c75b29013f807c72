/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h -- microseconds: since the machine started, and since 1970. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t clock_us(void) { return clock_read_us(CLOCK_MONOTONIC); }
static inline int64_t clock_wall_us(void) { return clock_read_us(CLOCK_REALTIME); }

#endif
