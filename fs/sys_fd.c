/* SPDX-License-Identifier: MIT */
/* sys_fd.c - system calls on descriptors: close, dup, fcntl, pipe. */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/lock.h"
#include "fs/pipe.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"

long sys_close(int fd)
{
	return fd_close(fd);
}

static long install_or_put(struct file *f, int min, bool cloexec)
{
	int fd = fd_install(f, min, cloexec);

	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_dup(int fd)
{
	struct file *f = fd_get_any(fd);

	return f ? install_or_put(f, 0, false) : -EBADF;
}

long sys_dup3(int old_fd, int new_fd, int flags)
{
	struct file *f;
	int err;

	if ((flags & ~O_CLOEXEC) || old_fd == new_fd)
		return -EINVAL;
	f = fd_get_any(old_fd);
	if (!f)
		return -EBADF;
	err = fd_replace(new_fd, f, flags & O_CLOEXEC);
	if (err)
		file_put(f);
	return err ? err : new_fd;
}

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT)

static long set_flags(struct file *f, u64 arg)
{
	u32 old = atomic_load(&f->flags), new_flags;

	if ((arg & O_NOATIME) && !(old & O_NOATIME) && !inode_is_mine(f->inode))
		return -EPERM;
	if ((arg & O_DIRECT) && !f->inode->obj && !S_ISFIFO(f->inode->mode))
		return -EINVAL;

	do {
		new_flags = (old & ~(u32)SETFL_MASK) | ((u32)arg & SETFL_MASK);
	} while (!atomic_cas(&f->flags, &old, new_flags));
	return 0;
}

static long dup_above(struct file *f, u64 min, bool cloexec)
{
	if (min >= process_limit(current_process, RLIMIT_NOFILE) || min > INT32_MAX)
		return -EINVAL;
	file_get(f);
	return install_or_put(f, (int)min, cloexec);
}

/* is_for_names - commands that a descriptor opened with O_PATH takes as well: they are about it alone. */
static bool is_for_names(unsigned cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD ||
	       cmd == F_GETFL;
}

long sys_fcntl(int fd, unsigned cmd, u64 arg)
{
	struct file *f = is_for_names(cmd) ? fd_get_any(fd) : fd_get(fd);
	long result;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		result = dup_above(f, arg, cmd == F_DUPFD_CLOEXEC);
		break;
	case F_GETFD:
		result = fd_cloexec(fd) ? FD_CLOEXEC : 0;
		break;
	case F_SETFD:
		result = fd_set_cloexec(fd, arg & FD_CLOEXEC);
		break;
	case F_GETFL:
		result = atomic_load(&f->flags);
		break;
	case F_SETFL:
		result = set_flags(f, arg);
		break;
	case F_GETPIPE_SZ:
		result = pipe_size(f);
		break;
	case F_SETPIPE_SZ:
		result = pipe_resize(f, (u32)arg);
		break;
	case F_ADD_SEALS:
		result = file_add_seals(f, (u32)arg);
		break;
	case F_GET_SEALS:
		result = file_seals(f);
		break;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		result = fcntl_lock(fd, f, cmd, arg);
		break;
	default:
		result = -EINVAL;
	}
	file_put(f);
	return result;
}

/* unshare_files - a table of our own. Threads of one process cannot have different ones. */
static long unshare_files(void)
{
	struct process *p = current_process;
	struct files *old = p->files, *own;

	if (!files_is_shared(old))
		return 0;
	if (READ_ONCE(p->nr_threads) > 1)
		return -EINVAL;
	own = files_copy(old);
	if (!own)
		return -ENOMEM;
	p->files = own;
	files_put(old);
	return 0;
}

long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	long err = 0;

	if ((flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE)
		err = unshare_files();
	if (!err)
		fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
	return err;
}

long sys_pipe2(vaddr_t ufds, int flags)
{
	bool cloexec = flags & O_CLOEXEC;
	struct file *reader, *writer;
	int fds[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = pipe_create(&reader, &writer, (u32)flags);
	if (err)
		return err;
	fds[0] = (int)install_or_put(reader, 0, cloexec);
	fds[1] = (int)install_or_put(writer, 0, cloexec);
	err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : copy_to_user(ufds, fds, sizeof(fds));
	if (err) {
		for (int i = 0; i < 2; i++)
			if (fds[i] >= 0)
				fd_close(fds[i]);
	}
	return err;
}
