/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - pipes: a ring of pieces of pages between two open files.
 *
 * A page is allocated when data comes and freed when it is read out; one is kept, so that a pipe that
 * carries small messages does not allocate. Small writes go on filling the last page, unless the writer
 * wants its messages kept apart (O_DIRECT). A write of up to PIPE_BUF bytes is done as a whole or waits.
 *
 * The pipe's mutex guards the ring; user memory may be touched under it. Sleepers look at count and at the
 * number of ends without it. Writers sleep only while the pipe is full, so reading wakes them when that
 * ends; writing always wakes, because epoll may want to be told of each arrival.
 *
 * Read next: pipe.h, fifo.c.
 */
#include "fs/pipe.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/termios.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define PIPE_DEV 0x0e

static struct pipe *pipe_of(const struct file *f)
{
	return f->private_data;
}

static struct pipe_buf *slot(struct pipe *p, u32 n)
{
	return &p->ring[(p->first + n) & (p->nr_slots - 1)];
}

static bool has_room(const struct pipe *p)
{
	return atomic_load(&p->count) < atomic_load(&p->nr_slots);
}

/* --- pages ------------------------------------------------------------------------------------------- */

static inline char *take_page(struct pipe *p)
{
	char *page = p->spare;
	struct page *fresh;

	if (likely(page)) {
		p->spare = NULL;
		return page;
	}
	fresh = page_alloc(0, 0);
	return fresh ? page_to_virt(fresh) : NULL;
}

static void put_page(char *page)
{
	page_put(virt_to_page(page));
}

static inline void give_page(struct pipe *p, char *page)
{
	if (unlikely(p->spare))
		put_page(page);
	else
		p->spare = page;
}

static void drop_first(struct pipe *p, struct pipe_buf *s)
{
	give_page(p, s->page);
	p->first++;
	WRITE_ONCE(p->count, p->count - 1);
}

/* --- reading ----------------------------------------------------------------------------------------- */

/* read_first - from the oldest slot, as much as fits. False: that is all for this call. Lock held. */
static bool read_first(struct pipe *p, struct uio *uio)
{
	struct pipe_buf *s = slot(p, 0);
	bool packet = s->flags & PIPE_BUF_PACKET;
	size_t want = MIN(uio->left, s->len);
	size_t n = uio_put(uio, s->page + s->offset, want);

	if (likely(n == s->len || (packet && n == want))) {
		drop_first(p, s);
		return !packet && uio->left && p->count;
	}
	s->offset += (u32)n;
	s->len -= (u32)n;
	return false;
}

/* read_slots - what is there now, up to the end of a packet; 0: nothing; -EFAULT when nothing could be copied. Lock held. */
static ssize_t read_slots(struct pipe *p, struct uio *uio)
{
	u64 before = uio->left;

	if (!p->count)
		return 0;
	while (read_first(p, uio))
		;
	return likely(uio->left < before) ? (ssize_t)(before - uio->left) : -EFAULT;
}

/* read_message - the usual read: from the only slot, which is no packet, into a single buffer. Bytes, which the caller
 * gets to hear of at once; 0: it is another, or user memory is in the way, and nothing has changed. Lock held. */
static inline u32 read_message(struct pipe *p, const struct uio *uio)
{
	struct pipe_buf *s = slot(p, 0);
	u32 n = (u32)MIN(uio->left, (u64)s->len);

	if (unlikely(p->count != 1) || unlikely(s->flags & PIPE_BUF_PACKET) ||
	    unlikely(!uio_fits(uio, n)))
		return 0;
	lock_assert_user_access();
	if (unlikely(arch_copy_to_user(uio->at, s->page + s->offset, n)))
		return 0;
	if (likely(n == s->len)) {
		give_page(p, s->page);
		WRITE_ONCE(p->count, 0);
	} else {
		s->offset += n;
		s->len -= n;
	}
	return n;
}

/* read_other - what read_message could not. As read_some; lock held, and released. */
static NOINLINE ssize_t read_other(struct pipe *p, struct uio *uio)
{
	bool was_full = !has_room(p);
	ssize_t done = read_slots(p, uio);

	mutex_unlock(&p->lock);
	if (was_full && has_room(p))
		waitq_wake_all(&p->not_full);
	return done;
}

