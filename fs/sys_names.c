/* SPDX-License-Identifier: MIT */
/* sys_names.c - system calls that make, remove and move names, and change permissions. */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* A directory and a name in it, from user space. */
struct user_name {
	struct dentry *dir; /* referenced */
	struct last_name last;
};

static int name_from_user(int dirfd, vaddr_t upath, struct user_name *n)
{
	struct user_path p;
	int err = path_begin(dirfd, upath, &p);

	if (err)
		return err;
	err = vfs_lookup_parent(p.start, p.path, 0, &n->dir, &n->last);
	path_end(&p);
	return err;
}

/* create - the common part of mkdir and symlink. */
static long create(int dirfd, vaddr_t upath, struct vfs_new *what)
{
	struct user_name n;
	int err = name_from_user(dirfd, upath, &n);

	if (err)
		return err;
	what->uid = cred_now()->fsuid;
	what->gid = cred_now()->fsgid;
	if (n.last.special)
		err = -EEXIST;
	else if (n.last.wants_dir && !S_ISDIR(what->mode))
		err = -ENOENT;
	else
		err = vfs_create(n.dir, n.last.name, n.last.len, what, NULL);
	dentry_put(n.dir);
	return err;
}

long sys_mkdirat(int dirfd, vaddr_t upath, u32 mode)
{
	struct vfs_new what = {
		.mode = S_IFDIR | (mode & 01777 & ~current_process->fs->umask),
	};

	return create(dirfd, upath, &what);
}

/* dev as C libraries encode it: 12 bits of major number above the low 8 of 20 bits of minor number. */
long sys_mknodat(int dirfd, vaddr_t upath, u32 mode, u32 dev)
{
	u32 type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
	struct vfs_new what = {
		.mode = type | (mode & 07777 & ~current_process->fs->umask),
		.rdev = DEV_MAKE(dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00)),
	};

	switch (type) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	if ((type == S_IFCHR || type == S_IFBLK) && !cred_capable(CAP_MKNOD))
		return -EPERM;
	return create(dirfd, upath, &what);
}

long sys_symlinkat(vaddr_t utarget, int dirfd, vaddr_t upath)
{
	struct vfs_new what = {.mode = S_IFLNK | 0777};
	char *target;
	long err = path_from_user(utarget, &target);

	if (err)
		return err;
	what.target = target;
	err = *target ? create(dirfd, upath, &what) : -ENOENT;
	path_free(target);
	return err;
}

long sys_unlinkat(int dirfd, vaddr_t upath, int flags)
{
	bool directory = flags & AT_REMOVEDIR;
	struct user_name n;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = name_from_user(dirfd, upath, &n);
	if (err)
		return err;
	if (n.last.special)
		err = !directory      ? -EISDIR
		      : !n.last.len   ? -EBUSY
		      : n.last.is_dot ? -EINVAL
				      : -ENOTEMPTY;
	else if (n.last.wants_dir && !directory)
		err = -ENOTDIR;
	else
		err = vfs_unlink(n.dir, n.last.name, n.last.len, directory);
	dentry_put(n.dir);
	return err;
}

long sys_linkat(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path, int flags)
{
	struct dentry *old;
	struct user_name n;
	int err;

	if (flags & ~AT_SYMLINK_FOLLOW)
		return -EINVAL;
	err = path_lookup_user(old_dirfd, old_path, flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0,
			       &old);
	if (err)
		return err;
	err = name_from_user(new_dirfd, new_path, &n);
	if (!err) {
		err = n.last.special ? -EEXIST : vfs_link(old, n.dir, n.last.name, n.last.len);
		dentry_put(n.dir);
	}
	dentry_put(old);
	return err;
}

long sys_renameat2(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path, u32 flags)
{
	struct user_name from, to;
	int err;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	err = name_from_user(old_dirfd, old_path, &from);
	if (err)
		return err;
	err = name_from_user(new_dirfd, new_path, &to);
	if (err)
		goto put_from;
	if (from.last.special || to.last.special)
		err = -EBUSY;
	else
		err = vfs_rename(from.dir, &from.last, to.dir, &to.last, flags);
	dentry_put(to.dir);
put_from:
	dentry_put(from.dir);
	return err;
}

long sys_renameat(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path)
{
	return sys_renameat2(old_dirfd, old_path, new_dirfd, new_path, 0);
}

/* --- permissions ------------------------------------------------------------------------------------- */

static long change_mode(struct inode *inode, u32 mode)
{
	int err = super_want_write(inode);

	if (err)
		return err;
	if (cred_now()->fsuid != inode->uid && !cred_capable(CAP_FOWNER))
		return -EPERM;
	if (!cred_in_group(inode->gid) && !cred_capable(CAP_FSETID))
		mode &= ~(u32)S_ISGID;
	mutex_lock(&inode->lock);
	inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
	inode->ctime = vfs_now();
	mutex_unlock(&inode->lock);
	return 0;
}

long sys_fchmod(int fd, u32 mode)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = change_mode(f->inode, mode);
	file_put(f);
	return err;
}

long sys_fchmodat(int dirfd, vaddr_t upath, u32 mode)
{
	struct dentry *d;
	long err = path_lookup_user(dirfd, upath, WALK_FOLLOW, &d);

	if (err)
		return err;
	err = change_mode(d->inode, mode);
	dentry_put(d);
	return err;
}
