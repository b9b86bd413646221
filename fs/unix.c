/* SPDX-License-Identifier: MIT */
/*
 * unix.c - UNIX sockets: how two of them come together, and what closing one means for the other.
 */
#include "fs/unix.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/termios.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define SOCKET_DEV 0x0d

struct mutex unix_names_lock;

void unix_init(void)
{
	mutex_init(&unix_names_lock, RANK_NAMES);
	unix_rights_init();
}

/* --- small things ------------------------------------------------------------------------------------ */

struct uapi_ucred unix_current_cred(void)
{
	const struct cred *c = cred_now();

	return (struct uapi_ucred){user_pid(current_process), c->euid, c->egid};
}

u64 unix_deadline(u64 timeout_ns)
{
	return timeout_ns ? time_deadline_after(timeout_ns) : 0;
}

int unix_wait_error(int err, u64 timeout_ns)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return timeout_ns ? -EINTR : -RESTART_SYS;
}

int unix_take_error(struct unix_sock *s)
{
	return atomic_load(&s->error) ? atomic_xchg(&s->error, 0) : 0;
}

struct unix_sock *unix_peer(struct unix_sock *s)
{
	struct unix_sock *peer;

	mutex_lock(&s->lock);
	peer = s->peer;
	if (peer)
		unix_get(peer);
	mutex_unlock(&s->lock);
	return peer;
}

/* set_peer - takes over the reference on peer; gives the old one. */
static struct unix_sock *set_peer(struct unix_sock *s, struct unix_sock *peer)
{
	struct unix_sock *old;

	mutex_lock(&s->lock);
	old = s->peer;
	s->peer = peer;
	mutex_unlock(&s->lock);
	return old;
}

static void wake_both(struct unix_sock *s)
{
	waitq_wake_all(&s->readable);
	waitq_wake_all(&s->writable);
}

/* --- birth and death --------------------------------------------------------------------------------- */

static void free_socket(struct inode *inode)
{
	struct unix_sock *s = unix_of_inode(inode);

	assert(list_empty(&s->queue) && list_empty(&s->pending) && !s->peer);
	unix_rights_remove(s);
	kfree(s);
}

static const struct inode_ops socket_inode_ops = {.free = free_socket};

struct unix_sock *unix_create(u32 type)
{
	struct unix_sock *s = kmalloc(sizeof(*s), PA_ZERO);

	if (!s)
		return NULL;
	inode_init(&s->inode, S_IFSOCK | 0777, &socket_inode_ops, NULL);
	s->inode.dev = SOCKET_DEV;
	s->inode.uid = cred_now()->fsuid;
	s->inode.gid = cred_now()->fsgid;
	mutex_init(&s->lock, RANK_INODE);
	s->type = type;
	s->send_max = s->recv_max = UNIX_BUF_DEFAULT;
	s->owner = unix_current_cred();
	list_init(&s->queue);
	list_init(&s->pending);
	list_init(&s->pending_link);
	list_init(&s->name_link);
	list_init(&s->all_link);
	waitq_init(&s->readable);
	waitq_init(&s->writable);
	unix_rights_add(s);
	return s;
}

int unix_open(struct unix_sock *s, u32 flags, struct file **out)
{
	int err = file_alloc(&s->inode, &unix_file_ops, O_RDWR | (flags & O_NONBLOCK), out);

	if (err)
		return err;
	(*out)->private_data = s;
	atomic_store(&s->file, *out);
	unix_put(s); /* the file's inode is the same reference */
	return 0;
}

/* take_queue - all messages, to be freed with no lock held. */
static bool take_queue(struct unix_sock *s, struct list_head *out)
{
	struct unix_message *m;

	unix_rights_begin();
	mutex_lock(&s->lock);
	list_for_each (m, &s->queue, link)
		unix_rights_count(m, -1);
	list_splice_tail(&s->queue, out);
	s->queued = s->nr_queued = 0;
	mutex_unlock(&s->lock);
	unix_rights_end();
	return !list_empty(out);
}

static void free_messages(struct list_head *list)
{
	struct unix_message *m, *next;

	list_for_each_safe (m, next, list, link) {
		list_del(&m->link);
		unix_message_free(m);
	}
}

/* hang_up - the other side learns that s is gone. lost: data it sent was never received. */
static void hang_up(struct unix_sock *s, bool lost)
{
	struct unix_sock *peer = set_peer(s, NULL), *back = NULL;

	if (!peer)
		return;
	if (s->type != SOCK_DGRAM) {
		atomic_store(&peer->no_read, true);
		atomic_store(&peer->no_write, true);
		if (lost)
			atomic_store(&peer->error, ECONNRESET);
		mutex_lock(&peer->lock);
		if (peer->peer == s) {
			back = peer->peer;
			peer->peer = NULL;
		}
		mutex_unlock(&peer->lock);
	}
	wake_both(peer);
	if (back)
		unix_put(back);
	unix_put(peer);
}

