/* SPDX-License-Identifier: MIT */
/*
 * inode.c - inodes and dentries as objects: references, and the tree of names.
 *
 * A dentry in the tree holds one reference on itself, so names stay; each dentry holds its parent and
 * its inode. Directories keep their names twice: in a tree to find them, in a list in order of
 * creation to read them.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/epoll.h"
#include "fs/file.h"
#include "fs/lock.h"
#include "fs/unix.h"
#include "fs/vfs.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

struct mutex vfs_rename_lock;
struct dentry *vfs_root;
static struct slab_cache *dentry_cache;

void vfs_init(void)
{
	mutex_init(&vfs_rename_lock, RANK_NAMES);
	dentry_cache = slab_cache_create("dentry", sizeof(struct dentry), 0, false);
	fs_type_register(&tmpfs_type);
	fs_type_register(&ramfs_type);
	fs_type_register(&devtmpfs_type);
	fs_type_register(&proc_type);
	fs_type_register(&sysfs_type);
	device_init();
	lock_init();
	unix_init();
	anon_file_init();
	epoll_init();
	if (tmpfs_make_root(&vfs_root))
		panic("no memory for the root directory");
	memfd_init();
}

/* --- inodes ------------------------------------------------------------------------------------------ */

u64 vfs_now(void)
{
	return time_realtime();
}

void inode_init(struct inode *inode, u32 mode, const struct inode_ops *ops,
		const struct file_ops *fops)
{
	static u64 next_ino = 1; /* [a] */

	memset(inode, 0, sizeof(*inode));
	refcount_init(&inode->refs);
	mutex_init(&inode->lock, RANK_INODE);
	inode->mode = mode;
	inode->nlink = 1;
	inode->ino = atomic_fetch_add(&next_ino, 1);
	inode->ops = ops;
	inode->fops = fops;
	inode->atime = inode->mtime = inode->ctime = inode->btime = vfs_now();
}

void inode_set_super(struct inode *inode, struct super *s)
{
	super_get(s);
	inode->super = s;
	inode->dev = s->dev;
}

void inode_get(struct inode *inode)
{
	refcount_get(&inode->refs);
}

void inode_put(struct inode *inode)
{
	struct super *s = inode->super;

	if (!refcount_put(&inode->refs))
		return;
	lock_free(inode);
	inode->ops->free(inode);
	if (s)
		super_put(s);
}

/* --- dentries ---------------------------------------------------------------------------------------- */

char *dentry_name_copy(const char *name, size_t len)
{
	char *copy = kmalloc(len + 1, 0);

	if (copy) {
		memcpy(copy, name, len);
		copy[len] = 0;
	}
	return copy;
}

void dentry_name_free(char *name)
{
	kfree(name);
}

static struct dentry *alloc(struct super *super, const char *name, size_t len)
{
	struct dentry *d = slab_alloc(dentry_cache, PA_ZERO);

	if (!d)
		return NULL;
	d->name = dentry_name_copy(name, len);
	if (!d->name) {
		slab_free(dentry_cache, d);
		return NULL;
	}
	d->name_len = (u32)len;
	refcount_init(&d->refs);
	list_init(&d->sibling);
	list_init(&d->children);
	d->parent = d;
	d->super = super;
	if (super)
		atomic_inc(&super->users);
	return d;
}

/* hold, drop - references from inside the tree: a name on itself while it is in the tree, and on its parent.
 * Freeing one may free its parent, and so on upwards: a loop, because paths are as long as users like. */
static void hold(struct dentry *d)
{
	refcount_get(&d->refs);
}

static void drop(struct dentry *d)
{
	while (refcount_put(&d->refs)) {
		struct dentry *parent = d->parent;
		bool root = parent == d;

		assert(rb_empty(&d->names));
		if (d->inode)
			inode_put(d->inode);
		dentry_name_free(d->name);
		slab_free(dentry_cache, d);
		if (root)
			break;
		d = parent;
	}
}

struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *d = alloc(parent->super, name, len);

	if (d) {
		hold(parent);
		d->parent = parent;
	}
	return d;
}

struct dentry *dentry_alloc_root(struct inode *inode)
{
	struct dentry *d = alloc(inode->super, "", 0);

	if (!d)
		return NULL;
	d->inode = inode;
	if (inode->super) {
		inode->super->root = d;
		hold(d); /* the tree's, until it is taken down */
	}
	return d;
}

void dentry_get(struct dentry *d)
{
	if (d->super)
		__atomic_fetch_add(&d->super->users, 1, __ATOMIC_RELAXED);
	hold(d);
}

/* take_down - nobody uses any name of this file system, and nobody can come in again: no locks. Leaves first,
 * without recursion. */
