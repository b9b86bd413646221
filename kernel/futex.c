/* SPDX-License-Identifier: MIT */
/*
 * futex.c - sleep while a word of user memory has a value; wake those who sleep on it.
 *
 * What makes it work: a waiter's look at the word and its joining the queue are one step for every waker, because both
 * are done under the lock of the word's bucket. A page may not be waited for under a spin lock; so the word is read
 * with interrupts off, which fails when the page is not there, and is then read without the lock before
 * the next attempt. A waiter declares that it sleeps before it joins: whoever finds it in a bucket wakes it.
 *
 * Key: (object, page of it and offset) for words in shared mappings, else (space, address). The object
 * of a waiter is not referenced: its mapping keeps it, and a waiter whose mapping is gone can only be woken by
 * coincidence, which the interface allows.
 *
 * Locks: bucket locks (RANK_FUTEX, interrupts off), two of them by ascending address. waiter fields are under the lock of the
 * bucket that `bucket` names, which requeueing changes; bucket_lock_of chases it.
 */
#include "kernel/futex.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/futex.h>
#include <uapi/time.h>
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/hash.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

#define FUTEX_HASH_BITS 8

struct futex_key {
	u64 owner, where;
};

struct futex_waiter {
	struct list_head link;
	struct futex_bucket *bucket; /* changed under both locks; NULL: woken */
	struct futex_key key;
	struct thread *thread;
	u32 bitset;
};

struct futex_bucket {
	struct spinlock lock;
	struct list_head waiters; /* in order of arrival */
} ALIGNED(32);

static struct futex_bucket buckets[1 << FUTEX_HASH_BITS];

void futex_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
}

/* --- keys -------------------------------------------------------------------------------------------- */

/* The word may be shared: by the object that is mapped there. */
static NOINLINE void make_shared_key(vaddr_t addr, struct futex_key *key)
{
	u64 pgoff;
	struct object *obj = space_shared_object(current->space, addr, &pgoff);

	if (obj)
		*key = (struct futex_key){(u64)obj, pgoff << PAGE_SHIFT | (addr & ~PAGE_MASK)};
}

static inline int make_key(vaddr_t addr, bool private_key, struct futex_key *key)
{
	if (!IS_ALIGNED(addr, 4))
		return -EINVAL;
	if (!user_range_ok(addr, 4))
		return -EFAULT;
	*key = (struct futex_key){(u64)current->space, addr};
	if (!private_key)
		make_shared_key(addr, key);
	return 0;
}

static inline bool same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->owner == b->owner && a->where == b->where;
}

static struct futex_bucket *bucket_of(const struct futex_key *key)
{
	return &buckets[hash_quick(key->owner, key->where, FUTEX_HASH_BITS)];
}

/* --- waking ------------------------------------------------------------------------------------------ */

static inline bool matches(const struct futex_waiter *w, const struct futex_key *key, u32 bitset)
{
	return same_key(&w->key, key) && (w->bitset & bitset);
}

/* take_waiter - off its queue for good; its thread, to be woken. Bucket locked. The waiter is gone as soon as bucket is
 * NULL; the thread, which does not need a reference in code that does not sleep, may be ending. */
static inline struct thread *take_waiter(struct futex_waiter *w)
{
	struct thread *t = w->thread;

	list_del(&w->link);
	atomic_store_release(&w->bucket, NULL);
	return t;
}

/* wake_locked - up to n waiters of a key. Returns how many. */
static unsigned wake_locked(struct futex_bucket *b, const struct futex_key *key, unsigned n,
			    u32 bitset)
{
	struct futex_waiter *w, *next;
	unsigned woken = 0;

	list_for_each_safe (w, next, &b->waiters, link) {
		if (!matches(w, key, bitset))
			continue;
		if (woken == n)
			break;
		thread_wake_queued(take_waiter(w));
		woken++;
	}
	return woken;
}

/* Fewer than one, as a signed number, is one. Interrupts off, bucket locked; after: neither. */
static NOINLINE long wake_some(struct futex_bucket *b, struct futex_key key, unsigned n, u32 bitset)
{
	long woken = wake_locked(b, &key, (s32)n < 1 ? 1 : n, bitset);

	spin_unlock_irq(&b->lock);
	return woken;
}

