/* SPDX-License-Identifier: MIT */
/*
 * file.c - open files as objects, and reading and writing from inside the kernel. Opening by name: open.c.
 *
 * A struct file is freed a grace period after its last reference, because descriptor look-ups find it
 * without a lock and only then try to take a reference.
 */
#include "fs/file.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mman.h>
#include <uapi/mount.h>
#include "fs/epoll.h"
#include "fs/lock.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

void file_set_ops(struct file *f, const struct file_ops *ops)
{
	bool direct = ops->is_stream || ops->ignores_position;

	f->ops = ops;
	f->read_directly = direct && f->can_read ? ops->read : NULL;
	f->write_directly = direct && f->can_write ? ops->write : NULL;
}

int file_alloc(struct inode *inode, const struct file_ops *ops, u32 flags, struct file **out)
{
	struct file *f = kmalloc(sizeof(*f), PA_ZERO);
	u32 access = flags & O_ACCMODE;

	if (!f)
		return -ENOMEM;
	refcount_init(&f->refs);
	mutex_init(&f->pos_lock, RANK_FILE_POS);
	list_init(&f->epoll_items);
	f->flags = flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->can_read = !(flags & O_PATH) && (access == O_RDONLY || access == O_RDWR);
	f->can_write = !(flags & O_PATH) && (access == O_WRONLY || access == O_RDWR);
	file_set_ops(f, ops);
	f->inode = inode;
	if (inode)
		inode_get(inode);
	*out = f;
	return 0;
}

/* is_writer - keeps its file system from becoming read-only. */
static bool is_writer(const struct file *f)
{
	return f->can_write && f->inode && f->inode->super && S_ISREG(f->inode->mode);
}

static void free_after_readers(struct rcu_head *head)
{
	kfree(container_of(head, struct file, rcu));
}

void file_set_name(struct file *f, struct dentry *d)
{
	dentry_get(d);
	f->dentry = d;
	if (is_writer(f))
		atomic_inc(&f->inode->super->writers);
}

void file_get(struct file *f)
{
	refcount_get(&f->refs);
}

void file_put(struct file *f)
{
	if (!refcount_put(&f->refs))
		return;
	if (unlikely(!list_empty(&f->epoll_items)))
		epoll_forget_file(f);
	if (f->ops->release)
		f->ops->release(f);
	if (is_writer(f))
		atomic_dec(&f->inode->super->writers);
	if (f->holds_write)
		inode_release_write(f->inode, f->holds_write);
	if (f->inode)
		lock_release(f->inode, f);
	if (f->dentry)
		dentry_put(f->dentry);
	if (f->inode)
		inode_put(f->inode);
	rcu_call(&f->rcu, free_after_readers);
}

/* --- use from the kernel ----------------------------------------------------------------------------- */

ssize_t file_read_kernel(struct file *f, void *buf, size_t n, u64 pos)
{
	struct uio uio;

	if (!f->ops->read)
		return -EINVAL;
	uio_init_kernel(&uio, buf, n);
	return f->ops->read(f, &uio, &pos);
}

ssize_t file_write_kernel(struct file *f, const void *buf, size_t n, u64 pos)
{
	struct uio uio;

	if (!f->ops->write)
		return -EINVAL;
	uio_init_kernel(&uio, buf, n);
	return f->ops->write(f, &uio, &pos);
}

void file_stat(struct inode *inode, struct uapi_stat *s)
{
	u64 size = inode->obj      ? READ_ONCE(inode->obj->size)
		   : inode->target ? strlen(inode->target)
				   : 0;

	memset(s, 0, sizeof(*s));
	s->st_dev = inode->dev;
	s->st_ino = inode->ino;
	s->st_nlink = inode->nlink;
	s->st_mode = inode->mode;
	s->st_uid = inode->uid;
	s->st_gid = inode->gid;
	s->st_rdev = inode->rdev;
	s->st_size = (s64)size;
	s->st_blksize = PAGE_SIZE;
	s->st_blocks = inode->obj ? (s64)(READ_ONCE(inode->obj->nr_pages) * (PAGE_SIZE / 512)) : 0;
	s->st_atime = inode->atime / NSEC_PER_SEC;
	s->st_atime_nsec = inode->atime % NSEC_PER_SEC;
	s->st_mtime = inode->mtime / NSEC_PER_SEC;
	s->st_mtime_nsec = inode->mtime % NSEC_PER_SEC;
	s->st_ctime = inode->ctime / NSEC_PER_SEC;
	s->st_ctime_nsec = inode->ctime % NSEC_PER_SEC;
}

