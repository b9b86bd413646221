/* SPDX-License-Identifier: MIT */
/* sys_lock.c - flock(2) and the lock commands of fcntl(2). */
#include <uapi/errno.h>
#include <uapi/fcntl.h>
#include "fs/file.h"
#include "fs/lock.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "mm/obj/object.h"

/* --- fcntl ------------------------------------------------------------------------------------------- */

/* range_of - what struct flock says, from the beginning of the file. */
static int range_of(struct file *f, const struct uapi_flock *fl, struct lock_request *r)
{
	s64 start = fl->l_start, base = 0;

	if (fl->l_whence == SEEK_CUR)
		base = (s64)READ_ONCE(f->pos);
	else if (fl->l_whence == SEEK_END)
		base = f->inode->obj ? (s64)READ_ONCE(f->inode->obj->size) : 0;
	else if (fl->l_whence != SEEK_SET)
		return -EINVAL;
	if (start > INT64_MAX - base)
		return -EOVERFLOW;
	start += base;
	if (start < 0)
		return -EINVAL;
	r->start = (u64)start;
	r->end = LOCK_END;
	if (fl->l_len > 0) {
		if (fl->l_len - 1 > INT64_MAX - start)
			return -EOVERFLOW;
		r->end = (u64)(start + fl->l_len - 1);
	} else if (fl->l_len < 0) {
		if (start + fl->l_len < 0)
			return -EINVAL;
		r->start = (u64)(start + fl->l_len);
		r->end = (u64)start - 1;
	}
	return 0;
}

static int request_of(struct file *f, const struct uapi_flock *fl, bool ofd, struct lock_request *r)
{
	if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK && fl->l_type != F_UNLCK)
		return -EINVAL;
	if (ofd && fl->l_pid)
		return -EINVAL;
	r->space = LOCK_RECORDS;
	r->type = fl->l_type;
	r->owner = ofd ? (void *)f : (void *)current_process->files;
	r->pid = ofd ? 0 : user_pid(current_process);
	r->is_process = !ofd;
	return range_of(f, fl, r);
}

static int get_lock(struct file *f, struct uapi_flock *fl, bool ofd)
{
	struct lock_request r, found;
	int err = request_of(f, fl, ofd, &r);

	if (err)
		return err;
	if (r.type == F_UNLCK)
		return -EINVAL;
	if (!lock_test(f->inode, &r, &found)) {
		fl->l_type = F_UNLCK;
		return 0;
	}
	fl->l_type = (s16)found.type;
	fl->l_whence = SEEK_SET;
	fl->l_start = (s64)found.start;
	fl->l_len = found.end == LOCK_END ? 0 : (s64)(found.end - found.start + 1);
	fl->l_pid = found.is_process ? (s32)found.pid : -1;
	return 0;
}

/* set_lock - if another thread has closed the descriptor meanwhile, nobody would ever release the lock. */
static int set_lock(int fd, struct file *f, const struct uapi_flock *fl, bool ofd, bool wait)
{
	struct lock_request r;
	struct file *now;
	int err = request_of(f, fl, ofd, &r);

	if (err)
		return err;
	if ((r.type == F_RDLCK && !f->can_read) || (r.type == F_WRLCK && !f->can_write))
		return -EBADF;
	err = lock_set(f->inode, &r, wait);
	if (err || ofd || r.type == F_UNLCK)
		return err;
	now = fd_get(fd);
	if (now)
		file_put(now);
	if (now == f)
		return 0;
	r.type = F_UNLCK;
	lock_set(f->inode, &r, false);
	return -EBADF;
}

long fcntl_lock(int fd, struct file *f, unsigned cmd, vaddr_t arg)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	struct uapi_flock fl;
	int err;

	if (copy_from_user(&fl, arg, sizeof(fl)))
		return -EFAULT;
	if (cmd != F_GETLK && cmd != F_OFD_GETLK)
		return set_lock(fd, f, &fl, ofd, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
	err = get_lock(f, &fl, ofd);
	return err ? err : copy_to_user(arg, &fl, sizeof(fl));
}

/* --- flock ------------------------------------------------------------------------------------------- */

static int flock_type(int op)
{
	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		return F_RDLCK;
	case LOCK_EX:
		return F_WRLCK;
	case LOCK_UN:
		return F_UNLCK;
	default:
		return -EINVAL;
	}
}

/* A change of type that cannot be had at once is not one step: the old lock is given up, whatever comes then. */
static long do_flock(struct file *f, int op)
{
	struct lock_request r = {.space = LOCK_WHOLE, .end = LOCK_END, .owner = f};
	int type = flock_type(op), err;

	if (type < 0)
		return type;
	r.type = type;
	err = lock_set(f->inode, &r, false);
	if (err != -EAGAIN)
		return err;
	r.type = F_UNLCK;
	lock_set(f->inode, &r, false);
	r.type = type;
	return op & LOCK_NB ? -EAGAIN : lock_set(f->inode, &r, true);
}

long sys_flock(int fd, int op)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = do_flock(f, op);
	file_put(f);
	return err;
}
