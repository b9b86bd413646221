/* SPDX-License-Identifier: MIT */
/*
 * map_files.c - one link for each mapping of a file, named by its bounds: /proc/PID/map_files/START-END.
 *
 * The link says what the mapping shows; to follow it, past the permissions on the file's path, takes
 * CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
 */
#include <uapi/errno.h>
#include "fs/dir.h"
#include "fs/proc/internal.h"
#include "kernel/cred.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

/* space_of - a use of the address space, for those who may look. */
static int space_of(const struct inode *inode, struct space **out)
{
	struct process *p;
	int err = proc_inspected(inode, &p);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	*out = process_space(p);
	process_put(p);
	return *out ? 0 : -ENOENT;
}

/* --- one mapping ---------------------------------------------------------------------------------------- */

/* name_between - the name of what is mapped from start to end exactly, with a reference. */
static int name_between(const struct inode *inode, vaddr_t start, vaddr_t end, struct dentry **out)
{
	struct space_mapping m;
	struct space *s;
	int err = space_of(inode, &s);

	if (err)
		return err;
	err = -ENOENT;
	if (space_list(s, start, &m, 1)) {
		if (m.start == start && m.end == end && m.name) {
			*out = m.name;
			dentry_get(*out);
			err = 0;
		}
		space_mapping_put(&m);
	}
	space_put(s);
	return err;
}

static int link_target(struct dentry *link, struct dentry **out)
{
	const struct proc_inode *i = proc_inode(link->inode);

	return name_between(link->inode, i->arg[0], i->arg[1], out);
}

static int link_readlink(struct dentry *link, char *buf, size_t size)
{
	struct dentry *d;
	char *path;
	int n = link_target(link, &d);

	if (n)
		return n;
	path = kmalloc(PATH_MAX, 0);
	n = path ? dentry_path(d, path, PATH_MAX, true) : -ENOMEM;
	dentry_put(d);
	if (!n) {
		n = (int)MIN(strlen(path), size);
		memcpy(buf, path, (size_t)n);
	}
	kfree(path);
	return n;
}

static int link_follow(struct dentry *link, struct dentry **out)
{
	if (!cred_capable(CAP_SYS_ADMIN) && !cred_capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	return link_target(link, out);
}

static const struct inode_ops link_ops = {
	.readlink = link_readlink, .follow = link_follow, .free = proc_inode_free};
static const struct proc_entry link_entry = {.mode = S_IFLNK | 0700, .ops = &link_ops};

/* --- the directory -------------------------------------------------------------------------------------- */

/* parse_address - hexadecimal digits as the kernel prints them, up to `end`. */
static bool parse_address(const char *s, const char *end, vaddr_t *out)
{
	char *stop;

	if (s == end || end - s > 16 || (*s == '0' && end - s > 1))
		return false;
	*out = str_to_u64(s, &stop, 16);
	for (; s < end; s++)
		if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f')))
			return false;
	return stop == end;
}

static int map_files_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	const char *dash = memchr(name, '-', len);
	vaddr_t start, end;
	char copy[40];
	struct dentry *d;
	int err;

	if (!dash || len >= sizeof(copy))
		return -ENOENT;
	memcpy(copy, name, len);
	copy[len] = 0;
	dash = copy + (dash - name);
	if (!parse_address(copy, dash, &start) || !parse_address(dash + 1, copy + len, &end))
		return -ENOENT;
	err = name_between(dir->inode, start, end, &d);
	if (err)
		return err;
	dentry_put(d);
	err = proc_name(dir, name, len, &link_entry, NULL,
			PROC_INO(proc_inode(dir->inode)->pid->nr, INO_MAP, start >> PAGE_SHIFT),
			out);
	if (!err) {
		proc_inode((*out)->inode)->arg[0] = start;
		proc_inode((*out)->inode)->arg[1] = end;
	}
	return err;
}

/* A position is 2 plus the number of the page behind the last mapping shown. */
static void fill_maps(struct file *f, struct space *s, struct dir_fill *fill, int *err)
{
	u64 ino = PROC_INO(proc_inode(f->inode)->pid->nr, INO_MAP, 0);
	struct space_mapping m;
	bool more = true;
	char name[40];

	while (more && space_list(s, (f->pos - 2) << PAGE_SHIFT, &m, 1)) {
		int len = snprintf(name, sizeof(name), "%lx-%lx", m.start, m.end);
		u64 next = 2 + (m.end >> PAGE_SHIFT);

		if (m.name)
			more = dir_emit(fill, name, (size_t)len, ino + (m.start >> PAGE_SHIFT),
					S_IFLNK, next, err);
		if (more)
			f->pos = next;
		space_mapping_put(&m);
	}
}

static int map_files_readdir(struct file *f, vaddr_t buf, u32 size)
{
	struct dir_fill fill = {.buf = buf, .left = size};
	struct space *s;
	int err = space_of(f->inode, &s);

	if (err)
		return err;
	if (dir_fill_dots(f, &fill, &err))
		fill_maps(f, s, &fill, &err);
	space_put(s);
	return err ? err : (int)fill.done;
}

const struct inode_ops proc_map_files_ops = {.lookup = map_files_lookup, .free = proc_inode_free};
const struct file_ops proc_map_files_fops = {
	.read = dir_read, .seek = dir_seek, .readdir = map_files_readdir};
