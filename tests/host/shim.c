/* SPDX-License-Identifier: MIT */
/*
 * shim.c - what kernel code finds around itself in a host test: panic, printk, and an allocator that
 * fails on demand. A program that links the real printk replaces the weak one.
 */
#include "harness.h"

#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/printk.h"

/* Exit status of a child that panicked as it should. */
#define PANICKED 77

static bool panic_expected;
static pid_t panic_child;

__attribute__((weak)) void panic(const char *fmt, ...)
{
	va_list args;

	if (panic_expected)
		_exit(PANICKED);
	va_start(args, fmt);
	fputs("# panic: ", stdout);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
	abort();
}

bool host_panic_begin(void)
{
	fflush(stdout);
	panic_child = fork();
	if (panic_child < 0)
		abort();
	panic_expected = panic_child == 0;
	return panic_expected;
}

void host_panic_missing(void)
{
	_exit(0);
}

bool host_panic_seen(void)
{
	int status;

	if (waitpid(panic_child, &status, 0) != panic_child)
		return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == PANICKED;
}

__attribute__((weak)) void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("# printk: ", stdout);
	vprintf(fmt, args);
	va_end(args);
}

/* A data race ends the program, so that it cannot pass for a success. Read by the sanitizer. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1";
}

long host_live;
static long fail_after = -1; /* allocations until one fails; -1: none will */
static bool fail_hit;

void host_fail_after(long n)
{
	fail_after = n;
	fail_hit = false;
}

bool host_fail_hit(void)
{
	return fail_hit;
}

bool host_should_fail(void)
{
	if (fail_after < 0)
		return false;
	fail_hit = fail_after-- == 0;
	return fail_hit;
}

void *host_alloc(size_t size)
{
	void *p;

	if (host_should_fail())
		return NULL;
	p = malloc(size);
	if (!p)
		abort();
	memset(p, 0xa5, size);
	__atomic_fetch_add(&host_live, 1, __ATOMIC_RELAXED);
	return p;
}

void host_free(void *p)
{
	if (!p)
		return;
	__atomic_fetch_sub(&host_live, 1, __ATOMIC_RELAXED);
	free(p);
}