/* Usually one is to be woken, and it is the first in its bucket: it is woken when the bucket is free again. */
static ALWAYS_INLINE long wake(vaddr_t addr, bool private_key, unsigned n, u32 bitset)
{
	struct futex_bucket *b;
	struct futex_waiter *w;
	struct futex_key key;
	struct thread *t;
	int err = make_key(addr, private_key, &key);

	if (unlikely(err))
		return err;
	b = bucket_of(&key);
	spin_lock_irq(&b->lock);
	w = list_first(&b->waiters, struct futex_waiter, link);
	if (unlikely(!w || (s32)n > 1 || !matches(w, &key, bitset)))
		return wake_some(b, key, n, bitset);
	t = take_waiter(w);
	spin_unlock(&b->lock);
	thread_wake_queued(t);
	cpu_irq_enable();
	return 1;
}

static NOINLINE long wake_bitset(vaddr_t addr, bool private_key, unsigned n, u32 bitset)
{
	return wake(addr, private_key, n, bitset);
}

int futex_wake(vaddr_t addr, bool private_key, unsigned n)
{
	return (int)wake_bitset(addr, private_key, n, FUTEX_BITSET_MATCH_ANY);
}

/* --- waiting ----------------------------------------------------------------------------------------- */

/* queue_if_equal - 0: the current thread is asleep as far as wakers are concerned, in the bucket of its key;
 * -EAGAIN: another value; -EFAULT: the word is not there at this moment. It has declared that it sleeps, and is awake after an
 * error. Interrupts are on before, and off after success. */
static ALWAYS_INLINE int queue_if_equal(struct futex_waiter *w, vaddr_t addr, u32 val)
{
	struct futex_bucket *b = bucket_of(&w->key);
	u32 now = 0;
	int err;

	spin_lock_irq(&b->lock);
	err = get_user_u32_now(addr, &now);
	if (likely(!err && now == val)) {
		w->bucket = b;
		list_add_tail(&w->link, &b->waiters);
		spin_unlock(&b->lock);
		return 0;
	}
	spin_unlock_irq(&b->lock);
	thread_cancel_sleep();
	return err ? err : -EAGAIN;
}

/* fetch_word - wait for the page of a word. 0: try again; -EFAULT: there is none. */
static NOINLINE int fetch_word(vaddr_t addr)
{
	u32 ignored;

	return get_user_u32(addr, &ignored);
}

/* lock_bucket_of - the bucket that a waiter is in now, locked; NULL when it has been woken. */
static struct futex_bucket *lock_bucket_of(struct futex_waiter *w)
{
	for (;;) {
		struct futex_bucket *b = atomic_load_acquire(&w->bucket);

		if (!b)
			return NULL;
		spin_lock_irq(&b->lock);
		if (atomic_load(&w->bucket) == b)
			return b;
		spin_unlock_irq(&b->lock);
	}
}

/* dequeue - give up. False when somebody has woken us already, which then counts. */
static NOINLINE bool dequeue(struct futex_waiter *w)
{
	struct futex_bucket *b = lock_bucket_of(w);

	if (!b)
		return false;
	list_del(&w->link);
	w->bucket = NULL;
	spin_unlock_irq(&b->lock);
	return true;
}

/* sleep_until_woken - 0, -EINTR, -ETIMEDOUT. The sleep was declared. */
static NOINLINE int sleep_until_woken(struct futex_waiter *w, u64 deadline)
{
	int err = 0;

	while (atomic_load_acquire(&w->bucket)) {
		err = wait_step(deadline);
		if (err)
			return err;
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
	}
	thread_cancel_sleep();
	return 0;
}

static NOINLINE long finish_wait(struct futex_waiter *w, u64 deadline)
{
	int err = sleep_until_woken(w, deadline);

	if (!dequeue(w))
		return 0;
	return err == -EINTR ? -RESTART_SYS : err;
}

/* join_queue - queue_if_equal of the current thread, for any address. */
static ALWAYS_INLINE int join_queue(struct futex_waiter *w, vaddr_t addr, bool private_key, u32 val,
				    u32 bitset)
{
	int err = make_key(addr, private_key, &w->key);

	if (unlikely(err))
		return err;
	w->thread = current;
	w->bitset = bitset;
	thread_prepare_sleep(WAIT_INTERRUPTIBLE);
	return queue_if_equal(w, addr, val);
}

