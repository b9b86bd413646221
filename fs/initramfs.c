/* SPDX-License-Identifier: MIT */
/*
 * initramfs.c - fill the root directory from the cpio archive that the boot loader left in memory.
 *
 * The archive is plain or gzip-compressed, or several of either kind one behind the other; a later file of
 * the same name replaces an earlier one. What is damaged ends the unpacking with a message, and everything
 * that was complete before it stays. Hard links share an inode; only the last name of a group
 * carries the content, so the group is remembered until the end.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "boot/boot_info.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/printk.h"
#include "lib/cpio.h"
#include "lib/inflate.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define STOPPED 1 /* what feed returns to end decompression: the cpio reader knows why */

/* A file with several names. */
struct link_group {
	struct list_head link;
	u32 ino, dev_major, dev_minor;
	struct dentry *first; /* referenced */
};

struct unpack {
	struct inflate_work inflate;
	struct cpio cpio;
	char target[PATH_MAX]; /* of the symbolic link that is being read */
	struct list_head groups;
	struct file *file; /* being written; NULL: the entry has no content, or could not be made */
	u64 pos;
	u32 files, failed;
	u64 bytes;
};

/* --- names ------------------------------------------------------------------------------------------- */

static int make(const char *path, const struct vfs_new *what, struct dentry **out)
{
	struct last_name last;
	struct dentry *dir;
	int err = vfs_lookup_parent(vfs_root, path, 0, &dir, &last);

	if (err)
		return err;
	if (last.special)
		err = -EEXIST;
	else
		err = vfs_create(dir, last.name, last.len, what, out);
	if (err == -EEXIST && !last.special && !S_ISDIR(what->mode)) {
		err = vfs_unlink(dir, last.name, last.len, false);
		if (!err)
			err = vfs_create(dir, last.name, last.len, what, out);
	}
	dentry_put(dir);
	return err;
}

/* A directory that is there already gets the archive's mode. */
static int make_directory(const char *path, const struct vfs_new *what)
{
	struct dentry *d;
	int err = make(path, what, NULL);

	if (err != -EEXIST)
		return err;
	err = vfs_lookup(vfs_root, path, WALK_DIRECTORY, &d);
	if (err)
		return err;
	d->inode->mode = what->mode;
	dentry_put(d);
	return 0;
}

static int make_link(struct dentry *first, const char *path)
{
	struct last_name last;
	struct dentry *dir;
	int err = vfs_lookup_parent(vfs_root, path, 0, &dir, &last);

	if (err)
		return err;
	err = last.special ? -EEXIST : vfs_link(first, dir, last.name, last.len);
	dentry_put(dir);
	return err;
}

/* --- hard links -------------------------------------------------------------------------------------- */

static struct link_group *find_group(struct unpack *u, const struct cpio_entry *e)
{
	struct link_group *g;

	list_for_each (g, &u->groups, link)
		if (g->ino == e->ino && g->dev_major == e->dev_major &&
		    g->dev_minor == e->dev_minor)
			return g;
	return NULL;
}

static void remember_group(struct unpack *u, const struct cpio_entry *e, struct dentry *d)
{
	struct link_group *g = kmalloc(sizeof(*g), 0);

	if (!g)
		return;
	g->ino = e->ino;
	g->dev_major = e->dev_major;
	g->dev_minor = e->dev_minor;
	g->first = d;
	dentry_get(d);
	list_add(&g->link, &u->groups);
}

static void forget_groups(struct unpack *u)
{
	struct link_group *g, *next;

	list_for_each_safe (g, next, &u->groups, link) {
		list_del(&g->link);
		dentry_put(g->first);
		kfree(g);
	}
}

/* --- entries ----------------------------------------------------------------------------------------- */

static int begin_file(struct unpack *u, const struct cpio_entry *e, const struct vfs_new *what)
{
	struct link_group *g = e->nlink > 1 ? find_group(u, e) : NULL;
	struct dentry *d;
	int err;

	if (g) {
		err = make_link(g->first, e->name);
		d = g->first;
		dentry_get(d);
	} else {
		err = make(e->name, what, &d);
	}
	if (!err && e->size)
		err = file_open(d, O_WRONLY, &u->file);
	if (!err && e->nlink > 1 && !g)
		remember_group(u, e, d);
	if (!err || g)
		dentry_put(d);
	return err;
}

/* begin_entry - everything but symbolic links, whose target comes as content. */
static int begin_entry(void *ctx, const struct cpio_entry *e)
{
	struct vfs_new what = {
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.rdev = DEV_MAKE(e->rdev_major, e->rdev_minor),
	};
	struct unpack *u = ctx;
	int err = 0;

	u->file = NULL;
	u->pos = 0;
	u->files++;
	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		err = make_directory(e->name, &what);
		break;
	case S_IFREG:
		err = begin_file(u, e, &what);
		break;
	case S_IFLNK:
		break;
	default:
		err = make(e->name, &what, NULL);
	}
	if (err) {
		u->failed++;
		printk("initramfs: cannot make %s: error %d\n", e->name, err);
	}
	return err == -ENOMEM ? err : 0;
}

