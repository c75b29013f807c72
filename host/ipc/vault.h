/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault.h -- credentials that expire, in memory that the keeper writes and all workers read; one slot per provider.
 *
 * Made by the generation before it forks, so it outlives both.  It is left out of core dumps and, as far as the system
 * allows, never swapped.  A slot has two halves and a count of what was put in: the writer fills the half that nobody
 * reads and then counts, so a writer that is killed at any instruction leaves the last good secret in place, and a
 * reader takes no lock and never waits.
 */
#ifndef IPC_VAULT_H
#define IPC_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct vault;

enum vault_state {
    VAULT_ASKING,                            /* not tried yet, or being tried: a secret may come any moment */
    VAULT_KEPT,                              /* the last try brought one; once it expires the next is on its way */
    VAULT_FAILING,                           /* the last try failed; what came before counts until it expires */
};

struct vault *vault_new(size_t slots);
void vault_free(struct vault *);             /* of this process */

/* The keeper.  One process at a time. */
void vault_put(struct vault *, size_t slot, struct weir_str secret, int64_t expires_s);      /* at most WEIR_CREDENTIAL_MAX */
void vault_state_set(struct vault *, size_t slot, enum vault_state);
/* Somebody has called vault_refuse() since the last call of this. */
bool vault_refused(struct vault *, size_t slot);
int vault_fd(const struct vault *);          /* readable when that may be so; vault_refused() is then to be asked of all */
void vault_fd_clear(struct vault *);

/* A worker.  The secret that is valid at `now_s`, copied; ptr NULL: there is none. */
struct weir_str vault_take(struct vault *, size_t slot, int64_t now_s, struct arena *);
enum vault_state vault_state_of(const struct vault *, size_t slot);
/* The upstream does not accept it: the keeper is to get another one soon. */
void vault_refuse(struct vault *, size_t slot);

#endif
