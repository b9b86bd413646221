/* SPDX-License-Identifier: MIT */
/*
 * sys_content.c - system calls on the content of files as a whole: size, holes, synchronisation, advice,
 * and copying from one file to another inside the kernel.
 *
 * Everything is in memory, so what was written is where it will stay: the calls of the sync family have
 * only their arguments to check.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "mm/phys/slab.h"

#define COPY_MAX   ((u64)0x7ffff000) /* bytes in one call, as on Linux */
#define COPY_PIECE KIB(16)
#define ADVICE_MAX 5 /* POSIX_FADV_NOREUSE */

/* --- size -------------------------------------------------------------------------------------------- */

static long resize(struct inode *inode, u64 size)
{
	long err;

	if (!S_ISREG(inode->mode) || !inode->ops->resize)
		return -EINVAL;
	mutex_lock(&inode->lock);
	err = inode->ops->resize(inode, size);
	mutex_unlock(&inode->lock);
	return err;
}

long sys_ftruncate(int fd, s64 size)
{
	struct file *f;
	long err;

	if (size < 0)
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	err = f->can_write ? resize(f->inode, (u64)size) : -EINVAL;
	file_put(f);
	return err;
}

long sys_truncate(vaddr_t upath, s64 size)
{
	struct inode *inode;
	long err;

	if (size < 0)
		return -EINVAL;
	err = inode_lookup_user(AT_FDCWD, upath, 0, &inode);
	if (err)
		return err;
	if (S_ISDIR(inode->mode))
		err = -EISDIR;
	else if (!S_ISREG(inode->mode))
		err = -EINVAL;
	else
		err = vfs_permission(inode, W_OK, false);
	if (!err)
		err = inode_hold_write(inode, 1);
	if (!err) {
		err = resize(inode, (u64)size);
		inode_release_write(inode, 1);
	}
	inode_put(inode);
	return err;
}

/* check_mode - which combinations there are at all; which of them a file system knows is its own business. */
static int check_mode(int mode)
{
	int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	switch (mode) {
	case 0:
	case FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_COLLAPSE_RANGE:
	case FALLOC_FL_INSERT_RANGE:
	case FALLOC_FL_ZERO_RANGE:
	case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_UNSHARE_RANGE:
	case FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE:
		return 0;
	default:
		return mode & punch ? -EOPNOTSUPP : -EINVAL;
	}
}

static int allocate(struct file *f, int mode, s64 offset, s64 len)
{
	u32 type = f->inode->mode & S_IFMT;
	int err;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	err = check_mode(mode);
	if (err)
		return err == -EINVAL ? -EOPNOTSUPP : err;
	if (!f->can_write)
		return -EBADF;
	if (type == S_IFIFO)
		return -ESPIPE;
	if (type == S_IFDIR)
		return -EISDIR;
	if (type != S_IFREG && type != S_IFBLK)
		return -ENODEV;
	if (len > INT64_MAX - offset)
		return -EFBIG;
	return f->ops->allocate ? f->ops->allocate(f, mode, (u64)offset, (u64)len) : -EOPNOTSUPP;
}

long sys_fallocate(int fd, int mode, s64 offset, s64 len)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = allocate(f, mode, offset, len);
	file_put(f);
	return err;
}

/* --- synchronisation, advice ------------------------------------------------------------------------- */

long sys_sync(void)
{
	return 0;
}

/* Only what is stored somewhere can be synchronised: no pipes, no devices. */
long sys_fsync(int fd)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = f->inode->obj || S_ISDIR(f->inode->mode) ? 0 : -EINVAL;
	file_put(f);
	return err;
}

long sys_fdatasync(int fd)
{
	return sys_fsync(fd);
}

long sys_syncfs(int fd)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	file_put(f);
	return 0;
}

long sys_sync_file_range(int fd, s64 offset, s64 len, unsigned flags)
{
	struct file *f = fd_get(fd);
	long err = 0;

	if (!f)
		return -EBADF;
	if ((flags & ~7u) || offset < 0 || len < 0 || len > INT64_MAX - offset)
		err = -EINVAL;
	else if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode) && !S_ISBLK(f->inode->mode))
		err = -ESPIPE;
	file_put(f);
	return err;
}

/* What is in memory is neither read ahead nor dropped; the advice is heard and nothing needs to be done. */
long sys_fadvise64(int fd, s64 offset, s64 len, int advice)
{
	struct file *f = fd_get(fd);
	long err = 0;

	(void)offset;
	if (!f)
		return -EBADF;
	if (S_ISFIFO(f->inode->mode))
		err = -ESPIPE;
	else if (len < 0 || advice < 0 || advice > ADVICE_MAX)
		err = -EINVAL;
	file_put(f);
	return err;
}

long sys_readahead(int fd, s64 offset, u64 count)
{
	struct file *f = fd_get(fd);
	long err = 0;

	(void)offset;
	(void)count;
	if (!f)
		return -EBADF;
	if (!f->can_read)
		err = -EBADF;
	else if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		err = -EINVAL;
	file_put(f);
	return err;
}

/* --- copying ----------------------------------------------------------------------------------------- */

