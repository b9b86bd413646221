/* SPDX-License-Identifier: MIT */
/*
 * process.h - what user space knows as a process and its threads.
 *
 * A process is what its threads have in common beyond memory: files, signal dispositions, limits,
 * a parent and children. A user thread is a kernel thread (kernel/thread.h) that returns to user mode.
 * The address space belongs to the threads (each holds a use of it), so that vfork and exec are
 * plain reference counting.
 *
 *   fork -> running --last thread exits--> zombie --parent waits--> gone
 *
 * Locks, outer to inner: process_tree_lock (mutex) for kinship, groups, sessions and zombies; then the
 * process's own spin lock for its threads and signals. Two process locks are never held at once.
 *
 * Keys: [T] process_tree_lock; [l] process lock; [a] atomic; [i] immutable; [o] only the process's
 * own threads, a single one at the time of change; [t] only the thread itself. [o]+[l]: as [o], and the lock is
 * held to change it, so that others may read it under the lock.
 *
 * Read next: fork.c (birth), exit.c (death and waiting), exec.c, signal.h.
 */
#pragma once

#include <quire/types.h>
#include <uapi/resource.h>
#include "kernel/lock.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/wait.h"

struct cred;
struct files;
struct fs_context;
struct file;
struct trap_frame;

/* Times and faults, for wait4 and getrusage. */
struct usage {
	u64 cpu_ns;
	u64 system_ns; /* of cpu_ns, in the kernel: by samples */
	u64 maxrss;    /* pages */
	u64 nvcsw, nivcsw;
};

struct process {
	u32 refs;        /* [a] */
	struct pid *pid; /* [i] */

	struct process *parent;      /* [T] NULL: init, or the kernel itself */
	u32 parent_tid;              /* [T] the thread of it that made us */
	u32 parent_nr;               /* [T] its number, read lockless; 0: none */
	struct list_head children;   /* [T] */
	struct list_head sibling;    /* [T] */
	struct pid *group, *session; /* [T] */
	struct list_head group_link; /* [T] on group->group */
	bool no_tty;                 /* [T] gave up the session's terminal for itself */
	bool zombie;                 /* [T] */
	char dead_name[16];          /* [l] of the first thread, once it is gone */
	u32 exit_status;             /* [l] the word that wait4 returns */
	u32 exit_signal;             /* [T] sent to the parent at exit; 0: none */
	bool execed;                 /* [T] setpgid by the parent comes too late */
	u32 child_events;            /* [a] counts what a waiting parent should look at again */
	struct waitq child_wait;     /* the parent sleeps on its own queue */
	struct usage dead;           /* [l] of threads that are gone */
	u64 shown_user_ns, shown_system_ns; /* [l] by getrusage: neither goes back */
	struct usage children_usage;        /* [T] of children that were waited for */

	struct spinlock lock;            /* RANK_PROCESS */
	struct list_head threads;        /* [l] user_thread.link */
	u32 nr_threads;                  /* [l] */
	bool group_exit;                 /* [l] every thread is to exit; exit_status is decided */
	struct user_thread *exec_thread; /* [l] this one waits for the others to be gone */
	struct waitq thread_wait;        /* exec sleeps here */

	struct files *files;     /* [o], [l] to change: open files */
	struct fs_context *fs;   /* [o], [l] to change: root, working directory, umask */
	const struct cred *cred; /* [l] of the first thread: what others see */
	u32 dumpable;            /* [a] PR_SET_DUMPABLE */
	u32 personality;         /* [a] personality(2) */
	bool is_subreaper;       /* [a] PR_SET_CHILD_SUBREAPER */
	struct file *exe;        /* [l] the program, for /proc */
	s32 oom_score_adj,
		oom_score_adj_min; /* [a] -1000: never killed .. 1000: first; lowest set with rights */
	struct process_timers *timers; /* [l] to set; NULL: none were ever used. user_timers.h */
	u64 start_ns;                  /* [i] */
	struct signal_state signals;   /* [l] */
	struct uapi_rlimit rlimits[RLIM_NLIMITS]; /* [l] */
};

struct user_thread {
	u32 refs;                /* [a] one is the thread's own, until it exits */
	struct thread *thread;   /* [i] */
	struct process *proc;    /* [i] */
	struct pid *tid;         /* [l] changes when another thread than the first calls exec */
	const struct cred *cred; /* [t] changed by cred_commit only */
	bool made_children;      /* [t] children were made by this thread */
	bool nproc_exceeded; /* [t] a change of user led above RLIMIT_NPROC: exec fails while it lasts */
	u64 timer_slack_ns;        /* [t] PR_SET_TIMERSLACK; 0: the default */
	u8 sched_policy;           /* [a] SCHED_OTHER, SCHED_BATCH, SCHED_IDLE */
	bool sched_reset;          /* [a] children start with SCHED_OTHER and at least nice 0 */
	u32 parent_death_signal;   /* [a] PR_SET_PDEATHSIG; 0: none */
	struct list_head link;     /* [l] */
	struct thread_signals sig; /* [l] */
	bool killed;               /* [a] exit before the next return to user mode */
	vaddr_t clear_child_tid;   /* [t] cleared and woken at exit; 0: none */
	vaddr_t set_child_tid;     /* [t] the child writes its tid there before it runs */
	vaddr_t robust_list;       /* [t] 0: none */
	struct vfork_wait *vfork;  /* [t] the parent waits until we exec or exit */
	/* [t] where a call with a relative timeout is to end that was interrupted and is made again; 0: none */
	u64 sleep_deadline;
};

extern struct mutex process_tree_lock; /* RANK_PROCESS_TREE */
extern struct process *process_init;   /* pid 1 */

