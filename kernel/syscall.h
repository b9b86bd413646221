/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - every system call's C function, and the dispatcher that finds it.
 *
 * A system call is sys_<name>, with the C types of its arguments as user space passes them; a user
 * pointer is a vaddr_t. The result is the value, or -errno (-4095..-1). The table in
 * syscall.c is built from arch/syscall_nr.h. Calls run with interrupts on and no lock held.
 */
#pragma once

#include <quire/types.h>

/* syscall_table - the functions by number. The entry code calls them, with the argument registers as they are, interrupts
 * on. Of the user registers at the top of the stack only those are valid that a call has to put back, with sp and pc: a
 * function that reads all of them is entered by sys_<name>_entry (see the entry code), one that changes them ends in
 * arch_enter_user. Results from -RESTART_NOHAND to -RESTART_SYS are for calls that were interrupted: kernel/signal.h. */
typedef long (*syscall_fn)(u64, u64, u64, u64, u64, u64);
extern const syscall_fn syscall_table[];

/* syscall_unknown - for numbers without a function; counts them. -ENOSYS. */
long syscall_unknown(void);

/* syscall_max - the highest number that may mean something. */
unsigned syscall_max(void);
/* syscall_unknown_count - how often a number we do not implement was used. */
u64 syscall_unknown_count(unsigned nr);

/* files: fs/sys_file.c */
long sys_read(int fd, vaddr_t buf, u64 count);
long sys_write(int fd, vaddr_t buf, u64 count);
long sys_readv(int fd, vaddr_t iov, u64 nr);
long sys_writev(int fd, vaddr_t iov, u64 nr);
long sys_pread64(int fd, vaddr_t buf, u64 count, s64 pos);
long sys_pwrite64(int fd, vaddr_t buf, u64 count, s64 pos);
long sys_lseek(int fd, s64 offset, int whence);
long sys_ioctl(int fd, unsigned cmd, vaddr_t arg);
long sys_getdents64(int fd, vaddr_t buf, u32 size);
long sys_ftruncate(int fd, s64 size);
long sys_sync(void);

long sys_preadv(int fd, vaddr_t iov, u64 nr, s64 pos);
long sys_pwritev(int fd, vaddr_t iov, u64 nr, s64 pos);
long sys_preadv2(int fd, vaddr_t iov, u64 nr, s64 pos, u64 pos_high, u32 flags);
long sys_pwritev2(int fd, vaddr_t iov, u64 nr, s64 pos, u64 pos_high, u32 flags);

/* content as a whole: fs/sys_content.c */
long sys_fallocate(int fd, int mode, s64 offset, s64 len);
long sys_fsync(int fd);
long sys_fdatasync(int fd);
long sys_syncfs(int fd);
long sys_sync_file_range(int fd, s64 offset, s64 len, unsigned flags);
long sys_memfd_create(vaddr_t name, unsigned flags); /* fs/memfd.c */
long sys_fadvise64(int fd, s64 offset, s64 len, int advice);
long sys_readahead(int fd, s64 offset, u64 count);
long sys_sendfile(int out_fd, int in_fd, vaddr_t offset, u64 count);
long sys_copy_file_range(int in_fd, vaddr_t in_pos, int out_fd, vaddr_t out_pos, u64 len,
			 unsigned flags);

/* extended attributes: fs/sys_xattr.c */
long sys_setxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size, int flags);
long sys_lsetxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size, int flags);
long sys_fsetxattr(int fd, vaddr_t name, vaddr_t value, u64 size, int flags);
long sys_getxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size);
long sys_lgetxattr(vaddr_t path, vaddr_t name, vaddr_t value, u64 size);
long sys_fgetxattr(int fd, vaddr_t name, vaddr_t value, u64 size);
long sys_listxattr(vaddr_t path, vaddr_t list, u64 size);
long sys_llistxattr(vaddr_t path, vaddr_t list, u64 size);
long sys_flistxattr(int fd, vaddr_t list, u64 size);
long sys_removexattr(vaddr_t path, vaddr_t name);
long sys_lremovexattr(vaddr_t path, vaddr_t name);
long sys_fremovexattr(int fd, vaddr_t name);

