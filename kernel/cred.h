/* SPDX-License-Identifier: MIT */
/*
 * cred.h - who a thread acts for: user and group ids, capabilities (credentials(7), capabilities(7)).
 *
 * A struct cred never changes once a thread bears it: a change makes a copy, and the thread goes over to that
 * (cred_commit). So a thread reads its own without a lock, and what somebody else has taken a
 * reference on stays what it was. Like Linux, the kernel keeps them per thread; C libraries
 * see to it that all threads of a process change together. Of a process others see those of its first thread
 * (process_cred).
 *
 * A struct user_account counts what all threads of one user have, for RLIMIT_NPROC.
 *
 * Keys: [a] atomic; [i] immutable once a thread bears it.
 *
 * Read next: cred.c, sys_cred.c (system calls), prctl.c.
 */
#pragma once

#include <quire/types.h>
#include <uapi/capability.h>
#include "lib/list.h"

struct inode;
struct process;

struct cred_groups {
	u32 refs;  /* [a] */
	u32 count; /* [i] */
	u32 gid[]; /* [i] ascending */
};

struct user_account {
	u32 refs;              /* [a] of credentials */
	u32 uid;               /* [i] */
	u32 threads;           /* [a] alive, or a zombie's */
	struct list_head link; /* in the table of accounts */
};

struct cred {
	u32 refs;                     /* [a] */
	u32 uid, euid, suid, fsuid;   /* [i] */
	u32 gid, egid, sgid, fsgid;   /* [i] */
	u64 effective, permitted;     /* [i] sets of capabilities, bit n: capability n */
	u64 inheritable, ambient;     /* [i] */
	u64 bounding;                 /* [i] */
	u32 securebits;               /* [i] SECBIT_* */
	bool no_new_privs;            /* [i] exec gives nothing that we do not have */
	struct cred_groups *groups;   /* [i] supplementary ones, NULL: none */
	struct user_account *account; /* [i] of uid */
};

/* cred_init - the account table and the credentials of the kernel itself. Boot. */
void cred_init(void);

/* cred_now - those of the current thread, of the superuser in kernel threads. No reference: they stay until the
 * thread itself changes them. */
const struct cred *cred_now(void);
const struct cred *cred_get(const struct cred *);
void cred_put(const struct cred *);
/* process_cred - those of a process (of its first thread), with a reference. */
const struct cred *process_cred(struct process *);

/* cred_capable - does the current thread have the capability (CAP_*) now? cred_has - does that one? */
bool cred_capable(int cap);
static inline bool cred_has(const struct cred *c, int cap)
{
	return c->effective >> cap & 1;
}
/* cred_in_group - for access to files: the current thread's fsgid or one of its supplementary groups.
 * cred_has_group - is it one of the supplementary ones? */
bool cred_in_group(u32 gid);
bool cred_has_group(const struct cred *, u32 gid);

/* cred_copy - a copy to be changed, with one reference. NULL: memory. Sleeps.
 * cred_set_uid - change the real user id of a copy, with the account. 0 or -ENOMEM. Sleeps.
 * cred_set_groups - replace the supplementary groups; takes over the reference (NULL: none).
 * cred_commit - the current thread goes over to a copy (or stays with its own), whose reference passes. What others may
 * do with the process shrinks when its rights have grown (PR_SET_DUMPABLE, PR_SET_PDEATHSIG). */
struct cred *cred_copy(const struct cred *);
int cred_set_uid(struct cred *, u32 uid);
void cred_set_groups(struct cred *, struct cred_groups *);
void cred_commit(const struct cred *);
/* cred_groups_create - for count ids that the caller then fills in ascending order. NULL: memory. */
struct cred_groups *cred_groups_create(u32 count);
void cred_groups_put(struct cred_groups *);

/* cred_fix_uids - what a change of user ids from old to c does to its capabilities (capabilities(7), "Effect of
 * user ID changes on capabilities"). cred_fix_fsuid - the same for fsuid alone. */
void cred_fix_uids(struct cred *c, const struct cred *old);
void cred_fix_fsuid(struct cred *c, const struct cred *old);

/* cred_for_exec - what the current thread has after executing a program file: set-user-ID and
 * set-group-ID bits, and the rules for capabilities. *secure: rights were gained (AT_SECURE). NULL: memory.
 * With a reference; the same as before when nothing changes. */
const struct cred *cred_for_exec(const struct inode *program, bool *secure);
