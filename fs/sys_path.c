/* SPDX-License-Identifier: MIT */
/* sys_path.c - system calls that look something up by name, or through a descriptor in place of one. */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

/* --- where paths start ------------------------------------------------------------------------------- */

int path_start(int dirfd, const char *path, struct dentry **out)
{
	struct file *f;
	int err = 0;

	if (dirfd == AT_FDCWD || *path == '/') {
		*out = fs_context_cwd(current_process->fs);
		return 0;
	}
	f = fd_get_any(dirfd);
	if (!f)
		return -EBADF;
	if (!f->dentry || !S_ISDIR(f->inode->mode)) {
		err = -ENOTDIR;
	} else {
		dentry_get(f->dentry);
		*out = f->dentry;
	}
	file_put(f);
	return err;
}

int path_begin(int dirfd, vaddr_t upath, struct user_path *p)
{
	int err = path_from_user(upath, &p->path);

	if (err)
		return err;
	err = *p->path ? path_start(dirfd, p->path, &p->start) : -ENOENT;
	if (err)
		path_free(p->path);
	return err;
}

void path_end(struct user_path *p)
{
	dentry_put(p->start);
	path_free(p->path);
}

int path_lookup_user(int dirfd, vaddr_t upath, unsigned flags, struct dentry **out)
{
	struct user_path p;
	int err = path_begin(dirfd, upath, &p);

	if (err)
		return err;
	err = vfs_lookup(p.start, p.path, flags, out);
	path_end(&p);
	return err;
}

/* is_empty_path - AT_EMPTY_PATH: the descriptor itself is meant. NULL counts as "". */
static bool is_empty_path(vaddr_t upath, int flags)
{
	char first;

	if (!(flags & AT_EMPTY_PATH))
		return false;
	return !upath || (!copy_from_user(&first, upath, 1) && !first);
}

static int inode_of_fd(int fd, struct inode **out)
{
	struct file *f = fd_get_any(fd);

	if (!f)
		return -EBADF;
	inode_get(f->inode);
	*out = f->inode;
	file_put(f);
	return 0;
}

int inode_lookup_user(int dirfd, vaddr_t upath, int flags, struct inode **out)
{
	struct dentry *d;
	int err = 0;

	if (is_empty_path(upath, flags)) {
		if (dirfd != AT_FDCWD)
			return inode_of_fd(dirfd, out);
		d = fs_context_cwd(current_process->fs);
	} else {
		err = path_lookup_user(dirfd, upath, flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW,
				       &d);
	}
	if (err)
		return err;
	inode_get(d->inode);
	*out = d->inode;
	dentry_put(d);
	return 0;
}

/* --- stat, access, readlink -------------------------------------------------------------------------- */

static long put_stat(struct inode *inode, vaddr_t buf)
{
	struct uapi_stat s;

	file_stat(inode, &s);
	return copy_to_user(buf, &s, sizeof(s));
}

long sys_fstat(int fd, vaddr_t buf)
{
	struct file *f = fd_get_any(fd);
	long err;

	if (!f)
		return -EBADF;
	err = put_stat(f->inode, buf);
	file_put(f);
	return err;
}

long sys_newfstatat(int dirfd, vaddr_t upath, vaddr_t buf, int flags)
{
	struct inode *inode;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	err = inode_lookup_user(dirfd, upath, flags, &inode);
	if (err)
		return err;
	err = put_stat(inode, buf);
	inode_put(inode);
	return err;
}

static struct uapi_statx_timestamp split_time(u64 ns)
{
	return (struct uapi_statx_timestamp){(s64)(ns / NSEC_PER_SEC), (u32)(ns % NSEC_PER_SEC), 0};
}

static void fill_statx(struct inode *inode, struct uapi_statx *x)
{
	struct super *super = inode->super;
	struct uapi_stat s;

	file_stat(inode, &s);
	memset(x, 0, sizeof(*x));
	x->stx_mask = STATX_BASIC_STATS | STATX_BTIME;
	x->stx_blksize = (u32)s.st_blksize;
	x->stx_nlink = (u32)s.st_nlink;
	x->stx_uid = s.st_uid;
	x->stx_gid = s.st_gid;
	x->stx_mode = (u16)s.st_mode;
	x->stx_ino = s.st_ino;
	x->stx_size = (u64)s.st_size;
	x->stx_blocks = (u64)s.st_blocks;
	x->stx_atime = split_time(inode->atime);
	x->stx_mtime = split_time(inode->mtime);
	x->stx_ctime = split_time(inode->ctime);
	x->stx_btime = split_time(inode->btime);
	x->stx_rdev_major = DEV_MAJOR(s.st_rdev);
	x->stx_rdev_minor = DEV_MINOR(s.st_rdev);
	x->stx_dev_major = DEV_MAJOR(s.st_dev);
	x->stx_dev_minor = DEV_MINOR(s.st_dev);
	x->stx_attributes_mask = STATX_ATTR_MOUNT_ROOT;
	if (super) {
		x->stx_mask |= STATX_MNT_ID;
		x->stx_mnt_id = DEV_MINOR(super->dev); /* a mount and its file system are one */
		if (super->root->inode == inode)
			x->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	}
}

