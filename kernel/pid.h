/* SPDX-License-Identifier: MIT */
/*
 * pid.h - numbers for threads, processes, process groups and sessions: one number space for all.
 *
 * A struct pid is one number in use. It stays taken while anything bears it: the thread, the process
 * whose leader that thread was, a process group or a session named after it. So a number
 * is never given to somebody else while the old bearer can still be meant.
 *
 * Locks: pid_lock (RANK_PROCESS) guards the table and the pointers from a pid to its bearers; look-ups
 * under it take a reference on what they found.
 */
#pragma once

#include <quire/types.h>
#include "kernel/wait.h"
#include "lib/list.h"

#define PID_MAX 32768

struct process;
struct tty;
struct user_thread;

struct pid {
	u32 nr;
	u32 refs;                   /* [a] */
	struct waitq ended;         /* the thread or the process has: pidfd */
	struct user_thread *thread; /* [pid_lock] NULL: no thread has this number (any more) */
	struct process *process;    /* [pid_lock] the process of this number, alive or zombie */
	struct list_head hash_link; /* [pid_lock] */
	struct list_head
		group; /* [process_tree_lock] members of the group, by process.group_link */
	struct tty *
		tty; /* [process_tree_lock] of a session: its terminal, referenced (drivers/tty_session.c) */
	struct pid *
		hung_up; /* [process_tree_lock] the foreground group it had when that was hung up, referenced */
};

void pid_init(void);
/* pid_alloc - a fresh number with one reference; wanted: this one, 0 for any. 0, -EAGAIN (none left), -EEXIST (the
 * wanted one is taken), -ENOMEM. Sleeps. */
int pid_alloc(u32 wanted, struct pid **out);
void pid_get(struct pid *);
/* pid_put - drop a reference; the last one frees the number. Any context that may take pid_lock. */
void pid_put(struct pid *);

/* pid_find - the number's struct pid with a reference, NULL when it is free. */
struct pid *pid_find(u32 nr);
/* process_find - the process with this pid, or the one that has a thread of this tid, with a reference. */
struct process *process_find(u32 nr);
/* process_find_from - the process with the lowest pid >= nr, with a reference; NULL: there is none. */
struct process *process_find_from(u32 nr);
/* pid_newest - the number given out most recently. pid_count_used - how many ever were. */
u32 pid_newest(void);
u64 pid_count_used(void);
/* thread_find - the thread with this tid, with a reference (user_thread_put). NULL: none. */
struct user_thread *thread_find(u32 tid);

/* pid_process, pid_thread - who bears the number, with a reference. NULL: nobody. */
struct process *pid_process(struct pid *);
struct user_thread *pid_thread(struct pid *);

/* pid_set_thread, pid_set_process - NULL: gone, and those who poll for that are woken. */
void pid_set_thread(struct pid *, struct user_thread *);
void pid_set_process(struct pid *, struct process *);
