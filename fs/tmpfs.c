/* SPDX-License-Identifier: MIT */
/*
 * tmpfs.c - the memory file system: every name is in the tree of dentries, every file's content in a memory
 * object, so there is hardly anything left to do here.
 *
 * Reading takes no lock: it may see a write that is under way in part, but never memory that is not the
 * file's. Writers and truncation exclude each other by the inode's lock. User memory is copied to and from
 * pages that are referenced, not locked.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/resource.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define TMPFS_DEV     0x11
#define FILE_SIZE_MAX ((u64)INT64_MAX)

static const struct inode_ops tmpfs_inode_ops;
static const struct file_ops tmpfs_file_ops;

/* --- content ----------------------------------------------------------------------------------------- */

static ssize_t read_page(struct object *obj, struct uio *uio, u64 pos, size_t n)
{
	struct page *page = object_find_page(obj, pos >> PAGE_SHIFT);
	size_t done;

	if (!page)
		return (ssize_t)uio_put_zeroes(uio, n);
	done = uio_put(uio, (char *)page_to_virt(page) + (pos & ~PAGE_MASK), n);
	page_put(page);
	return (ssize_t)done;
}

static ssize_t write_page(struct object *obj, struct uio *uio, u64 pos, size_t n)
{
	struct page *page;
	size_t done;
	int err = object_get_page(obj, pos >> PAGE_SHIFT, &page);

	if (err)
		return err;
	done = uio_get(uio, (char *)page_to_virt(page) + (pos & ~PAGE_MASK), n);
	page_set(page, PG_DIRTY);
	page_put(page);
	if (done)
		object_extend(obj, pos + done);
	return (ssize_t)done;
}

/* transfer - page by page up to limit. Bytes moved; the error only when there are none. */
static ssize_t transfer(struct object *obj, struct uio *uio, u64 *pos, u64 limit,
			ssize_t (*one)(struct object *, struct uio *, u64, size_t))
{
	u64 start = *pos;

	while (uio->left && *pos < limit) {
		size_t n = MIN(MIN(PAGE_SIZE - (*pos & ~PAGE_MASK), limit - *pos), uio->left);
		ssize_t done = one(obj, uio, *pos, n);

		if (done > 0)
			*pos += (u64)done;
		if (done != (ssize_t)n && *pos == start)
			return done < 0 ? done : -EFAULT;
		if (done != (ssize_t)n || signal_fatal(current))
			break;
	}
	return (ssize_t)(*pos - start);
}

static ssize_t tmpfs_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct object *obj = f->inode->obj;

	return transfer(obj, uio, pos, READ_ONCE(obj->size), read_page);
}

static u64 size_limit(void)
{
	u64 limit = current->proc ? process_limit(current_process, RLIMIT_FSIZE) : FILE_SIZE_MAX;

	return MIN(limit, FILE_SIZE_MAX);
}

static ssize_t tmpfs_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct inode *inode = f->inode;
	u64 limit = size_limit();
	ssize_t done;

	if (!uio->left)
		return 0;
	mutex_lock(&inode->lock);
	if (f->flags & O_APPEND)
		*pos = inode->obj->size;
	done = *pos >= limit ? -EFBIG : transfer(inode->obj, uio, pos, limit, write_page);
	if (done > 0)
		inode->mtime = inode->ctime = vfs_now();
	mutex_unlock(&inode->lock);
	return done;
}

static s64 tmpfs_seek(struct file *f, s64 offset, int whence)
{
	s64 size = (s64)READ_ONCE(f->inode->obj->size), base = 0;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (s64)f->pos;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA: /* the whole file counts as data, its end as the only hole */
	case SEEK_HOLE:
		if (offset < 0 || offset >= size)
			return -ENXIO;
		f->pos = (u64)(whence == SEEK_DATA ? offset : size);
		return (s64)f->pos;
	default:
		return -EINVAL;
	}
	if (offset < 0 ? base + offset < 0 : offset > INT64_MAX - base)
		return offset < 0 ? -EINVAL : -EOVERFLOW;
	f->pos = (u64)(base + offset);
	return base + offset;
}

static int tmpfs_resize(struct inode *inode, u64 size)
{
	int err;

	assert_held(&inode->lock);
	if (size > inode->obj->size && size > size_limit())
		return -EFBIG;
	err = object_set_size(inode->obj, size);
	if (!err)
		inode->mtime = inode->ctime = vfs_now();
	return err;
}

static const struct file_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.seek = tmpfs_seek,
};

/* --- inodes ------------------------------------------------------------------------------------------ */

static void tmpfs_free(struct inode *inode)
{
	if (inode->obj)
		object_put(inode->obj);
	kfree((void *)inode->target);
	kfree(inode);
}

static const struct file_ops *fops_for(const struct vfs_new *what)
{
	switch (what->mode & S_IFMT) {
	case S_IFREG:
		return &tmpfs_file_ops;
	case S_IFDIR:
		return &dir_file_ops;
	case S_IFCHR:
		return device_find(what->rdev);
	default:
		return NULL;
	}
}

static void name_get(void *dentry)
{
	dentry_get(dentry);
}

static void name_put(void *dentry)
{
	dentry_put(dentry);
}

static const struct object_ops tmpfs_object_ops = {
	.name = "tmpfs",
	.release = object_free,
	.name_get = name_get,
	.name_put = name_put,
};

static struct inode *inode_create(const struct vfs_new *what)
{
	struct inode *inode = kmalloc(sizeof(*inode), 0);

	if (!inode)
		return NULL;
	inode_init(inode, what->mode, &tmpfs_inode_ops, fops_for(what));
	inode->dev = TMPFS_DEV;
	inode->uid = what->uid;
	inode->gid = what->gid;
	inode->rdev = what->rdev;
	if (S_ISDIR(what->mode))
		inode->nlink = 2;
	if (S_ISREG(what->mode))
		inode->obj = object_create(0, &tmpfs_object_ops);
	if (S_ISLNK(what->mode))
		inode->target = dentry_name_copy(what->target, strlen(what->target));
	if ((S_ISREG(what->mode) && !inode->obj) || (S_ISLNK(what->mode) && !inode->target)) {
		inode_put(inode);
		return NULL;
	}
	return inode;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, const struct vfs_new *what)
{
	(void)dir;
	d->inode = inode_create(what);
	return d->inode ? 0 : -ENOMEM;
}

static const struct inode_ops tmpfs_inode_ops = {
	.create = tmpfs_create,
	.resize = tmpfs_resize,
	.free = tmpfs_free,
};

int tmpfs_create_root(struct dentry **out)
{
	struct vfs_new what = {.mode = S_IFDIR | 0755};
	struct inode *inode = inode_create(&what);

	if (!inode)
		return -ENOMEM;
	*out = dentry_alloc_root(inode);
	if (!*out)
		inode_put(inode);
	return *out ? 0 : -ENOMEM;
}
