/* SPDX-License-Identifier: MIT */
/*
 * signal.c - what becomes of a signal: dropped, queued, the end of the process, a stop, a handler.
 *
 * Everything here is under the process's lock, except where a thread delivers to itself and has to
 * sleep (stopped) or touch its stack (a handler's frame).
 *
 * "Woken" means: THREAD_WORK_SIGNAL is set and an interruptible sleep is ended. The flag says only that
 * there is something to look at; finding nothing is harmless, an interrupted call is simply made again.
 */
#include "kernel/signal.h"

#include <arch/call.h>
#include <arch/trap.h>
#include <quire/assert.h>
#include <uapi/errno.h>
#include "kernel/process.h"
#include "kernel/smp.h"
#include "kernel/trace.h"
#include "kernel/user_timers.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define STOP_SIGNALS \
	(SIGSET_BIT(SIGSTOP) | SIGSET_BIT(SIGTSTP) | SIGSET_BIT(SIGTTIN) | SIGSET_BIT(SIGTTOU))
#define IGNORED_BY_DEFAULT \
	(SIGSET_BIT(SIGCHLD) | SIGSET_BIT(SIGCONT) | SIGSET_BIT(SIGURG) | SIGSET_BIT(SIGWINCH))
#define UNBLOCKABLE (SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP))
#define SYNCHRONOUS                                                                            \
	(SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS) | SIGSET_BIT(SIGILL) | SIGSET_BIT(SIGTRAP) | \
	 SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGSYS))

/* --- state ------------------------------------------------------------------------------------------- */

static void queue_init(struct signal_queue *q)
{
	q->set = 0;
	list_init(&q->entries);
}

void signal_init_process(struct process *p, const struct process *from)
{
	queue_init(&p->signals.pending);
	waitq_init(&p->signals.stop_wait);
	if (!from)
		return;
	p->signals.custom = from->signals.custom;
	p->signals.caught = from->signals.caught;
	p->signals.ignored = from->signals.ignored;
	for (sigset left = p->signals.custom; left; left &= left - 1) {
		int i = ctz64(left);

		p->signals.actions[i] = from->signals.actions[i];
	}
}

void signal_init_thread(struct user_thread *u, const struct user_thread *from)
{
	queue_init(&u->sig.pending);
	u->sig.altstack.ss_flags = SS_DISABLE;
	if (from)
		u->sig.blocked = from->sig.blocked;
}

void signal_reset_handlers(struct process *p, bool keep_ignored)
{
	struct signal_state *s = &p->signals;

	s->caught = 0;
	if (!keep_ignored)
		s->ignored = 0;
	s->custom = s->ignored;
	for (sigset left = s->custom; left; left &= left - 1)
		s->actions[ctz64(left)] = (struct uapi_sigaction){.handler = SIG_IGN};
}

/* is_within_limit - may one more be queued? Classic signals of the kernel and of kill always, one of a kind. Lock held. */
static inline bool is_within_limit(const struct process *p, const struct uapi_siginfo *info)
{
	return (info->si_signo < SIGRTMIN && info->si_code >= 0) ||
	       p->signals.queued < READ_ONCE(p->rlimits[RLIMIT_SIGPENDING].cur);
}

/* entry_alloc - for one more pending signal; NULL: no memory, or too many are pending. Lock held. */
static struct signal_entry *entry_alloc(struct process *p, const struct uapi_siginfo *info)
{
	struct signal_entry *e = p->signals.spare;

	if (!is_within_limit(p, info))
		return NULL;
	p->signals.spare = NULL;
	return e ? e : kmalloc(sizeof(*e), PA_ATOMIC);
}

/* entry_free - one is kept for the next signal. */
static void entry_free(struct process *p, struct signal_entry *e)
{
	list_del(&e->link);
	p->signals.queued--;
	if (p->signals.spare)
		kfree(e);
	else
		p->signals.spare = e;
}

