/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - the table of mounts as the process sees it: mounts as in fstab(5), mountinfo as in proc(5).
 *
 * The whole table is written at once, under the lock that keeps it still. What cannot be reached from the
 * process's root is left out. A mount has no number of its own: the minor device number serves.
 */
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/proc/internal.h"
#include "mm/phys/slab.h"

#define BLANKS "\\ \t\n"

struct listing {
	struct text *text;
	struct dentry *root; /* of the process */
	char *path;          /* PATH_MAX bytes */
};

static void show_flags(struct text *t, u32 flags)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = {
		{MS_SYNCHRONOUS, ",sync"},        {MS_DIRSYNC, ",dirsync"},
		{MS_NOSUID, ",nosuid"},           {MS_NODEV, ",nodev"},
		{MS_NOEXEC, ",noexec"},           {MS_NOATIME, ",noatime"},
		{MS_NODIRATIME, ",nodiratime"},   {MS_RELATIME, ",relatime"},
		{MS_NOSYMFOLLOW, ",nosymfollow"},
	};

	text_puts(t, flags & MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			text_puts(t, names[i].text);
}

static void show_options(struct listing *l, struct super *s)
{
	if (!s->ops->show_options)
		return;
	s->ops->show_options(s, l->path, PATH_MAX);
	text_puts(l->text, l->path);
}

/* place - where it lies, in l->path; false: out of the process's reach. */
static bool place(struct listing *l, struct super *s)
{
	bool reachable;

	return !dentry_path_locked(l->root, s->root, l->path, PATH_MAX, false, &reachable) &&
	       reachable;
}

static int show_mount(struct super *s, void *arg)
{
	struct listing *l = arg;

	if (!place(l, s))
		return 0;
	text_escaped(l->text, s->source, BLANKS);
	text_char(l->text, ' ');
	text_escaped(l->text, l->path, BLANKS);
	text_printf(l->text, " %s ", s->type->name);
	show_flags(l->text, s->flags);
	show_options(l, s);
	text_puts(l->text, " 0 0\n");
	return 0;
}

static int show_mountinfo(struct super *s, void *arg)
{
	struct listing *l = arg;
	u32 id = DEV_MINOR(s->dev);

	if (!place(l, s))
		return 0;
	text_printf(l->text, "%u %u %u:%u / ", id,
		    s->mountpoint ? DEV_MINOR(s->mountpoint->super->dev) : id, DEV_MAJOR(s->dev),
		    id);
	text_escaped(l->text, l->path, BLANKS);
	text_char(l->text, ' ');
	show_flags(l->text, s->flags);
	text_printf(l->text, " - %s ", s->type->name);
	text_escaped(l->text, s->source, BLANKS);
	text_puts(l->text, s->flags & MS_RDONLY ? " ro" : " rw");
	show_options(l, s);
	text_char(l->text, '\n');
	return 0;
}

static int show(struct file *f, struct text *t, int (*one)(struct super *, void *))
{
	struct process *p = proc_process(f->inode);
	struct listing l = {.text = t};
	int err = 0;

	if (!p)
		return -EINVAL;
	l.root = inspect_root(p);
	process_put(p);
	if (!l.root)
		return -EINVAL;
	l.path = kmalloc(PATH_MAX, 0);
	if (l.path)
		vfs_for_each_mount(one, &l);
	else
		err = -ENOMEM;
	kfree(l.path);
	dentry_put(l.root);
	return err;
}

static int mounts_show(struct file *f, struct text *t)
{
	return show(f, t, show_mount);
}

static int mountinfo_show(struct file *f, struct text *t)
{
	return show(f, t, show_mountinfo);
}

const struct text_ops proc_mounts_ops = {.show = mounts_show};
const struct text_ops proc_mountinfo_ops = {.show = mountinfo_show};
