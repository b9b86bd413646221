/* SPDX-License-Identifier: MIT */
/*
 * fork_cow.c - after a fork each side owns its memory: no write on one side is ever seen on the other,
 * whoever writes first, however deep the family, and whatever else runs at the time.
 *
 * Order between the processes comes from gates (pipes), never from sleeping. The last claims are about
 * races: threads that write while their process forks, families that write on all CPUs at once.
 */
#include "gate.h"
#include "memory.h"
#include <pthread.h>

static volatile int in_data = 1;
static volatile int in_bss;

TEST(write_of_child_is_not_seen_by_parent)
{
	uint8_t *p = map_anon(PAGE);
	int status;

	ktap_store(p, 1);
	pid_t pid = fork();
	if (pid == 0) {
		ktap_store(p, 2);
		_exit(ktap_load(p) != 2);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(ktap_load(p), 1);
}

TEST(write_of_parent_is_not_seen_by_child)
{
	uint8_t *p = map_anon(PAGE);
	struct gate go = gate_make();
	int status;

	ktap_store(p, 1);
	pid_t pid = fork();
	if (pid == 0) {
		gate_receive(&go);
		_exit(ktap_load(p) != 1);
	}
	ktap_store(p, 3);
	gate_send(&go, 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(ktap_load(p), 3);
}

TEST(both_sides_write_the_same_page)
{
	uint8_t *p = map_anon(PAGE);
	struct gate to_child = gate_make(), to_parent = gate_make();

	memset(p, 0x11, PAGE);
	pid_t pid = fork();
	if (pid == 0) {
		ktap_store(p, 0xc1);
		gate_send(&to_parent, 0);
		gate_receive(&to_child);
		_exit(ktap_load(p) != 0xc1 || ktap_load(p + 1) != 0x11 || ktap_load(p + 2) != 0x11);
	}
	gate_receive(&to_parent);
	ktap_store(p + 1, 0xa1);
	EXPECT_EQ(ktap_load(p), 0x11);
	gate_send(&to_child, 0);
	int status;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(ktap_load(p + 1), 0xa1);
	EXPECT_EQ(ktap_load(p + PAGE - 1), 0x11);
}

static void change_everything(void *arg)
{
	volatile int *places = arg;

	in_data = in_bss = *places = 99;
	EXPECT(in_data == 99 && in_bss == 99 && *places == 99);
}

TEST(data_bss_heap_and_stack_are_private)
{
	volatile int on_stack = 2;
	volatile int *on_heap = malloc(sizeof(int));

	*on_heap = 3;
	EXPECT_CHILD_OK(change_everything, &on_stack);
	EXPECT_CHILD_OK(change_everything, on_heap);
	EXPECT_EQ(in_data, 1);
	EXPECT_EQ(in_bss, 0);
	EXPECT_EQ(on_stack, 2);
	EXPECT_EQ(*on_heap, 3);
}

#define TREE_PAGES 32
/* Each generation rewrites a third of the pages, has children, and must find its own view unchanged. */
static void grow_tree(uint8_t *p, unsigned generation, uint64_t *seeds)
{
	for (size_t i = generation % 3; i < TREE_PAGES; i += 3) {
		seeds[i] = seeds[i] * 31 + generation + 1;
		*(volatile uint64_t *)(p + i * PAGE) = seeds[i];
	}
	for (unsigned child = 0; child < 2 && generation < 3; child++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			for (size_t i = child; i < TREE_PAGES; i += 5)
				*(volatile uint64_t *)(p + i * PAGE) = seeds[i] = child + 1000;
			grow_tree(p, generation + 1, seeds);
			_exit(ktap_failed);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 0);
	}
	for (size_t i = 0; i < TREE_PAGES; i++)
		EXPECT_EQ(*(volatile uint64_t *)(p + i * PAGE), seeds[i]);
}

TEST(three_generations_stay_apart)
{
	uint64_t seeds[TREE_PAGES] = {0};

	grow_tree(map_anon(TREE_PAGES * PAGE), 0, seeds);
}

TEST(parent_writes_after_child_has_gone)
{
	const size_t pages = 64;
	uint8_t *p = map_anon(pages * PAGE);

	fill_pages(p, pages, 1);
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT_EQ(count_wrong_pages(p, pages, 1), 0);
	fill_pages(p, pages, 2);
	EXPECT_EQ(count_wrong_pages(p, pages, 2), 0);
}

TEST(grandchild_writes_after_its_parent_has_gone)
{
	const size_t pages = 64;
	uint8_t *p = map_anon(pages * PAGE);
	struct gate go = gate_make(), result = gate_make();

	fill_pages(p, pages, 1);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0) {
			gate_receive(&go);
			size_t wrong = count_wrong_pages(p, pages, 1);
			fill_pages(p, pages, 2);
			gate_send(&result, wrong + count_wrong_pages(p, pages, 2));
			_exit(0);
		}
		fill_pages(p, pages, 3);
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	gate_send(&go, 0);
	EXPECT_EQ(gate_receive(&result), 0);
	EXPECT_EQ(count_wrong_pages(p, pages, 1), 0);
}

