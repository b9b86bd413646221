/* SPDX-License-Identifier: MIT */
/* futex_basic.c - the futex operations that every libc's locks are made of, called directly. */
#include "memory.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/time.h>

static long futex(volatile uint32_t *word, int op, uint32_t value, const void *timeout,
		  volatile uint32_t *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static volatile uint32_t word, other_word;
static volatile uint32_t waiting, woken;

static void *wait_on_word(void *op)
{
	__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
	long r = futex(&word, (int)(uintptr_t)op, 0, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return (void *)r;
}

static void start_waiters(pthread_t *t, uint32_t n, int op)
{
	for (uint32_t i = 0; i < n; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, wait_on_word, (void *)(uintptr_t)op), 0);
	while (waiting < n)
		ktap_sleep_ns(1000000);
	ktap_sleep_ns(50000000); /* from "about to wait" to "waiting" */
}

/* Whoever was not asleep yet when it was counted is caught by the changed word: wake until all are up. */
static void finish_waiters(pthread_t *t, uint32_t n)
{
	word = 1;
	while (woken < n) {
		futex(&word, FUTEX_WAKE, 1000, NULL, NULL, 0);
		futex(&word, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0);
		futex(&other_word, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0);
		ktap_sleep_ns(1000000);
	}
	for (uint32_t i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

static void await_woken(uint32_t n)
{
	while (woken < n)
		ktap_sleep_ns(1000000);
}

TEST(wait_needs_the_expected_value)
{
	word = 5;
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 6, NULL, NULL, 0), EAGAIN);
}

TEST(wake_without_waiters_wakes_nobody)
{
	EXPECT_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0), 0);
}

TEST(wake_wakes_as_many_as_asked)
{
	pthread_t t[5];

	start_waiters(t, 5, FUTEX_WAIT_PRIVATE);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	await_woken(1);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
	await_woken(3);
	ktap_sleep_ns(20000000);
	EXPECT_EQ(woken, 3);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0), 2);
	await_woken(5);
	finish_waiters(t, 5);
}

TEST(wake_of_another_word_wakes_nobody)
{
	pthread_t t[1];

	start_waiters(t, 1, FUTEX_WAIT_PRIVATE);
	EXPECT_EQ(futex(&other_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&word + 1, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
	finish_waiters(t, 1);
}

TEST(shared_futexes_work_in_private_memory)
{
	pthread_t t[2];

	start_waiters(t, 2, FUTEX_WAIT);
	EXPECT_EQ(futex(&word, FUTEX_WAKE, 1000, NULL, NULL, 0), 2);
	finish_waiters(t, 2);
}

TEST(timeout_is_relative_for_wait)
{
	struct timespec ms20 = {0, 20000000}, zero = {0, 0}, bad = {0, 1000000000},
			before = {-1, 0};
	uint64_t start = ktap_now_ns();

	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &ms20, NULL, 0), ETIMEDOUT);
	EXPECT(ktap_now_ns() - start >= 20000000);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &zero, NULL, 0), ETIMEDOUT);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &before, NULL, 0), EINVAL);
}

TEST(timeout_is_absolute_for_wait_bitset)
{
	struct timespec end;
	uint64_t start = ktap_now_ns();

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += 20000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &end, NULL, 1), ETIMEDOUT);
	EXPECT(ktap_now_ns() - start >= 20000000);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &end, NULL, 1), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &end);
	EXPECT_ERRNO(
		futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &end, NULL, 1),
		ETIMEDOUT);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0), EINVAL);
}

TEST(bitsets_select_waiters)
{
	pthread_t t[1];

	start_waiters(t, 1, FUTEX_WAIT_BITSET_PRIVATE);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 1u << 9), 1);
	finish_waiters(t, 1);
}

TEST(requeue_moves_waiters_to_the_other_word)
{
	pthread_t t[4];

	start_waiters(t, 4, FUTEX_WAIT_PRIVATE);
	EXPECT_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10ul, &other_word, 99),
		     EAGAIN);
	EXPECT_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10ul, &other_word, 0), 4);
	await_woken(1);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(&other_word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
	await_woken(3);
	EXPECT_EQ(futex(&other_word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
	finish_waiters(t, 4);
}

TEST(requeueing_to_the_same_word_counts)
{
	pthread_t t[3];

	start_waiters(t, 3, FUTEX_WAIT_PRIVATE);
	EXPECT_EQ(futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (void *)2ul, &word, 0), 2);
	EXPECT_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10ul, &word, 0), 3);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 2);
	finish_waiters(t, 3);
}

