/* SPDX-License-Identifier: MIT */
/*
 * wait4.c - wait4(2) and waitid(2): what a parent learns of its children.
 *
 * A waiter remembers its process's event count, scans all children under process_tree_lock, and
 * sleeps until the count has moved. Each child may have one thing to report: that it has ended (once, then
 * it is gone), stopped or continued. Any thread may wait for the children of its process.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/resource.h>
#include <uapi/wait.h>
#include "kernel/cred.h"
#include "fs/file.h"
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"

/* Whom to wait for, and what was found. */
struct wait_request {
	int which; /* P_ALL, P_PID, P_PGID */
	u32 id;
	int options;
	bool non_blocking; /* so is the pidfd: -EAGAIN when there is nothing to report */
	/* results */
	bool found; /* there is a child that may yet report */
	u32 pid;    /* 0: nothing to report now */
	u32 uid;
	int code;   /* CLD_* */
	u32 status; /* wait status word */
	struct usage usage;
};

static bool matches(const struct wait_request *w, const struct process *child)
{
	bool is_clone = child->exit_signal != SIGCHLD;

	if ((w->options & WNOTHREAD) && child->parent_tid != user_tid(current_user))
		return false;
	if (!(w->options & WALL) && is_clone != !!((u32)w->options & WCLONE))
		return false;
	switch (w->which) {
	case P_PID:
		return user_pid(child) == w->id;
	case P_PGID:
		return child->group && child->group->nr == w->id;
	default:
		return true;
	}
}

static void report(struct wait_request *w, const struct process *child, int code, u32 status)
{
	w->pid = user_pid(child);
	w->uid = child->cred->uid;
	w->code = code;
	w->status = status;
	w->usage = child->dead;
	usage_add(&w->usage, &child->children_usage);
}

/* report_end - a zombie; unless WNOWAIT it goes. True when reported. */
static bool report_end(struct wait_request *w, struct process *child)
{
	if (!child->zombie || !(w->options & WEXITED))
		return false;
	report(w, child, child->exit_status & 0x7f ? CLD_KILLED : CLD_EXITED, child->exit_status);
	if (!(w->options & WNOWAIT))
		process_reap(child);
	return true;
}

/* report_stop - stopped or continued, if that was asked for and not yet collected. */
static bool report_stop(struct wait_request *w, struct process *child)
{
	struct signal_state *s = &child->signals;
	bool keep = w->options & WNOWAIT, done = false;

	spin_lock(&child->lock);
	if (s->report_stop && (w->options & WSTOPPED)) {
		report(w, child, CLD_STOPPED, WSTATUS_STOPPED(s->stop_signal));
		s->report_stop = keep;
		done = true;
	} else if (s->report_continue && (w->options & WCONTINUED)) {
		report(w, child, CLD_CONTINUED, WSTATUS_CONTINUED);
		s->report_continue = keep;
		done = true;
	}
	spin_unlock(&child->lock);
	return done;
}

static void scan_children(struct wait_request *w)
{
	struct process *child;

	w->found = false;
	mutex_lock(&process_tree_lock);
	list_for_each (child, &current_process->children, sibling) {
		if (!matches(w, child))
			continue;
		w->found = true;
		if (report_end(w, child) || report_stop(w, child))
			break;
	}
	mutex_unlock(&process_tree_lock);
}

/* do_wait - 0 with w->pid set (or 0 after WNOHANG), -ECHILD, -RESTART_SYS. */
static int do_wait(struct wait_request *w)
{
	struct process *p = current_process;

	for (;;) {
		u32 seen = atomic_load_acquire(&p->child_events);
		int err;

		scan_children(w);
		if (w->pid)
			return 0;
		if (!w->found)
			return -ECHILD;
		if (w->options & WNOHANG)
			return 0;
		err = wait_event(&p->child_wait, atomic_load_acquire(&p->child_events) != seen,
				 WAIT_INTERRUPTIBLE);
		if (err)
			return -RESTART_SYS;
	}
}

static int put_usage(vaddr_t out, const struct usage *u)
{
	struct uapi_rusage r;

	usage_to_rusage(u, &r);
	return copy_to_user(out, &r, sizeof(r));
}

long sys_wait4(int pid, vaddr_t ustatus, int options, vaddr_t uusage)
{
	struct wait_request w = {.options = options | WEXITED};
	int err;

	if ((u32)options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL))
		return -EINVAL;
	if (pid == (-2147483647 - 1))
		return -ESRCH;
	if (pid < -1 || pid == 0) {
		w.which = P_PGID;
		w.id = pid ? (u32)-pid : (u32)sys_getpgid(0);
	} else if (pid > 0) {
		w.which = P_PID;
		w.id = (u32)pid;
	}
	err = do_wait(&w);
	if (err || !w.pid)
		return err;
	if (ustatus && put_user_u32(ustatus, w.status))
		return -EFAULT;
	if (uusage && put_usage(uusage, &w.usage))
		return -EFAULT;
	return w.pid;
}

/* put_info - the siginfo of waitid; all zero when nothing was there. */
static int put_info(vaddr_t out, const struct wait_request *w)
{
	struct uapi_siginfo info = {0};

	if (w->pid) {
		info.si_signo = SIGCHLD;
		info.si_code = w->code;
		info.si_pid = (s32)w->pid;
		info.si_uid = w->uid;
		switch (w->code) {
		case CLD_EXITED:
		case CLD_STOPPED:
			info.si_status = (s32)(w->status >> 8);
			break;
		case CLD_CONTINUED:
			info.si_status = SIGCONT;
			break;
		default:
			info.si_status = (s32)(w->status & 0x7f);
		}
	}
	return copy_to_user(out, &info, sizeof(info));
}

/* use_pidfd - wait for the process that a descriptor means. */
static int use_pidfd(struct wait_request *w, int fd)
{
	struct file *f = fd_get(fd);
	struct pid *pid = f ? pidfd_pid(f) : NULL;

	if (pid && (f->flags & PIDFD_NONBLOCK) && !(w->options & WNOHANG)) {
		w->options |= WNOHANG;
		w->non_blocking = true;
	}
	if (f)
		file_put(f);
	if (!pid)
		return -EBADF;
	w->which = P_PID;
	w->id = pid->nr;
	pid_put(pid);
	return 0;
}

long sys_waitid(int which, int id, vaddr_t uinfo, int options, vaddr_t uusage)
{
	struct wait_request w = {.which = which, .id = (u32)id, .options = options};
	u32 known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WNOTHREAD | WCLONE | WALL;
	int err;

	if (((u32)options & ~known) || !((u32)options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (which < P_ALL || which > P_PIDFD || (which == P_PID && id <= 0) ||
	    ((which == P_PGID || which == P_PIDFD) && id < 0))
		return -EINVAL;
	if (which == P_PIDFD) {
		err = use_pidfd(&w, id);
		if (err)
			return err;
	}
	if (which == P_PGID && id == 0)
		w.id = (u32)sys_getpgid(0);
	err = do_wait(&w);
	if (!err && !w.pid && w.non_blocking)
		err = -EAGAIN;
	if (err)
		return err;
	if (w.pid && uusage && put_usage(uusage, &w.usage))
		return -EFAULT;
	return uinfo ? put_info(uinfo, &w) : 0;
}
