/* SPDX-License-Identifier: Apache-2.0 */
/* vault.c -- slots of two halves in shared memory; see vault.h. */
#include "ipc/vault.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"

#define TRIES 8 /* a writer comes once in minutes: a second try already is rare */

struct half {
    int64_t expires_s; /* 0: never */
    uint32_t len;
    char bytes[WEIR_CREDENTIAL_MAX];
};

struct slot {
    _Atomic uint64_t puts; /* 0: empty; else half puts % 2 is the one to read */
    _Atomic int state;
    _Atomic bool refused;
    struct half halves[2];
};

struct vault {
    size_t size, count;
    int fd;
    struct slot slots[];
};

struct vault *vault_new(size_t slots)
{
    size_t size = sizeof(struct vault) + slots * sizeof(struct slot);
    struct vault *v = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    must(v != MAP_FAILED);
    must(madvise(v, size, MADV_DONTDUMP) == 0);
    (void)mlock2(v, size, MLOCK_ONFAULT); /* a low RLIMIT_MEMLOCK is no reason not to start */
    v->size = size;
    v->count = slots;
    v->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(v->fd >= 0);
    return v;
}

void vault_free(struct vault *v)
{
    close(v->fd);
    munmap(v, v->size); /* the kernel clears pages before it gives them to anybody */
}

/* ---- the keeper ---- */

void vault_put(struct vault *v, size_t slot, struct weir_str secret, int64_t expires_s)
{
    struct slot *s = &v->slots[slot];
    uint64_t next = atomic_load_explicit(&s->puts, memory_order_relaxed) + 1;
    struct half *h = &s->halves[next % 2];

    must(slot < v->count && secret.len <= sizeof h->bytes);
    h->expires_s = expires_s;
    h->len = (uint32_t)secret.len;
    memcpy(h->bytes, secret.ptr, secret.len);
    if (secret.len < sizeof h->bytes) /* an older, longer one leaves no tail */
        memset(h->bytes + secret.len, 0, sizeof h->bytes - secret.len);
    atomic_store_explicit(&s->puts, next, memory_order_release);
}

void vault_state_set(struct vault *v, size_t slot, enum vault_state state)
{
    atomic_store(&v->slots[slot].state, state);
}

bool vault_refused(struct vault *v, size_t slot)
{
    return atomic_exchange(&v->slots[slot].refused, false);
}

int vault_fd(const struct vault *v)
{
    return v->fd;
}

void vault_fd_clear(struct vault *v)
{
    uint64_t n;

    if (read(v->fd, &n, sizeof n) < 0)
        must(errno == EAGAIN || errno == EINTR);
}

/* ---- a worker ---- */

struct weir_str vault_take(struct vault *v, size_t slot, int64_t now_s, struct arena *a)
{
    const struct weir_str none = {NULL, 0};
    struct slot *s = &v->slots[slot];

    must(slot < v->count);
    for (int i = 0; i < TRIES; i++) {
        uint64_t puts = atomic_load_explicit(&s->puts, memory_order_acquire);
        const struct half *h = &s->halves[puts % 2];
        int64_t expires = h->expires_s;
        size_t len = h->len < sizeof h->bytes ? h->len : sizeof h->bytes;
        char *copy;
        if (!puts || (expires && expires <= now_s))
            return none;
        copy = arena_bytes(a, len + 1);
        memcpy(copy, h->bytes, len);
        copy[len] = '\0';
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&s->puts, memory_order_relaxed) == puts)
            return (struct weir_str){copy, len};
    }
    return none;
}

enum vault_state vault_state_of(const struct vault *v, size_t slot)
{
    return (enum vault_state)atomic_load(&v->slots[slot].state);
}

void vault_refuse(struct vault *v, size_t slot)
{
    const uint64_t one = 1;

    atomic_store(&v->slots[slot].refused, true);
    if (write(v->fd, &one, sizeof one) < 0)
        must(errno == EAGAIN || errno == EINTR);
}
