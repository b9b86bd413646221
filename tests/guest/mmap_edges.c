/* SPDX-License-Identifier: MIT */
/*
 * mmap_edges.c - the memory calls at their edges: which of two errors wins, what limits count when memory is
 * replaced or its rights change, hints that cannot be followed, growing stacks and their neighbours.
 */
#include "memory.h"
#include <fcntl.h>
#include <sys/resource.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MIB  (1ul << 20)

static long raw_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		     long fd, unsigned long offset)
{
	return syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

static void set_limit(int which, unsigned long bytes)
{
	struct rlimit limit;

	ASSERT_EQ(getrlimit(which, &limit), 0);
	limit.rlim_cur = bytes;
	ASSERT_EQ(setrlimit(which, &limit), 0);
}

/* --- which error wins ----------------------------------------------------------------------------- */

TEST(descriptor_is_looked_up_before_the_length)
{
	EXPECT_ERRNO(raw_mmap(0, 0, RW, MAP_PRIVATE, 999, 0), EBADF);
	EXPECT_ERRNO(raw_mmap(0, -1ul, RW, MAP_PRIVATE, 999, 0), EBADF);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, 0, 999, 0), EBADF);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_PRIVATE, 999, 1), EINVAL);
}

TEST(address_is_checked_before_the_type)
{
	int fd = open("/data/pattern", O_RDONLY);

	ASSERT(fd >= 0);
	EXPECT_ERRNO(raw_mmap(-PAGE, PAGE, RW, MAP_ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(-PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(0, -PAGE, RW, MAP_SHARED, fd, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(0, 0, RW, MAP_SHARED, fd, 0), EINVAL);
	EXPECT_ERRNO(raw_mmap((1ul << 63) + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
}

TEST(offset_of_anonymous_memory_means_nothing)
{
	EXPECT(raw_mmap(0, 2 * PAGE, RW, ANON, -1, -PAGE) > 0);
	EXPECT(raw_mmap(0, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, -PAGE) > 0);
}

TEST(offsets_beyond_all_files)
{
	int fd = open("/data/pattern", O_RDONLY);

	ASSERT(fd >= 0);
	EXPECT_ERRNO(raw_mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, -PAGE), EOVERFLOW);
	EXPECT_ERRNO(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1ul << 63), EOVERFLOW);
	EXPECT_ERRNO(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, (1ul << 63) - PAGE), EOVERFLOW);

	uint8_t *p =
		(uint8_t *)raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, (1ul << 63) - 2 * PAGE);
	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(munmap(p, PAGE), 0);
}

TEST(anonymous_memory_has_two_types)
{
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS | 3, -1, 0), EINVAL);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS | 4, -1, 0), EINVAL);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED | MAP_GROWSDOWN, -1, 0),
		     EINVAL);
}

TEST(mprotect_of_nothing_ignores_the_rights)
{
	uint8_t *p = map_anon(2 * PAGE);

	EXPECT_EQ(syscall(SYS_mprotect, p, 0, 0x100), 0);
	EXPECT_ERRNO(syscall(SYS_mprotect, p, -PAGE, 0x100), ENOMEM);
	EXPECT_ERRNO(syscall(SYS_mprotect, p + 1, 0, RW), EINVAL);
	EXPECT_ERRNO(syscall(SYS_mprotect, p, PAGE, RW | PROT_GROWSUP), EINVAL);
}

TEST(what_lies_before_the_end_of_user_space_is_changed)
{
	uint8_t *p = map_anon(3 * PAGE);

	fill_pages(p, 2, 1);
	ASSERT_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	EXPECT_ERRNO(syscall(SYS_mprotect, p, USER_END + PAGE, PROT_READ), ENOMEM);
	EXPECT_STORE_DIES(p);
	EXPECT_STORE_DIES(p + PAGE);
}

/* --- limits ------------------------------------------------------------------------------------------- */

static unsigned long address_space_used(void)
{
	unsigned long lo = 0, hi = 1ul << 40;

	/* The most that may be mapped under a limit of 1 TiB tells what is mapped already. */
	set_limit(RLIMIT_AS, hi);
	while (hi - lo > PAGE) {
		unsigned long half = (lo + hi) / 2 & ~(PAGE - 1);
		void *p = map_at(NULL, half, PROT_NONE, MAP_NORESERVE);

		if (p == MAP_FAILED) {
			hi = half;
		} else {
			lo = half;
			munmap(p, half);
		}
	}
	return (1ul << 40) - lo;
}

TEST(memory_that_is_replaced_does_not_count_twice)
{
	uint8_t *p = map_anon(8 * MIB);

	set_limit(RLIMIT_AS, address_space_used() + MIB);
	EXPECT_ERRNO(map_at(NULL, 4 * MIB, RW, 0), ENOMEM);
	EXPECT(map_at(p, 8 * MIB, RW, MAP_FIXED) == p);
	EXPECT(map_at(p + 4 * MIB, 4 * MIB + MIB / 2, RW, MAP_FIXED) == p + 4 * MIB);
	EXPECT_ERRNO(map_at(p + 6 * MIB, 6 * MIB, RW, MAP_FIXED), ENOMEM);
	ktap_store(p + 7 * MIB, 1); /* the refused call took nothing away */
}

