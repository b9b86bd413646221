/* SPDX-License-Identifier: MIT */
/*
 * tlb_races.c - what one CPU takes away from a page, no other CPU uses any longer: when a call that
 * removes a right or a page returns, stale translations are gone everywhere.
 *
 * Each claim has threads that keep using the memory while another changes it. They find nothing on one
 * CPU (where they must hold too); on several, a missing shootdown shows within a few rounds.
 */
#include "memory.h"
#include <pthread.h>
#include <setjmp.h>

/* Each costs a few shootdowns, and each of these waits until all CPUs have run: where CPUs are threads of a busy host, tens
 * of milliseconds. */
#define ROUNDS  180
#define THREADS 3

static volatile uint64_t *page;
static volatile bool stop;
static _Thread_local sigjmp_buf escape;
static _Thread_local bool escapes;

static void on_fault(int sig)
{
	(void)sig;
	if (escapes)
		siglongjmp(escape, 1);
	_exit(99);
}

static void catch_faults(void)
{
	struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};

	ASSERT_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	ASSERT_EQ(sigaction(SIGBUS, &sa, NULL), 0);
}

static void start(pthread_t *threads, unsigned n, void *(*fn)(void *))
{
	stop = false;
	for (unsigned i = 0; i < n; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, fn, (void *)(uintptr_t)i), 0);
}

static void finish(pthread_t *threads, unsigned n)
{
	stop = true;
	for (unsigned i = 0; i < n; i++)
		ASSERT_EQ(pthread_join(threads[i], NULL), 0);
}

/* Writes its own word as fast as it can; waits a little when it may not. */
static void *writer(void *arg)
{
	volatile uint64_t *word = &page[(uintptr_t)arg];

	escapes = true;
	while (!stop) {
		if (sigsetjmp(escape, 0)) {
			sched_yield();
			continue;
		}
		for (unsigned i = 0; i < 100 && !stop; i++)
			(*word)++;
	}
	return NULL;
}

static void snapshot(uint64_t *words)
{
	for (unsigned i = 0; i < THREADS; i++)
		words[i] = page[i];
}

/* Each thread has written since: its CPU holds the page as writable. */
static void await_writers(void)
{
	uint64_t before[THREADS];

	snapshot(before);
	for (unsigned i = 0; i < THREADS; i++)
		while (page[i] == before[i])
			sched_yield();
}

TEST_SECONDS(a_page_made_read_only_is_written_by_no_cpu, 60)
{
	uint64_t before[THREADS], after[THREADS];
	pthread_t threads[THREADS];
	unsigned changed = 0;

	catch_faults();
	page = (uint64_t *)map_anon(PAGE);
	start(threads, THREADS, writer);
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		await_writers();
		ASSERT_EQ(mprotect((void *)page, PAGE, PROT_READ), 0);
		snapshot(before);
		sched_yield();
		for (volatile unsigned spin = 0; spin < 2000; spin++)
			;
		snapshot(after);
		changed += memcmp(before, after, sizeof(before)) != 0;
		ASSERT_EQ(mprotect((void *)page, PAGE, RW), 0);
	}
	finish(threads, THREADS);
	EXPECT_EQ(changed, 0);
}

#define READERS 2

static volatile unsigned strange, reads[READERS];

static void *reader(void *arg)
{
	escapes = true;
	while (!stop) {
		if (sigsetjmp(escape, 0))
			continue;
		uint64_t word = page[0];

		/* Zero from the new page, or the pattern of the old one: never what a stranger
		 * put into the old page after it was freed. */
		if (word != 0 && word >> 32 != 0x0ddba11)
			__atomic_fetch_add(&strange, 1, __ATOMIC_RELAXED);
		reads[(uintptr_t)arg]++;
	}
	return NULL;
}