void signal_flush_queue(struct signal_queue *q, struct process *p)
{
	struct signal_entry *e, *next;

	q->set = 0;
	list_for_each_safe (e, next, &q->entries, link)
		entry_free(p, e);
}

void signal_release_process(struct process *p)
{
	signal_flush_queue(&p->signals.pending, p);
	kfree(p->signals.spare);
}

/* queue_discard - forget all pending signals of a set. */
static void queue_discard(struct process *p, struct signal_queue *q, sigset set)
{
	struct signal_entry *e, *next;

	if (!(q->set & set))
		return;
	q->set &= ~set;
	list_for_each_safe (e, next, &q->entries, link)
		if (SIGSET_BIT(e->info.si_signo) & set)
			entry_free(p, e);
}

static void discard_everywhere(struct process *p, sigset set)
{
	struct user_thread *u;

	queue_discard(p, &p->signals.pending, set);
	list_for_each (u, &p->threads, link)
		queue_discard(p, &u->sig.pending, set);
}

/* is_ignored - by disposition, explicit or default. */
static inline bool is_ignored(const struct process *p, int sig)
{
	return SIGSET_BIT(sig) & (p->signals.ignored | (IGNORED_BY_DEFAULT & ~p->signals.caught));
}

void signal_discard_ignored(struct process *p, int sig)
{
	assert_held(&p->lock);
	if (!is_ignored(p, sig))
		return;
	p->signals.maybe_pending &= ~SIGSET_BIT(sig);
	discard_everywhere(p, SIGSET_BIT(sig));
}
RARE_FUNCTION(signal_discard_ignored);

u64 signal_action_flags(const struct process *p, int sig)
{
	const struct signal_state *s = &p->signals;

	return READ_ONCE(s->custom) & SIGSET_BIT(sig) ? READ_ONCE(s->actions[sig - 1].flags) : 0;
}

/* reset_action - the handler is gone, what else was said about the signal stays. */
static void reset_action(struct process *p, int sig)
{
	p->signals.caught &= ~SIGSET_BIT(sig);
	p->signals.ignored &= ~SIGSET_BIT(sig);
	p->signals.actions[sig - 1].handler = SIG_DFL;
}

/* --- waking ------------------------------------------------------------------------------------------ */

bool signal_fatal(const struct thread *t)
{
	return t->user && atomic_load(&t->user->killed);
}

/* The flag is set before the sleep state is read; a sleeper does it the other way round. */
void signal_notice_thread(struct thread *t, bool fatal)
{
	enum wait_mode least = fatal ? WAIT_KILLABLE : WAIT_INTERRUPTIBLE;

	atomic_or(&t->work, THREAD_WORK_SIGNAL);
	smp_mb();
	if (READ_ONCE(t->sleep_mode) >= least && thread_wake(t))
		return;
	if (atomic_load(&t->state) == THREAD_RUNNING && t != current)
		smp_kick(READ_ONCE(t->cpu));
}

void signal_kill_thread(struct user_thread *u)
{
	atomic_store(&u->killed, true);
	signal_notice_thread(u->thread, true);
}

bool process_begin_group_exit(struct process *p, u32 status)
{
	struct user_thread *u;

	assert_held(&p->lock);
	if (p->group_exit)
		return false;
	p->group_exit = true;
	p->exit_status = status;
	p->signals.stop_signal = 0;
	list_for_each (u, &p->threads, link)
		signal_kill_thread(u);
	waitq_wake_all(&p->signals.stop_wait);
	return true;
}

/* thread_willing - some thread that does not block the signal takes it; NULL when all block it. */
static struct user_thread *thread_willing(struct process *p, int sig)
{
	struct user_thread *u;

	list_for_each (u, &p->threads, link)
		if (!(u->sig.blocked & SIGSET_BIT(sig)))
			return u;
	return NULL;
}

