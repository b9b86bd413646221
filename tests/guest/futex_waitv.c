/* SPDX-License-Identifier: MIT */
/* futex_waitv.c - one wait for several words: which of them woke us, and what is refused. */
#include "memory.h"
#include <linux/futex.h>
#include <pthread.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define WORDS    8
#define TOO_MANY 129

struct waitv {
	uint64_t val, addr;
	uint32_t flags, reserved;
};

#define U32     2u
#define PRIVATE 128u

static volatile uint32_t words[TOO_MANY];
static struct waitv list[TOO_MANY];

static long futex_waitv(struct waitv *v, unsigned n, unsigned flags, const struct timespec *end,
			int clock)
{
	return syscall(SYS_futex_waitv, v, n, flags, end, clock);
}

static long wake(volatile uint32_t *word, unsigned op)
{
	return syscall(SYS_futex, word, FUTEX_WAKE | op, 1, NULL, NULL, 0);
}

static void fill(unsigned n, uint32_t flags)
{
	for (unsigned i = 0; i < n; i++)
		list[i] = (struct waitv){words[i], (uint64_t)(uintptr_t)&words[i], U32 | flags, 0};
}

static struct timespec in_50ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += 50000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

static struct timespec long_ago = {0, 1};

TEST(counts_and_flags_are_checked)
{
	fill(TOO_MANY, PRIVATE);
	EXPECT_ERRNO(futex_waitv(list, 0, 0, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex_waitv(list, TOO_MANY, 0, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex_waitv(NULL, 1, 0, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex_waitv(list, 1, 1, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex_waitv((struct waitv *)8, 1, 0, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex_waitv(list, 1, 0, &long_ago, CLOCK_PROCESS_CPUTIME_ID), EINVAL);
	EXPECT_ERRNO(futex_waitv(list, 1, 0, (void *)8, CLOCK_MONOTONIC), EFAULT);
	EXPECT_ERRNO(futex_waitv(list, 128, 0, &long_ago, CLOCK_MONOTONIC), ETIMEDOUT);
}

TEST(each_word_is_checked)
{
	const struct waitv bad[] = {
		{0, (uint64_t)(uintptr_t)&words[1], 0, 0},            /* eight bits */
		{0, (uint64_t)(uintptr_t)&words[1], 3, 0},            /* 64 bits */
		{0, (uint64_t)(uintptr_t)&words[1], U32 | 8, 0},      /* no such flag */
		{0, (uint64_t)(uintptr_t)&words[1], U32, 1},          /* reserved */
		{0, (uint64_t)(uintptr_t)&words[1] + 1, U32, 0},      /* not aligned */
		{1ull << 32, (uint64_t)(uintptr_t)&words[1], U32, 0}, /* no value of 32 bits */
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fill(2, PRIVATE);
		list[1] = bad[i];
		EXPECT_ERRNO(futex_waitv(list, 2, 0, &long_ago, CLOCK_MONOTONIC), EINVAL);
	}
	fill(2, PRIVATE);
	list[1].addr = 8;
	EXPECT_ERRNO(futex_waitv(list, 2, 0, &long_ago, CLOCK_MONOTONIC), EFAULT);
}

TEST(every_word_must_have_its_value)
{
	fill(WORDS, PRIVATE);
	list[WORDS - 1].val = 1;
	EXPECT_ERRNO(futex_waitv(list, WORDS, 0, NULL, 0), EAGAIN);
	EXPECT_EQ(wake(&words[0], FUTEX_PRIVATE_FLAG), 0);
}

TEST(timeouts_are_absolute_on_both_clocks)
{
	struct timespec end = in_50ms(CLOCK_MONOTONIC);
	uint64_t before = ktap_now_ns();

	fill(WORDS, 0);
	EXPECT_ERRNO(futex_waitv(list, WORDS, 0, &end, CLOCK_MONOTONIC), ETIMEDOUT);
	EXPECT(ktap_now_ns() >= before + 40000000);
	end = in_50ms(CLOCK_REALTIME);
	EXPECT_ERRNO(futex_waitv(list, WORDS, 0, &end, CLOCK_REALTIME), ETIMEDOUT);
}

static volatile unsigned waiting;

static void *wait_for_words(void *unused)
{
	(void)unused;
	waiting = 1;
	return (void *)futex_waitv(list, WORDS, 0, NULL, 0);
}

static void index_of_woken(unsigned index, uint32_t flags, unsigned op)
{
	pthread_t thread;
	void *result;

	waiting = 0;
	fill(WORDS, flags);
	ASSERT_EQ(pthread_create(&thread, NULL, wait_for_words, NULL), 0);
	while (!waiting)
		sched_yield();
	while (!wake(&words[index], op))
		ktap_sleep_ns(1000000);
	ASSERT_EQ(pthread_join(thread, &result), 0);
	EXPECT_EQ((long)result, index);
	for (unsigned i = 0; i < WORDS; i++)
		EXPECT_EQ(wake(&words[i], op), 0);
}

TEST(the_word_that_woke_us_is_told)
{
	index_of_woken(0, PRIVATE, FUTEX_PRIVATE_FLAG);
	index_of_woken(3, PRIVATE, FUTEX_PRIVATE_FLAG);
	index_of_woken(WORDS - 1, 0, 0);
}

TEST(a_shared_word_is_woken_by_another_process)
{
	volatile uint32_t *shared =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT(shared != MAP_FAILED);
	fill(2, PRIVATE);
	list[1] = (struct waitv){0, (uint64_t)(uintptr_t)shared, U32, 0};
	pid_t pid = fork();

	if (pid == 0) {
		while (!wake(shared, 0))
			ktap_sleep_ns(1000000);
		_exit(0);
	}
	EXPECT_EQ(futex_waitv(list, 2, 0, NULL, 0), 1);
	waitpid(pid, NULL, 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST(a_handler_interrupts)
{
	struct sigaction sa = {.sa_handler = on_signal};
	pid_t parent = getpid();

	sigaction(SIGUSR1, &sa, NULL);
	fill(WORDS, PRIVATE);
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			ktap_sleep_ns(20000000);
			if (kill(parent, SIGUSR1))
				_exit(0);
		}
	}
	EXPECT_ERRNO(futex_waitv(list, WORDS, 0, NULL, 0), EINTR);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_MAIN()
