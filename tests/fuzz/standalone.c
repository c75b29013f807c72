/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standalone.c -- replays a corpus through a fuzzer's entry point without libFuzzer, so that every test run covers it.
 * Usage: NAME FILE...   Every file goes through once; a crash or a failed assertion is the failure.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        size_t cap = 1 << 22, n;
        uint8_t *data = malloc(cap);
        n = data ? fread(data, 1, cap, f) : 0;
        fclose(f);
        uint8_t *exact = malloc(n ? n : 1); /* so that reading past the end is seen */
        for (size_t k = 0; exact && k < n; k++)
            exact[k] = data[k];
        free(data);
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
    }
    printf("%d passed, 0 failed\n", argc - 1);
    return 0;
}
