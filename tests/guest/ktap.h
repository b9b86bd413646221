/* SPDX-License-Identifier: MIT */
/*
 * ktap.h - the whole test harness of the guest programs, in one header.
 *
 * A program is a list of claims:
 *
 *	TEST(child_write_is_private) { ...; EXPECT(x == 1); EXPECT_EQ(read(..), 4); }
 *	TEST_MAIN()
 *
 * Each claim runs in its own forked child, so that one that crashes or hangs costs only itself: the
 * parent polls for its end, kills it when its time is over, and prints one KTAP line. EXPECT notes
 * a failure and goes on; ASSERT ends the claim. Claims run in the order they are written.
 *
 * What the kernel under test must offer for this: fork, wait4 with WNOHANG, kill, write, a sleep and
 * a monotonic clock. Output goes through write(2), one line per call, never through stdio: a fork
 * would duplicate its buffers, and lines of different processes must not mix.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KTAP_SECONDS 20 /* a claim's time limit; emulated CPUs are slow */
#define KTAP_SKIP    4  /* exit status of a claim that cannot be tried here */

struct ktap_test {
	const char *name;
	void (*run)(void *arg);
	void *arg;
	unsigned seconds;
	struct ktap_test *next;
};

static struct ktap_test *ktap_first, **ktap_last = &ktap_first;
static unsigned ktap_count;
static bool ktap_failed; /* in the claim's own process */

static inline void ktap_add(struct ktap_test *t)
{
	*ktap_last = t;
	ktap_last = &t->next;
	ktap_count++;
}

