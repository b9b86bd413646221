/* SPDX-License-Identifier: MIT */
/*
 * syscall_nr.h - the system calls of aarch64: number and the function sys_<name> behind it.
 *
 * The numbers are Linux's; a number that is not listed is answered with ENOSYS.
 */
#pragma once

#define SYSCALL_MAX 462 /* the highest number anybody may know */

/* clang-format off */
#define SYSCALL_LIST(SYSCALL) \
	SYSCALL(17, getcwd) \
	SYSCALL(23, dup) \
	SYSCALL(24, dup3) \
	SYSCALL(25, fcntl) \
	SYSCALL(29, ioctl) \
	SYSCALL(33, mknodat) \
	SYSCALL(34, mkdirat) \
	SYSCALL(35, unlinkat) \
	SYSCALL(36, symlinkat) \
	SYSCALL(37, linkat) \
	SYSCALL(38, renameat) \
	SYSCALL(39, umount2) \
	SYSCALL(40, mount) \
	SYSCALL(43, statfs) \
	SYSCALL(44, fstatfs) \
	SYSCALL(45, truncate) \
	SYSCALL(46, ftruncate) \
	SYSCALL(48, faccessat) \
	SYSCALL(49, chdir) \
	SYSCALL(50, fchdir) \
	SYSCALL(51, chroot) \
	SYSCALL(52, fchmod) \
	SYSCALL(53, fchmodat) \
	SYSCALL(56, openat) \
	SYSCALL(57, close) \
	SYSCALL(58, vhangup) \
	SYSCALL(59, pipe2) \
	SYSCALL(61, getdents64) \
	SYSCALL(62, lseek) \
	SYSCALL(63, read) \
	SYSCALL(64, write) \
	SYSCALL(65, readv) \
	SYSCALL(66, writev) \
	SYSCALL(67, pread64) \
	SYSCALL(68, pwrite64) \
	SYSCALL(72, pselect6) \
	SYSCALL(73, ppoll) \
	SYSCALL(78, readlinkat) \
	SYSCALL(79, newfstatat) \
	SYSCALL(80, fstat) \
	SYSCALL(81, sync) \
	SYSCALL(90, capget) \
	SYSCALL(91, capset) \
	SYSCALL(93, exit) \
	SYSCALL(94, exit_group) \
	SYSCALL(95, waitid) \
	SYSCALL(96, set_tid_address) \
	SYSCALL(98, futex) \
	SYSCALL(99, set_robust_list) \
	SYSCALL(100, get_robust_list) \
	SYSCALL(101, nanosleep) \
	SYSCALL(113, clock_gettime) \
	SYSCALL(114, clock_getres) \
	SYSCALL(115, clock_nanosleep) \
	SYSCALL(122, sched_setaffinity) \
	SYSCALL(123, sched_getaffinity) \
	SYSCALL(124, sched_yield) \
	SYSCALL(129, kill) \
	SYSCALL(130, tkill) \
	SYSCALL(131, tgkill) \
	SYSCALL(132, sigaltstack) \
	SYSCALL(133, rt_sigsuspend) \
	SYSCALL(134, rt_sigaction) \
	SYSCALL(135, rt_sigprocmask) \
	SYSCALL(136, rt_sigpending) \
	SYSCALL(139, rt_sigreturn) \
	SYSCALL(142, reboot) \
	SYSCALL(143, setregid) \
	SYSCALL(144, setgid) \
	SYSCALL(145, setreuid) \
	SYSCALL(146, setuid) \
	SYSCALL(147, setresuid) \
	SYSCALL(148, getresuid) \
	SYSCALL(149, setresgid) \
	SYSCALL(150, getresgid) \
	SYSCALL(151, setfsuid) \
	SYSCALL(152, setfsgid) \
	SYSCALL(153, times) \
	SYSCALL(154, setpgid) \
	SYSCALL(155, getpgid) \
	SYSCALL(156, getsid) \
	SYSCALL(157, setsid) \
	SYSCALL(158, getgroups) \
	SYSCALL(159, setgroups) \
	SYSCALL(160, uname) \
	SYSCALL(163, getrlimit) \
	SYSCALL(164, setrlimit) \
	SYSCALL(165, getrusage) \
	SYSCALL(166, umask) \
	SYSCALL(167, prctl) \
	SYSCALL(168, getcpu) \
	SYSCALL(169, gettimeofday) \
	SYSCALL(172, getpid) \
	SYSCALL(173, getppid) \
	SYSCALL(174, getuid) \
	SYSCALL(175, geteuid) \
	SYSCALL(176, getgid) \
	SYSCALL(177, getegid) \
	SYSCALL(178, gettid) \
	SYSCALL(179, sysinfo) \
	SYSCALL(214, brk) \
	SYSCALL(215, munmap) \
	SYSCALL(220, clone_tls_ctid) \
	SYSCALL(221, execve) \
	SYSCALL(222, mmap) \
	SYSCALL(226, mprotect) \
	SYSCALL(233, madvise) \
	SYSCALL(260, wait4) \
	SYSCALL(261, prlimit64) \
	SYSCALL(276, renameat2) \
	SYSCALL(278, getrandom) \
	SYSCALL(435, clone3) \
	SYSCALL(439, faccessat2)
/* clang-format on */
