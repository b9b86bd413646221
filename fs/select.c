/* SPDX-License-Identifier: MIT */
/*
 * select.c - select(2) and pselect6(2): poll with bitmaps.
 *
 * Six bitmaps of the same length lie behind one another: the three questions, then the three answers. Descriptors
 * beyond the table do not count, as on Linux.
 */
#include <uapi/errno.h>
#include <uapi/poll.h>
#include "fs/file.h"
#include "fs/poll_wait.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "lib/bitmap.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define WORDS_INLINE 5 /* of each bitmap: 320 descriptors without allocating */

enum { IN, OUT, EXCEPT, KINDS };

/* What each kind asks for, and what makes it answer. */
static const u32 asked[KINDS] = {
	[IN] = POLLIN | POLLRDNORM | POLLRDBAND,
	[OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
	[EXCEPT] = POLLPRI,
};
static const u32 answers[KINDS] = {
	[IN] = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL,
	[OUT] = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL,
	[EXCEPT] = POLLPRI | POLLNVAL,
};

struct select_set {
	u32 words; /* of each bitmap */
	u64 *in[KINDS], *out[KINDS];
};

static u64 wanted(const struct select_set *s, u32 word)
{
	return s->in[IN][word] | s->in[OUT][word] | s->in[EXCEPT][word];
}

/* ask - one descriptor for all kinds that want to know. The number of answers. */
static long ask(struct select_set *s, u32 fd, struct poller *poller)
{
	u32 events = 0, ready = POLLNVAL;
	bool counted;
	struct file *f = fd_borrow((int)fd, &counted);
	long n = 0;

	for (int kind = 0; kind < KINDS; kind++)
		if (bitmap_test(s->in[kind], fd))
			events |= asked[kind];
	if (f) {
		ready = poll_ask(poller, f, events);
		fd_return(f, counted);
	}
	for (int kind = 0; kind < KINDS; kind++) {
		if (!bitmap_test(s->in[kind], fd) || !(ready & answers[kind]))
			continue;
		bitmap_set(s->out[kind], fd);
		n++;
	}
	return n;
}

static long scan(void *arg, struct poller *poller)
{
	struct select_set *s = arg;
	long ready = 0;

	for (u32 word = 0; word < s->words; word++) {
		for (u64 bits = wanted(s, word); bits; bits &= bits - 1) {
			ready += ask(s, word * 64 + ctz64(bits), poller);
			if (ready)
				poller = NULL; /* we will not wait */
		}
		sched_point();
	}
	return ready;
}

/* check_open - before anything is waited for, each descriptor must be one. */
static int check_open(const struct select_set *s)
{
	for (u32 word = 0; word < s->words; word++) {
		for (u64 bits = wanted(s, word); bits; bits &= bits - 1) {
			struct file *f = fd_get((int)(word * 64 + ctz64(bits)));

			if (!f)
				return -EBADF;
			file_put(f);
		}
	}
	return 0;
}

static int get_sets(struct select_set *s, u32 nr, const vaddr_t user[KINDS])
{
	for (int kind = 0; kind < KINDS; kind++) {
		if (!user[kind])
			continue;
		if (copy_from_user(s->in[kind], user[kind], s->words * 8))
			return -EFAULT;
		if (nr % 64)
			s->in[kind][s->words - 1] &= (1ull << nr % 64) - 1;
	}
	return check_open(s);
}

static int put_sets(const struct select_set *s, const vaddr_t user[KINDS])
{
	for (int kind = 0; kind < KINDS; kind++)
		if (user[kind] && copy_to_user(user[kind], s->out[kind], s->words * 8))
			return -EFAULT;
	return 0;
}

static long select_sets(struct select_set *s, u32 nr, const vaddr_t user[KINDS], u64 deadline)
{
	long ready = get_sets(s, nr, user);

	if (!ready)
		ready = poll_until_ready(scan, s, deadline);
	if (ready >= 0 && put_sets(s, user))
		ready = -EFAULT;
	return ready;
}

long select_files(int n, vaddr_t in, vaddr_t out, vaddr_t except, u64 deadline)
{
	const vaddr_t user[KINDS] = {in, out, except};
	u64 few[WORDS_INLINE * KINDS * 2], *words = few;
	struct select_set s;
	size_t size;
	u32 nr;
	long ready;

	if (n < 0)
		return -EINVAL;
	nr = MIN((u32)n, fd_capacity());
	s.words = (nr + 63) / 64;
	size = s.words * 8 * KINDS * 2;
	if (s.words > WORDS_INLINE)
		words = kmalloc(size, 0);
	if (!words)
		return -ENOMEM;
	memset(words, 0, size);
	for (int kind = 0; kind < KINDS; kind++) {
		s.in[kind] = words + s.words * (u32)kind;
		s.out[kind] = words + s.words * (u32)(kind + KINDS);
	}
	ready = select_sets(&s, nr, user, deadline);
	if (words != few)
		kfree(words);
	return ready;
}

long sys_pselect6(int n, vaddr_t in, vaddr_t out, vaddr_t except, vaddr_t timeout, vaddr_t umask)
{
	struct uapi_pselect_mask mask = {0, 0};
	u64 deadline;
	int err;

	if (umask && copy_from_user(&mask, umask, sizeof(mask)))
		return -EFAULT;
	err = poll_user_deadline(timeout, &deadline);
	if (!err)
		err = signal_use_mask(mask.set, mask.size);
	if (err)
		return err;
	return poll_finish(select_files(n, in, out, except, deadline), timeout, deadline);
}

long sys_select(int nr, vaddr_t in, vaddr_t out, vaddr_t except, vaddr_t timeout)
{
	u64 deadline = POLL_FOREVER, ns;
	struct uapi_timeval tv;
	long result;

	if (timeout) {
		if (copy_from_user(&tv, timeout, sizeof(tv)))
			return -EFAULT;
		if (timeval_to_ns(&tv, &ns))
			return -EINVAL;
		deadline = poll_deadline(ns);
	}
	result = select_files(nr, in, out, except, deadline);
	if (result == -EINTR)
		result = -RESTART_NOHAND;
	if (!timeout || deadline == POLL_NO_WAIT)
		return result;
	ns = poll_time_left(deadline);
	tv = (struct uapi_timeval){(s64)(ns / NSEC_PER_SEC),
				   (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
	if (copy_to_user(timeout, &tv, sizeof(tv)) && result == -RESTART_NOHAND)
		return -EINTR;
	return result;
}
