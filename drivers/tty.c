/* SPDX-License-Identifier: MIT */
/*
 * tty.c - terminals as open files: opening, reading, writing, polling, and their end.
 *
 * Which terminal an opening is of depends on the name: /dev/tty is the controlling terminal of whoever opens it,
 * /dev/console the serial port, without job control; a name in devpts has its terminal in the inode.
 *
 * A file that was open when its terminal was hung up is dead: reads find the end of the file, writes and requests
 * are EIO.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "drivers/tty_internal.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define DEV_TTY     DEV_MAKE(5, 0)
#define DEV_CONSOLE DEV_MAKE(5, 1)

#define WRITE_CHUNK \
	512 /* bytes that no other writer comes in between of, unless output is held up */
#define READ_CHUNK 256

static const struct uapi_termios2 initial_termios = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {[VINTR] = 3,
		 [VQUIT] = 0x1c,
		 [VERASE] = 0x7f,
		 [VKILL] = 0x15,
		 [VEOF] = 4,
		 [VMIN] = 1,
		 [VSTART] = 0x11,
		 [VSTOP] = 0x13,
		 [VSUSP] = 0x1a,
		 [VREPRINT] = 0x12,
		 [VDISCARD] = 0x0f,
		 [VWERASE] = 0x17,
		 [VLNEXT] = 0x16},
	.c_ispeed = 38400,
	.c_ospeed = 38400,
};

/* --- life -------------------------------------------------------------------------------------------- */

int tty_init(struct tty *t, const struct tty_driver *driver, u64 rdev)
{
	refcount_init(&t->refs);
	t->driver = driver;
	t->rdev = rdev;
	mutex_init(&t->lock, RANK_INODE);
	t->termios = initial_termios;
	waitq_init(&t->readers);
	waitq_init(&t->writers);
	waitq_init(&t->typists);
	t->in.data = kmalloc(TTY_INPUT_SIZE, 0);
	t->out = (struct tty_ring){.data = kmalloc(TTY_OUTPUT_SIZE, 0), .size = TTY_OUTPUT_SIZE};
	t->echo = (struct tty_ring){.data = t->echo_data, .size = TTY_ECHO_SIZE};
	if (t->in.data && t->out.data)
		return 0;
	tty_free_buffers(t);
	return -ENOMEM;
}

void tty_free_buffers(struct tty *t)
{
	kfree(t->in.data);
	kfree(t->out.data);
	t->in.data = t->out.data = NULL;
}

void tty_get(struct tty *t)
{
	refcount_get(&t->refs);
}

void tty_put(struct tty *t)
{
	if (refcount_put(&t->refs))
		t->driver->free(t);
}

void tty_lock(struct tty *t)
{
	mutex_lock(&t->lock);
}

void tty_unlock(struct tty *t)
{
	u32 due = t->due;

	t->due = 0;
	mutex_unlock(&t->lock);
	if (due)
		tty_signal_foreground(t, due);
}

/* --- opening and closing ----------------------------------------------------------------------------- */

static int check_open(const struct tty *t)
{
	if (t->other_closed)
		return -EIO;
	return t->exclusive && !cred_capable(CAP_SYS_ADMIN) ? -EBUSY : 0;
}

int tty_attach_file(struct file *f, struct tty *t)
{
	struct tty_file *tf = kmalloc(sizeof(*tf), PA_ZERO);
	int err = -ENOMEM;

	if (tf) {
		tty_lock(t);
		err = check_open(t);
		if (!err && t->driver->opening)
			err = t->driver->opening(t);
		if (!err) {
			t->opens++;
			tf->hangups = t->hangups;
		}
		tty_unlock(t);
	}
	if (err) {
		kfree(tf);
		tty_put(t);
		return err;
	}
	tf->tty = t;
	f->private_data = tf;
	return 0;
}

static int open_console(struct file *f)
{
	int err = tty_attach_file(f, tty_serial_get(0));

	if (!err)
		tty_file_of(f)->console = true;
	return err;
}

