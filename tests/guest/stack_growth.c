/* SPDX-License-Identifier: MIT */
/*
 * stack_growth.c - the first thread's stack grows downwards by being touched, until its limit or until
 * it comes too near to another mapping.
 */
#include "memory.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

#define MIB (1ul << 20)

static uint8_t *stack_pointer(void)
{
	return __builtin_frame_address(0);
}

static void set_stack_limit(unsigned long bytes)
{
	struct rlimit limit;

	ASSERT_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
	limit.rlim_cur = bytes;
	ASSERT_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
}

/* Uses a page of stack per call, and needs all of it unchanged on the way back. */
__attribute__((noinline)) static unsigned long descend(unsigned long pages)
{
	volatile uint8_t frame[PAGE];

	frame[0] = (uint8_t)pages;
	frame[PAGE - 1] = (uint8_t)(pages + 1);
	if (pages == 0)
		return 0;

	unsigned long below = descend(pages - 1);

	return below + (frame[0] == (uint8_t)pages && frame[PAGE - 1] == (uint8_t)(pages + 1));
}

static void descend_too_far(void *arg)
{
	descend((unsigned long)arg);
}

TEST(deep_recursion_grows_the_stack)
{
	EXPECT_EQ(descend(4 * MIB / PAGE), 4 * MIB / PAGE);
}

TEST(new_stack_is_zero)
{
	uint8_t *deep = (uint8_t *)((uintptr_t)(stack_pointer() - 2 * MIB) & ~(PAGE - 1));

	EXPECT(is_zero(deep, PAGE));
	ktap_store(deep, 1);
	EXPECT_EQ(ktap_load(deep), 1);
}

TEST(one_touch_may_skip_pages)
{
	ktap_store(stack_pointer() - 4 * MIB, 1);
	ktap_store(stack_pointer() - 3 * MIB, 1);
}

TEST(limit_ends_growth)
{
	set_stack_limit(1 * MIB);
	EXPECT_EQ(descend(MIB / 2 / PAGE), MIB / 2 / PAGE);
	EXPECT_DEATH(descend_too_far, 2 * MIB / PAGE, SIGSEGV);
	EXPECT_STORE_DIES(stack_pointer() - 2 * MIB);
	ktap_store(stack_pointer() - MIB / 2, 1);
}

TEST(raised_limit_allows_more)
{
	set_stack_limit(1 * MIB);
	EXPECT_STORE_DIES(stack_pointer() - 3 * MIB);
	set_stack_limit(6 * MIB);
	ktap_store(stack_pointer() - 3 * MIB, 1);
}

TEST(far_below_the_stack_is_no_stack)
{
	EXPECT_STORE_DIES(stack_pointer() - 512 * MIB);
}

/* Linux keeps 256 pages between a growing stack and the mapping below it. */
TEST(gap_to_the_mapping_below_is_kept)
{
	uint8_t *sp = (uint8_t *)((uintptr_t)stack_pointer() & ~(PAGE - 1));
	uint8_t *below = sp - 3 * MIB;

	ASSERT(map_at(below, PAGE, RW, MAP_FIXED_NOREPLACE) == below);
	ktap_store(below, 7);
	EXPECT_STORE_DIES(below + MIB / 2);
	EXPECT_STORE_DIES(below + PAGE);
	ktap_store(below + MIB + MIB / 2, 1);
	EXPECT_EQ(ktap_load(below), 7);
}

TEST(inaccessible_mapping_below_needs_no_gap)
{
	uint8_t *sp = (uint8_t *)((uintptr_t)stack_pointer() & ~(PAGE - 1));
	uint8_t *below = sp - 3 * MIB;

	ASSERT(map_at(below, PAGE, PROT_NONE, MAP_FIXED_NOREPLACE) == below);
	ktap_store(below + PAGE, 1);
	EXPECT_STORE_DIES(below);
}

static void grow_in_child(void *arg)
{
	EXPECT_EQ(descend((unsigned long)arg), (unsigned long)arg);
}

TEST(growth_is_private_after_fork)
{
	uint8_t *deep = stack_pointer() - 2 * MIB;

	EXPECT_CHILD_OK(grow_in_child, 3 * MIB / PAGE);
	EXPECT(is_zero(deep, 1));
	EXPECT_CHILD_OK(grow_in_child, 3 * MIB / PAGE);
}

TEST(system_calls_grow_the_stack_too)
{
	uint8_t *deep = stack_pointer() - 2 * MIB;
	int fd = open("/data/pattern", O_RDONLY);

	ASSERT(fd >= 0);
	EXPECT_EQ(read(fd, deep, 100), 100);
	EXPECT_EQ(ktap_load(deep + 1), 7);
	set_stack_limit(3 * MIB);
	EXPECT_ERRNO(read(fd, deep - 2 * MIB, 100), EFAULT);
}

static void *overflow_thread(void *arg)
{
	return (void *)descend((unsigned long)arg);
}

static void run_overflowing_thread(void *pages)
{
	pthread_t t;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	ASSERT_EQ(pthread_create(&t, &attr, overflow_thread, pages), 0);
	pthread_join(t, NULL);
}

TEST(thread_stacks_end_at_their_guard)
{
	EXPECT_CHILD_OK(run_overflowing_thread, 16);
	EXPECT_DEATH(run_overflowing_thread, 128, SIGSEGV);
}

TEST_MAIN()
