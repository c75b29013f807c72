/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c.h -- CRC-32C (Castagnoli, RFC 3720): finds torn and damaged bytes; no protection against anybody who means it.
 * By the processor's own instruction where there is one.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of `n` more bytes; 0 to begin with. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t n);     /* the same, without the instruction */

#endif
