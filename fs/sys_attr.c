/* SPDX-License-Identifier: MIT */
/* sys_attr.c - system calls that change a file's mode, owner and times. The rules are in attr.c. */
#include <uapi/errno.h>
#include <uapi/time.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe
#define LAST_TIME  (INT64_MAX / (s64)NSEC_PER_SEC) /* seconds */

/* --- mode -------------------------------------------------------------------------------------------- */

long sys_fchmod(int fd, u32 mode)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = inode_change_mode(f->inode, mode);
	file_put(f);
	return err;
}

long sys_fchmodat2(int dirfd, vaddr_t upath, u32 mode, int flags)
{
	struct inode *inode;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = inode_lookup_user(dirfd, upath, flags, &inode);
	if (err)
		return err;
	err = S_ISLNK(inode->mode) ? -EOPNOTSUPP : inode_change_mode(inode, mode);
	inode_put(inode);
	return err;
}

long sys_fchmodat(int dirfd, vaddr_t upath, u32 mode)
{
	return sys_fchmodat2(dirfd, upath, mode, 0);
}

/* --- owner ------------------------------------------------------------------------------------------- */

long sys_fchown(int fd, u32 uid, u32 gid)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = inode_change_owner(f->inode, uid, gid);
	file_put(f);
	return err;
}

long sys_fchownat(int dirfd, vaddr_t upath, u32 uid, u32 gid, int flags)
{
	struct inode *inode;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = inode_lookup_user(dirfd, upath, flags, &inode);
	if (err)
		return err;
	err = inode_change_owner(inode, uid, gid);
	inode_put(inode);
	return err;
}

/* --- times ------------------------------------------------------------------------------------------- */

static bool is_valid(const struct uapi_timespec *t)
{
	return (u64)t->tv_nsec < NSEC_PER_SEC || t->tv_nsec == UTIME_NOW ||
	       t->tv_nsec == UTIME_OMIT;
}

/* time_from - what a file can hold: from 1970 to 2262; what lies outside becomes the nearest. */
static u64 time_from(const struct uapi_timespec *t)
{
	if (t->tv_sec < 0)
		return 0;
	return (u64)MIN(t->tv_sec, LAST_TIME - 1) * NSEC_PER_SEC + (u64)t->tv_nsec;
}

static void times_from(const struct uapi_timespec t[2], struct inode_times *out)
{
	int how[2];

	for (int i = 0; i < 2; i++)
		how[i] = t[i].tv_nsec == UTIME_NOW    ? TIME_NOW
			 : t[i].tv_nsec == UTIME_OMIT ? TIME_KEEP
						      : TIME_SET;
	out->set_atime = how[0];
	out->set_mtime = how[1];
	out->atime = time_from(&t[0]);
	out->mtime = time_from(&t[1]);
}

/* change_times - t NULL: both are now. A path of NULL means the descriptor, which must be open for something. */
static long change_times(int dirfd, vaddr_t upath, const struct uapi_timespec *t, int flags)
{
	struct inode_times times = {.set_atime = TIME_NOW, .set_mtime = TIME_NOW};
	struct inode *inode;
	struct file *f;
	long err;

	if (t)
		times_from(t, &times);
	if (!upath && dirfd != AT_FDCWD) {
		if (flags)
			return -EINVAL;
		f = fd_get(dirfd);
		if (!f)
			return -EBADF;
		err = inode_change_times(f->inode, &times);
		file_put(f);
		return err;
	}
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = inode_lookup_user(dirfd, upath, flags, &inode);
	if (err)
		return err;
	err = inode_change_times(inode, &times);
	inode_put(inode);
	return err;
}

long sys_utimensat(int dirfd, vaddr_t upath, vaddr_t utimes, int flags)
{
	struct uapi_timespec t[2];

	if (!utimes)
		return change_times(dirfd, upath, NULL, flags);
	if (copy_from_user(t, utimes, sizeof(t)))
		return -EFAULT;
	if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
		return 0;
	if (!is_valid(&t[0]) || !is_valid(&t[1]))
		return -EINVAL;
	return change_times(dirfd, upath, t, flags);
}

long sys_futimesat(int dirfd, vaddr_t upath, vaddr_t utimes)
{
	struct uapi_timeval tv[2];
	struct uapi_timespec t[2];

	if (!utimes)
		return change_times(dirfd, upath, NULL, 0);
	if (copy_from_user(tv, utimes, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		t[i] = (struct uapi_timespec){tv[i].tv_sec, tv[i].tv_usec * 1000};
	}
	return change_times(dirfd, upath, t, 0);
}

/* utime(2): whole seconds. */
long sys_utime(vaddr_t upath, vaddr_t utimes)
{
	struct uapi_timespec t[2] = {{0, 0}, {0, 0}};
	s64 seconds[2];

	if (!utimes)
		return change_times(AT_FDCWD, upath, NULL, 0);
	if (copy_from_user(seconds, utimes, sizeof(seconds)))
		return -EFAULT;
	t[0].tv_sec = seconds[0];
	t[1].tv_sec = seconds[1];
	return change_times(AT_FDCWD, upath, t, 0);
}