/* thread_waiting - one that sleeps in sigtimedwait for it, though it blocks it. */
static struct user_thread *thread_waiting(struct process *p, struct user_thread *target, int sig)
{
	struct user_thread *u;

	if (target)
		return target->sig.waited & SIGSET_BIT(sig) ? target : NULL;
	list_for_each (u, &p->threads, link)
		if (u->sig.waited & SIGSET_BIT(sig))
			return u;
	return NULL;
}

struct waitq *signal_watch_queue(const struct process *p)
{
	return waitq_for(&p->signals);
}

sigset signal_pending_set(void)
{
	return READ_ONCE(current_user->sig.pending.set) |
	       READ_ONCE(current_process->signals.pending.set);
}

/* --- sending ----------------------------------------------------------------------------------------- */

static void prepare_stop_and_continue(struct process *p, int sig)
{
	struct user_thread *u;

	if (likely(!(SIGSET_BIT(sig) & (STOP_SIGNALS | SIGSET_BIT(SIGCONT)))))
		return;
	if (sig != SIGCONT) {
		discard_everywhere(p, SIGSET_BIT(SIGCONT));
	} else {
		discard_everywhere(p, STOP_SIGNALS);
		list_for_each (u, &p->threads, link)
			u->sig.stop_taken = 0;
		signal_resume(p);
	}
}

static inline bool has_handler(const struct process *p, int sig)
{
	return p->signals.caught & SIGSET_BIT(sig);
}

/* is_default - nothing else was said than to do what the signal does by itself. */
static inline bool is_default(const struct process *p, int sig)
{
	return !((p->signals.caught | p->signals.ignored) & SIGSET_BIT(sig));
}

/* kills_at_once - the default action is to die and nobody stands in the way. */
static bool kills_at_once(const struct process *p, int sig)
{
	return is_default(p, sig) && !(SIGSET_BIT(sig) & (IGNORED_BY_DEFAULT | STOP_SIGNALS)) &&
	       !p->signals.unkillable;
}

/* is_protected - init gets only the signals it has handlers for. */
static bool is_protected(const struct process *p, int sig)
{
	return p->signals.unkillable && is_default(p, sig);
}

/* queue_add - make it pending. Without memory, or beyond the limit, the particulars of a classic signal, and of what kill
 * sends, are lost. */
static int queue_add(struct process *p, struct signal_queue *q, const struct uapi_siginfo *info)
{
	int sig = info->si_signo;
	struct signal_entry *e;

	if (sig < SIGRTMIN && (q->set & SIGSET_BIT(sig)))
		return 0;
	e = entry_alloc(p, info);
	if (sig >= SIGRTMIN && !e && info->si_code != SI_USER)
		return -EAGAIN;
	q->set |= SIGSET_BIT(sig);
	p->signals.maybe_pending |= SIGSET_BIT(sig);
	if (e) {
		e->info = *info;
		list_add_tail(&e->link, &q->entries);
		p->signals.queued++;
	}
	return 0;
}

/* send_locked - to the thread target, or to the process when it is NULL. */
static int send_locked(struct process *p, struct user_thread *target,
		       const struct uapi_siginfo *info)
{
	int sig = info->si_signo;
	sigset bit = SIGSET_BIT(sig);
	struct user_thread *willing = target ? target : thread_willing(p, sig);
	bool blocked = !willing || (willing->sig.blocked & bit);
	int err;

	if (!p->nr_threads || p->group_exit || (target && list_empty(&target->link)))
		return 0; /* on its way out */
	prepare_stop_and_continue(p, sig);
	if (!blocked && !has_handler(p, sig)) {
		if (is_ignored(p, sig) || is_protected(p, sig))
			return 0;
		if (kills_at_once(p, sig)) {
			process_begin_group_exit(p, (u32)sig);
			return 0;
		}
	}
	err = queue_add(p, target ? &target->sig.pending : &p->signals.pending, info);
	if (blocked) {
		willing = thread_waiting(p, target, sig);
		waitq_wake_all(signal_watch_queue(p));
	}
	if (!err && willing)
		signal_notice_thread(willing->thread, false);
	return err;
}