/* descriptors: fs/sys_fd.c */
long sys_close_range(unsigned first, unsigned last, unsigned flags);
long sys_flock(int fd, int op); /* fs/sys_lock.c */
long sys_close(int fd);
long sys_dup(int fd);
long sys_dup3(int old_fd, int new_fd, int flags);
long sys_fcntl(int fd, unsigned cmd, u64 arg);
long sys_pipe2(vaddr_t fds, int flags);

/* readiness: fs/poll.c, select.c, epoll.c, epoll_wait.c, eventfd.c, timerfd.c, signalfd.c */
long sys_poll(vaddr_t fds, u32 nr, int timeout_ms);                                /* x86_64 */
long sys_select(int nr, vaddr_t in, vaddr_t out, vaddr_t except, vaddr_t timeout); /* x86_64 */
long sys_ppoll(vaddr_t fds, u32 nr, vaddr_t timeout, vaddr_t set, u64 sigset_size);
long sys_pselect6(int nr, vaddr_t in, vaddr_t out, vaddr_t except, vaddr_t timeout, vaddr_t mask);
long sys_epoll_create1(int flags);
long sys_epoll_ctl(int epfd, int op, int fd, vaddr_t event);
long sys_epoll_pwait(int epfd, vaddr_t events, int max, int timeout_ms, vaddr_t mask, u64 size);
long sys_epoll_pwait2(int epfd, vaddr_t events, int max, vaddr_t timeout, vaddr_t mask, u64 size);
long sys_eventfd2(u32 count, int flags);
long sys_timerfd_create(int clock, int flags);
long sys_timerfd_settime(int fd, int flags, vaddr_t to, vaddr_t old);
long sys_timerfd_gettime(int fd, vaddr_t out);
long sys_signalfd4(int fd, vaddr_t set, u64 sigset_size, int flags);

/* sockets: fs/socket.c, fs/socket_msg.c */
long sys_socket(int domain, int type, int protocol);
long sys_socketpair(int domain, int type, int protocol, vaddr_t fds);
long sys_bind(int fd, vaddr_t addr, int len);
long sys_connect(int fd, vaddr_t addr, int len);
long sys_listen(int fd, int backlog);
long sys_accept(int fd, vaddr_t addr, vaddr_t len);
long sys_accept4(int fd, vaddr_t addr, vaddr_t len, int flags);
long sys_getsockname(int fd, vaddr_t addr, vaddr_t len);
long sys_getpeername(int fd, vaddr_t addr, vaddr_t len);
long sys_shutdown(int fd, int how);
long sys_setsockopt(int fd, int level, int option, vaddr_t value, int len);
long sys_getsockopt(int fd, int level, int option, vaddr_t value, vaddr_t len);
long sys_sendto(int fd, vaddr_t buf, u64 len, u32 flags, vaddr_t addr, int addr_len);
long sys_recvfrom(int fd, vaddr_t buf, u64 len, u32 flags, vaddr_t addr, vaddr_t addr_len);
long sys_sendmsg(int fd, vaddr_t msg, u32 flags);
long sys_recvmsg(int fd, vaddr_t msg, u32 flags);
long sys_sendmmsg(int fd, vaddr_t vec, u32 count, u32 flags);
long sys_recvmmsg(int fd, vaddr_t vec, u32 count, u32 flags, vaddr_t timeout);

/* names: fs/sys_open.c, fs/sys_path.c */
long sys_openat(int dirfd, vaddr_t path, int flags, u32 mode);
long sys_openat2(int dirfd, vaddr_t path, vaddr_t how, u64 size);
long sys_statx(int dirfd, vaddr_t path, int flags, u32 mask, vaddr_t buf);
long sys_newfstatat(int dirfd, vaddr_t path, vaddr_t buf, int flags);
long sys_fstat(int fd, vaddr_t buf);
long sys_readlinkat(int dirfd, vaddr_t path, vaddr_t buf, int size);
long sys_faccessat(int dirfd, vaddr_t path, int mode);
long sys_faccessat2(int dirfd, vaddr_t path, int mode, int flags);
long sys_getcwd(vaddr_t buf, u64 size);
long sys_chdir(vaddr_t path);
long sys_fchdir(int fd);
long sys_umask(u32 mask);
long sys_truncate(vaddr_t path, s64 size);

