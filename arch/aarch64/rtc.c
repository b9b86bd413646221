/* SPDX-License-Identifier: MIT */
/* rtc.c - the battery-backed clock: a PL031, which counts seconds. (Arm DDI 0224, 3.3.1.) */
#include <arch/io.h>
#include <arch/timer.h>
#include "boot/boot_info.h"
#include "mm/phys/vmalloc.h"

#define PL031_DATA 0x00

/* arch_rtc_read - see arch/timer.h. Where there is no clock of ours, an EFI firmware may have told the time. */
bool arch_rtc_read(u64 *seconds)
{
	char *regs = boot_info.arm.rtc ? vmap_mmio(boot_info.arm.rtc, PAGE_SIZE) : NULL;

	*seconds = regs ? arch_mmio_read32(regs + PL031_DATA) : boot_info.unix_time;
	return *seconds != 0;
}
