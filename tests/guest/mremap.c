/* SPDX-License-Identifier: MIT */
/* mremap.c - mappings that grow, shrink and move: what goes along, what stays, and which error wins. */
#include "memory.h"
#include "proc.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

#define MIB (1ul << 20)

static uint8_t *remap(void *old, unsigned long old_len, unsigned long new_len, int flags, void *to)
{
	return (uint8_t *)syscall(SYS_mremap, old, old_len, new_len, flags, to);
}

/* Makes it writable, too. */
static bool is_mapped(const uint8_t *p)
{
	return mprotect((void *)p, PAGE, RW) == 0;
}

static void fill_and_move(size_t pages, uint8_t *to)
{
	uint8_t *p = map_anon(pages * PAGE);

	fill_pages(p, pages, 7);
	ASSERT(remap(p, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT_EQ(count_wrong_pages(to, pages, 7), 0);
	EXPECT(!is_mapped(p));
	EXPECT(!is_mapped(p + (pages - 1) * PAGE));
	fill_pages(to, pages, 8);
	EXPECT_EQ(count_wrong_pages(to, pages, 8), 0);
}

/* --- size ------------------------------------------------------------------------------------------- */

TEST(a_shorter_mapping_loses_its_end)
{
	uint8_t *p = map_anon(8 * PAGE);

	fill_pages(p, 8, 1);
	ASSERT(remap(p, 8 * PAGE, 3 * PAGE, 0, NULL) == p);
	EXPECT_EQ(count_wrong_pages(p, 3, 1), 0);
	EXPECT_LOAD_DIES(p + 3 * PAGE);
	EXPECT_LOAD_DIES(p + 7 * PAGE);
}

TEST(lengths_are_rounded_up)
{
	uint8_t *p = map_anon(4 * PAGE);

	ASSERT(remap(p, 3 * PAGE + 1, PAGE + 1, 0, NULL) == p);
	EXPECT(is_mapped(p + PAGE));
	EXPECT(!is_mapped(p + 2 * PAGE));
	EXPECT(!is_mapped(p + 3 * PAGE));
}

TEST(shrinking_may_go_over_several_mappings)
{
	uint8_t *p = map_anon(6 * PAGE);

	ASSERT_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
	ASSERT_EQ(munmap(p + 4 * PAGE, PAGE), 0);
	ASSERT(remap(p, 6 * PAGE, PAGE, 0, NULL) == p);
	for (int i = 1; i < 6; i++)
		EXPECT(!is_mapped(p + i * PAGE));
}

TEST(the_same_size_is_nothing_to_do)
{
	uint8_t *p = map_anon(2 * PAGE);

	ASSERT(remap(p, 2 * PAGE, 2 * PAGE, 0, NULL) == p);
	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT(remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL) == p);
}

TEST(grows_in_place_where_there_is_room)
{
	uint8_t *p = reserve(8 * PAGE);

	ASSERT_EQ(munmap(p + 2 * PAGE, 5 * PAGE), 0);
	ASSERT_EQ(mprotect(p, 2 * PAGE, RW), 0);
	fill_pages(p, 2, 3);
	EXPECT_ERRNO(remap(p, 2 * PAGE, 8 * PAGE, 0, NULL), ENOMEM);
	ASSERT(remap(p, 2 * PAGE, 7 * PAGE, 0, NULL) == p);
	EXPECT_EQ(count_wrong_pages(p, 2, 3), 0);
	EXPECT(is_zero(p + 2 * PAGE, 5 * PAGE));
	fill_pages(p, 7, 4);
	EXPECT_EQ(count_wrong_pages(p, 7, 4), 0);
}

TEST(the_middle_of_a_mapping_cannot_grow_in_place)
{
	uint8_t *p = map_anon(4 * PAGE);

	EXPECT_ERRNO(remap(p, 2 * PAGE, 3 * PAGE, 0, NULL), ENOMEM);
	EXPECT_ERRNO(remap(p + PAGE, 2 * PAGE, 3 * PAGE, 0, NULL), ENOMEM);
}

TEST(grows_by_moving)
{
	uint8_t *p = map_anon(4 * PAGE), *q;

	fill_pages(p, 4, 5);
	q = remap(p, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE, NULL);
	ASSERT(q != MAP_FAILED && q != p);
	EXPECT_EQ(count_wrong_pages(q, 2, 5), 0);
	EXPECT(is_zero(q + 2 * PAGE, 98 * PAGE));
	EXPECT(!is_mapped(p) && !is_mapped(p + PAGE));
	EXPECT(is_mapped(p + 2 * PAGE));
	fill_pages(q, 100, 6);
	EXPECT_EQ(count_wrong_pages(q, 100, 6), 0);
}

/* --- moving ------------------------------------------------------------------------------------------- */

TEST(pages_go_along)
{
	fill_and_move(1, reserve(PAGE));
	fill_and_move(33, reserve(33 * PAGE));
	fill_and_move(70, reserve(80 * PAGE) + 10 * PAGE);
}

TEST(across_tables_at_every_distance)
{
	const size_t pages = 1100;
	uint8_t *p = reserve(8 * MIB + pages * PAGE), *start;

	start = (uint8_t *)(((uintptr_t)p + 2 * MIB - 1) & ~(2 * MIB - 1));
	for (size_t shift = 0; shift < 4; shift++) {
		static const size_t offsets[] = {0, 1, 255, 511};

		fill_and_move(pages, start + offsets[shift] * PAGE);
	}
}

TEST(holes_stay_holes)
{
	const size_t pages = 2000;
	uint8_t *p = map_anon(pages * PAGE), *to = reserve(pages * PAGE);

	for (size_t i = 0; i < pages; i += 97)
		p[i * PAGE] = (uint8_t)i;
	ASSERT(remap(p, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	for (size_t i = 0; i < pages; i++)
		if (!EXPECT_EQ(to[i * PAGE], i % 97 ? 0 : (uint8_t)i))
			break;
}

TEST(zero_pages_go_along)
{
	uint8_t *p = map_anon(40 * PAGE), *to = reserve(40 * PAGE);

	EXPECT(is_zero(p, 40 * PAGE));
	ASSERT(remap(p, 40 * PAGE, 40 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT(is_zero(to, 40 * PAGE));
	fill_pages(to, 40, 1);
	EXPECT_EQ(count_wrong_pages(to, 40, 1), 0);
}

TEST(rights_go_along)
{
	uint8_t *p = map_anon(3 * PAGE), *to = reserve(3 * PAGE);

	fill_pages(p, 3, 1);
	ASSERT_EQ(mprotect(p, 3 * PAGE, PROT_READ), 0);
	ASSERT(remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT_EQ(count_wrong_pages(to, 3, 1), 0);
	EXPECT_STORE_DIES(to + PAGE);
	ASSERT_EQ(mprotect(to, 3 * PAGE, RW), 0);
	fill_pages(to, 3, 2);
	EXPECT_EQ(count_wrong_pages(to, 3, 2), 0);
}

TEST(what_is_cut_out_leaves_both_ends)
{
	uint8_t *p = map_anon(9 * PAGE), *to = reserve(3 * PAGE);

	fill_pages(p, 9, 1);
	ASSERT(remap(p + 3 * PAGE, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT_EQ(count_wrong_pages(p, 3, 1), 0);
	EXPECT(is_mapped(p + 6 * PAGE));
	EXPECT_LOAD_DIES(p + 3 * PAGE);
	EXPECT_LOAD_DIES(p + 5 * PAGE);
	EXPECT_EQ(*(uint64_t *)(to + 3 * 64), page_word(3, 1));
}

TEST(a_move_there_and_back_leaves_one_mapping)
{
	uint8_t *p = map_anon(9 * PAGE), *to = reserve(3 * PAGE);

	fill_pages(p, 9, 1);
	ASSERT(remap(p + 3 * PAGE, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	ASSERT(remap(to, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 3 * PAGE) ==
	       p + 3 * PAGE);
	EXPECT_EQ(count_wrong_pages(p, 9, 1), 0);
	/* Only one mapping can move as a whole. */
	EXPECT(remap(p, 9 * PAGE, 20 * PAGE, MREMAP_MAYMOVE, NULL) != MAP_FAILED);
}

TEST(a_fixed_target_is_unmapped_first)
{
	uint8_t *p = map_anon(2 * PAGE), *to = map_anon(6 * PAGE);

	fill_pages(p, 2, 1);
	fill_pages(to, 6, 2);
	ASSERT(remap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE) == to + PAGE);
	EXPECT_EQ(count_wrong_pages(to + PAGE, 2, 1), 0);
	EXPECT(is_zero(to + 3 * PAGE, 2 * PAGE));
	EXPECT_EQ(*(uint64_t *)to, page_word(0, 2));
	EXPECT_EQ(*(uint64_t *)(to + 5 * PAGE + 5 * 64), page_word(5, 2));
}

TEST(a_fixed_move_can_shrink)
{
	uint8_t *p = map_anon(6 * PAGE), *to = reserve(6 * PAGE);

	fill_pages(p, 6, 1);
	ASSERT(remap(p, 6 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT_EQ(count_wrong_pages(to, 2, 1), 0);
	EXPECT_LOAD_DIES(to + 2 * PAGE); /* what was reserved there is still there */
	for (int i = 0; i < 6; i++)
		EXPECT(!is_mapped(p + i * PAGE));
}

/* --- the same pages in two processes --------------------------------------------------------------- */

static void child_reads_moved(void *to)
{
	EXPECT_EQ(count_wrong_pages(to, 40, 1), 0);
	fill_pages(to, 40, 9);
	EXPECT_EQ(count_wrong_pages(to, 40, 9), 0);
}

TEST(shared_pages_stay_shared_when_they_move)
{
	uint8_t *p = map_anon(40 * PAGE), *to = reserve(40 * PAGE);

	fill_pages(p, 40, 1);
	pid_t pid = fork();
	bool late;

	if (pid == 0) { /* the child moves what both still share, then writes */
		if (remap(p, 40 * PAGE, 40 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
			_exit(1);
		child_reads_moved(to);
		_exit(ktap_failed);
	}
	EXPECT_EQ(ktap_wait(pid, KTAP_SECONDS, &late), 0);
	EXPECT_EQ(count_wrong_pages(p, 40, 1), 0);
}

TEST(a_fork_after_a_move_copies)
{
	uint8_t *p = map_anon(40 * PAGE), *to = reserve(40 * PAGE);

	fill_pages(p, 40, 1);
	ASSERT(remap(p, 40 * PAGE, 40 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT_CHILD_OK(child_reads_moved, to);
	EXPECT_EQ(count_wrong_pages(to, 40, 1), 0);
}

/* --- files and shared memory ------------------------------------------------------------------------- */

TEST(private_copies_of_a_file_go_along)
{
	int fd = open("/data/pattern", O_RDONLY);
	uint8_t *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0), *to = reserve(4 * PAGE);
	uint8_t first, second;

	ASSERT(fd >= 0 && p != MAP_FAILED);
	first = p[0];
	second = p[PAGE];
	p[PAGE] = (uint8_t)~second;
	ASSERT(remap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	EXPECT_EQ(to[0], first);
	EXPECT_EQ(to[PAGE], (uint8_t)~second);
	ASSERT_EQ(madvise(to, 4 * PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(to[PAGE], second);
}

TEST(shared_memory_is_the_same_after_a_move)
{
	uint8_t *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	ASSERT(p != MAP_FAILED);
	fill_pages(p, 4, 1);
	q = remap(p + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE, NULL);
	ASSERT(q != MAP_FAILED);
	EXPECT_EQ(count_wrong_pages(p, 4, 1), 0);
	EXPECT_EQ(*(uint64_t *)(q + 64), page_word(1, 1));
	q[0] = 42;
	EXPECT_EQ(p[PAGE], 42);

	uint8_t *to = reserve(2 * PAGE);
	ASSERT(remap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	to[0] = 43;
	EXPECT_EQ(p[PAGE], 43);
}

TEST(private_memory_cannot_be_shown_twice)
{
	uint8_t *p = map_anon(PAGE);

	EXPECT_ERRNO(remap(p, 0, PAGE, MREMAP_MAYMOVE, NULL), EINVAL);
	EXPECT_ERRNO(remap(p, 0, PAGE, 0, NULL), EINVAL);
}

static void load_beyond(void *p)
{
	ktap_load(p);
}

TEST(a_longer_mapping_does_not_make_the_object_longer)
{
	uint8_t *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	p = remap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, NULL);
	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_DEATH(load_beyond, p + 3 * PAGE, SIGBUS);
}

/* --- MREMAP_DONTUNMAP ------------------------------------------------------------------------------ */

TEST(dontunmap_leaves_an_empty_mapping)
{
	uint8_t *p = map_anon(20 * PAGE), *q;

	fill_pages(p, 20, 1);
	q = remap(p, 20 * PAGE, 20 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ASSERT(q != MAP_FAILED && q != p);
	EXPECT_EQ(count_wrong_pages(q, 20, 1), 0);
	EXPECT(is_zero(p, 20 * PAGE));
	fill_pages(p, 20, 2);
	EXPECT_EQ(count_wrong_pages(q, 20, 1), 0);
	EXPECT_EQ(count_wrong_pages(p, 20, 2), 0);
}

TEST(dontunmap_of_a_part_to_a_fixed_place)
{
	uint8_t *p = map_anon(9 * PAGE), *to = map_anon(3 * PAGE);

	fill_pages(p, 9, 1);
	ASSERT(remap(p + 3 * PAGE, 3 * PAGE, 3 * PAGE,
		     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == to);
	EXPECT(is_zero(p + 3 * PAGE, 3 * PAGE));
	EXPECT_EQ(*(uint64_t *)(to + 3 * 64), page_word(3, 1));
	EXPECT_EQ(count_wrong_pages(p, 3, 1), 0);
	EXPECT_EQ(*(uint64_t *)(p + 6 * PAGE + 6 * 64), page_word(6, 1));
}

TEST(dontunmap_of_shared_memory_shows_it_twice)
{
	uint8_t *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	ASSERT(p != MAP_FAILED);
	fill_pages(p, 3, 1);
	q = remap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ASSERT(q != MAP_FAILED && q != p);
	EXPECT_EQ(count_wrong_pages(p, 3, 1), 0);
	EXPECT_EQ(count_wrong_pages(q, 3, 1), 0);
}

TEST(dontunmap_follows_a_free_hint)
{
	uint8_t *p = map_anon(2 * PAGE), *hint = reserve(2 * PAGE);

	ASSERT_EQ(munmap(hint, 2 * PAGE), 0);
	EXPECT(remap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, hint) == hint);
}

/* --- errors ------------------------------------------------------------------------------------------- */

TEST(arguments_that_make_no_sense)
{
	uint8_t *p = map_anon(4 * PAGE), *to = reserve(4 * PAGE);

	EXPECT_ERRNO(remap(p, PAGE, PAGE, 8, NULL), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, MREMAP_FIXED, to), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, MREMAP_DONTUNMAP, to), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, to), EINVAL);
	EXPECT_ERRNO(remap(p + 1, PAGE, PAGE, MREMAP_MAYMOVE, NULL), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, 0, MREMAP_MAYMOVE, NULL), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, -1ul, MREMAP_MAYMOVE, NULL), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)-PAGE), EINVAL);
	EXPECT_ERRNO(remap(p, PAGE, -PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), EINVAL);
}

TEST(old_and_new_must_not_overlap)
{
	uint8_t *p = map_anon(8 * PAGE);
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	EXPECT_ERRNO(remap(p, 4 * PAGE, 4 * PAGE, flags, p), EINVAL);
	EXPECT_ERRNO(remap(p, 4 * PAGE, 4 * PAGE, flags, p + 3 * PAGE), EINVAL);
	EXPECT_ERRNO(remap(p + 2 * PAGE, 4 * PAGE, 4 * PAGE, flags, p), EINVAL);
	EXPECT(remap(p, 4 * PAGE, 4 * PAGE, flags, p + 4 * PAGE) == p + 4 * PAGE);
}

TEST(what_is_not_mapped_is_a_fault)
{
	uint8_t *p = map_anon(4 * PAGE), *to = reserve(4 * PAGE);
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	ASSERT_EQ(munmap(p, PAGE), 0);
	ASSERT_EQ(mprotect(p + 2 * PAGE, 2 * PAGE, PROT_READ), 0);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, 0, NULL), EFAULT);
	EXPECT_ERRNO(remap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, flags, to + 1), EFAULT);
	/* over the bounds of one mapping */
	EXPECT_ERRNO(remap(p + PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT);
	EXPECT_ERRNO(remap(p + PAGE, 2 * PAGE, 2 * PAGE, flags, to), EFAULT);
	/* by then the target was unmapped */
	EXPECT(!is_mapped(to));
}

TEST(no_address_below_the_first_is_given)
{
	uint8_t *p = map_anon(PAGE);

	if (geteuid() != 0)
		SKIP("needs root, to give up its rights");
	ASSERT(slurp("/proc/sys/vm/mmap_min_addr") > 0);
	if (strtoul(text, NULL, 10) <= PAGE)
		SKIP("this kernel gives such addresses to anybody");
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)PAGE), EPERM);
	EXPECT(is_mapped(p));
}

TEST(address_space_is_limited)
{
	struct rlimit limit;
	uint8_t *p = map_anon(PAGE);

	ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = 64 * MIB;
	ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	EXPECT_ERRNO(remap(p, PAGE, 64 * MIB, MREMAP_MAYMOVE, NULL), ENOMEM);
	EXPECT_ERRNO(remap(p, PAGE, 1ul << 60, MREMAP_MAYMOVE, NULL), ENOMEM);
	EXPECT(remap(p, PAGE, 8 * MIB, MREMAP_MAYMOVE, NULL) != MAP_FAILED);
}

/* --- others look on ----------------------------------------------------------------------------------- */

#define RACE_PAGES 16

static struct race {
	uint8_t *a, *b;
	volatile bool stop;
} race;

/* Pages between the old place and the new one are faulted in again and again. */
static void *write_through(void *arg)
{
	uint8_t *quiet = arg;

	while (!race.stop)
		for (int i = 0; i < RACE_PAGES; i++)
			quiet[i * PAGE]++;
	return NULL;
}

TEST(neighbours_fault_while_memory_moves)
{
	const unsigned long len = RACE_PAGES * PAGE;
	uint8_t *area = reserve(3 * len), *quiet = area + len;
	pthread_t thread;

	race.a = area;
	race.b = area + 2 * len;
	ASSERT_EQ(mprotect(quiet, len, RW), 0);
	ASSERT_EQ(munmap(race.b, len), 0);
	ASSERT_EQ(mprotect(race.a, len, PROT_READ | PROT_EXEC), 0);
	ASSERT_EQ(mprotect(race.a, len, RW), 0);
	fill_pages(race.a, RACE_PAGES, 1);
	ASSERT_EQ(pthread_create(&thread, NULL, write_through, quiet), 0);
	for (int i = 0; i < 300; i++) {
		uint8_t *from = i & 1 ? race.b : race.a, *to = i & 1 ? race.a : race.b;

		ASSERT(remap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		ASSERT_EQ(count_wrong_pages(to, RACE_PAGES, 1), 0);
		madvise(quiet, len, MADV_DONTNEED);
	}
	race.stop = true;
	ASSERT_EQ(pthread_join(thread, NULL), 0);
}

TEST_MAIN()
