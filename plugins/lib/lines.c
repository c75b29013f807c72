/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c -- see lines.h. */
#include "lines.h"

#define MOST_STRINGS 512 /* that are streams of their own; a longer file is read as it stands */

struct lines {
    struct weir_ctx *c;
    const struct weir_frame *frame;
    bool emit; /* the second time */
    uint32_t strings;
};

static void line_read(struct lines *l, const struct weir_json *j)
{
    uint32_t at = (uint32_t)(j->text.ptr - l->frame->data.ptr);

    for (uint32_t i = 0; i < j->count; i++) {
        const struct weir_node *n = &j->nodes[i];
        if (n->type != WEIR_JSON_STRING || !n->len)
            continue;
        l->strings++;
        if (l->emit)
            weir_emit(l->c, &(struct weir_event){.size = sizeof(struct weir_event),
                                                 .channel = WEIR_TEXT,
                                                 .block = l->strings,
                                                 .text = weir_json_text(j, i),
                                                 .at = at + n->at,
                                                 .len = n->len,
                                                 .escaped = n->escaped,
                                                 .last = true});
    }
}

/* false: some line is no JSON, or there are too many strings. */
static bool lines_read(struct lines *l)
{
    struct weir_str s = l->frame->data;

    l->strings = 0;
    while (s.len) {
        const char *end = memchr(s.ptr, '\n', s.len);
        struct weir_str line = {s.ptr, end ? (size_t)(end - s.ptr) + 1 : s.len};
        struct weir_error e;
        const struct weir_json *j = NULL;
        s = (struct weir_str){s.ptr + line.len, s.len - line.len};
        if (line.len == 1 && end)
            continue;
        j = weir_skim(l->c, line, &e);
        if (!j)
            return false;
        line_read(l, j);
        if (l->strings > MOST_STRINGS)
            return false;
    }
    return l->strings > 0;
}

void lines_emit(struct weir_ctx *c, const struct weir_frame *frame)
{
    struct lines l = {.c = c, .frame = frame};

    if (lines_read(&l)) {
        l.emit = true;
        lines_read(&l);
        return;
    }
    weir_emit(c, &(struct weir_event){.size = sizeof(struct weir_event),
                                      .channel = WEIR_TEXT,
                                      .text = frame->data,
                                      .len = (uint32_t)frame->data.len,
                                      .raw = true,
                                      .last = true});
}
