/* SPDX-License-Identifier: MIT */
/* madvise.c - advice about fork and populating, sealed mappings, and membarrier. */
#include "memory.h"
#include <fcntl.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#define DONTNEED_LOCKED 24
#define SYS_MSEAL       462

static long seal(void *p, size_t len, unsigned long flags)
{
	return syscall(SYS_MSEAL, p, len, flags);
}

static long barrier(int command, unsigned flags)
{
	return syscall(SYS_membarrier, command, flags, 0);
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

/* --- fork ------------------------------------------------------------------------------------------------ */

static void lacks_the_middle(void *arg)
{
	uint8_t *p = arg;
	unsigned char vec[1];

	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[3 * PAGE], 1);
	EXPECT_ERRNO(mincore(p + PAGE, PAGE, vec), ENOMEM);
	EXPECT_ERRNO(mincore(p + 2 * PAGE, PAGE, vec), ENOMEM);
	EXPECT_LOAD_DIES(p + PAGE);
}

static void has_all(void *p)
{
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(((uint8_t *)p)[i * PAGE], 1);
}

TEST(dontfork_is_not_inherited)
{
	uint8_t *p = map_anon(4 * PAGE);

	for (int i = 0; i < 4; i++)
		p[i * PAGE] = 1;
	ASSERT_EQ(madvise(p + PAGE, 2 * PAGE, MADV_DONTFORK), 0);
	EXPECT_CHILD_OK(lacks_the_middle, p);
	has_all(p);
	ASSERT_EQ(madvise(p, 4 * PAGE, MADV_DOFORK), 0);
	EXPECT_CHILD_OK(has_all, p);
}

static void middle_is_empty(void *arg)
{
	uint8_t *p = arg;

	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[3 * PAGE], 1);
	EXPECT(is_zero(p + PAGE, 2 * PAGE));
	p[PAGE] = 5;
	EXPECT_CHILD_OK(ktap_do_store, p + PAGE); /* and so on, to the next */
}

TEST(wipeonfork_is_inherited_empty)
{
	uint8_t *p = map_anon(4 * PAGE), *shared;

	for (int i = 0; i < 4; i++)
		p[i * PAGE] = 1;
	ASSERT_EQ(madvise(p + PAGE, 2 * PAGE, MADV_WIPEONFORK), 0);
	EXPECT_CHILD_OK(middle_is_empty, p);
	has_all(p);
	ASSERT_EQ(madvise(p, 4 * PAGE, MADV_KEEPONFORK), 0);
	EXPECT_CHILD_OK(has_all, p);

	shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT_ERRNO(madvise(shared, PAGE, MADV_WIPEONFORK), EINVAL);
}

/* --- populating -------------------------------------------------------------------------------------------- */

TEST(populate_makes_pages_present)
{
	uint8_t *p = map_anon(16 * PAGE);

	ASSERT_EQ(madvise(p, 4 * PAGE, MADV_POPULATE_READ), 0);
	EXPECT_EQ(present(p, 16), 4);
	ASSERT_EQ(madvise(p + 8 * PAGE, 8 * PAGE, MADV_POPULATE_WRITE), 0);
	EXPECT_EQ(present(p, 16), 12);
	EXPECT(is_zero(p, 16 * PAGE));
}

TEST(populate_needs_rights)
{
	uint8_t *p = map_anon(4 * PAGE);

	ASSERT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_ERRNO(madvise(p, 2 * PAGE, MADV_POPULATE_WRITE), EINVAL);
	EXPECT_EQ(madvise(p, 2 * PAGE, MADV_POPULATE_READ), 0);
	ASSERT_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	EXPECT_ERRNO(madvise(p, 2 * PAGE, MADV_POPULATE_READ), EINVAL);
	ASSERT_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	EXPECT_ERRNO(madvise(p + PAGE, 3 * PAGE, MADV_POPULATE_READ), ENOMEM);
	EXPECT_ERRNO(madvise(p + 2 * PAGE, PAGE, MADV_POPULATE_WRITE), ENOMEM);
}

TEST(populate_beyond_the_object_is_a_fault)
{
	uint8_t *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	p = mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	ASSERT(p != MAP_FAILED);
	EXPECT_ERRNO(madvise(p, 2 * PAGE, MADV_POPULATE_READ), EFAULT);
}

/* --- arguments ---------------------------------------------------------------------------------------------- */

TEST(advice_has_ranges_like_all_calls)
{
	uint8_t *p = map_anon(4 * PAGE);

	EXPECT_ERRNO(madvise(p, PAGE, 1000), EINVAL);
	EXPECT_ERRNO(madvise(p, 0, 1000), EINVAL);
	EXPECT_ERRNO(madvise(p + 1, PAGE, MADV_DONTFORK), EINVAL);
	EXPECT_ERRNO(madvise(p, -1ul, MADV_DONTFORK), EINVAL);
	EXPECT_EQ(madvise(p, 0, MADV_DONTFORK), 0);
	EXPECT_EQ(madvise(p, PAGE, MADV_RANDOM), 0);
	EXPECT_EQ(madvise(p, 2 * PAGE, MADV_SEQUENTIAL), 0);
	EXPECT_EQ(madvise(p, 4 * PAGE, MADV_NORMAL), 0);
	EXPECT_EQ(madvise(p, 4 * PAGE, MADV_DONTDUMP), 0);
	EXPECT_EQ(madvise(p, 4 * PAGE, MADV_DODUMP), 0);
	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_ERRNO(madvise(p, 4 * PAGE, MADV_DONTFORK), ENOMEM);
}

