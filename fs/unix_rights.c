/* SPDX-License-Identifier: MIT */
/*
 * unix_rights.c - open files on their way in messages, and sockets that only messages refer to.
 *
 * A socket whose file is in a message stays alive until the message is received. If that message lies in a queue
 * that nobody can ever read again, because the socket it belongs to is itself only in such messages, it
 * would stay for ever. So whenever a socket is closed and there are sockets on their way, the
 * collector looks for those that are reachable: every socket that has references from elsewhere, and what lies
 * in the queues of reachable ones. The queues of the others are emptied.
 *
 * rights_lock guards what is in flight: a message with files enters and leaves a queue under it and the
 * queue's lock. A socket that has no references from elsewhere gets none as long as it is held, because
 * the only way to get one is to receive.
 */
#include <quire/assert.h>
#include "fs/file.h"
#include "fs/unix.h"
#include "kernel/rcu.h"
#include "lib/atomic.h"
#include "lib/refcount.h"

static struct mutex rights_lock;
static struct list_head all_sockets = LIST_INIT(all_sockets);
static u64 nr_in_flight; /* sockets in messages, each as often as it is in one */

void unix_rights_init(void)
{
	mutex_init(&rights_lock, RANK_NAMES);
}

void unix_rights_begin(void)
{
	mutex_lock(&rights_lock);
}

void unix_rights_end(void)
{
	mutex_unlock(&rights_lock);
}

void unix_rights_add(struct unix_sock *s)
{
	mutex_lock(&rights_lock);
	list_add_tail(&s->all_link, &all_sockets);
	mutex_unlock(&rights_lock);
}

void unix_rights_remove(struct unix_sock *s)
{
	mutex_lock(&rights_lock);
	list_del(&s->all_link);
	mutex_unlock(&rights_lock);
}

static struct unix_sock *socket_of(const struct file *f)
{
	return f->ops == &unix_file_ops ? f->private_data : NULL;
}

void unix_rights_count(const struct unix_message *m, int change)
{
	assert_held(&rights_lock);
	for (u32 i = 0; i < m->nr_files; i++) {
		struct unix_sock *s = socket_of(m->files[i]);

		if (!s)
			continue;
		s->in_flight += (u32)change;
		nr_in_flight += (u64)(s64)change;
	}
}

void unix_rights_put(struct file **files, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		file_put(files[i]);
}

/* --- the collector ----------------------------------------------------------------------------------- */

/* has_other_references - besides those from messages. A socket has no file as long as nobody has accepted it: then it
 * is reachable through the one that listens. In an RCU reader: the file may be closed at any time. */
static bool has_other_references(const struct unix_sock *s)
{
	const struct file *f = atomic_load(&s->file);

	if (!f)
		return list_empty(&s->pending_link);
	return !s->in_flight || refcount_read(&f->refs) > s->in_flight;
}

static bool reach(struct unix_sock *s)
{
	if (s->reached)
		return false;
	s->reached = true;
	return true;
}

/* reach_from - what the queue of a reachable socket refers to. True: something new. */
static bool reach_from(struct unix_sock *s)
{
	struct unix_message *m;
	struct unix_sock *other;
	bool any = false;

	mutex_lock(&s->lock);
	list_for_each (m, &s->queue, link)
		for (u32 i = 0; i < m->nr_files; i++) {
			other = socket_of(m->files[i]);
			if (other && reach(other))
				any = true;
		}
	list_for_each (other, &s->pending, pending_link)
		if (reach(other))
			any = true;
	mutex_unlock(&s->lock);
	return any;
}

static void mark(void)
{
	struct unix_sock *s;
	bool any;

	rcu_read_lock();
	list_for_each (s, &all_sockets, all_link)
		s->reached = has_other_references(s);
	rcu_read_unlock();
	do {
		any = false;
		list_for_each (s, &all_sockets, all_link)
			if (s->reached && reach_from(s))
				any = true;
	} while (any);
}

/* sweep - messages with files in queues that nobody will read. */
static void sweep(struct list_head *out)
{
	struct unix_message *m, *next;
	struct unix_sock *s;

	list_for_each (s, &all_sockets, all_link) {
		if (s->reached)
			continue;
		mutex_lock(&s->lock);
		list_for_each_safe (m, next, &s->queue, link) {
			if (!m->nr_files)
				continue;
			unix_rights_count(m, -1);
			s->queued -= m->len - m->offset;
			s->nr_queued--;
			list_move_tail(&m->link, out);
		}
		mutex_unlock(&s->lock);
	}
}

void unix_rights_collect(void)
{
	struct list_head garbage = LIST_INIT(garbage);
	struct unix_message *m, *next;

	mutex_lock(&rights_lock);
	if (nr_in_flight) {
		mark();
		sweep(&garbage);
	}
	mutex_unlock(&rights_lock);
	list_for_each_safe (m, next, &garbage, link) {
		list_del(&m->link);
		unix_message_free(m);
	}
}
