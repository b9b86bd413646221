/* SPDX-License-Identifier: MIT */
/*
 * pipe.h - a pipe: a ring of pieces of pages between those who write and those who read.
 *
 * A pipe belongs to its inode as long as anybody has it open: one of a file system (fifo.c), or, of anonymous
 * pipes (pipe.c), one of its own.
 *
 * Keys: [l] lock; [a] changed under lock, read without.
 */
#pragma once

#include <quire/types.h>
#include "kernel/lock.h"
#include "kernel/wait.h"

struct file;
struct file_ops;

#define PIPE_SLOTS     16         /* of a new pipe: 64 KiB */
#define PIPE_MAX_BYTES (1u << 20) /* what F_SETPIPE_SZ gives to everybody */

#define PIPE_BUF_MERGE  1 /* the page is ours alone: more data may be put behind what is there */
#define PIPE_BUF_PACKET 2 /* one write: a read ends with it, and what it leaves is lost */

struct pipe_buf {
	char *page;
	u32 offset, len; /* bytes */
	u32 flags;
};

struct pipe {
	struct mutex lock;              /* RANK_INODE; user memory may be touched under it */
	struct pipe_buf *ring;          /* [l] nr_slots of them, a power of two */
	u32 nr_slots;                   /* [a] */
	u32 first;                      /* [l] the oldest that holds data */
	u32 count;                      /* [a] slots that hold data */
	char *spare;                    /* [l] kept, so that small messages need no allocation */
	u32 readers, writers;           /* [a] open files that read, that write */
	u32 readers_ever, writers_ever; /* [a] opened so far: for opening named pipes */
	u32 users;                      /* open files, under the lock of the inode: fifo.c */
	struct waitq not_empty, not_full, opened;
};

extern const struct file_ops pipe_file_ops;

/* pipe_alloc, pipe_free - an empty pipe with nobody at its ends; NULL: memory. */
struct pipe *pipe_alloc(void);
void pipe_free(struct pipe *);
/* pipe_join, pipe_leave - an open file begins to read or write as its mode says; ceases to. */
void pipe_join(struct pipe *, const struct file *);
void pipe_leave(struct pipe *, const struct file *);
/* pipe_size - bytes it can hold; pipe_resize - F_SETPIPE_SZ: the new size, or -EPERM -EINVAL -EBUSY -ENOMEM. Both
 * -EBADF: not a pipe. */
long pipe_size(struct file *);
long pipe_resize(struct file *, u64 bytes);
/* fifo_release - the end of an open named pipe, called by pipe_file_ops. */
void fifo_release(struct file *);

/* What opening a named pipe gives. */
extern const struct file_ops fifo_file_ops;