/* One copy: from where to where. The positions belong to the caller. */
struct copy {
	struct file *in, *out;
	u64 *in_pos, *out_pos; /* out_pos NULL: a stream */
	u64 left;              /* bytes */
};

static ssize_t kernel_io(struct file *f, void *buf, size_t n, u64 *pos,
			 ssize_t (*op)(struct file *, struct uio *, u64 *))
{
	struct uio uio;

	uio_init_kernel(&uio, buf, n);
	return op(f, &uio, pos);
}

/* copy_piece - what could not be written is read again next time. Bytes, 0 at the end, -errno. */
static ssize_t copy_piece(struct copy *c, void *buf)
{
	u64 from = *c->in_pos;
	ssize_t got = kernel_io(c->in, buf, MIN(c->left, COPY_PIECE), c->in_pos, c->in->ops->read);
	ssize_t put;

	if (got <= 0)
		return got;
	put = kernel_io(c->out, buf, (size_t)got, c->out_pos, c->out->ops->write);
	*c->in_pos = from + (u64)MAX(put, 0);
	return put;
}

static long copy_all(struct copy *c)
{
	u64 total = c->left;
	ssize_t n = 1;
	void *buf;

	if (!c->in->ops->read || !c->out->ops->write)
		return -EINVAL;
	buf = kmalloc(COPY_PIECE, 0);
	if (!buf)
		return -ENOMEM;
	while (c->left && n > 0 && !signal_fatal(current)) {
		n = copy_piece(c, buf);
		c->left -= (u64)MAX(n, 0);
		if (n < (ssize_t)COPY_PIECE && c->out->ops->is_stream)
			break;
	}
	kfree(buf);
	return c->left < total ? (long)(total - c->left) : n;
}

/* A position that is the caller's or the file's own. */
struct position {
	struct file *file;
	vaddr_t user; /* 0: the file's */
	u64 value;
};

static int position_begin(struct position *p, struct file *f, vaddr_t user)
{
	*p = (struct position){.file = f, .user = user};
	if (user) {
		if (f->ops->is_stream || !f->ops->seek)
			return -ESPIPE;
		if (get_user_u64(user, &p->value))
			return -EFAULT;
		return (s64)p->value < 0 ? -EINVAL : 0;
	}
	mutex_lock(&f->pos_lock);
	p->value = f->pos;
	mutex_unlock(&f->pos_lock);
	return 0;
}

static int position_end(const struct position *p)
{
	if (p->user)
		return put_user_u64(p->user, p->value);
	if (p->file->ops->is_stream)
		return 0;
	mutex_lock(&p->file->pos_lock);
	p->file->pos = p->value;
	mutex_unlock(&p->file->pos_lock);
	return 0;
}

static long copy_between(struct file *out, vaddr_t out_user, struct file *in, vaddr_t in_user,
			 u64 n)
{
	struct position from, to;
	struct copy c = {.in = in, .out = out, .left = MIN(n, COPY_MAX)};
	long done = position_begin(&from, in, in_user);

	if (!done)
		done = position_begin(&to, out, out_user);
	if (done)
		return done;
	if (c.left > (u64)INT64_MAX - from.value)
		return -EINVAL;
	c.in_pos = &from.value;
	c.out_pos = &to.value;
	done = copy_all(&c);
	if (position_end(&from) || position_end(&to))
		return -EFAULT;
	return done;
}

static long sendfile(struct file *out, struct file *in, vaddr_t offset, u64 count)
{
	if (!in->can_read || !out->can_write)
		return -EBADF;
	if (offset && (in->ops->is_stream || !in->ops->seek))
		return -ESPIPE;
	if (!S_ISREG(in->inode->mode) || (out->flags & O_APPEND))
		return -EINVAL;
	return copy_between(out, 0, in, offset, count);
}

long sys_sendfile(int out_fd, int in_fd, vaddr_t offset, u64 count)
{
	struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
	long n = in && out ? sendfile(out, in, offset, count) : -EBADF;

	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return n;
}

static int check_copy(const struct file *in, const struct file *out)
{
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!in->can_read || !out->can_write || (out->flags & O_APPEND))
		return -EBADF;
	return in->inode->super != out->inode->super ? -EXDEV : 0;
}

/* overlap - copying a file onto a part of itself that is being read. */
static int check_overlap(struct file *in, vaddr_t in_pos, struct file *out, vaddr_t out_pos,
			 u64 len)
{
	struct position from, to;
	int err;

	if (in->inode != out->inode)
		return 0;
	err = position_begin(&from, in, in_pos);
	if (!err)
		err = position_begin(&to, out, out_pos);
	if (err)
		return err;
	len = MIN(len, COPY_MAX);
	return from.value < to.value + len && to.value < from.value + len ? -EINVAL : 0;
}

long sys_copy_file_range(int in_fd, vaddr_t in_pos, int out_fd, vaddr_t out_pos, u64 len,
			 unsigned flags)
{
	struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
	long n = in && out ? check_copy(in, out) : -EBADF;

	if (!n && flags)
		n = -EINVAL;
	if (!n)
		n = check_overlap(in, in_pos, out, out_pos, len);
	if (!n)
		n = copy_between(out, out_pos, in, in_pos, len);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return n;
}
