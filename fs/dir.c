/* SPDX-License-Identifier: MIT */
/*
 * dir.c - open directories: getdents64 over the tree of names.
 *
 * The position of an open directory is 0 before ".", 1 before "..", and 2 plus the cookie of the last name
 * given out after that. Cookies only grow, so names that come and go while somebody reads neither hide
 * nor repeat others.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

struct fill {
	vaddr_t buf;
	u32 left, done; /* bytes */
};

/* emit - one entry; false when there is no room (or, with *err set, the buffer is bad). */
static bool emit(struct fill *fill, const char *name, size_t len, const struct inode *inode,
		 u64 next, int *err)
{
	union {
		struct uapi_dirent64 head;
		char bytes[sizeof(struct uapi_dirent64) + NAME_MAX + 8];
	} e;
	u32 size = (u32)ALIGN_UP(offsetof(struct uapi_dirent64, d_name) + len + 1, 8ul);

	if (size > fill->left) {
		if (!fill->done)
			*err = -EINVAL;
		return false;
	}
	memset(&e, 0, size);
	e.head.d_ino = inode->ino;
	e.head.d_off = (s64)next;
	e.head.d_reclen = (u16)size;
	e.head.d_type = (u8)((inode->mode & S_IFMT) >> 12);
	memcpy(e.head.d_name, name, len);
	if (copy_to_user(fill->buf, &e, size)) {
		if (!fill->done)
			*err = -EFAULT;
		return false;
	}
	fill->buf += size;
	fill->left -= size;
	fill->done += size;
	return true;
}

/* fill_names - what comes after "." and "..". Directory locked; user memory may be touched under it. */
static void fill_names(struct file *f, struct fill *fill, int *err)
{
	struct dentry *d;

	list_for_each (d, &f->dentry->children, sibling) {
		if (d->cookie + 2 <= f->pos)
			continue;
		if (!emit(fill, d->name, d->name_len, d->inode, d->cookie + 2, err))
			return;
		f->pos = d->cookie + 2;
	}
}

static int dir_readdir(struct file *f, vaddr_t buf, u32 size)
{
	struct fill fill = {.buf = buf, .left = size};
	struct dentry *dir = f->dentry;
	int err = 0;

	mutex_lock(&dir->inode->lock);
	if (f->pos == 0 && emit(&fill, ".", 1, dir->inode, 1, &err))
		f->pos = 1;
	if (f->pos == 1 && emit(&fill, "..", 2, dir->parent->inode, 2, &err))
		f->pos = 2;
	if (f->pos >= 2)
		fill_names(f, &fill, &err);
	mutex_unlock(&dir->inode->lock);
	return err ? err : (int)fill.done;
}

static s64 dir_seek(struct file *f, s64 offset, int whence)
{
	s64 pos = whence == SEEK_CUR ? (s64)f->pos + offset : offset;

	if ((whence != SEEK_SET && whence != SEEK_CUR) || pos < 0)
		return -EINVAL;
	f->pos = (u64)pos;
	return pos;
}

static ssize_t dir_read(struct file *f, struct uio *uio, u64 *pos)
{
	(void)f;
	(void)uio;
	(void)pos;
	return -EISDIR;
}

const struct file_ops dir_file_ops = {
	.read = dir_read,
	.seek = dir_seek,
	.readdir = dir_readdir,
};
