/* SPDX-License-Identifier: MIT */
/*
 * rows_calls.c - system calls that neither switch nor map: entry and exit, and short ways through the
 * file layer.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "/tmp/bench-file"

static int fd, pipe_fds[2];
static char buffer[65536];

ROW(MAIN, sys_null, 20000, NULL)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys(SYS_getppid);
	expect(r >= 0);
}

/* --- /dev/zero -------------------------------------------------------------------------------------- */

static int open_zero(void)
{
	fd = open("/dev/zero", O_RDONLY);
	return fd < 0 ? -errno : 0;
}

static inline void read_zero(unsigned ops, long bytes)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys(SYS_read, fd, buffer, bytes);
	expect(r == bytes);
}

ROW(MAIN, read_zero1, 10000, open_zero)
{
	read_zero(ops, 1);
}

ROW(VARIANT, read_zero64, 10000, open_zero)
{
	read_zero(ops, 64);
}

ROW(VARIANT, read_zero4096, 5000, open_zero)
{
	read_zero(ops, 4096);
}

ROW(VARIANT, read_zero65536, 500, open_zero)
{
	read_zero(ops, 65536);
}

ROW(VARIANT, readv_zero_4x16, 5000, open_zero)
{
	struct iovec v[4] = {
		{buffer, 16}, {buffer + 64, 16}, {buffer + 128, 16}, {buffer + 192, 16}};
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys(SYS_readv, fd, v, 4);
	expect(r == 64);
}

/* --- other short calls -------------------------------------------------------------------------------- */

ROW(OTHER, getpid, 20000, NULL)
{
	for (unsigned i = 0; i < ops; i++)
		sys(SYS_getpid);
}

ROW(OTHER, sched_yield, 5000, NULL)
{
	for (unsigned i = 0; i < ops; i++)
		sys(SYS_sched_yield);
}

ROW(OTHER, clock_gettime, 5000, NULL)
{
	struct timespec ts;

	for (unsigned i = 0; i < ops; i++)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}

ROW(OTHER, sigprocmask, 10000, NULL)
{
	uint64_t set = 0;
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&set, 0, 8, 0, 0);
	expect(r == 0);
}

/* --- files --------------------------------------------------------------------------------------------- */

static int make_file(void)
{
	fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return -errno;
	return write(fd, buffer, 4096) == 4096 ? 0 : -EIO;
}

ROW(OTHER, open_close, 2000, make_file)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++) {
		r = sys6(SYS_openat, AT_FDCWD, (long)FILE_NAME, O_RDONLY, 0, 0, 0);
		sys(SYS_close, r);
	}
	expect(r >= 0);
}

ROW(OTHER, stat_file, 5000, make_file)
{
	struct stat st;
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys6(SYS_newfstatat, AT_FDCWD, (long)FILE_NAME, (long)&st, 0, 0, 0);
	expect(r == 0);
}

ROW(OTHER, fstat_file, 5000, make_file)
{
	struct stat st;
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys(SYS_fstat, fd, &st);
	expect(r == 0);
}

ROW(OTHER, pread_file_4k, 2000, make_file)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys6(SYS_pread64, fd, (long)buffer, 4096, 0, 0, 0);
	expect(r == 4096);
}

ROW(OTHER, pwrite_file_4k, 2000, make_file)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys6(SYS_pwrite64, fd, (long)buffer, 4096, 0, 0, 0);
	expect(r == 4096);
}

ROW(OTHER, create_unlink, 1000, NULL)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++) {
		sys(SYS_close,
		    sys6(SYS_openat, AT_FDCWD, (long)"/tmp/new", O_RDWR | O_CREAT, 0600, 0, 0));
		r = sys(SYS_unlinkat, AT_FDCWD, "/tmp/new", 0);
	}
	expect(r == 0);
}

ROW(OTHER, dup_close, 5000, make_file)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++) {
		r = sys(SYS_dup, fd);
		sys(SYS_close, r);
	}
	expect(r >= 0);
}

/* --- a pipe with one process ------------------------------------------------------------------------------ */

static int make_pipe(void)
{
	return pipe(pipe_fds) ? -errno : 0;
}

ROW(OTHER, pipe_write_read, 5000, make_pipe)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++) {
		sys(SYS_write, pipe_fds[1], buffer, 1);
		r = sys(SYS_read, pipe_fds[0], buffer, 1);
	}
	expect(r == 1);
}

static long poll_pipe(void)
{
	struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};

	return sys6(SYS_ppoll, (long)&p, 1, 0, 0, 0, 0);
}

static int make_full_pipe(void)
{
	int error = make_pipe();

	if (!error && write(pipe_fds[1], buffer, 1) != 1)
		error = -EIO;
	if (!error && poll_pipe() < 0)
		error = (int)poll_pipe();
	return error;
}

ROW(OTHER, poll_pipe, 5000, make_full_pipe)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = poll_pipe();
	expect(r == 1);
}

static int bench_epoll;

static int make_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int error = make_full_pipe();

	if (error)
		return error;
	bench_epoll = epoll_create1(0);
	if (bench_epoll < 0 || epoll_ctl(bench_epoll, EPOLL_CTL_ADD, pipe_fds[0], &e))
		return -errno;
	return 0;
}

ROW(OTHER, epoll_ready, 5000, make_epoll)
{
	struct epoll_event e[4];
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys6(SYS_epoll_pwait, bench_epoll, (long)e, 4, -1, 0, 8);
	expect(r == 1);
}
