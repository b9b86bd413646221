/* SPDX-License-Identifier: MIT */
/* sys_signal.c - system calls of those who receive signals: dispositions, masks, stacks, waiting; siginfo in user memory. */
#include <arch/abi.h>
#include <arch/call.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <uapi/errno.h>
#include <uapi/time.h>
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"

#define UNBLOCKABLE (SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP))

/* --- dispositions ------------------------------------------------------------------------------------ */

static inline bool is_signal(int sig)
{
	return (u32)sig - 1 < NSIG;
}

/* is_blockable - and may be caught and ignored. */
static inline bool is_blockable(int sig)
{
	return is_signal(sig) && !(SIGSET_BIT(sig) & UNBLOCKABLE);
}

static inline int action_from_user(struct uapi_sigaction *a, vaddr_t at)
{
	if (unlikely(!user_range_ok(at, sizeof(*a))))
		return -EFAULT;
	user_access_begin();
	user_load_u64(a->handler, at, offsetof(struct uapi_sigaction, handler), fault);
	user_load_u64(a->flags, at, offsetof(struct uapi_sigaction, flags), fault);
	user_load_u64(a->restorer, at, offsetof(struct uapi_sigaction, restorer), fault);
	user_load_u64(a->mask, at, offsetof(struct uapi_sigaction, mask), fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static inline int action_to_user(vaddr_t at, const struct uapi_sigaction *a)
{
	if (unlikely(!user_range_ok(at, sizeof(*a))))
		return -EFAULT;
	user_access_begin();
	user_store_u64(at, offsetof(struct uapi_sigaction, handler), a->handler, fault);
	user_store_u64(at, offsetof(struct uapi_sigaction, flags), a->flags, fault);
	user_store_u64(at, offsetof(struct uapi_sigaction, restorer), a->restorer, fault);
	user_store_u64(at, offsetof(struct uapi_sigaction, mask), a->mask, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* action_now - process lock held. */
static inline struct uapi_sigaction action_now(const struct process *p, int sig)
{
	return p->signals.custom & SIGSET_BIT(sig) ? p->signals.actions[sig - 1]
						   : (struct uapi_sigaction){0};
}

/* action_set - process lock held. */
static inline void action_set(struct process *p, int sig, const struct uapi_sigaction *action)
{
	struct signal_state *s = &p->signals;
	struct uapi_sigaction *slot = &s->actions[(u32)sig - 1];
	sigset bit = SIGSET_BIT(sig);

	*slot = *action;
	slot->flags &= SA_KNOWN;
	slot->mask &= ~UNBLOCKABLE;
	s->custom |= bit;
	if (action->handler > SIG_IGN) {
		s->caught |= bit;
		s->ignored &= ~bit;
	} else {
		s->caught &= ~bit;
		if (action->handler == SIG_IGN)
			s->ignored |= bit;
		else
			s->ignored &= ~bit;
	}
	if (unlikely(s->maybe_pending & bit))
		rare_call(signal_discard_ignored, p, sig);
}

static inline long action_query(int sig, vaddr_t old)
{
	struct process *p = current_process;
	struct uapi_sigaction before;

	if (unlikely(!is_signal(sig)))
		return -EINVAL;
	spin_lock(&p->lock);
	before = action_now(p, sig);
	spin_unlock(&p->lock);
	return action_to_user(old, &before);
}

static NOINLINE long action_exchange(int sig, vaddr_t act, vaddr_t old)
{
	struct process *p = current_process;
	struct uapi_sigaction action, before;

	if (unlikely(action_from_user(&action, act)))
		return -EFAULT;
	if (unlikely(!is_blockable(sig)))
		return -EINVAL;
	spin_lock(&p->lock);
	before = action_now(p, sig);
	action_set(p, sig, &action);
	spin_unlock(&p->lock);
	return action_to_user(old, &before);
}

/* To ask, to do both, to set. Bad addresses are noticed before bad numbers. */
long sys_rt_sigaction(int sig, vaddr_t act, vaddr_t old, u64 sigset_size)
{
	struct process *p = current_process;
	struct uapi_sigaction action;

	if (unlikely(sigset_size != sizeof(sigset)))
		return -EINVAL;
	if (old)
		return act ? action_exchange(sig, act, old) : action_query(sig, old);
	if (act && unlikely(action_from_user(&action, act)))
		return -EFAULT;
	if (unlikely(!(act ? is_blockable(sig) : is_signal(sig))))
		return -EINVAL;
	if (act) {
		spin_lock(&p->lock);
		action_set(p, sig, &action);
		spin_unlock(&p->lock);
	}
	return 0;
}

/* --- masks ------------------------------------------------------------------------------------------- */

static int apply(int how, sigset change, sigset *set)
{
	switch (how) {
	case SIG_BLOCK:
		*set |= change;
		return 0;
	case SIG_UNBLOCK:
		*set &= ~change;
		return 0;
	case SIG_SETMASK:
		*set = change;
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_rt_sigprocmask(int how, vaddr_t uset, vaddr_t old, u64 sigset_size)
{
	sigset before = current_user->sig.blocked, set = before, change;
	int err;

	if (sigset_size != sizeof(sigset))
		return -EINVAL;
	if (uset) {
		if (copy_from_user(&change, uset, sizeof(change)))
			return -EFAULT;
		err = apply(how, change, &set);
		if (err)
			return err;
		signal_set_blocked(set);
	}
	return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

long sys_rt_sigpending(vaddr_t uset, u64 sigset_size)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	sigset pending;

	if (sigset_size > sizeof(sigset))
		return -EINVAL;
	spin_lock(&p->lock);
	pending = (u->sig.pending.set | p->signals.pending.set) & u->sig.blocked;
	spin_unlock(&p->lock);
	return copy_to_user(uset, &pending, sigset_size);
}

int siginfo_to_user(vaddr_t to, const struct uapi_siginfo *info)
{
	const u64 *word = (const u64 *)info;

	lock_assert_user_access();
	if (unlikely(!user_range_ok(to, SIGINFO_SIZE)))
		return -EFAULT;
	user_access_begin();
	user_store_u64(to, 0, word[0], fault);
	user_store_u64(to, 8, word[1], fault);
	user_store_u64(to, 16, word[2], fault);
	user_store_u64(to, 24, word[3], fault);
	user_store_u64(to, 32, word[4], fault);
	user_store_u64(to, 40, word[5], fault);
	for (vaddr_t at = to + sizeof(*info); at != to + SIGINFO_SIZE; at += 16) {
		user_store_u64(at, 0, 0, fault);
		user_store_u64(at, 8, 0, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* knows_code - is it one whose fields are all known? Negative codes are for programs, a few of them for certain uses;
 * others are numbered from 1 for some signals and for SIGPOLL. */
static bool knows_code(int sig, int code)
{
	switch (sig) {
	case SIGILL:
		return code >= SI_DETHREAD && (code <= 11 || code == SI_KERNEL);
	case SIGFPE:
		return code >= SI_DETHREAD && (code <= 15 || code == SI_KERNEL);
	case SIGSEGV:
		return code >= SI_DETHREAD && (code <= 10 || code == SI_KERNEL);
	default:
		return code >= SI_DETHREAD && (code <= 6 || code == SI_KERNEL);
	}
}

int siginfo_from_user(struct uapi_siginfo *info, vaddr_t from)
{
	if (copy_from_user(info, from, sizeof(*info)))
		return -EFAULT;
	if (likely(knows_code(info->si_signo, info->si_code)))
		return 0;
	return copy_struct_from_user(info, sizeof(*info), from, SIGINFO_SIZE);
}

static void wait_for_signal(void)
{
	while (!signal_pending(current)) {
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
		if (wait_step(0))
			break;
	}
}

int signal_use_mask(vaddr_t uset, u64 sigset_size)
{
	struct thread_signals *s = &current_user->sig;
	sigset set;

	if (!uset)
		return 0;
	if (sigset_size != sizeof(sigset))
		return -EINVAL;
	if (copy_from_user(&set, uset, sizeof(set)))
		return -EFAULT;
	if (!s->restore_saved) {
		s->saved = s->blocked;
		s->restore_saved = true;
	}
	signal_set_blocked(set);
	return 0;
}

void signal_end_mask(long result)
{
	struct thread_signals *s = &current_user->sig;

	if (!s->restore_saved || result == -RESTART_NOHAND)
		return;
	s->restore_saved = false;
	signal_set_blocked(s->saved);
}

/* The mask of the call holds until a handler's frame has been made; the frame restores the old one. When the
 * signal turns out to need no handler the call is made again, mask and all. */
long sys_rt_sigsuspend(vaddr_t uset, u64 sigset_size)
{
	int err = uset                            ? signal_use_mask(uset, sigset_size)
		  : sigset_size == sizeof(sigset) ? -EFAULT
						  : -EINVAL;

	if (err)
		return err;
	wait_for_signal();
	return -RESTART_NOHAND;
}

/* wait_for_one_of - the next pending signal of set, when there is one before the deadline (0: none). */
static long wait_for_one_of(sigset set, u64 deadline, struct uapi_siginfo *info)
{
	struct thread_signals *s = &current_user->sig;
	int sig, err = 0;

	s->waited = set;
	do {
		smp_mb(); /* pairs with the sender's lock: it sees the set, or we see the signal */
		sig = signal_dequeue(set, info);
		if (sig || err)
			break;
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
		err = wait_step(deadline);
	} while (true);
	s->waited = 0;
	if (sig)
		return sig;
	return err == -ETIMEDOUT ? -EAGAIN : -RESTART_NOHAND;
}

/* read_wait_deadline - where a relative timeout ends; the same end when the call is made again. */
static int read_wait_deadline(vaddr_t utimeout, u64 *deadline, bool *now)
{
	struct user_thread *u = current_user;
	struct uapi_timespec ts;
	u64 ns;

	*deadline = 0;
	*now = false;
	if (!utimeout)
		return 0;
	if (copy_from_user(&ts, utimeout, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	*now = !ns;
	*deadline = u->sleep_deadline ? u->sleep_deadline : time_deadline_after(ns);
	return 0;
}

long sys_rt_sigtimedwait(vaddr_t uset, vaddr_t uinfo, vaddr_t utimeout, u64 sigset_size)
{
	struct user_thread *u = current_user;
	struct uapi_siginfo info;
	u64 deadline;
	sigset set;
	bool now;
	long sig;
	int err;

	if (sigset_size != sizeof(sigset))
		return -EINVAL;
	if (copy_from_user(&set, uset, sizeof(set)))
		return -EFAULT;
	err = read_wait_deadline(utimeout, &deadline, &now);
	if (err)
		return err;
	set &= ~UNBLOCKABLE;
	sig = now ? signal_dequeue(set, &info) : wait_for_one_of(set, deadline, &info);
	u->sleep_deadline = sig == -RESTART_NOHAND ? deadline : 0;
	if (!sig)
		return -EAGAIN;
	return sig > 0 && uinfo && siginfo_to_user(uinfo, &info) ? -EFAULT : sig;
}

/* Interrupted calls are made again inside the kernel (signal_restart), so there is never one to go on with. */
long sys_restart_syscall(void)
{
	return -EINTR;
}

long sys_pause(void)
{
	wait_for_signal();
	return -RESTART_NOHAND;
}

/* --- handlers ---------------------------------------------------------------------------------------- */

#define ALTSTACK_FLAGS (SS_DISABLE | (s32)SS_AUTODISARM)

long sys_sigaltstack(vaddr_t uss, vaddr_t old)
{
	struct uapi_sigaltstack *now = &current_user->sig.altstack, before = *now, ss;
	bool in_use = signal_on_altstack(now, frame_sp(arch_thread_frame(current)));

	if (uss) {
		if (copy_from_user(&ss, uss, sizeof(ss)))
			return -EFAULT;
		if (in_use)
			return -EPERM;
		if (ss.ss_flags & ~(ALTSTACK_FLAGS | SS_ONSTACK))
			return -EINVAL;
		if (ss.ss_flags & SS_DISABLE)
			ss.ss_sp = ss.ss_size = 0;
		else if (ss.ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		ss.ss_flags &= ~SS_ONSTACK;
		*now = ss;
	}
	if (in_use)
		before.ss_flags |= SS_ONSTACK;
	return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

long sys_rt_sigreturn(void)
{
	struct trap_frame *frame = arch_thread_frame(current);
	struct uapi_sigaltstack altstack;
	sigset mask;

	if (arch_signal_pop(frame, &mask, &altstack)) {
		signal_force_fault(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	if (!(altstack.ss_flags & ~(ALTSTACK_FLAGS | SS_ONSTACK))) {
		altstack.ss_flags &= ~SS_ONSTACK;
		current_user->sig.altstack = altstack;
	}
	signal_set_blocked(mask);
	arch_enter_user();
}
