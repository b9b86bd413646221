/* SPDX-License-Identifier: MIT */
/*
 * fdtable.h - what a table of descriptors looks like, for the calls that look one up at every turn.
 *
 * Keys: [a] atomic; [i] immutable; [t] the table's lock.
 */
#pragma once

#include "fs/file.h"
#include "kernel/process.h"

#define FD_INLINE 64

struct fd_array {
	struct rcu_head rcu;
	u32 capacity;         /* [i] a multiple of 64 */
	u64 *used, *cloexec;  /* [t] bitmaps */
	struct file *files[]; /* [t], read lockless */
};

struct files {
	u32 refs;               /* [a] */
	bool is_own;            /* [a] see fd_own */
	struct mutex lock;      /* RANK_FILES */
	struct fd_array *array; /* [t], read lockless */
	u64 inline_used, inline_cloexec;
	struct fd_array inline_array; /* of FD_INLINE files */
};

/* fd_own - the file behind a descriptor of the current process, for the current system call, if nobody else could close it
 * meanwhile: a single thread, with a table of its own. NULL: that is not known, or there is none. Also one that stands for
 * a name only (O_PATH). Threads are made and tables shared by the process's threads alone, which say so; that it is over,
 * fd_borrow finds out. */
static inline struct file *fd_own(int fd)
{
	struct files *t = current_process->files;
	struct fd_array *a = t->array;

	if (unlikely(!t->is_own) || unlikely((u32)fd >= a->capacity))
		return NULL;
	return a->files[(u32)fd];
}
