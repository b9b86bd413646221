/* SPDX-License-Identifier: MIT */
/* brk.c - the program break: grows, shrinks, forgets what it gave up, and never returns an error. */
#include "memory.h"
#include <sys/resource.h>

/* The raw call: the new break, or the old one when the request cannot be met. */
static uint8_t *kernel_brk(const void *wanted)
{
	return (uint8_t *)syscall(SYS_brk, wanted);
}

static uint8_t *page_aligned_break(void)
{
	uint8_t *now = kernel_brk(NULL);
	uint8_t *up = (uint8_t *)(((uintptr_t)now + PAGE - 1) & ~(PAGE - 1));

	ASSERT(kernel_brk(up) == up);
	return up;
}

TEST(grown_memory_is_zero_and_writable)
{
	uint8_t *b = page_aligned_break();

	ASSERT(kernel_brk(b + 16 * PAGE) == b + 16 * PAGE);
	EXPECT(is_zero(b, 16 * PAGE));
	fill_pages(b, 16, 1);
	EXPECT_EQ(count_wrong_pages(b, 16, 1), 0);
	EXPECT_STORE_DIES(b + 16 * PAGE);
}

TEST(break_need_not_be_aligned)
{
	uint8_t *b = page_aligned_break();

	ASSERT(kernel_brk(b + 1) == b + 1);
	ktap_store(b, 1);
	ktap_store(b + PAGE - 1, 2); /* the rest of the page comes along */
	EXPECT_STORE_DIES(b + PAGE);
	ASSERT(kernel_brk(b + 100) == b + 100);
	EXPECT_EQ(ktap_load(b), 1);
	EXPECT_EQ(ktap_load(b + PAGE - 1), 2);
}

TEST(shrunk_memory_is_gone_and_comes_back_zero)
{
	uint8_t *b = page_aligned_break();

	ASSERT(kernel_brk(b + 4 * PAGE) == b + 4 * PAGE);
	fill_pages(b, 4, 1);
	ASSERT(kernel_brk(b + PAGE) == b + PAGE);
	EXPECT_LOAD_DIES(b + PAGE);
	ASSERT(kernel_brk(b + 4 * PAGE) == b + 4 * PAGE);
	EXPECT_EQ(count_wrong_pages(b, 1, 1), 0);
	EXPECT(is_zero(b + PAGE, 3 * PAGE));
}

TEST(impossible_requests_return_the_current_break)
{
	uint8_t *b = page_aligned_break();

	EXPECT(kernel_brk((void *)1) == b);
	EXPECT(kernel_brk((void *)-1ul) == b);
	EXPECT(kernel_brk((void *)USER_END) == b);
	EXPECT(kernel_brk((void *)0xffff800000000000ul) == b);
	EXPECT(kernel_brk(NULL) == b);
	EXPECT(kernel_brk(b + PAGE) == b + PAGE);
}

TEST(growth_stops_at_another_mapping)
{
	uint8_t *b = page_aligned_break();
	uint8_t *obstacle = map_at(b + 600 * PAGE, PAGE, RW, MAP_FIXED_NOREPLACE);

	ASSERT(obstacle == b + 600 * PAGE);
	ktap_store(obstacle, 5);
	EXPECT(kernel_brk(b + 700 * PAGE) == b);
	EXPECT(kernel_brk(b + 16 * PAGE) == b + 16 * PAGE);
	EXPECT_EQ(ktap_load(obstacle), 5);
}

TEST(limit_on_data_is_obeyed)
{
	uint8_t *b = page_aligned_break();
	struct rlimit limit = {1ul << 20, 1ul << 20};

	ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
	EXPECT(kernel_brk(b + (4ul << 20)) == b);
}

static void grow_and_write(void *arg)
{
	uint8_t *b = arg;

	EXPECT_EQ(count_wrong_pages(b, 2, 1), 0);
	EXPECT(kernel_brk(b + 8 * PAGE) == b + 8 * PAGE);
	fill_pages(b, 8, 2);
}

TEST(break_is_private_after_fork)
{
	uint8_t *b = page_aligned_break();

	ASSERT(kernel_brk(b + 2 * PAGE) == b + 2 * PAGE);
	fill_pages(b, 2, 1);
	EXPECT_CHILD_OK(grow_and_write, b);
	EXPECT(kernel_brk(NULL) == b + 2 * PAGE);
	EXPECT_EQ(count_wrong_pages(b, 2, 1), 0);
	EXPECT_LOAD_DIES(b + 2 * PAGE);
}

TEST(malloc_uses_megabytes)
{
	uint8_t *blocks[64];

	for (int i = 0; i < 64; i++) {
		blocks[i] = malloc(60000);
		ASSERT(blocks[i]);
		memset(blocks[i], i, 60000);
	}
	for (int i = 0; i < 64; i++) {
		EXPECT(blocks[i][0] == i && blocks[i][59999] == i);
		free(blocks[i]);
	}
}

TEST_MAIN()
