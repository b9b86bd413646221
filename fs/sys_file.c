/* SPDX-License-Identifier: MIT */
/*
 * sys_file.c - system calls on an open file: data, position, ioctl.
 *
 * read and write hold the position lock of a seekable file from before the transfer until the position has
 * moved, so threads that share it get different bytes.
 */
#include <uapi/errno.h>
#include <uapi/misc.h>
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "mm/phys/slab.h"

#define RW_MAX ((u64)0x7ffff000) /* bytes in one call, as on Linux */

enum transfer { READ, WRITE };

/* --- buffers ----------------------------------------------------------------------------------------- */

static int import_one(struct uio *uio, vaddr_t buf, u64 count)
{
	if (unlikely(!user_range_ok(buf, count)))
		return -EFAULT;
	uio_init_user(uio, buf, MIN(count, RW_MAX));
	return 0;
}

/* check_segments - lengths that are negative, or overflow together, are EINVAL; the rest is cut off. */
static int check_segments(struct uio_segment *seg, unsigned nr)
{
	u64 total = 0;

	for (unsigned i = 0; i < nr; i++) {
		if ((s64)seg[i].len < 0)
			return -EINVAL;
		if (!user_range_ok(seg[i].base, seg[i].len))
			return -EFAULT;
		seg[i].len = MIN(seg[i].len, RW_MAX - total);
		total += seg[i].len;
	}
	return 0;
}

void user_buffers_free(struct user_buffers *b)
{
	if (b->seg != b->fast)
		kfree(b->seg);
}

/* struct uapi_iovec and struct uio_segment are the same two words. */
int user_buffers_import(struct user_buffers *b, vaddr_t iov, u64 nr)
{
	int err;

	if (nr > IOV_MAX)
		return -EINVAL;
	b->seg = nr <= IOV_FAST ? b->fast : kmalloc(nr * sizeof(*b->seg), 0);
	if (!b->seg)
		return -ENOMEM;
	err = copy_from_user(b->seg, iov, nr * sizeof(*b->seg));
	if (!err)
		err = check_segments(b->seg, (unsigned)nr);
	if (err)
		user_buffers_free(b);
	else
		uio_init(&b->uio, b->seg, (unsigned)nr);
	return err;
}

/* import_few - the same for a list of the usual kind: not empty, short, in order. False: user_buffers_import has to find out
 * what it is. Nothing needs to be freed. */
static ALWAYS_INLINE bool import_few(struct user_buffers *b, vaddr_t iov, u64 nr)
{
	struct uio_segment *seg = b->fast;
	u64 total = 0;

	if (unlikely(nr - 1 >= IOV_FAST) || unlikely(!user_range_ok(iov, nr * sizeof(*seg))))
		return false;
	lock_assert_user_access();
	user_access_begin();
	for (const struct uio_segment *end = seg + nr; seg < end; seg++, iov += sizeof(*seg)) {
		u64 base, len;

		user_load_u64(base, iov, 0, irregular);
		user_load_u64(len, iov, 8, irregular);
		if (unlikely(len > RW_MAX - total) || unlikely(base > USER_TOP - len))
			goto irregular;
		*seg = (struct uio_segment){base, len};
		total += len;
	}
	user_access_end();
	b->uio = (struct uio){.at = b->fast[0].base,
			      .room = b->fast[0].len,
			      .left = total,
			      .next = b->fast + 1,
			      .nr_next = (u32)nr - 1};
	return true;
irregular:
	user_access_end();
	return false;
}

/* --- transfer ---------------------------------------------------------------------------------------- */

static inline bool may_transfer(const struct file *f, enum transfer t)
{
	return t == READ ? f->can_read : f->can_write;
}

static inline ssize_t transfer(struct file *f, struct uio *uio, u64 *pos, enum transfer t)
{
	ssize_t (*op)(struct file *, struct uio *, u64 *) =
		t == READ ? f->ops->read : f->ops->write;

	if (unlikely(!op || (pos && uio->left > (u64)INT64_MAX - *pos)))
		return -EINVAL;
	if (t == WRITE)
		uio->append = uio->append || ((f->flags & O_APPEND) && !uio->no_append);
	return op(f, uio, pos);
}

/* at_position - read or write where the file stands. */
static ssize_t at_position(struct file *f, struct uio *uio, enum transfer t)
{
	ssize_t n;

	if (f->ops->is_stream)
		return transfer(f, uio, NULL, t);
	mutex_lock(&f->pos_lock);
	n = transfer(f, uio, &f->pos, t);
	mutex_unlock(&f->pos_lock);
	return n;
}