TEST(locked_memory_can_be_discarded_on_purpose)
{
	uint8_t *p = map_anon(2 * PAGE);

	p[0] = 1;
	ASSERT_EQ(mlock(p, 2 * PAGE), 0);
	EXPECT_ERRNO(madvise(p, 2 * PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_EQ(madvise(p, 2 * PAGE, DONTNEED_LOCKED), 0);
	EXPECT_EQ(present(p, 2), 0);
	EXPECT_EQ(p[0], 0);
}

/* --- mseal ---------------------------------------------------------------------------------------------------- */

TEST(sealed_mappings_stay)
{
	uint8_t *p = map_anon(5 * PAGE), *to = reserve(5 * PAGE);
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;

	ASSERT_EQ(seal(p + PAGE, 2 * PAGE, 0), 0);
	EXPECT_ERRNO(munmap(p + PAGE, PAGE), EPERM);
	EXPECT_ERRNO(munmap(p, 5 * PAGE), EPERM);
	EXPECT_EQ(present(p, 5), 0); /* all of it is still there */
	EXPECT_ERRNO(mprotect(p + 2 * PAGE, PAGE, PROT_READ), EPERM);
	EXPECT_ERRNO(mremap(p + PAGE, 2 * PAGE, PAGE, 0), EPERM);
	EXPECT_ERRNO(mremap(p + PAGE, 2 * PAGE, 2 * PAGE, fixed, to), EPERM);
	EXPECT_ERRNO(mremap(to, 2 * PAGE, 2 * PAGE, fixed, p), EPERM);
	EXPECT(mmap(p, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		       MAP_FAILED &&
	       errno == EPERM);
	p[PAGE] = 1;
	EXPECT_EQ(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(munmap(p + 3 * PAGE, 2 * PAGE), 0);
	EXPECT_EQ(munmap(p, PAGE), 0);
}

TEST(sealed_constants_are_not_discarded)
{
	uint8_t *p = map_anon(PAGE);

	p[0] = 1;
	ASSERT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	ASSERT_EQ(seal(p, PAGE, 0), 0);
	EXPECT_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EPERM);
	EXPECT_EQ(p[0], 1);
}

static void cannot_unmap(void *p)
{
	EXPECT_ERRNO(munmap(p, PAGE), EPERM);
}

TEST(seals_are_inherited)
{
	uint8_t *p = map_anon(PAGE);

	ASSERT_EQ(seal(p, PAGE, 0), 0);
	EXPECT_CHILD_OK(cannot_unmap, p);
}

TEST(mseal_errors)
{
	uint8_t *p = map_anon(3 * PAGE);

	EXPECT_ERRNO(seal(p, PAGE, 1), EINVAL);
	EXPECT_ERRNO(seal(p + 1, PAGE, 0), EINVAL);
	EXPECT_ERRNO(seal(p, -1ul, 0), EINVAL);
	EXPECT_ERRNO(seal(p, -PAGE, 0), EINVAL);
	EXPECT_EQ(seal(p, 0, 0), 0);
	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_ERRNO(seal(p, 3 * PAGE, 0), ENOMEM);
	EXPECT_EQ(munmap(p, 3 * PAGE), 0); /* nothing was sealed */
}

/* --- membarrier ------------------------------------------------------------------------------------------------ */

#define QUERY         0
#define GLOBAL        1
#define GLOBAL_EXP    2
#define REG_GLOBAL    4
#define PRIVATE       8
#define REG_PRIVATE   16
#define REGISTRATIONS 512

TEST(membarrier_commands)
{
	long known = barrier(QUERY, 0);
	const long wanted =
		GLOBAL | GLOBAL_EXP | REG_GLOBAL | PRIVATE | REG_PRIVATE | REGISTRATIONS;

	EXPECT_EQ(known & wanted, wanted);
	EXPECT_ERRNO(barrier(QUERY, 1), EINVAL);
	EXPECT_ERRNO(barrier(1 << 20, 0), EINVAL);
	EXPECT_ERRNO(barrier(3, 0), EINVAL);
	EXPECT_ERRNO(barrier(PRIVATE, 0), EPERM);
	EXPECT_EQ(barrier(GLOBAL, 0), 0);
	EXPECT_EQ(barrier(GLOBAL_EXP, 0), 0);
	EXPECT_EQ(barrier(REGISTRATIONS, 0), 0);
	EXPECT_EQ(barrier(REG_PRIVATE, 0), 0);
	EXPECT_EQ(barrier(PRIVATE, 0), 0);
	EXPECT_EQ(barrier(REG_GLOBAL, 0), 0);
	EXPECT_EQ(barrier(REGISTRATIONS, 0), REG_PRIVATE | REG_GLOBAL);
}

TEST_MAIN()
