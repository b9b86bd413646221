/* SPDX-License-Identifier: MIT */
/*
 * pty.c - pseudo terminals: a terminal whose line is another open file, the master.
 *
 * There is one struct tty, the slave's, and one lock. What programs write waits in tty->out until the
 * master reads it; what is written to the master goes through the line discipline at once, in the thread of the
 * writer, with the signals it causes.
 *
 * The master is opened once, by opening ptmx; its last close takes the name away and hangs the terminal up for good.
 * Between the last close of the slave and the next opening, the master reads what is left and then EIO.
 *
 * Reference: pty(7), ioctl_tty(2).
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "drivers/tty_internal.h"
#include "fs/devpts.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/uaccess.h"
#include "mm/phys/slab.h"

#define DEV_PTS 136
#define CHUNK   512

struct pty {
	struct tty tty;
	struct devpts_name *name; /* [i] its number and name in devpts */
	bool locked;              /* [tty.lock] the slave cannot be opened yet: TIOCSPTLCK */
	bool slave_gone;          /* [tty.lock] it was open, and is not any more */
	bool packets;             /* [tty.lock] TIOCPKT */
	u8 status;                /* [tty.lock] TIOCPKT_* that the master has not read yet */
	struct waitq master;      /* output, a status, or the slave has gone */
};

static struct pty *pty_of(struct tty *t)
{
	return container_of(t, struct pty, tty);
}

/* --- the terminal's side ----------------------------------------------------------------------------- */

static void pty_start(struct tty *t)
{
	waitq_wake_all(&pty_of(t)->master);
}

static void pty_notify(struct tty *t, u8 packet)
{
	struct pty *p = pty_of(t);

	if (!p->packets)
		return;
	if (packet & TIOCPKT_STOP)
		p->status &= (u8)~TIOCPKT_START;
	if (packet & TIOCPKT_START)
		p->status &= (u8)~TIOCPKT_STOP;
	if (packet & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP))
		p->status &= (u8) ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
	p->status |= packet;
	waitq_wake_all(&p->master);
}

/* What has been written is with the master already; it is only told. */
static void pty_flush_output(struct tty *t)
{
	pty_notify(t, TIOCPKT_FLUSHWRITE);
}

static bool uses_usual_flow(const struct uapi_termios2 *s)
{
	return (s->c_iflag & IXON) && s->c_cc[VSTOP] == 0x13 && s->c_cc[VSTART] == 0x11;
}

static void pty_set_termios(struct tty *t, const struct uapi_termios2 *old)
{
	bool flow = uses_usual_flow(&t->termios);

	t->termios.c_cflag = (t->termios.c_cflag & ~(u32)(CSIZE | PARENB)) | CS8 | CREAD;
	if (flow != uses_usual_flow(old))
		pty_notify(t, flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
}

static int pty_opening(struct tty *t)
{
	struct pty *p = pty_of(t);

	if (p->locked)
		return -EIO;
	p->slave_gone = false;
	return 0;
}

static void pty_last_close(struct tty *t)
{
	pty_of(t)->slave_gone = true;
	waitq_wake_all(&pty_of(t)->master);
}

static void pty_free(struct tty *t)
{
	struct pty *p = pty_of(t);

	tty_free_buffers(t);
	devpts_put_name(p->name);
	kfree(p);
}

static const struct tty_driver pty_driver = {
	.is_pty = true,
	.start = pty_start,
	.flush_output = pty_flush_output,
	.notify = pty_notify,
	.set_termios = pty_set_termios,
	.opening = pty_opening,
	.last_close = pty_last_close,
	.free = pty_free,
};

/* --- the master: opening and closing ----------------------------------------------------------------- */

static int pty_create(struct file *ptmx, struct pty **out)
{
	struct pty *p = kmalloc(sizeof(*p), PA_ZERO);
	int err;

	if (!p)
		return -ENOMEM;
	err = devpts_get_name(ptmx, &p->name);
	if (err)
		goto free;
	err = tty_init(&p->tty, &pty_driver, DEV_MAKE(DEV_PTS, devpts_number(p->name)));
	if (err)
		goto put_name;
	p->tty.termios.c_cflag &= ~(u32)HUPCL;
	p->locked = true;
	waitq_init(&p->master);
	*out = p;
	return 0;
put_name:
	devpts_put_name(p->name);
free:
	kfree(p);
	return err;
}

static int master_open(struct file *f)
{
	struct pty *p;
	int err = pty_create(f, &p);

	if (err)
		return err;
	err = devpts_link(p->name, &p->tty);
	if (err)
		tty_put(&p->tty);
	else
		f->private_data = p;
	return err;
}

static void master_release(struct file *f)
{
	struct pty *p = f->private_data;

	if (!p)
		return;
	devpts_unlink(p->name);
	tty_lock(&p->tty);
	WRITE_ONCE(p->tty.other_closed, true);
	p->packets = false;
	tty_unlock(&p->tty);
	tty_hangup(&p->tty, false);
	tty_put(&p->tty);
}

/* --- reading ----------------------------------------------------------------------------------------- */

static bool master_is_ready(const struct pty *p)
{
	return tty_ring_used(&p->tty.out) || READ_ONCE(p->status) || READ_ONCE(p->slave_gone);
}

/* take_output - in packet mode behind a byte that says what it is. Bytes, 0: nothing yet. Lock held. */
static size_t take_output(struct pty *p, u8 *buf, size_t n, bool head)
{
	size_t taken;

	if (!tty_ring_used(&p->tty.out))
		return 0;
	buf[0] = TIOCPKT_DATA;
	taken = tty_ring_take(&p->tty.out, buf + head, (u32)(n - head));
	if (taken)
		tty_output_resume(&p->tty);
	return taken + head;
}

/* read_some - one piece for the master. 0: nothing yet; -EIO: and nothing will come. */
static ssize_t read_some(struct pty *p, struct uio *uio, bool first)
{
	u8 buf[CHUNK];
	size_t n;
	bool gone, status;

	tty_lock(&p->tty);
	gone = p->slave_gone;
	status = first && p->status;
	if (status) {
		buf[0] = p->status;
		p->status = 0;
		n = 1;
	} else {
		n = take_output(p, buf, MIN(uio->left, sizeof(buf)), p->packets && first);
	}
	tty_unlock(&p->tty);
	if (!n)
		return gone ? -EIO : 0;
	n = uio_put(uio, buf, n);
	if (status)
		uio->left = 0; /* nothing comes behind it */
	return n ? (ssize_t)n : -EFAULT;
}

static ssize_t master_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct pty *p = f->private_data;
	size_t done = 0;

	(void)pos;
	while (uio->left) {
		ssize_t n = read_some(p, uio, !done);

		if (n > 0)
			done += (size_t)n;
		if (done && n <= 0)
			break;
		if (n < 0)
			return n;
		if (n > 0)
			continue;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event(&p->master, master_is_ready(p), WAIT_INTERRUPTIBLE))
			return -RESTART_SYS;
	}
	return (ssize_t)done;
}