/* transfer_borrowed - at_position, for a file of fd_borrow. The position needs no lock while there is no other descriptor:
 * nobody else can move it. */
static ALWAYS_INLINE ssize_t transfer_borrowed(struct file *f, bool counted, struct uio *uio,
					       enum transfer t)
{
	if (likely(!f->ops->is_stream && !counted && atomic_load(&f->refs) == 1))
		return transfer(f, uio, &f->pos, t);
	return at_position(f, uio, t);
}

/* rw_general - any file. */
static ALWAYS_INLINE long rw_general(int fd, vaddr_t buf, u64 count, enum transfer t)
{
	struct uio uio;
	bool counted;
	struct file *f = fd_borrow(fd, &counted);
	long n = -EBADF;

	if (unlikely(!f))
		return -EBADF;
	if (likely(may_transfer(f, t)))
		n = import_one(&uio, buf, count);
	if (likely(!n))
		n = transfer_borrowed(f, counted, &uio, t);
	fd_return(f, counted);
	return n;
}

static NOINLINE long read_general(int fd, vaddr_t buf, u64 count)
{
	return rw_general(fd, buf, count, READ);
}

static NOINLINE long write_general(int fd, vaddr_t buf, u64 count)
{
	return rw_general(fd, buf, count, WRITE);
}

/* is_plain_buffer - it may be user memory, and nothing is cut off. */
static inline bool is_plain_buffer(vaddr_t buf, u64 count)
{
	return count <= RW_MAX && buf <= USER_TOP - count;
}

/* The short way: by the only thread that has the descriptor, to a file for which position means nothing. */
long sys_read(int fd, vaddr_t buf, u64 count)
{
	struct file *f = fd_own(fd);
	ssize_t (*op)(struct file *, struct uio *, u64 *) = f ? f->read_directly : NULL;
	struct uio uio;

	if (unlikely(!op) || unlikely(!is_plain_buffer(buf, count)))
		return read_general(fd, buf, count);
	uio_init_user(&uio, buf, count);
	return op(f, &uio, NULL);
}

long sys_write(int fd, vaddr_t buf, u64 count)
{
	struct file *f = fd_own(fd);
	ssize_t (*op)(struct file *, struct uio *, u64 *) = f ? f->write_directly : NULL;
	struct uio uio;

	if (unlikely(!op) || unlikely(!is_plain_buffer(buf, count)))
		return write_general(fd, buf, count);
	uio_init_user(&uio, buf, count);
	return op(f, &uio, NULL);
}

/* The arguments of readv and its relatives. */
struct vector_call {
	int fd;
	vaddr_t iov;
	u64 nr;
	bool here; /* where the file stands, and not at pos */
	s64 pos;   /* bytes */
	u32 flags; /* RWF_* */
};

static long rw_vector(const struct vector_call *c, enum transfer t)
{
	struct user_buffers b;
	u64 at = (u64)c->pos;
	bool counted;
	struct file *f;
	long n = -EBADF;

	if (!c->here && c->pos < 0)
		return -EINVAL;
	f = fd_borrow(c->fd, &counted);
	if (!f)
		return -EBADF;
	if (may_transfer(f, t))
		n = !c->here && f->ops->is_stream ? -ESPIPE
						  : user_buffers_import(&b, c->iov, c->nr);
	if (!n) {
		b.uio.append = c->flags & RWF_APPEND;
		b.uio.no_append = c->flags & RWF_NOAPPEND;
		n = c->here ? transfer_borrowed(f, counted, &b.uio, t)
			    : transfer(f, &b.uio, &at, t);
		user_buffers_free(&b);
	}
	fd_return(f, counted);
	return n;
}

static NOINLINE long readv_general(int fd, vaddr_t iov, u64 nr)
{
	return rw_vector(&(struct vector_call){.fd = fd, .iov = iov, .nr = nr, .here = true}, READ);
}

static NOINLINE long writev_general(int fd, vaddr_t iov, u64 nr)
{
	return rw_vector(&(struct vector_call){.fd = fd, .iov = iov, .nr = nr, .here = true},
			 WRITE);
}

/* The short way, as for read and write. */
long sys_readv(int fd, vaddr_t iov, u64 nr)
{
	struct file *f = fd_own(fd);
	ssize_t (*op)(struct file *, struct uio *, u64 *) = f ? f->read_directly : NULL;
	struct user_buffers b;

	if (unlikely(!op) || unlikely(!import_few(&b, iov, nr)))
		return readv_general(fd, iov, nr);
	return op(f, &b.uio, NULL);
}

