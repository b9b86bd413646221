/* SPDX-License-Identifier: MIT */
/*
 * pid.c - the table of numbers in use: a bitmap to find a free one, a hash table to find who has it.
 *
 * Numbers are given out in rising order and wrap around, so that a number comes back as late as
 * possible.
 */
#include "kernel/pid.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include "kernel/process.h"
#include "lib/bitmap.h"
#include "lib/hash.h"
#include "lib/refcount.h"
#include "mm/phys/slab.h"

#define PID_HASH_BITS 8
#define PID_RESERVED \
	300 /* after the first lap: the low numbers belong to early, long-lived things */

static struct spinlock pid_lock = SPINLOCK_INIT(RANK_PROCESS);
static u64 pid_map[BITMAP_WORDS(PID_MAX)]; /* [pid_lock] */
static u32 pid_last;                       /* [pid_lock] given out most recently */
static u64 pid_used;                       /* [pid_lock] numbers ever given out */
static struct list_head pid_hash[1 << PID_HASH_BITS];
static struct slab_cache *pid_cache;

void pid_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pid_hash); i++)
		list_init(&pid_hash[i]);
	bitmap_set(pid_map, 0);
	pid_cache = slab_cache_create("pid", sizeof(struct pid), 0, false);
}

static struct list_head *hash_bucket(u32 nr)
{
	return &pid_hash[hash_bits(nr, PID_HASH_BITS)];
}

/* number_take - the next free number, 0 when there is none. */
static u32 number_take(void)
{
	size_t nr = bitmap_next_zero(pid_map, PID_MAX, pid_last + 1);

	if (nr == PID_MAX)
		nr = bitmap_next_zero(pid_map, PID_MAX, PID_RESERVED);
	if (nr == PID_MAX)
		return 0;
	bitmap_set(pid_map, nr);
	pid_last = (u32)nr;
	pid_used++;
	return (u32)nr;
}

/* number_take_this - nr, or 0 when it is taken. */
static u32 number_take_this(u32 nr)
{
	if (bitmap_test(pid_map, nr))
		return 0;
	bitmap_set(pid_map, nr);
	return nr;
}

int pid_alloc(u32 wanted, struct pid **out)
{
	struct pid *pid = slab_alloc(pid_cache, PA_ZERO);

	if (!pid)
		return -ENOMEM;
	refcount_init(&pid->refs);
	list_init(&pid->group);
	waitq_init(&pid->ended);
	spin_lock(&pid_lock);
	pid->nr = wanted ? number_take_this(wanted) : number_take();
	if (pid->nr)
		list_add(&pid->hash_link, hash_bucket(pid->nr));
	spin_unlock(&pid_lock);
	if (!pid->nr) {
		slab_free(pid_cache, pid);
		return wanted ? -EEXIST : -EAGAIN;
	}
	*out = pid;
	return 0;
}

void pid_get(struct pid *pid)
{
	refcount_get(&pid->refs);
}

/* The last reference is dropped under the lock, so that pid_find cannot revive what is being freed. */
void pid_put(struct pid *pid)
{
	bool last;

	if (likely(refcount_put_unless_last(&pid->refs)))
		return;
	spin_lock(&pid_lock);
	last = refcount_put(&pid->refs);
	if (last) {
		assert(!pid->thread && !pid->process && list_empty(&pid->group));
		assert(!pid->tty && !pid->hung_up);
		list_del(&pid->hash_link);
		bitmap_clear(pid_map, pid->nr);
	}
	spin_unlock(&pid_lock);
	if (last)
		slab_free(pid_cache, pid);
}

static struct pid *find_locked(u32 nr)
{
	struct pid *pid;

	list_for_each (pid, hash_bucket(nr), hash_link)
		if (pid->nr == nr)
			return pid;
	return NULL;
}

struct pid *pid_find(u32 nr)
{
	struct pid *pid;

	spin_lock(&pid_lock);
	pid = find_locked(nr);
	if (pid)
		pid_get(pid);
	spin_unlock(&pid_lock);
	return pid;
}

/* process_of - with a reference. Lock held. */
static struct process *process_of(struct pid *pid)
{
	struct process *p = pid->process;

	if (!p && pid->thread)
		p = pid->thread->proc;
	if (p)
		process_get(p);
	return p;
}

struct process *process_find(u32 nr)
{
	struct process *p = NULL;
	struct pid *pid;

	spin_lock(&pid_lock);
	pid = find_locked(nr);
	if (pid)
		p = process_of(pid);
	spin_unlock(&pid_lock);
	return p;
}

struct process *process_find_from(u32 nr)
{
	struct process *p = NULL;
	size_t n = nr;

	spin_lock(&pid_lock);
	while (!p && (n = bitmap_next(pid_map, PID_MAX, n)) < PID_MAX) {
		struct pid *pid = find_locked((u32)n++);

		if (pid && pid->process)
			p = process_of(pid);
	}
	spin_unlock(&pid_lock);
	return p;
}

u32 pid_newest(void)
{
	return READ_ONCE(pid_last);
}

u64 pid_count_used(void)
{
	return READ_ONCE(pid_used);
}

struct user_thread *thread_find(u32 tid)
{
	struct user_thread *u = NULL;
	struct pid *pid;

	spin_lock(&pid_lock);
	pid = find_locked(tid);
	if (pid && pid->thread) {
		u = pid->thread;
		user_thread_get(u);
	}
	spin_unlock(&pid_lock);
	return u;
}

struct process *pid_process(struct pid *pid)
{
	struct process *p;

	spin_lock(&pid_lock);
	p = pid->process;
	if (p)
		process_get(p);
	spin_unlock(&pid_lock);
	return p;
}

struct user_thread *pid_thread(struct pid *pid)
{
	struct user_thread *u;

	spin_lock(&pid_lock);
	u = pid->thread;
	if (u)
		user_thread_get(u);
	spin_unlock(&pid_lock);
	return u;
}

void pid_set_thread(struct pid *pid, struct user_thread *u)
{
	spin_lock(&pid_lock);
	pid->thread = u;
	spin_unlock(&pid_lock);
	if (!u)
		waitq_wake_all(&pid->ended);
}

void pid_set_process(struct pid *pid, struct process *p)
{
	spin_lock(&pid_lock);
	pid->process = p;
	spin_unlock(&pid_lock);
	if (!p)
		waitq_wake_all(&pid->ended);
}