static int send(struct process *p, struct user_thread *target, const struct uapi_siginfo *info)
{
	int sig = info->si_signo, err;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (sig == 0)
		return 0;
	trace(TRACE_SIGNAL, user_pid(p), (u64)sig, (u64)info->si_code, 0);
	spin_lock(&p->lock);
	err = send_locked(p, target, info);
	spin_unlock(&p->lock);
	return err;
}

bool signal_send_counted_locked(struct process *p, struct user_thread *u,
				const struct uapi_siginfo *info)
{
	u32 before = p->signals.queued;

	assert_held(&p->lock);
	return !send_locked(p, u, info) && p->signals.queued > before;
}

int signal_send_process(struct process *p, const struct uapi_siginfo *info)
{
	return send(p, NULL, info);
}

int signal_send_thread(struct user_thread *u, const struct uapi_siginfo *info)
{
	return send(u->proc, u, info);
}

/* A fault cannot be put off: the instruction would only fault again. */
void signal_force_info(const struct uapi_siginfo *info)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	int sig = info->si_signo;
	sigset bit = SIGSET_BIT(sig);

	trace(TRACE_SIGNAL, user_pid(p), (u64)sig, (u64)info->si_code, info->si_addr);
	spin_lock(&p->lock);
	if ((u->sig.blocked | p->signals.ignored) & bit) {
		reset_action(p, sig);
		u->sig.blocked &= ~bit;
	}
	if (!has_handler(p, sig)) {
		process_begin_group_exit(p, (u32)sig);
	} else {
		queue_add(p, &u->sig.pending, info);
		signal_notice_thread(current, false);
	}
	spin_unlock(&p->lock);
}

void signal_force_fault(int sig, int code, vaddr_t addr)
{
	struct uapi_siginfo info = {.si_signo = sig, .si_code = code, .si_addr = addr};

	signal_force_info(&info);
}

void signal_force_kill(int sig)
{
	struct process *p = current_process;

	spin_lock(&p->lock);
	process_begin_group_exit(p, (u32)sig);
	spin_unlock(&p->lock);
}

/* --- taking ------------------------------------------------------------------------------------------ */

/* concerns_timers - a timer wants to know when this is taken. */
static inline bool concerns_timers(const struct process *p, const struct uapi_siginfo *info)
{
	return p->timers && (info->si_signo == SIGALRM || info->si_code == SI_TIMER);
}

/* queue_take - of the signals in ready, which are pending, the lowest (faults first). */
static int queue_take(struct process *p, struct signal_queue *q, sigset ready,
		      struct uapi_siginfo *info)
{
	int sig = (int)ctz64(ready & SYNCHRONOUS ? ready & SYNCHRONOUS : ready) + 1;
	struct signal_entry *e, *found = NULL;
	bool another = false;

	list_for_each (e, &q->entries, link) {
		if (e->info.si_signo != sig)
			continue;
		another = found;
		if (another)
			break;
		found = e;
		if (sig < SIGRTMIN)
			break; /* there is only one */
	}
	if (found) {
		*info = found->info;
		entry_free(p, found);
	} else {
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
	}
	if (!another)
		q->set &= ~SIGSET_BIT(sig);
	if (unlikely(concerns_timers(p, info)))
		process_timers_taken(p, info);
	return sig;
}

/* take_from_queues - the thread's own come first. 0: none of the set is pending. */
static inline int take_from_queues(struct process *p, struct user_thread *u, sigset set,
				   struct uapi_siginfo *info)
{
	sigset own = u->sig.pending.set & set, shared = p->signals.pending.set & set;

	if (own)
		return queue_take(p, &u->sig.pending, own, info);
	return shared ? queue_take(p, &p->signals.pending, shared, info) : 0;
}

