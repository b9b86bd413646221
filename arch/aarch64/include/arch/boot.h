/* SPDX-License-Identifier: MIT */
/*
 * boot.h - the machine between its first instruction and mm_init(): what the boot page tables reach.
 *
 * head.S maps the kernel image at KIMAGE_BASE. Everything else is mapped on demand, by 2 MiB blocks:
 * memory at DIRECT_BASE + pa (where the final tables will have it too), device registers in a
 * small window of their own. So no address that firmware did not call memory is ever mapped
 * cacheable, where a speculative read could reach a device.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/layout.h>
#include "boot/early.h"

extern paddr_t kimage_phys; /* physical address of kimage_start, from the first C line on */
extern char kimage_start[], kimage_end[];
/* The boot CPU's first stack, KSTACK_SIZE bytes; it becomes its idle thread's. */
extern char boot_stack[];

/* sym_to_phys - physical address of something linked into the kernel image. */
static inline paddr_t sym_to_phys(const volatile void *sym)
{
	return (paddr_t)sym - (paddr_t)kimage_start + kimage_phys;
}

/* arch_early_mmio - the registers at pa (one page, not crossing 2 MiB) through the boot page tables.
 *  returns: NULL when the window is full
 *  context: until arch_kernel_tables_install; the pointer does not survive it */
void *arch_early_mmio(paddr_t pa);

/* arch_early_map_ram - map the memory in boot_info.ram, as much as there are tables for.
 * arch_early_mapped_end - all of boot_info.ram below this address is mapped at DIRECT_BASE. */
void arch_early_map_ram(void);
paddr_t arch_early_mapped_end(void);

/* arch_start - from head.S, on the boot stack: args: physical address of the device tree, or with by_efi of a
 * struct efi_handoff, and of the kernel image. Ends in kernel_main(). */
void arch_start(paddr_t description, paddr_t image, bool by_efi) NORETURN;
