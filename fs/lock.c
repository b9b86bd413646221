/* SPDX-License-Identifier: MIT */
/*
 * lock.c - locks that programs put on files.
 *
 * The locks of an inode are a list without order, made when the first lock is set. Records of one owner
 * never overlap, and neighbours of one type are one record. One mutex guards them all: locks are
 * rare, and looking for deadlocks needs a view of everything at once.
 *
 * Deadlock: each process that waits has an entry that names the owner it waits for. Whoever is about to wait
 * follows these from the owner in its way; if the chain leads back to itself, it must not. Only records
 * of processes are looked at, as fcntl(2) says.
 */
#include "fs/lock.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/fcntl.h>
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "mm/phys/slab.h"

#define CHAIN_MAX 1000 /* waiters looked at before a chain counts as endless */

struct lock {
	struct list_head link;
	struct lock_request r;
};

struct inode_locks {
	struct list_head list; /* [lock_mutex] */
	u32 changes;           /* [a] counts what waiters should look at again */
	struct waitq waiters;
};

/* Somebody who waits for a record. */
struct lock_waiter {
	struct list_head link;
	const void *owner, *blocker;
};

static struct mutex lock_mutex;
static struct list_head all_waiters = LIST_INIT(all_waiters); /* [lock_mutex] */

void lock_init(void)
{
	mutex_init(&lock_mutex, RANK_INODE);
}

/* --- the list of an inode ---------------------------------------------------------------------------- */

static int locks_of(struct inode *inode, struct inode_locks **out)
{
	struct inode_locks *l = atomic_load_acquire(&inode->locks), *mine;

	if (!l) {
		mine = kmalloc(sizeof(*mine), PA_ZERO);
		if (!mine)
			return -ENOLCK;
		list_init(&mine->list);
		waitq_init(&mine->waiters);
		if (atomic_cas(&inode->locks, &l, mine))
			l = mine;
		else
			kfree(mine);
	}
	*out = l;
	return 0;
}

void lock_free(struct inode *inode)
{
	if (inode->locks)
		assert(list_empty(&inode->locks->list));
	kfree(inode->locks);
}

