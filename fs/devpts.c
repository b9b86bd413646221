/* SPDX-License-Identifier: MIT */
/*
 * devpts.c - the file system of pseudo terminals: a ptmx that makes them, and a name for each.
 *
 * All names are in the tree of dentries; those of terminals come and go with their masters, nobody else can make or
 * remove any. Each mount is a file system of its own, with its own numbers.
 *
 * Locks: d->lock for the numbers in use; the root directory's for names.
 */
#include "fs/devpts.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "drivers/tty.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "lib/bitmap.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define DEVPTS_MAGIC 0x1cd1
#define MAX_PTYS     4096

struct devpts_options {
	bool has_uid, has_gid; /* else those of whoever opens ptmx */
	u32 uid, gid;
	u32 mode, ptmx_mode;
	u32 max;
};

/* Of a super; options change under vfs_rename_lock (remount), and are read as they are. */
struct devpts {
	struct spinlock lock;
	u64 used[BITMAP_WORDS(MAX_PTYS)]; /* [lock] */
	struct inode *ptmx;               /* [i] */
	struct devpts_options options;
};

struct devpts_name {
	struct super *super;   /* [i] its root directory is held */
	u32 number;            /* [i] */
	struct dentry *dentry; /* [i] NULL: not linked */
};

static const struct inode_ops devpts_inode_ops;

/* --- inodes ------------------------------------------------------------------------------------------ */

static void devpts_free(struct inode *inode)
{
	if (inode->private_data)
		tty_put(inode->private_data);
	kfree(inode);
}

static const struct inode_ops devpts_inode_ops = {.free = devpts_free};

static struct inode *inode_create(struct super *s, u32 mode, const struct file_ops *fops)
{
	struct inode *inode = kmalloc(sizeof(*inode), 0);

	if (!inode)
		return NULL;
	inode_init(inode, mode, &devpts_inode_ops, fops);
	inode_set_super(inode, s);
	return inode;
}

/* add_name - into the root directory; takes over the reference on the inode. NULL: memory. */
static struct dentry *add_name(struct super *s, const char *name, struct inode *inode)
{
	struct dentry *d = dentry_alloc(s->root, name, strlen(name));

	if (!d) {
		inode_put(inode);
		return NULL;
	}
	d->inode = inode;
	mutex_lock(&s->root->inode->lock);
	dentry_link(d);
	mutex_unlock(&s->root->inode->lock);
	return d;
}

/* --- numbers and names ------------------------------------------------------------------------------- */

/* find_root - which devpts an open ptmx belongs to: its root directory, with a reference. */
static int find_root(struct file *ptmx, struct dentry **out)
{
	struct super *s = ptmx->inode->super;
	struct dentry *d;
	int err;

	if (s && s->type == &devpts_type) {
		*out = s->root;
		dentry_get(s->root);
		return 0;
	}
	err = ptmx->dentry ? vfs_lookup(ptmx->dentry->parent, "pts", 0, &d) : -ENODEV;
	if (err)
		return err;
	if (!d->super || d->super->type != &devpts_type || d != d->super->root) {
		dentry_put(d);
		return -ENODEV;
	}
	*out = d;
	return 0;
}

static int take_number(struct devpts *d, u32 *out)
{
	size_t n;

	spin_lock(&d->lock);
	n = bitmap_next_zero(d->used, d->options.max, 0);
	if (n < d->options.max)
		bitmap_set(d->used, n);
	spin_unlock(&d->lock);
	*out = (u32)n;
	return n < d->options.max ? 0 : -ENOSPC;
}

int devpts_get_name(struct file *ptmx, struct devpts_name **out)
{
	struct devpts_name *name = kmalloc(sizeof(*name), PA_ZERO);
	struct dentry *root;
	int err;

	if (!name)
		return -ENOMEM;
	err = find_root(ptmx, &root);
	if (err)
		goto free;
	name->super = root->super;
	err = take_number(root->super->private_data, &name->number);
	if (err)
		goto put_root;
	*out = name;
	return 0;
put_root:
	dentry_put(root);
free:
	kfree(name);
	return err;
}

void devpts_put_name(struct devpts_name *name)
{
	struct devpts *d = name->super->private_data;

	assert(!name->dentry);
	spin_lock(&d->lock);
	bitmap_clear(d->used, name->number);
	spin_unlock(&d->lock);
	dentry_put(name->super->root);
	kfree(name);
}

u32 devpts_number(const struct devpts_name *name)
{
	return name->number;
}

int devpts_link(struct devpts_name *name, struct tty *tty)
{
	const struct devpts *d = name->super->private_data;
	struct inode *inode = inode_create(name->super, S_IFCHR | d->options.mode, &pts_ops);
	char text[12];

	if (!inode)
		return -ENOMEM;
	inode->uid = d->options.has_uid ? d->options.uid : cred_now()->fsuid;
	inode->gid = d->options.has_gid ? d->options.gid : cred_now()->fsgid;
	inode->rdev = tty->rdev;
	inode->private_data = tty;
	tty_get(tty);
	snprintf(text, sizeof(text), "%u", name->number);
	name->dentry = add_name(name->super, text, inode);
	return name->dentry ? 0 : -ENOMEM;
}

