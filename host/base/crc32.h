/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32.h -- CRC-32 of IEEE 802.3 (zlib's), as frames of AWS event streams have it.  Records have crc32c.h.
 */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, the value of the bytes before; 0 to begin with. */
uint32_t crc32_ieee(uint32_t crc, const void *, size_t);

#endif