static int map_content(struct file *f, struct map_request *r)
{
	if (!f->inode || !f->inode->obj)
		return -ENODEV;
	int err = seals_begin_map(f->inode->obj, r);

	if (err)
		return err;
	r->obj = f->inode->obj;
	object_get(r->obj);
	if (f->dentry && r->obj->ops->name_get) {
		r->name = f->dentry;
		r->obj->ops->name_get(r->name);
	}
	return 0;
}

int fd_map_object(int fd, struct map_request *r)
{
	bool shared = (r->flags & MAP_TYPE) != MAP_PRIVATE;
	struct file *f = fd_get(fd);
	bool noexec;
	int err;

	if (!f)
		return -EBADF;
	noexec = f->inode && super_has_flag(f->inode, MS_NOEXEC);
	if (!f->can_read || (shared && (r->prot & PROT_WRITE) && !f->can_write))
		err = -EACCES;
	else if (noexec && (r->prot & PROT_EXEC))
		err = -EPERM;
	else
		err = f->ops->map ? f->ops->map(f, r) : map_content(f, r);
	if (!err && shared && !f->can_write)
		r->may |= VM_MAYWRITE;
	if (!err && noexec)
		r->may |= VM_MAYEXEC;
	file_put(f);
	return err;
}

/* --- root and working directory ---------------------------------------------------------------------- */

static struct fs_context *context_alloc(struct dentry *root, struct dentry *cwd, u32 umask)
{
	struct fs_context *c = kmalloc(sizeof(*c), 0);

	if (!c)
		return NULL;
	refcount_init(&c->refs);
	spin_init(&c->lock, RANK_PROCESS);
	c->root = root;
	c->cwd = cwd;
	c->umask = umask;
	return c;
}

struct fs_context *fs_context_create(void)
{
	struct fs_context *c = context_alloc(vfs_root, vfs_root, 022);

	if (c) {
		dentry_get(vfs_root);
		dentry_get(vfs_root);
	}
	return c;
}

struct fs_context *fs_context_copy(struct fs_context *from)
{
	struct dentry *cwd = fs_context_cwd(from), *root = fs_context_root(from);
	struct fs_context *c = context_alloc(root, cwd, READ_ONCE(from->umask));

	if (!c) {
		dentry_put(root);
		dentry_put(cwd);
	}
	return c;
}

void fs_context_get(struct fs_context *c)
{
	refcount_get(&c->refs);
}

void fs_context_put(struct fs_context *c)
{
	if (!refcount_put(&c->refs))
		return;
	dentry_put(c->root);
	dentry_put(c->cwd);
	kfree(c);
}

static struct dentry *get_locked(struct fs_context *c, struct dentry **place)
{
	struct dentry *d;

	spin_lock(&c->lock);
	d = *place;
	dentry_get(d);
	spin_unlock(&c->lock);
	return d;
}

static void set_locked(struct fs_context *c, struct dentry **place, struct dentry *d)
{
	struct dentry *old;

	spin_lock(&c->lock);
	old = *place;
	*place = d;
	spin_unlock(&c->lock);
	dentry_put(old);
}

struct dentry *fs_context_cwd(struct fs_context *c)
{
	return get_locked(c, &c->cwd);
}

struct dentry *fs_context_root(struct fs_context *c)
{
	return get_locked(c, &c->root);
}

void fs_context_set_cwd(struct fs_context *c, struct dentry *cwd)
{
	set_locked(c, &c->cwd, cwd);
}

void fs_context_set_root(struct fs_context *c, struct dentry *root)
{
	set_locked(c, &c->root, root);
}
