/* SPDX-License-Identifier: Apache-2.0 */
/* services.h -- the table of host services that every ctx of a worker carries. */
#ifndef WORKER_SERVICES_H
#define WORKER_SERVICES_H

#include "weir.h"

extern const struct weir_host services;

#endif
