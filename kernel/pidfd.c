/* SPDX-License-Identifier: MIT */
/*
 * pidfd.c - pidfd_open(2) and what can be done with such a descriptor: wait for the end with poll, send a
 * signal, copy a descriptor out of the process. waitid(P_PIDFD) is in wait4.c.
 */
#include "kernel/pidfd.h"

#include <uapi/errno.h>
#include <uapi/pidfd.h>
#include "fs/file.h"
#include "fs/poll.h"
#include "kernel/cred.h"
#include "kernel/kill.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

static struct pid *pid_of(const struct file *f)
{
	return f->private_data;
}

static void pidfd_release(struct file *f)
{
	pid_put(pid_of(f));
}

/* Readable when the process is a zombie, hung up when it has been waited for. */
static u32 pidfd_poll(struct file *f, struct poll_request *request)
{
	struct process *p;
	u32 ready = 0;

	poll_wait(request, &pid_of(f)->ended);
	p = pid_process(pid_of(f));
	if (!p)
		return POLLIN | POLLRDNORM | POLLHUP;
	if (READ_ONCE(p->zombie))
		ready = POLLIN | POLLRDNORM;
	process_put(p);
	return ready;
}

static u32 pidfd_poll_thread(struct file *f, struct poll_request *request)
{
	struct user_thread *u;

	poll_wait(request, &pid_of(f)->ended);
	u = pid_thread(pid_of(f));
	if (!u)
		return POLLIN | POLLRDNORM | POLLHUP;
	user_thread_put(u);
	return 0;
}

static const struct file_ops pidfd_ops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.is_stream = true,
};

static const struct file_ops pidfd_thread_ops = {
	.release = pidfd_release,
	.poll = pidfd_poll_thread,
	.is_stream = true,
};

int pidfd_install(struct pid *pid, u32 flags)
{
	int fd;

	pid_get(pid);
	fd = anon_fd_create("[pidfd]", flags & PIDFD_THREAD ? &pidfd_thread_ops : &pidfd_ops, pid,
			    O_RDWR | O_CLOEXEC | (flags & PIDFD_NONBLOCK));
	if (fd < 0)
		pid_put(pid);
	return fd;
}

struct pid *pidfd_pid(const struct file *f)
{
	if (f->ops != &pidfd_ops && f->ops != &pidfd_thread_ops)
		return NULL;
	pid_get(pid_of(f));
	return pid_of(f);
}

/* has_bearer - something of the right kind bears the number, dead or alive. */
static bool has_bearer(struct pid *pid, u32 flags)
{
	struct process *p = pid_process(pid);
	struct user_thread *u = NULL;

	if (p)
		process_put(p);
	else if (flags & PIDFD_THREAD)
		u = pid_thread(pid);
	if (u)
		user_thread_put(u);
	return p || u;
}

long sys_pidfd_open(int nr, u32 flags)
{
	struct pid *pid;
	long fd = -EINVAL;

	if ((flags & ~(PIDFD_THREAD | PIDFD_NONBLOCK)) || nr <= 0)
		return -EINVAL;
	pid = pid_find((u32)nr);
	if (!pid)
		return -ESRCH;
	if (has_bearer(pid, flags))
		fd = pidfd_install(pid, flags);
	pid_put(pid);
	return fd;
}

/* --- signals ----------------------------------------------------------------------------------------- */

/* read_info - what the caller says, or what kill would say. */
static int read_info(struct pid *pid, int sig, vaddr_t uinfo, u32 kind, struct uapi_siginfo *info)
{
	int err;

	if (!uinfo) {
		*info = kill_info_self(sig, kind == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
		return 0;
	}
	err = siginfo_from_user(info, uinfo);
	if (err)
		return err;
	if (info->si_signo != sig)
		return -EINVAL;
	return kill_check_info(info, pid->nr);
}

static long send_to(struct pid *pid, const struct uapi_siginfo *info, u32 kind)
{
	struct process *p;
	long err;

	if (kind == PIDFD_SIGNAL_PROCESS_GROUP)
		return kill_group(pid, info);
	if (kind == PIDFD_SIGNAL_THREAD)
		return kill_thread(pid, info);
	p = pid_process(pid);
	if (!p)
		return -ESRCH;
	err = kill_process(p, info);
	process_put(p);
	return err;
}

long sys_pidfd_send_signal(int fd, int sig, vaddr_t uinfo, u32 flags)
{
	struct uapi_siginfo info;
	struct pid *pid;
	struct file *f;
	u32 kind;
	long err;

	if (flags > PIDFD_SIGNAL_PROCESS_GROUP || (flags & (flags - 1)))
		return -EINVAL;
	f = fd_get(fd);
	pid = f ? pidfd_pid(f) : NULL;
	kind = f && f->ops == &pidfd_thread_ops ? PIDFD_SIGNAL_THREAD : PIDFD_SIGNAL_THREAD_GROUP;
	if (f)
		file_put(f);
	if (!pid)
		return -EBADF;
	kind = flags ? flags : kind;
	err = read_info(pid, sig, uinfo, kind, &info);
	if (!err)
		err = send_to(pid, &info, kind);
	pid_put(pid);
	return err;
}

/* --- descriptors ------------------------------------------------------------------------------------- */

static long copy_descriptor(struct process *p, int fd)
{
	struct files *files;
	struct file *f;
	long copy;

	if (!process_may_inspect(p, true))
		return -EPERM;
	files = process_files(p);
	if (!files)
		return -ESRCH;
	f = files_find(files, fd);
	files_put(files);
	if (!f)
		return -EBADF;
	copy = fd_install(f, 0, true);
	if (copy < 0)
		file_put(f);
	return copy;
}

long sys_pidfd_getfd(int fd, int target, u32 flags)
{
	struct process *p;
	struct pid *pid;
	struct file *f;
	long copy;

	if (flags)
		return -EINVAL;
	f = fd_get(fd);
	pid = f ? pidfd_pid(f) : NULL;
	if (f)
		file_put(f);
	if (!pid)
		return -EBADF;
	p = pid_process(pid);
	copy = p ? copy_descriptor(p, target) : -ESRCH;
	if (p)
		process_put(p);
	pid_put(pid);
	return copy;
}
