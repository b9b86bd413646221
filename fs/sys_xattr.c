/* SPDX-License-Identifier: MIT */
/*
 * sys_xattr.c - extended attributes, which no file system here has: the files are found, the arguments
 * checked, and then nothing is there to be read and nothing can be stored.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define NAME_SIZE     256 /* with the NUL */
#define VALUE_MAX     KIB(64)
#define XATTR_CREATE  1
#define XATTR_REPLACE 2

/* --- finding the file -------------------------------------------------------------------------------- */

static long exists_path(vaddr_t path, int at_flags)
{
	struct inode *inode;
	int err = inode_lookup_user(AT_FDCWD, path, at_flags, &inode);

	if (!err)
		inode_put(inode);
	return err;
}

static long exists_fd(int fd)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	file_put(f);
	return 0;
}

/* --- arguments --------------------------------------------------------------------------------------- */

static long check_name(vaddr_t name)
{
	char text[NAME_SIZE];
	ssize_t n = strncpy_from_user(text, name, sizeof(text));

	if (n == -ENAMETOOLONG || !n)
		return -ERANGE;
	return n < 0 ? n : 0;
}

static long check_set(vaddr_t name, u64 size, int flags)
{
	long err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = check_name(name);
	if (err)
		return err;
	return size > VALUE_MAX ? -E2BIG : 0;
}

/* --- the calls --------------------------------------------------------------------------------------- */

static long unsupported(long err)
{
	return err ? err : -EOPNOTSUPP;
}

static long set(vaddr_t path, vaddr_t name, u64 size, int flags, int at_flags)
{
	long err = check_set(name, size, flags);

	return unsupported(err ? err : exists_path(path, at_flags));
}

long sys_setxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size, int flags)
{
	(void)value;
	return set(path, name, size, flags, 0);
}

long sys_lsetxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size, int flags)
{
	(void)value;
	return set(path, name, size, flags, AT_SYMLINK_NOFOLLOW);
}

long sys_fsetxattr(int fd, vaddr_t name, vaddr_t value, u64 size, int flags)
{
	long err = exists_fd(fd);

	(void)value;
	return unsupported(err ? err : check_set(name, size, flags));
}

static long get_or_remove(vaddr_t path, vaddr_t name, int at_flags)
{
	long err = exists_path(path, at_flags);

	return unsupported(err ? err : check_name(name));
}

static long get_or_remove_fd(int fd, vaddr_t name)
{
	long err = exists_fd(fd);

	return unsupported(err ? err : check_name(name));
}

long sys_getxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size)
{
	(void)value;
	(void)size;
	return get_or_remove(path, name, 0);
}

long sys_lgetxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size)
{
	(void)value;
	(void)size;
	return get_or_remove(path, name, AT_SYMLINK_NOFOLLOW);
}

long sys_fgetxattr(int fd, vaddr_t name, vaddr_t value, u64 size)
{
	(void)value;
	(void)size;
	return get_or_remove_fd(fd, name);
}

long sys_removexattr(vaddr_t path, vaddr_t name)
{
	return get_or_remove(path, name, 0);
}

long sys_lremovexattr(vaddr_t path, vaddr_t name)
{
	return get_or_remove(path, name, AT_SYMLINK_NOFOLLOW);
}

long sys_fremovexattr(int fd, vaddr_t name)
{
	return get_or_remove_fd(fd, name);
}

/* A list of no names is empty, and that is no error. */
long sys_listxattr(vaddr_t path, vaddr_t list, u64 size)
{
	(void)list;
	(void)size;
	return exists_path(path, 0);
}

long sys_llistxattr(vaddr_t path, vaddr_t list, u64 size)
{
	(void)list;
	(void)size;
	return exists_path(path, AT_SYMLINK_NOFOLLOW);
}

long sys_flistxattr(int fd, vaddr_t list, u64 size)
{
	(void)list;
	(void)size;
	return exists_fd(fd);
}