/* changes of names: fs/sys_names.c */
long sys_mkdirat(int dirfd, vaddr_t path, u32 mode);
long sys_mknodat(int dirfd, vaddr_t path, u32 mode, u32 dev);
long sys_unlinkat(int dirfd, vaddr_t path, int flags);
long sys_linkat(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path, int flags);
long sys_symlinkat(vaddr_t target, int dirfd, vaddr_t path);
long sys_renameat(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path);
long sys_renameat2(int old_dirfd, vaddr_t old_path, int new_dirfd, vaddr_t new_path, u32 flags);

/* attributes: fs/sys_attr.c */
long sys_fchmod(int fd, u32 mode);
long sys_fchmodat(int dirfd, vaddr_t path, u32 mode);
long sys_fchmodat2(int dirfd, vaddr_t path, u32 mode, int flags);
long sys_fchown(int fd, u32 uid, u32 gid);
long sys_fchownat(int dirfd, vaddr_t path, u32 uid, u32 gid, int flags);
long sys_utimensat(int dirfd, vaddr_t path, vaddr_t times, int flags);
long sys_futimesat(int dirfd, vaddr_t path, vaddr_t times); /* x86_64 */
long sys_utime(vaddr_t path, vaddr_t times);                /* x86_64 */

/* file systems: fs/sys_mount.c */
long sys_mount(vaddr_t source, vaddr_t target, vaddr_t type, u64 flags, vaddr_t data);
long sys_umount2(vaddr_t target, int flags);
long sys_statfs(vaddr_t path, vaddr_t buf);
long sys_fstatfs(int fd, vaddr_t buf);
long sys_chroot(vaddr_t path);

/* memory: mm/vma/ */
long sys_mmap(vaddr_t addr, u64 len, int prot, int flags, int fd, u64 offset);
long sys_munmap(vaddr_t addr, u64 len);
long sys_mprotect(vaddr_t addr, u64 len, int prot);
long sys_brk(vaddr_t addr);
long sys_mremap(vaddr_t addr, u64 old_len, u64 new_len, u64 flags, vaddr_t new_addr);
long sys_mseal(vaddr_t addr, u64 len, u64 flags);
long sys_membarrier(int command, unsigned flags, int cpu);
long sys_mincore(vaddr_t addr, u64 len, vaddr_t vec);
long sys_msync(vaddr_t addr, u64 len, int flags);
long sys_mlock(vaddr_t addr, u64 len);
long sys_mlock2(vaddr_t addr, u64 len, int flags);
long sys_munlock(vaddr_t addr, u64 len);
long sys_mlockall(int flags);
long sys_munlockall(void);
long sys_madvise(vaddr_t addr, u64 len, int advice);
/* kernel/process_vm.c */
long sys_process_vm_readv(s32 pid, vaddr_t local, u64 nr_local, vaddr_t remote, u64 nr_remote,
			  u64 flags);
long sys_process_vm_writev(s32 pid, vaddr_t local, u64 nr_local, vaddr_t remote, u64 nr_remote,
			   u64 flags);
/* kernel/shm.c */
long sys_shmget(s32 key, u64 size, int flags);
long sys_shmat(s32 id, vaddr_t addr, int flags);
long sys_shmdt(vaddr_t addr);
long sys_shmctl(s32 id, int cmd, vaddr_t buf);

/* processes: kernel/fork.c, exec.c, exit.c */
long sys_clone_ctid_tls(u64 flags, vaddr_t stack, vaddr_t ptid, vaddr_t ctid, u64 tls); /* x86_64 */
long sys_clone_tls_ctid(u64 flags, vaddr_t stack, vaddr_t ptid, u64 tls,
			vaddr_t ctid); /* aarch64 */
