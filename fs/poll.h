/* SPDX-License-Identifier: MIT */
/*
 * poll.h - readiness: what poll, select and epoll ask of a file.
 *
 * A file's poll operation first names the wait queues on which its readiness changes are announced
 * (poll_wait, which does nothing when nobody wants to wait), and then says what is ready. In
 * this order no change is lost: whoever makes something ready does so before waking the queue.
 */
#pragma once

#include <quire/types.h>
#include "fs/file.h"

struct waitq;

#define POLLIN     0x0001u
#define POLLPRI    0x0002u
#define POLLOUT    0x0004u
#define POLLERR    0x0008u
#define POLLHUP    0x0010u
#define POLLNVAL   0x0020u
#define POLLRDNORM 0x0040u
#define POLLRDBAND 0x0080u
#define POLLWRNORM 0x0100u
#define POLLWRBAND 0x0200u
#define POLLMSG    0x0400u
#define POLLRDHUP  0x2000u

#define POLL_ALWAYS (POLLERR | POLLHUP) /* reported whether asked for or not */
#define POLL_READY \
	(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM) /* of files without a poll operation */

/* Somebody who wants to hear of changes. add is called for each queue that announces some of the events it is
 * interested in, with those that the queue announces; the queue lives as long as the file. */
struct poll_request {
	void (*add)(struct poll_request *, struct waitq *, u32 events);
	u32 events; /* POLL_ALWAYS included */
};

/* poll_wait_for - a queue that announces these events and no others: a file that has one for its readers and one
 * for its writers does not disturb the ones for the others. poll_wait - a queue that announces all there are. */
static inline void poll_wait_for(struct poll_request *r, struct waitq *q, u32 events)
{
	if (r && (r->events & events))
		r->add(r, q, events);
}

static inline void poll_wait(struct poll_request *r, struct waitq *q)
{
	poll_wait_for(r, q, ~0u);
}

/* file_poll - what is ready now; with a request, also where to wait. */
static inline u32 file_poll(struct file *f, struct poll_request *r)
{
	return f->ops->poll ? f->ops->poll(f, r) : POLL_READY;
}