int signal_dequeue(sigset set, struct uapi_siginfo *info)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	int sig;

	spin_lock(&p->lock);
	sig = take_from_queues(p, u, set, info);
	spin_unlock(&p->lock);
	return sig;
}

/* pass_on - process signals that self was perhaps woken for, and will not take, are for others. Lock held. */
static void pass_on(struct process *p, const struct user_thread *self, sigset set)
{
	struct user_thread *u;

	list_for_each (u, &p->threads, link)
		if (u != self && (p->signals.pending.set & set & ~u->sig.blocked))
			signal_notice_thread(u->thread, false);
}

/* set_blocked - something is pending: what the new mask lets in is looked at before user mode. Lock held. */
static void set_blocked(struct process *p, struct user_thread *u, sigset set)
{
	sigset shared = p->signals.pending.set, newly = set & ~u->sig.blocked;

	u->sig.blocked = set;
	if ((shared | u->sig.pending.set) & ~set)
		signal_look_again();
	if (shared & newly)
		pass_on(p, u, newly);
}

static NOINLINE void set_blocked_and_unlock(struct process *p, struct user_thread *u, sigset set)
{
	set_blocked(p, u, set);
	spin_unlock(&p->lock);
}

void signal_set_blocked(sigset set)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;

	set &= ~UNBLOCKABLE;
	spin_lock(&p->lock);
	if (unlikely(p->signals.pending.set | u->sig.pending.set)) {
		set_blocked_and_unlock(p, u, set);
		return;
	}
	u->sig.blocked = set;
	spin_unlock(&p->lock);
}

void signal_leave_process(struct user_thread *u)
{
	struct process *p = u->proc;

	signal_flush_queue(&u->sig.pending, p);
	pass_on(p, u, ~u->sig.blocked);
}

/* A signal on the way into its handler. */
struct delivery {
	struct uapi_sigaction action;
	struct uapi_siginfo info;
	sigset before; /* the thread's mask until now: the handler's has taken its place */
};

/* use_action - what is to be done for sig, which has a handler, this time. Lock held.
 *  returns: the mask for the handler */
static inline sigset use_action(struct process *p, const struct user_thread *u, int sig,
				struct uapi_sigaction *action)
{
	sigset bit = SIGSET_BIT(sig);

	*action = p->signals.actions[sig - 1];
	if (unlikely(action->flags & SA_RESETHAND))
		reset_action(p, sig);
	return u->sig.blocked | action->mask | (action->flags & SA_NODEFER ? 0 : bit);
}

/* take - the next thing for this thread to do. Lock held.
 *  returns: a signal with a handler, which is now to be entered; 0: nothing more; -1: look again */
static int take(struct process *p, struct user_thread *u, struct delivery *d)
{
	int sig = take_from_queues(p, u, ~u->sig.blocked, &d->info);

	if (!sig)
		return 0;
	if (likely(has_handler(p, sig))) {
		d->before = u->sig.blocked;
		set_blocked(p, u, use_action(p, u, sig, &d->action));
		return sig;
	}
	if (is_ignored(p, sig) || is_protected(p, sig))
		return -1;
	if (SIGSET_BIT(sig) & STOP_SIGNALS)
		u->sig.stop_taken = (u32)sig;
	else
		process_begin_group_exit(p, (u32)sig);
	return -1;
}

/* next_handler - deal with everything that needs no handler; the first signal that does, or 0. */
static int next_handler(struct delivery *d)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	int sig;

	atomic_and(&current->work, ~(u32)THREAD_WORK_SIGNAL);
	do {
		if (READ_ONCE(p->signals.stop_signal))
			signal_stop_here(p, u);
		if (atomic_load(&u->killed))
			process_exit_thread(0);
		spin_lock(&p->lock);
		sig = p->signals.stop_signal ? -1 : take(p, u, d);
		spin_unlock(&p->lock);
		if (unlikely(u->sig.stop_taken)) {
			signal_begin_stop(p, u);
			u->sig.stop_taken = 0;
		}
	} while (sig < 0);
	return sig;
}