static NOINLINE long wait_with_deadline(vaddr_t addr, bool private_key, u32 val, u64 deadline,
					u32 bitset)
{
	struct futex_waiter w;
	int err;

	if (!bitset)
		return -EINVAL;
	do
		err = join_queue(&w, addr, private_key, val, bitset);
	while (err == -EFAULT && !fetch_word(addr));
	if (err)
		return err;
	cpu_irq_enable();
	return finish_wait(&w, deadline);
}

/* The usual wait, in one piece: nothing is pending, the word is there, and somebody wakes us. */
static ALWAYS_INLINE long wait_for_wake(vaddr_t addr, bool private_key, u32 val)
{
	struct futex_waiter w;
	int err = join_queue(&w, addr, private_key, val, FUTEX_BITSET_MATCH_ANY);

	if (unlikely(err == -EFAULT))
		return wait_with_deadline(addr, private_key, val, 0, FUTEX_BITSET_MATCH_ANY);
	if (unlikely(err))
		return err;
	if (likely(!signal_pending(w.thread))) {
		thread_sleep();
		if (likely(!atomic_load_acquire(&w.bucket)))
			return 0;
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
	}
	cpu_irq_enable();
	return finish_wait(&w, 0);
}

/* --- several words at once ----------------------------------------------------------------------------- */

/* One of the words that futex_waitv(2) waits for. */
struct waitv {
	struct futex_waiter waiter;
	vaddr_t addr;
	u32 val;
	bool private_key;
};

static int import_waitv(struct waitv *v, unsigned n, vaddr_t list)
{
	struct uapi_futex_waitv u;

	for (unsigned i = 0; i < n; i++) {
		if (copy_from_user(&u, list + i * sizeof(u), sizeof(u)))
			return -EFAULT;
		if (u.flags & ~(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE) || u.reserved ||
		    (u.flags & FUTEX2_SIZE_MASK) != FUTEX2_SIZE_U32 || u.val > UINT32_MAX)
			return -EINVAL;
		v[i] = (struct waitv){
			.waiter = {.thread = current, .bitset = FUTEX_BITSET_MATCH_ANY},
			.addr = u.addr,
			.val = (u32)u.val,
			.private_key = u.flags & FUTEX2_PRIVATE,
		};
	}
	for (unsigned i = 0; i < n; i++) {
		int err = make_key(v[i].addr, v[i].private_key, &v[i].waiter.key);

		if (err)
			return err;
	}
	return 0;
}

static bool any_woken(const struct waitv *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!atomic_load_acquire(&v[i].waiter.bucket))
			return true;
	return false;
}

/* dequeue_all - the index of a waiter that has been woken (the last such), -1: none. Whoever wakes several of ours meant to
 * wake us once for each: that is the caller's to find out. */
static long dequeue_all(struct waitv *v, unsigned n)
{
	long woken = -1;

	for (unsigned i = 0; i < n; i++)
		if (!dequeue(&v[i].waiter))
			woken = i;
	return woken;
}

/* queue_all - each on its word: 0, the sleep has been declared. Else how it ended, *woken as dequeue_all says: none is
 * queued. */
static int queue_all(struct waitv *v, unsigned n, long *woken)
{
	for (unsigned i = 0; i < n; i++) {
		int err = queue_if_equal(&v[i].waiter, v[i].addr, v[i].val);

		if (!err) {
			cpu_irq_enable();
			continue;
		}
		*woken = dequeue_all(v, i);
		if (*woken < 0 && err == -EFAULT && !fetch_word(v[i].addr))
			err = -EINTR;
		return err;
	}
	return 0;
}

/* wait_for_any - until one of the queued waiters is woken. 0 or the reason to give up. */
static int wait_for_any(struct waitv *v, unsigned n, u64 deadline)
{
	int err = 0;

	while (!any_woken(v, n) && !err) {
		err = wait_step(deadline);
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
	}
	thread_cancel_sleep();
	return err;
}

static long futex_wait_any(struct waitv *v, unsigned n, u64 deadline)
{
	long woken;
	int err;

	do { /* -EINTR: the page of a word had to be waited for */
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
		err = queue_all(v, n, &woken);
	} while (err == -EINTR && woken < 0);
	if (!err) {
		err = wait_for_any(v, n, deadline);
		woken = dequeue_all(v, n);
	}
	if (woken >= 0)
		return woken;
	return err == -EINTR ? -RESTART_SYS : err;
}

