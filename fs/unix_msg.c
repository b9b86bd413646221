/* SPDX-License-Identifier: MIT */
/*
 * unix_msg.c - data between UNIX sockets.
 *
 * A stream is messages as well, of up to STREAM_PIECE bytes, of which a reader may take a part. A message is
 * built without any lock and put into the receiver's queue whole.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "fs/unix.h"
#include "kernel/process.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define STREAM_PIECE KIB(16)

static bool is_stream(const struct unix_sock *s)
{
	return s->type == SOCK_STREAM;
}

static u64 charge(const struct unix_message *m)
{
	return m->len + UNIX_OVERHEAD;
}

/* --- messages ---------------------------------------------------------------------------------------- */

static struct unix_message *message_create(struct unix_sock *sender, size_t len)
{
	struct unix_message *m = kmalloc(sizeof(*m) + len, 0);

	if (!m)
		return NULL;
	*m = (struct unix_message){.sender = sender, .len = len};
	list_init(&m->link);
	unix_get(sender);
	atomic_add(&sender->sent, charge(m));
	return m;
}

/* give_room - the sender has its space back. */
static void give_room(struct unix_message *m)
{
	struct unix_sock *s = m->sender;

	atomic_sub(&s->sent, charge(m));
	waitq_wake_all(&s->writable);
	unix_put(s);
	kfree(m);
}

/* Messages that carry files are freed one after the other, whoever asks: a file may be a socket whose queue
 * holds such messages in its turn, and so on. */
static struct spinlock dead_lock = SPINLOCK_INIT(RANK_PROCESS);
static struct list_head dead = LIST_INIT(dead); /* [dead_lock] */
static bool burying;                            /* [dead_lock] */

static struct unix_message *next_dead(void)
{
	struct unix_message *m;

	spin_lock(&dead_lock);
	m = list_first(&dead, struct unix_message, link);
	if (m)
		list_del(&m->link);
	else
		burying = false;
	spin_unlock(&dead_lock);
	return m;
}

void unix_message_free(struct unix_message *m)
{
	bool mine;

	if (!m->nr_files) {
		give_room(m);
		return;
	}
	spin_lock(&dead_lock);
	list_add_tail(&m->link, &dead);
	mine = !burying;
	burying = true;
	spin_unlock(&dead_lock);
	while (mine && (m = next_dead())) {
		unix_rights_put(m->files, m->nr_files);
		kfree(m->files);
		give_room(m);
	}
}

/* --- sending ----------------------------------------------------------------------------------------- */

static bool has_room(const struct unix_sock *s)
{
	return atomic_load(&s->sent) < atomic_load(&s->send_max);
}

/* wait_for_room - 0, -EAGAIN, -EPIPE, an error that came up, or why the wait ended. */
static int wait_for_room(struct unix_sock *s, u32 flags)
{
	u64 timeout = atomic_load(&s->send_timeout);
	int err;

	if (atomic_load(&s->no_write))
		return -EPIPE;
	err = unix_take_error(s);
	if (err)
		return -err;
	if (has_room(s))
		return 0;
	if (flags & MSG_DONTWAIT)
		return -EAGAIN;
	err = wait_event_deadline(&s->writable, has_room(s) || atomic_load(&s->no_write),
				  WAIT_INTERRUPTIBLE, unix_deadline(timeout));
	if (err)
		return unix_wait_error(err, timeout);
	return atomic_load(&s->no_write) ? -EPIPE : 0;
}

/* make_message - the next len bytes of the call. The files go with the first one. */
static int make_message(struct unix_sock *s, struct unix_call *c, size_t len,
			struct unix_message **out)
{
	struct unix_message *m = message_create(s, len);

	if (!m)
		return -ENOMEM;
	if (uio_get(c->uio, m->data, len) != len) {
		unix_message_free(m);
		return -EFAULT;
	}
	m->cred = c->cred;
	*out = m;
	return 0;
}

/* may_receive - is there somebody at the other end who wants it? Its lock held. */
static int may_receive(const struct unix_sock *s, const struct unix_sock *to)
{
	if (s->type != SOCK_DGRAM)
		return atomic_load(&to->no_read) ? -EPIPE : 0;
	if (!atomic_load(&to->file))
		return -ECONNREFUSED;
	if (to->peer && to->peer != s)
		return -EPERM;
	return atomic_load(&to->no_read) ? -EPIPE : 0;
}

