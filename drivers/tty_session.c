/* SPDX-License-Identifier: MIT */
/*
 * tty_session.c - whose terminal it is: controlling terminals, the foreground group, hangups.
 *
 * A session has at most one terminal, and a terminal at most one session: session->tty and tty->session point at
 * each other, with references, or are both NULL. A process whose session has a terminal has it too, unless
 * it gave it up for itself (process.no_tty). tty->foreground is the group that may read, and that
 * typed signals go to.
 *
 * All of this changes under process_tree_lock only, which is taken before any tty->lock. Every read asks
 * whether its process is in the foreground; the answer is nearly always yes, and comparing pointers without
 * the lock is enough for that.
 *
 * Reference: credentials(7), ioctl_tty(2), POSIX.1-2017 chapter 11.1.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "drivers/tty_internal.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

static void send(struct pid *group, int sig)
{
	struct uapi_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	if (group)
		signal_send_group(group, &info);
}

static void send_to_process(struct process *p, int sig)
{
	struct uapi_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	signal_send_process(p, &info);
}

static bool is_leader(const struct process *p)
{
	return p->session == p->pid;
}

/* terminal_of - p's controlling terminal, NULL: none. */
static struct tty *terminal_of(const struct process *p)
{
	assert_held(&process_tree_lock);
	return p->session && !p->no_tty ? p->session->tty : NULL;
}

struct tty *tty_current(void)
{
	struct tty *t;

	if (!current_process)
		return NULL;
	mutex_lock(&process_tree_lock);
	t = terminal_of(current_process);
	if (t)
		tty_get(t);
	mutex_unlock(&process_tree_lock);
	return t;
}

/* --- taking and leaving ------------------------------------------------------------------------------ */

static void set_foreground(struct tty *t, struct pid *group)
{
	struct pid *old = t->foreground;

	if (group)
		pid_get(group);
	WRITE_ONCE(t->foreground, group);
	if (old)
		pid_put(old);
}

/* separate - the terminal and its session know nothing of each other any more. */
static void separate(struct tty *t)
{
	struct pid *session = t->session;

	assert_held(&process_tree_lock);
	set_foreground(t, NULL);
	if (!session)
		return;
	WRITE_ONCE(t->session, NULL);
	session->tty = NULL;
	pid_put(session);
	tty_put(t); /* not the last: the caller has one */
}

/* forget_foreground - of the terminal that the session had before. */
static void forget_foreground(struct pid *session)
{
	struct pid *old = session->hung_up;

	session->hung_up = NULL;
	if (old)
		pid_put(old);
}

/* join - the current process, a session leader, takes a terminal. */
static void join(struct tty *t)
{
	struct process *p = current_process;

	separate(t);
	forget_foreground(p->session);
	pid_get(p->session);
	WRITE_ONCE(t->session, p->session);
	tty_get(t);
	p->session->tty = t;
	p->no_tty = false;
	set_foreground(t, p->group);
}

void tty_open_controlling(struct tty *t, const struct file *f)
{
	struct process *p = current_process;

	if (!p || !f->can_read)
		return;
	mutex_lock(&process_tree_lock);
	if (is_leader(p) && !p->session->tty && !t->session && !tty_is_dead(tty_file_of(f)))
		join(t);
	mutex_unlock(&process_tree_lock);
}

void tty_forget_session(struct tty *t)
{
	mutex_lock(&process_tree_lock);
	if (!READ_ONCE(t->opens))
		separate(t);
	mutex_unlock(&process_tree_lock);
}

static int take_controlling(struct tty *t, const struct file *f, u64 steal)
{
	const struct process *p = current_process;

	if (is_leader(p) && p->session == t->session)
		return 0;
	if (!is_leader(p) || terminal_of(p))
		return -EPERM;
	if (t->session && !(steal == 1 && cred_capable(CAP_SYS_ADMIN)))
		return -EPERM;
	if (!f->can_read && !cred_capable(CAP_SYS_ADMIN))
		return -EPERM;
	join(t);
	return 0;
}

