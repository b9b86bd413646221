/* SPDX-License-Identifier: MIT */
/*
 * epoll.c - making epolls and changing what they watch.
 *
 * Adding an item asks the file once with a request, which leaves watchers on its queues; from then on nobody asks
 * unless a queue was woken. What is ready at that moment goes on the list at once.
 *
 * Read next: epoll_internal.h, epoll_wait.c.
 */
#include "fs/epoll.h"

#include <uapi/errno.h>
#include "fs/epoll_internal.h"
#include "fs/file.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "mm/phys/slab.h"

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

/* What may go with EPOLLEXCLUSIVE. */
#define EXCLUSIVE_EVENTS (POLLIN | POLLOUT | POLL_ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct mutex epoll_graph_lock;
static struct slab_cache *item_cache;

void epoll_init(void)
{
	mutex_init(&epoll_graph_lock, RANK_EPOLL);
	item_cache = slab_cache_create("epoll_item", sizeof(struct epoll_item), 0, false);
}

static void epoll_put(struct epoll *ep)
{
	if (refcount_put(&ep->refs))
		kfree(ep);
}

/* --- items ------------------------------------------------------------------------------------------- */

/* compare - items are ordered by file, then descriptor. */
static int compare(const struct file *f, int fd, const struct epoll_item *item)
{
	if (f != item->file)
		return f < item->file ? -1 : 1;
	return (fd > item->fd) - (fd < item->fd);
}

static struct epoll_item *find(struct epoll *ep, const struct file *f, int fd)
{
	struct rb_node *n = ep->items.node;

	while (n) {
		struct epoll_item *item = rb_entry(n, struct epoll_item, node);
		int c = compare(f, fd, item);

		if (!c)
			return item;
		n = n->child[c > 0];
	}
	return NULL;
}

static void link_item(struct epoll *ep, struct epoll_item *item)
{
	struct rb_node **link = &ep->items.node, *parent = NULL;

	while (*link) {
		struct epoll_item *other = rb_entry(*link, struct epoll_item, node);

		parent = *link;
		link = &parent->child[compare(item->file, item->fd, other) > 0];
	}
	rb_insert(&ep->items, &item->node, parent, link, NULL);
	list_add_tail(&item->file_link, &item->file->epoll_items);
	ep->nr_nested += file_is_epoll(item->file);
}

struct registration {
	struct poll_request request;
	struct epoll_item *item;
	bool out_of_memory;
};

static struct epoll_watcher *watcher_alloc(struct epoll_item *item)
{
	struct epoll_watcher *w;

	if (item->nr_watchers < EPOLL_INLINE_WATCHERS)
		return &item->few[item->nr_watchers++];
	w = kmalloc(sizeof(*w), 0);
	if (w) {
		w->next = item->more;
		item->more = w;
	}
	return w;
}

static void add_watcher(struct poll_request *request, struct waitq *q, u32 events)
{
	struct registration *r = container_of(request, struct registration, request);
	struct epoll_watcher *w = watcher_alloc(r->item);

	if (!w) {
		r->out_of_memory = true;
		return;
	}
	w->waiter.wake = epoll_notice;
	w->waiter.exclusive = r->item->events & EPOLLEXCLUSIVE;
	w->queue = q;
	w->events = events;
	w->item = r->item;
	waitq_watch(q, &w->waiter);
}

static void remove_watchers(struct epoll_item *item)
{
	struct epoll_watcher *w, *next;

	for (u32 i = 0; i < item->nr_watchers; i++)
		waitq_unwatch(item->few[i].queue, &item->few[i].waiter);
	for (w = item->more; w; w = next) {
		next = w->next;
		waitq_unwatch(w->queue, &w->waiter);
		kfree(w);
	}
	item->nr_watchers = 0;
	item->more = NULL;
}

/* ask - put the item on the list if it is ready now; with a request, leave watchers first. Needs the epoll's lock. */
static void ask(struct epoll_item *item, struct poll_request *r)
{
	struct epoll *ep = item->ep;

	if (!epoll_item_poll(item, r))
		return;
	epoll_queue_item(item, false);
	waitq_wake(&ep->queue, 1);
	waitq_wake(&ep->watchers, 1);
}

/* remove_item - needs the epoll's lock. */
static void remove_item(struct epoll_item *item)
{
	struct epoll *ep = item->ep;

	remove_watchers(item);
	epoll_drop_item(item);
	mutex_lock_nested(&epoll_graph_lock);
	rb_erase(&ep->items, &item->node, NULL);
	list_del(&item->file_link);
	ep->nr_nested -= file_is_epoll(item->file);
	mutex_unlock(&epoll_graph_lock);
	slab_free(item_cache, item);
}

/* --- changing ---------------------------------------------------------------------------------------- */

static int add_item(struct epoll *ep, struct file *f, int fd, const struct uapi_epoll_event *event)
{
	struct epoll_item *item = slab_alloc(item_cache, PA_ZERO);
	struct registration r = {.request = {add_watcher, ~0u}, .item = item};
	int err = 0;

	if (!item)
		return -ENOMEM;
	item->ep = ep;
	item->file = f;
	item->fd = fd;
	item->events = event->events | POLL_ALWAYS;
	item->data = event->data;
	list_init(&item->file_link);
	list_init(&item->ready);
	mutex_lock_nested(&epoll_graph_lock);
	if (file_is_epoll(f))
		err = epoll_check_nesting(ep, f);
	if (!err)
		link_item(ep, item);
	mutex_unlock(&epoll_graph_lock);
	if (err) {
		slab_free(item_cache, item);
		return err;
	}
	/* For all events: what is asked for may change later. */
	ask(item, &r.request);
	if (r.out_of_memory)
		remove_item(item);
	return r.out_of_memory ? -ENOMEM : 0;
}