/* --- delivering -------------------------------------------------------------------------------------- */

/* no_room - the frame could not be made: a handler for SIGSEGV may be able to say so on another stack. */
static NOINLINE void no_room(int sig, sigset before)
{
	signal_set_blocked(before);
	if (sig == SIGSEGV)
		signal_force_kill(SIGSEGV);
	else
		signal_force_fault(SIGSEGV, SI_KERNEL, 0);
}

/* run_handler - redirect the user registers into the handler that has been entered. */
static inline void run_handler(struct trap_frame *frame, const struct uapi_sigaction *action,
			       const struct uapi_siginfo *info, sigset before)
{
	struct thread_signals *s = &current_user->sig;

	if (unlikely(arch_signal_push(frame, action, info, s->restore_saved ? s->saved : before,
				      &s->altstack))) {
		no_room(info->si_signo, before);
		return;
	}
	if (unlikely(s->altstack.ss_flags & (s32)SS_AUTODISARM))
		s->altstack = (struct uapi_sigaltstack){.ss_flags = SS_DISABLE};
	s->restore_saved = false;
}

void signal_look_again(void)
{
	atomic_or(&current->work, THREAD_WORK_SIGNAL);
}

void signal_deliver(struct trap_frame *frame)
{
	struct delivery d;

	/* Whoever makes another signal deliverable, a change of the mask included, sets the flag again. */
	while (signal_pending(current) && next_handler(&d))
		run_handler(frame, &d.action, &d.info, d.before);
	signal_end_mask(0); /* no handler did it */
}

/* The handler has to find, or return to, the right state of the call; so the registers are settled
 * before its frame is made from them. */
bool signal_restart(struct trap_frame *frame, long code)
{
	struct delivery d;
	bool again;

	if (!next_handler(&d))
		return true;
	current_user->sleep_deadline = 0;
	again = code == RESTART_NOINTR || (code == RESTART_SYS && (d.action.flags & SA_RESTART));
	if (again)
		frame_rewind_syscall(frame);
	else
		frame_set_syscall_result(frame, -EINTR);
	run_handler(frame, &d.action, &d.info, d.before);
	signal_deliver(frame);
	return false;
}

/* is_taken_at_once - would a signal that the current thread sends be taken by it as soon as it returns to user mode, with
 * nothing coming before it? Then it need not be queued at all. Lock held. */
static inline bool is_taken_at_once(const struct process *p, const struct user_thread *u,
				    const struct uapi_siginfo *info, bool whole)
{
	int sig = info->si_signo;

	return SIGSET_BIT(sig) & p->signals.caught & ~u->sig.blocked &
		       ~(STOP_SIGNALS | SIGSET_BIT(SIGCONT)) &&
	       !signal_pending(current) && !p->signals.pending.set &&
	       (!whole || p->threads.next == &u->link) && is_within_limit(p, info) &&
	       !concerns_timers(p, info);
}

long signal_send_current(const struct uapi_siginfo *info, bool whole)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	struct trap_frame *frame;
	struct uapi_sigaction action;
	sigset before;

	if (unlikely((u32)info->si_signo - 1 >= NSIG))
		return info->si_signo ? -EINVAL : 0;
	spin_lock(&p->lock);
	if (unlikely(!is_taken_at_once(p, u, info, whole))) {
		spin_unlock(&p->lock);
		return send(p, whole ? NULL : u, info);
	}
	before = u->sig.blocked;
	u->sig.blocked = use_action(p, u, info->si_signo, &action);
	spin_unlock(&p->lock);
	frame = arch_thread_frame(current);
	frame_set_syscall_result(frame, 0);
	run_handler(frame, &action, info, before);
	arch_enter_user();
}