long sys_clone3(vaddr_t args, u64 size);
long sys_fork(void);
long sys_vfork(void);
/* What these, and those that send signals, are entered by: see syscall_table. In the entry code. */
long sys_clone_ctid_tls_entry(void);
long sys_clone_tls_ctid_entry(void);
long sys_clone3_entry(void);
long sys_fork_entry(void);
long sys_vfork_entry(void);
long sys_kill_entry(void);
long sys_tkill_entry(void);
long sys_tgkill_entry(void);
long sys_rt_sigqueueinfo_entry(void);
long sys_rt_tgsigqueueinfo_entry(void);
long sys_execve(vaddr_t path, vaddr_t argv, vaddr_t envp);
long sys_execveat(int dirfd, vaddr_t path, vaddr_t argv, vaddr_t envp, int flags);
long sys_exit(int code);
long sys_exit_group(int code);
long sys_wait4(int pid, vaddr_t status, int options, vaddr_t usage);
long sys_waitid(int which, int id, vaddr_t info, int options, vaddr_t usage);

/* identity: kernel/sys_process.c */
long sys_getpid(void);
long sys_gettid(void);
long sys_getppid(void);
long sys_getpgid(int pid);
long sys_setpgid(int pid, int pgid);
long sys_getsid(int pid);
long sys_setsid(void);
long sys_set_tid_address(vaddr_t addr);
long sys_arch_prctl(int option, u64 value); /* x86_64 */

/* credentials: kernel/sys_cred.c, prctl.c */
long sys_getuid(void);
long sys_geteuid(void);
long sys_getgid(void);
long sys_getegid(void);
long sys_getresuid(vaddr_t uid, vaddr_t euid, vaddr_t suid);
long sys_getresgid(vaddr_t gid, vaddr_t egid, vaddr_t sgid);
long sys_setuid(u32 uid);
long sys_setgid(u32 gid);
long sys_setreuid(u32 uid, u32 euid);
long sys_setregid(u32 gid, u32 egid);
long sys_setresuid(u32 uid, u32 euid, u32 suid);
long sys_setresgid(u32 gid, u32 egid, u32 sgid);
long sys_setfsuid(u32 uid);
long sys_setfsgid(u32 gid);
long sys_getgroups(int size, vaddr_t out);
long sys_setgroups(int count, vaddr_t in);
long sys_capget(vaddr_t head, vaddr_t data);
long sys_capset(vaddr_t head, vaddr_t data);
long sys_prctl(int option, u64 a2, u64 a3, u64 a4, u64 a5);

/* limits and usage: kernel/sys_resource.c */
long sys_getrlimit(unsigned resource, vaddr_t out);
long sys_setrlimit(unsigned resource, vaddr_t in);
long sys_prlimit64(int pid, unsigned resource, vaddr_t in, vaddr_t out);
long sys_getrusage(int who, vaddr_t out);
long sys_times(vaddr_t out);

/* the system: kernel/sys_info.c */
long sys_uname(vaddr_t out);
long sys_sethostname(vaddr_t name, int len);
long sys_setdomainname(vaddr_t name, int len);
long sys_personality(u32 persona);
long sys_sysinfo(vaddr_t out);
long sys_getrandom(vaddr_t buf, u64 len, unsigned flags);
long sys_syslog(int action, vaddr_t buf, int len); /* fs/kmsg.c */
long sys_vhangup(void);                            /* drivers/tty_session.c */
long sys_reboot(u32 magic1, u32 magic2, u32 cmd, vaddr_t arg);

/* pidfds: kernel/pidfd.c */
long sys_pidfd_open(int pid, u32 flags);
long sys_pidfd_send_signal(int fd, int sig, vaddr_t info, u32 flags);
long sys_pidfd_getfd(int fd, int target, u32 flags);

/* signals: kernel/sys_signal.c, kill.c */
long sys_rt_sigqueueinfo(int pid, int sig, vaddr_t info);
long sys_rt_tgsigqueueinfo(int pid, int tid, int sig, vaddr_t info);
long sys_kill(int pid, int sig);
long sys_tkill(int tid, int sig);
long sys_tgkill(int pid, int tid, int sig);
long sys_rt_sigaction(int sig, vaddr_t act, vaddr_t old, u64 sigset_size);
long sys_rt_sigprocmask(int how, vaddr_t set, vaddr_t old, u64 sigset_size);
long sys_rt_sigpending(vaddr_t set, u64 sigset_size);
long sys_rt_sigtimedwait(vaddr_t set, vaddr_t info, vaddr_t timeout, u64 sigset_size);
long sys_restart_syscall(void);
long sys_rt_sigsuspend(vaddr_t set, u64 sigset_size);
long sys_rt_sigreturn(void);
long sys_sigaltstack(vaddr_t ss, vaddr_t old);
long sys_pause(void);

