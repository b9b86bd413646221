/* SPDX-License-Identifier: MIT */
/*
 * fifo.c - named pipes: opening one waits for the other side (fifo(7)).
 *
 * The pipe belongs to the inode from the first open to the last close; what nobody has read by then is
 * lost. The inode's lock guards inode->private_data and pipe->users.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/pipe.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "lib/atomic.h"

/* take_pipe - one more user of the inode's pipe, which is made for the first one. */
static struct pipe *take_pipe(struct inode *inode)
{
	struct pipe *p;

	mutex_lock(&inode->lock);
	p = inode->private_data;
	if (!p)
		p = inode->private_data = pipe_alloc();
	if (p)
		p->users++;
	mutex_unlock(&inode->lock);
	return p;
}

static void give_pipe(struct inode *inode, struct pipe *p)
{
	bool last;

	mutex_lock(&inode->lock);
	last = --p->users == 0;
	if (last)
		inode->private_data = NULL;
	mutex_unlock(&inode->lock);
	if (last)
		pipe_free(p);
}

void fifo_release(struct file *f)
{
	struct pipe *p = f->private_data;

	if (!p)
		return; /* it could not be opened */
	pipe_leave(p, f);
	give_pipe(f->inode, p);
}

/* wait_for_other_side - until somebody has it open at the other end, or has had it since we came. */
static int wait_for_other_side(struct file *f, struct pipe *p, u32 readers_ever, u32 writers_ever)
{
	int err = 0;

	if (f->can_read && !f->can_write)
		err = wait_event(&p->opened,
				 atomic_load(&p->writers) ||
					 atomic_load(&p->writers_ever) != writers_ever,
				 WAIT_INTERRUPTIBLE);
	else if (f->can_write && !f->can_read)
		err = wait_event(&p->opened,
				 atomic_load(&p->readers) ||
					 atomic_load(&p->readers_ever) != readers_ever,
				 WAIT_INTERRUPTIBLE);
	return err ? -RESTART_SYS : 0;
}

static int fifo_open(struct file *f)
{
	struct pipe *p = take_pipe(f->inode);
	u32 readers_ever, writers_ever;

	if (!p)
		return -ENOMEM;
	if ((f->flags & O_NONBLOCK) && !f->can_read && !atomic_load(&p->readers)) {
		give_pipe(f->inode, p);
		return -ENXIO;
	}
	file_set_ops(f, &pipe_file_ops);
	f->private_data = p;
	readers_ever = atomic_load(&p->readers_ever);
	writers_ever = atomic_load(&p->writers_ever);
	pipe_join(p, f);
	if (f->flags & O_NONBLOCK) {
		if (f->can_read && !atomic_load(&p->writers))
			f->pos = writers_ever;
		return 0;
	}
	return wait_for_other_side(f, p, readers_ever, writers_ever);
}

const struct file_ops fifo_file_ops = {.open = fifo_open, .is_stream = true};
