/* SPDX-License-Identifier: MIT */
/*
 * signal.h - sending, blocking and delivering signals.
 *
 * A signal is pending for a thread or for a process (then any thread that does not block it takes it).
 * Whether it will do anything is decided when it is sent: an ignored one is dropped, one whose default
 * is to kill starts the exit of the process at once. What remains is taken by the thread itself on its
 * way to user mode (signal_deliver), which runs the handler, or stops.
 *
 * Locks: all state here is under the process's lock; senders hold process_tree_lock only if they walk
 * families. Sending does not sleep and never fails for the classic signals 1..31,
 * of which at most one of a kind is pending; real-time signals queue.
 *
 * Read next: signal.c (send, decide), sys_signal.c (system calls), arch/<arch>/signal.c (frames).
 */
#pragma once

#include <quire/types.h>
#include <uapi/signal.h>
#include "kernel/wait.h"
#include "lib/list.h"

struct process;
struct thread;
struct trap_frame;
struct user_thread;

typedef u64 sigset; /* bit n-1: signal n */
#define SIGSET_BIT(sig) (1ull << ((sig)-1))

/* One pending signal with its particulars. */
struct signal_entry {
	struct list_head link;
	struct uapi_siginfo info;
};

struct signal_queue {
	sigset set;               /* which are pending */
	struct list_head entries; /* oldest first; a classic signal may be pending without one */
};

/* In struct process. */
struct signal_state {
	sigset custom; /* whose action was set; of others it is all zeroes, whatever the array holds */
	sigset caught;  /* of those: with a handler */
	sigset ignored; /* of those: explicitly ignored; what is neither has its default action */
	sigset maybe_pending; /* for the process or any thread of it; a few too many */
	struct signal_queue pending;
	struct signal_entry *spare; /* kept for the next; may be NULL */
	u32 queued;                 /* entries of all threads, against RLIMIT_SIGPENDING */
	u32 stop_signal;            /* not 0: all threads stop (or have stopped) */
	u32 nr_stopped;             /* threads that have */
	bool stop_reported;         /* all have, and the parent was told */
	bool notify_continue;       /* the first thread that runs again tells the parent */
	struct waitq stop_wait;
	bool report_stop; /* a parent may still collect "stopped" */
	bool report_continue;
	bool unkillable;                     /* init: signals without a handler do nothing */
	struct uapi_sigaction actions[NSIG]; /* last: see process_create */
};

/* In struct user_thread. */
struct thread_signals {
	sigset blocked;
	sigset waited; /* sigtimedwait sleeps for these: it is woken even if they are blocked */
	sigset saved;  /* restored after sigsuspend's handler frame was made */
	bool restore_saved;
	struct signal_queue pending;
	u32 stop_taken; /* this stop signal is about to stop the process, unless SIGCONT comes first */
	struct uapi_sigaltstack altstack;
};

/* signal_init_process - a new process, all zeroes but for the array of actions: default state, or a copy of the parent's dispositions (from may be
 * NULL). signal_init_thread: the same for a thread and its mask. */
void signal_init_process(struct process *, const struct process *from);
void signal_init_thread(struct user_thread *, const struct user_thread *from);
/* signal_reset_handlers - no handlers: those become SIG_DFL. keep_ignored: an explicit SIG_IGN stays (exec).
 * Process lock held, or the process not yet known. */
void signal_reset_handlers(struct process *, bool keep_ignored);
/* signal_leave_process - a thread ends: what is pending for it goes, what it was to take for the process goes to
 * another. Process lock held. */
void signal_leave_process(struct user_thread *);
void signal_flush_queue(struct signal_queue *, struct process *);
/* signal_release_process - nobody refers to it any more: free what it has of signals. */
void signal_release_process(struct process *);

/* signal_send_process, signal_send_thread - info->si_signo says which; 0 only checks.
 *  locks: takes the process's lock   sleeps: no (allocates before, atomically)
 *  returns: 0; -EAGAIN when a real-time signal finds the queue full */
int signal_send_process(struct process *, const struct uapi_siginfo *info);
int signal_send_thread(struct user_thread *, const struct uapi_siginfo *info);
/* signal_send_current - for a system call that does nothing else: to the current thread, or (whole) to its process. A
 * handler that is to run now is entered: then this does not return. Sleeps.
 *  returns: what the call returns, as above */
long signal_send_current(const struct uapi_siginfo *info, bool whole);
/* signal_send_self - (kill.c) to the current thread, as if it had sent it: SIGPIPE, SIGXFSZ. */
void signal_send_self(int sig);
/* signal_send_counted_locked - for timers: to u, or to the process when it is NULL. Process lock held. False: nobody
 * will get these particulars, because the signal is ignored or one like it was pending. */
bool signal_send_counted_locked(struct process *, struct user_thread *u,
				const struct uapi_siginfo *);
/* signal_send_group - (kill.c) to every member of a process group; needs process_tree_lock. -ESRCH: empty. */
struct pid;
int signal_send_group(struct pid *group, const struct uapi_siginfo *info);

/* signal_force_fault - the current thread's instruction faulted: deliver now; when the
 * signal is blocked or ignored the process dies of it. Any trap from user mode. */
void signal_force_fault(int sig, int code, vaddr_t addr);
/* signal_force_info - the same with all particulars (si_addr_lsb of a memory error).
 * signal_force_kill - the current process dies of sig. */