static int open_terminal(struct file *f, struct tty *t)
{
	int err = tty_attach_file(f, t);

	if (!err && !(f->flags & O_NOCTTY))
		tty_open_controlling(t, f);
	return err;
}

static int tty_open(struct file *f)
{
	u64 rdev = f->inode->rdev;
	struct tty *t;

	if (rdev == DEV_CONSOLE)
		return open_console(f);
	if (rdev == DEV_TTY) {
		t = tty_current();
		return t ? tty_attach_file(f, t) : -ENXIO;
	}
	t = tty_serial_get(rdev);
	return t ? open_terminal(f, t) : -ENODEV;
}

static int pts_open(struct file *f)
{
	struct tty *t = f->inode->private_data;

	tty_get(t);
	return open_terminal(f, t);
}

static void tty_release(struct file *f)
{
	struct tty_file *tf = tty_file_of(f);
	struct tty *t;
	bool last;

	if (!tf)
		return;
	t = tf->tty;
	tty_lock(t);
	last = --t->opens == 0;
	if (last && t->driver->last_close)
		t->driver->last_close(t);
	tty_unlock(t);
	if (last && !t->driver->is_pty)
		tty_forget_session(t);
	tty_put(t);
	kfree(tf);
}

/* --- reading ----------------------------------------------------------------------------------------- */

/* A read under way. In canonical mode least is 0, it ends with the first line; else with VMIN bytes, or when
 * time is over: VTIME runs from the start (VMIN 0), or from each byte on. */
struct read_job {
	struct tty_file *tf;
	struct uio *uio;
	size_t done;
	size_t least;
	u64 between_ns; /* 0: no limit */
	u64 deadline;   /* 0: none */
	bool at_once;   /* what is there now or nothing: VMIN and VTIME are 0 */
	bool nonblock;
};

#define VTIME_NS (100 * NSEC_PER_MSEC)

static void read_begin(struct read_job *j)
{
	const struct tty *t = j->tf->tty;
	u64 time_ns = t->termios.c_cc[VTIME] * VTIME_NS;

	if (tty_lflag(t, ICANON))
		return;
	j->least = t->termios.c_cc[VMIN];
	if (j->least) {
		j->between_ns = time_ns;
		return;
	}
	j->least = 1;
	j->at_once = !time_ns;
	if (time_ns)
		j->deadline = time_now() + time_ns;
}

/* read_chunk - one piece of what is there. 0: go on if the line does (*more), else done; 1: nothing is there. */
static int read_chunk(struct read_job *j, bool *more)
{
	struct tty *t = j->tf->tty;
	u8 buf[READ_CHUNK];
	size_t n, copied;
	bool ready;

	tty_lock(t);
	ready = tty_input_ready(t, false);
	n = tty_input_take(t, buf, MIN(j->uio->left, sizeof(buf)), more);
	if (n == j->uio->left && *more) {
		tty_input_skip_eof(t);
		*more = false;
	}
	tty_unlock(t);
	if (!ready)
		return 1;
	copied = uio_put(j->uio, buf, n);
	j->done += copied;
	return copied < n && !j->done ? -EFAULT : 0;
}

/* read_wait - until there is input. 0; 1: the read is over, with what it has; -errno */
static int read_wait(struct read_job *j)
{
	struct tty *t = j->tf->tty;
	int err;

	if (READ_ONCE(t->other_closed))
		return -EIO;
	if (tty_is_dead(j->tf) || j->at_once)
		return 1;
	if (j->nonblock)
		return -EAGAIN;
	err = wait_event_deadline(&t->readers,
				  tty_input_ready(t, false) || READ_ONCE(t->other_closed) ||
					  tty_is_dead(j->tf),
				  WAIT_INTERRUPTIBLE, j->deadline);
	if (err == -ETIMEDOUT)
		return 1;
	return err ? -RESTART_SYS : 0;
}

