/* SPDX-License-Identifier: MIT */
/*
 * quire.c - /proc/quire: what only this kernel tells. Which system calls programs asked for in vain, and the events
 * in the trace rings.
 */
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "kernel/syscall.h"
#include "kernel/trace.h"

/* Number and count, one line for each number that was used and is not implemented. */
static int unimplemented_show(struct file *f UNUSED, struct text *t)
{
	for (; t->cursor <= syscall_max() && !text_is_full(t); t->cursor++) {
		u64 count = syscall_unknown_count((unsigned)t->cursor);

		if (count)
			text_printf(t, "%lu %lu\n", t->cursor, count);
	}
	t->more = t->cursor <= syscall_max();
	return 0;
}

/* The newest events of all CPUs, oldest first. Rings go on being written while they are read, so lines may be
 * missing; those that are there are whole. */
static int trace_show(struct file *f UNUSED, struct text *t)
{
	struct trace_cursor *c = t->private_data;

	if (!t->cursor)
		trace_cursor_begin(c);
	while (!text_is_full(t)) {
		char line[160];
		size_t n = trace_cursor_next(c, line, sizeof(line));

		if (!n)
			return 0;
		text_put(t, line, n);
		t->cursor++;
	}
	t->more = true;
	return 0;
}

static int trace_open(struct file *f UNUSED, struct text *t)
{
	t->private_data = trace_cursor_create();
	return t->private_data ? 0 : -ENOMEM;
}

static void trace_release(struct file *f UNUSED, struct text *t)
{
	trace_cursor_free(t->private_data);
}

static const struct text_ops unimplemented_ops = {.show = unimplemented_show};
static const struct text_ops trace_ops = {
	.open = trace_open, .release = trace_release, .show = trace_show};

int proc_add_quire(struct dentry *root)
{
	struct dentry *dir = text_dir(root, "quire");
	int err = dir ? text_file(dir, "unimplemented", 0444, &unimplemented_ops, NULL) : -ENOMEM;

	/* Addresses of the kernel are not for everybody. */
	return err ? err : text_file(dir, "trace", 0400, &trace_ops, NULL);
}
