/* SPDX-License-Identifier: MIT */
/*
 * inspect.h - one process looks at another: what /proc needs to know, with references that keep it.
 *
 * A process may exit, exec or be reaped at any moment. Each call here answers for the moment in which it held
 * the process's lock; what it returns is referenced and stays valid, but need not be the process's any more.
 */
#pragma once

#include <quire/types.h>
#include "kernel/process.h"

struct dentry;
struct space;
struct uio;

/* inspect_allowed - may the current thread look into the process's memory and files? Its own process; the same
 * user throughout, and the process has not been made undumpable; or CAP_SYS_PTRACE. (ptrace(2), "Ptrace
 * access mode checking", PTRACE_MODE_READ_FSCREDS.) */
bool inspect_allowed(struct process *);
/* inspect_may_attach - the same by the real user and group, as for ptrace(PTRACE_ATTACH):
 * PTRACE_MODE_ATTACH_REALCREDS. */
bool inspect_may_attach(struct process *);

/* inspect_move - between memory of a space, from `at` on, and the buffers of uio, as much as these hold but at most len
 * bytes, page by page and without a copy in between.
 *  access: FAULT_READ fills the buffers, FAULT_WRITE empties them; with FAULT_FORCE in spite of missing rights
 *  sleeps: yes, and touches user memory
 *  returns: bytes moved; if there are none -EIO (nothing can be accessed at `at`), -EFAULT (the buffers), -ENOMEM */
ssize_t inspect_move(struct space *, vaddr_t at, struct uio *, u64 len, unsigned access);

/* inspect_file - what its descriptor fd refers to, with a reference; NULL: nothing, or it has no files any more.
 * *cloexec may be NULL. inspect_next_fd - the lowest descriptor >= from in use, UINT32_MAX: none. */
struct file *inspect_file(struct process *, u32 fd, bool *cloexec);
u32 inspect_next_fd(struct process *, u32 from);
/* inspect_fd_table_size - how many descriptors its table has room for. */
u32 inspect_fd_table_size(struct process *);

/* inspect_exe, inspect_root, inspect_cwd - names with a reference; NULL: none (any more). */
struct dentry *inspect_exe(struct process *);
struct dentry *inspect_root(struct process *);
struct dentry *inspect_cwd(struct process *);
/* inspect_umask - -ESRCH when it has none any more. */
int inspect_umask(struct process *);

/* inspect_next_thread - the thread with the lowest tid >= from, with a reference; NULL: none. */
struct user_thread *inspect_next_thread(struct process *, u32 from);
/* inspect_first_thread - the one whose tid is the pid, or the oldest that is left; with a reference, NULL: none. */
struct user_thread *inspect_first_thread(struct process *);

/* Kinship, by number; 0: none. */
struct inspect_kin {
	u32 parent, group, session;
	bool zombie;
	struct usage children; /* that were waited for */
};
void inspect_kin(struct process *, struct inspect_kin *out);
/* inspect_next_child - the pid of the n-th child; 0: there are not so many. */
u32 inspect_next_child(struct process *, u32 n);

/* What threads are doing, in letters as ps shows them. */
char inspect_state(struct process *, struct user_thread *); /* thread NULL: it has exited */

/* inspect_usage - what all its threads have used, those that are gone included. */
void inspect_usage(struct process *, struct usage *out);