/* futex.c, robust.c */
long sys_futex(vaddr_t addr, int op, u32 val, vaddr_t timeout, vaddr_t addr2, u32 val3);
long sys_futex_waitv(vaddr_t list, u32 n, u32 flags, vaddr_t timeout, int clock);
long sys_set_robust_list(vaddr_t head, u64 size);
long sys_get_robust_list(int tid, vaddr_t head, vaddr_t size);

/* time and scheduling: kernel/sys_time.c, sys_sched.c */
long sys_getitimer(int which, vaddr_t out); /* itimer.c */
long sys_setitimer(int which, vaddr_t in, vaddr_t out);
long sys_timer_create(int clock, vaddr_t event, vaddr_t id); /* posix_timer.c */
long sys_timer_settime(int id, int flags, vaddr_t in, vaddr_t out);
long sys_timer_gettime(int id, vaddr_t out);
long sys_timer_getoverrun(int id);
long sys_timer_delete(int id);
long sys_clock_gettime(int clock, vaddr_t out);
long sys_clock_getres(int clock, vaddr_t out);
long sys_clock_nanosleep(int clock, int flags, vaddr_t request, vaddr_t remain);
long sys_nanosleep(vaddr_t request, vaddr_t remain);
long sys_gettimeofday(vaddr_t tv, vaddr_t tz);
long sys_clock_settime(int clock, vaddr_t time);
long sys_settimeofday(vaddr_t tv, vaddr_t tz);
long sys_adjtimex(vaddr_t timex);
long sys_clock_adjtime(int clock, vaddr_t timex);
long sys_getpriority(int which, int who);
long sys_setpriority(int which, int who, int nice);
long sys_sched_setscheduler(int tid, int policy, vaddr_t param);
long sys_sched_getscheduler(int tid);
long sys_sched_setparam(int tid, vaddr_t param);
long sys_sched_getparam(int tid, vaddr_t param);
long sys_sched_setattr(int tid, vaddr_t attr, u32 flags);
long sys_sched_getattr(int tid, vaddr_t attr, u32 size, u32 flags);
long sys_sched_get_priority_max(int policy);
long sys_sched_get_priority_min(int policy);
long sys_sched_rr_get_interval(int tid, vaddr_t out);
long sys_sched_yield(void);
long sys_sched_setaffinity(int tid, u32 len, vaddr_t mask);
long sys_sched_getaffinity(int tid, u32 len, vaddr_t mask);
long sys_getcpu(vaddr_t cpu, vaddr_t node, vaddr_t cache);

/* x86_64 only, arch/x86_64/syscall_compat.c: older forms of the calls above */
long sys_open(vaddr_t path, int flags, u32 mode);
long sys_creat(vaddr_t path, u32 mode);
long sys_stat(vaddr_t path, vaddr_t buf);
long sys_lstat(vaddr_t path, vaddr_t buf);
long sys_access(vaddr_t path, int mode);
long sys_epoll_create(int size);
long sys_epoll_wait(int epfd, vaddr_t events, int max, int timeout_ms);
long sys_eventfd(u32 count);
long sys_signalfd(int fd, vaddr_t set, u64 sigset_size);
long sys_pipe(vaddr_t fds);
long sys_dup2(int old_fd, int new_fd);
long sys_getpgrp(void);
long sys_rename(vaddr_t old_path, vaddr_t new_path);
long sys_mkdir(vaddr_t path, u32 mode);
long sys_mknod(vaddr_t path, u32 mode, u32 dev);
long sys_rmdir(vaddr_t path);
long sys_link(vaddr_t old_path, vaddr_t new_path);
long sys_unlink(vaddr_t path);
long sys_symlink(vaddr_t target, vaddr_t path);
long sys_readlink(vaddr_t path, vaddr_t buf, int size);
long sys_chmod(vaddr_t path, u32 mode);
long sys_chown(vaddr_t path, u32 uid, u32 gid);
long sys_lchown(vaddr_t path, u32 uid, u32 gid);
long sys_utimes(vaddr_t path, vaddr_t times);
long sys_time(vaddr_t out);
long sys_alarm(u32 seconds);
