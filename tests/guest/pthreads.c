/* SPDX-License-Identifier: MIT */
/*
 * pthreads.c - POSIX threads as a libc makes them out of clone and futex. Built with glibc and with musl:
 * the two ask different things of the kernel (clone3 or clone, robust lists, how a stack is freed).
 */
#include "memory.h"
#include <pthread.h>
#include <semaphore.h>

#define THREADS 8

static void start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	ASSERT_EQ(pthread_create(t, NULL, fn, arg), 0);
}

static void *finish(pthread_t t)
{
	void *result = NULL;

	ASSERT_EQ(pthread_join(t, &result), 0);
	return result;
}

static void *times_two(void *arg)
{
	return (void *)((uintptr_t)arg * 2);
}

TEST(eight_threads_return_their_results)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		start(&t[i], times_two, (void *)i);
	for (uintptr_t i = 0; i < THREADS; i++)
		EXPECT_EQ((uintptr_t)finish(t[i]), 2 * i);
}

static void *own_ids(void *arg)
{
	*(long *)arg = syscall(SYS_gettid);
	return (void *)(long)getpid();
}

TEST(threads_share_the_process_id_and_have_their_own)
{
	pthread_t a, b;
	long tid_a, tid_b;

	start(&a, own_ids, &tid_a);
	start(&b, own_ids, &tid_b);
	EXPECT_EQ((long)finish(a), getpid());
	EXPECT_EQ((long)finish(b), getpid());
	EXPECT(tid_a != tid_b && tid_a != getpid() && tid_b != getpid());
	EXPECT_EQ(syscall(SYS_gettid), getpid());
}

/* --- locks -------------------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile unsigned long counter;
static volatile unsigned turn;

static void *count_under_mutex(void *arg)
{
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST_SECONDS(mutex_loses_no_increment, 60)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		start(&t[i], count_under_mutex, (void *)5000);
	for (int i = 0; i < THREADS; i++)
		finish(t[i]);
	EXPECT_EQ(counter, THREADS * 5000);
}

static void *sleep_under_mutex(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		pthread_mutex_lock(&mutex);
		unsigned long before = counter;
		ktap_sleep_ns(200000);
		counter = before + 1;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST_SECONDS(mutex_holders_may_sleep, 60)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		start(&t[i], sleep_under_mutex, NULL);
	for (int i = 0; i < THREADS; i++)
		finish(t[i]);
	EXPECT_EQ(counter, THREADS * 20);
}

static void *take_turns(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % 3 != me)
			pthread_cond_wait(&cond, &mutex);
		turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST_SECONDS(three_threads_take_turns_on_a_condition, 60)
{
	pthread_t t[3];

	for (uintptr_t i = 0; i < 3; i++)
		start(&t[i], take_turns, (void *)i);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	EXPECT_EQ(turn, 1500);
}

TEST(condition_wait_times_out)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 20000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	uint64_t before = ktap_now_ns();
	pthread_mutex_lock(&mutex);
	EXPECT_EQ(pthread_cond_timedwait(&cond, &mutex, &end), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	EXPECT(ktap_now_ns() - before >= 15000000);
}

static pthread_barrier_t barrier;
static volatile unsigned long phase[THREADS];

static void *keep_step(void *arg)
{
	uintptr_t me = (uintptr_t)arg, torn = 0;

	for (unsigned long round = 1; round <= 50; round++) {
		phase[me] = round;
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < THREADS; i++)
			torn += phase[i] != round;
		pthread_barrier_wait(&barrier);
	}
	return (void *)torn;
}

TEST_SECONDS(barrier_keeps_threads_in_step, 60)
{
	pthread_t t[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		start(&t[i], keep_step, (void *)i);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ((uintptr_t)finish(t[i]), 0);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile unsigned long left, right;

static void *read_and_write(void *arg)
{
	uintptr_t torn = 0;

	for (int i = 0; i < 1000; i++) {
		if (i % 8 == 0) {
			pthread_rwlock_wrlock(&rwlock);
			left++;
			right++;
		} else {
			pthread_rwlock_rdlock(&rwlock);
			torn += left != right;
		}
		pthread_rwlock_unlock(&rwlock);
	}
	(void)arg;
	return (void *)torn;
}

TEST_SECONDS(readers_never_see_half_a_write, 60)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		start(&t[i], read_and_write, NULL);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ((uintptr_t)finish(t[i]), 0);
	EXPECT_EQ(left, THREADS * 125);
}

static sem_t items;
static void *consume(void *arg)
{
	for (int i = 0; i < 1000; i++)
		sem_wait(&items);
	return arg;
}

TEST_SECONDS(semaphore_passes_every_item, 60)
{
	pthread_t a, b;
	int value;

	sem_init(&items, 0, 0);
	start(&a, consume, NULL);
	start(&b, consume, NULL);
	for (int i = 0; i < 2000; i++)
		sem_post(&items);
	finish(a);
	finish(b);
	EXPECT(sem_getvalue(&items, &value) == 0 && value == 0);
}

/* --- thread-local things ------------------------------------------------------------------------ */

