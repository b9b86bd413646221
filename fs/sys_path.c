/* SPDX-License-Identifier: MIT */
/* sys_path.c - system calls that look something up by name, or through a descriptor in place of one. */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
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
	f = fd_get(dirfd);
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
	err = path_start(dirfd, p->path, &p->start);
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

/* --- open -------------------------------------------------------------------------------------------- */

#define OPEN_KNOWN                                                                            \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
	 O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC)

long sys_openat(int dirfd, vaddr_t upath, int flags, u32 mode)
{
	struct user_path p;
	struct file *f;
	long fd;
	int err;

	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	if (flags & (O_PATH | (O_TMPFILE & ~O_DIRECTORY)))
		return -EOPNOTSUPP;
	err = path_begin(dirfd, upath, &p);
	if (err)
		return err;
	/* Unknown bits have always been ignored, and O_LARGEFILE always been set. */
	err = file_open_at(p.start, p.path, ((u32)flags & OPEN_KNOWN) | O_LARGEFILE, mode, &f);
	path_end(&p);
	if (err)
		return err;
	fd = fd_install(f, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
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
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = put_stat(f->inode, buf);
	file_put(f);
	return err;
}

/* is_empty_path - AT_EMPTY_PATH: the descriptor itself is meant. */
static bool is_empty_path(vaddr_t upath, int flags)
{
	char first;

	return (flags & AT_EMPTY_PATH) && !copy_from_user(&first, upath, 1) && !first;
}

long sys_newfstatat(int dirfd, vaddr_t upath, vaddr_t buf, int flags)
{
	unsigned walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct dentry *d;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	if (is_empty_path(upath, flags)) {
		if (dirfd != AT_FDCWD)
			return sys_fstat(dirfd, buf);
		d = fs_context_cwd(current_process->fs);
	} else {
		err = path_lookup_user(dirfd, upath, walk, &d);
		if (err)
			return err;
	}
	err = put_stat(d->inode, buf);
	dentry_put(d);
	return err;
}

long sys_faccessat2(int dirfd, vaddr_t upath, int mode, int flags)
{
	unsigned walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct dentry *d;
	long err;

	if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (is_empty_path(upath, flags) && dirfd != AT_FDCWD) {
		struct file *f = fd_get(dirfd);

		if (!f)
			return -EBADF;
		err = vfs_permission(f->inode, (unsigned)mode, !(flags & AT_EACCESS));
		file_put(f);
		return err;
	}
	err = path_lookup_user(dirfd, upath, walk, &d);
	if (err)
		return err;
	err = vfs_permission(d->inode, (unsigned)mode, !(flags & AT_EACCESS));
	dentry_put(d);
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
	if (n > 0 && copy_to_user(ubuf, text, (size_t)n))
		n = -EFAULT;
	kfree(text);
	return n;
}

long sys_readlinkat(int dirfd, vaddr_t upath, vaddr_t buf, int size)
{
	struct dentry *d;
	long n;
	int err;

	if (size <= 0)
		return -EINVAL;
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
	struct file *f = fd_get(fd);
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
