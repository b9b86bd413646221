/* SPDX-License-Identifier: MIT */
/* socket.c - the socket system calls but for those that move data (socket_msg.c). There is one family, UNIX. */
#include "fs/socket.h"

#include <uapi/errno.h>
#include <uapi/time.h>
#include "fs/file.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/string.h"

#define BUF_MIN 4608u   /* bytes: the least that SO_SNDBUF gives */
#define BUF_MAX 425984u /* the most */

/* --- descriptors ------------------------------------------------------------------------------------- */

int socket_get(int fd, struct file **f, struct unix_sock **out)
{
	*f = fd_get(fd);
	if (!*f)
		return -EBADF;
	if ((*f)->ops != &unix_file_ops) {
		file_put(*f);
		return -ENOTSOCK;
	}
	*out = (*f)->private_data;
	return 0;
}

static int check_kind(int domain, int type, int protocol)
{
	if ((type & ~SOCK_TYPE_MASK) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (domain != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	switch (type & SOCK_TYPE_MASK) {
	case SOCK_STREAM:
	case SOCK_SEQPACKET:
	case SOCK_DGRAM:
		return (type & SOCK_TYPE_MASK);
	case SOCK_RAW:
		return SOCK_DGRAM;
	default:
		return -ESOCKTNOSUPPORT;
	}
}

/* open_socket - a socket, whose reference is used up in any case, and its open file. */
static int open_socket(struct unix_sock *s, u32 flags, struct file **out)
{
	int err = s ? unix_open(s, flags, out) : -ENOMEM;

	if (err && s) {
		unix_close(s);
		unix_put(s);
	}
	return err;
}

static long install(struct file *f, u32 flags)
{
	int fd = fd_install(f, 0, flags & SOCK_CLOEXEC);

	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_socket(int domain, int type, int protocol)
{
	int kind = check_kind(domain, type, protocol), err;
	struct file *f;

	if (kind < 0)
		return kind;
	err = open_socket(unix_create((u32)kind), (u32)type, &f);
	return err ? err : install(f, (u32)type);
}

static int make_pair(u32 kind, u32 flags, struct file *f[2])
{
	int err = open_socket(unix_create(kind), flags, &f[0]);

	if (err)
		return err;
	err = open_socket(unix_create(kind), flags, &f[1]);
	if (err)
		file_put(f[0]);
	else
		unix_pair(f[0]->private_data, f[1]->private_data);
	return err;
}

long sys_socketpair(int domain, int type, int protocol, vaddr_t ufds)
{
	int kind = check_kind(domain, type, protocol), fds[2];
	struct file *f[2];
	long err;

	if (kind < 0)
		return kind;
	err = make_pair((u32)kind, (u32)type, f);
	if (err)
		return err;
	fds[0] = (int)install(f[0], (u32)type);
	fds[1] = (int)install(f[1], (u32)type);
	err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : copy_to_user(ufds, fds, sizeof(fds));
	for (int i = 0; err && i < 2; i++)
		if (fds[i] >= 0)
			fd_close(fds[i]);
	return err;
}

/* --- addresses --------------------------------------------------------------------------------------- */

int socket_address_from_user(vaddr_t uaddr, s64 len, struct uapi_sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	if (len < 0 || len > 128)
		return -EINVAL;
	if (len > (s64)sizeof(*out))
		return -EINVAL;
	return len ? copy_from_user(out, uaddr, (size_t)len) : 0;
}

int socket_put_address(const struct uapi_sockaddr_un *addr, u32 n, vaddr_t uaddr)
{
	u32 inside = MIN(n, (u32)sizeof(*addr));
	int err = inside ? copy_to_user(uaddr, addr, inside) : 0;

	return !err && n > inside ? copy_to_user(uaddr + inside, "", 1) : err;
}

int socket_address_to_user(const struct uapi_sockaddr_un *addr, u32 len, vaddr_t uaddr,
			   vaddr_t ulen)
{
	u32 room;

	if (get_user_u32(ulen, &room))
		return -EFAULT;
	if ((s32)room < 0)
		return -EINVAL;
	if (socket_put_address(addr, MIN(room, len), uaddr))
		return -EFAULT;
	return put_user_u32(ulen, len);
}

long sys_bind(int fd, vaddr_t uaddr, int len)
{
	struct uapi_sockaddr_un addr;
	struct unix_sock *s;
	struct file *f;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	err = socket_address_from_user(uaddr, len, &addr);
	if (!err)
		err = unix_bind(s, &addr, (u32)len);
	file_put(f);
	return err;
}

long sys_connect(int fd, vaddr_t uaddr, int len)
{
	struct uapi_sockaddr_un addr;
	struct unix_sock *s;
	struct file *f;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	err = socket_address_from_user(uaddr, len, &addr);
	if (!err)
		err = unix_connect(s, &addr, (u32)len, f->flags & O_NONBLOCK);
	file_put(f);
	return err;
}

long sys_listen(int fd, int backlog)
{
	struct unix_sock *s;
	struct file *f;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	err = unix_listen(s, backlog);
	file_put(f);
	return err;
}

static int peer_name(struct unix_sock *s, struct uapi_sockaddr_un *out, u32 *len)
{
	struct unix_sock *peer = unix_peer(s);

	if (!peer)
		return -ENOTCONN;
	*len = unix_copy_name(peer, out);
	unix_put(peer);
	return 0;
}

/* do_accept - the new socket's file; its name goes to the caller if that wants it. */
static int do_accept(struct unix_sock *s, struct file *f, u32 flags, vaddr_t uaddr, vaddr_t ulen,
		     struct file **out)
{
	struct uapi_sockaddr_un addr;
	struct unix_sock *end;
	u32 len;
	int err = unix_accept(s, f->flags & O_NONBLOCK, &end);

	if (!err)
		err = open_socket(end, flags, out);
	if (err || !uaddr)
		return err;
	if (peer_name(end, &addr, &len)) { /* it is gone already */
		addr = (struct uapi_sockaddr_un){.sun_family = AF_UNIX};
		len = sizeof(addr.sun_family);
	}
	err = socket_address_to_user(&addr, len, uaddr, ulen);
	if (err)
		file_put(*out);
	return err;
}

long sys_accept4(int fd, vaddr_t uaddr, vaddr_t ulen, int flags)
{
	struct unix_sock *s;
	struct file *f, *new;
	int err;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	err = socket_get(fd, &f, &s);
	if (err)
		return err;
	err = do_accept(s, f, (u32)flags, uaddr, ulen, &new);
	file_put(f);
	return err ? err : install(new, (u32)flags);
}

long sys_accept(int fd, vaddr_t uaddr, vaddr_t ulen)
{
	return sys_accept4(fd, uaddr, ulen, 0);
}

static long get_name(int fd, vaddr_t uaddr, vaddr_t ulen, bool peer)
{
	struct uapi_sockaddr_un addr;
	struct unix_sock *s;
	struct file *f;
	u32 len = 0;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	if (peer)
		err = peer_name(s, &addr, &len);
	else
		len = unix_copy_name(s, &addr);
	if (!err)
		err = socket_address_to_user(&addr, len, uaddr, ulen);
	file_put(f);
	return err;
}

long sys_getsockname(int fd, vaddr_t addr, vaddr_t len)
{
	return get_name(fd, addr, len, false);
}

long sys_getpeername(int fd, vaddr_t addr, vaddr_t len)
{
	return get_name(fd, addr, len, true);
}

long sys_shutdown(int fd, int how)
{
	struct unix_sock *s;
	struct file *f;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	err = unix_shutdown(s, how);
	file_put(f);
	return err;
}

/* --- options ----------------------------------------------------------------------------------------- */

static int set_timeout(u64 *timeout, vaddr_t value, int len)
{
	struct uapi_timeval tv;
	u64 ns = 0;

	if (len < (int)sizeof(tv))
		return -EINVAL;
	if (copy_from_user(&tv, value, sizeof(tv)))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec >= 0 && timeval_to_ns(&tv, &ns))
		return -EDOM;
	atomic_store(timeout, ns);
	return 0;
}

/* What is asked for counts twice, as on Linux, for what comes with the data. */
static u64 buffer_size(u32 asked)
{
	return MAX(MIN(asked, BUF_MAX / 2) * 2, BUF_MIN);
}

static int set_option(struct unix_sock *s, int option, vaddr_t value, int len)
{
	u32 number;

	if (option == SO_RCVTIMEO)
		return set_timeout(&s->recv_timeout, value, len);
	if (option == SO_SNDTIMEO)
		return set_timeout(&s->send_timeout, value, len);
	if (len < (int)sizeof(number))
		return -EINVAL;
	if (get_user_u32(value, &number))
		return -EFAULT;
	switch (option) {
	case SO_SNDBUF:
		atomic_store(&s->send_max, buffer_size(number));
		waitq_wake_all(&s->writable);
		return 0;
	case SO_RCVBUF:
		atomic_store(&s->recv_max, buffer_size(number));
		return 0;
	case SO_PASSCRED:
		atomic_store(&s->pass_cred, number != 0);
		return 0;
	case SO_REUSEADDR:
		atomic_store(&s->reuse, number != 0);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

long sys_setsockopt(int fd, int level, int option, vaddr_t value, int len)
{
	struct unix_sock *s;
	struct file *f;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	if (len < 0)
		err = -EINVAL;
	else
		err = level == SOL_SOCKET ? set_option(s, option, value, len) : -EOPNOTSUPP;
	file_put(f);
	return err;
}

union option_value {
	u32 number;
	struct uapi_timeval tv;
	struct uapi_ucred cred;
};

static struct uapi_timeval timeval_of(u64 ns)
{
	return (struct uapi_timeval){(s64)(ns / NSEC_PER_SEC),
				     (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

/* get_option - into *v; the size of the value, or -ENOPROTOOPT. */
static int get_option(struct unix_sock *s, int option, union option_value *v)
{
	switch (option) {
	case SO_TYPE:
		v->number = s->type;
		break;
	case SO_DOMAIN:
		v->number = AF_UNIX;
		break;
	case SO_PROTOCOL:
		v->number = 0;
		break;
	case SO_ERROR:
		v->number = (u32)unix_take_error(s);
		break;
	case SO_ACCEPTCONN:
		v->number = atomic_load(&s->state) == UNIX_LISTENING;
		break;
	case SO_SNDBUF:
		v->number = (u32)atomic_load(&s->send_max);
		break;
	case SO_RCVBUF:
		v->number = (u32)atomic_load(&s->recv_max);
		break;
	case SO_PASSCRED:
		v->number = atomic_load(&s->pass_cred);
		break;
	case SO_REUSEADDR:
		v->number = atomic_load(&s->reuse);
		break;
	case SO_RCVTIMEO:
		v->tv = timeval_of(atomic_load(&s->recv_timeout));
		return sizeof(v->tv);
	case SO_SNDTIMEO:
		v->tv = timeval_of(atomic_load(&s->send_timeout));
		return sizeof(v->tv);
	case SO_PEERCRED:
		v->cred = s->peer_owner.pid ? s->peer_owner : (struct uapi_ucred){0, ~0u, ~0u};
		return sizeof(v->cred);
	default:
		return -ENOPROTOOPT;
	}
	return sizeof(v->number);
}

static int put_option(struct unix_sock *s, int option, vaddr_t value, vaddr_t ulen)
{
	union option_value v;
	u32 room;
	int size;

	if (get_user_u32(ulen, &room))
		return -EFAULT;
	if ((s32)room < 0)
		return -EINVAL;
	size = get_option(s, option, &v);
	if (size < 0)
		return size;
	if (copy_to_user(value, &v, MIN((u32)size, room)))
		return -EFAULT;
	return put_user_u32(ulen, MIN((u32)size, room));
}

long sys_getsockopt(int fd, int level, int option, vaddr_t value, vaddr_t ulen)
{
	struct unix_sock *s;
	struct file *f;
	int err = socket_get(fd, &f, &s);

	if (err)
		return err;
	err = level == SOL_SOCKET ? put_option(s, option, value, ulen) : -EOPNOTSUPP;
	file_put(f);
	return err;
}