long sys_statx(int dirfd, vaddr_t upath, int flags, u32 mask, vaddr_t buf)
{
	struct uapi_statx x;
	struct inode *inode;
	long err;

	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)))
		return -EINVAL;
	err = inode_lookup_user(dirfd, upath, flags, &inode);
	if (err)
		return err;
	fill_statx(inode, &x);
	inode_put(inode);
	return copy_to_user(buf, &x, sizeof(x));
}

long sys_faccessat2(int dirfd, vaddr_t upath, int mode, int flags)
{
	struct inode *inode;
	long err;

	if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	err = inode_lookup_user(dirfd, upath, flags, &inode);
	if (err)
		return err;
	err = vfs_permission(inode, (unsigned)mode, !(flags & AT_EACCESS));
	inode_put(inode);
	return err;
}

long sys_faccessat(int dirfd, vaddr_t upath, int mode)
{
	return sys_faccessat2(dirfd, upath, mode, 0);
}

static long copy_link(struct dentry *link, vaddr_t ubuf, size_t size)
{
	char *text = kmalloc(PATH_MAX, 0);
	long n;

	if (!text)
		return -ENOMEM;
	n = vfs_readlink(link, text, MIN(size, (size_t)PATH_MAX));
	if (n >= 0)
		inode_accessed(link->inode, 0);
	if (n > 0 && copy_to_user(ubuf, text, (size_t)n))
		n = -EFAULT;
	kfree(text);
	return n;
}

/* readlink_fd - an empty path means a link that was opened with O_PATH. */
static long readlink_fd(int fd, vaddr_t buf, size_t size)
{
	struct file *f = fd_get_any(fd);
	long n = -ENOENT;

	if (!f)
		return fd == AT_FDCWD ? -ENOENT : -EBADF;
	if (f->dentry && S_ISLNK(f->inode->mode))
		n = copy_link(f->dentry, buf, size);
	file_put(f);
	return n;
}

long sys_readlinkat(int dirfd, vaddr_t upath, vaddr_t buf, int size)
{
	struct dentry *d;
	long n;
	int err;

	if (size <= 0)
		return -EINVAL;
	if (upath && is_empty_path(upath, AT_EMPTY_PATH))
		return readlink_fd(dirfd, buf, (size_t)size);
	err = path_lookup_user(dirfd, upath, 0, &d);
	if (err)
		return err;
	n = S_ISLNK(d->inode->mode) ? copy_link(d, buf, (size_t)size) : -EINVAL;
	dentry_put(d);
	return n;
}

/* --- working directory, umask ------------------------------------------------------------------------ */

/* cwd_text - "(unreachable)" is in front of a directory that does not lie below the root. */
static long cwd_text(char *buf, size_t size)
{
	struct dentry *cwd = fs_context_cwd(current_process->fs), *root = process_root();
	static const char mark[] = "(unreachable)";
	bool reachable;
	long err = dentry_path_from(root, cwd, buf, size - sizeof(mark), false, &reachable);

	if (!err && !reachable) {
		memmove(buf + sizeof(mark) - 1, buf, strlen(buf) + 1);
		memcpy(buf, mark, sizeof(mark) - 1);
	}
	dentry_put(root);
	dentry_put(cwd);
	return err;
}

long sys_getcwd(vaddr_t ubuf, u64 size)
{
	char *buf = kmalloc(PATH_MAX, 0);
	long n = buf ? cwd_text(buf, PATH_MAX) : -ENOMEM;

	if (!n) {
		n = (long)strlen(buf) + 1;
		if ((u64)n > size)
			n = -ERANGE;
		else if (copy_to_user(ubuf, buf, (size_t)n))
			n = -EFAULT;
	}
	kfree(buf);
	return n;
}

static long change_directory(struct dentry *d)
{
	int err = S_ISDIR(d->inode->mode) ? vfs_permission(d->inode, X_OK, false) : -ENOTDIR;

	if (err)
		dentry_put(d);
	else
		fs_context_set_cwd(current_process->fs, d);
	return err;
}

long sys_chdir(vaddr_t upath)
{
	struct dentry *d;
	int err = path_lookup_user(AT_FDCWD, upath, WALK_FOLLOW | WALK_DIRECTORY, &d);

	return err ? err : change_directory(d);
}

long sys_fchdir(int fd)
{
	struct file *f = fd_get_any(fd);
	long err = -ENOTDIR;

	if (!f)
		return -EBADF;
	if (f->dentry) {
		dentry_get(f->dentry);
		err = change_directory(f->dentry);
	}
	file_put(f);
	return err;
}

long sys_umask(u32 mask)
{
	struct fs_context *c = current_process->fs;
	u32 old;

	spin_lock(&c->lock);
	old = c->umask;
	c->umask = mask & 0777;
	spin_unlock(&c->lock);
	return old;
}
