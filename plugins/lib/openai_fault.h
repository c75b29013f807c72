/* SPDX-License-Identifier: Apache-2.0 */
/* openai_fault.h -- how OpenAI's APIs, all of them, say what is wrong with a field.  For walk.say of fields.h. */
#ifndef LIB_OPENAI_FAULT_H
#define LIB_OPENAI_FAULT_H

#include <stdio.h>

#include "fields.h"

static inline void openai_fault(struct weir_error *e, enum walk_fault fault, const char *want, const char *got)
{
    switch (fault) {
    case FAULT_TYPE:
        snprintf(e->text, sizeof e->text, "Invalid type for '%s': expected %s, but got %s instead.", e->field, want,
                 got);
        break;
    case FAULT_NEARLY:
        snprintf(e->text, sizeof e->text, "Unknown parameter: '%s'. Did you mean '%s'?", e->field, want);
        break;
    case FAULT_MISSING:
        snprintf(e->text, sizeof e->text, "Missing required parameter: '%s'.", e->field);
        break;
    case FAULT_ESCAPED:
    case FAULT_TWICE:
        snprintf(e->text, sizeof e->text, "Parameter '%s' is spelled with escapes, which is not accepted.", e->field);
        break;
    }
}

#endif