/* read_some - what is there now; 0: another reader was faster. */
static ALWAYS_INLINE ssize_t read_some(struct pipe *p, struct uio *uio)
{
	u32 n;

	mutex_lock_by(&p->lock, current);
	n = read_message(p, uio);
	if (unlikely(!n))
		return read_other(p, uio);
	mutex_unlock_by(&p->lock, current);
	if (unlikely(atomic_load(&p->nr_slots) == 1))
		waitq_wake_all(&p->not_full); /* one slot was all */
	return n;
}

/* wait_for_data - 1: there is some, or was; 0: and there will be none; -EAGAIN, -RESTART_SYS. */
static NOINLINE ssize_t wait_for_data(struct pipe *p, const struct file *f)
{
	/* In this order: what the last writer left is not missed. */
	bool open = atomic_load_acquire(&p->writers);

	if (atomic_load(&p->count))
		return 1;
	if (!open)
		return 0;
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event(&p->not_empty, atomic_load(&p->count) || !atomic_load(&p->writers),
			  WAIT_INTERRUPTIBLE)
		       ? -RESTART_SYS
		       : 1;
}

static ssize_t pipe_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct pipe *p = pipe_of(f);
	ssize_t n;

	(void)pos;
	if (unlikely(!uio->left))
		return 0;
	do {
		if (!atomic_load(&p->count)) {
			n = wait_for_data(p, f);
			if (unlikely(n <= 0))
				return n;
		}
		n = read_some(p, uio);
	} while (unlikely(!n));
	return n;
}

/* --- writing ----------------------------------------------------------------------------------------- */

/* append - more data into the last page, of which there is one, if all of want fits there. */
static void append(struct pipe *p, struct uio *uio, size_t want)
{
	struct pipe_buf *s = slot(p, p->count - 1);

	if (want && (s->flags & PIPE_BUF_MERGE) && want <= PAGE_SIZE - s->offset - s->len)
		s->len += (u32)uio_get(uio, s->page + s->offset + s->len, want);
}

/* broken - nobody reads: the pipe's answer to who writes. */
static NOINLINE ssize_t broken(void)
{
	signal_send_self(SIGPIPE);
	return -EPIPE;
}

/* add_slot - up to a page of data into a new slot. Bytes, -EFAULT, -ENOMEM. */
static ssize_t add_slot(struct pipe *p, struct uio *uio, u32 flags)
{
	char *page = take_page(p);
	size_t n;

	if (!page)
		return -ENOMEM;
	n = uio_get(uio, page, MIN(uio->left, PAGE_SIZE));
	if (!n) {
		give_page(p, page);
		return -EFAULT;
	}
	*slot(p, p->count) = (struct pipe_buf){page, 0, (u32)n, flags};
	WRITE_ONCE(p->count, p->count + 1);
	return (ssize_t)n;
}

/* write_slots - as much as there is room for. Bytes, 0 when full, -errno when nothing was done. Lock held. */
static ssize_t write_slots(struct pipe *p, struct uio *uio, u32 flags)
{
	u64 before = uio->left;

	if (p->count && (flags & PIPE_BUF_MERGE))
		append(p, uio, before % PAGE_SIZE);
	while (uio->left && has_room(p)) {
		ssize_t n = add_slot(p, uio, flags);

		if (n <= 0)
			return uio->left < before ? (ssize_t)(before - uio->left) : n;
	}
	return (ssize_t)(before - uio->left);
}

/* write_some - what can be written now; 0: full. Lock held, and released. */
static ssize_t write_some(struct pipe *p, struct uio *uio, u32 flags)
{
	ssize_t n = write_slots(p, uio, flags);

	mutex_unlock(&p->lock);
	if (n > 0)
		waitq_wake_all(&p->not_empty);
	return n;
}

/* write_all - as pipe_write. Lock held, and released. */
static NOINLINE ssize_t write_all(struct file *f, struct uio *uio)
{
	u32 flags = f->flags & O_DIRECT ? PIPE_BUF_PACKET : PIPE_BUF_MERGE;
	struct pipe *p = pipe_of(f);
	u64 total = uio->left;
	ssize_t n;

	for (;;) {
		n = write_some(p, uio, flags);
		if (n < 0 || !uio->left)
			break;
		if (f->flags & O_NONBLOCK)
			n = -EAGAIN;
		else if (wait_event(&p->not_full, has_room(p) || !atomic_load(&p->readers),
				    WAIT_INTERRUPTIBLE))
			n = -RESTART_SYS;
		else if (!atomic_load(&p->readers))
			n = broken();
		if (n < 0)
			break;
		mutex_lock(&p->lock);
	}
	return uio->left < total ? (ssize_t)(total - uio->left) : n;
}

