/* SPDX-License-Identifier: MIT */
/*
 * handoff.h - what the EFI program leaves for the kernel.
 *
 * Both are in one file and talk across the end of the firmware: the first part (stub.c) runs on the
 * firmware's mappings, may ask it anything and fills in this struct; the second (boot/efi_handoff.c) runs
 * in the kernel, where nobody is left to ask, and makes boot_info of it. The struct lies in memory of
 * its own behind which the memory map follows; its physical address is passed in a register.
 */
#pragma once

#include "boot/boot_info.h"

struct efi_handoff {
	char cmdline[BOOT_CMDLINE_SIZE]; /* UTF-8, terminated; empty: none given */
	paddr_t rsdp, fdt;               /* 0: none */
	paddr_t initrd;
	u64 initrd_size; /* bytes; 0: perhaps the device tree knows of one */
	paddr_t map;     /* memory descriptors, `map_size` bytes of `descriptor_size` each */
	u64 map_size, descriptor_size;
	struct boot_framebuffer framebuffer; /* base 0: none */
	u64 unix_time;                       /* seconds, when the firmware was left; 0: unknown */
	u8 seed[64];                         /* random */
	u32 seed_len;
};

/* boot_from_efi - fill boot_info. As the protocol readers of boot_info.h.
 *  args: physical address of a struct efi_handoff */
void boot_from_efi(paddr_t handoff);
