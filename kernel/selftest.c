/* SPDX-License-Identifier: MIT */
/*
 * selftest.c - running the self tests and reporting on them.
 *
 * Read next: selftest_locks.c, selftest_threads.c (claims), selftest_panic.c (ways to end).
 */
#include <arch/power.h>
#include <quire/assert.h>
#include "boot/boot_info.h"
#include "drivers/console.h"
#include "kernel/cpumask.h"
#include "kernel/selftest.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

static const struct selftest *const claims[] = {selftest_string, selftest_locks, selftest_threads};

static u32 nr_failures; /* [a] of the running test */

void selftest_say(const char *fmt, ...)
{
	char line[200];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	console_write(line, MIN((size_t)n, sizeof(line) - 1));
}

void selftest_fail(const char *file, int line, const char *what)
{
	if (atomic_add_return(&nr_failures, 1u) <= 5)
		selftest_say("# %s:%d: not so: %s\n", file, line, what);
}

/* --- crews ---------------------------------------------------------------------------------------- */

static void member_main(void *arg)
{
	struct crew_member *m = arg;
	u32 *left = m->left;

	m->fn(m);
	atomic_sub(left, 1u);
}

void crew_run(unsigned n, void (*fn)(struct crew_member *), void *shared)
{
	struct crew_member members[CREW_MAX];
	struct thread *threads[CREW_MAX];
	u32 left = n;

	for (unsigned i = 0; i < n; i++) {
		members[i] = (struct crew_member){i, shared, fn, &left};
		if (thread_create(&threads[i], "crew", member_main, &members[i]))
			panic("not enough memory for a test");
	}
	for (unsigned i = 0; i < n; i++) {
		thread_wake(threads[i]);
		thread_put(threads[i]);
	}
	while (atomic_load_acquire(&left))
		time_sleep_ns(200 * NSEC_PER_USEC);
}

void selftest_pin(unsigned cpu)
{
	struct cpumask mask = {0};

	cpumask_set(&mask, cpu);
	CHECK(sched_set_affinity(current, &mask) == 0);
}

void selftest_unpin(void)
{
	struct cpumask mask;

	memset(&mask, 0xff, sizeof(mask));
	CHECK(sched_set_affinity(current, &mask) == 0);
}

/* --- running -------------------------------------------------------------------------------------- */

static bool run_claim(const struct selftest *t, unsigned number)
{
	u64 start = time_now();

	nr_failures = 0;
	t->run();
	selftest_say("%s %u - %s # %lu us\n", nr_failures ? "not ok" : "ok", number, t->name,
		     (time_now() - start) / NSEC_PER_USEC);
	return nr_failures == 0;
}

static unsigned count_claims(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(claims); i++) {
		for (const struct selftest *t = claims[i]; t->name; t++)
			n++;
	}
	return n;
}

/* Those called `name`, or all. */
static void run_claims(const char *name)
{
	bool all = !strcmp(name, "all");
	unsigned number = 0, failed = 0;

	selftest_say("KTAP version 1\n1..%u\n", all ? count_claims() : 1);
	for (unsigned i = 0; i < ARRAY_SIZE(claims); i++) {
		for (const struct selftest *t = claims[i]; t->name; t++) {
			if (all || !strcmp(name, t->name))
				failed += !run_claim(t, ++number);
		}
	}
	if (!number)
		selftest_say("not ok 1 - there is no self test \"%s\"\n", name);
	selftest_say("# all self tests done\n");
	if (failed || !number)
		arch_exit_failure();
	arch_power_off();
}

void selftest_run(void)
{
	char name[64];

	if (!boot_cmdline_get("selftest", name, sizeof(name)))
		return;
	for (const struct selftest *t = selftest_panics; t->name; t++) {
		if (!strcmp(name, t->name)) {
			t->run();
			selftest_say("not ok 1 - %s did not panic\n", name);
			arch_exit_failure();
		}
	}
	run_claims(name);
}
