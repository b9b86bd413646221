/* SPDX-License-Identifier: MIT */
/*
 * maps.c - the mappings of a process as text: maps, one line each, smaps, with what is resident behind each
 * line, and smaps_rollup, the sum of that (proc(5), format of each as Linux 6.12 prints it).
 *
 * The text comes in windows; the cursor is the address behind the last mapping shown. A mapping that changes
 * between two windows may show twice or not at all, but never in parts.
 */
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"
#include "mm/vma/usage.h"

#define NAME_COLUMN  72
#define MAPS_AT_ONCE 16

/* --- the line ------------------------------------------------------------------------------------------ */

/* is_path - names of objects that start like this stand for files. */
static bool is_path(const struct space_mapping *m)
{
	return m->obj && m->obj->ops->name && m->obj->ops->name[0] == '/';
}

static void show_head(struct text *t, const struct space_mapping *m)
{
	const struct inode *inode = m->name ? ((struct dentry *)m->name)->inode : NULL;
	u64 dev = inode ? inode->dev : is_path(m) ? DEV_MAKE(0, 1) : 0;

	text_printf(t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", m->start, m->end,
		    m->flags & VM_READ ? 'r' : '-', m->flags & VM_WRITE ? 'w' : '-',
		    m->flags & VM_EXEC ? 'x' : '-', m->flags & VM_SHARED ? 's' : 'p',
		    m->obj ? m->pgoff * PAGE_SIZE : 0, DEV_MAJOR(dev), DEV_MINOR(dev),
		    inode ? inode->ino : 0);
}

/* name_of - what stands at the end of the line; path: PATH_MAX bytes to put it into. NULL: nothing. */
static const char *name_of(const struct space_mapping *m, char *path)
{
	if (m->name)
		return dentry_path(m->name, path, PATH_MAX, true) ? "(path too long)" : path;
	if (m->obj)
		return m->obj->ops->name;
	if (m->flags & VM_HEAP)
		return "[heap]";
	return m->flags & VM_STACK ? "[stack]" : NULL;
}

static void show_line(struct text *t, const struct space_mapping *m, char *path)
{
	const char *name = name_of(m, path);
	size_t start = t->len;

	show_head(t, m);
	if (name) {
		while (t->len - start < NAME_COLUMN && !t->failed)
			text_char(t, ' ');
		text_char(t, ' ');
		text_escaped(t, name, "\n");
	}
	text_char(t, '\n');
}

/* --- what is behind it --------------------------------------------------------------------------------- */

static void show_kib(struct text *t, const char *name, u64 bytes)
{
	int blanks = 16 - (int)strlen(name) - 1;

	text_printf(t, "%s:%*s%8lu kB\n", name, blanks, "", bytes >> 10);
}

static void show_vm_flags(struct text *t, const struct space_mapping *m)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = {
		{VM_READ, "rd"},     {VM_WRITE, "wr"},     {VM_EXEC, "ex"},
		{VM_SHARED, "sh"},   {VM_MAYREAD, "mr"},   {VM_MAYWRITE, "mw"},
		{VM_MAYEXEC, "me"},  {VM_GROWSDOWN, "gd"}, {VM_LOCKED, "lo"},
		{VM_SEQ_READ, "sr"}, {VM_RAND_READ, "rr"}, {VM_DONTFORK, "dc"},
		{VM_ONFAULT, "lf"},  {VM_NORESERVE, "nr"}, {VM_WIPEONFORK, "wf"},
		{VM_DONTDUMP, "dd"}, {VM_SEALED, "sl"},
	};

	text_puts(t, "VmFlags: ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		/* "ms" says that the mapping may be shared: it is. */
		if (names[i].flag == VM_GROWSDOWN && (m->flags & VM_SHARED))
			text_puts(t, "ms ");
		if (m->flags & names[i].flag)
			text_printf(t, "%s ", names[i].name);
	}
	text_char(t, '\n');
}

