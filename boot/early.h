/* SPDX-License-Identifier: MIT */
/*
 * early.h - what boot/ needs from the architecture before any allocator exists.
 *
 * Three questions that only the code which set up the boot page tables can answer. Each architecture
 * answers them in arch/<arch>/early.c; the host tests answer them over an arena of their own.
 */
#pragma once

#include <quire/types.h>

/* arch_early_map - a pointer through which `size` bytes of physical memory can be read.
 *  args:    pa, size: bytes, any alignment; the whole range must be reachable
 *  returns: NULL when the boot page tables do not reach the range (or it wraps around)
 *  context: one CPU, no allocator; the pointer stays valid until the final page tables are loaded
 *  reach:   at least the low 4 GiB (x86_64); all of RAM and the device tree (aarch64) */
const void *arch_early_map(paddr_t pa, u64 size);

/* arch_kernel_image - where the kernel lies in physical memory, bss and boot stacks included.
 *  fails: no */
void arch_kernel_image(paddr_t *base, u64 *size);

/* arch_boot_hw_id - APIC id (x86_64) or MPIDR affinity fields (aarch64) of the running CPU. */
u64 arch_boot_hw_id(void);
