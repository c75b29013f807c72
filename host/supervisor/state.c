/* SPDX-License-Identifier: Apache-2.0 */
/* state.c -- the state folder: lock and rings' folder; see state.h. */
#include "supervisor/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define LOCK_WAIT_US 1000000
#define LOCK_STEP_US 5000

static bool fail(struct weir_error *error, const char *what, const char *path, const char *why)
{
    snprintf(error->text, sizeof error->text, "%s %.140s: %.90s", what, path, why);
    return false;
}

/* ---- the lock ---- */

static bool lock_taken(int fd, const char *dir, struct weir_error *error)
{
    char pid[16] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

    pid[n > 0 ? n : 0] = 0;
    pid[strcspn(pid, "\n")] = 0;
    snprintf(
        error->text, sizeof error->text,
        "%.120s is in use by another weir (process %s); stop that one, or give this one a `state` folder of its own",
        dir, pid);
    return false;
}

static bool lock_take(struct state *s, const char *dir, struct weir_error *error)
{
    int64_t until = clock_us() + LOCK_WAIT_US;
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/lock", dir);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0)
        return fail(error, "cannot write", path, strerror(errno));
    while (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return fail(error, "cannot lock", path, strerror(errno));
        if (clock_us() > until)
            return lock_taken(s->lock, dir, error);
        usleep(LOCK_STEP_US);
    }
    if (ftruncate(s->lock, 0) < 0 || dprintf(s->lock, "%d\n", (int)getpid()) < 0)
        return fail(error, "cannot write", path, strerror(errno));
    return true;
}

/* ---- the rings' folder ---- */

/* Made by us, and nobody else may look in: /dev/shm is open to all. */
static bool rings_ours(const char *path, struct weir_error *error)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return fail(error, "cannot use", path, strerror(errno));
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
        return fail(error, "will not use", path,
                    "it must be a folder of this user that nobody else may enter; remove it");
    return true;
}

/* After a restart of the machine the link is there and what it names is not. */
static bool rings_again(const char *link, struct weir_error *error)
{
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target - 1);

    if (n > 0) {
        target[n] = 0;
        if (mkdir(target, 0700) < 0 && errno != EEXIST)
            return fail(error, "cannot make", target, strerror(errno));
    }
    return rings_ours(link, error);
}

static bool rings_make(struct state *s, struct weir_error *error)
{
    char target[64];
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return fail(error, "cannot make", s->rings, "no random bytes");
    snprintf(target, sizeof target, "/dev/shm/weir-%016llx", (unsigned long long)random);
    if (mkdir(target, 0700) == 0) {
        if (symlink(target, s->rings) == 0)
            return true;
        rmdir(target);
    }
    /* No tmpfs, or a file system without links: a plain folder does, only slower when its pages are written back. */
    if (mkdir(s->rings, 0700) < 0)
        return fail(error, "cannot make", s->rings, strerror(errno));
    return true;
}

/* ---- */

bool state_open(struct state *s, const char *dir, struct weir_error *error)
{
    struct stat st;

    *s = (struct state){.lock = -1};
    snprintf(error->field, sizeof error->field, "state");
    if (strlen(dir) > sizeof s->rings - 32)
        return fail(error, "cannot use", "the state folder", "its name is too long");
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fail(error, "cannot make", dir, strerror(errno));
    if (!lock_take(s, dir, error)) {
        if (s->lock >= 0)
            close(s->lock);
        return false;
    }
    snprintf(s->rings, sizeof s->rings, "%s/rings", dir);
    if (lstat(s->rings, &st) == 0 ? rings_again(s->rings, error) : rings_make(s, error))
        return true;
    state_close(s);
    return false;
}

unsigned state_ring_count(const struct state *s)
{
    DIR *d = opendir(s->rings);
    unsigned count = 0, slot;
    struct dirent *e;
    char rest;

    while (d && (e = readdir(d)))
        if (sscanf(e->d_name, "ring.%5u%c", &slot, &rest) == 1 && slot >= count && slot < 4096)
            count = slot + 1;
    if (d)
        closedir(d);
    return count;
}

void state_ring_remove(const struct state *s, unsigned slot)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/ring.%u", s->rings, slot);
    unlink(path);
}

void state_close(struct state *s)
{
    char target[PATH_MAX];
    ssize_t n = s->lock >= 0 ? readlink(s->rings, target, sizeof target - 1) : -1;

    if (n > 0) {
        target[n] = 0;
        if (rmdir(target) == 0)
            unlink(s->rings);
    }
    if (s->lock >= 0)
        close(s->lock);
    s->lock = -1;
}
