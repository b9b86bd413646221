/* SPDX-License-Identifier: MIT */
/*
 * epoll_internal.h - an epoll and what it watches: shared by epoll.c (changing), epoll_wait.c (harvesting) and
 * epoll_graph.c (epolls that watch epolls).
 *
 * An epoll is a tree of items, one for each open file and descriptor number that it watches, and a list of the
 * items that may have become ready. An item has watchers on the queues that its file named when it was added.
 * When one is woken it puts the item on the list; whether the file is really ready is asked by who takes it off.
 *
 * An item does not hold its file: a file that is closed takes its items along (epoll_forget_file).
 *
 * Locks, outer to inner: the epoll's mutex [e] (RANK_EPOLL), an outer epoll before the one it watches; then
 * epoll_graph_lock [g] (the same rank), which guards who watches what all over the system; then the lock
 * of the epoll's wait queue [q], taken by wakers below the lock of the queue that is being woken.
 */
#pragma once

#include <uapi/poll.h>
#include "fs/poll.h"
#include "kernel/wait.h"
#include "lib/rbtree.h"

#define EPOLLEXCLUSIVE BIT(28) /* one of several epolls that watch the file is told */
#define EPOLLWAKEUP    BIT(29)
#define EPOLLONESHOT   BIT(30) /* disabled after one event */
#define EPOLLET        BIT(31) /* told once for each wake-up */
#define EPOLL_FLAGS    (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)

#define EPOLL_INLINE_WATCHERS 2

struct epoll {
	u32 refs;          /* [a] */
	struct file *file; /* [i] not a reference */
	struct mutex lock;
	struct rb_root items;   /* [e] and [g] to change, either to read */
	u32 nr_nested;          /* [g] items whose file is an epoll */
	struct waitq queue;     /* threads in epoll_wait */
	struct waitq watchers;  /* those who poll this epoll */
	struct list_head ready; /* [q] */
	u32 nr_ready;           /* [q], read lockless */
};

struct epoll_watcher {
	struct waiter waiter;
	struct waitq *queue;
	u32 events; /* what this queue announces */
	struct epoll_item *item;
	struct epoll_watcher *next;
};

struct epoll_item {
	struct rb_node node;        /* in ep->items */
	struct epoll *ep;           /* [i] */
	struct file *file;          /* [i] */
	int fd;                     /* [i] */
	u32 events;                 /* [e], read lockless: what is asked for, and EPOLL_FLAGS */
	u64 data;                   /* [e] */
	struct list_head file_link; /* [g] in file->epoll_items */
	struct list_head ready;     /* [q] in ep->ready; or in none */
	struct epoll_watcher few[EPOLL_INLINE_WATCHERS]; /* [e] */
	struct epoll_watcher *more;                      /* [e] */
	u32 nr_watchers;                                 /* [e] */
};

extern struct mutex epoll_graph_lock;
extern const struct file_ops epoll_file_ops;

static inline bool file_is_epoll(const struct file *f)
{
	return f->ops == &epoll_file_ops;
}

/* epoll_item_poll - what of the item's events is ready; with a request, where to wait. Needs the epoll's lock. */
static inline u32 epoll_item_poll(struct epoll_item *item, struct poll_request *r)
{
	return file_poll(item->file, r) & item->events;
}

/* epoll_queue_item - put it on the list of ready ones, unless it is there, at the end or in front; wakes nobody.
 * epoll_take_item - the first of the list, off it; NULL. epoll_drop_item - off the list if it is there. */
void epoll_queue_item(struct epoll_item *, bool in_front);
struct epoll_item *epoll_take_item(struct epoll *);
void epoll_drop_item(struct epoll_item *);

/* epoll_notice - the wake function of watchers. */
bool epoll_notice(struct waiter *);

/* epoll_poll - the poll operation of an epoll: readable while something it watches is ready. */
u32 epoll_poll(struct file *, struct poll_request *);

/* epoll_check_nesting - may ep watch the epoll behind f? Needs epoll_graph_lock.
 *  returns: 0; -ELOOP: it would watch itself, or the chain would be too long; -EINVAL: too many ways up */
int epoll_check_nesting(struct epoll *ep, struct file *f);
