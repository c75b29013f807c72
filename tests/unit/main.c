/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- runs the one suite of a unit test; prints "<suite>: N passed, N failed" for tools/test.sh. */
#include "unit.h"

#include <stdio.h>

int main(void)
{
    SRunner *run = srunner_create(suite());
    int failed, all;

    srunner_run_all(run, CK_ENV);
    failed = srunner_ntests_failed(run);
    all = srunner_ntests_run(run);
    srunner_free(run);
    printf("%d passed, %d failed\n", all - failed, failed);
    return failed != 0;
}
