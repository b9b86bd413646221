/* SPDX-License-Identifier: MIT */
/*
 * fork_snapshot.c - a child gets its parent's memory as it was at one moment, while other threads of the
 * parent go on writing: what was stored first is there if what was stored later is.
 */
#include "memory.h"
#include <pthread.h>

#define BETWEEN 64 /* mappings between the first and the last, so that fork takes its time */

static volatile uint64_t *first, *last;
static volatile bool stop;

/* first and last lie at the two ends of many mappings. */
static void make_mappings(void)
{
	uint8_t *p = reserve((2 * BETWEEN + 2) * 4 * PAGE);

	for (size_t i = 0; i < 2 * BETWEEN; i += 2) {
		ASSERT_EQ(mprotect(p + i * 4 * PAGE, 4 * PAGE, RW), 0);
		fill_pages(p + i * 4 * PAGE, 4, i);
	}
	first = (volatile uint64_t *)p;
	last = (volatile uint64_t *)(p + (2 * BETWEEN - 2) * 4 * PAGE);
	first[0] = first[1] = last[0] = last[1] = 0;
}

/* Word 0 is stored in the order first, last; word 1 the other way round. */
static void *count(void *arg)
{
	(void)arg;
	for (uint64_t n = 1; !stop; n++) {
		first[0] = n;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		last[0] = n;
		last[1] = n;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		first[1] = n;
	}
	return NULL;
}

TEST_SECONDS(stores_reach_the_child_in_their_order, 60)
{
	unsigned wrong = 0;
	pthread_t t;

	make_mappings();
	ASSERT_EQ(pthread_create(&t, NULL, count, NULL), 0);
	while (last[0] < 100)
		;
	for (int i = 0; i < 60; i++) {
		int status;
		pid_t pid = fork();

		ASSERT(pid >= 0);
		if (pid == 0)
			_exit(first[0] < last[0] || last[1] < first[1]);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		wrong += status != 0;
	}
	stop = true;
	ASSERT_EQ(pthread_join(t, NULL), 0);
	EXPECT_EQ(wrong, 0);
}

TEST_MAIN()