#define TEST(claim) TEST_SECONDS(claim, KTAP_SECONDS)
#define TEST_SECONDS(claim, limit)                                                              \
	static void claim(void *);                                                              \
	__attribute__((constructor)) static void claim##_add(void)                              \
	{                                                                                       \
		static struct ktap_test t = {.name = #claim, .run = claim, .seconds = (limit)}; \
		ktap_add(&t);                                                                   \
	}                                                                                       \
	static void claim(__attribute__((unused)) void *test_arg)

/* ktap_print - one line (or part of one) in a single write. */
__attribute__((format(printf, 1, 2))) static inline void ktap_print(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	if (write(1, line, (size_t)n) < 0)
		_exit(1);
}

#define ktap_note(fmt, ...) ktap_print("# %s:%d: " fmt "\n", __FILE_NAME__, __LINE__, ##__VA_ARGS__)
#ifndef __FILE_NAME__
#define __FILE_NAME__ ktap_base_name(__FILE__)
#endif
static inline const char *ktap_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

#define KTAP_CHECK(ok, stop, ...)               \
	({                                      \
		bool ktap_ok = (ok);            \
		if (!ktap_ok) {                 \
			ktap_failed = true;     \
			ktap_note(__VA_ARGS__); \
			if (stop)               \
				_exit(1);       \
		}                               \
		ktap_ok;                        \
	})
#define EXPECT(x) KTAP_CHECK(x, false, "expected %s", #x)
#define ASSERT(x) KTAP_CHECK(x, true, "expected %s (errno %d)", #x, errno)

#define KTAP_CHECK_EQ(a, b, stop)                                                                \
	({                                                                                       \
		long long ktap_a = (long long)(a), ktap_b = (long long)(b);                      \
		KTAP_CHECK(ktap_a == ktap_b, stop, "%s is %lld (0x%llx), expected %s: %lld", #a, \
			   ktap_a, ktap_a, #b, ktap_b);                                          \
	})
#define EXPECT_EQ(a, b) KTAP_CHECK_EQ(a, b, false)
#define ASSERT_EQ(a, b) KTAP_CHECK_EQ(a, b, true)

/* EXPECT_ERRNO - the call returns -1 (or MAP_FAILED) with this errno. */
#define EXPECT_ERRNO(call, code)                                                                 \
	({                                                                                       \
		errno = 0;                                                                       \
		long ktap_r = (long)(call);                                                      \
		KTAP_CHECK(ktap_r == -1 && errno == (code), false,                               \
			   "%s returned %ld, errno %d, expected errno %s", #call, ktap_r, errno, \
			   #code);                                                               \
	})

#define SKIP(reason)                                   \
	do {                                           \
		ktap_print("# skipped: %s\n", reason); \
		_exit(KTAP_SKIP);                      \
	} while (0)

static inline uint64_t ktap_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline void ktap_sleep_ns(uint64_t ns)
{
	struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	nanosleep(&ts, NULL);
}

/* ktap_wait - the wait status of a child, which is killed after the given seconds (*late then). */
static inline int ktap_wait(pid_t pid, unsigned seconds, bool *late)
{
	uint64_t end = ktap_now_ns() + seconds * 1000000000ull, pause = 50000;
	int status = 0;

	*late = false;
	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0) {
			ktap_note("waitpid failed: errno %d", errno);
			return 1 << 8;
		}
		if (!*late && ktap_now_ns() > end) {
			*late = true;
			kill(pid, SIGKILL);
		}
		ktap_sleep_ns(pause);
		if (pause < 5000000)
			pause *= 2;
	}
}

/* ktap_fork_run - run fn(arg) in a child of its own; its wait status. The child exits with 0 when fn
 * returns and no EXPECT in it failed. */
static inline int ktap_fork_run(void (*fn)(void *), void *arg)
{
	bool late;
	pid_t pid = fork();

	if (pid < 0) {
		ktap_note("fork failed: errno %d", errno);
		_exit(1);
	}
	if (pid == 0) {
		ktap_failed = false;
		fn(arg);
		_exit(ktap_failed);
	}
	return ktap_wait(pid, KTAP_SECONDS, &late);
}

/* EXPECT_DEATH - fn(arg) is ended by this signal. EXPECT_CHILD_OK - it runs to its end. */
#define EXPECT_DEATH(fn, arg, sig)                                                         \
	({                                                                                 \
		int ktap_s = ktap_fork_run(fn, (void *)(arg));                             \
		KTAP_CHECK(WIFSIGNALED(ktap_s) && WTERMSIG(ktap_s) == (sig), false,        \
			   "%s: wait status 0x%x, expected signal %s", #fn, ktap_s, #sig); \
	})
#define EXPECT_CHILD_OK(fn, arg)                                                                 \
	({                                                                                       \
		int ktap_s = ktap_fork_run(fn, (void *)(arg));                                   \
		KTAP_CHECK(ktap_s == 0, false, "%s: wait status 0x%x, expected 0", #fn, ktap_s); \
	})

/* Touching memory where the compiler sees nothing. */
static inline uint8_t ktap_load(const volatile void *p)
{
	return *(const volatile uint8_t *)p;
}

static inline void ktap_store(volatile void *p, uint8_t value)
{
	*(volatile uint8_t *)p = value;
}

static void ktap_do_load(void *p)
{
	ktap_load(p);
}

static void ktap_do_store(void *p)
{
	ktap_store(p, 1);
}

#define EXPECT_LOAD_DIES(p)  EXPECT_DEATH(ktap_do_load, p, SIGSEGV)
#define EXPECT_STORE_DIES(p) EXPECT_DEATH(ktap_do_store, p, SIGSEGV)

static inline bool ktap_run_one(struct ktap_test *t, unsigned number)
{
	bool late;
	pid_t pid = fork();

	if (pid == 0) {
		t->run(t->arg);
		_exit(ktap_failed);
	}
	int status = pid > 0 ? ktap_wait(pid, t->seconds, &late) : 1 << 8;

	if (pid < 0)
		ktap_print("# fork failed: errno %d\n", errno);
	else if (late)
		ktap_print("# still running after %u seconds\n", t->seconds);
	else if (WIFSIGNALED(status))
		ktap_print("# killed by signal %d\n", WTERMSIG(status));

	bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == KTAP_SKIP;
	bool ok = status == 0 || skipped;

	ktap_print("%s %u %s%s\n", ok ? "ok" : "not ok", number, t->name, skipped ? " # SKIP" : "");
	return ok;
}

static inline int ktap_run_all(void)
{
	unsigned number = 0, failures = 0;

	ktap_print("KTAP version 1\n1..%u\n", ktap_count);
	for (struct ktap_test *t = ktap_first; t; t = t->next)
		failures += !ktap_run_one(t, ++number);
	/* Referenced, so that a program that uses neither compiles without a warning. */
	(void)ktap_do_load;
	(void)ktap_do_store;
	return failures != 0;
}

#define TEST_MAIN()                    \
	int main(void)                 \
	{                              \
		return ktap_run_all(); \
	}
