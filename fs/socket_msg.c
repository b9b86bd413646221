/* SPDX-License-Identifier: MIT */
/* socket_msg.c - the socket system calls that move data, with what travels beside it: open files and credentials. */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/time.h>
#include "fs/file.h"
#include "fs/socket.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/timespec.h"
#include "kernel/uaccess.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define CONTROL_MAX KIB(128) /* bytes of ancillary data in one call */
#define MMSG_MAX    1024     /* messages in one sendmmsg or recvmmsg */
#define CMSG_HEAD   sizeof(struct uapi_cmsghdr)

static u32 call_flags(const struct file *f, u32 flags)
{
	return flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

static void drop_files(struct unix_call *c)
{
	unix_rights_put(c->files, c->nr_files);
	kfree(c->files);
	c->files = NULL;
	c->nr_files = 0;
}

/* --- ancillary data that is sent --------------------------------------------------------------------- */

static int add_files(struct unix_call *c, const u8 *fds, size_t n)
{
	if (!c->files)
		c->files = kmalloc(SCM_MAX_FD * sizeof(*c->files), 0);
	if (!c->files)
		return -ENOMEM;
	if (n > SCM_MAX_FD - c->nr_files)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		struct file *f;
		int fd;

		memcpy(&fd, fds + i * sizeof(fd), sizeof(fd));
		f = fd_get_any(fd);
		if (!f)
			return -EBADF;
		c->files[c->nr_files++] = f;
	}
	return 0;
}

