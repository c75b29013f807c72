/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder.h -- folders and whole files under the state folder: made for us alone, replaced in one step, durable when
 * it says so. Used by the journal, cursors and rings, in any process.
 */
#ifndef IPC_FOLDER_H
#define IPC_FOLDER_H

#include "base/buf.h"
#include "weir.h"

/* Makes one folder, mode 0700, unless it is there.  false and the error when it is no folder, or another user may
 * write to it. */
bool folder_make(const char *path, struct weir_error *);
bool folder_sync(const char *path, struct weir_error *);                /* names in it are durable */

/* The file's bytes replace `out`.  false and the error; `*absent` (may be NULL) tells when there is none. */
bool folder_read(const char *path, size_t most, struct buf *out, bool *absent, struct weir_error *);
/* PATH appears or is replaced whole: a new file, fdatasync, rename(2). */
bool folder_write(const char *path, struct weir_str bytes, struct weir_error *);

/* "PATH: why" by errno; always false. */
bool folder_error(struct weir_error *, const char *path);

#endif
