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

/* Somebody who wants to hear of changes. add is called for each queue; the queue lives as long as the file. */
struct poll_request {
	void (*add)(struct poll_request *, struct waitq *);
};

static inline void poll_wait(struct poll_request *r, struct waitq *q)
{
	if (r)
		r->add(r, q);
}
