/* SPDX-License-Identifier: MIT */
/* mlock.c - locked memory, what is in memory, and msync. */
#include "memory.h"
#include "proc.h"
#include <sys/resource.h>

#define ONFAULT 1 /* MLOCK_ONFAULT */

static long locked_pages(void)
{
	ASSERT(slurp("/proc/self/status") > 0);
	return number_of("VmLck") / 4;
}

static unsigned present(void *p, size_t pages)
{
	unsigned char vec[64];
	unsigned n = 0;

	ASSERT_EQ(mincore(p, pages * PAGE, vec), 0);
	for (size_t i = 0; i < pages; i++)
		n += vec[i] & 1;
	return n;
}

/* An unprivileged process that may lock so many pages. */
static void limit_pages(unsigned long pages)
{
	const struct rlimit limit = {pages * PAGE, pages * PAGE};

	if (geteuid() != 0)
		SKIP("needs root, to give up its rights");
	ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	ASSERT_EQ(setuid(1000), 0);
}

/* --- mincore and msync ---------------------------------------------------------------------------------- */

TEST(mincore_sees_what_was_touched)
{
	uint8_t *p = map_anon(8 * PAGE);
	unsigned char vec[8];

	p[PAGE] = 1;
	ktap_load(p + 6 * PAGE);
	memset(vec, 0xff, sizeof(vec));
	ASSERT_EQ(mincore(p, 7 * PAGE + 1, vec), 0);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(vec[i], i == 1 || i == 6);
	ASSERT_EQ(madvise(p, 8 * PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(present(p, 8), 0);
}

TEST(mincore_of_shared_memory_asks_the_object)
{
	uint8_t *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	p[2 * PAGE] = 1;
	EXPECT_EQ(present(p, 4), 1);
	ASSERT_EQ(madvise(p, 4 * PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(present(p, 4), 1);
}

TEST(mincore_errors)
{
	uint8_t *p = map_anon(3 * PAGE);
	unsigned char vec[8];

	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_ERRNO(mincore(p + 1, PAGE, vec), EINVAL);
	EXPECT_ERRNO(mincore(p, 3 * PAGE, vec), ENOMEM);
	EXPECT_ERRNO(mincore(p + PAGE, PAGE, vec), ENOMEM);
	EXPECT_ERRNO(mincore((void *)-PAGE, PAGE, vec), ENOMEM);
	EXPECT_ERRNO(mincore(p, PAGE, (unsigned char *)-PAGE), EFAULT);
	EXPECT_ERRNO(mincore(p, PAGE, p + PAGE), EFAULT);
	EXPECT_EQ(mincore(p, 0, vec), 0);
}

TEST(msync_errors)
{
	uint8_t *p = map_anon(4 * PAGE);

	EXPECT_EQ(msync(p, 4 * PAGE, MS_SYNC), 0);
	EXPECT_EQ(msync(p, 4 * PAGE, MS_ASYNC | MS_INVALIDATE), 0);
	EXPECT_EQ(msync(p, 4 * PAGE, 0), 0);
	EXPECT_EQ(msync(p, 0, MS_SYNC), 0);
	EXPECT_ERRNO(msync(p, PAGE, 8), EINVAL);
	EXPECT_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	EXPECT_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	EXPECT_ERRNO(msync(p, -PAGE, MS_SYNC), ENOMEM);
	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_ERRNO(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	EXPECT_ERRNO(msync(p + PAGE, PAGE, MS_ASYNC), ENOMEM);
}

TEST(msync_does_not_invalidate_locked_memory)
{
	uint8_t *p = map_anon(4 * PAGE);

	ASSERT_EQ(mlock(p + 2 * PAGE, PAGE), 0);
	EXPECT_ERRNO(msync(p, 4 * PAGE, MS_INVALIDATE), EBUSY);
	EXPECT_EQ(msync(p, 2 * PAGE, MS_INVALIDATE), 0);
	EXPECT_EQ(msync(p, 4 * PAGE, MS_SYNC), 0);
}

/* --- mlock ----------------------------------------------------------------------------------------------- */

TEST(a_part_of_what_is_locked_can_be_locked_again)
{
	uint8_t *p = map_anon(8 * PAGE);

	ASSERT_EQ(mlock(p, 8 * PAGE), 0);
	EXPECT_EQ(mlock(p + 2 * PAGE, 3 * PAGE), 0);
	EXPECT_EQ(mlock(p + 2 * PAGE, 0), 0);
	EXPECT_EQ(locked_pages(), 8);
}

TEST(locked_memory_is_present_and_counted)
{
	uint8_t *p = map_anon(16 * PAGE);
	long before = locked_pages();

	ASSERT_EQ(mlock(p + 2 * PAGE + 5, 3 * PAGE), 0);
	EXPECT_EQ(present(p, 16), 4);
	EXPECT_EQ(locked_pages() - before, 4);
	ASSERT_EQ(mlock(p, 16 * PAGE), 0);
	EXPECT_EQ(locked_pages() - before, 16);
	ASSERT_EQ(munlock(p + PAGE, PAGE), 0);
	EXPECT_EQ(locked_pages() - before, 15);
	ASSERT_EQ(munmap(p, 16 * PAGE), 0);
	EXPECT_EQ(locked_pages(), before);
}

TEST(mlock2_can_wait_for_the_touch)
{
	uint8_t *p = map_anon(16 * PAGE);

	ASSERT_EQ(syscall(SYS_mlock2, p, 16 * PAGE, ONFAULT), 0);
	EXPECT_EQ(present(p, 16), 0);
	EXPECT_EQ(locked_pages(), 16);
	ASSERT_EQ(syscall(SYS_mlock2, p, 8 * PAGE, 0), 0);
	EXPECT_EQ(present(p, 16), 8);
	EXPECT_ERRNO(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
}

TEST(holes_cannot_be_locked)
{
	uint8_t *p = map_anon(4 * PAGE);

	ASSERT_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	EXPECT_ERRNO(mlock(p, 4 * PAGE), ENOMEM);
	EXPECT_EQ(locked_pages(), 2); /* as far as it came */
	EXPECT_ERRNO(munlock(p, 4 * PAGE), ENOMEM);
	EXPECT_EQ(locked_pages(), 0);
	EXPECT_ERRNO(mlock(p + 2 * PAGE, PAGE), ENOMEM);
	EXPECT_EQ(mlock(p, 0), 0);
}

TEST(memory_without_rights_is_locked_but_not_present)
{
	uint8_t *p = reserve(2 * PAGE);

	EXPECT_ERRNO(mlock(p, 2 * PAGE), ENOMEM);
	EXPECT_EQ(locked_pages(), 2);
}

TEST(locked_memory_is_not_discarded)
{
	uint8_t *p = map_anon(4 * PAGE);

	ASSERT_EQ(mlock(p + PAGE, PAGE), 0);
	EXPECT_ERRNO(madvise(p, 4 * PAGE, MADV_DONTNEED), EINVAL);
}

static void has_nothing_locked(void *p)
{
	EXPECT_EQ(locked_pages(), 0);
	ktap_store(p, 1);
}

TEST(children_inherit_no_locks)
{
	uint8_t *p = map_anon(4 * PAGE);

	ASSERT_EQ(mlockall(MCL_FUTURE), 0);
	ASSERT_EQ(mlock(p, 4 * PAGE), 0);
	EXPECT_CHILD_OK(has_nothing_locked, p);
	EXPECT_EQ(locked_pages(), 4);
}

/* --- limits ---------------------------------------------------------------------------------------------- */

TEST(the_limit_counts_each_page_once)
{
	uint8_t *p = map_anon(16 * PAGE);

	limit_pages(4);
	EXPECT_ERRNO(mlock(p, 5 * PAGE), ENOMEM);
	EXPECT_EQ(mlock(p, 3 * PAGE), 0);
	EXPECT_EQ(mlock(p, 4 * PAGE), 0);
	EXPECT_ERRNO(mlock(p + 4 * PAGE, PAGE), ENOMEM);
	EXPECT_EQ(munlock(p, PAGE), 0);
	EXPECT_EQ(mlock(p + 4 * PAGE, PAGE), 0);
	EXPECT(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) ==
		       MAP_FAILED &&
	       errno == EAGAIN);
	EXPECT_ERRNO(syscall(SYS_mremap, p + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0), EAGAIN);
	EXPECT_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
}

TEST(who_may_lock_nothing)
{
	uint8_t *p = map_anon(PAGE);

	limit_pages(0);
	EXPECT_ERRNO(mlock(p, PAGE), EPERM);
	EXPECT_ERRNO(mlock(p, 0), EPERM);
	EXPECT_ERRNO(syscall(SYS_mlock2, p, PAGE, ONFAULT), EPERM);
	EXPECT_ERRNO(mlockall(MCL_FUTURE), EPERM);
	EXPECT(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) ==
		       MAP_FAILED &&
	       errno == EPERM);
	EXPECT_EQ(munlock(p, PAGE), 0);
	EXPECT_EQ(munlockall(), 0);
}

/* --- mlockall, MAP_LOCKED, mremap --------------------------------------------------------------------------- */

TEST(mlockall_arguments)
{
	EXPECT_ERRNO(mlockall(0), EINVAL);
	EXPECT_ERRNO(mlockall(MCL_ONFAULT), EINVAL);
	EXPECT_ERRNO(mlockall(8), EINVAL);
}

TEST(future_mappings_are_locked)
{
	ASSERT_EQ(mlockall(MCL_FUTURE), 0);
	uint8_t *p = map_anon(8 * PAGE);

	EXPECT_EQ(present(p, 8), 8);
	EXPECT_EQ(locked_pages(), 8);
	ASSERT_EQ(mlockall(MCL_FUTURE | MCL_ONFAULT), 0);
	p = map_anon(8 * PAGE);
	EXPECT_EQ(present(p, 8), 0);
	EXPECT_EQ(locked_pages(), 16);
	ASSERT_EQ(munlockall(), 0);
	EXPECT_EQ(locked_pages(), 0);
	p = map_anon(8 * PAGE);
	EXPECT_EQ(present(p, 8), 0);
}

TEST(present_mappings_are_locked)
{
	uint8_t *p = map_anon(8 * PAGE);

	ASSERT_EQ(mlockall(MCL_CURRENT), 0);
	EXPECT_EQ(present(p, 8), 8);
	EXPECT(locked_pages() > 8);
	p = map_anon(8 * PAGE);
	EXPECT_EQ(present(p, 8), 0);
	ASSERT_EQ(munlockall(), 0);
	EXPECT_EQ(locked_pages(), 0);
}

TEST(the_heap_is_locked_as_it_grows)
{
	ASSERT_EQ(mlockall(MCL_FUTURE), 0);
	long before = locked_pages();
	uint8_t *p = sbrk(4 * PAGE);

	ASSERT(p != (void *)-1);
	EXPECT(locked_pages() - before >= 4);
	EXPECT_EQ(present((void *)(((uintptr_t)p + PAGE - 1) & ~(PAGE - 1)), 3), 3);
}

TEST(map_locked_is_mlock)
{
	uint8_t *p = map_at(NULL, 8 * PAGE, RW, MAP_LOCKED);

	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(present(p, 8), 8);
	EXPECT_EQ(locked_pages(), 8);
	p = (uint8_t *)syscall(SYS_mremap, p, 8 * PAGE, 20 * PAGE, MREMAP_MAYMOVE, 0);
	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(present(p, 20), 20);
	EXPECT_EQ(locked_pages(), 20);
}

TEST_MAIN()
