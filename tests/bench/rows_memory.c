/* SPDX-License-Identifier: MIT */
/*
 * rows_memory.c - what programs do with memory all the time, in 4 KiB pages: maps, faults, protections.
 */
#include "bench.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE    4096ul
#define BATCHES 4 /* bench.c runs a row so often */
#define FAULTS  500u

static char *memory;

static inline long map(unsigned long bytes)
{
	return sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static int map_fresh(void)
{
	memory = pages_map(BATCHES * FAULTS * PAGE);
	return 0;
}

static int map_fresh_sparse(void)
{
	memory = pages_map(BATCHES * FAULTS * PAGE * 16);
	return 0;
}

/* Each batch goes on where the last one stopped. */
ROW(OTHER, anon_fault, FAULTS, map_fresh)
{
	for (unsigned i = 0; i < ops; i++, memory += PAGE)
		*(volatile char *)memory = 1;
}

ROW(OTHER, anon_fault_sparse, FAULTS, map_fresh_sparse)
{
	for (unsigned i = 0; i < ops; i++, memory += 16 * PAGE)
		*(volatile char *)memory = 1;
}

static inline void map_touch_unmap(unsigned ops, unsigned pages)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++) {
		char *p = (char *)map(pages * PAGE);

		for (unsigned n = 0; n < pages; n++)
			((volatile char *)p)[n * PAGE] = 1;
		r = sys(SYS_munmap, p, pages * PAGE);
	}
	expect(r == 0);
}

ROW(OTHER, mmap_touch_munmap_1p, 300, NULL)
{
	map_touch_unmap(ops, 1);
}

ROW(OTHER, mmap_touch_munmap_16p, 60, NULL)
{
	map_touch_unmap(ops, 16);
}

ROW(OTHER, mmap_munmap_1m, 300, NULL)
{
	long r = 0;

	for (unsigned i = 0; i < ops; i++)
		r = sys(SYS_munmap, map(256 * PAGE), 256 * PAGE);
	expect(r == 0);
}

static int map_touched(void)
{
	memory = pages_map(16 * PAGE);
	pages_touch(memory, 16 * PAGE, PAGE);
	return 0;
}

/* The protection of one page in the middle taken away and given back. */
ROW(OTHER, mprotect_1p_twice, 300, map_touched)
{
	char *page = memory + 8 * PAGE;
	long r = 0;

	for (unsigned i = 0; i < ops; i++) {
		sys(SYS_mprotect, page, PAGE, PROT_READ);
		r = sys(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE);
	}
	expect(r == 0);
}

ROW(OTHER, brk_16p, 300, NULL)
{
	long start = sys(SYS_brk, 0), r = 0;

	for (unsigned i = 0; i < ops; i++) {
		sys(SYS_brk, start + (long)(16 * PAGE));
		r = sys(SYS_brk, start);
	}
	expect(r == start);
}
