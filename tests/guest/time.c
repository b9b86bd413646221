/* SPDX-License-Identifier: MIT */
/* time.c - clocks never go back, sleeps never end early, and both hold on every CPU at once. */
#include "ktap.h"
#include <pthread.h>
#include <time.h>

static uint64_t to_ns(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t now_by_system_call(clockid_t clock)
{
	struct timespec ts = {0, 0};

	ASSERT_EQ(syscall(SYS_clock_gettime, clock, &ts), 0);
	ASSERT(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
	return to_ns(ts);
}

static struct timespec in_future(uint64_t ns)
{
	uint64_t t = ktap_now_ns() + ns;

	return (struct timespec){(time_t)(t / 1000000000u), (long)(t % 1000000000u)};
}

TEST(monotonic_clock_never_goes_back)
{
	uint64_t last = now_by_system_call(CLOCK_MONOTONIC);

	for (int i = 0; i < 20000; i++) {
		uint64_t now = now_by_system_call(CLOCK_MONOTONIC);

		ASSERT(now >= last);
		last = now;
	}
}

static volatile uint64_t newest;
static void *compare_clocks(void *arg)
{
	uintptr_t backwards = 0;

	for (int i = 0; i < 5000; i++) {
		uint64_t seen = __atomic_load_n(&newest, __ATOMIC_ACQUIRE), now = ktap_now_ns();

		backwards += now < seen;
		while (seen < now &&
		       !__atomic_compare_exchange_n(&newest, &seen, now, false, __ATOMIC_RELEASE,
						    __ATOMIC_ACQUIRE))
			;
	}
	(void)arg;
	return (void *)backwards;
}

TEST_SECONDS(clocks_of_all_cpus_agree, 60)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, compare_clocks, NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *backwards;

		pthread_join(t[i], &backwards);
		EXPECT_EQ((uintptr_t)backwards, 0);
	}
}

TEST(clock_runs_while_the_program_does)
{
	uint64_t start = ktap_now_ns();

	while (ktap_now_ns() < start + 5000000)
		;
}

TEST(realtime_and_monotonic_run_at_one_rate)
{
	uint64_t m = now_by_system_call(CLOCK_MONOTONIC), r = now_by_system_call(CLOCK_REALTIME);

	ktap_sleep_ns(100000000);
	m = now_by_system_call(CLOCK_MONOTONIC) - m;
	r = now_by_system_call(CLOCK_REALTIME) - r;
	EXPECT(m >= 100000000);
	EXPECT(r + 50000000 > m && r < m + 1000000000);
}

TEST(sleep_is_at_least_as_long_as_asked)
{
	static const uint64_t lengths[] = {0,       1,       1000,     50000,
					   1000000, 3000000, 20000000, 150000000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint64_t start = ktap_now_ns();

		ktap_sleep_ns(lengths[i]);
		uint64_t slept = ktap_now_ns() - start;
		EXPECT(slept >= lengths[i]);
		EXPECT(slept < lengths[i] + 5000000000u);
	}
}

TEST(sleep_until_a_point_in_time)
{
	struct timespec end = in_future(30000000);

	EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0);
	EXPECT(ktap_now_ns() >= to_ns(end));
	EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0); /* past */
}

TEST(bad_times_are_refused)
{
	struct timespec negative = {-1, 0}, too_many = {0, 1000000000}, ts;

	EXPECT_ERRNO(nanosleep(&negative, NULL), EINVAL);
	EXPECT_ERRNO(nanosleep(&too_many, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clock_gettime, 999, &ts), EINVAL);
	EXPECT_EQ(clock_nanosleep(999, 0, &too_many, NULL), EINVAL);
	EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &too_many, NULL), EINVAL);
}

static void *sleep_and_check(void *arg)
{
	uintptr_t early = 0;

	for (int i = 0; i < 20; i++) {
		uint64_t ns = ((uintptr_t)arg % 7 + 1) * 700000, start = ktap_now_ns();

		ktap_sleep_ns(ns);
		early += ktap_now_ns() - start < ns;
	}
	return (void *)early;
}

TEST_SECONDS(forty_sleepers_wake_in_time, 60)
{
	pthread_t t[40];

	for (uintptr_t i = 0; i < 40; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, sleep_and_check, (void *)i), 0);
	for (int i = 0; i < 40; i++) {
		void *early;

		pthread_join(t[i], &early);
		EXPECT_EQ((uintptr_t)early, 0);
	}
}

TEST(a_long_sleep_can_be_killed)
{
	pid_t pid = fork();

	if (pid == 0) {
		ktap_sleep_ns(3600ull * 1000000000u);
		_exit(0);
	}
	ktap_sleep_ns(10000000);
	EXPECT_EQ(kill(pid, SIGTERM), 0);
	int status;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, SIGTERM);
}

TEST_MAIN()