TEST(less_than_one_is_one)
{
	uint32_t never = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_NE, 0);
	uint32_t always = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0);
	pthread_t t[6];

	start_waiters(t, 6, FUTEX_WAIT_PRIVATE);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0), 1);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, (uint32_t)-1, NULL, NULL, 0), 1);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1u << 31, NULL, NULL, 1), 1);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 0, NULL, &other_word, never), 1);
	EXPECT_EQ(futex(&other_word, FUTEX_WAKE_OP_PRIVATE, 1, NULL, &word, always), 1);
	EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 1);
	finish_waiters(t, 6);
}

static void ignore(int sig)
{
	(void)sig;
}

/* Even one that asks for calls to be made again, and even when they know how long. */
TEST(a_handler_ends_a_wait_with_a_timeout)
{
	struct sigaction sa = {.sa_handler = ignore, .sa_flags = SA_RESTART};
	struct itimerval soon = {{0, 0}, {0, 20000}};
	struct timespec end, limit = {15, 0};

	ASSERT_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	ASSERT_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0), EINTR);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 15;
	ASSERT_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
	EXPECT_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &end, NULL, 1), EINTR);
}

TEST(errors)
{
	uint8_t *page = map_anon(2 * PAGE);

	ASSERT_EQ(munmap(page + PAGE, PAGE), 0);
	EXPECT_ERRNO(futex((void *)(page + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex((void *)(page + 2), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex((void *)(page + PAGE), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex(NULL, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex((void *)0xffff800000000000ul, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex((void *)0xffff800000000000ul, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex((void *)page, FUTEX_WAIT, 0, page + PAGE, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex((void *)page, 99, 0, NULL, NULL, 0), ENOSYS);
	EXPECT_ERRNO(futex((void *)page, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0),
		     ENOSYS);
}

static void *add_slowly(void *arg)
{
	for (int i = 0; i < 300; i++) {
		while (__atomic_exchange_n(&word, 2, __ATOMIC_ACQUIRE) != 0)
			futex(&word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
		uint32_t v = other_word;
		if (i % 64 == 0)
			sched_yield();
		other_word = v + 1;
		if (__atomic_exchange_n(&word, 0, __ATOMIC_RELEASE) == 2)
			futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return arg;
}

TEST_SECONDS(a_lock_made_of_futexes_excludes, 60)
{
	pthread_t t[6];

	for (int i = 0; i < 6; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, add_slowly, NULL), 0);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(other_word, 6 * 300);
}

static void *end_at_once(void *arg)
{
	return arg;
}

/* pthread_join waits on the word that the kernel clears and wakes when the thread has ended. */
TEST(the_end_of_a_thread_wakes_its_joiner)
{
	for (int i = 0; i < 100; i++) {
		pthread_t t;

		ASSERT_EQ(pthread_create(&t, NULL, end_at_once, NULL), 0);
		ASSERT_EQ(pthread_join(t, NULL), 0);
	}
}

TEST(a_waiter_can_be_killed)
{
	pid_t pid = fork();

	if (pid == 0) {
		futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		_exit(0);
	}
	ktap_sleep_ns(20000000);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	int status;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, SIGKILL);
}

TEST(private_futexes_of_two_processes_are_two)
{
	pid_t pid = fork(); /* the same address in another process */

	if (pid == 0) {
		struct timespec ms200 = {0, 200000000};

		_exit(futex(&word, FUTEX_WAIT_PRIVATE, 0, &ms200, NULL, 0) == -1 &&
				      errno == ETIMEDOUT
			      ? 0
			      : 1);
	}
	for (int i = 0; i < 10; i++) {
		ktap_sleep_ns(5000000);
		EXPECT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
		EXPECT_EQ(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0), 0);
	}
	int status;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST_MAIN()
