/* SPDX-License-Identifier: MIT */
/*
 * start.c - the first C code: from head.S to kernel_main().
 *
 * On arrival: the boot CPU, interrupts masked, the boot page tables with nothing in them but the kernel
 * image, the exception vectors installed. On the way out boot_info describes the machine and the
 * boot tables map its memory.
 *
 * Read next: boot/arm64_image.c (reading the device tree), kernel/main.c.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include "arch/aarch64/internal.h"
#include "boot/boot_info.h"
#include "boot/efi/handoff.h"
#include "kernel/main.h"

paddr_t kimage_phys;

void arch_start(paddr_t description, paddr_t image, bool by_efi)
{
	kimage_phys = image;
	this_cpu(emergency_stack_top) = boot_emergency_stack_top;
	arch_cpu_init();
	if (by_efi)
		boot_from_efi(description);
	else
		boot_from_fdt(description);
	bcm_screen_find();
	arch_early_map_ram();
	kernel_main();
}
