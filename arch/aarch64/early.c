/* SPDX-License-Identifier: MIT */
/*
 * early.c - growing the boot page tables: memory and device registers before mm_init().
 *
 * head.S left boot_root with the kernel image in it. Memory is added at DIRECT_BASE + pa, writable and not
 * executable, in blocks of 2 MiB or 1 GiB; registers at MMIO_BASE, in blocks of 2 MiB. Entries are only
 * ever added, never changed, by one CPU with interrupts off, so there is nothing to flush and no lock.
 *
 * The tables come from a small fixed pool. Running out of it is not an error: memory that is not
 * reached here is used once the final tables exist.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/pte.h>
#include "boot/boot_info.h"

#define ENTRIES      512u
#define POOL_TABLES  8u
#define BLOCK_SIZE   MIB(2)
#define MMIO_BASE    0xffffffff40000000ul /* the GiB below the kernel image */
#define MMIO_WINDOWS 8u
#define DIRECT_SPAN  (VMALLOC_BASE - DIRECT_BASE)
#define BLOCK_RAM    (A64_VALID | A64_INNER | A64_AF | A64_PXN | A64_UXN)
#define BLOCK_MMIO   (A64_VALID | A64_ATTR_DEVICE << A64_ATTR_SHIFT | A64_AF | A64_PXN | A64_UXN)

extern u64 boot_root[ENTRIES], boot_kimage_l1[ENTRIES]; /* head.S */

static u64 pool[POOL_TABLES][ENTRIES] SECTION(".bss.page_aligned") ALIGNED(4096);
static unsigned pool_used;
static unsigned mmio_used;
static paddr_t mapped_end;

static void publish(void)
{
	__asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

/* next_table - the table that entry points to, made now when the entry is empty. NULL: pool empty. */
static u64 *next_table(u64 *entry)
{
	if (!*entry) {
		if (pool_used == POOL_TABLES)
			return NULL;
		*entry = sym_to_phys(pool[pool_used++]) | A64_VALID | A64_PAGE;
	}
	return (u64 *)((*entry & A64_FRAME) - kimage_phys + (u64)kimage_start);
}

static bool is_block(u64 entry)
{
	return entry && !(entry & A64_PAGE);
}

/* map_ram_block - the block at pa: `gib` asks for 1 GiB, and gets it where nothing smaller is there yet.
 *  returns: bytes now mapped from pa on; 0: no table left */
static u64 map_ram_block(paddr_t pa, bool gib)
{
	u64 *l1 = next_table(&boot_root[pa >> 39 & (ENTRIES - 1)]);
	u64 *l2;

	BUILD_ASSERT((DIRECT_BASE & (BIT(48) - 1)) == 0, "boot_root is indexed by pa alone");
	if (!l1)
		return 0;
	l1 += pa >> 30 & (ENTRIES - 1);
	if (gib && !*l1)
		*l1 = pa | BLOCK_RAM;
	if (is_block(*l1))
		return ALIGN_DOWN(pa, GIB(1)) + GIB(1) - pa;
	l2 = next_table(l1);
	if (!l2)
		return 0;
	l2[pa >> 21 & (ENTRIES - 1)] = pa | BLOCK_RAM;
	return BLOCK_SIZE;
}

/* map_ram - map [lo, hi), rounded outwards to blocks. Returns the end of what is mapped. */
static paddr_t map_ram(paddr_t lo, paddr_t hi)
{
	paddr_t pa = ALIGN_DOWN(lo, BLOCK_SIZE);

	while (pa < hi) {
		bool gib = IS_ALIGNED(pa, GIB(1)) && hi - pa >= GIB(1);
		u64 done = map_ram_block(pa, gib);

		if (!done)
			break;
		pa += done;
	}
	publish();
	return pa;
}

const void *arch_early_map(paddr_t pa, u64 size)
{
	if (!size || pa + size < pa || pa + size > DIRECT_SPAN)
		return NULL;
	if (map_ram(pa, pa + size) < pa + size)
		return NULL;
	return (const void *)(DIRECT_BASE + pa);
}

void arch_early_map_ram(void)
{
	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		const struct boot_range *r = &boot_info.ram[i];
		paddr_t hi = MIN(r->base + r->size, DIRECT_SPAN);
		paddr_t end;

		if (r->base >= hi)
			return;
		end = map_ram(r->base, hi);
		mapped_end = MAX(mapped_end, MIN(end, hi));
		if (end < hi)
			return;
	}
}

paddr_t arch_early_mapped_end(void)
{
	return mapped_end;
}

void *arch_early_mmio(paddr_t pa)
{
	u64 *l2 = next_table(&boot_kimage_l1[MMIO_BASE >> 30 & (ENTRIES - 1)]);
	paddr_t block = ALIGN_DOWN(pa, BLOCK_SIZE);
	unsigned i;

	if (!l2)
		return NULL;
	for (i = 0; i < mmio_used; i++)
		if ((l2[i] & A64_FRAME) == block)
			break;
	if (i == MMIO_WINDOWS)
		return NULL;
	if (i == mmio_used) {
		l2[mmio_used++] = block | BLOCK_MMIO;
		publish();
	}
	return (void *)(MMIO_BASE + i * BLOCK_SIZE + (pa - block));
}

void arch_kernel_image(paddr_t *base, u64 *size)
{
	*base = kimage_phys;
	*size = (u64)(kimage_end - kimage_start);
}

u64 arch_boot_hw_id(void)
{
	return sysreg_read(mpidr_el1) & MPIDR_AFFINITY;
}
