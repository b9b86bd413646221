/* SPDX-License-Identifier: MIT */
/*
 * rows_process.c - making processes, programs and threads, and their end.
 *
 * The program that is executed is tiny.c, which does nothing but exit, so that the kernel's work is what is
 * measured; a statically linked C library starts up in the variant.
 */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB     (1u << 20)
#define THREADS 4

static char *const tiny[] = {"/bench/tiny", NULL};
static char *const with_libc[] = {"/init", "exit", NULL};
static char *const no_environment[] = {NULL};
static char *memory;

/* --- fork ------------------------------------------------------------------------------------------- */

static inline void fork_exit(unsigned ops)
{
	int status = -1;

	for (unsigned i = 0; i < ops; i++) {
		long pid = fork_raw();

		if (pid == 0)
			exit_raw(0);
		status = wait_raw(pid);
	}
	expect(status == 0);
}

static int touch_4m(void)
{
	memory = pages_map(4 * MIB);
	pages_touch(memory, 4 * MIB, 4096);
	return 0;
}

static int touch_64m(void)
{
	memory = pages_map(64 * MIB);
	pages_touch(memory, 64 * MIB, 4096);
	return 0;
}

ROW(MAIN, fork_exit, 30, NULL)
{
	fork_exit(ops);
}

ROW(VARIANT, fork_exit_4m, 10, touch_4m)
{
	fork_exit(ops);
}

ROW(OTHER, fork_exit_64m, 2, touch_64m)
{
	fork_exit(ops);
}

ROW(VARIANT, fork_4m_write_1of16, 10, touch_4m)
{
	int status = -1;

	for (unsigned i = 0; i < ops; i++) {
		long pid = fork_raw();

		if (pid == 0) {
			pages_touch(memory, 4 * MIB, 16 * 4096);
			exit_raw(0);
		}
		status = wait_raw(pid);
	}
	expect(status == 0);
}

/* --- exec ------------------------------------------------------------------------------------------- */

/* A function of its own: a child of vfork runs on its parent's stack. */
__attribute__((noinline)) static int vfork_exec_once(char *const *argv)
{
	pid_t pid = vfork();

	if (pid == 0) {
		sys(SYS_execve, argv[0], argv, no_environment);
		exit_raw(127);
	}
	return wait_raw(pid);
}

static inline void vfork_exec(unsigned ops, char *const *argv)
{
	int status = -1;

	for (unsigned i = 0; i < ops; i++)
		status = vfork_exec_once(argv);
	expect(status == 0);
}

ROW(MAIN, vfork_exec, 20, NULL)
{
	vfork_exec(ops, tiny);
}

ROW(VARIANT, vfork_exec_libc, 10, NULL)
{
	vfork_exec(ops, with_libc);
}

ROW(VARIANT, fork_exec, 15, NULL)
{
	int status = -1;

	for (unsigned i = 0; i < ops; i++) {
		long pid = fork_raw();

		if (pid == 0) {
			sys(SYS_execve, tiny[0], tiny, no_environment);
			exit_raw(127);
		}
		status = wait_raw(pid);
	}
	expect(status == 0);
}

/* As programs start programs: the C library's posix_spawn, with its stack and its signal masks. */
static inline void spawn_exec(unsigned ops, char *const *argv)
{
	int status = -1;

	for (unsigned i = 0; i < ops; i++) {
		pid_t pid = -1;

		posix_spawn(&pid, argv[0], NULL, NULL, argv, no_environment);
		status = wait_raw(pid);
	}
	expect(status == 0);
}

ROW(MAIN, spawn_exec, 15, NULL)
{
	spawn_exec(ops, tiny);
}

ROW(VARIANT, spawn_exec_4m, 15, touch_4m)
{
	spawn_exec(ops, tiny);
}

/* --- threads ------------------------------------------------------------------------------------------ */

static void *thread_nothing(void *unused)
{
	return unused;
}

ROW(MAIN, thread_create_join, 100, NULL)
{
	int error = 0;

	for (unsigned i = 0; i < ops; i++) {
		pthread_t thread;

		error = pthread_create(&thread, NULL, thread_nothing, NULL);
		pthread_join(thread, NULL);
	}
	expect(error == 0);
}

/* An operation is one thread. */
ROW(VARIANT, thread_create_join_4, 100, NULL)
{
	int error = 0;

	for (unsigned i = 0; i < ops / THREADS; i++) {
		pthread_t threads[THREADS];

		for (unsigned t = 0; t < THREADS; t++)
			error |= pthread_create(&threads[t], NULL, thread_nothing, NULL);
		for (unsigned t = 0; t < THREADS; t++)
			pthread_join(threads[t], NULL);
	}
	expect(error == 0);
}
