/* SPDX-License-Identifier: MIT */
/*
 * prctl.c - prctl(2): small properties of threads and processes.
 *
 * Operations that are not listed are EINVAL, as those that a kernel was built without.
 */
#include <uapi/errno.h>
#include <uapi/prctl.h>
#include <uapi/signal.h>
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

#define TIMER_SLACK_DEFAULT 50000 /* ns */

/* --- names, what others may do, whom to tell ---------------------------------------------------------- */

static long set_name(vaddr_t uname)
{
	char name[sizeof(current->name)] = {0};
	ssize_t n = strncpy_from_user(name, uname, sizeof(name));

	if (n == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = 0; /* longer ones are cut */
	memcpy(current->name, name, sizeof(name));
	return 0;
}

static long set_parent_death_signal(u64 sig)
{
	if (sig > NSIG)
		return -EINVAL;
	current_user->parent_death_signal = (u32)sig;
	return 0;
}

static long set_dumpable(u64 value)
{
	if (value > 1)
		return -EINVAL;
	current_process->dumpable = (u32)value;
	return 0;
}

/* set_timer_slack - how late sleeps may end. Ours end on time, which is within any allowance. */
static long set_timer_slack(u64 ns)
{
	current_user->timer_slack_ns = (s64)ns <= 0 ? TIMER_SLACK_DEFAULT : ns;
	return 0;
}

static long get_timer_slack(void)
{
	u64 ns = current_user->timer_slack_ns;

	return ns ? (long)ns : TIMER_SLACK_DEFAULT;
}

/* --- credentials ------------------------------------------------------------------------------------- */

static long set_keep_caps(u64 on)
{
	struct cred *c;

	if (on > 1)
		return -EINVAL;
	if (cred_now()->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	c = cred_copy(cred_now());
	if (!c)
		return -ENOMEM;
	c->securebits &= ~SECBIT_KEEP_CAPS;
	if (on)
		c->securebits |= SECBIT_KEEP_CAPS;
	cred_commit(c);
	return 0;
}

static long set_securebits(u64 bits)
{
	u32 now = cred_now()->securebits;
	struct cred *c;

	if ((((now & SECBITS_LOCKS) >> 1) & (now ^ bits)) || (now & SECBITS_LOCKS & ~bits) ||
	    (bits & ~(u64)(SECBITS_ALL | SECBITS_LOCKS)) || !cred_capable(CAP_SETPCAP))
		return -EPERM;
	c = cred_copy(cred_now());
	if (!c)
		return -ENOMEM;
	c->securebits = (u32)bits;
	cred_commit(c);
	return 0;
}

static long set_no_new_privs(u64 on, u64 a3, u64 a4, u64 a5)
{
	struct cred *c;

	if (on != 1 || a3 || a4 || a5)
		return -EINVAL;
	c = cred_copy(cred_now());
	if (!c)
		return -ENOMEM;
	c->no_new_privs = true;
	cred_commit(c);
	return 0;
}

static long bounding_drop(u64 cap)
{
	struct cred *c;

	if (!cred_capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST)
		return -EINVAL;
	c = cred_copy(cred_now());
	if (!c)
		return -ENOMEM;
	c->bounding &= ~BIT(cap);
	cred_commit(c);
	return 0;
}

static int check_ambient_raise(u64 cap)
{
	const struct cred *c = cred_now();

	if (!(c->permitted & c->inheritable & BIT(cap)))
		return -EPERM;
	return c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE ? -EPERM : 0;
}

static long change_ambient(u64 op, u64 cap)
{
	struct cred *c;
	int err = op == PR_CAP_AMBIENT_RAISE ? check_ambient_raise(cap) : 0;

	if (err)
		return err;
	c = cred_copy(cred_now());
	if (!c)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		c->ambient = 0;
	else if (op == PR_CAP_AMBIENT_RAISE)
		c->ambient |= BIT(cap);
	else
		c->ambient &= ~BIT(cap);
	cred_commit(c);
	return 0;
}

static long ambient(u64 op, u64 cap, u64 a4, u64 a5)
{
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		return cap || a4 || a5 ? -EINVAL : change_ambient(op, 0);
	if (a4 || a5 || cap > CAP_LAST)
		return -EINVAL;
	switch (op) {
	case PR_CAP_AMBIENT_IS_SET:
		return cred_now()->ambient >> cap & 1;
	case PR_CAP_AMBIENT_RAISE:
	case PR_CAP_AMBIENT_LOWER:
		return change_ambient(op, cap);
	default:
		return -EINVAL;
	}
}

/* prctl_cred - the operations on credentials. */
static long prctl_cred(int option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	switch (option) {
	case PR_GET_KEEPCAPS:
		return !!(cred_now()->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keep_caps(a2);
	case PR_CAPBSET_READ:
		return a2 > CAP_LAST ? -EINVAL : (long)(cred_now()->bounding >> a2 & 1);
	case PR_CAPBSET_DROP:
		return bounding_drop(a2);
	case PR_GET_SECUREBITS:
		return cred_now()->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(a2);
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(a2, a3, a4, a5);
	case PR_GET_NO_NEW_PRIVS:
		return a2 || a3 || a4 || a5 ? -EINVAL : cred_now()->no_new_privs;
	case PR_CAP_AMBIENT:
		return ambient(a2, a3, a4, a5);
	default:
		return -EINVAL;
	}
}

long sys_prctl(int option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	switch (option) {
	case PR_SET_NAME:
		return set_name(a2);
	case PR_GET_NAME:
		return copy_to_user(a2, current->name, sizeof(current->name));
	case PR_SET_PDEATHSIG:
		return set_parent_death_signal(a2);
	case PR_GET_PDEATHSIG:
		return put_user_u32(a2, current_user->parent_death_signal);
	case PR_GET_DUMPABLE:
		return current_process->dumpable;
	case PR_SET_DUMPABLE:
		return set_dumpable(a2);
	case PR_GET_TIMING: /* statistical: the only kind there is */
		return 0;
	case PR_SET_TIMING:
		return a2 ? -EINVAL : 0;
	case PR_SET_TIMERSLACK:
		return set_timer_slack(a2);
	case PR_GET_TIMERSLACK:
		return get_timer_slack();
	case PR_SET_CHILD_SUBREAPER:
		current_process->is_subreaper = a2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user_u32(a2, current_process->is_subreaper);
	case PR_GET_TID_ADDRESS:
		return put_user_u64(a2, current_user->clear_child_tid);
	default:
		return prctl_cred(option, a2, a3, a4, a5);
	}
}