void devpts_unlink(struct devpts_name *name)
{
	struct inode *root = name->super->root->inode;
	struct dentry *d = name->dentry;

	mutex_lock(&root->lock);
	d->inode->nlink = 0;
	dentry_unlink(d);
	mutex_unlock(&root->lock);
	name->dentry = NULL;
	dentry_put(d);
}

int devpts_open(struct devpts_name *name, u32 flags, struct file **out)
{
	return file_open(name->dentry, flags, out);
}

/* --- options ----------------------------------------------------------------------------------------- */

static int set_number(const char *value, unsigned base, u64 max, u32 *out)
{
	char *end;
	u64 n = str_to_u64(value, &end, base);

	if (end == value || *end || n > max)
		return -EINVAL;
	*out = (u32)n;
	return 0;
}

static int set_option(struct devpts_options *o, const char *name, const char *value)
{
	if (!strcmp(name, "newinstance")) /* they all are */
		return *value ? -EINVAL : 0;
	if (!strcmp(name, "mode"))
		return set_number(value, 8, 0777, &o->mode);
	if (!strcmp(name, "ptmxmode"))
		return set_number(value, 8, 0777, &o->ptmx_mode);
	if (!strcmp(name, "max"))
		return set_number(value, 10, MAX_PTYS, &o->max);
	if (!strcmp(name, "uid")) {
		o->has_uid = true;
		return set_number(value, 10, UINT32_MAX - 1, &o->uid);
	}
	if (!strcmp(name, "gid")) {
		o->has_gid = true;
		return set_number(value, 10, UINT32_MAX - 1, &o->gid);
	}
	return -EINVAL;
}

/* parse - "name=value,name"; the text is cut up. */
static int parse(struct devpts_options *o, char *text)
{
	char *next, *value;
	int err = 0;

	for (; text && !err; text = next) {
		next = strchr(text, ',');
		if (next)
			*next++ = 0;
		value = strchr(text, '=');
		if (value)
			*value++ = 0;
		if (*text)
			err = set_option(o, text, value ? value : "");
	}
	return err;
}

static int apply_options(struct devpts *d, const char *options)
{
	struct devpts_options wanted = d->options;
	char *copy;
	int err;

	if (!options)
		return 0;
	copy = dentry_name_copy(options, strlen(options));
	if (!copy)
		return -ENOMEM;
	err = parse(&wanted, copy);
	dentry_name_free(copy);
	if (!err)
		d->options = wanted;
	return err;
}

/* --- mounting ---------------------------------------------------------------------------------------- */

static int devpts_statfs(struct super *s, struct uapi_statfs *st)
{
	(void)s;
	return statfs_memory(st, DEVPTS_MAGIC);
}

static int devpts_remount(struct super *s, const char *options)
{
	struct devpts *d = s->private_data;
	int err = apply_options(d, options);

	if (!err)
		d->ptmx->mode = S_IFCHR | d->options.ptmx_mode;
	return err;
}

static void devpts_show_options(struct super *s, char *buf, size_t size)
{
	const struct devpts_options *o = &((const struct devpts *)s->private_data)->options;
	size_t n = 0;

	if (o->has_uid)
		n += (size_t)snprintf(buf, size, ",uid=%u", o->uid);
	if (n < size && o->has_gid)
		n += (size_t)snprintf(buf + n, size - n, ",gid=%u", o->gid);
	if (n < size)
		n += (size_t)snprintf(buf + n, size - n, ",mode=%03o,ptmxmode=%03o", o->mode,
				      o->ptmx_mode);
	if (n < size && o->max != MAX_PTYS)
		snprintf(buf + n, size - n, ",max=%u", o->max);
}

static void devpts_release(struct super *s)
{
	kfree(s->private_data);
}

static const struct super_ops devpts_super_ops = {
	.statfs = devpts_statfs,
	.remount = devpts_remount,
	.show_options = devpts_show_options,
	.release = devpts_release,
};

static int make_root(struct super *s)
{
	struct inode *inode = inode_create(s, S_IFDIR | 0755, &dir_file_ops);

	if (!inode)
		return -ENOMEM;
	inode->nlink = 2;
	if (dentry_alloc_root(inode))
		return 0;
	inode_put(inode);
	return -ENOMEM;
}

static int make_ptmx(struct super *s, struct devpts *d)
{
	struct inode *inode = inode_create(s, S_IFCHR | d->options.ptmx_mode, &ptmx_ops);
	struct dentry *name;

	if (!inode)
		return -ENOMEM;
	inode->rdev = DEV_MAKE(5, 2);
	d->ptmx = inode;
	name = add_name(s, "ptmx", inode);
	if (!name)
		return -ENOMEM;
	dentry_put(name); /* the tree has its own reference */
	return 0;
}

static int devpts_mount(struct super *s, const char *options)
{
	struct devpts *d = kmalloc(sizeof(*d), PA_ZERO);
	int err;

	if (!d)
		return -ENOMEM;
	spin_init(&d->lock, RANK_PROCESS);
	d->options = (struct devpts_options){.mode = 0600, .max = MAX_PTYS};
	s->private_data = d;
	s->ops = &devpts_super_ops;
	err = apply_options(d, options);
	if (!err)
		err = make_root(s);
	return err ? err : make_ptmx(s, d);
}

const struct fs_type devpts_type = {"devpts", devpts_mount};
