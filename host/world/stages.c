/* SPDX-License-Identifier: Apache-2.0 */
/* stages.c -- the blocks of `guardrails`, in the order in which they are asked; see world.h. */
#include "world/blocks.h"

static const char *const modes[] = {"enforce", "observe", NULL};
static const char *const failures[] = {"closed", "open", NULL};
static const char *const unseens[] = {"pass", "block", NULL};

#define OPT(...) WEIR_OPT(struct stage, __VA_ARGS__)

const struct weir_option stage_options[] = {
    OPT(mode, "enforce", "\"observe\": it is asked, and what it says is recorded but not done.", .choices = modes),
    OPT(on_failure, "closed", "When it fails or is late: \"closed\" refuses the request, \"open\" lets it through.",
        .choices = failures),
    OPT(on_unseen, "pass",
        "What happens to content that no guardrail can read, such as sound, pictures and documents in files: \"pass\" "
        "lets it "
        "through, and the record says how much (unseen); \"block\" refuses it.",
        .choices = unseens),
    OPT(timeout, "2s", "Time for each of its answers.", .unit = WEIR_MS, .min = 1, .max = 600000),
    WEIR_OPT_END,
};

static void stage_read(struct build *b, config_setting_t *list, size_t i, const struct section *section)
{
    struct world *w = b->world;
    struct stage *s = arena_alloc(&w->arena, sizeof(*s));
    struct block block;

    if (!block_begin(&block, b, list, i, section, &s->in))
        return;
    if (!(options_read(&block, stage_options, s) & block_end(&block, section, &s->in)))
        return;
    s->observe = strcmp(s->mode, "observe") == 0;
    s->block_unseen = strcmp(s->on_unseen, "block") == 0;
    s->fail_open = strcmp(s->on_failure, "open") == 0;
    w->stages = list_add(&w->arena, w->stages, &w->stage_count, s);
}

void stages_read(struct build *b)
{
    size_t n;
    config_setting_t *list = blocks_find(b, b->root, "guardrails", BLOCKS_MAX, &n);

    for (size_t i = 0; i < n; i++)
        stage_read(b, list, i, section_of("guardrails"));
}