long sys_writev(int fd, vaddr_t iov, u64 nr)
{
	struct file *f = fd_own(fd);
	ssize_t (*op)(struct file *, struct uio *, u64 *) = f ? f->write_directly : NULL;
	struct user_buffers b;

	if (unlikely(!op) || unlikely(!import_few(&b, iov, nr)))
		return writev_general(fd, iov, nr);
	return op(f, &b.uio, NULL);
}

long sys_preadv(int fd, vaddr_t iov, u64 nr, s64 pos)
{
	return rw_vector(&(struct vector_call){.fd = fd, .iov = iov, .nr = nr, .pos = pos}, READ);
}

long sys_pwritev(int fd, vaddr_t iov, u64 nr, s64 pos)
{
	return rw_vector(&(struct vector_call){.fd = fd, .iov = iov, .nr = nr, .pos = pos}, WRITE);
}

/* check_rwf - what preadv2 and pwritev2 may be asked for. Nothing is ever written later than now, so the
 * synchronous flags hold; polling for completion is a hint. */
static int check_rwf(u32 flags)
{
	if (flags & ~(u32)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND | RWF_NOAPPEND))
		return -EOPNOTSUPP;
	return (flags & RWF_APPEND) && (flags & RWF_NOAPPEND) ? -EINVAL : 0;
}

/* The upper half of the position is for 32-bit callers; a position of -1 means where the file stands. */
static long rw_vector2(const struct vector_call *c, enum transfer t)
{
	int err = check_rwf(c->flags);

	return err ? err : rw_vector(c, t);
}

long sys_preadv2(int fd, vaddr_t iov, u64 nr, s64 pos, u64 pos_high, u32 flags)
{
	struct vector_call c = {fd, iov, nr, pos == -1, pos, flags};

	(void)pos_high;
	return rw_vector2(&c, READ);
}

long sys_pwritev2(int fd, vaddr_t iov, u64 nr, s64 pos, u64 pos_high, u32 flags)
{
	struct vector_call c = {fd, iov, nr, pos == -1, pos, flags};

	(void)pos_high;
	return rw_vector2(&c, WRITE);
}

static ALWAYS_INLINE long rw_at(int fd, vaddr_t buf, u64 count, s64 pos, enum transfer t)
{
	struct uio uio;
	struct file *f;
	u64 at = (u64)pos;
	bool counted;
	long n = -EBADF;

	if (unlikely(pos < 0))
		return -EINVAL;
	f = fd_borrow(fd, &counted);
	if (unlikely(!f))
		return -EBADF;
	if (likely(may_transfer(f, t)))
		n = unlikely(f->ops->is_stream) ? -ESPIPE : import_one(&uio, buf, count);
	if (likely(!n))
		n = transfer(f, &uio, &at, t);
	fd_return(f, counted);
	return n;
}

long sys_pread64(int fd, vaddr_t buf, u64 count, s64 pos)
{
	return rw_at(fd, buf, count, pos, READ);
}

long sys_pwrite64(int fd, vaddr_t buf, u64 count, s64 pos)
{
	return rw_at(fd, buf, count, pos, WRITE);
}

/* --- the rest ---------------------------------------------------------------------------------------- */

long sys_lseek(int fd, s64 offset, int whence)
{
	struct file *f = fd_get(fd);
	long pos = -ESPIPE;

	if (!f)
		return -EBADF;
	if (f->ops->seek) {
		mutex_lock(&f->pos_lock);
		pos = f->ops->seek(f, offset, whence);
		mutex_unlock(&f->pos_lock);
	}
	file_put(f);
	return pos;
}

/* set_nonblocking - FIONBIO: as fcntl(F_SETFL) with O_NONBLOCK alone. */
static long set_nonblocking(struct file *f, vaddr_t arg)
{
	u32 on;

	if (get_user_u32(arg, &on))
		return -EFAULT;
	if (on)
		atomic_or(&f->flags, (u32)O_NONBLOCK);
	else
		atomic_and(&f->flags, ~(u32)O_NONBLOCK);
	return 0;
}

long sys_ioctl(int fd, unsigned cmd, vaddr_t arg)
{
	struct file *f = fd_get(fd);
	long result;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		result = fd_set_cloexec(fd, cmd == FIOCLEX);
		break;
	case FIONBIO:
		result = set_nonblocking(f, arg);
		break;
	default:
		result = f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
	}
	file_put(f);
	return result;
}

long sys_getdents64(int fd, vaddr_t buf, u32 size)
{
	struct file *f = fd_get(fd);
	long n = -ENOTDIR;

	if (!f)
		return -EBADF;
	if (f->ops->readdir) {
		mutex_lock(&f->pos_lock);
		n = f->ops->readdir(f, buf, size);
		mutex_unlock(&f->pos_lock);
	}
	file_put(f);
	return n;
}