static void show_counts(struct text *t, const struct space_usage *u, bool rollup)
{
	show_kib(t, "Rss", u->resident);
	show_kib(t, "Pss", u->proportional);
	show_kib(t, "Pss_Dirty", u->proportional_dirty);
	if (rollup) {
		show_kib(t, "Pss_Anon", u->proportional_anon);
		show_kib(t, "Pss_File", u->proportional - u->proportional_anon);
		show_kib(t, "Pss_Shmem", 0);
	}
	show_kib(t, "Shared_Clean", u->shared_clean);
	show_kib(t, "Shared_Dirty", u->shared_dirty);
	show_kib(t, "Private_Clean", u->private_clean);
	show_kib(t, "Private_Dirty", u->private_dirty);
	show_kib(t, "Referenced", u->referenced);
	show_kib(t, "Anonymous", u->anonymous);
	show_kib(t, "KSM", 0);
	show_kib(t, "LazyFree", 0);
	show_kib(t, "AnonHugePages", u->anonymous_huge);
	show_kib(t, "ShmemPmdMapped", 0);
	show_kib(t, "FilePmdMapped", 0);
	text_puts(t, "Shared_Hugetlb:        0 kB\nPrivate_Hugetlb:       0 kB\n");
	show_kib(t, "Swap", u->swapped);
	show_kib(t, "SwapPss", u->swapped);
	show_kib(t, "Locked", u->locked);
}

static void show_usage(struct text *t, struct space *s, const struct space_mapping *m)
{
	struct space_usage u;

	space_usage(s, m->start, m->end, &u);
	u.locked = m->flags & VM_LOCKED ? u.proportional : 0;
	show_kib(t, "Size", m->end - m->start);
	show_kib(t, "KernelPageSize", PAGE_SIZE);
	show_kib(t, "MMUPageSize", PAGE_SIZE);
	show_counts(t, &u, false);
	text_puts(t, "THPeligible:           0\n");
	show_vm_flags(t, m);
}

/* show_sum - all mappings as if they were one. */
static void show_sum(struct text *t, struct space *s)
{
	struct space_usage sum = {0}, u;
	vaddr_t start = 0, end = 0;
	struct space_mapping m;

	while (!signal_fatal(current) && space_list(s, end, &m, 1)) {
		start = end ? start : m.start;
		end = m.end;
		space_usage(s, m.start, end, &u);
		u.locked = m.flags & VM_LOCKED ? u.proportional : 0;
		space_usage_add(&sum, &u);
		space_mapping_put(&m);
	}
	text_printf(t, "%08lx-%08lx ---p 00000000 00:00 0 ", start, end);
	while (t->len < NAME_COLUMN + 1 && !t->failed)
		text_char(t, ' ');
	text_puts(t, "[rollup]\n");
	show_counts(t, &sum, true);
}

/* --- the files ----------------------------------------------------------------------------------------- */

/* show_window - mappings from the cursor on until the window is full. */
static void show_window(struct text *t, struct space *s, char *path, bool usage)
{
	struct space_mapping m[MAPS_AT_ONCE];
	unsigned n;

	while (!text_is_full(t) && (n = space_list(s, t->cursor, m, ARRAY_SIZE(m)))) {
		for (unsigned i = 0; i < n; i++) {
			show_line(t, &m[i], path);
			if (usage)
				show_usage(t, s, &m[i]);
			t->cursor = m[i].end;
			space_mapping_put(&m[i]);
		}
		t->more = true;
	}
	t->more = t->more && text_is_full(t);
}

static int show(struct text *t, bool usage)
{
	struct space *s = proc_space(t);
	char *path;

	if (!s)
		return 0;
	path = kmalloc(PATH_MAX, 0);
	if (path)
		show_window(t, s, path, usage);
	kfree(path);
	space_put(s);
	return path ? 0 : -ENOMEM;
}

static int maps_show(struct file *f UNUSED, struct text *t)
{
	return show(t, false);
}

static int smaps_show(struct file *f UNUSED, struct text *t)
{
	return show(t, true);
}

static int smaps_rollup_show(struct file *f UNUSED, struct text *t)
{
	struct space *s = proc_space(t);

	if (!s)
		return -ESRCH;
	show_sum(t, s);
	space_put(s);
	return 0;
}

const struct text_ops proc_maps_ops = {
	.open = proc_open_space, .release = proc_release_space, .show = maps_show};
const struct text_ops proc_smaps_ops = {
	.open = proc_open_space, .release = proc_release_space, .show = smaps_show};
const struct text_ops proc_smaps_rollup_ops = {
	.open = proc_open_space, .release = proc_release_space, .show = smaps_rollup_show};
