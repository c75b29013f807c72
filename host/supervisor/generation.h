/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generation.h -- one configuration at work, as the supervisor holds it: a process that has loaded the world and forks
 * workers (workers.h is its inside).
 *
 * The supervisor hears of its workers through the channel, a pipe whose writing end the generation and all its workers
 * hold: the channel's end means that the last of them is gone, and that their rings and holds are nobody's.  Only then
 * may another begin.
 */
#ifndef SUPERVISOR_GENERATION_H
#define SUPERVISOR_GENERATION_H

#include "supervisor/child.h"
#include "supervisor/commons.h"

enum news_kind { NEWS_READY, NEWS_DIED }; /* a worker is about to answer; one has died, or the keeper (slot: the workers' number) */
struct news {
    enum news_kind kind;
    unsigned slot;
    pid_t pid;
};

struct generation {
    struct child child;
    struct commons *commons;
    struct world_source source;
    int channel;    /* reading end; -1: there is no such process any more */
    int tell;       /* writing end; in the generation and its workers only */
    bool ready;     /* one of its workers has come to answer */
    bool greet;     /* its first worker says on stdout where weir answers */
    pid_t *workers; /* by slot: whose holds are to be given back */
};

/* `run`: what the new process does, with `owner` in its child: workers_run() in the end. */
void generation_init(struct generation *, struct commons *, const struct world_source *, int (*run)(struct child *),
                     void *owner);
void generation_fini(struct generation *);
void generation_start(struct generation *);
/* Nothing of it runs. */
bool generation_is_gone(const struct generation *);
/* The channel is readable: takes in the news.  Gives back what dead workers held and counts them. */
void generation_listen(struct generation *);

void generation_tell(const struct generation *, enum news_kind, unsigned slot, pid_t);

#endif
