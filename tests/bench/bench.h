/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the benchmark's rows share: how a row is declared, and system calls without a C library.
 *
 * A row is one operation in a loop of its own:
 *
 *	ROW(MAIN, sys_null, 20000, NULL)
 *	{
 *		long r = 0;
 *
 *		for (unsigned i = 0; i < ops; i++)
 *			r = sys(SYS_getppid);
 *		expect(r > 0);
 *	}
 *
 * bench.c runs each row in a process of its own: the setup function once, then the loop once to warm up and
 * three times under the clock. What the empty loop costs is subtracted. Loops check the last result only, after
 * their end, so that the check costs nothing; a setup function says with a negative errno that the kernel
 * lacks something.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

enum row_kind {
	MAIN, /* what the kernel is judged by */
	VARIANT, /* the same with other sizes or strides: nothing may be made for the main rows alone */
	OTHER, /* for orientation */
};

struct row {
	const char *name;
	enum row_kind kind;
	unsigned ops; /* operations in one batch */
	int (*setup)(void);
	void (*run)(unsigned ops);
	struct row *next;
};

/* row_add - called before main, in link order. */
void row_add(struct row *row);

#define ROW(row_kind, row_name, batch, row_setup)                     \
	static void run_##row_name(unsigned ops);                     \
	__attribute__((constructor)) static void add_##row_name(void) \
	{                                                             \
		static struct row row = {.name = #row_name,           \
					 .kind = (row_kind),          \
					 .ops = (batch),              \
					 .setup = (row_setup),        \
					 .run = run_##row_name};      \
		row_add(&row);                                        \
	}                                                             \
	static void run_##row_name(unsigned ops)

/* expect - ends the row as failed, naming what was expected, when it is not so. */
#define expect(condition) expect_true((condition), #condition)
void expect_true(bool condition, const char *what);

/* peer_fork - a process that runs fn and exits; ended and reaped after the row. A negative errno if there is none. */
int peer_fork(void (*fn)(void));

/* pages_map - fresh anonymous memory in 4 KiB pages, untouched. Ends the row when there is none. */
char *pages_map(size_t bytes);

/* pages_touch - write to every `stride`th byte. */
void pages_touch(char *p, size_t bytes, size_t stride);

#ifdef __x86_64__
static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return nr;
}

static inline long sys3(long nr, long a, long b, long c)
{
	__asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return nr;
}
#else
static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

static inline long sys3(long nr, long a, long b, long c)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#endif

/* sys - a system call of up to three arguments; the kernel's own return value. */
#define SYS_PICK(nr, a, b, c, ...) sys3(nr, (long)(a), (long)(b), (long)(c))
#define sys(...)                   SYS_PICK(__VA_ARGS__, 0, 0, 0)

/* fork_raw - fork without the C library's handlers; wait_raw - reap this child, its wait status. */
static inline long fork_raw(void)
{
	return sys6(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0, 0);
}

static inline int wait_raw(long pid)
{
	int status = -1;

	sys6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
	return status;
}

__attribute__((noreturn)) static inline void exit_raw(int code)
{
	for (;;)
		sys(SYS_exit_group, code);
}
