/* SPDX-License-Identifier: MIT */
/*
 * eventfd.c - a counter behind a descriptor: writing adds to it, reading takes it (or one of it) away.
 *
 * The counter changes by compare and swap alone. Readers wait while it is 0; writers while their number would
 * take it above EVENTFD_MAX. A write wakes as many readers as it can satisfy.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "mm/phys/slab.h"

#define EFD_SEMAPHORE 1
#define EVENTFD_MAX   (~0ull - 1)

struct eventfd {
	u64 count;      /* [a] */
	bool semaphore; /* [i] */
	struct waitq readers, writers;
};

/* take - what a read gets; 0: nothing there. */
static u64 take(struct eventfd *e)
{
	u64 old = atomic_load(&e->count), n;

	do {
		n = e->semaphore && old ? 1 : old;
	} while (n && !atomic_cas(&e->count, &old, old - n));
	return n;
}

static bool has_room(const struct eventfd *e, u64 n)
{
	return atomic_load(&e->count) <= EVENTFD_MAX - n;
}

static bool add(struct eventfd *e, u64 n)
{
	u64 old = atomic_load(&e->count);

	do {
		if (old > EVENTFD_MAX - n)
			return false;
	} while (!atomic_cas(&e->count, &old, old + n));
	return true;
}

static ssize_t eventfd_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct eventfd *e = f->private_data;
	u64 value;

	(void)pos;
	if (uio->left < sizeof(value))
		return -EINVAL;
	while (!(value = take(e))) {
		if (atomic_load(&f->flags) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&e->readers, atomic_load(&e->count), WAIT_INTERRUPTIBLE))
			return -RESTART_SYS;
	}
	waitq_wake_all(&e->writers); /* each may want another number */
	return uio_put(uio, &value, sizeof(value)) == sizeof(value) ? (ssize_t)sizeof(value)
								    : -EFAULT;
}

static ssize_t eventfd_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct eventfd *e = f->private_data;
	u64 value;

	(void)pos;
	if (uio->left != sizeof(value))
		return -EINVAL;
	if (uio_get(uio, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value == ~0ull)
		return -EINVAL;
	while (!add(e, value)) {
		if (atomic_load(&f->flags) & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&e->writers, has_room(e, value), WAIT_INTERRUPTIBLE))
			return -RESTART_SYS;
	}
	if (value)
		waitq_wake(&e->readers, e->semaphore ? (unsigned)MIN(value, INT32_MAX) : 1);
	return sizeof(value);
}

static u32 eventfd_poll(struct file *f, struct poll_request *r)
{
	struct eventfd *e = f->private_data;
	u32 ready = 0;
	u64 count;

	poll_wait_for(r, &e->readers, POLLIN | POLLRDNORM);
	poll_wait_for(r, &e->writers, POLLOUT | POLLWRNORM);
	count = atomic_load(&e->count);
	if (count)
		ready |= POLLIN;
	if (count < EVENTFD_MAX)
		ready |= POLLOUT;
	return ready;
}

static void eventfd_release(struct file *f)
{
	kfree(f->private_data);
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.seek = anon_file_seek,
	.is_stream = true,
};

long sys_eventfd2(u32 count, int flags)
{
	struct eventfd *e;
	int fd;

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	e = kmalloc(sizeof(*e), 0);
	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&e->readers);
	waitq_init(&e->writers);
	fd = anon_fd_create("[eventfd]", &eventfd_ops, e,
			    O_RDWR | ((u32)flags & (O_CLOEXEC | O_NONBLOCK)));
	if (fd < 0)
		kfree(e);
	return fd;
}
