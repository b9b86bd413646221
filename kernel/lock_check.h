/* SPDX-License-Identifier: MIT */
/*
 * lock_check.h - what the lock implementations tell the rank checker. Private to kernel/lock_*.c.
 *
 * Release builds have none of it: the functions are empty inlines.
 */
#pragma once

#include "kernel/lock.h"

#ifdef QUIRE_DEBUG
/* lock_check_order - before waiting for a spin lock: panics when its rank does not allow that now. */
void lock_check_order(const struct spinlock *, bool nested);
/* lock_check_push / lock_check_pop - this CPU has got a spin lock; is about to release it. */
void lock_check_push(struct spinlock *);
void lock_check_pop(struct spinlock *);
/* lock_check_took - the current thread has got a sleeping lock without waiting (try). */
void lock_check_took(enum lock_rank);
/* lock_check_stuck - a spin lasts; `start` is the time it began, 0 at first. Panics after ten seconds. */
void lock_check_stuck(const struct spinlock *, u64 *start);
#else
static inline void lock_check_took(enum lock_rank rank UNUSED)
{
}
#endif
