/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue_families.c -- what vendors say of whole families of models, and no list of models tells.  Read by
 * catalogue.c; the first row that fits counts, so that the special stands before the general.
 *
 * Sources: OpenAI's and Anthropic's API documentation of November 2026, and the errors that their APIs answer with.
 */
#include "world/catalogue.h"

#define NEW_NAME    "max_completion_tokens"
#define NO_SAMPLING "temperature top_p top_k" /* of Anthropic: all that came after Opus 4.6 */

const struct catalogue_family catalogue_families[] = {
    {"openai/gpt-6.2*", NEW_NAME, "low medium high xhigh", "", "",
     "temperature top_p frequency_penalty presence_penalty"},
    {"openai/gpt-6*", NEW_NAME, "", "", "", "temperature top_p"},
    {"openai/gpt-5.6*", NEW_NAME, "none low medium high xhigh", "none", "", "temperature"},
    {"openai/gpt-5.5*", NEW_NAME, "", "absent", "", "temperature"},
    {"openai/gpt-5.4*", NEW_NAME, "", "absent", "", "temperature"},
    {"openai/gpt-5*", NEW_NAME, "", "", "", "temperature"},
    {"openai/o1*", NEW_NAME, "", "", "", ""},
    {"openai/o3*", NEW_NAME, "", "", "", ""},
    {"openai/o4*", NEW_NAME, "", "", "", ""},
    {"anthropic/claude-opus-4.7*", "", "", "", "", NO_SAMPLING},
    {"anthropic/claude-opus-4.8*", "", "", "", "", NO_SAMPLING},
    {"anthropic/claude-fable-5*", "", "", "", "", NO_SAMPLING},
    {"anthropic/claude-sonnet-5*", "", "", "", "", NO_SAMPLING},
    {"google/gemini-3*", "", "", "", "level", ""},
    {"google/gemini-2.5*", "", "", "", "budget", ""},
    {"mistralai/*", "max_tokens", "", "", "", ""},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
