/* SPDX-License-Identifier: Apache-2.0 */
/* version.h -- what weir calls itself. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H
#define WEIR_VERSION "0.1.0"
#endif