/* give_up - TIOCNOTTY: a leader does it for the whole session. */
static int give_up(struct tty *t)
{
	struct process *p = current_process;

	if (terminal_of(p) != t)
		return -ENOTTY;
	if (is_leader(p)) {
		send(t->foreground, SIGHUP);
		send(t->foreground, SIGCONT);
		separate(t);
	}
	p->no_tty = true;
	return 0;
}

/* --- the background ---------------------------------------------------------------------------------- */

static bool ignores(int sig)
{
	return (current_user->sig.blocked | READ_ONCE(current_process->signals.ignored)) &
	       SIGSET_BIT(sig);
}

static int check_background(struct tty *t, int sig)
{
	struct process *p = current_process;

	if (terminal_of(p) != t || !t->foreground || t->foreground == p->group)
		return 0;
	if (ignores(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (group_is_orphaned(p->group, NULL))
		return -EIO;
	send(p->group, sig);
	signal_look_again(); /* another thread may take it */
	return -RESTART_SYS;
}

int tty_check_background(struct tty *t, int sig)
{
	const struct process *p = current_process;
	const struct pid *foreground = READ_ONCE(t->foreground);
	int err;

	if (!p || !foreground || foreground == READ_ONCE(p->group) ||
	    READ_ONCE(t->session) != READ_ONCE(p->session))
		return 0;
	mutex_lock(&process_tree_lock);
	err = check_background(t, sig);
	mutex_unlock(&process_tree_lock);
	return err;
}

void tty_signal_foreground(struct tty *t, u32 signals)
{
	mutex_lock(&process_tree_lock);
	for (int sig = 1; sig < 32; sig++)
		if (signals & SIGSET_BIT(sig))
			send(t->foreground, sig);
	mutex_unlock(&process_tree_lock);
}

/* --- the end ----------------------------------------------------------------------------------------- */

/* remember_foreground - the group that is to be told as well when the leader has followed its terminal. */
static void remember_foreground(struct tty *t)
{
	struct pid *session = t->session, *old = session->hung_up;

	session->hung_up = t->foreground;
	if (session->hung_up)
		pid_get(session->hung_up);
	if (old)
		pid_put(old);
}

/* hang_up_session - the leader hears of it; if it is the leader's own exit, the foreground does. */
static void hang_up_session(struct tty *t, bool leader_exits)
{
	struct pid *session = t->session;
	struct process *leader;

	if (!session)
		return;
	leader = process_find(session->nr);
	if (leader && is_leader(leader)) {
		send_to_process(leader, SIGHUP);
		send_to_process(leader, SIGCONT);
	}
	if (leader)
		process_put(leader);
	if (leader_exits)
		send(t->foreground, SIGHUP);
	else
		remember_foreground(t);
	separate(t);
}

static void hang_up_line(struct tty *t)
{
	tty_lock(t);
	tty_input_flush(t);
	t->stopped = t->stopped_by_program = false;
	t->echo.tail = t->echo.head;
	t->due = 0;
	waitq_wake_all(&t->readers);
	waitq_wake_all(&t->writers);
	tty_unlock(t);
}

/* Files are dead first, so that nobody who has heard of it goes on; sleepers wake last, so that they find the
 * signal when they learn that there is nothing to read. */
void tty_hangup(struct tty *t, bool leader_exits)
{
	tty_get(t);
	tty_lock(t);
	WRITE_ONCE(t->hangups, t->hangups + 1);
	tty_unlock(t);
	mutex_lock(&process_tree_lock);
	hang_up_session(t, leader_exits);
	mutex_unlock(&process_tree_lock);
	hang_up_line(t);
	tty_put(t);
}

/* finish_hangup - the leader of a session that lost its terminal before exits. */
static void finish_hangup(struct pid *session)
{
	struct pid *group = session->hung_up;

	session->hung_up = NULL;
	if (!group)
		return;
	send(group, SIGHUP);
	send(group, SIGCONT);
	pid_put(group);
}

void tty_leader_exits(struct process *p)
{
	struct tty *t, *to_hang_up = NULL;

	mutex_lock(&process_tree_lock);
	if (!is_leader(p)) {
		mutex_unlock(&process_tree_lock);
		return;
	}
	t = p->session->tty;
	if (t)
		tty_get(t);
	if (!t) {
		finish_hangup(p->session);
	} else if (t->driver->is_pty) {
		send(t->foreground, SIGHUP);
		separate(t);
	} else {
		to_hang_up = t;
	}
	mutex_unlock(&process_tree_lock);
	if (to_hang_up)
		tty_hangup(to_hang_up, true);
	if (t)
		tty_put(t);
}

long sys_vhangup(void)
{
	struct tty *t;

	if (!cred_capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	t = tty_current();
	if (t) {
		tty_hangup(t, false);
		tty_put(t);
	}
	return 0;
}

/* --- asking ------------------------------------------------------------------------------------------ */

void tty_describe(struct process *p, u64 *rdev, int *foreground)
{
	const struct tty *t;

	mutex_lock(&process_tree_lock);
	t = terminal_of(p);
	*rdev = t ? t->rdev : 0;
	*foreground = t && t->foreground ? (int)t->foreground->nr : -1;
	mutex_unlock(&process_tree_lock);
}

/* get_number - TIOCGPGRP, TIOCGSID: only of one's own terminal, unless one has the master. */
static int get_number(struct tty *t, unsigned cmd, bool master, u32 *out)
{
	const struct pid *pid = cmd == TIOCGSID ? t->session : t->foreground;

	if (!master && terminal_of(current_process) != t)
		return -ENOTTY;
	if (!pid && cmd == TIOCGSID)
		return -ENOTTY;
	*out = pid ? pid->nr : 0;
	return 0;
}

/* choose_foreground - TIOCSPGRP: any group of the session. */
static int choose_foreground(struct tty *t, u32 nr)
{
	const struct process *p = current_process, *member;
	struct pid *group;
	int err = 0;

	if (terminal_of(p) != t || t->session != p->session)
		return -ENOTTY;
	group = pid_find(nr);
	if (!group)
		return -ESRCH;
	member = list_first(&group->group, struct process, group_link);
	if (!member || member->session != p->session)
		err = -EPERM;
	else
		set_foreground(t, group);
	pid_put(group);
	return err;
}

static long set_foreground_group(struct tty *t, vaddr_t arg)
{
	int err = tty_check_background(t, SIGTTOU);
	u32 nr;

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (get_user_u32(arg, &nr))
		return -EFAULT;
	if ((s32)nr < 0)
		return -EINVAL;
	mutex_lock(&process_tree_lock);
	err = choose_foreground(t, nr);
	mutex_unlock(&process_tree_lock);
	return err;
}

long tty_ioctl_session(struct tty *t, struct file *f, unsigned cmd, vaddr_t arg, bool master)
{
	u32 nr = 0;
	int err;

	if (cmd == TIOCSPGRP)
		return set_foreground_group(t, arg);
	mutex_lock(&process_tree_lock);
	switch (cmd) {
	case TIOCGPGRP:
	case TIOCGSID:
		err = get_number(t, cmd, master, &nr);
		break;
	case TIOCSCTTY:
		err = take_controlling(t, f, arg);
		break;
	case TIOCNOTTY:
		err = master ? -ENOTTY : give_up(t);
		break;
	default:
		err = -ENOTTY;
	}
	mutex_unlock(&process_tree_lock);
	if (!err && (cmd == TIOCGPGRP || cmd == TIOCGSID))
		err = put_user_u32(arg, nr);
	return err;
}
