/* SPDX-License-Identifier: MIT */
/*
 * mmap_anon.c - private anonymous memory: what mmap, munmap, mprotect and madvise(DONTNEED) promise, where
 * they place things, which errors they return, and that pages appear and die exactly where said.
 *
 * How mappings merge and split cannot be seen directly; what can be seen is which addresses fault and
 * what content survives.
 */
#include "memory.h"
#include <sys/resource.h>

static long raw_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		     long fd, unsigned long offset)
{
	return syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* --- content ------------------------------------------------------------------------------------ */

TEST(fresh_memory_is_zero_however_it_is_touched)
{
	uint8_t *p = map_anon(64 * PAGE);

	for (size_t i = 0; i < 64; i += 2)
		EXPECT(is_zero(p + i * PAGE, PAGE));
	for (size_t i = 1; i < 64; i += 2)
		ktap_store(p + i * PAGE + 100, 1);
	for (size_t i = 1; i < 64; i += 2)
		EXPECT(is_zero(p + i * PAGE, 100) && is_zero(p + i * PAGE + 101, PAGE - 101));
}

TEST(read_page_becomes_writable)
{
	uint8_t *p = map_anon(2 * PAGE);

	EXPECT_EQ(ktap_load(p), 0);
	ktap_store(p, 42);
	EXPECT_EQ(ktap_load(p), 42);
	EXPECT(is_zero(p + 1, 2 * PAGE - 1));
}

TEST_SECONDS(thirty_two_megabytes_keep_their_content, 60)
{
	const size_t pages = 8192;
	uint8_t *p = map_anon(pages * PAGE);

	fill_pages(p, pages, 1);
	EXPECT_EQ(count_wrong_pages(p, pages, 1), 0);
}

TEST(sparse_touches_across_a_terabyte)
{
	const unsigned long step = 16ul << 30;
	uint8_t *p = map_at(NULL, 64 * step, RW, MAP_NORESERVE);

	ASSERT(p != MAP_FAILED);
	for (unsigned long i = 0; i < 64; i++)
		*(volatile unsigned long *)(p + i * step) = i + 1;
	for (unsigned long i = 0; i < 64; i++)
		EXPECT_EQ(*(volatile unsigned long *)(p + i * step), i + 1);
	EXPECT_EQ(munmap(p, 64 * step), 0);
	EXPECT_LOAD_DIES(p);
	EXPECT_LOAD_DIES(p + 63 * step);
}

TEST_SECONDS(unmapped_memory_can_be_had_again, 60)
{
	for (int i = 0; i < 40; i++) { /* 320 MiB in all: more than there is */
		uint8_t *p = map_anon(2048 * PAGE);

		fill_pages(p, 2048, (uint64_t)i);
		ASSERT_EQ(munmap(p, 2048 * PAGE), 0);
	}
}

TEST(dontneed_gives_zeroes_back)
{
	uint8_t *p = map_anon(4 * PAGE);

	fill_pages(p, 4, 1);
	EXPECT_EQ(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	EXPECT(is_zero(p + PAGE, 2 * PAGE));
	EXPECT_EQ(count_wrong_pages(p, 1, 1), 0);
	EXPECT_EQ(*(volatile uint64_t *)(p + 3 * PAGE + 192), page_word(3, 1));
	EXPECT_ERRNO(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_ERRNO(madvise(p, PAGE, 12345), EINVAL);
	EXPECT_EQ(madvise(p, 0, MADV_DONTNEED), 0);
	EXPECT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_ERRNO(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
	EXPECT(is_zero(p, PAGE) && is_zero(p + 3 * PAGE, PAGE)); /* the rest was done */
}

/* --- protection --------------------------------------------------------------------------------- */

TEST(protections_are_enforced)
{
	uint8_t *p = map_anon(4 * PAGE);

	fill_pages(p, 4, 1);
	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
	EXPECT_LOAD_DIES(p + PAGE);
	EXPECT_STORE_DIES(p + PAGE);
	EXPECT_STORE_DIES(p + 2 * PAGE);
	ktap_load(p + 2 * PAGE);
	EXPECT_EQ(mprotect(p, 4 * PAGE, RW), 0);
	EXPECT_EQ(count_wrong_pages(p, 4, 1), 0);
}

TEST(protection_holds_for_untouched_pages)
{
	uint8_t *none = map_at(NULL, PAGE, PROT_NONE, 0), *ro = map_at(NULL, PAGE, PROT_READ, 0);

	EXPECT_LOAD_DIES(none);
	EXPECT_STORE_DIES(ro);
	EXPECT(is_zero(ro, PAGE));
	EXPECT_STORE_DIES(ro); /* now the zero page is there */
	EXPECT_EQ(mprotect(ro, PAGE, RW), 0);
	ktap_store(ro, 1);
	EXPECT_EQ(ktap_load(ro), 1);
}

TEST(write_read_write_keeps_content)
{
	uint8_t *p = map_anon(8 * PAGE);

	for (uint64_t round = 0; round < 10; round++) {
		fill_pages(p, 8, round);
		ASSERT_EQ(mprotect(p, 8 * PAGE, PROT_READ), 0);
		EXPECT_STORE_DIES(p + 3 * PAGE);
		EXPECT_EQ(count_wrong_pages(p, 8, round), 0);
		ASSERT_EQ(mprotect(p, 8 * PAGE, RW), 0);
	}
}

static const uint8_t return_code[] = {
#ifdef __x86_64__
	0xb8, 0x2a, 0, 0, 0, 0xc3, /* mov $42, %eax; ret */
#else
	0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6, /* mov w0, #42; ret */
#endif
};

static void call(void *p)
{
	int (*function)(void);

	memcpy(&function, &p, sizeof(p));
	EXPECT_EQ(function(), 42);
}

TEST(data_cannot_be_executed_until_allowed)
{
	uint8_t *p = map_anon(PAGE);

	memcpy(p, return_code, sizeof(return_code));
	EXPECT_DEATH(call, p, SIGSEGV);
	ASSERT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	__builtin___clear_cache((char *)p, (char *)p + sizeof(return_code));
	EXPECT_CHILD_OK(call, p);
	EXPECT_STORE_DIES(p);
	ASSERT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_DEATH(call, p, SIGSEGV);
}

TEST(own_code_and_constants_are_read_only)
{
	static const char constant[] = "constant";

	EXPECT_STORE_DIES(constant);
	EXPECT_STORE_DIES((void *)(uintptr_t)call);
}

TEST(null_and_kernel_addresses_kill)
{
	EXPECT_LOAD_DIES(NULL);
	EXPECT_STORE_DIES((void *)8);
	EXPECT_LOAD_DIES((void *)USER_END);
	EXPECT_LOAD_DIES((void *)0xffff800000000000ul);
	EXPECT_LOAD_DIES((void *)0xffffffff80000000ul);
	EXPECT_STORE_DIES((void *)0xffff000000000000ul);
	EXPECT_LOAD_DIES((void *)(-8ul));
	EXPECT_DEATH(call, NULL, SIGSEGV);
	EXPECT_DEATH(call, 0xffff800000000000ul, SIGSEGV);
}

/* --- splitting and merging ---------------------------------------------------------------------- */

TEST(hole_in_the_middle)
{
	uint8_t *p = map_anon(5 * PAGE);

	fill_pages(p, 5, 1);
	EXPECT_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	EXPECT_LOAD_DIES(p + 2 * PAGE);
	EXPECT_STORE_DIES(p + 3 * PAGE - 1);
	EXPECT_EQ(count_wrong_pages(p, 2, 1), 0);
	EXPECT_EQ(*(volatile uint64_t *)(p + 3 * PAGE + 192), page_word(3, 1));
	EXPECT(map_at(p + 2 * PAGE, PAGE, RW, MAP_FIXED) == p + 2 * PAGE);
	EXPECT(is_zero(p + 2 * PAGE, PAGE));
	EXPECT_EQ(munmap(p, 5 * PAGE), 0);
	for (size_t i = 0; i < 5; i++)
		EXPECT_LOAD_DIES(p + i * PAGE);
}

TEST(unmap_across_several_mappings_and_holes)
{
	uint8_t *p = reserve(16 * PAGE);

	ASSERT_EQ(munmap(p, 16 * PAGE), 0);
	for (size_t i = 0; i < 16; i += 4)
		ASSERT(map_at(p + i * PAGE, 2 * PAGE, i % 8 ? RW : PROT_READ, MAP_FIXED) !=
		       MAP_FAILED);
	EXPECT_EQ(munmap(p + PAGE, 12 * PAGE), 0);
	ktap_load(p);
	ktap_load(p + 13 * PAGE);
	for (size_t i = 1; i < 13; i++)
		EXPECT_LOAD_DIES(p + i * PAGE);
}

TEST(a_thousand_alternating_protections)
{
	const size_t pages = 1024;
	uint8_t *p = map_anon(pages * PAGE);

	fill_pages(p, pages, 1);
	for (size_t i = 0; i < pages; i += 2)
		ASSERT_EQ(mprotect(p + i * PAGE, PAGE, PROT_READ), 0);
	EXPECT_EQ(count_wrong_pages(p, pages, 1), 0);
	EXPECT_STORE_DIES(p + 512 * PAGE);
	for (size_t i = 1; i < pages; i += 2)
		ktap_store(p + i * PAGE + 8, 1);
	for (size_t i = 0; i < pages; i += 2)
		ASSERT_EQ(mprotect(p + i * PAGE, PAGE, RW), 0);
	fill_pages(p, pages, 2);
	EXPECT_EQ(count_wrong_pages(p, pages, 2), 0);
	EXPECT_EQ(munmap(p, pages * PAGE), 0);
}

TEST(fixed_replaces_what_was_there)
{
	uint8_t *p = map_anon(4 * PAGE);

	fill_pages(p, 4, 1);
	EXPECT(map_at(p + PAGE, 2 * PAGE, RW, MAP_FIXED) == p + PAGE);
	EXPECT(is_zero(p + PAGE, 2 * PAGE));
	EXPECT_EQ(count_wrong_pages(p, 1, 1), 0);
	EXPECT_EQ(*(volatile uint64_t *)(p + 3 * PAGE + 192), page_word(3, 1));
}

/* --- placement ---------------------------------------------------------------------------------- */

TEST(hint_is_taken_when_free_and_rounded_down)
{
	uint8_t *p = reserve(64 * PAGE);

	ASSERT_EQ(munmap(p, 64 * PAGE), 0);
	EXPECT(map_at(p + 8 * PAGE, PAGE, RW, 0) == p + 8 * PAGE);
	EXPECT(map_at(p + 16 * PAGE + 123, PAGE, RW, 0) == p + 16 * PAGE);

	uint8_t *taken = map_at(p + 8 * PAGE, PAGE, RW, 0);
	EXPECT(taken != MAP_FAILED && taken != p + 8 * PAGE);
}

TEST(noreplace_fits_only_into_holes)
{
	uint8_t *p = reserve(8 * PAGE);
	const int flags = MAP_FIXED_NOREPLACE;

	ASSERT_EQ(munmap(p + 2 * PAGE, 2 * PAGE), 0);
	EXPECT_ERRNO(map_at(p, PAGE, RW, flags), EEXIST);
	EXPECT_ERRNO(map_at(p + PAGE, 2 * PAGE, RW, flags), EEXIST);
	EXPECT_ERRNO(map_at(p + 3 * PAGE, 2 * PAGE, RW, flags), EEXIST);
	EXPECT_ERRNO(map_at(p, 8 * PAGE, RW, flags), EEXIST);
	EXPECT(map_at(p + 2 * PAGE, 2 * PAGE, RW, flags) == p + 2 * PAGE);
	EXPECT_ERRNO(map_at(p + 2 * PAGE, PAGE, RW, flags), EEXIST);
}

TEST(mappings_do_not_overlap)
{
	uint8_t *p[100];

	for (int i = 0; i < 100; i++) {
		p[i] = map_anon((size_t)(i % 7 + 1) * PAGE);
		fill_pages(p[i], (size_t)(i % 7 + 1), (uint64_t)i);
	}
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(count_wrong_pages(p[i], (size_t)(i % 7 + 1), (uint64_t)i), 0);
}

TEST(length_is_rounded_up)
{
	uint8_t *p = reserve(4 * PAGE);

	EXPECT(map_at(p, PAGE + 1, RW, MAP_FIXED) == p);
	ktap_store(p + 2 * PAGE - 1, 1);
	EXPECT_STORE_DIES(p + 2 * PAGE);
	EXPECT_EQ(munmap(p, 1), 0);
	EXPECT_LOAD_DIES(p);
	ktap_load(p + PAGE);
}

/* --- errors ------------------------------------------------------------------------------------- */

TEST(mmap_errors)
{
	unsigned long p = (unsigned long)map_anon(4 * PAGE);

	EXPECT_ERRNO(raw_mmap(0, 0, RW, ANON, -1, 0), EINVAL);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, ANON, -1, 1), EINVAL);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	EXPECT_ERRNO(raw_mmap(0, PAGE, RW, MAP_PRIVATE, 999, 0), EBADF);
	EXPECT_ERRNO(raw_mmap(0, -1ul, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(0, -PAGE, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(0, USER_END + PAGE, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	EXPECT_ERRNO(raw_mmap(-PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(1ul << 63, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(p, -1ul << 40, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	EXPECT_ERRNO(raw_mmap(p + 1, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EINVAL);
	ktap_store((void *)p, 1); /* no failed call unmapped anything */
}

TEST(mmap_ignores_unknown_protection_bits)
{
	uint8_t *p = (uint8_t *)raw_mmap(0, PAGE, RW | 0x100, ANON, -1, 0);

	ASSERT(p != MAP_FAILED);
	ktap_store(p, 1);
}

TEST(munmap_errors)
{
	unsigned long p = (unsigned long)map_anon(4 * PAGE);

	EXPECT_ERRNO(syscall(SYS_munmap, p + 1, PAGE), EINVAL);
	EXPECT_ERRNO(syscall(SYS_munmap, p, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_munmap, p, -1ul), EINVAL);
	EXPECT_ERRNO(syscall(SYS_munmap, p, 1ul << 57), EINVAL);
	EXPECT_ERRNO(syscall(SYS_munmap, 0xffff800000000000ul, PAGE), EINVAL);
	EXPECT_ERRNO(syscall(SYS_munmap, -PAGE, PAGE), EINVAL);
	EXPECT_EQ(syscall(SYS_munmap, p, PAGE), 0);
	EXPECT_EQ(syscall(SYS_munmap, p, PAGE), 0);
	ktap_store((void *)(p + PAGE), 1);
}

TEST(mprotect_errors)
{
	uint8_t *p = map_anon(4 * PAGE);

	EXPECT_ERRNO(mprotect(p, PAGE, PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
	EXPECT_ERRNO(mprotect(p, PAGE, RW | PROT_GROWSDOWN), EINVAL);
	EXPECT_ERRNO(syscall(SYS_mprotect, p + 1, PAGE, RW), EINVAL);
	EXPECT_EQ(mprotect(p, 0, PROT_NONE), 0);
	EXPECT_ERRNO(mprotect(p, -PAGE, RW), ENOMEM);
	EXPECT_ERRNO(mprotect(p, PAGE, 0x100), EINVAL);
	EXPECT_ERRNO(mprotect((void *)0xffff800000000000ul, PAGE, RW), ENOMEM);
	ASSERT_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	EXPECT_ERRNO(mprotect(p + 2 * PAGE, PAGE, RW), ENOMEM);
	EXPECT_ERRNO(mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	EXPECT_STORE_DIES(p + PAGE); /* what lay before the hole was changed */
	ktap_store(p + 3 * PAGE, 1); /* what lay behind it was not */
}

TEST(rlimit_as_refuses)
{
	struct rlimit limit = {64ul << 20, 64ul << 20};

	ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	EXPECT_ERRNO(map_at(NULL, 128ul << 20, RW, 0), ENOMEM);
	EXPECT(map_at(NULL, PAGE, RW, 0) != MAP_FAILED);
}

TEST_MAIN()
