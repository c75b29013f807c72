/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h -- what every unit test includes: Check, and the one function that it defines. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

Suite *suite(void);           /* tests/unit/main.c runs it */

#endif
