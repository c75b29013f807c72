/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h -- values that must never be seen: read from where a reference points, kept in pages of their own.
 *
 * The pages are locked (no swap) and left out of core dumps; forked children inherit them, not the lock:
 * secrets_keep() renews it.  A value is read straight into its page, so that no copy stays behind on the heap.  No
 * function here puts a value into a message.
 */
#ifndef WORLD_SECRET_H
#define WORLD_SECRET_H

#include "base/arena.h"
#include "weir.h"

#define SECRET_MAX 65536                     /* bytes of one value */

struct secret_page;
struct secrets { struct secret_page *pages; };           /* {0} is empty */

enum secret_source { SECRET_ENV, SECRET_FILE, SECRET_EXEC };

struct secret_ref { enum secret_source source; const char *what; };   /* a variable's name, a path, a command */

/* "env:NAME", "file:/path", "exec:COMMAND"; false: it is none of them, perhaps the secret itself: do not print it. */
bool secret_parse(const char *text, struct secret_ref *);

struct secret_found {
    struct weir_str value;                   /* ended by 0; line ends behind it are cut off.  ptr NULL: none */
    bool absent;                             /* env: the variable is not set; file: there is none */
    bool everybody;                          /* file: anybody on this machine can read it */
};

/* false: `error` says why, in a sentence with its cure. */
bool secret_read(struct secrets *, const struct secret_ref *, struct secret_found *, struct weir_error *);
/* Whether it is there, without reading it; a command always is. */
bool secret_exists(const struct secret_ref *, struct weir_error *);

void secrets_keep(const struct secrets *);   /* locks the pages in this process */
void secrets_fini(struct secrets *);         /* wipes and gives back */

#endif
