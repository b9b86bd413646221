/* SPDX-License-Identifier: MIT */
/*
 * sysfs.c - /sys: the devices and CPUs there are, as a pinned tree of directories, one value per file (sysfs(5)).
 *
 * The tree is built when it is mounted, from the registry of devices and the CPUs of the machine, and never changes.
 * A device has one directory, below devices/; class/ and dev/ hold links to it, as programs look for it there.
 */
#include <uapi/errno.h>
#include <uapi/stat.h>
#include "drivers/tty.h"
#include "fs/file.h"
#include "fs/text.h"
#include "kernel/smp.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SYSFS_MAGIC 0x62656572

#define MAJOR_MEM 1

/* --- values ---------------------------------------------------------------------------------------------- */

/* A set of CPUs; the argument is the mask, NULL: all that the kernel knows of. */
static int cpus_show(struct file *f, struct text *t)
{
	const struct cpumask *m = text_arg(f->inode);
	struct cpumask all;

	memset(&all, 0xff, sizeof(all));
	text_cpu_list(t, m ? m : &all, nr_cpus);
	return 0;
}

static int kernel_max_show(struct file *f UNUSED, struct text *t)
{
	text_printf(t, "%u\n", MAX_CPUS - 1);
	return 0;
}

/* What is written with echo goes to this terminal as well as kernel messages. */
static int active_show(struct file *f UNUSED, struct text *t)
{
	text_printf(t, "%s\n", tty_console_names());
	return 0;
}

/* The argument of a device's files is the dentry of its directory: its name is the device's, and its inode has the
 * device's number. */
static int dev_show(struct file *f, struct text *t)
{
	u64 rdev = ((const struct dentry *)text_arg(f->inode))->inode->rdev;

	text_printf(t, "%u:%u\n", DEV_MAJOR(rdev), DEV_MINOR(rdev));
	return 0;
}

static int uevent_show(struct file *f, struct text *t)
{
	const struct dentry *dir = text_arg(f->inode);

	text_printf(t, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", DEV_MAJOR(dir->inode->rdev),
		    DEV_MINOR(dir->inode->rdev), dir->name);
	return 0;
}

static const struct text_ops cpus_ops = {.show = cpus_show};
static const struct text_ops kernel_max_ops = {.show = kernel_max_show};
static const struct text_ops active_ops = {.show = active_show};
static const struct text_ops dev_ops = {.show = dev_show};
static const struct text_ops uevent_ops = {.show = uevent_show};

/* --- CPUs ------------------------------------------------------------------------------------------------- */

static int add_cpus(struct dentry *system)
{
	struct dentry *dir = text_dir(system, "cpu");
	char name[16];
	int err = dir ? text_file(dir, "online", 0444, &cpus_ops, &cpus_online) : -ENOMEM;

	if (!err)
		err = text_file(dir, "possible", 0444, &cpus_ops, NULL);
	if (!err)
		err = text_file(dir, "present", 0444, &cpus_ops, NULL);
	if (!err)
		err = text_file(dir, "kernel_max", 0444, &kernel_max_ops, NULL);
	for (unsigned cpu = 0; cpu < nr_cpus && !err; cpu++) {
		snprintf(name, sizeof(name), "cpu%u", cpu);
		err = text_dir(dir, name) ? 0 : -ENOMEM;
	}
	return err;
}

/* --- devices ------------------------------------------------------------------------------------------------ */

/* Where devices go: a directory for the devices of each class, and one for the links to them. */
struct places {
	struct dentry *virtual, *class, *dev_char;
};

struct class_places {
	struct dentry *devices, *links;
};

/* class_of - the directories of a class, made when its first device comes. */
static int class_of(const struct places *p, const char *class, struct class_places *out)
{
	out->devices = text_find(p->virtual, class);
	if (!out->devices)
		out->devices = text_dir(p->virtual, class);
	out->links = text_find(p->class, class);
	if (!out->links)
		out->links = text_dir(p->class, class);
	return out->devices && out->links ? 0 : -ENOMEM;
}

static int add_links(const struct places *p, const struct class_places *c, const char *class,
		     const char *name, u64 rdev)
{
	char target[96], number[24];
	int err;

	snprintf(target, sizeof(target), "../../devices/virtual/%s/%s", class, name);
	snprintf(number, sizeof(number), "%u:%u", DEV_MAJOR(rdev), DEV_MINOR(rdev));
	err = text_link(c->links, name, target);
	return err ? err : text_link(p->dev_char, number, target);
}

static int add_device(const char *name, u64 rdev, u32 mode UNUSED, void *arg)
{
	const struct places *p = arg;
	const char *class = DEV_MAJOR(rdev) == MAJOR_MEM ? "mem" : "tty";
	struct class_places c;
	struct dentry *dir;
	char subsystem[48];
	int err = class_of(p, class, &c);

	if (err)
		return err;
	dir = text_dir(c.devices, name);
	if (!dir)
		return -ENOMEM;
	dir->inode->rdev = rdev;
	err = text_file(dir, "dev", 0444, &dev_ops, dir);
	if (!err)
		err = text_file(dir, "uevent", 0444, &uevent_ops, dir);
	snprintf(subsystem, sizeof(subsystem), "../../../../class/%s", class);
	if (!err)
		err = text_link(dir, "subsystem", subsystem);
	if (!err && !strcmp(name, "console"))
		err = text_file(dir, "active", 0444, &active_ops, NULL);
	return err ? err : add_links(p, &c, class, name, rdev);
}

static int add_devices(struct dentry *root)
{
	struct dentry *devices = text_dir(root, "devices"), *dev = text_dir(root, "dev"), *system;
	struct places p = {.class = text_dir(root, "class")};
	int err;

	if (!devices || !dev || !p.class)
		return -ENOMEM;
	system = text_dir(devices, "system");
	p.virtual = text_dir(devices, "virtual");
	p.dev_char = text_dir(dev, "char");
	if (!system || !p.virtual || !p.dev_char || !text_dir(dev, "block"))
		return -ENOMEM;
	err = add_cpus(system);
	return err ? err : device_for_each(add_device, &p);
}

/* --- mounting ----------------------------------------------------------------------------------------------- */

static int sysfs_statfs(struct super *s UNUSED, struct uapi_statfs *st)
{
	return statfs_memory(st, SYSFS_MAGIC);
}

static const struct super_ops sysfs_super_ops = {.statfs = sysfs_statfs};

/* Directories that every system has, and in which there is nothing here. */
static const char *const empty[] = {"block", "bus", "firmware", "fs", "kernel", "module"};

static int sysfs_mount(struct super *s, const char *options UNUSED)
{
	int err;

	s->ops = &sysfs_super_ops;
	s->root = text_root(s, 0755, NULL, NULL);
	if (!s->root)
		return -ENOMEM;
	err = add_devices(s->root);
	for (size_t i = 0; i < ARRAY_SIZE(empty) && !err; i++)
		err = text_dir(s->root, empty[i]) ? 0 : -ENOMEM;
	return err;
}

const struct fs_type sysfs_type = {.name = "sysfs", .mount = sysfs_mount};