static __thread unsigned long own = 5;
static __thread char own_bss[3000];

static void *use_thread_local(void *arg)
{
	uintptr_t errors = own != 5 || own_bss[2999] != 0;

	for (int i = 0; i < 200; i++) {
		own = (uintptr_t)arg + (unsigned)i;
		memset(own_bss, (int)(uintptr_t)arg, sizeof(own_bss));
		sched_yield();
		errors += own != (uintptr_t)arg + (unsigned)i ||
			  own_bss[2999] != (char)(uintptr_t)arg;
	}
	return (void *)errors;
}

TEST(thread_local_variables_are_per_thread)
{
	pthread_t t[THREADS];

	own = 77;
	for (uintptr_t i = 0; i < THREADS; i++)
		start(&t[i], use_thread_local, (void *)(i * 1000));
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ((uintptr_t)finish(t[i]), 0);
	EXPECT_EQ(own, 77);
}

static void *sum_series(void *arg)
{
	double sum = 0, step = 1.0 / (double)((uintptr_t)arg + 3);

	for (int i = 0; i < 3000; i++) {
		sum += step * i;
		if (i % 16 == 0)
			sched_yield();
	}
	double expected = 0;
	for (int i = 0; i < 3000; i++)
		expected += step * i;
	return (void *)(uintptr_t)(memcmp(&sum, &expected, sizeof(sum)) != 0);
}

TEST(floating_point_survives_switches)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		start(&t[i], sum_series, (void *)i);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ((uintptr_t)finish(t[i]), 0);
}

/* --- life and death ----------------------------------------------------------------------------- */

static void *touch_a_megabyte(void *arg)
{
	volatile uint8_t big[1 << 20];

	for (size_t i = 0; i < sizeof(big); i += PAGE)
		big[i] = 1;
	return arg;
}

TEST_SECONDS(memory_of_ended_threads_is_returned, 90)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 2 << 20);
	for (int i = 0; i < 280; i++) { /* 280 MiB of stacks: more than the machine has */
		ASSERT_EQ(pthread_create(&t, &attr, touch_a_megabyte, NULL), 0);
		finish(t);
	}
}

TEST_SECONDS(five_hundred_threads_one_after_another, 60)
{
	pthread_t t;

	for (uintptr_t i = 0; i < 500; i++) {
		start(&t, times_two, (void *)i);
		ASSERT_EQ((uintptr_t)finish(t), 2 * i);
	}
}

static volatile bool release_all;
static void *wait_for_release(void *arg)
{
	pthread_mutex_lock(&mutex);
	counter++;
	while (!release_all)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

TEST_SECONDS(a_hundred_threads_at_once, 60)
{
	pthread_t t[100];

	for (int i = 0; i < 100; i++)
		start(&t[i], wait_for_release, NULL);
	while (counter < 100)
		ktap_sleep_ns(1000000);
	pthread_mutex_lock(&mutex);
	release_all = true;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 100; i++)
		finish(t[i]);
}

