/* SPDX-License-Identifier: MIT */
/*
 * dir.c - open directories: getdents64 over the tree of names.
 *
 * The position of an open directory is 0 before ".", 1 before "..", and 2 plus the cookie of the last name
 * given out after that. Cookies only grow, so names that come and go while somebody reads neither hide
 * nor repeat others.
 */
#include <uapi/errno.h>
#include "fs/dir.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

bool dir_emit(struct dir_fill *fill, const char *name, size_t len, u64 ino, u32 type, u64 next,
	      int *err)
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
	e.head.d_ino = ino;
	e.head.d_off = (s64)next;
	e.head.d_reclen = (u16)size;
	e.head.d_type = (u8)((type & S_IFMT) >> 12);
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

/* parent_number - of "..", which may lie in another file system. */
static u64 parent_number(struct dentry *dir)
{
	struct dentry *root = process_root();
	u64 ino;

	mutex_lock(&vfs_rename_lock);
	ino = mount_parent(dir, root)->inode->ino;
	mutex_unlock(&vfs_rename_lock);
	dentry_put(root);
	return ino;
}

bool dir_fill_dots(struct file *f, struct dir_fill *fill, int *err)
{
	struct dentry *dir = f->dentry;
	u64 up = fill->parent_ino ? fill->parent_ino : dir->parent->inode->ino;

	if (f->pos == 0 && dir_emit(fill, ".", 1, dir->inode->ino, S_IFDIR, 1, err))
		f->pos = 1;
	if (f->pos == 1 && dir_emit(fill, "..", 2, up, S_IFDIR, 2, err))
		f->pos = 2;
	return f->pos >= 2;
}

/* User memory may be touched under a directory's lock. */
bool dir_fill_tree(struct file *f, struct dir_fill *fill, int *err)
{
	struct dentry *dir = f->dentry, *d;
	bool more;

	if (f->pos < 2)
		fill->parent_ino = parent_number(dir);
	mutex_lock(&dir->inode->lock);
	more = dir_fill_dots(f, fill, err);
	if (more)
		list_for_each (d, &dir->children, sibling) {
			if (d->cookie + 2 <= f->pos)
				continue;
			more = dir_emit(fill, d->name, d->name_len, d->inode->ino, d->inode->mode,
					d->cookie + 2, err);
			if (!more)
				break;
			f->pos = d->cookie + 2;
		}
	mutex_unlock(&dir->inode->lock);
	return more;
}

static int dir_readdir(struct file *f, vaddr_t buf, u32 size)
{
	struct dir_fill fill = {.buf = buf, .left = size};
	int err = 0;

	if (f->dentry->unlinked)
		return -ENOENT;
	dir_fill_tree(f, &fill, &err);
	if (!err)
		inode_accessed(f->inode, f->flags);
	return err ? err : (int)fill.done;
}

s64 dir_seek(struct file *f, s64 offset, int whence)
{
	s64 pos = whence == SEEK_CUR ? (s64)f->pos + offset : offset;

	if ((whence != SEEK_SET && whence != SEEK_CUR) || pos < 0)
		return -EINVAL;
	f->pos = (u64)pos;
	return pos;
}

ssize_t dir_read(struct file *f, struct uio *uio, u64 *pos)
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