static ssize_t read_input(struct read_job *j)
{
	bool more = false;
	int err;

	while (j->uio->left) {
		err = read_chunk(j, &more);
		if (err == 1)
			err = read_wait(j);
		else if (!err && !more && j->done >= j->least)
			break;
		else if (!err && j->between_ns)
			j->deadline = time_now() + j->between_ns;
		if (err == 1)
			break;
		if (err)
			return j->done ? (ssize_t)j->done : err;
	}
	return (ssize_t)j->done;
}

static ssize_t tty_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct tty_file *tf = tty_file_of(f);
	struct read_job job = {.tf = tf, .uio = uio, .nonblock = f->flags & O_NONBLOCK};
	int err;

	(void)pos;
	if (tty_is_dead(tf))
		return 0;
	err = tf->console ? 0 : tty_check_background(tf->tty, SIGTTIN);
	if (err)
		return err;
	read_begin(&job);
	return read_input(&job);
}

/* --- writing ----------------------------------------------------------------------------------------- */

/* write_wait - until output is accepted again. A line that does not tell when it has sent something is
 * looked at every now and then. */
static int write_wait(struct tty_file *tf)
{
	struct tty *t = tf->tty;
	u64 poll_ns = t->driver->poll_ns;
	int err = wait_event_deadline(&t->writers, !tty_output_is_blocked(t) || tty_is_dead(tf),
				      WAIT_INTERRUPTIBLE, poll_ns ? time_now() + poll_ns : 0);

	if (err == -EINTR)
		return -RESTART_SYS;
	if (err == -ETIMEDOUT) {
		tty_lock(t);
		tty_output_resume(t);
		tty_unlock(t);
	}
	return 0;
}

/* write_chunk - bytes of it written; *err says why not all were. */
static size_t write_chunk(struct tty_file *tf, const u8 *bytes, size_t n, bool nonblock, int *err)
{
	struct tty *t = tf->tty;
	size_t done = 0;

	*err = 0;
	while (!*err) {
		tty_lock(t);
		if (tty_is_dead(tf))
			*err = -EIO;
		else
			done += tty_output_write(t, bytes + done, n - done);
		tty_unlock(t);
		if (done == n)
			break;
		if (!*err)
			*err = nonblock ? -EAGAIN : write_wait(tf);
	}
	return done;
}

static ssize_t write_output(struct file *f, struct uio *uio)
{
	u8 bytes[WRITE_CHUNK];
	size_t done = 0;
	int err = 0;

	while (uio->left && !err && !signal_fatal(current)) {
		size_t n = uio_get(uio, bytes, sizeof(bytes));

		if (!n)
			err = -EFAULT;
		else
			done += write_chunk(tty_file_of(f), bytes, n, f->flags & O_NONBLOCK, &err);
	}
	return done ? (ssize_t)done : err;
}

static ssize_t tty_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct tty_file *tf = tty_file_of(f);
	int err = 0;

	(void)pos;
	if (tty_is_dead(tf))
		return -EIO;
	if (!tf->console && tty_lflag(tf->tty, TOSTOP))
		err = tty_check_background(tf->tty, SIGTTOU);
	return err ? err : write_output(f, uio);
}

/* --- polling ----------------------------------------------------------------------------------------- */

static u32 tty_poll(struct file *f, struct poll_request *r)
{
	struct tty_file *tf = tty_file_of(f);
	struct tty *t = tf->tty;
	u32 ready = 0;

	poll_wait(r, &t->readers);
	poll_wait(r, &t->writers);
	if (tty_is_dead(tf))
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	if (tty_input_ready(t, true))
		ready |= POLLIN | POLLRDNORM;
	if (!tty_output_is_blocked(t))
		ready |= POLLOUT | POLLWRNORM;
	return ready;
}

static long tty_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	struct tty_file *tf = tty_file_of(f);

	if (tty_is_dead(tf))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	return tty_ioctl_common(tf->tty, f, cmd, arg, false);
}

const struct file_ops tty_ops = {
	.open = tty_open,
	.release = tty_release,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.is_stream = true,
};

const struct file_ops pts_ops = {
	.open = pts_open,
	.release = tty_release,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.is_stream = true,
};