/* deliver - the message passes when it succeeds, and with it the files. */
static int deliver(struct unix_sock *s, struct unix_sock *to, struct unix_message *m,
		   struct unix_call *c)
{
	bool files = c->nr_files;
	int err;

	if (files)
		unix_rights_begin();
	mutex_lock(&to->lock);
	err = may_receive(s, to);
	if (!err) {
		m->files = c->files;
		m->nr_files = c->nr_files;
		c->files = NULL;
		c->nr_files = 0;
		list_add_tail(&m->link, &to->queue);
		atomic_store(&to->queued, to->queued + m->len);
		atomic_store(&to->nr_queued, to->nr_queued + 1);
		if (files)
			unix_rights_count(m, 1);
	}
	mutex_unlock(&to->lock);
	if (files)
		unix_rights_end();
	if (!err)
		waitq_wake_all(&to->readable);
	return err;
}

static int send_piece(struct unix_sock *s, struct unix_sock *to, struct unix_call *c, size_t len)
{
	struct unix_message *m;
	int err = wait_for_room(s, c->flags);

	if (!err)
		err = make_message(s, c, len, &m);
	if (err)
		return err;
	err = deliver(s, to, m, c);
	if (err)
		unix_message_free(m);
	return err;
}

static ssize_t send_stream(struct unix_sock *s, struct unix_call *c)
{
	struct unix_sock *to = unix_peer(s);
	u64 total = c->uio->left;
	int err = 0;

	if (!to)
		err = atomic_load(&s->no_write) ? -EPIPE : -ENOTCONN;
	while (!err && c->uio->left)
		err = send_piece(s, to, c, MIN(c->uio->left, STREAM_PIECE));
	if (to)
		unix_put(to);
	if (c->uio->left < total)
		return (ssize_t)(total - c->uio->left);
	if (err == -EPIPE && !(c->flags & MSG_NOSIGNAL))
		signal_send_self(SIGPIPE);
	return err;
}

/* receiver_of - where a datagram goes, with a reference. */
static int receiver_of(struct unix_sock *s, const struct unix_call *c, struct unix_sock **out)
{
	if (c->to && s->type == SOCK_DGRAM)
		return unix_find(c->to, c->to_len, s->type, out);
	*out = unix_peer(s);
	if (*out)
		return 0;
	return atomic_load(&s->no_write) ? -EPIPE : -ENOTCONN;
}

static ssize_t send_whole(struct unix_sock *s, struct unix_call *c)
{
	size_t len = c->uio->left;
	struct unix_sock *to;
	int err;

	if (len > atomic_load(&s->send_max) - 32)
		return -EMSGSIZE;
	err = receiver_of(s, c, &to);
	if (err)
		return err;
	err = send_piece(s, to, c, len);
	unix_put(to);
	return err ? err : (ssize_t)len;
}

