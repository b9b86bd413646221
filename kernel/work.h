/* SPDX-License-Identifier: MIT */
/*
 * work.h - functions to be called soon, by a kernel thread, for code that may not sleep or take the locks it needs:
 * interrupt handlers above all. One thread calls them in order, so none should wait for long.
 */
#pragma once

#include <quire/types.h>
#include "lib/list.h"

struct work {
	struct list_head link; /* empty: not waiting to be called */
	void (*fn)(struct work *);
};

static inline void work_init(struct work *w, void (*fn)(struct work *))
{
	list_init(&w->link);
	w->fn = fn;
}

/* work_queue - have w->fn(w) called, once, unless it is waiting for that already. Any context; lock rank WAITQ, nested. */
void work_queue(struct work *);
/* work_cancel - it is neither waiting nor being called any more. Sleeps; not from a work function. */
void work_cancel(struct work *);
/* work_start - the thread. Boot. */
void work_start(void);