#define current_process (current->proc)
#define current_user    (current->user)

/* process_subsystem_init - caches and tables. Boot, before any process is made. */
void process_subsystem_init(void);

/* process_start_init - make process 1, which executes /init. Boot, once, after initramfs_unpack();
 * panics when there is no program that can be started. */
void process_start_init(void);

void process_get(struct process *);
void process_put(struct process *);

/* process_use_space - the current thread goes on in another address space, whose use passes to it; the use
 * of the one it had passes to the caller. NULL: in none, it will not return to user mode there. */
void process_use_space(struct space *);

/* process_space - a use of the process's address space (space_put), NULL when it has none any more. */
struct space *process_space(struct process *);

/* process_files, process_fs, process_exe - with a reference; NULL when it has ended. */
struct files *process_files(struct process *);
struct fs_context *process_fs(struct process *);
struct file *process_exe(struct process *);
/* process_may_inspect - may the current thread see the memory and descriptors of another process (ptrace(2), "Ptrace
 * access mode checking")? real: by its real user id, as for calls that act on it, else by its
 * file system user id, as for files in /proc. */
bool process_may_inspect(struct process *, bool real);

/* process_cpu_time_locked - ns that all its threads, also those that ended, have run; *user: how much of it in user mode
 * (may be NULL). Process lock held. */
u64 process_cpu_time_locked(struct process *, u64 *user);
/* process_limit - the soft limit now. */
u64 process_limit(const struct process *, unsigned resource);
/* process_apply_limits - tell its address space about changed limits. Sleeps. */
void process_apply_limits(struct process *);
struct space_limits;
void process_limits_for_space(struct process *, struct space_limits *out);
/* process_tree_next - the next of all processes, zombies included, in no particular order; NULL after the last. Start
 * with process_init. Needs process_tree_lock throughout. */
struct process *process_tree_next(struct process *);

/* process_count - including zombies. user_thread_count - threads; user_thread_max - so many there may be. */
unsigned process_count(void);
unsigned user_thread_count(void);
unsigned user_thread_max(void);

/* user_thread_get, user_thread_put - the last reference frees it and lets go of thread and process. */
void user_thread_get(struct user_thread *);
void user_thread_put(struct user_thread *);

/* process_create - a process without threads: limits, credentials, group as the parent's, or
 * those of init when parent is NULL. Not yet in the tree. user_thread_create - a thread of it, not yet in
 * its list; takes over the references of thread and tid. Both sleep and give NULL when memory is short. */
struct process *process_create(struct process *parent, struct pid *pid);
struct user_thread *user_thread_create(struct process *, struct thread *, struct pid *tid);

/* usage_add, usage_add_thread - sums, under the lock of what sum is part of. */
void usage_add(struct usage *sum, const struct usage *);
void usage_add_thread(struct usage *sum, struct thread *);
/* usage_to_rusage - as getrusage and wait4 show it. */
void usage_to_rusage(const struct usage *, struct uapi_rusage *);

/* process_notify_parent - a child's state changed: SIGCHLD with this CLD_* code and status, and wake the
 * parent. Needs process_tree_lock. */
void process_notify_parent(struct process *, int code, int status);

/* user_tid, user_pid - numbers as user space sees them. */
static inline u32 user_tid(const struct user_thread *u)
{
	return u->tid->nr;
}
static inline u32 user_pid(const struct process *p)
{
	return p->pid->nr;
}

/* process_exit_thread - end the current thread with this exit code (0..255 in bits 8..15 of status); the
 * last one ends the process. process_exit_group - end all threads; status is a wait status word. */
void process_exit_thread(u32 status) NORETURN;
void process_exit_group(u32 status) NORETURN;

/* process_begin_group_exit - decide the status and make all threads exit. Needs p->lock. False: it was
 * decided before. */
bool process_begin_group_exit(struct process *, u32 status);

/* user_thread_leave_space - the current thread is about to leave its memory (exit, exec): robust mutexes, the
 * tid word, a waiting vfork parent. Sleeps, touches user memory.
 * user_thread_release_vfork - only the last of these. */
void user_thread_leave_space(struct user_thread *);
void user_thread_release_vfork(struct user_thread *);
/* process_note_maxrss - before the current space is left: remember how large it was. */
void process_note_maxrss(struct process *);
/* process_release_resources - files, working directory, program. Nobody uses the process any more. */
void process_release_resources(struct process *);

/* process_set_group - move to a process group, or (NULL) out of any. process_reap - a zombie leaves the tree;
 * the caller has a reference or does not use it again. Both need process_tree_lock. */
void process_set_group(struct process *, struct pid *group);
void process_reap(struct process *);

/* process_orphan_children - the last thread of p has ended: its children get another parent.
 * process_thread_left - a thread of p that made children has ended. process_thread_renamed - by exec.
 * process_announce_end - a zombie and its parent: tell it, or spare it the trouble. All need process_tree_lock. */
void process_orphan_children(struct process *);
void process_thread_left(struct process *, u32 tid);
void process_thread_renamed(struct process *, u32 old_tid, u32 new_tid);
void process_announce_end(struct process *);

/* group_is_orphaned - no member (leaving, which may be NULL, not counted) has a parent in another group of its
 * session. group_check_orphaned - p or its parent keeper is leaving: if that orphans p's group, and it has
 * stopped members, hang it up. Both need process_tree_lock. */
bool group_is_orphaned(const struct pid *group, const struct process *leaving);
void group_check_orphaned(const struct process *p, const struct process *keeper,
			  const struct process *leaving);

/* process_kill_other_threads - for exec: returns 0 when current is the only thread, -EAGAIN when another
 * exec or exit came first (current is to die). Sleeps. */
int process_kill_other_threads(void);