void signal_force_info(const struct uapi_siginfo *);
void signal_force_kill(int sig);

/* signal_dequeue - take the next pending signal of a set from the current thread's or its process's queue.
 *  returns: its number, 0 when there is none */
int signal_dequeue(sigset, struct uapi_siginfo *);
/* siginfo_to_user, siginfo_from_user - a whole siginfo in user memory. 0 or -EFAULT; from_user also -E2BIG: what lies
 * beyond the known fields is not zero, and the code does not say that it means nothing. */
int siginfo_to_user(vaddr_t to, const struct uapi_siginfo *);
int siginfo_from_user(struct uapi_siginfo *, vaddr_t from);
/* signal_pending_set - what is pending for the current thread or its process, blocked or not. signal_watch_queue - the
 * queue that is woken when a signal that no thread lets in becomes pending; it is shared with others and lives for ever. */
sigset signal_pending_set(void);
struct waitq *signal_watch_queue(const struct process *);

/* signal_pending - something that interrupts an interruptible sleep of this thread. No lock needed: an
 * answer of "no" may be outdated, but then the thread is being woken.
 * signal_fatal - the thread is being killed. */
static inline bool signal_pending(const struct thread *t)
{
	return READ_ONCE(t->work) & THREAD_WORK_SIGNAL;
}
bool signal_fatal(const struct thread *);

/* signal_deliver - act on pending signals; called by thread_return_to_user with interrupts on whenever
 * THREAD_WORK_SIGNAL is set (which it clears). Does not return when the thread is to exit. */
void signal_deliver(struct trap_frame *);

/* signal_restart - a system call was interrupted and returned -code, one of RESTART_*: deliver. From the entry code.
 *  returns: true: make the call again with the same registers; false: a handler comes first, and the
 *  registers say what happens after it (EINTR, or the call again) */
bool signal_restart(struct trap_frame *, long code);

/* signal_kill_thread - one thread is to exit. Process lock held.
 * signal_notice_thread - make a thread look at its signals: now if it runs in user mode or sleeps interruptibly, or
 * (fatal) such that only its end may wake it. Process lock held. */
void signal_kill_thread(struct user_thread *);
void signal_notice_thread(struct thread *, bool fatal);

/* In jobctl.c. signal_begin_stop - the current thread does what the stop signal that it took says. signal_stop_here - it
 * sleeps until the process is continued or killed. signal_resume - SIGCONT and SIGKILL end a stop, whatever becomes of
 * the signal itself; process lock held, as for the last one. signal_stop_is_complete - all threads have stopped, and the
 * caller must now tell the parent. */
void signal_begin_stop(struct process *, struct user_thread *self);
void signal_stop_here(struct process *, struct user_thread *self);
void signal_resume(struct process *);
bool signal_stop_is_complete(struct process *);

/* signal_discard_ignored - its action has changed: if it is to do nothing now, what is pending of it goes. Process lock held.
 * signal_action_flags - its SA_* flags, at this moment: no lock needed. */
void signal_discard_ignored(struct process *, int sig);
u64 signal_action_flags(const struct process *, int sig);

/* signal_set_blocked - the current thread's mask; SIGKILL and SIGSTOP cannot be blocked. */
void signal_set_blocked(sigset);

/* signal_use_mask - for calls such as ppoll: the current thread's mask until the call is over, or a handler has
 * been entered, whose return then brings the old one back. set: user address, 0: leave the mask alone. 0, -EINVAL (size),
 * -EFAULT. signal_end_mask - the call is over with this result; -RESTART_NOHAND leaves it to what comes next. */
int signal_use_mask(vaddr_t set, u64 size);
void signal_end_mask(long result);

/* signal_look_again - the current thread looks for signals before it returns to user mode, though it may find none. */
void signal_look_again(void);

/* Results (negated) of interrupted system calls that user space never sees: see signal_restart. Who returns one has
 * found signal_pending, or called signal_look_again: the entry code looks at the result only when there is work. */
#define RESTART_SYS    512 /* again, unless a handler without SA_RESTART runs */
#define RESTART_NOINTR 513 /* again in any case */
#define RESTART_NOHAND 514 /* again only if no handler runs */
BUILD_ASSERT(RESTART_SYS == 512 && RESTART_NOHAND == 514, "the entry code compares with them");

/* signal_on_altstack - does a stack pointer lie on this alternate stack? */
static inline bool signal_on_altstack(const struct uapi_sigaltstack *ss, vaddr_t sp)
{
	return sp > ss->ss_sp && sp - ss->ss_sp <= ss->ss_size &&
	       !(ss->ss_flags & (s32)SS_AUTODISARM);
}

/* --- provided by arch/<arch>/signal.c ---------------------------------------------------------------- */

/* arch_signal_push - make the user registers enter the handler, with a frame on the user stack, or on
 * the alternate one when the action wants it, it is enabled and not in use. 0, or -EFAULT: nothing changed. */
int arch_signal_push(struct trap_frame *, const struct uapi_sigaction *,
		     const struct uapi_siginfo *, sigset mask,
		     const struct uapi_sigaltstack *altstack);
/* arch_signal_pop - undo it from the frame at the user stack pointer. -EFAULT: not a frame. */
int arch_signal_pop(struct trap_frame *, sigset *mask, struct uapi_sigaltstack *altstack);
