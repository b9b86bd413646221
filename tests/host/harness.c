/* SPDX-License-Identifier: MIT */
/* harness.c - runs the registered tests one after the other and prints KTAP. See harness.h. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#define TEST_SECONDS 120

static struct host_test *tests, **tests_end = &tests;
static jmp_buf leave;
static int failures; /* of the running test; atomic: threads of a test may fail too */
static u64 rng_state;

void host_test_register(struct host_test *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

void host_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	/* A broken invariant in a loop would drown its first occurrence. */
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) >= 10)
		return;
	va_start(args, fmt);
	printf("# %s:%d: ", file, line);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

void host_test_abort(void)
{
	longjmp(leave, 1);
}

bool host_test_failed(void)
{
	return __atomic_load_n(&failures, __ATOMIC_RELAXED) != 0;
}

void note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("# ", stdout);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

u64 rng(void)
{
	u64 x = rng_state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u64 rng_below(u64 n)
{
	return rng() % n;
}

bool rng_one_in(unsigned n)
{
	return rng_below(n) == 0;
}

static bool selected(const struct host_test *t, int argc, char **argv)
{
	if (argc < 2)
		return true;
	for (int i = 1; i < argc; i++)
		if (strstr(t->name, argv[i]))
			return true;
	return false;
}

static bool run_one(const struct host_test *t, u64 seed)
{
	failures = 0;
	rng_state = seed;
	for (const char *p = t->name; *p; p++)
		rng_state = rng_state * 31 + (u8)*p;
	alarm(TEST_SECONDS);
	if (!setjmp(leave))
		t->run();
	alarm(0);
	host_fail_after(-1);
	return failures == 0;
}

int main(int argc, char **argv)
{
	const char *env = getenv("HOST_TEST_SEED");
	u64 seed = env ? strtoull(env, NULL, 0) : 1;
	int n = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct host_test *t = tests; t; t = t->next)
		n += selected(t, argc, argv);
	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (struct host_test *t = tests; t; t = t->next)
			puts(t->name);
		return 0;
	}
	printf("KTAP version 1\n1..%d\n# seed %llu\n", n, (unsigned long long)seed);
	n = 0;
	for (struct host_test *t = tests; t; t = t->next) {
		bool passed;

		if (!selected(t, argc, argv))
			continue;
		passed = run_one(t, seed);
		printf("%sok %d %s\n", passed ? "" : "not ", ++n, t->name);
		failed += !passed;
	}
	return failed || !n;
}
