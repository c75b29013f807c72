/* SPDX-License-Identifier: Apache-2.0 */
/* dead.c -- appends to a sink's file of dead letters; see dead.h. */
#include "recorder/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_text.h"
#include "ipc/folder.h"
#include "ipc/journal.h"

static bool append_file(const char *state, const char *name, const struct buf *b, struct weir_error *e)
{
    char folder[PATH_ROOM], path[2 * PATH_ROOM];
    bool ok = false;

    snprintf(folder, sizeof folder, "%s/dead", state);
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    if (!folder_make(folder, e))
        return false;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return folder_error(e, path);
    off_t end = lseek(fd, 0, SEEK_END);
    ssize_t n = write(fd, b->ptr, b->len);
    if (n == (ssize_t)b->len)
        ok = fdatasync(fd) == 0;
    else if (n >= 0)
        errno = ENOSPC;
    if (!ok) {
        folder_error(e, path);
        if (ftruncate(fd, end) < 0) /* half a line would spoil the next one; it is written again later */
            folder_error(e, path);
    }
    close(fd);
    return ok;
}

static void begin_line(struct buf *b, uint64_t seq, const char *why)
{
    buf_printf(b, "{\"seq\":%llu,\"why\":\"", (unsigned long long)seq);
    json_escape(b, str_of(why));
    buf_char(b, '"');
}

bool dead_write(const char *state, const char *name, const struct weir_record *r, size_t n, const char *why,
                struct weir_error *e)
{
    struct buf b = {0};
    bool ok;

    for (size_t i = 0; i < n; i++) {
        begin_line(&b, r[i].seq, why);
        buf_lit(&b, ",\"record\":");
        buf_str(&b, r[i].json);
        buf_lit(&b, "}\n");
    }
    ok = append_file(state, name, &b, e);
    buf_fini(&b);
    return ok;
}

bool dead_write_text(const char *state, const char *name, uint64_t seq, struct weir_str text, struct weir_error *e)
{
    struct buf b = {0};
    bool ok;

    begin_line(&b, seq, "this is no record");
    buf_lit(&b, ",\"text\":\"");
    json_escape(&b, text);
    buf_lit(&b, "\"}\n");
    ok = append_file(state, name, &b, e);
    buf_fini(&b);
    return ok;
}