static void *post_and_end(void *arg)
{
	sem_post(&items);
	return arg;
}

TEST(detached_threads_end_by_themselves)
{
	pthread_t t;

	sem_init(&items, 0, 0);
	for (int i = 0; i < 50; i++) {
		start(&t, post_and_end, NULL);
		EXPECT_EQ(pthread_detach(t), 0);
	}
	for (int i = 0; i < 50; i++)
		sem_wait(&items);
}

static void *die_holding(void *robust)
{
	pthread_mutex_lock(robust);
	return NULL;
}

TEST(robust_mutex_tells_that_its_owner_died)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t robust;
	pthread_t t;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	start(&t, die_holding, &robust);
	finish(t);
	EXPECT_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
	EXPECT_EQ(pthread_mutex_consistent(&robust), 0);
	EXPECT_EQ(pthread_mutex_unlock(&robust), 0);
}

/* --- memory shared by threads ------------------------------------------------------------------- */

static uint8_t *shared_region;
#define REGION_PAGES 512

static void *fault_everything(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	for (size_t i = 0; i < REGION_PAGES; i++) {
		size_t page = (i * 7 + me * 64) % REGION_PAGES;
		__atomic_fetch_add((uint32_t *)(shared_region + page * PAGE), 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* When two threads fault on one page, one of the two pages must win and no count may be lost. */
TEST_SECONDS(threads_fault_on_the_same_pages, 60)
{
	pthread_t t[THREADS];

	for (int round = 0; round < 3; round++) {
		shared_region = map_anon(REGION_PAGES * PAGE);
		for (uintptr_t i = 0; i < THREADS; i++)
			start(&t[i], fault_everything, (void *)i);
		for (int i = 0; i < THREADS; i++)
			finish(t[i]);
		for (size_t i = 0; i < REGION_PAGES; i++)
			ASSERT_EQ(*(volatile uint32_t *)(shared_region + i * PAGE), THREADS);
		ASSERT_EQ(munmap(shared_region, REGION_PAGES * PAGE), 0);
	}
}

static void *map_and_unmap(void *arg)
{
	uintptr_t wrong = 0;

	for (uint64_t i = 0; i < 200; i++) {
		size_t pages = 1 + i % 9;
		uint8_t *p = map_anon(pages * PAGE);

		wrong += !is_zero(p, 64);
		fill_pages(p, pages, i + (uintptr_t)arg);
		mprotect(p, PAGE, PROT_READ);
		wrong += count_wrong_pages(p, pages, i + (uintptr_t)arg);
		munmap(p, pages * PAGE);
	}
	return (void *)wrong;
}

TEST_SECONDS(threads_map_and_unmap_at_once, 60)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		start(&t[i], map_and_unmap, (void *)(i << 32));
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ((uintptr_t)finish(t[i]), 0);
}

static void *hammer(void *arg)
{
	while (!release_all)
		ktap_store(arg, 1);
	return NULL;
}

static void protect_under_hammer(void *unused)
{
	pthread_t t[3];
	uint8_t *p = map_anon(PAGE);

	(void)unused;
	for (int i = 0; i < 3; i++)
		start(&t[i], hammer, p);
	ktap_sleep_ns(5000000);
	mprotect(p, PAGE, PROT_READ);
	ktap_store(p + 8, 1); /* not reached: one of us has died */
}

/* If another CPU kept a writable translation, its thread would go on writing and nobody would die. */
TEST(taking_write_permission_stops_every_thread)
{
	EXPECT_DEATH(protect_under_hammer, NULL, SIGSEGV);
}

static void *wait_until_written(void *arg)
{
	while (!ktap_load(arg))
		;
	return NULL;
}

TEST(dontneed_is_seen_by_every_thread)
{
	pthread_t t;
	uint8_t *p = map_anon(PAGE);

	start(&t, wait_until_written, p);
	for (int i = 0; i < 200; i++) {
		ktap_load(p);
		ASSERT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
	}
	ktap_store(p, 1);
	finish(t);
}

TEST_MAIN()
