/* SPDX-License-Identifier: MIT */
/*
 * harness.h - the frame of a host test program. Each TEST is a claim and its proof:
 *
 *	TEST(erased_keys_are_gone)
 *	{
 *		EXPECT_EQ(count(), 3);
 *		ASSERT(find(7));
 *	}
 *
 * A program prints KTAP and exits with 0 when every claim held. Given names as arguments it runs only
 * the tests whose name contains one of them; -l lists. Random numbers come from rng(), which is
 * seeded for each test from HOST_TEST_SEED (printed; 1 unless set) and the test's name, so that a
 * failure repeats whichever tests run. A test that takes longer than two minutes is ended.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <quire/types.h>
#include <quire/compiler.h>
#include <quire/assert.h>

struct host_test {
	const char *name;
	void (*run)(void);
	struct host_test *next;
};

void host_test_register(struct host_test *);

#define TEST(id)                                                     \
	static void test_##id(void);                                 \
	__attribute__((constructor)) static void register_##id(void) \
	{                                                            \
		static struct host_test t = {#id, test_##id, NULL};  \
		host_test_register(&t);                              \
	}                                                            \
	static void test_##id(void)

/* EXPECT notes a failure and goes on; ASSERT ends the test, from however deep. Only the thread that
 * runs the test may use ASSERT. */
#define EXPECT(x) ((x) ? (void)0 : host_fail(__FILE__, __LINE__, "%s", #x))
#define ASSERT(x) ((x) ? (void)0 : (host_fail(__FILE__, __LINE__, "%s", #x), host_test_abort()))

#define HOST_COMPARE(a, b, then)                                                              \
	do {                                                                                  \
		long long host_a = (long long)(a), host_b = (long long)(b);                   \
		if (host_a != host_b) {                                                       \
			host_fail(__FILE__, __LINE__, "%s = %lld (%#llx), not %s = %lld", #a, \
				  host_a, host_a, #b, host_b);                                \
			then;                                                                 \
		}                                                                             \
	} while (0)
#define EXPECT_EQ(a, b) HOST_COMPARE(a, b, (void)0)
#define ASSERT_EQ(a, b) HOST_COMPARE(a, b, host_test_abort())
#define EXPECT_STREQ(a, b)                                                                   \
	do {                                                                                 \
		const char *host_a = (a), *host_b = (b);                                     \
		if (strcmp(host_a, host_b))                                                  \
			host_fail(__FILE__, __LINE__, "%s = \"%s\", not \"%s\"", #a, host_a, \
				  host_b);                                                   \
	} while (0)

/* EXPECT_PANIC - the statement must end in panic(); it runs in a child process. */
#define EXPECT_PANIC(statement)                                                    \
	do {                                                                       \
		if (host_panic_begin()) {                                          \
			statement;                                                 \
			host_panic_missing();                                      \
		}                                                                  \
		if (!host_panic_seen())                                            \
			host_fail(__FILE__, __LINE__, "no panic: %s", #statement); \
	} while (0)

void host_fail(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);
void host_test_abort(void) NORETURN;
bool host_test_failed(void); /* the running test: to stop after the first of many repetitions */

bool host_panic_begin(void); /* true in the child */
void host_panic_missing(void) NORETURN;
bool host_panic_seen(void); /* in the parent */

/* note - a line of diagnostics in the output. */
void note(const char *fmt, ...) PRINTF_LIKE(1, 2);

u64 rng(void);
u64 rng_below(u64 n);        /* 0 .. n - 1; n is not 0 */
bool rng_one_in(unsigned n); /* true once in n times */

/* Allocation that fails on demand: after host_fail_after(n), n calls of host_alloc succeed and the
 * next one fails, once. host_fail_hit tells whether it did. host_live counts what is allocated. */
void host_fail_after(long n);
bool host_fail_hit(void);
bool host_should_fail(void); /* for allocators of a test's own: counts one call */
void *host_alloc(size_t size);
void host_free(void *);
extern long host_live;