static void write_zeroes_page(void *arg)
{
	uint8_t *p = arg;

	EXPECT(is_zero(p, 2 * PAGE));
	ktap_store(p, 7);
	EXPECT(ktap_load(p) == 7 && is_zero(p + 1, 2 * PAGE - 1));
}

TEST(zero_page_is_copied_on_write)
{
	uint8_t *read_first = map_anon(2 * PAGE), *other = map_anon(PAGE);

	EXPECT(is_zero(read_first, 2 * PAGE));
	EXPECT(is_zero(other, PAGE));
	EXPECT_CHILD_OK(write_zeroes_page, read_first);
	EXPECT(is_zero(read_first, 2 * PAGE));
	ktap_store(read_first + PAGE, 9);
	EXPECT_EQ(ktap_load(read_first + PAGE), 9);
	EXPECT(is_zero(read_first, PAGE));
	EXPECT(is_zero(other, PAGE));
}

TEST(page_first_touched_after_fork_is_private)
{
	uint8_t *p = map_anon(4 * PAGE);

	EXPECT_CHILD_OK(write_zeroes_page, p);
	EXPECT(is_zero(p, 4 * PAGE));
	ktap_store(p + 3 * PAGE, 5);
	EXPECT_CHILD_OK(write_zeroes_page, p);
}

#define MANY_PAGES 4096ul
static void rewrite_many(void *p)
{
	EXPECT_EQ(count_wrong_pages(p, MANY_PAGES, 1), 0);
	fill_pages(p, MANY_PAGES, 2);
	EXPECT_EQ(count_wrong_pages(p, MANY_PAGES, 2), 0);
}

TEST_SECONDS(sixteen_megabytes_in_both_directions, 60)
{
	uint8_t *p = map_anon(MANY_PAGES * PAGE);

	fill_pages(p, MANY_PAGES, 1);
	EXPECT_CHILD_OK(rewrite_many, p);
	EXPECT_EQ(count_wrong_pages(p, MANY_PAGES, 1), 0);
	fill_pages(p, MANY_PAGES, 3);
	EXPECT_EQ(count_wrong_pages(p, MANY_PAGES, 3), 0);
}

static void change_layout(void *arg)
{
	uint8_t *p = arg;

	EXPECT_EQ(munmap(p, PAGE), 0);
	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	EXPECT(map_at(p + 2 * PAGE, PAGE, RW, MAP_FIXED) == p + 2 * PAGE);
	EXPECT_LOAD_DIES(p);
	EXPECT_LOAD_DIES(p + PAGE);
	EXPECT(is_zero(p + 2 * PAGE, PAGE));
}

TEST(layout_changes_of_child_stay_in_child)
{
	uint8_t *p = map_anon(4 * PAGE);

	fill_pages(p, 4, 1);
	EXPECT_CHILD_OK(change_layout, p);
	EXPECT_EQ(count_wrong_pages(p, 4, 1), 0);
	fill_pages(p, 4, 2);
	EXPECT_EQ(count_wrong_pages(p, 4, 2), 0);
}

static void unprotect_and_check(void *arg)
{
	uint8_t *p = arg;

	EXPECT_LOAD_DIES(p);
	EXPECT_STORE_DIES(p + PAGE);
	EXPECT_EQ(mprotect(p, 2 * PAGE, RW), 0);
	EXPECT_EQ(count_wrong_pages(p, 2, 1), 0);
	fill_pages(p, 2, 2);
}

