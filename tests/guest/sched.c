/* SPDX-License-Identifier: MIT */
/*
 * sched.c - who runs where and when: affinity is obeyed and inherited, every runnable thread gets its
 * turn, nobody can keep a CPU for himself.
 */
#include "gate.h"
#include <pthread.h>

static unsigned current_cpu(void)
{
	unsigned cpu = ~0u;

	ASSERT_EQ(syscall(SYS_getcpu, &cpu, NULL, NULL), 0);
	return cpu;
}

static void pin_to(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ASSERT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* The numbers of the CPUs we may use; how many. */
static unsigned usable_cpus(unsigned *cpus)
{
	cpu_set_t set;
	unsigned n = 0;

	CPU_ZERO(&set);
	ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpus[n++] = i;
	return n;
}

TEST(affinity_can_be_read_and_set)
{
	unsigned cpus[CPU_SETSIZE], n = usable_cpus(cpus);
	cpu_set_t set;

	ASSERT(n >= 1);
	pin_to(cpus[n - 1]);
	CPU_ZERO(&set);
	EXPECT_EQ(sched_getaffinity(getpid(), sizeof(set), &set), 0);
	EXPECT_EQ(CPU_COUNT(&set), 1);
	EXPECT(CPU_ISSET(cpus[n - 1], &set));
}

TEST(pinned_threads_run_where_they_were_put)
{
	unsigned cpus[CPU_SETSIZE], n = usable_cpus(cpus);

	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < n; i++) {
			pin_to(cpus[i]);
			for (int k = 0; k < 20; k++) {
				EXPECT_EQ(current_cpu(), cpus[i]);
				if (k % 2)
					sched_yield();
				else
					ktap_sleep_ns(100000);
			}
		}
	}
}

static void *check_cpu(void *expected)
{
	uintptr_t wrong = 0;

	for (int i = 0; i < 50; i++) {
		wrong += current_cpu() != (unsigned)(uintptr_t)expected;
		sched_yield();
	}
	return (void *)wrong;
}

TEST(affinity_is_inherited)
{
	unsigned cpus[CPU_SETSIZE], n = usable_cpus(cpus);
	pthread_t t;
	void *wrong;
	int status;

	pin_to(cpus[n / 2]);
	ASSERT_EQ(pthread_create(&t, NULL, check_cpu, (void *)(uintptr_t)cpus[n / 2]), 0);
	ASSERT_EQ(pthread_join(t, &wrong), 0);
	EXPECT_EQ((uintptr_t)wrong, 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(check_cpu((void *)(uintptr_t)cpus[n / 2]) != NULL);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static volatile bool stop;
static void *spin_until_stopped(void *count)
{
	while (!stop)
		++*(volatile uint64_t *)count;
	return NULL;
}

TEST(another_thread_can_be_moved_while_it_runs)
{
	unsigned cpus[CPU_SETSIZE], n = usable_cpus(cpus);
	uint64_t count = 0;
	pthread_t t;
	cpu_set_t set;

	ASSERT_EQ(pthread_create(&t, NULL, spin_until_stopped, &count), 0);
	for (unsigned i = 0; i < 3 * n; i++) {
		CPU_ZERO(&set);
		CPU_SET(cpus[i % n], &set);
		EXPECT_EQ(pthread_setaffinity_np(t, sizeof(set), &set), 0);
		uint64_t before = *(volatile uint64_t *)&count;
		while (*(volatile uint64_t *)&count == before)
			ktap_sleep_ns(1000000);
	}
	stop = true;
	pthread_join(t, NULL);
}

TEST(affinity_errors)
{
	cpu_set_t set;
	unsigned long words[128];

	CPU_ZERO(&set);
	EXPECT_ERRNO(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CPU_SET(1000, &set);
	EXPECT_ERRNO(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CPU_SET(0, &set);
	EXPECT_ERRNO(sched_setaffinity(0x3fffffff, sizeof(set), &set), ESRCH);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 7, words), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 0, words), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0x3fffffff, sizeof(words), words), ESRCH);
	long n = syscall(SYS_sched_getaffinity, 0, sizeof(words), words);
	EXPECT(n >= 8 && n <= (long)sizeof(words) && n % 8 == 0);
	CPU_SET(0, &set); /* CPUs that do not exist are dropped, as long as one remains */
	EXPECT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	EXPECT_EQ(current_cpu(), 0);
}

