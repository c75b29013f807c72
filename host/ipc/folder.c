/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c -- folders and whole files; see folder.h. */
#include "ipc/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool folder_error(struct weir_error *e, const char *path)
{
    int why = errno;

    snprintf(e->text, sizeof e->text, "%.180s: %s", path, strerror(why));
    snprintf(e->code, sizeof e->code, "%s", why == ENOSPC || why == EDQUOT ? "disk_full" : "io_error");
    return false;
}

bool folder_make(const char *path, struct weir_error *e)
{
    struct stat st;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return folder_error(e, path);
    if (lstat(path, &st) < 0)
        return folder_error(e, path);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)) {
        snprintf(e->text, sizeof e->text, "%.180s must be a folder of the user that weir runs as, and of nobody else",
                 path);
        snprintf(e->code, sizeof e->code, "folder_unsafe");
        return false;
    }
    return true;
}

bool folder_sync(const char *path, struct weir_error *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        folder_error(e, path);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool folder_read(const char *path, size_t most, struct buf *out, bool *absent, struct weir_error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;

    out->len = 0;
    if (absent)
        *absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return folder_error(e, path);
    while (out->len < most) {
        size_t room = most - out->len < 65536 ? most - out->len : 65536;
        n = read(fd, buf_room(out, room), room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        out->len += (size_t)n;
    }
    if (n < 0)
        folder_error(e, path);
    close(fd);
    return n >= 0;
}

static bool write_all(int fd, struct weir_str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.ptr, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        s.ptr += n, s.len -= (size_t)n;
    }
    return true;
}

bool folder_write(const char *path, struct weir_str bytes, struct weir_error *e)
{
    char new[512];

    if ((size_t)snprintf(new, sizeof new, "%s.new", path) >= sizeof new) {
        errno = ENAMETOOLONG;
        return folder_error(e, path);
    }
    int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return folder_error(e, new);
    bool ok = write_all(fd, bytes) && fdatasync(fd) == 0;
    if (!ok)
        folder_error(e, new);
    close(fd);
    if (ok && rename(new, path) < 0)
        ok = folder_error(e, path);
    if (!ok)
        unlink(new);
    return ok;
}
