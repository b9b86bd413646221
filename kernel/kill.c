/* SPDX-License-Identifier: MIT */
/* kill.c - kill(2) and its relatives: to whom, and whether the sender may. */
#include "kernel/kill.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

static inline struct uapi_siginfo info_self(int sig, int code)
{
	return (struct uapi_siginfo){
		.si_signo = sig,
		.si_code = code,
		.si_pid = (s32)user_pid(current_process),
		.si_uid = current_user->cred->uid,
	};
}

struct uapi_siginfo kill_info_self(int sig, int code)
{
	return info_self(sig, code);
}

void signal_send_self(int sig)
{
	struct uapi_siginfo info = info_self(sig, SI_USER);

	signal_send_thread(current_user, &info);
}

int signal_send_group(struct pid *group, const struct uapi_siginfo *info)
{
	struct process *p;
	int err = -ESRCH;

	assert_held(&process_tree_lock);
	list_for_each (p, &group->group, group_link) {
		int one = signal_send_process(p, info);

		if (err)
			err = one;
	}
	return err;
}

static bool is_same_user(struct process *p)
{
	const struct cred *self = cred_now(), *other = process_cred(p);
	bool same = self->euid == other->suid || self->euid == other->uid ||
		    self->uid == other->suid || self->uid == other->uid;

	cred_put(other);
	return same;
}

static int check_permission(struct process *p, int sig)
{
	if (p == current_process || cred_capable(CAP_KILL) || is_same_user(p))
		return 0;
	return sig == SIGCONT && READ_ONCE(p->session) == current_process->session ? 0 : -EPERM;
}

int kill_process(struct process *p, const struct uapi_siginfo *info)
{
	int err = check_permission(p, info->si_signo);

	return err ? err : signal_send_process(p, info);
}

static int kill_group_locked(struct pid *group, const struct uapi_siginfo *info)
{
	int result = -ESRCH;
	struct process *p;

	list_for_each (p, &group->group, group_link) {
		int err = kill_process(p, info);

		if (!err || result == -ESRCH)
			result = err;
	}
	return result;
}

int kill_group(struct pid *group, const struct uapi_siginfo *info)
{
	int result;

	mutex_lock(&process_tree_lock);
	result = kill_group_locked(group, info);
	mutex_unlock(&process_tree_lock);
	return result;
}

int kill_thread(struct pid *tid, const struct uapi_siginfo *info)
{
	struct user_thread *u = pid_thread(tid);
	int err;

	if (!u)
		return -ESRCH;
	err = check_permission(u->proc, info->si_signo);
	if (!err)
		err = signal_send_thread(u, info);
	user_thread_put(u);
	return err;
}

/* --- kill -------------------------------------------------------------------------------------------- */

/* kill_all - every process but init and ourselves. */
static long kill_all(const struct uapi_siginfo *info)
{
	struct process *p = process_init;
	long result = -ESRCH;

	while ((p = process_tree_next(p))) {
		int err;

		if (p == current_process)
			continue;
		err = kill_process(p, info);
		if (!err || result == -ESRCH)
			result = err;
	}
	return result;
}

static long kill_one(u32 pid, const struct uapi_siginfo *info)
{
	struct process *p;
	long err;

	if (pid == user_pid(current_process))
		return signal_send_current(info, true);
	p = process_find(pid);
	if (!p)
		return -ESRCH;
	err = kill_process(p, info);
	process_put(p);
	return err;
}

/* kill_group_nr - 0: our own. */
static long kill_group_nr(u32 nr, const struct uapi_siginfo *info)
{
	struct pid *group;
	long result;

	if (!nr) {
		mutex_lock(&process_tree_lock);
		result = kill_group_locked(current_process->group, info);
		mutex_unlock(&process_tree_lock);
		return result;
	}
	group = pid_find(nr);
	if (!group)
		return -ESRCH;
	result = kill_group(group, info);
	pid_put(group);
	return result;
}

static NOINLINE long kill_others(int pid, int sig)
{
	struct uapi_siginfo info = info_self(sig, SI_USER);
	long result;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (pid > 0)
		return kill_one((u32)pid, &info);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid != -1)
		return kill_group_nr((u32)-pid, &info);
	mutex_lock(&process_tree_lock);
	result = kill_all(&info);
	mutex_unlock(&process_tree_lock);
	return result;
}

/* Most often it is to the caller itself. */
static inline long kill_self(int sig, int code, bool whole)
{
	struct uapi_siginfo info = info_self(sig, code);

	return signal_send_current(&info, whole);
}

long sys_kill(int pid, int sig)
{
	return (u32)pid == user_pid(current_process) ? kill_self(sig, SI_USER, true)
						     : kill_others(pid, sig);
}

/* --- to one thread ----------------------------------------------------------------------------------- */

static inline bool is_own_tid(int tid)
{
	return (u32)tid == user_tid(current_user);
}

/* kill_tid - pid 0: whatever process the thread is of. */
static long kill_tid(u32 pid, int tid, const struct uapi_siginfo *info)
{
	struct user_thread *u;
	long err;

	if (tid <= 0 || info->si_signo < 0 || info->si_signo > NSIG)
		return -EINVAL;
	if (is_own_tid(tid) && (!pid || pid == user_pid(current_process)))
		return signal_send_current(info, false);
	u = thread_find((u32)tid);
	if (!u)
		return -ESRCH;
	if (pid && user_pid(u->proc) != pid)
		err = -ESRCH;
	else
		err = check_permission(u->proc, info->si_signo);
	if (!err)
		err = signal_send_thread(u, info);
	user_thread_put(u);
	return err;
}

static NOINLINE long kill_other_thread(u32 pid, int tid, int sig)
{
	struct uapi_siginfo info = info_self(sig, SI_TKILL);

	return kill_tid(pid, tid, &info);
}

long sys_tkill(int tid, int sig)
{
	return is_own_tid(tid) ? kill_self(sig, SI_TKILL, false) : kill_other_thread(0, tid, sig);
}

long sys_tgkill(int pid, int tid, int sig)
{
	if (pid <= 0)
		return -EINVAL;
	if (is_own_tid(tid) && (u32)pid == user_pid(current_process))
		return kill_self(sig, SI_TKILL, false);
	return kill_other_thread((u32)pid, tid, sig);
}

/* --- with particulars -------------------------------------------------------------------------------- */

int kill_check_info(const struct uapi_siginfo *info, u32 nr)
{
	bool as_kernel = info->si_code >= 0 || info->si_code == SI_TKILL;

	return as_kernel && nr != user_tid(current_user) ? -EPERM : 0;
}

long sys_rt_sigqueueinfo(int pid, int sig, vaddr_t uinfo)
{
	struct uapi_siginfo info;
	int err;

	err = siginfo_from_user(&info, uinfo);
	if (err)
		return err;
	err = kill_check_info(&info, (u32)pid);
	if (err)
		return err;
	info.si_signo = sig;
	if (pid <= 0)
		return -ESRCH;
	return sig < 0 || sig > NSIG ? -EINVAL : kill_one((u32)pid, &info);
}

long sys_rt_tgsigqueueinfo(int pid, int tid, int sig, vaddr_t uinfo)
{
	struct uapi_siginfo info;
	int err;

	err = siginfo_from_user(&info, uinfo);
	if (err)
		return err;
	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	err = kill_check_info(&info, (u32)tid);
	if (err)
		return err;
	info.si_signo = sig;
	return kill_tid((u32)pid, tid, &info);
}