/* write_message - the usual write: into an empty pipe, from a single buffer, and all of it fits the page that the pipe has
 * kept. False: it is another, or user memory is in the way, and nothing has changed. Lock held. */
static inline bool write_message(struct pipe *p, const struct file *f, const struct uio *uio)
{
	u64 n = uio->left;
	char *page = p->spare;

	if (unlikely(p->count) || unlikely(!page) || unlikely(n > PAGE_SIZE) ||
	    unlikely(!uio_fits(uio, n)))
		return false;
	lock_assert_user_access();
	if (unlikely(arch_copy_from_user(page, uio->at, n)))
		return false;
	p->spare = NULL;
	p->first = 0;
	p->ring[0] = (struct pipe_buf){page, 0, (u32)n,
				       f->flags & O_DIRECT ? PIPE_BUF_PACKET : PIPE_BUF_MERGE};
	WRITE_ONCE(p->count, 1);
	return true;
}

static ssize_t pipe_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct pipe *p = pipe_of(f);
	u64 n = uio->left;

	(void)pos;
	if (unlikely(!n))
		return 0;
	if (unlikely(!atomic_load(&p->readers)))
		return broken();
	mutex_lock_by(&p->lock, current);
	if (unlikely(!write_message(p, f, uio)))
		return write_all(f, uio);
	mutex_unlock_by(&p->lock, current);
	waitq_wake_all(&p->not_empty);
	return (ssize_t)n;
}

/* --- the ends ---------------------------------------------------------------------------------------- */

void pipe_join(struct pipe *p, const struct file *f)
{
	mutex_lock(&p->lock);
	if (f->can_read) {
		WRITE_ONCE(p->readers, p->readers + 1);
		WRITE_ONCE(p->readers_ever, p->readers_ever + 1);
	}
	if (f->can_write) {
		WRITE_ONCE(p->writers, p->writers + 1);
		WRITE_ONCE(p->writers_ever, p->writers_ever + 1);
	}
	mutex_unlock(&p->lock);
	waitq_wake_all(&p->opened);
}

void pipe_leave(struct pipe *p, const struct file *f)
{
	mutex_lock(&p->lock);
	if (f->can_read)
		WRITE_ONCE(p->readers, p->readers - 1);
	if (f->can_write)
		WRITE_ONCE(p->writers, p->writers - 1);
	mutex_unlock(&p->lock);
	if (!atomic_load(&p->readers))
		waitq_wake_all(&p->not_full);
	if (!atomic_load(&p->writers))
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

/* A reader of a named pipe that nobody has opened for writing since has nothing hung up on it: f->pos is the
 * number of writers there had been when it came (fifo.c); 0 for others, who have always had one. */
static u32 poll_reader(struct file *f, struct pipe *p)
{
	u32 ready = atomic_load(&p->count) ? POLLIN | POLLRDNORM : 0;

	if (!atomic_load(&p->writers) && f->pos != atomic_load(&p->writers_ever))
		ready |= POLLHUP;
	return ready;
}

static u32 poll_writer(struct pipe *p)
{
	u32 ready = has_room(p) ? POLLOUT | POLLWRNORM : 0;

	return atomic_load(&p->readers) ? ready : ready | POLLERR;
}

static u32 pipe_poll(struct file *f, struct poll_request *r)
{
	struct pipe *p = pipe_of(f);
	u32 ready = 0;

	if (f->can_read)
		poll_wait(r, &p->not_empty);
	if (f->can_write)
		poll_wait(r, &p->not_full);
	if (f->can_read)
		ready |= poll_reader(f, p);
	if (f->can_write)
		ready |= poll_writer(p);
	return ready;
}

const struct file_ops pipe_file_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.release = fifo_release,
	.is_stream = true,
};

/* --- size -------------------------------------------------------------------------------------------- */

static bool is_pipe(const struct file *f)
{
	return f->ops == &pipe_file_ops;
}

