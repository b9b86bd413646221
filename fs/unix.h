/* SPDX-License-Identifier: MIT */
/*
 * unix.h - sockets of the UNIX family.
 *
 * A message lies in the queue of the socket it was sent to until it is received. It counts against the
 * send buffer of the socket that sent it, on which it holds a reference. A connected pair hold references on
 * each other; closing one lets go of both.
 *
 * Locks: unix_names_lock (outer) for what names lead to, connecting and closing; then a socket's own mutex. Of two
 * sockets only one is ever locked. User memory may be touched under a socket's lock.
 *
 * Keys: [l] the socket's lock; [a] changed under it, read without; [n] unix_names_lock; [i] immutable.
 *
 * Read next: unix.c (connections), unix_names.c, unix_msg.c (data), unix_rights.c (descriptors in messages).
 */
#pragma once

#include <quire/types.h>
#include <uapi/socket.h>
#include "fs/vfs.h"
#include "kernel/lock.h"
#include "kernel/wait.h"
#include "lib/list.h"

struct file;
struct poll_request;
struct uio;

#define UNIX_BUF_DEFAULT 212992 /* bytes; as on Linux */
#define UNIX_OVERHEAD    512    /* what a message counts for besides its data */

enum unix_state { UNIX_IDLE, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_name {
	u32 len; /* of addr, 0: none */
	struct uapi_sockaddr_un addr;
	struct dentry *dentry; /* NULL: abstract */
};

struct unix_sock {
	struct inode inode;     /* its references are the socket's */
	struct mutex lock;      /* RANK_INODE */
	u32 type;               /* [i] SOCK_* */
	u32 state;              /* [a] enum unix_state */
	struct file *file;      /* [a] NULL: not accepted yet, or closed. No reference */
	struct unix_sock *peer; /* [l] referenced; datagrams: where send goes */
	bool no_read, no_write; /* [a] shut down, by either side */
	bool pass_cred;         /* [a] */
	bool reuse;             /* [a] SO_REUSEADDR: stored, without effect */
	int error;              /* [a] for SO_ERROR and the next call */
	struct uapi_ucred owner, peer_owner; /* [l] who made it, or called listen; who connected */
	u64 send_timeout, recv_timeout;      /* [a] ns, 0: none */

	struct list_head queue; /* [l] messages to be received */
	u64 queued;             /* [a] bytes in them */
	u32 nr_queued;          /* [a] messages */
	u64 sent;               /* [a] what our own messages count for that nobody has received */
	u64 send_max, recv_max; /* [a] bytes */

	struct list_head pending; /* [l] listening: connections not yet accepted, by pending_link */
	struct list_head pending_link;
	u32 nr_pending, backlog; /* [a] */

	struct unix_name name;      /* [n], read with it or by the owner */
	struct list_head name_link; /* [n] in the list of abstract names */

	u32 in_flight;             /* [rights lock] how often its file is in a message */
	bool reached;              /* [rights lock] by the collector */
	struct list_head all_link; /* [rights lock] */

	struct waitq readable, writable;
};

struct unix_message {
	struct list_head link;
	struct unix_sock *sender; /* referenced */
	struct uapi_ucred cred;
	size_t len, offset; /* bytes; how many were received already (streams) */
	struct file **files;
	u32 nr_files;
	char data[];
};

extern struct mutex unix_names_lock;
extern const struct file_ops unix_file_ops;

/* --- unix.c ------------------------------------------------------------------------------------------- */

static inline struct unix_sock *unix_of_inode(struct inode *inode)
{
	return container_of(inode, struct unix_sock, inode);
}

static inline void unix_get(struct unix_sock *s)
{
	inode_get(&s->inode);
}

static inline void unix_put(struct unix_sock *s)
{
	inode_put(&s->inode);
}

void unix_init(void); /* boot */
/* unix_create - a socket of its own with one reference. type: SOCK_STREAM, DGRAM, SEQPACKET. NULL: memory. */
struct unix_sock *unix_create(u32 type);
/* unix_open - an open file for a socket, whose reference passes when it succeeds. */
int unix_open(struct unix_sock *, u32 flags, struct file **out);
/* unix_close - everything that refers to or is referred to by it ends; the struct goes with its last reference. */
void unix_close(struct unix_sock *);
void unix_pair(struct unix_sock *, struct unix_sock *); /* connect two new ones */
int unix_bind(struct unix_sock *, const struct uapi_sockaddr_un *, u32 len);
int unix_listen(struct unix_sock *, int backlog);
int unix_connect(struct unix_sock *, const struct uapi_sockaddr_un *, u32 len, bool nonblock);
/* unix_accept - a connected socket with a reference. */
int unix_accept(struct unix_sock *, bool nonblock, struct unix_sock **out);
int unix_shutdown(struct unix_sock *, int how);
/* unix_find - the socket an address means, with a reference. -ECONNREFUSED -ENOENT -EACCES -EPROTOTYPE .. */
int unix_find(const struct uapi_sockaddr_un *, u32 len, u32 type, struct unix_sock **out);
/* unix_peer - with a reference; NULL: none. */
struct unix_sock *unix_peer(struct unix_sock *);
/* unix_forget_name - it has none any more, and nobody finds it by one. */
void unix_forget_name(struct unix_sock *);
/* unix_copy_name - its address; the length. */
u32 unix_copy_name(struct unix_sock *, struct uapi_sockaddr_un *out);
/* unix_take_error - what is reported once. */
int unix_take_error(struct unix_sock *);
/* unix_current_cred - the caller as others see it. */
struct uapi_ucred unix_current_cred(void);
/* unix_deadline - for wait_event_deadline: a timeout from now on. */
u64 unix_deadline(u64 timeout_ns);
/* unix_wait_error - what an interrupted or expired wait is for the caller. */
int unix_wait_error(int err, u64 timeout_ns);

/* --- unix_msg.c --------------------------------------------------------------------------------------- */

/* One send or receive. */
struct unix_call {
	struct uio *uio;
	u32 flags;                         /* MSG_* */
	const struct uapi_sockaddr_un *to; /* send: NULL: the peer */
	u32 to_len;
	struct uapi_ucred cred; /* send: checked; receive: filled in */
	struct file *
		*files; /* send: references that pass, unless nothing is sent; receive: filled in */
	u32 nr_files;
	struct uapi_sockaddr_un from; /* receive */
	u32 from_len;
	u32 out_flags; /* receive: MSG_TRUNC, MSG_EOR .. */
	bool has_cred; /* receive */
};

ssize_t unix_send(struct unix_sock *, struct unix_call *);
ssize_t unix_receive(struct unix_sock *, struct unix_call *);
/* unix_message_free - with whatever it carries. No lock held. */
void unix_message_free(struct unix_message *);
u32 unix_poll(struct file *, struct poll_request *);

/* --- unix_rights.c ------------------------------------------------------------------------------------ */

void unix_rights_init(void); /* boot */
/* unix_rights_add, _remove - a socket exists, exists no more. */
void unix_rights_add(struct unix_sock *);
void unix_rights_remove(struct unix_sock *);
/* unix_rights_queue - put a message that carries files into a queue, whose lock is held; _unqueue takes it out. */
void unix_rights_begin(void);
void unix_rights_end(void);
void unix_rights_count(const struct unix_message *, int change); /* between begin and end */
/* unix_rights_put - let go of files that were in a message. May be called while another message's files are being let
 * go of: no recursion. No lock held. */
void unix_rights_put(struct file **files, u32 nr);
/* unix_rights_collect - look for sockets that only messages of each other refer to, and empty their queues. */
void unix_rights_collect(void);
