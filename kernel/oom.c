/* SPDX-License-Identifier: MIT */
/*
 * oom.c - choosing whom to kill for memory.
 *
 * The process with the most pages, resident, swapped and of page tables, goes, moved up or down the list by its
 * oom_score_adj, in thousandths of memory; with -1000 it is spared, and so is process 1. Whoever shares the victim's
 * memory dies with it, because nothing would be freed otherwise. Dying frees memory and needs none, so the victim
 * gets no privileges, only time: as long as it is on its way out, all others that need memory sleep
 * and try again.
 *
 * A victim may be waiting for a lock that belongs to one of those sleepers. So patience has an end: then the next
 * one is chosen, at the latest the holder of the lock itself, which is then told to give up.
 *
 * Locks: those who come here may hold sleeping locks, so processes are found by number, under spin locks, and no
 * reference on a space is taken, whose release could need any lock.
 */
#include "kernel/oom.h"

#include <uapi/errno.h>
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/rcu.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/vma/space.h"

#define OOM_PAUSE_NS    (5 * NSEC_PER_MSEC)
#define OOM_PATIENCE_NS (3 * NSEC_PER_SEC)
#define OOM_BACKLOG     256 /* things that RCU is to free, many enough to wait for */

/* What is known about one process. */
struct oom_candidate {
	struct process *proc; /* referenced; NULL: none */
	struct space *space;  /* only to compare with */
	char name[sizeof(((struct thread *)NULL)->name)];
	s64 rss[RSS_KINDS]; /* pages */
	s64 tables;         /* pages of page tables */
	s64 points;
	bool dying;
};

static bool busy;              /* [a] somebody is choosing */
static struct process *victim; /* [busy] referenced; NULL: nobody is on the way out */
static u64 patience_ends;      /* [busy] monotonic ns */

/* examine - look at one process. False: it has no memory, or may not be killed. */
static bool examine(struct process *p, struct oom_candidate *c)
{
	s32 adj = READ_ONCE(p->oom_score_adj);
	struct user_thread *u;

	*c = (struct oom_candidate){.proc = p};
	spin_lock(&p->lock);
	list_for_each (u, &p->threads, link) {
		c->space = u->thread->space;
		strlcpy(c->name, u->thread->name, sizeof(c->name));
		if (c->space)
			break;
	}
	for (unsigned kind = 0; c->space && kind < RSS_KINDS; kind++)
		c->rss[kind] = MAX(atomic_load(&c->space->rss[kind]), 0);
	if (c->space)
		c->tables = (s64)atomic_load(&c->space->as.nr_tables);
	c->dying = p->group_exit;
	spin_unlock(&p->lock);
	if (!c->space || p->signals.unkillable || adj == -1000)
		return false;
	c->points = c->tables;
	for (unsigned kind = 0; kind < RSS_KINDS; kind++)
		c->points += c->rss[kind];
	c->points = MAX(c->points + adj * (s64)page_count_total() / 1000, 1);
	return true;
}

static bool is_better(const struct oom_candidate *c, const struct oom_candidate *best,
		      const struct process *tired_of)
{
	return c->dying ? c->proc != tired_of : c->points > best->points;
}

/* choose - the largest; somebody who is dying anyway comes before all others, once. */
static void choose(struct oom_candidate *best, const struct process *tired_of)
{
	struct oom_candidate c;
	struct process *p;

	*best = (struct oom_candidate){0};
	for (u32 nr = 1; (p = process_find_from(nr));) {
		nr = user_pid(p) + 1;
		if (!examine(p, &c) || best->dying || !is_better(&c, best, tired_of)) {
			process_put(p);
			continue;
		}
		if (best->proc)
			process_put(best->proc);
		*best = c;
	}
}

/* kill_sharers - everybody who uses the memory. */
static void kill_sharers(const struct space *space)
{
	struct oom_candidate c;
	struct process *p;

	for (u32 nr = 1; (p = process_find_from(nr));) {
		nr = user_pid(p) + 1;
		if (examine(p, &c) && c.space == space) {
			spin_lock(&p->lock);
			process_begin_group_exit(p, SIGKILL);
			spin_unlock(&p->lock);
		}
		process_put(p);
	}
}

static void announce(const struct oom_candidate *c)
{
	const u64 kib = PAGE_SIZE / 1024;

	printk("out of memory: killed process %u (%s), which had %lu kB anonymous, %lu kB of files, %lu kB swapped, %lu kB of page tables "
	       "(oom_score_adj %d); %u (%s) found %lu kB of %lu kB free\n",
	       user_pid(c->proc), c->name, (u64)c->rss[RSS_ANON] * kib, (u64)c->rss[RSS_FILE] * kib,
	       (u64)c->rss[RSS_SWAP] * kib, (u64)c->tables * kib, c->proc->oom_score_adj,
	       user_pid(current_process), current->name, page_count_free() * kib,
	       page_count_total() * kib);
}

/* still_dying - the victim has memory yet. It leaves that before it leaves its process. When it has just
 * gone, there is memory: true as well, so that everybody tries once before another is chosen. */
static bool still_dying(void)
{
	bool gone;

	if (!victim)
		return false;
	gone = !READ_ONCE(victim->nr_threads);
	if (!gone && time_now() < patience_ends)
		return true;
	/* Page tables come back only after a grace period. */
	if (gone && rcu_backlog() > OOM_BACKLOG && time_now() < patience_ends)
		return true;
	if (gone) {
		process_put(victim);
		victim = NULL;
	}
	return gone;
}

/* find_victim - false: there is none. */
static bool find_victim(void)
{
	struct process *tired_of = victim;
	struct oom_candidate best;

	choose(&best, tired_of);
	if (tired_of)
		process_put(tired_of);
	victim = best.proc;
	patience_ends = time_now() + OOM_PATIENCE_NS;
	if (victim && !best.dying) {
		announce(&best);
		kill_sharers(best.space);
	}
	return victim;
}

static bool somebody_goes(void)
{
	bool found = true;

	if (atomic_xchg(&busy, true))
		return true;
	if (!still_dying())
		found = find_victim();
	atomic_store_release(&busy, false);
	return found;
}

bool oom_relieve(void)
{
	if (signal_fatal(current) || !somebody_goes() || signal_fatal(current))
		return false;
	thread_prepare_sleep(WAIT_UNINTERRUPTIBLE);
	thread_sleep_until(time_now() + OOM_PAUSE_NS);
	return true;
}