/* Each thread has read since: twice, as the first may have been under way. */
static void await_readers(void)
{
	for (unsigned i = 0; i < READERS; i++)
		for (unsigned before = reads[i]; reads[i] - before < 2;)
			sched_yield();
}

/* The page that was freed last is likely to be the next that this CPU hands out: fill it with something recognisable. */
TEST_SECONDS(a_replaced_page_is_never_seen_after_it_belongs_to_someone_else, 60)
{
	pthread_t readers[READERS];

	catch_faults();
	strange = 0;
	page = (uint64_t *)map_anon(PAGE);
	start(readers, READERS, reader);
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		page[0] = 0x0ddba11ull << 32 | i;
		await_readers();
		ASSERT(map_at((void *)page, PAGE, RW, MAP_FIXED) == (void *)page);
		uint64_t *other = (uint64_t *)map_anon(PAGE);

		other[0] = 0xbadc0ffeull << 16;
		await_readers();
		munmap(other, PAGE);
	}
	finish(readers, READERS);
	EXPECT_EQ(strange, 0);
}

/* Two pages count in step: a before b. Whoever sees b ahead of a, or more than one step between
 * them, saw two moments at once. */
static void *stepper(void *arg)
{
	(void)arg;
	while (!stop) {
		page[0]++;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		page[PAGE / 8]++;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	return NULL;
}

static int check_snapshot(void)
{
	uint64_t a = page[0], b = page[PAGE / 8];

	usleep(1000);
	if (page[0] != a || page[PAGE / 8] != b)
		return 1; /* the parent's writes come through */
	return 0;
}

TEST_SECONDS(a_forked_child_does_not_see_later_writes_of_its_parents_threads, 60)
{
	pthread_t threads[1];
	int status;

	page = (uint64_t *)map_anon(2 * PAGE);
	start(threads, 1, stepper);
	for (unsigned i = 0; i < ROUNDS / 6; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(check_snapshot());
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 0);
	}
	finish(threads, 1);
	EXPECT(page[0] - page[PAGE / 8] <= 1);
}

/* Each thread owns a word and counts in it: no count may be lost, whatever happens to the page. */
static uint64_t counted[THREADS];

static void *counter(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	while (!stop) {
		page[me]++;
		counted[me]++;
	}
	return NULL;
}

TEST_SECONDS(no_write_is_lost_while_forks_share_and_copy_the_page, 60)
{
	pthread_t threads[THREADS];
	int status;

	memset(counted, 0, sizeof(counted));
	page = (uint64_t *)map_anon(PAGE);
	start(threads, THREADS, counter);
	for (unsigned i = 0; i < ROUNDS / 3; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			page[0] =
				0; /* the copy of the child, or the parent's: one of both faults */
			_exit(0);
		}
		if (i % 2)
			sched_yield();
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 0);
	}
	finish(threads, THREADS);
	for (unsigned i = 0; i < THREADS; i++)
		EXPECT_EQ(page[i], counted[i]);
}

/* madvise gives pages back while others use them: they read zero or what they wrote since. */
static void *refiller(void *arg)
{
	volatile uint64_t *word = &page[(uintptr_t)arg * PAGE / 8];
	uint64_t last = 0;

	while (!stop) {
		uint64_t now = *word;

		if (now != 0 && now != last)
			__atomic_fetch_add(&strange, 1, __ATOMIC_RELAXED);
		last = now + 1;
		*word = last;
	}
	return NULL;
}

TEST_SECONDS(discarded_pages_read_zero_or_what_was_written_since, 60)
{
	pthread_t threads[THREADS];

	strange = 0;
	page = (uint64_t *)map_anon(THREADS * PAGE);
	start(threads, THREADS, refiller);
	for (unsigned i = 0; i < ROUNDS / 2; i++)
		ASSERT_EQ(madvise((void *)page, THREADS * PAGE, MADV_DONTNEED), 0);
	finish(threads, THREADS);
	EXPECT_EQ(strange, 0);
}

TEST_MAIN()
