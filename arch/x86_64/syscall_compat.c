/* SPDX-License-Identifier: MIT */
/*
 * syscall_compat.c - system calls that only x86_64 has: older forms of newer calls, and arch_prctl.
 *
 * aarch64 came later and never had open, stat, dup2 and the like; here they are wrappers, so that both
 * architectures share one implementation.
 */
#include <arch/thread.h>
#include <uapi/errno.h>
#include <uapi/fcntl.h>
#include <uapi/misc.h>
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "kernel/user_timers.h"

long sys_open(vaddr_t path, int flags, u32 mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(vaddr_t path, u32 mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_stat(vaddr_t path, vaddr_t buf)
{
	return sys_newfstatat(AT_FDCWD, path, buf, 0);
}

long sys_lstat(vaddr_t path, vaddr_t buf)
{
	return sys_newfstatat(AT_FDCWD, path, buf, AT_SYMLINK_NOFOLLOW);
}

long sys_access(vaddr_t path, int mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

long sys_pipe(vaddr_t fds)
{
	return sys_pipe2(fds, 0);
}

/* dup2 differs from dup3 where both descriptors are the same: then it only checks. */
long sys_dup2(int old_fd, int new_fd)
{
	long flags;

	if (old_fd != new_fd)
		return sys_dup3(old_fd, new_fd, 0);
	flags = sys_fcntl(old_fd, F_GETFD, 0);
	return flags < 0 ? flags : new_fd;
}

long sys_getpgrp(void)
{
	return sys_getpgid(0);
}

long sys_rename(vaddr_t old_path, vaddr_t new_path)
{
	return sys_renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

long sys_mkdir(vaddr_t path, u32 mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknod(vaddr_t path, u32 mode, u32 dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long sys_rmdir(vaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_link(vaddr_t old_path, vaddr_t new_path)
{
	return sys_linkat(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

long sys_unlink(vaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_symlink(vaddr_t target, vaddr_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

long sys_readlink(vaddr_t path, vaddr_t buf, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}

long sys_chmod(vaddr_t path, u32 mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long sys_chown(vaddr_t path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(vaddr_t path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_utimes(vaddr_t path, vaddr_t times)
{
	return sys_futimesat(AT_FDCWD, path, times);
}

long sys_time(vaddr_t out)
{
	u64 now = time_realtime() / NSEC_PER_SEC;

	if (out && put_user_u64(out, now))
		return -EFAULT;
	return (long)now;
}

/* arch_prctl(2): the thread pointer and the other segment base. */
long sys_arch_prctl(int option, u64 value)
{
	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (value >= USER_TOP)
			return -EPERM;
		if (option == ARCH_SET_FS)
			arch_thread_set_tls(current, value);
		else
			arch_thread_set_gs(current, value);
		return 0;
	case ARCH_GET_FS:
		return put_user_u64(value, arch_thread_tls(current));
	case ARCH_GET_GS:
		return put_user_u64(value, arch_thread_gs(current));
	default:
		return -EINVAL;
	}
}

long sys_epoll_create(int size)
{
	return size > 0 ? sys_epoll_create1(0) : -EINVAL;
}

long sys_epoll_wait(int epfd, vaddr_t events, int max, int timeout_ms)
{
	return sys_epoll_pwait(epfd, events, max, timeout_ms, 0, 0);
}

long sys_eventfd(u32 count)
{
	return sys_eventfd2(count, 0);
}

long sys_signalfd(int fd, vaddr_t set, u64 sigset_size)
{
	return sys_signalfd4(fd, set, sigset_size, 0);
}

long sys_alarm(u32 seconds)
{
	return itimer_alarm(seconds);
}