static void take_down(struct super *s)
{
	struct dentry *d = s->root, *parent;

	while (d != s->root || !list_empty(&d->children)) {
		while (!list_empty(&d->children))
			d = list_first(&d->children, struct dentry, sibling);
		parent = d->parent;
		rb_erase(&parent->names, &d->node, NULL);
		list_del(&d->sibling);
		d->unlinked = true;
		drop(d);
		d = parent;
	}
	drop(s->root);
	super_put(s);
}

void dentry_put(struct dentry *d)
{
	struct super *s = d->super;

	if (unlikely(!refcount_put_unless_last(&d->refs)))
		drop(d);
	if (s && atomic_dec_return(&s->users) == 0)
		take_down(s);
}

static int compare(const char *name, size_t len, const struct dentry *d)
{
	int c = memcmp(name, d->name, MIN(len, d->name_len));

	return c ? c : (len > d->name_len) - (len < d->name_len);
}

struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len)
{
	struct rb_node *n = dir->names.node;

	assert_held(&dir->inode->lock);
	while (n) {
		struct dentry *d = rb_entry(n, struct dentry, node);
		int c = compare(name, len, d);

		if (!c) {
			dentry_get(d);
			return d;
		}
		n = n->child[c > 0];
	}
	return NULL;
}

void dentry_link(struct dentry *d)
{
	struct dentry *dir = d->parent;
	struct rb_node **link = &dir->names.node, *parent = NULL;

	assert_held(&dir->inode->lock);
	while (*link) {
		parent = *link;
		link = &parent->child[compare(d->name, d->name_len,
					      rb_entry(parent, struct dentry, node)) > 0];
	}
	rb_insert(&dir->names, &d->node, parent, link, NULL);
	d->cookie = ++dir->next_cookie;
	list_add_tail(&d->sibling, &dir->children);
	d->unlinked = false;
	hold(d);
}

void dentry_unlink(struct dentry *d)
{
	assert_held(&d->parent->inode->lock);
	rb_erase(&d->parent->names, &d->node, NULL);
	list_del(&d->sibling);
	d->unlinked = true;
	drop(d); /* not the last: the caller has one */
}

void dentry_set_parent(struct dentry *d, struct dentry *parent)
{
	struct dentry *old = d->parent;

	hold(parent);
	d->parent = parent;
	drop(old); /* not the last: the caller has one */
}

/* --- paths ------------------------------------------------------------------------------------------- */

/* prepend - put n characters in front of *at, which moves down towards buf. */
static bool prepend(char *buf, char **at, const char *s, size_t n)
{
	if ((size_t)(*at - buf) < n)
		return false;
	*at -= n;
	memcpy(*at, s, n);
	return true;
}

static int build_path(struct dentry *root, struct dentry *d, char *buf, char **at,
		      bool mark_deleted, bool *reachable)
{
	bool fits = prepend(buf, at, "", 1);
	const char *end = *at;

	if (d->unlinked) {
		if (!mark_deleted)
			return -ENOENT;
		fits = fits && prepend(buf, at, " (deleted)", 10);
		end = *at;
	}
	for (;;) {
		if (d == root)
			break;
		if (d->parent == d) {
			if (!d->super || !d->super->mountpoint)
				break;
			d = d->super->mountpoint;
			continue;
		}
		fits = fits && prepend(buf, at, d->name, d->name_len) && prepend(buf, at, "/", 1);
		d = d->parent;
	}
	*reachable = d == root;
	if (*at == end)
		fits = fits && prepend(buf, at, "/", 1);
	return fits ? 0 : -ENAMETOOLONG;
}

int dentry_path_locked(struct dentry *root, struct dentry *d, char *buf, size_t size,
		       bool mark_deleted, bool *reachable)
{
	char *at = buf + size;
	int err = build_path(root, d, buf, &at, mark_deleted, reachable);

	assert_held(&vfs_rename_lock);
	if (!err)
		memmove(buf, at, (size_t)(buf + size - at));
	return err;
}

int dentry_path_from(struct dentry *root, struct dentry *d, char *buf, size_t size,
		     bool mark_deleted, bool *reachable)
{
	int err;

	mutex_lock(&vfs_rename_lock);
	err = dentry_path_locked(root, d, buf, size, mark_deleted, reachable);
	mutex_unlock(&vfs_rename_lock);
	return err;
}

int dentry_path(struct dentry *d, char *buf, size_t size, bool mark_deleted)
{
	struct dentry *root = process_root();
	bool reachable;
	int err = dentry_path_from(root, d, buf, size, mark_deleted, &reachable);

	dentry_put(root);
	return err;
}
