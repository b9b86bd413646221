/* SPDX-License-Identifier: MIT */
/*
 * poll_wait.h - sleeping until one of many files is ready: what poll and select share.
 *
 * A scan asks each file of its set once, handing the poller on to file_poll, and counts those that are ready. The
 * first scan only asks. When nothing is ready the second one also leaves a watcher on each queue
 * that the files name; then the thread sleeps until one of them has been woken, and scans again.
 *
 * Read next: poll_wait.c.
 */
#pragma once

#include "fs/poll.h"
#include "kernel/wait.h"

#define POLL_INLINE_WATCHERS 6

struct poller;
struct poll_chunk;

struct poll_watcher {
	struct waiter waiter;
	struct waitq *queue;
	struct file *file; /* holds a reference: the queue is the file's */
	struct poller *poller;
};

struct poller {
	struct poll_request request;
	struct thread *thread;
	bool triggered;     /* [a] a queue was woken since the last scan began */
	bool out_of_memory; /* some file has no watcher */
	struct file *file;  /* the one that is being asked */
	unsigned nr_inline;
	struct poll_watcher inline_watchers[POLL_INLINE_WATCHERS];
	struct poll_chunk *chunks;
};

/* poll_ask - for scans: what of events (and POLL_ALWAYS) is ready. p: as the scan got it, may be NULL. */
static inline u32 poll_ask(struct poller *p, struct file *f, u32 events)
{
	events |= POLL_ALWAYS;
	if (!p)
		return file_poll(f, NULL) & events;
	p->request.events = events;
	p->file = f;
	return file_poll(f, &p->request) & events;
}

/* poll_until_ready - call scan(arg, poller or NULL) until it gives something else than 0.
 *  deadline: monotonic ns; POLL_NO_WAIT: scan once; POLL_FOREVER   sleeps: yes
 *  returns: what scan gave; 0 when time is over; -EINTR; -ENOMEM */
#define POLL_FOREVER 0ull
#define POLL_NO_WAIT (~0ull)
typedef long (*poll_scan)(void *arg, struct poller *);
long poll_until_ready(poll_scan scan, void *arg, u64 deadline);

/* poll_files, select_files - poll(2) and select(2) on user memory, with a deadline as above. 0 or more, or -errno;
 * -EINTR has not been turned into a restart. */
long poll_files(vaddr_t fds, u32 nr, u64 deadline);
long select_files(int nr, vaddr_t in, vaddr_t out, vaddr_t except, u64 deadline);

/* poll_deadline - the deadline that is ns from now; 0: do not wait. poll_time_left - until then, 0 when over. */
u64 poll_deadline(u64 ns);
u64 poll_time_left(u64 deadline);
/* poll_user_deadline - the deadline for a user timespec, which may be absent (0). 0, -EFAULT, -EINVAL. */
int poll_user_deadline(vaddr_t timeout, u64 *deadline);
/* poll_finish - the end of ppoll and pselect: puts the signal mask back, tells the user what time is left, and
 * makes an interrupted call one to be made again. Gives the result of the system call. */
long poll_finish(long result, vaddr_t timeout, u64 deadline);