/* set_cred - one may say only who one is, unless privileged. */
static int set_cred(struct unix_call *c, const u8 *data)
{
	const struct cred *me = cred_now();
	struct uapi_ucred u;

	memcpy(&u, data, sizeof(u));
	if (u.pid != user_pid(current_process) && !cred_capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (u.uid != me->uid && u.uid != me->euid && u.uid != me->suid && !cred_capable(CAP_SETUID))
		return -EPERM;
	if (u.gid != me->gid && u.gid != me->egid && u.gid != me->sgid && !cred_capable(CAP_SETGID))
		return -EPERM;
	c->cred = u;
	return 0;
}

static int parse_one(struct unix_call *c, const struct uapi_cmsghdr *h, const u8 *data)
{
	size_t n = h->cmsg_len - CMSG_HEAD;

	if (h->cmsg_level != SOL_SOCKET)
		return 0;
	switch (h->cmsg_type) {
	case SCM_RIGHTS:
		return add_files(c, data, n / sizeof(int));
	case SCM_CREDENTIALS:
		return n == sizeof(struct uapi_ucred) ? set_cred(c, data) : -EINVAL;
	default:
		return -EINVAL;
	}
}

static int parse_control(struct unix_call *c, const u8 *data, u64 len)
{
	struct uapi_cmsghdr h;
	u64 at = 0;
	int err = 0;

	while (!err && at + CMSG_HEAD <= len) {
		memcpy(&h, data + at, sizeof(h));
		if (h.cmsg_len < CMSG_HEAD || h.cmsg_len > len - at)
			return -EINVAL;
		err = parse_one(c, &h, data + at + CMSG_HEAD);
		at += ALIGN_UP(h.cmsg_len, 8ull);
	}
	return err;
}

static int import_control(struct unix_call *c, vaddr_t control, u64 len)
{
	u8 *data;
	int err;

	if (!control || len < CMSG_HEAD)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	data = kmalloc(len, 0);
	if (!data)
		return -ENOMEM;
	err = copy_from_user(data, control, len);
	if (!err)
		err = parse_control(c, data, len);
	kfree(data);
	return err;
}

/* --- sending ----------------------------------------------------------------------------------------- */

/* do_send - c has its buffers, files and credentials; what was not sent of the files is dropped. */
static long do_send(struct unix_sock *s, struct unix_call *c, vaddr_t name, s64 name_len)
{
	struct uapi_sockaddr_un to;
	long n = 0;

	if (name && name_len) {
		n = socket_address_from_user(name, name_len, &to);
		c->to = &to; /* cppcheck-suppress autoVariables ; nobody looks at c->to after this call */
		c->to_len = (u32)name_len;
	}
	if (!n)
		n = unix_send(s, c);
	drop_files(c);
	return n;
}

static long send_message(struct file *f, const struct uapi_msghdr *m, u32 flags)
{
	struct unix_call c = {.flags = call_flags(f, flags), .cred = unix_current_cred()};
	struct user_buffers b;
	long n;

	if (m->msg_namelen < 0)
		return -EINVAL;
	n = m->msg_iovlen > IOV_MAX ? -EMSGSIZE
				    : user_buffers_import(&b, m->msg_iov, m->msg_iovlen);
	if (n)
		return n;
	c.uio = &b.uio;
	n = import_control(&c, m->msg_control, m->msg_controllen);
	if (n)
		drop_files(&c);
	else
		n = do_send(f->private_data, &c, m->msg_name, m->msg_namelen);
	user_buffers_free(&b);
	return n;
}

long sys_sendmsg(int fd, vaddr_t umsg, u32 flags)
{
	struct uapi_msghdr m;
	struct unix_sock *s;
	struct file *f;
	long n = socket_get(fd, &f, &s);

	if (n)
		return n;
	n = copy_from_user(&m, umsg, sizeof(m)) ? -EFAULT : send_message(f, &m, flags);
	file_put(f);
	return n;
}

long sys_sendto(int fd, vaddr_t buf, u64 len, u32 flags, vaddr_t addr, int addr_len)
{
	struct unix_call c = {.cred = unix_current_cred()};
	struct unix_sock *s;
	struct file *f;
	struct uio uio;
	long n;

	len = MIN(len, (u64)INT32_MAX & PAGE_MASK);
	if (!user_range_ok(buf, len))
		return -EFAULT;
	n = socket_get(fd, &f, &s);
	if (n)
		return n;
	uio_init_user(&uio, buf, len);
	c.uio = &uio;
	c.flags = call_flags(f, flags);
	n = do_send(s, &c, addr, addr_len);
	file_put(f);
	return n;
}

static long send_one_of_many(struct file *f, vaddr_t umsg, u32 flags)
{
	struct uapi_msghdr m;
	long n = copy_from_user(&m, umsg, sizeof(m)) ? -EFAULT : send_message(f, &m, flags);

	if (n >= 0 && put_user_u32(umsg + offsetof(struct uapi_mmsghdr, msg_len), (u32)n))
		return -EFAULT;
	return n;
}

long sys_sendmmsg(int fd, vaddr_t vec, u32 count, u32 flags)
{
	struct unix_sock *s;
	struct file *f;
	u32 done = 0;
	long n = socket_get(fd, &f, &s);

	if (n)
		return n;
	for (; done < MIN(count, MMSG_MAX); done++) {
		n = send_one_of_many(f, vec + done * sizeof(struct uapi_mmsghdr), flags);
		if (n < 0)
			break;
	}
	file_put(f);
	return done ? (long)done : n < 0 ? n : 0;
}

/* --- ancillary data that is received ----------------------------------------------------------------- */

/* What is left of the caller's space. */
struct control {
	vaddr_t at;
	u64 left, used;
	bool truncated;
};

/* put_control - one piece; what does not fit is cut off. */
static int put_control(struct control *k, int type, const void *data, size_t n)
{
	struct uapi_cmsghdr h = {.cmsg_level = SOL_SOCKET, .cmsg_type = type};
	u64 whole = CMSG_HEAD + n, space;

	if (!k->at || k->left < CMSG_HEAD) {
		k->truncated = true;
		return 0;
	}
	if (whole > k->left) {
		k->truncated = true;
		whole = k->left;
	}
	h.cmsg_len = whole;
	if (copy_to_user(k->at, &h, sizeof(h)) ||
	    copy_to_user(k->at + CMSG_HEAD, data, whole - CMSG_HEAD))
		return -EFAULT;
	space = MIN(ALIGN_UP(whole, 8ull), k->left);
	k->at += space;
	k->left -= space;
	k->used += space;
	return 0;
}

/* put_files - as many as there is room for become descriptors; the others are closed. */
static int put_files(struct control *k, struct unix_call *c, u32 flags)
{
	u64 room = k->at && k->left > CMSG_HEAD ? (k->left - CMSG_HEAD) / sizeof(int) : 0;
	int fds[SCM_MAX_FD], err = 0;
	u32 n = 0;

	while (n < c->nr_files && n < room) {
		fds[n] = fd_install(c->files[n], 0, flags & MSG_CMSG_CLOEXEC);
		if (fds[n] < 0)
			break;
		n++;
	}
	if (n < c->nr_files)
		k->truncated = true;
	unix_rights_put(c->files + n, c->nr_files - n);
	c->nr_files = 0;
	if (n)
		err = put_control(k, SCM_RIGHTS, fds, n * sizeof(int));
	return err;
}

static int export_control(struct unix_call *c, struct uapi_msghdr *m, u32 flags)
{
	struct control k = {.at = m->msg_control, .left = m->msg_controllen};
	int err = 0;

	if (c->has_cred)
		err = put_control(&k, SCM_CREDENTIALS, &c->cred, sizeof(c->cred));
	if (!err && c->nr_files)
		err = put_files(&k, c, flags);
	m->msg_controllen = k.used;
	m->msg_flags = c->out_flags | (k.truncated ? MSG_CTRUNC : 0) | (flags & MSG_CMSG_CLOEXEC);
	return err;
}

/* --- receiving --------------------------------------------------------------------------------------- */

/* export_name - the sender's address; without one the length is 0. */
static int export_name(const struct unix_call *c, struct uapi_msghdr *m)
{
	u32 n = MIN(c->from_len, (u32)m->msg_namelen);

	if (!m->msg_name)
		return 0;
	m->msg_namelen = (s32)c->from_len;
	return socket_put_address(&c->from, n, m->msg_name);
}

static long receive_message(struct file *f, struct uapi_msghdr *m, u32 flags)
{
	struct unix_call c = {.flags = call_flags(f, flags)};
	struct user_buffers b;
	long n, err;

	if (m->msg_namelen < 0)
		return -EINVAL;
	n = m->msg_iovlen > IOV_MAX ? -EMSGSIZE
				    : user_buffers_import(&b, m->msg_iov, m->msg_iovlen);
	if (n)
		return n;
	c.uio = &b.uio;
	n = unix_receive(f->private_data, &c);
	user_buffers_free(&b);
	if (n >= 0) {
		err = export_control(&c, m, flags);
		if (!err)
			err = export_name(&c, m);
		if (err)
			n = err;
	}
	drop_files(&c);
	return n;
}

/* put_header - the fields of the header that receiving changes. */
static int put_header(vaddr_t umsg, const struct uapi_msghdr *m)
{
	if (put_user_u32(umsg + offsetof(struct uapi_msghdr, msg_namelen), (u32)m->msg_namelen) ||
	    put_user_u64(umsg + offsetof(struct uapi_msghdr, msg_controllen), m->msg_controllen))
		return -EFAULT;
	return put_user_u32(umsg + offsetof(struct uapi_msghdr, msg_flags), m->msg_flags);
}

static long receive_to_user(struct file *f, vaddr_t umsg, u32 flags)
{
	struct uapi_msghdr m;
	long n;

	if (copy_from_user(&m, umsg, sizeof(m)))
		return -EFAULT;
	n = receive_message(f, &m, flags);
	return n >= 0 && put_header(umsg, &m) ? -EFAULT : n;
}

long sys_recvmsg(int fd, vaddr_t umsg, u32 flags)
{
	struct unix_sock *s;
	struct file *f;
	long n = socket_get(fd, &f, &s);

	if (n)
		return n;
	n = receive_to_user(f, umsg, flags);
	file_put(f);
	return n;
}

long sys_recvfrom(int fd, vaddr_t buf, u64 len, u32 flags, vaddr_t uaddr, vaddr_t ulen)
{
	struct unix_call c = {.flags = flags};
	struct unix_sock *s;
	struct file *f;
	struct uio uio;
	long n;

	len = MIN(len, (u64)INT32_MAX & PAGE_MASK);
	if (!user_range_ok(buf, len))
		return -EFAULT;
	n = socket_get(fd, &f, &s);
	if (n)
		return n;
	uio_init_user(&uio, buf, len);
	c.uio = &uio;
	c.flags = call_flags(f, flags);
	n = unix_receive(s, &c);
	if (n >= 0 && uaddr && socket_address_to_user(&c.from, c.from_len, uaddr, ulen))
		n = -EFAULT;
	drop_files(&c);
	file_put(f);
	return n;
}

/* receive_many - the first may wait; the others as flags say. */
static long receive_many(struct file *f, vaddr_t vec, u32 count, u32 flags, u64 end_ns)
{
	u32 done = 0;
	long n = 0;

	while (done < count) {
		vaddr_t at = vec + done * sizeof(struct uapi_mmsghdr);

		n = receive_to_user(f, at, flags & ~MSG_WAITFORONE);
		if (n < 0)
			break;
		if (put_user_u32(at + offsetof(struct uapi_mmsghdr, msg_len), (u32)n))
			return -EFAULT;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (end_ns && time_now() >= end_ns)
			break;
	}
	return done ? (long)done : n;
}

long sys_recvmmsg(int fd, vaddr_t vec, u32 count, u32 flags, vaddr_t utimeout)
{
	struct uapi_timespec ts;
	struct unix_sock *s;
	struct file *f;
	u64 ns, end = 0;
	long n;

	if (utimeout) {
		if (copy_from_user(&ts, utimeout, sizeof(ts)))
			return -EFAULT;
		if (timespec_to_ns(&ts, &ns))
			return -EINVAL;
		end = time_deadline_after(ns);
	}
	n = socket_get(fd, &f, &s);
	if (n)
		return n;
	n = receive_many(f, vec, MIN(count, MMSG_MAX), flags, end);
	file_put(f);
	return n;
}
