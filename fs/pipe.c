/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pipes: a ring of sixteen pages between two open files.
 *
 * A page is allocated when data comes and freed when it is read out; one is kept, so that a pipe that
 * carries small messages does not allocate. Small writes go on filling the last page. A write of up to
 * PIPE_BUF bytes is done as a whole or waits.
 *
 * The pipe's mutex (RANK_INODE) guards the ring; user memory may be touched under it. Sleepers look at
 * count and at the number of ends without it. Writers sleep only while the pipe is full, so reading wakes them when that
 * ends; writing always wakes, because epoll may want to be told of each arrival.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include <uapi/termios.h>

#define PIPE_SLOTS 16
#define PIPE_DEV   0x0e

struct pipe_slot {
	struct page *page;
	u32 offset, len; /* bytes */
};

struct pipe {
	struct inode inode;
	struct mutex lock;
	struct pipe_slot slots[PIPE_SLOTS];
	u32 first, count; /* slots that hold data; count is read lockless */
	struct page *spare;
	u32 readers, writers; /* [a] open ends: 1 or 0 */
	struct waitq not_empty, not_full;
};

static struct pipe *pipe_of(struct file *f)
{
	return container_of(f->inode, struct pipe, inode);
}

static struct pipe_slot *slot(struct pipe *p, u32 n)
{
	return &p->slots[(p->first + n) % PIPE_SLOTS];
}

static bool has_room(const struct pipe *p)
{
	return atomic_load(&p->count) < PIPE_SLOTS;
}

/* --- pages ------------------------------------------------------------------------------------------- */

static struct page *take_page(struct pipe *p)
{
	struct page *page = p->spare;

	p->spare = NULL;
	return page ? page : page_alloc(0, 0);
}

static void give_page(struct pipe *p, struct page *page)
{
	if (p->spare)
		page_put(page);
	else
		p->spare = page;
}

static void pipe_free(struct inode *inode)
{
	struct pipe *p = container_of(inode, struct pipe, inode);

	for (u32 i = 0; i < p->count; i++)
		page_put(slot(p, i)->page);
	if (p->spare)
		page_put(p->spare);
	kfree(p);
}

/* --- reading ----------------------------------------------------------------------------------------- */

/* read_slots - what is there now; -EFAULT when nothing could be copied. Lock held. */
static ssize_t read_slots(struct pipe *p, struct uio *uio)
{
	size_t done = 0;

	while (uio->left && p->count) {
		struct pipe_slot *s = slot(p, 0);
		size_t want = MIN(uio->left, s->len);
		size_t n = uio_put(uio, (char *)page_to_virt(s->page) + s->offset, want);

		s->offset += (u32)n;
		s->len -= (u32)n;
		done += n;
		if (n < want)
			return done ? (ssize_t)done : -EFAULT;
		if (!s->len) {
			give_page(p, s->page);
			p->first = (p->first + 1) % PIPE_SLOTS;
			WRITE_ONCE(p->count, p->count - 1);
		}
	}
	return (ssize_t)done;
}

static ssize_t pipe_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct pipe *p = pipe_of(f);
	ssize_t done;

	(void)pos;
	while (uio->left) {
		bool was_full;

		mutex_lock(&p->lock);
		was_full = !has_room(p);
		done = read_slots(p, uio);
		mutex_unlock(&p->lock);
		if (was_full && has_room(p))
			waitq_wake_all(&p->not_full);
		if (done || !atomic_load(&p->writers))
			return done;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&p->not_empty, atomic_load(&p->count) || !atomic_load(&p->writers),
			       WAIT_INTERRUPTIBLE))
			return -RESTART_SYS;
	}
	return 0;
}

/* --- writing ----------------------------------------------------------------------------------------- */

/* append - more data into the last page, if all of want fits there. */
static size_t append(struct pipe *p, struct uio *uio, size_t want)
{
	struct pipe_slot *s = p->count ? slot(p, p->count - 1) : NULL;
	size_t n;

	if (!s || want > PAGE_SIZE - s->offset - s->len)
		return 0;
	n = uio_get(uio, (char *)page_to_virt(s->page) + s->offset + s->len, want);
	s->len += (u32)n;
	return n;
}

/* add_slot - up to a page of data into a new slot. Bytes, -EFAULT, -ENOMEM. */
static ssize_t add_slot(struct pipe *p, struct uio *uio)
{
	struct page *page = take_page(p);
	size_t n;

	if (!page)
		return -ENOMEM;
	n = uio_get(uio, page_to_virt(page), PAGE_SIZE);
	if (!n) {
		give_page(p, page);
		return -EFAULT;
	}
	*slot(p, p->count) = (struct pipe_slot){page, 0, (u32)n};
	WRITE_ONCE(p->count, p->count + 1);
	return (ssize_t)n;
}