ssize_t unix_send(struct unix_sock *s, struct unix_call *c)
{
	if (c->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!is_stream(s))
		return send_whole(s, c);
	if (c->to)
		return atomic_load(&s->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	return send_stream(s, c);
}

/* --- receiving --------------------------------------------------------------------------------------- */

/* wait_for_message - 0: look again; 1: nothing will come; or why not. */
static int wait_for_message(struct unix_sock *s, u32 flags, u64 deadline)
{
	int err = unix_take_error(s);

	if (err)
		return -err;
	if (atomic_load(&s->no_read))
		return 1;
	if (flags & MSG_DONTWAIT)
		return -EAGAIN;
	err = wait_event_deadline(&s->readable,
				  atomic_load(&s->nr_queued) || atomic_load(&s->no_read) ||
					  atomic_load(&s->error),
				  WAIT_INTERRUPTIBLE, deadline);
	return err ? unix_wait_error(err, atomic_load(&s->recv_timeout)) : 0;
}

/* share_files - a copy of the list for who only looks. Without memory there are none. */
static void share_files(const struct unix_message *m, struct unix_call *c)
{
	c->files = kmalloc(m->nr_files * sizeof(*c->files), 0);
	if (!c->files)
		return;
	c->nr_files = m->nr_files;
	for (u32 i = 0; i < m->nr_files; i++) {
		c->files[i] = m->files[i];
		file_get(m->files[i]);
	}
}

/* take_files - of the first message; they go to the caller. Between rights_begin and end, and the socket's lock held. */
static void take_files(struct unix_message *m, struct unix_call *c)
{
	if (c->flags & MSG_PEEK) {
		share_files(m, c);
		return;
	}
	unix_rights_count(m, -1);
	c->files = m->files;
	c->nr_files = m->nr_files;
	m->files = NULL;
	m->nr_files = 0;
}

static void take_sender(struct unix_sock *s, struct unix_call *c, struct unix_message *m)
{
	c->cred = m->cred;
	c->has_cred = atomic_load(&s->pass_cred);
}

/* unlink_message - lock held; the caller frees it without. */
static void unlink_message(struct unix_sock *s, struct unix_message *m)
{
	list_del(&m->link);
	atomic_store(&s->nr_queued, s->nr_queued - 1);
}

/* first_message - with the lock held, and its files taken; NULL: there is none. What is in flight changes under the
 * rights lock, which is outer; once it is let go, the socket's stays, so that nobody else gets the data. */
static struct unix_message *first_message(struct unix_sock *s, struct unix_call *c)
{
	struct unix_message *m;

	mutex_lock(&s->lock);
	m = list_first(&s->queue, struct unix_message, link);
	if (!m || !m->nr_files || c->nr_files)
		return m;
	mutex_unlock(&s->lock);
	unix_rights_begin();
	mutex_lock(&s->lock);
	m = list_first(&s->queue, struct unix_message, link);
	if (m && m->nr_files)
		take_files(m, c);
	unix_rights_end();
	return m;
}

static bool same_cred(const struct unix_call *c, const struct unix_message *m)
{
	return c->cred.pid == m->cred.pid && c->cred.uid == m->cred.uid &&
	       c->cred.gid == m->cred.gid;
}

/* take_piece - from the first message of a stream, whose lock is held. Bytes; 0: what comes next must wait for
 * another call; -EFAULT. *done: the message is used up. */
static ssize_t take_piece(struct unix_sock *s, struct unix_call *c, struct unix_message *m,
			  bool first, bool *done)
{
	size_t n = MIN(c->uio->left, m->len - m->offset), copied;

	*done = false;
	if (first)
		take_sender(s, c, m);
	else if (c->has_cred && !same_cred(c, m))
		return 0;
	copied = uio_put(c->uio, m->data + m->offset, n);
	if (copied < n && !copied)
		return -EFAULT;
	m->offset += copied;
	atomic_store(&s->queued, s->queued - copied);
	*done = m->offset == m->len;
	if (*done)
		unlink_message(s, m);
	return (ssize_t)copied;
}

/* read_stream - one piece. As take_piece; 0 also when there is nothing. */
static ssize_t read_stream(struct unix_sock *s, struct unix_call *c, bool first, bool *more)
{
	bool had_files = c->nr_files, done = false;
	struct unix_message *m = first_message(s, c);
	ssize_t n = m ? take_piece(s, c, m, first, &done) : 0;

	mutex_unlock(&s->lock);
	*more = m && n > 0 && (!c->nr_files || had_files);
	if (!m)
		*more = true; /* there may be some later */
	if (done)
		unix_message_free(m);
	return n;
}

/* peek_stream - what is there now, up to files or another sender's data; nothing is used up. 0: nothing, -EFAULT. */
static ssize_t peek_stream(struct unix_sock *s, struct unix_call *c)
{
	struct unix_message *m = first_message(s, c), *first = m;
	u64 total = c->uio->left;
	size_t n, copied;

	if (!first) {
		mutex_unlock(&s->lock);
		return 0;
	}
	take_sender(s, c, first);
	list_for_each (m, &s->queue, link) {
		if (m != first && (m->nr_files || (c->has_cred && !same_cred(c, m))))
			break;
		n = MIN(c->uio->left, m->len - m->offset);
		copied = uio_put(c->uio, m->data + m->offset, n);
		if (copied < n || !c->uio->left || m->nr_files)
			break;
	}
	mutex_unlock(&s->lock);
	return c->uio->left < total ? (ssize_t)(total - c->uio->left) : -EFAULT;
}

static ssize_t receive_peeking(struct unix_sock *s, struct unix_call *c)
{
	u64 deadline = unix_deadline(atomic_load(&s->recv_timeout));
	ssize_t n;

	while (!(n = peek_stream(s, c))) {
		n = wait_for_message(s, c->flags, deadline);
		if (n)
			return n > 0 ? 0 : n;
	}
	return n;
}

static ssize_t receive_stream(struct unix_sock *s, struct unix_call *c)
{
	u64 deadline = unix_deadline(atomic_load(&s->recv_timeout)), total = c->uio->left;
	ssize_t n = 0;
	bool more = true;

	if (atomic_load(&s->state) != UNIX_CONNECTED)
		return -EINVAL;
	if ((c->flags & MSG_PEEK) && total)
		return receive_peeking(s, c);
	while (c->uio->left && more) {
		bool first = c->uio->left == total;

		n = read_stream(s, c, first, &more);
		if (n < 0)
			break;
		if (n || !more)
			continue;
		if (!first && !(c->flags & MSG_WAITALL))
			break;
		n = wait_for_message(s, c->flags, deadline);
		if (n)
			break;
	}
	if (c->uio->left < total)
		return (ssize_t)(total - c->uio->left);
	return n > 0 ? 0 : n;
}

/* take_whole - one message, as far as it fits. Lock held. */
static ssize_t take_whole(struct unix_sock *s, struct unix_call *c, struct unix_message *m)
{
	size_t n = MIN(c->uio->left, m->len), copied;

	take_sender(s, c, m);
	if (!(c->flags & MSG_PEEK)) {
		unlink_message(s, m);
		atomic_store(&s->queued, s->queued - m->len);
	}
	copied = uio_put(c->uio, m->data, n);
	if (copied < n)
		return -EFAULT;
	if (n < m->len)
		c->out_flags |= MSG_TRUNC;
	return (ssize_t)(c->flags & MSG_TRUNC ? m->len : n);
}

static ssize_t receive_whole(struct unix_sock *s, struct unix_call *c)
{
	u64 deadline = unix_deadline(atomic_load(&s->recv_timeout));
	struct unix_sock *sender = NULL;
	struct unix_message *m;
	ssize_t n;

	if (s->type == SOCK_SEQPACKET && atomic_load(&s->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	while (!(m = first_message(s, c))) {
		mutex_unlock(&s->lock);
		n = wait_for_message(s, c->flags, deadline);
		if (n)
			return n > 0 ? 0 : n;
	}
	n = take_whole(s, c, m);
	if (s->type == SOCK_DGRAM) {
		sender = m->sender;
		unix_get(sender);
	}
	mutex_unlock(&s->lock);
	if (!(c->flags & MSG_PEEK))
		unix_message_free(m);
	if (sender) {
		c->from_len = unix_copy_name(sender, &c->from);
		if (c->from_len <= sizeof(c->from.sun_family))
			c->from_len = 0;
		unix_put(sender);
	}
	return n;
}

ssize_t unix_receive(struct unix_sock *s, struct unix_call *c)
{
	if (c->flags & MSG_OOB)
		return -EOPNOTSUPP;
	return is_stream(s) ? receive_stream(s, c) : receive_whole(s, c);
}

/* --- readiness --------------------------------------------------------------------------------------- */

static bool is_readable(const struct unix_sock *s)
{
	return atomic_load(&s->nr_queued) || atomic_load(&s->nr_pending) ||
	       atomic_load(&s->no_read);
}

u32 unix_poll(struct file *f, struct poll_request *r)
{
	struct unix_sock *s = f->private_data;
	bool no_read, no_write, connected;
	u32 ready = 0;

	poll_wait_for(r, &s->readable, POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLERR);
	poll_wait_for(r, &s->writable, POLLOUT | POLLWRNORM | POLLWRBAND);
	no_read = atomic_load(&s->no_read);
	no_write = atomic_load(&s->no_write);
	connected = s->type == SOCK_DGRAM || atomic_load(&s->state) != UNIX_IDLE;
	if (is_readable(s))
		ready |= POLLIN | POLLRDNORM;
	if (no_read)
		ready |= POLLRDHUP;
	if ((no_read && no_write) || !connected)
		ready |= POLLHUP;
	if (atomic_load(&s->error))
		ready |= POLLERR;
	if (atomic_load(&s->state) != UNIX_LISTENING &&
	    atomic_load(&s->sent) * 4 <= atomic_load(&s->send_max))
		ready |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return ready;
}