void unix_close(struct unix_sock *s)
{
	struct list_head messages = LIST_INIT(messages), pending = LIST_INIT(pending);
	struct unix_sock *n, *next;
	bool lost, accepted;

	unix_forget_name(s);
	accepted = atomic_xchg(&s->file, NULL);
	atomic_store(&s->no_read, true);
	atomic_store(&s->no_write, true);
	mutex_lock(&s->lock);
	list_splice_tail(&s->pending, &pending);
	s->nr_pending = 0;
	s->state = UNIX_IDLE;
	mutex_unlock(&s->lock);
	lost = take_queue(s, &messages) || !accepted;
	wake_both(s); /* those who wait to connect */
	hang_up(s, lost);
	free_messages(&messages);
	list_for_each_safe (n, next, &pending, pending_link) {
		list_del(&n->pending_link);
		unix_close(n);
		unix_put(n);
	}
}

static void unix_release(struct file *f)
{
	struct unix_sock *s = f->private_data;

	if (!s)
		return;
	unix_close(s);
	unix_rights_collect();
}

/* --- connections ------------------------------------------------------------------------------------- */

/* join - make a and b each other's peer. Nobody else uses b yet, and a is ours to connect. */
static void join(struct unix_sock *a, struct unix_sock *b)
{
	unix_get(a);
	unix_get(b);
	b->peer = a;
	mutex_lock(&a->lock);
	a->peer = b;
	mutex_unlock(&a->lock);
	atomic_store(&b->state, UNIX_CONNECTED);
	atomic_store(&a->state, UNIX_CONNECTED);
}

void unix_pair(struct unix_sock *a, struct unix_sock *b)
{
	join(a, b);
	a->peer_owner = b->owner;
	b->peer_owner = a->owner;
}

int unix_listen(struct unix_sock *s, int backlog)
{
	u32 most = backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : (u32)backlog;
	int err = 0;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!s->name.len)
		return -EINVAL;
	mutex_lock(&s->lock);
	if (s->state == UNIX_CONNECTED) {
		err = -EINVAL;
	} else {
		atomic_store(&s->backlog, most);
		atomic_store(&s->state, UNIX_LISTENING);
		s->owner = unix_current_cred();
	}
	mutex_unlock(&s->lock);
	if (!err)
		waitq_wake_all(&s->writable);
	return err;
}

static bool is_listening(const struct unix_sock *s)
{
	return atomic_load(&s->state) == UNIX_LISTENING && !atomic_load(&s->no_read);
}

static bool accepts(const struct unix_sock *s)
{
	return atomic_load(&s->nr_pending) <= atomic_load(&s->backlog);
}

/* offer - put the server's new end into the queue of the listener. -EAGAIN: it is full. */
static int offer(struct unix_sock *listener, struct unix_sock *s, struct unix_sock *end)
{
	int err = 0;

	mutex_lock(&listener->lock);
	if (!is_listening(listener)) {
		err = -ECONNREFUSED;
	} else if (!accepts(listener)) {
		err = -EAGAIN;
	} else {
		s->peer_owner = listener->owner;
		list_add_tail(&end->pending_link, &listener->pending);
		atomic_store(&listener->nr_pending, listener->nr_pending + 1);
	}
	mutex_unlock(&listener->lock);
	return err;
}

/* undo - the server's end was made in vain. What another thread has sent to it meanwhile is lost, and what it is about
 * to send finds it closed. */
static void undo(struct unix_sock *s, struct unix_sock *end)
{
	struct unix_sock *a = set_peer(s, NULL), *b = set_peer(end, NULL);

	atomic_store(&s->state, UNIX_IDLE);
	if (a)
		unix_put(a);
	if (b)
		unix_put(b);
	unix_close(end);
	unix_put(end);
}

/* connect_to - one try. The end is complete before anybody can find it. */
static int connect_to(struct unix_sock *s, struct unix_sock *listener)
{
	struct unix_sock *end = unix_create(s->type);
	int err;

	if (!end)
		return -ENOMEM;
	end->owner = listener->owner;
	end->peer_owner = unix_current_cred();
	mutex_lock(&unix_names_lock);
	end->name.len = listener->name.len;
	end->name.addr = listener->name.addr;
	err = atomic_load(&s->state) == UNIX_IDLE ? 0 : -EISCONN;
	if (!err)
		join(s, end);
	mutex_unlock(&unix_names_lock);
	if (err) {
		unix_put(end);
		return err;
	}
	err = offer(listener, s, end);
	if (err)
		undo(s, end);
	else
		waitq_wake_all(&listener->readable);
	return err;
}

static int connect_stream(struct unix_sock *s, struct unix_sock *listener, bool nonblock)
{
	u64 timeout = atomic_load(&s->send_timeout), deadline = unix_deadline(timeout);
	int err;

	for (;;) {
		err = connect_to(s, listener);
		if (err != -EAGAIN || nonblock)
			return err;
		err = wait_event_deadline(&listener->writable,
					  accepts(listener) || !is_listening(listener),
					  WAIT_INTERRUPTIBLE, deadline);
		if (err)
			return unix_wait_error(err, timeout);
	}
}

