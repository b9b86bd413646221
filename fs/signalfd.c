/* SPDX-License-Identifier: MIT */
/*
 * signalfd.c - signals that are read instead of handled.
 *
 * The file holds nothing but a set: who reads it gets signals of the set that are pending for himself, so that the
 * same file shows different processes different things. They are usually blocked; else they are delivered first.
 *
 * Waiting is on a queue that belongs to nobody in particular, since the process that waits, or had an epoll wait,
 * may be gone before the file.
 */
#include <uapi/errno.h>
#include <uapi/signalfd.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

struct signalfd {
	sigset set; /* [a] */
};

static bool has_signal(const struct signalfd *s)
{
	return signal_pending_set() & READ_ONCE(s->set);
}

/* --- what a signal looks like ------------------------------------------------------------------------ */

static bool is_fault(const struct uapi_siginfo *i)
{
	return i->si_code > 0 && i->si_code < SI_KERNEL &&
	       (i->si_signo == SIGSEGV || i->si_signo == SIGBUS || i->si_signo == SIGILL ||
		i->si_signo == SIGFPE || i->si_signo == SIGTRAP);
}

static void convert(const struct uapi_siginfo *i, struct uapi_signalfd_siginfo *o)
{
	memset(o, 0, sizeof(*o));
	o->ssi_signo = (u32)i->si_signo;
	o->ssi_errno = i->si_errno;
	o->ssi_code = i->si_code;
	if (i->si_code == SI_TIMER) {
		o->ssi_tid = (u32)i->si_timerid;
		o->ssi_overrun = (u32)i->si_overrun;
		o->ssi_ptr = i->si_value;
		o->ssi_int = (s32)i->si_value;
	} else if (is_fault(i)) {
		o->ssi_addr = i->si_addr;
	} else {
		o->ssi_pid = (u32)i->si_pid;
		o->ssi_uid = i->si_uid;
		if (i->si_signo == SIGCHLD && i->si_code > 0) {
			o->ssi_status = i->si_status;
			o->ssi_utime = (u64)i->si_utime;
			o->ssi_stime = (u64)i->si_stime;
		} else if (i->si_code < 0) {
			o->ssi_ptr = i->si_value;
			o->ssi_int = (s32)i->si_value;
		}
	}
}

/* --- the file ---------------------------------------------------------------------------------------- */

/* take - wait for one, unless nonblock. 0, -EAGAIN, -RESTART_SYS. */
static int take(struct signalfd *s, bool nonblock, struct uapi_siginfo *info)
{
	while (!signal_dequeue(READ_ONCE(s->set), info)) {
		if (nonblock)
			return -EAGAIN;
		if (wait_event(signal_watch_queue(current_process), has_signal(s),
			       WAIT_INTERRUPTIBLE))
			return -RESTART_SYS;
	}
	return 0;
}

static ssize_t signalfd_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct signalfd *s = f->private_data;
	struct uapi_signalfd_siginfo out;
	struct uapi_siginfo info;
	ssize_t done = 0;

	(void)pos;
	if (uio->left < sizeof(out))
		return -EINVAL;
	while (uio->left >= sizeof(out)) {
		int err = take(s, done || (atomic_load(&f->flags) & O_NONBLOCK), &info);

		if (err)
			return done ? done : err;
		convert(&info, &out);
		if (uio_put(uio, &out, sizeof(out)) < sizeof(out))
			return done ? done : -EFAULT;
		done += (ssize_t)sizeof(out);
	}
	return done;
}

static u32 signalfd_poll(struct file *f, struct poll_request *r)
{
	poll_wait(r, signal_watch_queue(current_process));
	return has_signal(f->private_data) ? POLLIN : 0;
}

static void signalfd_release(struct file *f)
{
	kfree(f->private_data);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.release = signalfd_release,
	.seek = anon_file_seek,
	.is_stream = true,
};

static long make(sigset set, int flags)
{
	struct signalfd *s = kmalloc(sizeof(*s), 0);
	int fd;

	if (!s)
		return -ENOMEM;
	s->set = set;
	fd = anon_fd_create("[signalfd]", &signalfd_ops, s,
			    O_RDWR | ((u32)flags & (O_CLOEXEC | O_NONBLOCK)));
	if (fd < 0)
		kfree(s);
	return fd;
}

/* change - another set for an existing one; who waits for signals that were not in it looks again. */
static long change(int fd, sigset set)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->ops != &signalfd_ops) {
		file_put(f);
		return -EINVAL;
	}
	WRITE_ONCE(((struct signalfd *)f->private_data)->set, set);
	waitq_wake_all(signal_watch_queue(current_process));
	file_put(f);
	return fd;
}

long sys_signalfd4(int fd, vaddr_t uset, u64 sigset_size, int flags)
{
	sigset set;

	if (sigset_size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, uset, sizeof(set)))
		return -EFAULT;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	set &= ~(SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP));
	return fd == -1 ? make(set, flags) : change(fd, set);
}