/* --- requeueing and wake-op -------------------------------------------------------------------------- */

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_lock_irq(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock_nested(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	if (a != b)
		spin_unlock(&b->lock);
	spin_unlock_irq(&a->lock);
}

/* move_waiters - up to n of them to another key. Both buckets locked. */
static unsigned move_waiters(struct futex_bucket *from, const struct futex_key *key,
			     struct futex_bucket *to, const struct futex_key *new_key, unsigned n)
{
	struct futex_waiter *w, *next;
	unsigned moved = 0;

	list_for_each_safe (w, next, &from->waiters, link) {
		if (moved == n)
			break;
		if (!same_key(&w->key, key))
			continue;
		w->key = *new_key;
		if (from != to) {
			list_move_tail(&w->link, &to->waiters);
			atomic_store_release(&w->bucket, to);
		}
		moved++;
	}
	return moved;
}

/* lock_if_equal - both buckets; with val only if the word has this value, which it then has for every waker. */
static int lock_if_equal(vaddr_t addr, const u32 *val, struct futex_bucket *from,
			 struct futex_bucket *to)
{
	u32 now;
	int err;

	do {
		lock_two(from, to);
		err = val ? get_user_u32_now(addr, &now) : 0;
		if (!err && (!val || now == *val))
			return 0;
		unlock_two(from, to);
		if (!err)
			return -EAGAIN;
	} while (!fetch_word(addr));
	return -EFAULT;
}

/* futex_requeue - wake some, move some; val: only if the word has this value (NULL: in any case). */
static long futex_requeue(vaddr_t addr, vaddr_t addr2, bool private_key, u32 nr_wake, u32 nr_move,
			  const u32 *val)
{
	struct futex_key key, key2;
	struct futex_bucket *b, *b2;
	long woken, moved;
	int err;

	if ((s32)nr_wake < 0 || (s32)nr_move < 0)
		return -EINVAL;
	err = make_key(addr, private_key, &key);
	if (!err)
		err = make_key(addr2, private_key, &key2);
	if (err)
		return err;
	b = bucket_of(&key);
	b2 = bucket_of(&key2);
	err = lock_if_equal(addr, val, b, b2);
	if (err)
		return err;
	woken = wake_locked(b, &key, nr_wake, FUTEX_BITSET_MATCH_ANY);
	moved = move_waiters(b, &key, b2, &key2, nr_move);
	unlock_two(b, b2);
	return woken + moved;
}

static int new_value(u32 op, u32 old, u32 arg, u32 *out)
{
	switch (op & 7) {
	case FUTEX_OP_SET:
		*out = arg;
		return 0;
	case FUTEX_OP_ADD:
		*out = old + arg;
		return 0;
	case FUTEX_OP_OR:
		*out = old | arg;
		return 0;
	case FUTEX_OP_ANDN:
		*out = old & ~arg;
		return 0;
	case FUTEX_OP_XOR:
		*out = old ^ arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int compare(u32 cmp, s32 old, s32 arg)
{
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	default:
		return -ENOSYS;
	}
}

/* change_word - apply the encoded operation; 1 or 0 says whether the old value compares true. */
static int change_word(vaddr_t addr, u32 encoded)
{
	u32 op = encoded >> 28, cmp = encoded >> 24 & 15;
	s32 arg = (s32)(encoded << 8) >> 20, cmp_arg = (s32)(encoded << 20) >> 20;
	u32 old, seen, next;

	if (op & FUTEX_OP_OPARG_SHIFT)
		arg = (s32)(1u << (arg & 31));
	if (get_user_u32(addr, &seen))
		return -EFAULT;
	do {
		int err = new_value(op, seen, (u32)arg, &next);

		if (err)
			return err;
		old = seen;
		if (user_cas_u32(addr, &seen, next))
			return -EFAULT;
	} while (seen != old);
	return compare(cmp, (s32)old, cmp_arg);
}

/* futex_wake_op - the word is changed before the buckets are locked: whoever queues up on it in between,
 * having seen the new value, may be woken for nothing, which the interface allows. */
static long futex_wake_op(vaddr_t addr, vaddr_t addr2, bool private_key, u32 nr, u32 nr2, u32 op)
{
	long woken = wake_bitset(addr, private_key, 1, 0), more = 0; /* nobody: only a check */
	int also;

	if (woken < 0 || !IS_ALIGNED(addr2, 4))
		return woken < 0 ? woken : -EINVAL;
	also = change_word(addr2, op);
	if (also < 0)
		return also;
	woken = wake_bitset(addr, private_key, nr, FUTEX_BITSET_MATCH_ANY);
	if (also)
		more = wake_bitset(addr2, private_key, nr2, FUTEX_BITSET_MATCH_ANY);
	return woken + more;
}

/* --- system call ------------------------------------------------------------------------------------- */

/* read_deadline - the timeout as a point of monotonic time, never 0. */
static int read_deadline(vaddr_t utimeout, bool absolute, bool realtime, u64 *deadline)
{
	struct uapi_timespec ts;
	u64 ns;

	if (copy_from_user(&ts, utimeout, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	*deadline = absolute ? time_deadline_absolute(ns, realtime) : time_deadline_after(ns);
	return 0;
}

static NOINLINE long wait_with_timeout(vaddr_t addr, int op, u32 val, vaddr_t utimeout, u32 bitset)
{
	bool absolute = (op & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
	struct user_thread *u = current_user;
	u64 deadline = u->sleep_deadline;
	long result;
	int err;

	/* A relative timeout that was interrupted goes on towards the same end. */
	if (absolute || !deadline) {
		err = read_deadline(utimeout, absolute, op & FUTEX_CLOCK_REALTIME, &deadline);
		if (err)
			return err;
	}
	result = wait_with_deadline(addr, op & FUTEX_PRIVATE_FLAG, val, deadline, bitset);
	if (result != -RESTART_SYS) {
		u->sleep_deadline = 0;
		return result;
	}
	u->sleep_deadline = absolute ? 0 : deadline;
	return -RESTART_NOHAND; /* a handler ends a wait with a timeout, even with SA_RESTART */
}

static NOINLINE long other_operation(vaddr_t addr, int op, u32 val, vaddr_t utimeout, vaddr_t addr2,
				     u32 val3)
{
	bool private_key = op & FUTEX_PRIVATE_FLAG;
	int cmd = op & FUTEX_CMD_MASK;

	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		if (!utimeout)
			return wait_for_wake(addr, private_key, val);
		val3 = FUTEX_BITSET_MATCH_ANY;
		__attribute__((fallthrough));
	case FUTEX_WAIT_BITSET:
		if (utimeout)
			return wait_with_timeout(addr, op, val, utimeout, val3);
		return wait_with_deadline(addr, private_key, val, 0, val3);
	case FUTEX_WAKE:
		return wake_bitset(addr, private_key, val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return val3 ? wake_bitset(addr, private_key, val, val3) : -EINVAL;
	case FUTEX_REQUEUE:
		return futex_requeue(addr, addr2, private_key, val, (u32)utimeout, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, addr2, private_key, val, (u32)utimeout, &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, addr2, private_key, val, (u32)utimeout, val3);
	default:
		return -ENOSYS;
	}
}

long sys_futex(vaddr_t addr, int op, u32 val, vaddr_t utimeout, vaddr_t addr2, u32 val3)
{
	if (likely(op == (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) && !utimeout))
		return wait_for_wake(addr, true, val);
	if (likely(op == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG)))
		return wake(addr, true, val, FUTEX_BITSET_MATCH_ANY);
	return other_operation(addr, op, val, utimeout, addr2, val3);
}

long sys_futex_waitv(vaddr_t list, u32 n, u32 flags, vaddr_t utimeout, int clock)
{
	u64 deadline = 0;
	struct waitv *v;
	long result;
	int err = 0;

	if (flags || !n || n > FUTEX_WAITV_MAX || !list)
		return -EINVAL;
	if (utimeout && clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	if (utimeout)
		err = read_deadline(utimeout, true, clock == CLOCK_REALTIME, &deadline);
	if (err)
		return err;
	v = kmalloc(n * sizeof(*v), 0);
	if (!v)
		return -ENOMEM;
	err = import_waitv(v, n, list);
	result = err ? err : futex_wait_any(v, n, deadline);
	kfree(v);
	return result;
}