/* connect_datagrams - where send goes from now on; AF_UNSPEC: nowhere. */
static int connect_datagrams(struct unix_sock *s, struct unix_sock *to)
{
	struct unix_sock *old = set_peer(s, to);

	atomic_store(&s->state, to ? UNIX_CONNECTED : UNIX_IDLE);
	if (old)
		unix_put(old);
	return 0;
}

int unix_connect(struct unix_sock *s, const struct uapi_sockaddr_un *addr, u32 len, bool nonblock)
{
	struct unix_sock *to;
	int err;

	if (len < sizeof(addr->sun_family))
		return -EINVAL;
	if (addr->sun_family == AF_UNSPEC && s->type == SOCK_DGRAM)
		return connect_datagrams(s, NULL);
	if (s->type != SOCK_DGRAM && atomic_load(&s->state) != UNIX_IDLE)
		return atomic_load(&s->state) == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	err = unix_find(addr, len, s->type, &to);
	if (err)
		return err;
	if (s->type == SOCK_DGRAM)
		return connect_datagrams(s, to);
	err = connect_stream(s, to, nonblock);
	unix_put(to);
	return err;
}

static struct unix_sock *take_pending(struct unix_sock *s)
{
	struct unix_sock *end;

	unix_rights_begin(); /* the collector finds it on one side or the other */
	mutex_lock(&s->lock);
	end = list_first(&s->pending, struct unix_sock, pending_link);
	if (end) {
		list_del(&end->pending_link);
		atomic_store(&s->nr_pending, s->nr_pending - 1);
	}
	mutex_unlock(&s->lock);
	unix_rights_end();
	if (end)
		waitq_wake_all(&s->writable);
	return end;
}

int unix_accept(struct unix_sock *s, bool nonblock, struct unix_sock **out)
{
	u64 timeout = atomic_load(&s->recv_timeout), deadline = unix_deadline(timeout);
	int err;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	for (;;) {
		if (atomic_load(&s->state) != UNIX_LISTENING || atomic_load(&s->no_read))
			return -EINVAL;
		*out = take_pending(s);
		if (*out)
			return 0;
		if (nonblock)
			return -EAGAIN;
		err = wait_event_deadline(&s->readable,
					  atomic_load(&s->nr_pending) || atomic_load(&s->no_read),
					  WAIT_INTERRUPTIBLE, deadline);
		if (err)
			return unix_wait_error(err, timeout);
	}
}

int unix_shutdown(struct unix_sock *s, int how)
{
	struct unix_sock *peer;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	peer = unix_peer(s);
	if (how != SHUT_WR)
		atomic_store(&s->no_read, true);
	if (how != SHUT_RD)
		atomic_store(&s->no_write, true);
	wake_both(s);
	if (!peer)
		return 0;
	if (s->type != SOCK_DGRAM) {
		if (how != SHUT_WR)
			atomic_store(&peer->no_write, true);
		if (how != SHUT_RD)
			atomic_store(&peer->no_read, true);
		wake_both(peer);
	}
	unix_put(peer);
	return 0;
}

/* --- as a file --------------------------------------------------------------------------------------- */

static ssize_t unix_file_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct unix_call c = {.uio = uio, .flags = f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0};
	ssize_t n;

	(void)pos;
	if (!uio->left)
		return 0;
	n = unix_receive(f->private_data, &c);
	unix_rights_put(c.files, c.nr_files); /* nobody asked for them */
	kfree(c.files);
	return n;
}

static ssize_t unix_file_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct unix_call c = {
		.uio = uio,
		.flags = f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0,
		.cred = unix_current_cred(),
	};

	(void)pos;
	return unix_send(f->private_data, &c);
}

/* readable_bytes - of datagrams only the next one. */
static u64 readable_bytes(struct unix_sock *s)
{
	struct unix_message *m;
	u64 n;

	mutex_lock(&s->lock);
	m = list_first(&s->queue, struct unix_message, link);
	n = s->type != SOCK_DGRAM ? s->queued : m ? m->len : 0;
	mutex_unlock(&s->lock);
	return n;
}

static long unix_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	struct unix_sock *s = f->private_data;

	switch (cmd) {
	case FIONREAD:
		if (atomic_load(&s->state) == UNIX_LISTENING)
			return -EINVAL;
		return put_user_u32(arg, (u32)readable_bytes(s));
	case TIOCOUTQ:
		return put_user_u32(arg, (u32)atomic_load(&s->sent));
	default:
		return -ENOTTY;
	}
}

const struct file_ops unix_file_ops = {
	.read = unix_file_read,
	.write = unix_file_write,
	.ioctl = unix_ioctl,
	.poll = unix_poll,
	.release = unix_release,
	.is_stream = true,
};
