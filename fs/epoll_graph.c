/* SPDX-License-Identifier: MIT */
/*
 * epoll_graph.c - epolls that watch epolls: no circles, no long chains, not too many ways.
 *
 * A wake-up travels from a file up through all epolls that lead to it, with interrupts off. So chains are short
 * and the number of ways from an epoll to the top is limited; both are looked at whenever an edge is added.
 * Everything here needs epoll_graph_lock. The recursions are as deep as chains may be.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/epoll_internal.h"
#include "fs/file.h"

#define MAX_CHAIN 5   /* epolls above one another */
#define MAX_WAYS  100 /* from an epoll upwards */

/* height - epolls in the longest chain upwards, this one included; more than MAX_CHAIN: too many. */
static u32 height(const struct epoll *ep, u32 level)
{
	struct epoll_item *item;
	u32 most = 0;

	if (level > MAX_CHAIN)
		return 1;
	list_for_each (item, &ep->file->epoll_items, file_link)
		most = MAX(most, height(item->ep, level + 1));
	return most + 1;
}

/* ways - how many chains lead upwards from here, none counting as one; stops counting above MAX_WAYS. */
static u32 ways(const struct epoll *ep)
{
	struct epoll_item *item;
	u32 n = 0;

	list_for_each (item, &ep->file->epoll_items, file_link) {
		n += ways(item->ep);
		if (n > MAX_WAYS)
			break;
	}
	return n ? n : 1;
}

/* check_below - ep and all that it watches, level by level: is top among them, are there too many, can each bear
 * so many more ways up? */
static int check_below(const struct epoll *ep, const struct epoll *top, u32 level, u32 more_ways)
{
	struct rb_node *n;
	int err = 0;

	if (ep == top || level > MAX_CHAIN)
		return -ELOOP;
	if (ways(ep) + more_ways > MAX_WAYS)
		return -EINVAL;
	if (!ep->nr_nested)
		return 0;
	for (n = rb_first(&ep->items); n && !err; n = rb_next(n)) {
		struct file *f = rb_entry(n, struct epoll_item, node)->file;

		if (file_is_epoll(f))
			err = check_below(f->private_data, top, level + 1, more_ways);
	}
	return err;
}

int epoll_check_nesting(struct epoll *ep, struct file *f)
{
	assert_held(&epoll_graph_lock);
	return check_below(f->private_data, ep, height(ep, 1) + 1, ways(ep));
}
