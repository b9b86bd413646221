/* SPDX-License-Identifier: MIT */
/*
 * task_args.c - what lies in a process's memory: its arguments, environment and auxiliary vector as text files,
 * and mem, which is all of it.
 *
 * Whether somebody may look is decided when the file is opened, and for the address space that the process has at
 * that moment: after exec the file shows nothing, so that a descriptor opened before does not reach into a
 * program with more rights. The file holds the struct of the space, which costs a page, not its memory.
 */
#include <uapi/errno.h>
#include "fs/proc/internal.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/fault/fault.h"
#include "mm/vma/space.h"

/* --- the space of an open file ------------------------------------------------------------------------- */

int proc_hold_space(struct inode *inode, struct space **out)
{
	struct process *p;
	struct space *s;
	int err = proc_inspected(inode, &p);

	if (err)
		return err;
	s = process_space(p);
	process_put(p);
	*out = s;
	if (s) {
		as_get(&s->as);
		space_put(s);
	}
	return 0;
}

void proc_drop_space(struct space *held)
{
	if (held)
		as_put(&held->as);
}

struct space *proc_use_space(struct space *held)
{
	return held && space_try_get(held) ? held : NULL;
}

int proc_open_space(struct file *f, struct text *t)
{
	return proc_hold_space(f->inode, (struct space **)&t->private_data);
}

void proc_release_space(struct file *f UNUSED, struct text *t)
{
	proc_drop_space(t->private_data);
}

struct space *proc_space(struct text *t)
{
	return proc_use_space(t->private_data);
}

/* --- stretches of memory -------------------------------------------------------------------------------- */

/* show_range - the window of [start, end) that starts at the cursor. What cannot be read ends the text. */
static void show_range(struct space *s, struct text *t, vaddr_t start, vaddr_t end)
{
	char buf[512];

	while (start + t->cursor < end && !text_is_full(t)) {
		size_t n = MIN(sizeof(buf), end - start - t->cursor);

		if (space_read(s, start + t->cursor, buf, n))
			return;
		text_put(t, buf, n);
		t->cursor += n;
	}
	t->more = start + t->cursor < end;
}

/* show_title - a program that has overwritten its arguments without a NUL at their end, up to the first
 * NUL behind: long titles run on into the environment. */
static void show_title(struct space *s, struct text *t)
{
	size_t n;

	show_range(s, t, s->arg_start, MIN(s->env_end, s->arg_start + TEXT_WINDOW));
	t->more = false;
	n = strnlen(t->buf, t->len);
	t->len = MIN(n + 1, t->len);
}

static int cmdline_show(struct file *f, struct text *t)
{
	struct process *p = proc_process(f->inode);
	struct space *s;
	char last = 0;

	if (!p)
		return -ESRCH;
	s = process_space(p);
	process_put(p);
	if (!s)
		return 0;
	if (s->arg_end > s->arg_start && space_read(s, s->arg_end - 1, &last, 1))
		last = 0;
	if (last && !t->cursor)
		show_title(s, t);
	else
		show_range(s, t, s->arg_start, s->arg_end);
	space_put(s);
	return 0;
}

static int environ_show(struct file *f UNUSED, struct text *t)
{
	struct space *s = proc_space(t);

	if (!s)
		return 0;
	show_range(s, t, s->env_start, s->env_end);
	space_put(s);
	return 0;
}

static int auxv_show(struct file *f UNUSED, struct text *t)
{
	struct space *s = proc_space(t);

	if (!s)
		return 0;
	show_range(s, t, s->program.auxv, s->program.auxv_end);
	space_put(s);
	return 0;
}

const struct text_ops proc_cmdline_ops = {.show = cmdline_show};
const struct text_ops proc_environ_ops = {
	.open = proc_open_space, .release = proc_release_space, .show = environ_show};
const struct text_ops proc_auxv_ops = {
	.open = proc_open_space, .release = proc_release_space, .show = auxv_show};

/* --- mem ------------------------------------------------------------------------------------------------- */

static int mem_open(struct file *f)
{
	return proc_hold_space(f->inode, (struct space **)&f->private_data);
}

static void mem_release(struct file *f)
{
	proc_drop_space(f->private_data);
}

static ssize_t mem_rw(struct file *f, struct uio *uio, u64 *pos, unsigned access)
{
	struct space *s = proc_use_space(f->private_data);
	ssize_t n = 0;

	if (!s)
		return 0;
	if (uio->left)
		n = inspect_move(s, *pos, uio, uio->left, access | FAULT_FORCE);
	space_put(s);
	if (n > 0)
		*pos += (u64)n;
	return n;
}

static ssize_t mem_read(struct file *f, struct uio *uio, u64 *pos)
{
	return mem_rw(f, uio, pos, FAULT_READ);
}

static ssize_t mem_write(struct file *f, struct uio *uio, u64 *pos)
{
	return mem_rw(f, uio, pos, FAULT_WRITE);
}

static s64 mem_seek(struct file *f, s64 offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	f->pos = (whence == SEEK_CUR ? f->pos : 0) + (u64)offset;
	return (s64)f->pos;
}

const struct file_ops proc_mem_fops = {
	.open = mem_open,
	.release = mem_release,
	.read = mem_read,
	.write = mem_write,
	.seek = mem_seek,
};
