/* SPDX-License-Identifier: MIT */
/*
 * text_tree.c - pinned trees of text files, directories and links: what lies still in /proc, and all of /sys.
 *
 * A tree is built before anybody sees it and taken down when nobody does any more, so nothing here waits for a
 * lock; the directories' locks are taken because the tree of names asks for them.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/text.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

void text_inode_free(struct inode *inode)
{
	kfree((void *)inode->target);
	kfree(container_of(inode, struct text_inode, inode));
}

static const struct inode_ops plain_ops = {.free = text_inode_free};

static struct inode *inode_create(u32 mode, const struct inode_ops *ops,
				  const struct file_ops *fops, struct super *super)
{
	struct text_inode *i = kmalloc(sizeof(*i), PA_ZERO);

	if (!i)
		return NULL;
	inode_init(&i->inode, mode, ops ? ops : &plain_ops, fops);
	inode_set_super(&i->inode, super);
	if (S_ISDIR(mode))
		i->inode.nlink = 2;
	return &i->inode;
}

struct dentry *text_root(struct super *s, u32 mode, const struct inode_ops *ops,
			 const struct file_ops *fops)
{
	struct inode *inode = inode_create(S_IFDIR | mode, ops, fops ? fops : &dir_file_ops, s);
	struct dentry *root = inode ? dentry_alloc_root(inode) : NULL;

	if (inode && !root)
		inode_put(inode);
	return root;
}

/* attach - give an inode a name. Its reference passes to the name, or is dropped. */
static int attach(struct dentry *parent, const char *name, struct inode *inode, struct dentry **out)
{
	struct dentry *d = inode ? dentry_alloc(parent, name, strlen(name)) : NULL, *old;

	if (!d) {
		if (inode)
			inode_put(inode);
		return -ENOMEM;
	}
	d->inode = inode;
	mutex_lock(&parent->inode->lock);
	old = dentry_find(parent, name, strlen(name));
	if (!old) {
		dentry_link(d);
		if (S_ISDIR(inode->mode))
			parent->inode->nlink++;
	}
	mutex_unlock(&parent->inode->lock);
	if (old)
		dentry_put(old);
	if (out)
		*out = d;
	dentry_put(d); /* the tree has its own reference, and keeps it */
	return old ? -EEXIST : 0;
}

struct dentry *text_dir(struct dentry *parent, const char *name)
{
	struct inode *inode =
		inode_create(parent->inode->mode, NULL, &dir_file_ops, parent->inode->super);
	struct dentry *d;

	return attach(parent, name, inode, &d) ? NULL : d;
}

int text_file(struct dentry *parent, const char *name, u32 mode, const struct text_ops *ops,
	      const void *arg)
{
	struct inode *inode =
		inode_create(S_IFREG | mode, NULL, &text_file_ops, parent->inode->super);

	if (inode) {
		inode->private_data = (void *)ops;
		container_of(inode, struct text_inode, inode)->arg = arg;
	}
	return attach(parent, name, inode, NULL);
}

int text_link(struct dentry *parent, const char *name, const char *target)
{
	struct inode *inode = inode_create(S_IFLNK | 0777, NULL, NULL, parent->inode->super);

	if (inode) {
		inode->target = dentry_name_copy(target, strlen(target));
		if (!inode->target) {
			inode_put(inode);
			inode = NULL;
		}
	}
	return attach(parent, name, inode, NULL);
}

int text_link_ops(struct dentry *parent, const char *name, const struct inode_ops *ops)
{
	return attach(parent, name, inode_create(S_IFLNK | 0777, ops, NULL, parent->inode->super),
		      NULL);
}

int text_special(struct dentry *parent, const char *name, u32 mode, const struct file_ops *fops)
{
	return attach(parent, name, inode_create(S_IFREG | mode, NULL, fops, parent->inode->super),
		      NULL);
}

/* The tree's own reference keeps what is found. */
struct dentry *text_find(struct dentry *parent, const char *name)
{
	struct dentry *d;

	mutex_lock(&parent->inode->lock);
	d = dentry_find(parent, name, strlen(name));
	mutex_unlock(&parent->inode->lock);
	if (d)
		dentry_put(d);
	return d;
}
