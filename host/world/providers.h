/* SPDX-License-Identifier: Apache-2.0 */
/* providers.h -- what the files about providers share. */
#ifndef WORLD_PROVIDERS_H
#define WORLD_PROVIDERS_H

#include "world/blocks.h"

struct sockaddr_storage;

/* The rules of p->models; NAME/... when there are none. */
bool models_read(struct block *, struct provider *);

/* Which of these local servers ("http://127.0.0.1:PORT...", else counted as there) take a connection: all are
 * asked at once, and have 50 ms together. */
void probe_local(const char *const *urls, size_t n, bool *there);
/* Whether it is an address of this machine, in numbers, that can be probed. */
bool probe_address(const char *url, struct sockaddr_storage *, size_t *length);

/* Puts what the block's `preset` says into the block, but for what the block says itself.  false: there is no such
 * preset, which has been told. */
bool preset_apply(struct build *, config_setting_t *block);

#endif
