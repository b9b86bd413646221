/* SPDX-License-Identifier: MIT */
/*
 * boot.h - what the boot page tables offer before mm_init has built the final ones.
 *
 * They map the low 4 GiB at DIRECT_BASE (as the final direct map does), the kernel image at
 * KIMAGE_BASE, and the low 4 GiB once more at its own addresses for the code that turns paging on.
 */
#pragma once

#include <quire/types.h>
#include <arch/layout.h>
#include "boot/early.h" /* arch_early_map, arch_kernel_image, arch_boot_hw_id */

/* arch_early_mmio - device registers of one page, for the console; NULL when out of reach. */
void *arch_early_mmio(paddr_t pa);
/* arch_early_mapped_end - end of the physical memory that the boot tables map from 0. */
paddr_t arch_early_mapped_end(void);

/* Linker symbols: image bounds at their virtual addresses. */
extern char kimage_start[], kimage_end[];
/* The boot CPU's first stack, KSTACK_SIZE bytes; it becomes its idle thread's. */
extern char boot_stack[];

extern paddr_t kimage_phys; /* physical address of kimage_start */

/* sym_to_phys - physical address of something in the kernel image. */
static inline paddr_t sym_to_phys(const void *sym)
{
	return (paddr_t)sym - (paddr_t)kimage_start + kimage_phys;
}