/* What is on the list already stays there until somebody takes it and asks. */
static int modify_item(struct epoll_item *item, const struct uapi_epoll_event *event)
{
	if (item->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	item->data = event->data;
	WRITE_ONCE(item->events, event->events | POLL_ALWAYS);
	smp_mb(); /* who makes it ready now either sees that we care, or is seen */
	ask(item, NULL);
	return 0;
}

static int change(struct epoll *ep, int op, struct file *f, int fd,
		  const struct uapi_epoll_event *event)
{
	struct epoll_item *item = find(ep, f, fd);

	switch (op) {
	case EPOLL_CTL_ADD:
		return item ? -EEXIST : add_item(ep, f, fd, event);
	case EPOLL_CTL_MOD:
		return item ? modify_item(item, event) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (item)
			remove_item(item);
		return item ? 0 : -ENOENT;
	default:
		return -EINVAL;
	}
}

static int check_change(const struct file *ep, int op, const struct file *f, u32 events)
{
	if (!f->ops->poll)
		return -EPERM; /* always ready: nothing to watch */
	if (ep == f || !file_is_epoll(ep))
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (events & EPOLLEXCLUSIVE) &&
	    (op == EPOLL_CTL_MOD || file_is_epoll(f) || (events & ~EXCLUSIVE_EVENTS)))
		return -EINVAL;
	return 0;
}

static int change_files(struct file *epf, int op, struct file *f, int fd,
			const struct uapi_epoll_event *event)
{
	struct epoll *ep = epf->private_data;
	int err = check_change(epf, op, f, event->events);

	if (err)
		return err;
	mutex_lock(&ep->lock);
	err = change(ep, op, f, fd, event);
	mutex_unlock(&ep->lock);
	return err;
}

long sys_epoll_ctl(int epfd, int op, int fd, vaddr_t uevent)
{
	struct uapi_epoll_event event = {0};
	struct file *ep, *f;
	long err = -EBADF;

	if (op != EPOLL_CTL_DEL && copy_from_user(&event, uevent, sizeof(event)))
		return -EFAULT;
	ep = fd_get(epfd);
	if (!ep)
		return -EBADF;
	f = fd_get(fd);
	if (f) {
		err = change_files(ep, op, f, fd, &event);
		file_put(f);
	}
	file_put(ep);
	return err;
}

/* --- beginning and end ------------------------------------------------------------------------------- */

/* first_watching - the epoll of some item of the file, with a reference; NULL: none any more. */
static struct epoll *first_watching(struct file *f)
{
	struct epoll *ep = NULL;

	mutex_lock(&epoll_graph_lock);
	if (!list_empty(&f->epoll_items)) {
		ep = list_first(&f->epoll_items, struct epoll_item, file_link)->ep;
		refcount_get(&ep->refs);
	}
	mutex_unlock(&epoll_graph_lock);
	return ep;
}

/* item_of - an item for the file in this epoll, which is locked; NULL: none. */
static struct epoll_item *item_of(struct epoll *ep, struct file *f)
{
	struct epoll_item *item, *found = NULL;

	mutex_lock_nested(&epoll_graph_lock);
	list_for_each (item, &f->epoll_items, file_link)
		if (item->ep == ep)
			found = item;
	mutex_unlock(&epoll_graph_lock);
	return found;
}

/* Nobody can add items for the file any more. The lock of an epoll comes before that of the graph, so an epoll is
 * found, locked, and looked at again: it may be going away itself. */
void epoll_forget_file(struct file *f)
{
	struct epoll_item *item;
	struct epoll *ep;

	while ((ep = first_watching(f))) {
		mutex_lock(&ep->lock);
		while ((item = item_of(ep, f)))
			remove_item(item);
		mutex_unlock(&ep->lock);
		epoll_put(ep);
	}
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->private_data;
	struct rb_node *n;

	mutex_lock(&ep->lock);
	while ((n = rb_first(&ep->items)))
		remove_item(rb_entry(n, struct epoll_item, node));
	mutex_unlock(&ep->lock);
	epoll_put(ep);
}

const struct file_ops epoll_file_ops = {
	.poll = epoll_poll,
	.release = epoll_release,
	.seek = anon_file_seek,
	.is_stream = true,
};

long sys_epoll_create1(int flags)
{
	struct epoll *ep;
	struct file *f;
	int fd;

	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	ep = kmalloc(sizeof(*ep), PA_ZERO);
	if (!ep)
		return -ENOMEM;
	refcount_init(&ep->refs);
	mutex_init(&ep->lock, RANK_EPOLL);
	waitq_init(&ep->queue);
	waitq_init(&ep->watchers);
	list_init(&ep->ready);
	fd = anon_file_create("[eventpoll]", &epoll_file_ops, ep, O_RDWR, &f);
	if (fd) {
		kfree(ep);
		return fd;
	}
	ep->file = f;
	fd = fd_install(f, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}