/* --- writing ----------------------------------------------------------------------------------------- */

static ssize_t type_chunk(struct file *f, const u8 *bytes, size_t n, int *err)
{
	struct pty *p = f->private_data;
	size_t done = 0;

	*err = 0;
	while (!*err) {
		tty_lock(&p->tty);
		done += tty_receive(&p->tty, bytes + done, n - done);
		tty_unlock(&p->tty);
		if (done == n)
			break;
		if (f->flags & O_NONBLOCK)
			*err = -EAGAIN;
		else if (wait_event(&p->tty.typists, tty_has_input_room(&p->tty),
				    WAIT_INTERRUPTIBLE))
			*err = -RESTART_SYS;
	}
	return (ssize_t)done;
}

static ssize_t master_write(struct file *f, struct uio *uio, u64 *pos)
{
	u8 bytes[CHUNK];
	ssize_t done = 0;
	int err = 0;

	(void)pos;
	while (uio->left && !err && !signal_fatal(current)) {
		size_t n = uio_get(uio, bytes, sizeof(bytes));

		if (!n)
			err = -EFAULT;
		else
			done += type_chunk(f, bytes, n, &err);
	}
	return done ? done : err;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

static u32 master_poll(struct file *f, struct poll_request *r)
{
	struct pty *p = f->private_data;
	u32 ready = 0;

	poll_wait(r, &p->master);
	poll_wait(r, &p->tty.typists);
	if (tty_ring_used(&p->tty.out))
		ready |= POLLIN | POLLRDNORM;
	if (p->packets && p->status)
		ready |= POLLPRI | POLLIN | POLLRDNORM;
	if (tty_has_input_room(&p->tty))
		ready |= POLLOUT | POLLWRNORM;
	if (p->slave_gone)
		ready |= POLLHUP;
	return ready;
}

static long set_flag(struct pty *p, bool *flag, vaddr_t arg)
{
	u32 on;

	if (get_user_u32(arg, &on))
		return -EFAULT;
	tty_lock(&p->tty);
	if (flag == &p->packets && p->packets != !!on)
		p->status = 0;
	*flag = on != 0;
	tty_unlock(&p->tty);
	return 0;
}

static long send_signal(struct pty *p, u64 sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	tty_signal_foreground(&p->tty, (u32)SIGSET_BIT(sig));
	return 0;
}

/* open_peer - TIOCGPTPEER: the slave without its name, which may mean something else here. */
static long open_peer(struct pty *p, u32 flags)
{
	struct file *f;
	int fd, err = devpts_open(p->name, flags, &f);

	if (err)
		return err;
	fd = fd_install(f, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* flush_queues - TCFLSH as seen from the master, whose input is the slave's output. */
static long flush_queues(struct pty *p, u64 what)
{
	if (what > TCIOFLUSH)
		return -EINVAL;
	tty_lock(&p->tty);
	if (what != TCOFLUSH) {
		p->tty.out.tail = p->tty.out.head;
		tty_output_resume(&p->tty);
	}
	if (what != TCIFLUSH)
		tty_input_flush(&p->tty);
	tty_unlock(&p->tty);
	return 0;
}

static long master_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	struct pty *p = f->private_data;

	switch (cmd) {
	case TIOCSPTLCK:
		return set_flag(p, &p->locked, arg);
	case TIOCGPTLCK:
		return put_user_u32(arg, p->locked);
	case TIOCPKT:
		return set_flag(p, &p->packets, arg);
	case TIOCGPKT:
		return put_user_u32(arg, p->packets);
	case TIOCGPTN:
		return put_user_u32(arg, devpts_number(p->name));
	case TIOCGPTPEER:
		return open_peer(p, (u32)arg);
	case TIOCSIG:
		return send_signal(p, arg);
	case TIOCINQ:
		return put_user_u32(arg, tty_ring_used(&p->tty.out));
	case TIOCOUTQ:
		return put_user_u32(arg, 0);
	case TCFLSH:
		return flush_queues(p, arg);
	case TCXONC:
		return -EOPNOTSUPP; /* what is typed is never held back */
	default:
		return tty_ioctl_common(&p->tty, f, cmd, arg, true);
	}
}

const struct file_ops ptmx_ops = {
	.open = master_open,
	.release = master_release,
	.read = master_read,
	.write = master_write,
	.ioctl = master_ioctl,
	.poll = master_poll,
	.is_stream = true,
};