/* write_all - a write that is cut short says why when it is asked to go on. */
static int write_all(struct unpack *u, const u8 *data, size_t n)
{
	while (n) {
		ssize_t done = file_write_kernel(u->file, data, n, u->pos);

		if (done <= 0)
			return done ? (int)done : -EIO;
		u->pos += (u64)done;
		u->bytes += (u64)done;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

static int entry_data(void *ctx, const struct cpio_entry *e, const u8 *data, size_t n)
{
	struct unpack *u = ctx;

	if (!S_ISLNK(e->mode))
		return u->file ? write_all(u, data, n) : 0;
	if (u->pos + n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(u->target + u->pos, data, n);
	u->pos += n;
	return 0;
}

static int end_entry(void *ctx, const struct cpio_entry *e)
{
	struct unpack *u = ctx;
	struct vfs_new what = {.mode = S_IFLNK | 0777, .uid = e->uid, .gid = e->gid};
	int err;

	if (u->file) {
		file_put(u->file);
		u->file = NULL;
	}
	if (!S_ISLNK(e->mode))
		return 0;
	u->target[u->pos] = 0;
	what.target = u->target;
	err = make(e->name, &what, NULL);
	if (err)
		printk("initramfs: cannot make %s: error %d\n", e->name, err);
	return err == -ENOMEM ? err : 0;
}

static int end_archive(void *ctx)
{
	forget_groups(ctx);
	return 0;
}

static const struct cpio_ops ops = {begin_entry, entry_data, end_entry, end_archive};

/* --- the archive ------------------------------------------------------------------------------------- */

static int feed(void *ctx, const u8 *data, size_t n)
{
	struct unpack *u = ctx;

	return cpio_feed(&u->cpio, data, n) == CPIO_OK ? 0 : STOPPED;
}

static void report(const struct unpack *u, int inflate_error, enum cpio_error cpio_error)
{
	const struct cpio *c = &u->cpio;

	if (inflate_error && inflate_error != STOPPED)
		printk("initramfs: the compressed archive is %s; files before the damage are kept\n",
		       inflate_error == -EIO ? "cut short" : "corrupt");
	else if (cpio_error == CPIO_STOPPED && c->stopped_by == -ENOMEM)
		printk("initramfs: not enough memory for %s; files before it are kept\n", c->name);
	else if (cpio_error == CPIO_STOPPED)
		printk("initramfs: stopped at %s: error %d\n", c->name, c->stopped_by);
	else if (cpio_error != CPIO_OK)
		printk("initramfs: %s at byte %lu; files before it are kept\n",
		       cpio_error_text(cpio_error), (unsigned long)c->offset);
	printk("initramfs: %u entries, %lu KiB%s\n", u->files, (unsigned long)(u->bytes >> 10),
	       u->failed ? ", some could not be made" : "");
}

static void unpack(const u8 *data, size_t size)
{
	struct unpack *u = kmalloc(sizeof(*u), 0);
	enum cpio_error cpio_error;
	int err = 0;

	if (!u) {
		printk("initramfs: not enough memory to unpack it\n");
		return;
	}
	list_init(&u->groups);
	u->file = NULL;
	u->files = u->failed = 0;
	u->bytes = 0;
	cpio_init(&u->cpio, &ops, u);
	if (is_gzip(data, size))
		err = gunzip(&u->inflate, data, size, feed, u);
	else
		feed(u, data, size);
	cpio_error = cpio_finish(&u->cpio);
	report(u, err, cpio_error);
	if (u->file)
		file_put(u->file);
	forget_groups(u);
	kfree(u);
}

/* What a system without devices in its archive still needs. */
static void make_standard_nodes(void)
{
	struct vfs_new dev = {.mode = S_IFDIR | 0755};
	struct vfs_new console = {.mode = S_IFCHR | 0600, .rdev = DEV_MAKE(5, 1)};

	if (make("/dev", &dev, NULL) || make("/dev/console", &console, NULL))
		panic("no memory for the root directory");
}

void initramfs_unpack(void)
{
	paddr_t base = boot_info.initrd;
	u64 size = boot_info.initrd_size;

	make_standard_nodes();
	if (!size) {
		printk("initramfs: none was given\n");
		return;
	}
	unpack(phys_to_virt(base), size);
	phys_free_range(base, size);
}

void vfs_list_root(void)
{
	struct dentry *d;

	mutex_lock(&vfs_root->inode->lock);
	printk("the root directory holds:\n");
	list_for_each (d, &vfs_root->children, sibling)
		printk("  %06o %s\n", d->inode->mode, d->name);
	mutex_unlock(&vfs_root->inode->lock);
}