#define RUNNERS 24
TEST_SECONDS(all_of_many_runnable_processes_progress, 60)
{
	struct gate ready = gate_make(), go = gate_make();
	pid_t pids[RUNNERS];

	for (int i = 0; i < RUNNERS; i++) {
		pids[i] = fork();
		ASSERT(pids[i] >= 0);
		if (pids[i] == 0) {
			volatile uint64_t work = 0;

			gate_send(&ready, 1);
			gate_receive(&go);
			uint64_t end = ktap_now_ns() + 200000000;
			while (work < 20000 || ktap_now_ns() < end)
				work++;
			_exit(0);
		}
	}
	for (int i = 0; i < RUNNERS; i++)
		gate_receive(&ready);
	for (int i = 0; i < RUNNERS; i++)
		gate_send(&go, 1);
	for (int i = 0; i < RUNNERS; i++) {
		int status;

		ASSERT_EQ(waitpid(pids[i], &status, 0), pids[i]);
		EXPECT_EQ(status, 0);
	}
}

/* Times are the emulator's: a loaded host stops a virtual CPU for many slices at once, and Linux, too, then
 * misses these bounds now and then. So each claim about time may be missed by some of several attempts. */
#define ATTEMPTS 6

static void start_spinners(pthread_t *t, uint64_t *count)
{
	stop = false;
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, spin_until_stopped, &count[i]), 0);
}

static void stop_spinners(pthread_t *t)
{
	stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

/* Four busy threads on one CPU for a while: none got a third of what another got, or less. */
static bool shares_are_even(void)
{
	uint64_t count[4] = {0}, least = ~0ull, most = 0;
	pthread_t t[4];

	start_spinners(t, count);
	ktap_sleep_ns(1000000000);
	stop_spinners(t);
	for (int i = 0; i < 4; i++) {
		least = count[i] < least ? count[i] : least;
		most = count[i] > most ? count[i] : most;
	}
	ktap_print("# least %llu, most %llu\n", (unsigned long long)least,
		   (unsigned long long)most);
	return least > 0 && most < 3 * least;
}

TEST_SECONDS(equal_threads_get_equal_time, 60)
{
	bool even = false;

	pin_to(0);
	for (int i = 0; i < ATTEMPTS && !even; i++)
		even = shares_are_even();
	EXPECT(even);
}

TEST_SECONDS(a_sleeper_wakes_soon_among_busy_threads, 60)
{
	uint64_t count[4] = {0};
	unsigned soon = 0;
	pthread_t t[4];

	pin_to(0);
	start_spinners(t, count);
	for (int i = 0; i < 20; i++) {
		uint64_t start = ktap_now_ns();

		ktap_sleep_ns(10000000);
		soon += ktap_now_ns() - start < 10000000 + 100000000;
	}
	stop_spinners(t);
	if (!EXPECT(soon >= 5))
		ktap_print("# only %u of 20 sleeps ended within 100 ms of their time\n", soon);
}

static volatile bool flag;
static void *wait_for_flag(void *arg)
{
	while (!flag)
		;
	return arg;
}

TEST(a_loop_without_system_calls_is_preempted)
{
	pthread_t t;

	pin_to(0);
	ASSERT_EQ(pthread_create(&t, NULL, wait_for_flag, NULL), 0);
	ktap_sleep_ns(20000000);
	flag = true;
	pthread_join(t, NULL);
}

static volatile unsigned turn;
static void *pass_the_turn(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 200; i++) {
		while (turn % 2 != me)
			sched_yield();
		turn++;
	}
	return NULL;
}

TEST(yield_lets_the_other_run)
{
	pthread_t a, b;

	pin_to(0);
	ASSERT_EQ(pthread_create(&a, NULL, pass_the_turn, (void *)0), 0);
	ASSERT_EQ(pthread_create(&b, NULL, pass_the_turn, (void *)1), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	EXPECT_EQ(turn, 400);
}

TEST(waiting_work_spreads_over_the_cpus)
{
	unsigned cpus[CPU_SETSIZE], n = usable_cpus(cpus);
	struct gate result = gate_make();
	uint64_t seen = 0;

	if (n == 1)
		SKIP("one CPU");
	for (unsigned i = 0; i < 2 * n; i++)
		if (fork() == 0) {
			uint64_t mask = 0, end = ktap_now_ns() + 200000000;

			while (ktap_now_ns() < end)
				mask |= 1ull << current_cpu();
			gate_send(&result, mask);
			_exit(0);
		}
	for (unsigned i = 0; i < 2 * n; i++)
		seen |= gate_receive(&result);
	while (waitpid(-1, NULL, 0) > 0)
		;
	EXPECT_EQ(__builtin_popcountll(seen), n);
}

TEST_MAIN()
