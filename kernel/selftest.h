/* SPDX-License-Identifier: MIT */
/*
 * selftest.h - tests that the kernel runs on itself.
 *
 * "selftest=all" on the command line runs every test that must pass and prints KTAP; "selftest=NAME" runs
 * one of them, or one of those that must end in a panic. A test reports with CHECK and goes on.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

/* selftest_run - what the command line asks for, if anything; then the machine is switched off, or left with
 * a failing status. In a thread, all CPUs online. Returns only when no test was asked for. */
void selftest_run(void);

struct selftest {
	const char *name;
	void (*run)(void);
};

/* Tables ended by a NULL name: claims that hold; ways to panic. */
extern const struct selftest selftest_locks[], selftest_string[], selftest_threads[],
	selftest_panics[];

#define CHECK(x) ((x) ? (void)0 : selftest_fail(__FILE__, __LINE__, #x))
void selftest_fail(const char *file, int line, const char *what);

/* selftest_say - a line on the console without time stamp. */
void selftest_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A crew is a number of kernel threads that run the same function at the same time. */
struct crew_member {
	unsigned index;
	void *shared; /* as given to crew_run */
	void (*fn)(struct crew_member *);
	u32 *left; /* [a] members that have not finished */
};

#define CREW_MAX 16

/* crew_run - run fn in n threads (up to CREW_MAX), start to end. Sleeps. */
void crew_run(unsigned n, void (*fn)(struct crew_member *), void *shared);

/* selftest_pin - bind the current thread to one online CPU. */
void selftest_pin(unsigned cpu);
/* selftest_unpin - let it run anywhere again. */
void selftest_unpin(void);