TEST(protection_is_inherited_and_hides_no_content)
{
	uint8_t *p = map_anon(2 * PAGE);

	fill_pages(p, 2, 1);
	ASSERT(mprotect(p, PAGE, PROT_NONE) == 0 && mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	EXPECT_CHILD_OK(unprotect_and_check, p);
	EXPECT_STORE_DIES(p + PAGE);
	ASSERT_EQ(mprotect(p, 2 * PAGE, RW), 0);
	EXPECT_EQ(count_wrong_pages(p, 2, 1), 0);
}

/* write(2) and read(2) reach memory from the kernel's side: copy-on-write must hold for them, too. */
TEST(kernel_writes_break_sharing)
{
	uint8_t *p = map_anon(PAGE);
	struct gate g = gate_make();

	memset(p, 0x22, PAGE);
	pid_t pid = fork();
	if (pid == 0) {
		gate_send(&g, 0x4444444444444444);
		_exit(read(g.fd[0], p, 8) != 8 || ktap_load(p) != 0x44);
	}
	int status;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(ktap_load(p), 0x22);
}

TEST_SECONDS(a_hundred_forks_return_their_memory, 60)
{
	const size_t pages = 700; /* together more than the machine has */
	uint8_t *p = map_anon(pages * PAGE);

	fill_pages(p, pages, 1);
	for (int i = 0; i < 100; i++) {
		int status;
		pid_t pid = fork();

		ASSERT(pid >= 0);
		if (pid == 0) {
			fill_pages(p, pages, 2);
			_exit(0);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		ASSERT_EQ(status, 0);
	}
	EXPECT_EQ(count_wrong_pages(p, pages, 1), 0);
}

#define FAMILY       16
#define FAMILY_PAGES 64
TEST_SECONDS(family_writes_on_all_cpus_at_once, 60)
{
	uint8_t *p = map_anon(FAMILY_PAGES * PAGE);
	pid_t pids[FAMILY];

	fill_pages(p, FAMILY_PAGES, 0);
	for (unsigned c = 0; c < FAMILY; c++) {
		pids[c] = fork();
		ASSERT(pids[c] >= 0);
		if (pids[c] == 0) {
			size_t wrong = count_wrong_pages(p, FAMILY_PAGES, 0);

			for (uint64_t round = 1; round < 20; round++) {
				fill_pages(p, FAMILY_PAGES, c * 100 + round);
				wrong += count_wrong_pages(p, FAMILY_PAGES, c * 100 + round);
			}
			_exit(wrong != 0);
		}
	}
	for (unsigned c = 0; c < FAMILY; c++) {
		int status;

		ASSERT_EQ(waitpid(pids[c], &status, 0), pids[c]);
		EXPECT_EQ(status, 0);
	}
	EXPECT_EQ(count_wrong_pages(p, FAMILY_PAGES, 0), 0);
}

/* --- threads ------------------------------------------------------------------------------------ */

static void *fork_and_exit(void *arg)
{
	volatile int *value = arg;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		*value += 1;
		_exit(*value == 11 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return (void *)(long)status;
}

TEST(thread_can_fork)
{
	volatile int on_main_stack = 10;
	pthread_t t;
	void *status;

	ASSERT_EQ(pthread_create(&t, NULL, fork_and_exit, (void *)&on_main_stack), 0);
	ASSERT_EQ(pthread_join(t, &status), 0);
	EXPECT_EQ((long)status, 0);
	EXPECT_EQ(on_main_stack, 10);
}

#define WRITERS 3
static uint8_t *counter_pages; /* one page per writer */
static volatile bool stop_writers;

static void *count_up(void *arg)
{
	volatile uint64_t *counter = (volatile uint64_t *)(counter_pages + (uintptr_t)arg * PAGE);

	while (!stop_writers)
		++*counter;
	return NULL;
}

static uint64_t sum_counters(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < WRITERS; i++)
		sum += *(volatile uint64_t *)(counter_pages + i * PAGE);
	return sum;
}

/* A translation that another CPU still holds as writable would let the parent's thread write into the
 * page that now belongs to the child. */
TEST_SECONDS(writes_of_other_threads_stay_in_the_parent, 60)
{
	pthread_t t[WRITERS];

	counter_pages = map_anon(WRITERS * PAGE);
	for (uintptr_t i = 0; i < WRITERS; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, count_up, (void *)i), 0);
	for (int round = 0; round < 20; round++) {
		int status;
		pid_t pid = fork();

		ASSERT(pid >= 0);
		if (pid == 0) {
			uint64_t before = sum_counters();
			ktap_sleep_ns(2000000);
			_exit(sum_counters() != before);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 0);
	}
	uint64_t seen = sum_counters();
	while (sum_counters() == seen)
		sched_yield(); /* the parent's own threads still write to their pages */
	stop_writers = true;
	for (int i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
}

TEST_MAIN()
