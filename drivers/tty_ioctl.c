/* SPDX-License-Identifier: MIT */
/*
 * tty_ioctl.c - requests on terminals: settings, size, flow, queues; those of sessions are in tty_session.c.
 *
 * A request that changes the terminal stops a background process (SIGTTOU), as a write with TOSTOP does. The master
 * of a pseudo terminal makes the same requests, of the same terminal, and is never in the background.
 *
 * Reference: ioctl_tty(2).
 */
#include <uapi/errno.h>
#include "drivers/tty_internal.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

/* --- speeds ------------------------------------------------------------------------------------------ */

static const u32 speeds[] = {0,   50,   75,   110,  134,  150,  200,   300,
			     600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
static const u32 extended_speeds[] = {0,       57600,   115200,  230400,  460800,  500000,
				      576000,  921600,  1000000, 1152000, 1500000, 2000000,
				      2500000, 3000000, 3500000, 4000000};

#define IBSHIFT 16

/* speed_of - bits per second for a code of c_cflag; other: the one given in numbers. */
static u32 speed_of(u32 code, u32 other)
{
	if (code == BOTHER)
		return other;
	return (code & CBAUDEX ? extended_speeds : speeds)[code & 15];
}

static void complete_speeds(struct uapi_termios2 *s)
{
	u32 in = s->c_cflag >> IBSHIFT & CBAUD;

	s->c_ospeed = speed_of(s->c_cflag & CBAUD, s->c_ospeed);
	s->c_ispeed = in ? speed_of(in, s->c_ispeed) : s->c_ospeed;
}

/* --- settings ---------------------------------------------------------------------------------------- */

enum form { FORM_TERMIO, FORM_TERMIOS, FORM_TERMIOS2 };
enum when { WHEN_NOW, WHEN_SENT, WHEN_SENT_AND_FLUSHED };

static long get_termios(struct tty *t, vaddr_t arg, enum form form)
{
	struct uapi_termios2 s;
	struct uapi_termio old = {0};

	tty_lock(t);
	s = t->termios;
	tty_unlock(t);
	if (form == FORM_TERMIOS2)
		return copy_to_user(arg, &s, sizeof(s));
	if (form == FORM_TERMIOS)
		return copy_to_user(arg, &s, sizeof(struct uapi_termios));
	old.c_iflag = (u16)s.c_iflag;
	old.c_oflag = (u16)s.c_oflag;
	old.c_cflag = (u16)s.c_cflag;
	old.c_lflag = (u16)s.c_lflag;
	old.c_line = s.c_line;
	memcpy(old.c_cc, s.c_cc, sizeof(old.c_cc));
	return copy_to_user(arg, &old, sizeof(old));
}

/* merge_halves - the short form has only the lower half of each word of flags. */
static void merge_halves(struct uapi_termios2 *s, const struct uapi_termio *half)
{
	const u32 upper = 0xffff0000u;

	s->c_iflag = (s->c_iflag & upper) | half->c_iflag;
	s->c_oflag = (s->c_oflag & upper) | half->c_oflag;
	s->c_cflag = (s->c_cflag & upper) | half->c_cflag;
	s->c_lflag = (s->c_lflag & upper) | half->c_lflag;
	s->c_line = half->c_line;
	memcpy(s->c_cc, half->c_cc, sizeof(half->c_cc));
}

static int read_termios(vaddr_t arg, enum form form, struct uapi_termios2 *s)
{
	struct uapi_termio half;
	int err;

	if (form == FORM_TERMIOS2)
		return copy_from_user(s, arg, sizeof(*s));
	if (form == FORM_TERMIOS)
		return copy_from_user(s, arg, sizeof(struct uapi_termios));
	err = copy_from_user(&half, arg, sizeof(half));
	if (!err)
		merge_halves(s, &half);
	return err;
}

/* wait_sent - until the line has everything; on a pty that is at once, since the master has it already. */
static int wait_sent(struct tty *t)
{
	int err = 0;

	while (!t->driver->is_pty && tty_ring_used(&t->out) && !err) {
		err = wait_event_deadline(&t->writers, !tty_ring_used(&t->out), WAIT_INTERRUPTIBLE,
					  time_now() + t->driver->poll_ns);
		if (err != -ETIMEDOUT)
			break;
		err = 0;
		tty_lock(t);
		tty_output_resume(t);
		tty_unlock(t);
	}
	return err;
}

static void apply_termios(struct tty *t, const struct uapi_termios2 *s)
{
	struct uapi_termios2 old = t->termios;

	t->termios = *s;
	t->termios.c_lflag &= ~(u32)EXTPROC; /* there is no line editing on the other side */
	t->termios.c_line = 0;
	if (t->driver->set_termios)
		t->driver->set_termios(t, &old);
	if ((old.c_lflag ^ t->termios.c_lflag) & ICANON)
		tty_input_mode_changed(t);
	if ((old.c_iflag & IXON) && !tty_iflag(t, IXON))
		tty_output_start(t, false);
	waitq_wake_all(&t->readers);
	waitq_wake_all(&t->writers);
	waitq_wake_all(&t->typists);
}

static long set_termios(struct tty *t, vaddr_t arg, enum form form, enum when when)
{
	struct uapi_termios2 s;
	int err;

	tty_lock(t);
	s = t->termios;
	tty_unlock(t);
	err = read_termios(arg, form, &s);
	if (err)
		return err;
	complete_speeds(&s);
	if (when != WHEN_NOW && wait_sent(t))
		return -RESTART_SYS;
	tty_lock(t);
	if (when == WHEN_SENT_AND_FLUSHED)
		tty_input_flush(t);
	apply_termios(t, &s);
	tty_unlock(t);
	return 0;
}

/* --- size, flow, queues ------------------------------------------------------------------------------ */

static long get_size(struct tty *t, vaddr_t arg)
{
	struct uapi_winsize size;

	tty_lock(t);
	size = t->winsize;
	tty_unlock(t);
	return copy_to_user(arg, &size, sizeof(size));
}

static long set_size(struct tty *t, vaddr_t arg)
{
	struct uapi_winsize size;
	int err = copy_from_user(&size, arg, sizeof(size));

	if (err)
		return err;
	tty_lock(t);
	if (memcmp(&size, &t->winsize, sizeof(size)))
		t->due |= SIGSET_BIT(SIGWINCH);
	t->winsize = size;
	tty_unlock(t);
	return 0;
}

/* send_special - a character of ours that tells the other side to stop or go on. */
static void send_special(struct tty *t, unsigned which)
{
	u8 c = t->termios.c_cc[which];

	if (!c || !tty_ring_room(&t->out))
		return;
	tty_ring_put(&t->out, &c, 1);
	t->driver->start(t);
}

static long control_flow(struct tty *t, u64 what)
{
	if (what > TCION)
		return -EINVAL;
	tty_lock(t);
	if (what == TCOOFF)
		tty_output_stop(t, true);
	else if (what == TCOON)
		tty_output_start(t, true);
	else
		send_special(t, what == TCIOFF ? VSTOP : VSTART);
	tty_unlock(t);
	return 0;
}

static long flush(struct tty *t, u64 what)
{
	if (what > TCIOFLUSH)
		return -EINVAL;
	tty_lock(t);
	if (what != TCOFLUSH)
		tty_input_flush(t);
	if (what != TCIFLUSH)
		tty_output_discard(t);
	tty_unlock(t);
	return 0;
}

static long queue_length(struct tty *t, unsigned cmd, vaddr_t arg)
{
	u32 n;

	tty_lock(t);
	if (cmd == TIOCINQ)
		n = tty_input_count(t);
	else
		n = t->driver->is_pty ? 0 : tty_ring_used(&t->out);
	tty_unlock(t);
	return put_user_u32(arg, n);
}

/* type_in - TIOCSTI, which has been misused to make other people's shells do things. */
static long type_in(struct tty *t, vaddr_t arg)
{
	size_t taken;
	u8 c;

	if (!cred_capable(CAP_SYS_ADMIN))
		return -EIO;
	if (copy_from_user(&c, arg, 1))
		return -EFAULT;
	tty_lock(t);
	taken = tty_receive(t, &c, 1);
	tty_unlock(t);
	return taken ? 0 : -EAGAIN;
}

static long set_exclusive(struct tty *t, bool on)
{
	tty_lock(t);
	t->exclusive = on;
	tty_unlock(t);
	return 0;
}

static long hang_up(struct tty *t)
{
	if (!cred_capable(CAP_SYS_ADMIN))
		return -EPERM;
	tty_hangup(t, false);
	return 0;
}

/* --- dispatch ---------------------------------------------------------------------------------------- */

/* changes - requests that a process in the background may not make. */
static bool changes(unsigned cmd)
{
	switch (cmd) {
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
	case TIOCSETD:
	case TIOCSBRK:
	case TIOCCBRK:
	case TCSBRK:
	case TCSBRKP:
	case TCXONC:
	case TCFLSH:
		return true;
	default:
		return false;
	}
}

static long ioctl_termios(struct tty *t, unsigned cmd, vaddr_t arg)
{
	switch (cmd) {
	case TCGETS:
		return get_termios(t, arg, FORM_TERMIOS);
	case TCGETS2:
		return get_termios(t, arg, FORM_TERMIOS2);
	case TCGETA:
		return get_termios(t, arg, FORM_TERMIO);
	case TCSETS:
		return set_termios(t, arg, FORM_TERMIOS, WHEN_NOW);
	case TCSETSW:
		return set_termios(t, arg, FORM_TERMIOS, WHEN_SENT);
	case TCSETSF:
		return set_termios(t, arg, FORM_TERMIOS, WHEN_SENT_AND_FLUSHED);
	case TCSETS2:
		return set_termios(t, arg, FORM_TERMIOS2, WHEN_NOW);
	case TCSETSW2:
		return set_termios(t, arg, FORM_TERMIOS2, WHEN_SENT);
	case TCSETSF2:
		return set_termios(t, arg, FORM_TERMIOS2, WHEN_SENT_AND_FLUSHED);
	case TCSETA:
		return set_termios(t, arg, FORM_TERMIO, WHEN_NOW);
	case TCSETAW:
		return set_termios(t, arg, FORM_TERMIO, WHEN_SENT);
	case TCSETAF:
		return set_termios(t, arg, FORM_TERMIO, WHEN_SENT_AND_FLUSHED);
	default:
		return -ENOTTY;
	}
}

/* set_discipline - the one there is. */
static long set_discipline(vaddr_t arg)
{
	u32 which;

	if (get_user_u32(arg, &which))
		return -EFAULT;
	return which ? -EINVAL : 0;
}

/* wait_for_output - TCSBRK and what else first waits. A break is not sent: pseudo terminals have none, and
 * the serial ports here cannot. */
static long wait_for_output(struct tty *t, unsigned cmd, vaddr_t arg)
{
	if (cmd != TIOCCBRK && wait_sent(t))
		return -EINTR;
	if (cmd == TIOCSETD)
		return set_discipline(arg);
	return t->driver->is_pty || (cmd == TCSBRK && arg) ? 0 : -EOPNOTSUPP;
}

static long ioctl_line(struct tty *t, unsigned cmd, vaddr_t arg)
{
	switch (cmd) {
	case TIOCGWINSZ:
		return get_size(t, arg);
	case TIOCSWINSZ:
		return set_size(t, arg);
	case TCXONC:
		return control_flow(t, arg);
	case TCFLSH:
		return flush(t, arg);
	case TIOCSETD:
	case TIOCSBRK:
	case TIOCCBRK:
	case TCSBRK:
	case TCSBRKP:
		return wait_for_output(t, cmd, arg);
	case TIOCINQ:
	case TIOCOUTQ:
		return queue_length(t, cmd, arg);
	case TIOCSTI:
		return type_in(t, arg);
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(t, cmd == TIOCEXCL);
	case TIOCGEXCL:
		return put_user_u32(arg, READ_ONCE(t->exclusive));
	case TIOCGETD:
		return put_user_u32(arg, 0);
	case TIOCGDEV:
		return put_user_u32(arg, (u32)t->rdev);
	case TIOCVHANGUP:
		return hang_up(t);
	default:
		return -ENOTTY;
	}
}

long tty_ioctl_common(struct tty *t, struct file *f, unsigned cmd, vaddr_t arg, bool master)
{
	long result;
	int err;

	if (!master && changes(cmd)) {
		err = tty_check_background(t, SIGTTOU);
		if (err)
			return err;
	}
	result = ioctl_termios(t, cmd, arg);
	if (result == -ENOTTY)
		result = ioctl_line(t, cmd, arg);
	if (result == -ENOTTY)
		result = tty_ioctl_session(t, f, cmd, arg, master);
	return result;
}