TEST(only_the_pages_made_writable_count_as_data)
{
	uint8_t *p = map_at(NULL, 256 * MIB, PROT_NONE, MAP_NORESERVE);

	ASSERT(p != MAP_FAILED);
	set_limit(RLIMIT_DATA, 64 * MIB);
	EXPECT_EQ(mprotect(p, 16 * MIB, RW), 0);
	EXPECT_EQ(mprotect(p + 16 * MIB, 16 * MIB, RW), 0);
	EXPECT_ERRNO(mprotect(p + 32 * MIB, 64 * MIB, RW), ENOMEM);
	EXPECT_EQ(mprotect(p, 32 * MIB, PROT_READ), 0);
	EXPECT_EQ(mprotect(p, 32 * MIB, RW), 0);
	EXPECT_ERRNO(map_at(NULL, 64 * MIB, RW, 0), ENOMEM);
	EXPECT(map_at(NULL, 64 * MIB, PROT_READ, 0) != MAP_FAILED);
	EXPECT(map_at(p, 32 * MIB, RW, MAP_FIXED) == p);
}

/* --- hints -------------------------------------------------------------------------------------------- */

TEST(hint_below_the_lowest_address_means_the_lowest)
{
	uint8_t *lowest = map_at((void *)PAGE, PAGE, RW, 0);

	EXPECT(lowest && lowest <= (uint8_t *)0x10000); /* it can be configured */
	EXPECT(map_at((void *)1, PAGE, RW, 0) != lowest);
}

#ifdef __x86_64__
TEST(hint_must_obey_the_low_two_gigabytes)
{
	uint8_t *p = reserve(2 * PAGE);

	ASSERT_EQ(munmap(p, 2 * PAGE), 0);
	uint8_t *low = map_at(p, PAGE, RW, MAP_32BIT);
	EXPECT(low != MAP_FAILED && (uintptr_t)low < 1ul << 31);
	uint8_t *near = map_at((void *)0x50000000, PAGE, RW, MAP_32BIT);
	EXPECT(near == (void *)0x50000000);
	uint8_t *edge = map_at((void *)0x7ffff000, 2 * PAGE, RW, MAP_32BIT);
	EXPECT(edge != MAP_FAILED && (uintptr_t)edge < 0x7fffe000);
	EXPECT(map_at(p, PAGE, RW, MAP_32BIT | MAP_FIXED) == p);
	EXPECT_ERRNO(map_at(NULL, 2ul << 30, PROT_NONE, MAP_32BIT | MAP_NORESERVE), ENOMEM);
}
#endif

/* --- growing stacks ----------------------------------------------------------------------------------- */

/* A page of growing stack at the top of 8 MiB of free addresses. */
static uint8_t *small_stack(void)
{
	uint8_t *base = reserve(8 * MIB), *stack = base + 8 * MIB - PAGE;

	ASSERT(map_at(stack, PAGE, RW, MAP_FIXED | MAP_GROWSDOWN) == stack);
	ASSERT_EQ(munmap(base, 8 * MIB - PAGE), 0);
	return stack;
}

TEST(any_mapping_may_grow_down)
{
	uint8_t *stack = small_stack();

	ktap_store(stack, 1);
	ktap_store(stack - PAGE, 2);
	ktap_store(stack - 1 * MIB, 3);
	EXPECT_EQ(ktap_load(stack), 1);
	EXPECT_EQ(ktap_load(stack - PAGE), 2);
	EXPECT(is_zero(stack - MIB / 2, PAGE));
	EXPECT_EQ(munmap(stack - MIB, MIB + PAGE), 0);
	EXPECT_STORE_DIES(stack);
}

TEST(hint_near_a_stack_is_not_followed)
{
	uint8_t *stack = small_stack(), *hint = stack - 16 * PAGE;
	uint8_t *p = map_at(hint, PAGE, RW, 0);

	EXPECT(p != MAP_FAILED && p != hint);
	hint = stack - 512 * PAGE;
	EXPECT(map_at(hint, PAGE, RW, 0) == hint);
	hint = stack - 64 * PAGE;
	EXPECT(map_at(hint, PAGE, RW, MAP_FIXED_NOREPLACE) == hint);
}

TEST(stack_grows_down_to_a_stack_but_not_to_other_memory)
{
	uint8_t *stack = small_stack(), *lower = stack - 64 * PAGE;

	ASSERT(map_at(lower, PAGE, RW, MAP_FIXED_NOREPLACE | MAP_GROWSDOWN) == lower);
	ktap_store(stack - PAGE, 1);
	ktap_store(lower + PAGE, 1);
	EXPECT_EQ(ktap_load(lower), 0);
	stack = small_stack();
	ASSERT(map_at(stack - 64 * PAGE, PAGE, RW, MAP_FIXED_NOREPLACE) == stack - 64 * PAGE);
	EXPECT_STORE_DIES(stack - PAGE);
}

TEST(mprotect_down_to_the_bottom_of_a_stack)
{
	uint8_t *stack = small_stack();

	ktap_store(stack - MIB, 1);
	EXPECT_EQ(mprotect(stack, PAGE, PROT_READ | PROT_GROWSDOWN), 0);
	EXPECT_STORE_DIES(stack);
	EXPECT_STORE_DIES(stack - MIB);
	EXPECT_EQ(ktap_load(stack - MIB), 1);
	EXPECT_ERRNO(mprotect(map_anon(PAGE), PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL);
}

TEST(break_stays_away_from_a_growing_stack)
{
	uint8_t *now = (uint8_t *)(((uintptr_t)syscall(SYS_brk, 0) + PAGE - 1) & ~(PAGE - 1));
	uint8_t *stack = now + 600 * PAGE;

	ASSERT(map_at(stack, PAGE, RW, MAP_FIXED_NOREPLACE | MAP_GROWSDOWN) == stack);
	EXPECT(syscall(SYS_brk, now + 400 * PAGE) != (long)(now + 400 * PAGE));
	EXPECT(syscall(SYS_brk, now + 300 * PAGE) == (long)(now + 300 * PAGE));
}

TEST_MAIN()