long pipe_size(struct file *f)
{
	if (!is_pipe(f))
		return -EBADF;
	return (long)(atomic_load(&pipe_of(f)->nr_slots) * PAGE_SIZE);
}

/* use_ring - from now on with another ring, large enough for what is in the old one, which is returned. Lock held. */
static struct pipe_buf *use_ring(struct pipe *p, struct pipe_buf *ring, u32 nr)
{
	struct pipe_buf *old = p->ring;

	for (u32 i = 0; i < p->count; i++)
		ring[i] = *slot(p, i);
	p->ring = ring;
	p->first = 0;
	WRITE_ONCE(p->nr_slots, nr);
	return old;
}

long pipe_resize(struct file *f, u64 bytes)
{
	struct pipe *p = pipe_of(f);
	struct pipe_buf *ring;
	u32 nr = 1;
	bool fits;

	if (!is_pipe(f))
		return -EBADF;
	if (bytes > 1ull << 31)
		return -EINVAL;
	while (nr * PAGE_SIZE < bytes)
		nr *= 2;
	if (nr > p->nr_slots && nr * PAGE_SIZE > PIPE_MAX_BYTES && !cred_capable(CAP_SYS_RESOURCE))
		return -EPERM;
	ring = kmalloc(nr * sizeof(*ring), 0);
	if (!ring)
		return -ENOMEM;
	mutex_lock(&p->lock);
	fits = p->count <= nr;
	if (fits)
		ring = use_ring(p, ring, nr);
	mutex_unlock(&p->lock);
	kfree(ring);
	if (!fits)
		return -EBUSY;
	waitq_wake_all(&p->not_full);
	return (long)(nr * PAGE_SIZE);
}

/* --- birth and death --------------------------------------------------------------------------------- */

struct pipe *pipe_alloc(void)
{
	struct pipe *p = kmalloc(sizeof(*p), PA_ZERO);

	if (!p)
		return NULL;
	p->ring = kmalloc(PIPE_SLOTS * sizeof(*p->ring), 0);
	if (!p->ring) {
		kfree(p);
		return NULL;
	}
	p->nr_slots = PIPE_SLOTS;
	mutex_init(&p->lock, RANK_INODE);
	waitq_init(&p->not_empty);
	waitq_init(&p->not_full);
	waitq_init(&p->opened);
	return p;
}

void pipe_free(struct pipe *p)
{
	for (u32 i = 0; i < p->count; i++)
		put_page(slot(p, i)->page);
	if (p->spare)
		put_page(p->spare);
	kfree(p->ring);
	kfree(p);
}

static void free_inode(struct inode *inode)
{
	if (inode->private_data)
		pipe_free(inode->private_data); /* nobody ever had it open */
	kfree(inode);
}

static const struct inode_ops pipe_inode_ops = {.free = free_inode};

/* A named pipe without a name: it can be opened again through /proc/self/fd. */
static struct inode *create_inode(void)
{
	struct inode *inode = kmalloc(sizeof(*inode), 0);

	if (!inode)
		return NULL;
	inode_init(inode, S_IFIFO | 0600, &pipe_inode_ops, &fifo_file_ops);
	inode->private_data = pipe_alloc();
	if (!inode->private_data) {
		kfree(inode);
		return NULL;
	}
	inode->dev = PIPE_DEV;
	inode->uid = cred_now()->fsuid;
	inode->gid = cred_now()->fsgid;
	return inode;
}

/* open_end - flags: the access mode and what else fcntl(F_GETFL) shows. */
static int open_end(struct inode *inode, u32 flags, struct file **out)
{
	struct pipe *p = inode->private_data;
	int err = file_alloc(inode, &pipe_file_ops, flags, out);

	if (err)
		return err;
	(*out)->private_data = p;
	p->users++;
	pipe_join(p, *out);
	return 0;
}

int pipe_create(struct file **reader, struct file **writer, u32 flags)
{
	u32 kept = flags & (O_NONBLOCK | O_DIRECT);
	struct inode *inode = create_inode();
	int err;

	if (!inode)
		return -ENOMEM;
	err = open_end(inode, kept | O_RDONLY, reader);
	if (!err) {
		err = open_end(inode, kept | O_WRONLY, writer);
		if (err)
			file_put(*reader);
	}
	inode_put(inode); /* the files hold their own */
	return err;
}
