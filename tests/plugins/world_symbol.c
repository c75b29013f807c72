/* SPDX-License-Identifier: MIT */
/* world_symbol.c -- fixture of world tests: a shared object that is no plugin. */
int world_symbol(void);

__attribute__((visibility("default"))) int world_symbol(void)
{
    return 1;
}
