/* SPDX-License-Identifier: MIT */
/*
 * early.c - questions that boot/ and mm/ ask before the final page tables exist. The answers follow
 * from what head.S maps: the low 4 GiB at DIRECT_BASE, at the place where the direct map will be.
 */
#include <arch/boot.h>
#include <arch/msr.h>

#define MAPPED_END GIB(4)

paddr_t kimage_phys = KIMAGE_LOAD;

/* arch_early_map - see boot/early.h. */
const void *arch_early_map(paddr_t pa, u64 size)
{
	if (pa >= MAPPED_END || size > MAPPED_END - pa)
		return NULL;
	return (const void *)(DIRECT_BASE + pa);
}

/* arch_early_mmio - see arch/boot.h. Write-back in the tables: it is the memory type registers, which
 * firmware programs, that make device memory uncached; that is good enough for a console. */
void *arch_early_mmio(paddr_t pa)
{
	return pa < MAPPED_END ? (void *)(DIRECT_BASE + pa) : NULL;
}

/* arch_early_mapped_end - see arch/boot.h. */
paddr_t arch_early_mapped_end(void)
{
	return MAPPED_END;
}

/* arch_kernel_image - see boot/early.h. */
void arch_kernel_image(paddr_t *base, u64 *size)
{
	*base = kimage_phys;
	*size = (u64)(kimage_end - kimage_start);
}

/* arch_boot_hw_id - see boot/early.h. Leaf 11 has all 32 bits of the APIC id, leaf 1 only eight. */
u64 arch_boot_hw_id(void)
{
	if (cpuid_get(0, 0).eax >= 0xb) {
		struct cpuid topology = cpuid_get(0xb, 0);

		if (topology.ebx)
			return topology.edx;
	}
	return cpuid_get(1, 0).ebx >> 24;
}
