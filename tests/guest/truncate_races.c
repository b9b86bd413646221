/* SPDX-License-Identifier: MIT */
/*
 * truncate_races.c - a file changes its size while mappings of it change theirs: what lies behind the new end is
 * gone from all of them, and private pages before it stay.
 */
#include "memory.h"
#include <fcntl.h>
#include <pthread.h>

#define HALF \
	32 /* pages: the upper half of the file is always mapped, the lower one comes and goes */
#define CUT    48 /* pages that are left */
#define ROUNDS 3000

static int fd;
static uint8_t *lower, *upper;
static volatile bool stop;
static unsigned remapped;

static void map_half(uint8_t *at, unsigned pages, unsigned first)
{
	ASSERT(mmap(at, pages * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, (off_t)(first * PAGE)) ==
	       at);
}

/* Makes the mapping of the upper half reach down over the lower one, and takes that off again. */
static void *resizer(void *arg)
{
	(void)arg;
	while (!stop) {
		map_half(lower, HALF, 0);
		ASSERT_EQ(munmap(lower, HALF * PAGE), 0);
		remapped++;
	}
	return NULL;
}

TEST_SECONDS(a_truncation_meets_a_mapping_that_grows_downwards, 60)
{
	unsigned lost = 0, left = 0;
	pthread_t thread;

	fd = open("/cut", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT(fd >= 0);
	ASSERT_EQ(ftruncate(fd, 2 * HALF * PAGE), 0);
	lower = map_anon(2 * HALF * PAGE);
	upper = lower + HALF * PAGE;
	map_half(upper, HALF, HALF);
	memset(upper + PAGE, 'p', PAGE);
	ASSERT_EQ(pthread_create(&thread, NULL, resizer, NULL), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		volatile uint8_t *behind = upper + (CUT - HALF + 1) * PAGE;

		*behind = 'x';
		for (unsigned again = 0; again < 50; again++)
			ASSERT_EQ(ftruncate(fd, CUT * PAGE), 0);
		ASSERT_EQ(ftruncate(fd, 2 * HALF * PAGE), 0);
		left += *behind != 0;
		lost += upper[PAGE] != 'p';
		upper[PAGE] = 'p';
	}
	stop = true;
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	printf("# remapped %u times\n", remapped);
	EXPECT_EQ(left, 0);
	EXPECT_EQ(lost, 0);
}

TEST_MAIN()