static bool overlaps(const struct lock_request *a, const struct lock_request *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static struct lock *find_conflict(struct inode_locks *l, const struct lock_request *r)
{
	struct lock *k;

	list_for_each (k, &l->list, link)
		if (k->r.space == r->space && k->r.owner != r->owner && overlaps(&k->r, r) &&
		    (k->r.type == F_WRLCK || r->type == F_WRLCK))
			return k;
	return NULL;
}

/* --- changing ---------------------------------------------------------------------------------------- */

/* Two locks in reserve: one to be added, one for the rest of a record that is cut in two. */
struct reserve {
	struct lock *lock[2];
};

static void reserve_free(struct reserve *s)
{
	kfree(s->lock[0]);
	kfree(s->lock[1]);
}

static int reserve_fill(struct reserve *s)
{
	for (int i = 0; i < 2; i++) {
		if (!s->lock[i])
			s->lock[i] = kmalloc(sizeof(struct lock), 0);
		if (!s->lock[i])
			return -ENOLCK;
	}
	return 0;
}

static void add(struct inode_locks *l, struct reserve *s, const struct lock_request *r)
{
	int i = s->lock[0] ? 0 : 1;
	struct lock *k = s->lock[i];

	s->lock[i] = NULL;
	k->r = *r;
	list_add_tail(&k->link, &l->list);
}

static void drop(struct lock *k)
{
	list_del(&k->link);
	kfree(k);
}

/* cut - take the range of r out of a record of the same owner. */
static void cut(struct inode_locks *l, struct reserve *s, struct lock *k,
		const struct lock_request *r)
{
	struct lock_request rest = k->r;

	if (k->r.start >= r->start && k->r.end <= r->end) {
		drop(k);
	} else if (k->r.start < r->start) {
		k->r.end = r->start - 1;
		if (rest.end > r->end) {
			rest.start = r->end + 1;
			add(l, s, &rest);
		}
	} else {
		k->r.start = r->end + 1;
	}
}

/* absorb - a record of the same type that overlaps or touches becomes part of r. */
static bool absorb(struct lock *k, struct lock_request *r)
{
	if (k->r.type != r->type || k->r.start > r->end + 1 || r->start > k->r.end + 1)
		return false;
	r->start = MIN(r->start, k->r.start);
	r->end = MAX(r->end, k->r.end);
	drop(k);
	return true;
}

/* apply - there is no conflict and enough in reserve. */
static void apply(struct inode_locks *l, struct reserve *s, const struct lock_request *request)
{
	struct lock_request r = *request;
	struct lock *k, *next;

	list_for_each_safe (k, next, &l->list, link) {
		if (k->r.space != r.space || k->r.owner != r.owner)
			continue;
		if (!absorb(k, &r) && overlaps(&k->r, &r))
			cut(l, s, k, &r);
	}
	if (r.type != F_UNLCK)
		add(l, s, &r);
}

static void tell_waiters(struct inode_locks *l)
{
	atomic_inc(&l->changes);
	waitq_wake_all(&l->waiters);
}

/* --- waiting ----------------------------------------------------------------------------------------- */

/* would_deadlock - does the owner in the way wait, over any number of others, for us? Mutex held. */
static bool would_deadlock(const void *owner, const void *blocker)
{
	struct lock_waiter *w;
	unsigned n = 0;

again:
	list_for_each (w, &all_waiters, link) {
		if (w->owner != blocker)
			continue;
		if (w->blocker == owner)
			return true;
		blocker = w->blocker;
		if (++n < CHAIN_MAX)
			goto again;
		return true;
	}
	return false;
}

/* try_set - 0, or -EAGAIN with the number of changes after which to try again. */
static int try_set(struct inode_locks *l, struct reserve *s, const struct lock_request *r,
		   struct lock_waiter *w, u32 *changes)
{
	struct lock *k;
	int err = 0;

	mutex_lock(&lock_mutex);
	list_del(&w->link);
	k = r->type == F_UNLCK ? NULL : find_conflict(l, r);
	if (!k) {
		apply(l, s, r);
	} else if (r->is_process && k->r.is_process && would_deadlock(r->owner, k->r.owner)) {
		err = -EDEADLK;
	} else {
		err = -EAGAIN;
		w->blocker = k->r.owner;
		if (r->is_process)
			list_add_tail(&w->link, &all_waiters);
	}
	*changes = atomic_load(&l->changes);
	mutex_unlock(&lock_mutex);
	if (!err)
		tell_waiters(l); /* a lock may have become smaller or weaker */
	return err;
}

static void stop_waiting(struct lock_waiter *w)
{
	mutex_lock(&lock_mutex);
	list_del(&w->link);
	mutex_unlock(&lock_mutex);
}

int lock_set(struct inode *inode, const struct lock_request *r, bool wait)
{
	struct lock_waiter w = {.owner = r->owner};
	struct reserve s = {{NULL, NULL}};
	struct inode_locks *l;
	u32 changes;
	int err;

	if (r->type == F_UNLCK && !atomic_load(&inode->locks))
		return 0;
	err = locks_of(inode, &l);
	if (!err)
		err = reserve_fill(&s);
	list_init(&w.link);
	while (!err) {
		err = try_set(l, &s, r, &w, &changes);
		if (err != -EAGAIN || !wait)
			break;
		err = wait_event(&l->waiters, atomic_load(&l->changes) != changes,
				 WAIT_INTERRUPTIBLE);
		if (err)
			err = -RESTART_SYS;
	}
	stop_waiting(&w);
	reserve_free(&s);
	return !wait && err == -EDEADLK ? -EAGAIN : err;
}

bool lock_test(struct inode *inode, const struct lock_request *r, struct lock_request *found)
{
	struct inode_locks *l = atomic_load_acquire(&inode->locks);
	struct lock *k = NULL;

	if (!l)
		return false;
	mutex_lock(&lock_mutex);
	k = find_conflict(l, r);
	if (k)
		*found = k->r;
	mutex_unlock(&lock_mutex);
	return k;
}

void lock_release(struct inode *inode, const void *owner)
{
	struct inode_locks *l = atomic_load_acquire(&inode->locks);
	struct lock *k, *next;
	bool any = false;

	if (likely(!l))
		return;
	mutex_lock(&lock_mutex);
	list_for_each_safe (k, next, &l->list, link) {
		if (k->r.owner != owner)
			continue;
		drop(k);
		any = true;
	}
	mutex_unlock(&lock_mutex);
	if (any)
		tell_waiters(l);
}