/* write_slots - as much as there is room for. Bytes, 0 when full, -errno when nothing was done. Lock held. */
static ssize_t write_slots(struct pipe *p, struct uio *uio)
{
	u64 before = uio->left;
	size_t tail = before % PAGE_SIZE;

	if (tail)
		append(p, uio, tail);
	while (uio->left && has_room(p)) {
		ssize_t n = add_slot(p, uio);

		if (n <= 0)
			return uio->left < before ? (ssize_t)(before - uio->left) : n;
	}
	return (ssize_t)(before - uio->left);
}

static void send_sigpipe(void)
{
	struct uapi_siginfo info = {.si_signo = SIGPIPE, .si_code = SI_KERNEL};

	signal_send_thread(current_user, &info);
}

static ssize_t pipe_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct pipe *p = pipe_of(f);
	u64 total = uio->left;

	(void)pos;
	while (uio->left) {
		ssize_t n;

		if (!atomic_load(&p->readers)) {
			if (uio->left < total)
				break;
			send_sigpipe();
			return -EPIPE;
		}
		mutex_lock(&p->lock);
		n = write_slots(p, uio);
		mutex_unlock(&p->lock);
		if (n > 0)
			waitq_wake_all(&p->not_empty);
		if (n < 0 || !uio->left) {
			if (uio->left == total)
				return n;
			break;
		}
		if (f->flags & O_NONBLOCK)
			return uio->left < total ? (ssize_t)(total - uio->left) : -EAGAIN;
		if (wait_event(&p->not_full, has_room(p) || !atomic_load(&p->readers),
			       WAIT_INTERRUPTIBLE))
			return uio->left < total ? (ssize_t)(total - uio->left) : -RESTART_SYS;
	}
	return (ssize_t)(total - uio->left);
}

/* --- the two ends ------------------------------------------------------------------------------------ */

static void release_reader(struct file *f)
{
	struct pipe *p = pipe_of(f);

	atomic_store(&p->readers, 0);
	smp_mb();
	waitq_wake_all(&p->not_full);
}

static void release_writer(struct file *f)
{
	struct pipe *p = pipe_of(f);

	atomic_store(&p->writers, 0);
	smp_mb();
	waitq_wake_all(&p->not_empty);
}

static long pipe_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	struct pipe *p = pipe_of(f);
	u32 bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (u32 i = 0; i < p->count; i++)
		bytes += slot(p, i)->len;
	mutex_unlock(&p->lock);
	return put_user_u32(arg, bytes);
}

static u32 poll_reader(struct file *f, struct poll_request *r)
{
	struct pipe *p = pipe_of(f);
	u32 ready;

	poll_wait(r, &p->not_empty);
	ready = atomic_load(&p->count) ? POLLIN | POLLRDNORM : 0;
	return atomic_load(&p->writers) ? ready : ready | POLLHUP;
}

static u32 poll_writer(struct file *f, struct poll_request *r)
{
	struct pipe *p = pipe_of(f);
	u32 ready;

	poll_wait(r, &p->not_full);
	ready = has_room(p) ? POLLOUT | POLLWRNORM : 0;
	return atomic_load(&p->readers) ? ready : ready | POLLERR;
}

static const struct inode_ops pipe_inode_ops = {.free = pipe_free};
static const struct file_ops reader_ops = {
	.read = pipe_read,
	.ioctl = pipe_ioctl,
	.poll = poll_reader,
	.release = release_reader,
	.is_stream = true,
};
static const struct file_ops writer_ops = {
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = poll_writer,
	.release = release_writer,
	.is_stream = true,
};

static struct pipe *pipe_alloc(void)
{
	struct pipe *p = kmalloc(sizeof(*p), PA_ZERO);

	if (!p)
		return NULL;
	inode_init(&p->inode, S_IFIFO | 0600, &pipe_inode_ops, NULL);
	p->inode.dev = PIPE_DEV;
	mutex_init(&p->lock, RANK_INODE);
	waitq_init(&p->not_empty);
	waitq_init(&p->not_full);
	return p;
}

int pipe_create(struct file **reader, struct file **writer, u32 flags)
{
	struct pipe *p = pipe_alloc();
	int err;

	if (!p)
		return -ENOMEM;
	err = file_alloc(&p->inode, &reader_ops, (flags & O_NONBLOCK) | O_RDONLY, reader);
	if (err)
		goto put_inode;
	p->readers = 1;
	err = file_alloc(&p->inode, &writer_ops, (flags & O_NONBLOCK) | O_WRONLY, writer);
	if (err)
		file_put(*reader);
	else
		p->writers = 1;
put_inode:
	inode_put(&p->inode); /* the files hold their own */
	return err;
}
