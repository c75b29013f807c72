/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_kit.h -- for the anthropic tests: JSON with ' for ", and one instance under the fake host. */
#ifndef ANTHROPIC_KIT_H
#define ANTHROPIC_KIT_H

#include "anthropic_all.h"
#include "unit.h"

static struct weir_test t;
static struct weir_error e;

/* Good for the eight newest. */
static const char *q(const char *s)
{
    static char *room[8];
    static unsigned at;
    char *copy = strdup(s);

    ck_assert(copy != NULL);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    free(room[at % 8]);
    return room[at++ % 8] = copy;
}

static inline void setup(void)
{
    weir_test_init(&t, &weir_plugin, "key = sk-test");
}

static inline void teardown(void)
{
    weir_test_fini(&t);
}

static inline bool chat(const char *body)
{
    return weir_test_accept(&t, "POST", "/v1/messages", q(body), &e);
}

/* What `field: value` of the canonical request, lifted from `body`, is; "(none)" when lift refuses. */
static inline void lifts(const char *body, const char *part, const char *lossy)
{
    struct weir_str made;

    ck_assert_msg(chat(body), "accept: %s", e.text);
    made = weir_test_lift(&t, &e);
    ck_assert_msg(made.ptr != NULL, "lift: %s", e.text);
    ck_assert_msg(memmem(made.ptr, made.len, q(part), strlen(part)) != NULL, "no %s in\n%.*s", q(part), (int)made.len,
                  made.ptr);
    weir_test_same(t.lossy, lossy);
}

/* The body that encode makes of a canonical request for `model`. */
static inline struct weir_str lowers(const char *canonical, const char *model)
{
    struct weir_candidate to = weir_test_candidate("p", model);

    weir_test_begin(&t);
    weir_test_canonical(&t, q(canonical));
    ck_assert_msg(weir_test_encode(&t, &to, &e) == WEIR_PASS, "%s", e.text);
    return weir_test_sent(&t);
}

#define lowers_to(canonical, want)                                                                                     \
    weir_test_same(lowers((canonical), "claude-sonnet-4-6"),                                                           \
                   q("{'model':'claude-sonnet-4-6','max_tokens':8192," want "}"))

#endif
