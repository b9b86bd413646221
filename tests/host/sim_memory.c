/* SPDX-License-Identifier: MIT */
/*
 * sim_memory.c - simulated RAM: memory at DIRECT_BASE + physical address, page structs at PAGES_BASE.
 *
 * Only what the machine has is mapped, so that a stray access to a hole ends the test. Everything is
 * private memory: a child that EXPECT_PANIC forks works on its own copy.
 */
#include "sim.h"

#include <string.h>
#include <sys/mman.h>

#include "boot/boot_info.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define MAX_PIECES (2 * BOOT_MAX_RANGES)
#define RAM_FILL   0x5c

struct boot_info boot_info;

static struct piece {
	void *va;
	size_t size;
} pieces[MAX_PIECES];
static unsigned nr_pieces;

static void map_piece(u64 va, size_t size, int fill)
{
	void *p = mmap((void *)va, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	BUG_ON(p != (void *)va || nr_pieces == MAX_PIECES);
	pieces[nr_pieces++] = (struct piece){p, size};
	/* Machines with a lot of memory are for counting, not for filling. */
	if (fill && size <= MIB(64))
		memset(p, fill, size);
}

void sim_ram(const struct sim_range *ram, unsigned n)
{
	while (nr_pieces) {
		nr_pieces--;
		munmap(pieces[nr_pieces].va, pieces[nr_pieces].size);
	}
	memset(&boot_info, 0, sizeof(boot_info));
	boot_info.nr_cpus = 1;
	for (unsigned i = 0; i < n; i++) {
		BUG_ON(ram[i].base + ram[i].size > GIB(32));
		boot_info.ram[i] = (struct boot_range){ram[i].base, ram[i].size, BOOT_MEM_RAM};
		map_piece(DIRECT_BASE + ram[i].base, ram[i].size, RAM_FILL);
	}
	boot_info.nr_ram = n;
}

void sim_page_array(void)
{
	u32 cursor = 0;
	pfn_t lo, hi;

	while (phys_early_next_ram(&cursor, &lo, &hi))
		map_piece(PAGES_BASE + lo * sizeof(struct page), (hi - lo) * sizeof(struct page),
			  0);
}

void sim_machine(unsigned cpus, u64 mib)
{
	const struct sim_range ram = {MIB(16), MIB(mib)};

	sim_start(cpus);
	sim_ram(&ram, 1);
	phys_early_init(~0ul);
	sim_page_array();
	phys_init();
	slab_init();
	phys_percpu_start();
}
