/* SPDX-License-Identifier: MIT */
/*
 * poll.c - poll(2) and ppoll(2).
 *
 * The descriptors are copied once, at the beginning; at the end only the answers are written, each by itself.
 * Files are looked up anew in every scan, so a descriptor that is closed meanwhile becomes POLLNVAL.
 */
#include <uapi/errno.h>
#include <uapi/poll.h>
#include "fs/file.h"
#include "fs/poll_wait.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"

#define FDS_INLINE  32
#define FDS_KMALLOC (KIB(32) / sizeof(struct uapi_pollfd))
#define FDS_PAUSE   1024 /* let others run after so many */

struct poll_set {
	struct uapi_pollfd *fds;
	u32 nr;
};

/* --- time -------------------------------------------------------------------------------------------- */

u64 poll_deadline(u64 ns)
{
	return ns ? time_deadline_after(ns) : POLL_NO_WAIT;
}

u64 poll_time_left(u64 deadline)
{
	u64 now = time_now();

	return deadline > now ? deadline - now : 0;
}

/* --- the descriptors --------------------------------------------------------------------------------- */

static struct uapi_pollfd *fds_alloc(u32 nr, struct uapi_pollfd *few)
{
	size_t size = nr * sizeof(*few);

	if (nr <= FDS_INLINE)
		return few;
	return nr <= FDS_KMALLOC ? kmalloc(size, 0) : vmalloc(size);
}

static void fds_free(struct poll_set *s)
{
	if (s->nr > FDS_KMALLOC)
		vfree(s->fds);
	else if (s->nr > FDS_INLINE)
		kfree(s->fds);
}

static u32 ask_one(struct uapi_pollfd *p, struct poller *poller)
{
	struct file *f;
	bool counted;
	u32 ready;

	if (p->fd < 0)
		return 0;
	f = fd_borrow(p->fd, &counted);
	if (!f)
		return POLLNVAL;
	ready = poll_ask(poller, f, p->events);
	fd_return(f, counted);
	return ready;
}

static long scan(void *arg, struct poller *poller)
{
	struct poll_set *s = arg;
	long ready = 0;

	for (u32 i = 0; i < s->nr; i++) {
		struct uapi_pollfd *p = &s->fds[i];

		p->revents = (u16)ask_one(p, poller);
		if (p->revents) {
			ready++;
			poller = NULL; /* we will not wait */
		}
		if (unlikely(i % FDS_PAUSE == FDS_PAUSE - 1))
			sched_point();
	}
	return ready;
}

static int put_answers(const struct poll_set *s, vaddr_t ufds)
{
	vaddr_t to = ufds + offsetof(struct uapi_pollfd, revents);

	for (u32 i = 0; i < s->nr; i++, to += sizeof(*s->fds))
		if (copy_to_user(to, &s->fds[i].revents, sizeof(s->fds[i].revents)))
			return -EFAULT;
	return 0;
}

long poll_files(vaddr_t ufds, u32 nr, u64 deadline)
{
	struct uapi_pollfd few[FDS_INLINE];
	struct poll_set s = {.nr = nr};
	long ready = -EFAULT;

	if (nr > process_limit(current_process, RLIMIT_NOFILE))
		return -EINVAL;
	s.fds = fds_alloc(s.nr, few);
	if (!s.fds)
		return -ENOMEM;
	if (!copy_from_user(s.fds, ufds, s.nr * sizeof(*s.fds))) {
		ready = poll_until_ready(scan, &s, deadline);
		if (put_answers(&s, ufds))
			ready = -EFAULT;
	}
	fds_free(&s);
	return ready;
}

/* --- ppoll ------------------------------------------------------------------------------------------- */

int poll_user_deadline(vaddr_t timeout, u64 *deadline)
{
	struct uapi_timespec ts;
	u64 ns;

	*deadline = POLL_FOREVER;
	if (!timeout)
		return 0;
	if (copy_from_user(&ts, timeout, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	*deadline = poll_deadline(ns);
	return 0;
}

long poll_finish(long result, vaddr_t timeout, u64 deadline)
{
	struct uapi_timespec left;

	if (result == -EINTR)
		result = -RESTART_NOHAND;
	signal_end_mask(result);
	if (!timeout || deadline == POLL_NO_WAIT)
		return result;
	left = timespec_from_ns(poll_time_left(deadline));
	/* Without the time that is left the call cannot be made again. */
	if (copy_to_user(timeout, &left, sizeof(left)) && result == -RESTART_NOHAND)
		return -EINTR;
	return result;
}

long sys_ppoll(vaddr_t fds, u32 nr, vaddr_t timeout, vaddr_t set, u64 sigset_size)
{
	u64 deadline;
	int err = poll_user_deadline(timeout, &deadline);

	if (!err)
		err = signal_use_mask(set, sigset_size);
	return err ? err : poll_finish(poll_files(fds, nr, deadline), timeout, deadline);
}

/* poll(2) is made again until the end that it had at first. */
long sys_poll(vaddr_t fds, u32 nr, int timeout_ms)
{
	struct user_thread *u = current_user;
	u64 deadline = POLL_FOREVER;
	long result;

	if (timeout_ms >= 0)
		deadline = poll_deadline((u64)timeout_ms * NSEC_PER_MSEC);
	if (timeout_ms > 0 && u->sleep_deadline)
		deadline = u->sleep_deadline;
	u->sleep_deadline = 0;
	result = poll_files(fds, nr, deadline);
	if (result != -EINTR)
		return result;
	if (timeout_ms > 0)
		u->sleep_deadline = deadline;
	return -RESTART_NOHAND;
}
