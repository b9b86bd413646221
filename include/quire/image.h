/* SPDX-License-Identifier: MIT */
/* image.h - where the linker put the kernel (linker.ld). All page-aligned. */
#pragma once

extern char kimage_start[], kimage_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char init_start[], init_end[];
extern char data_start[], data_end[];
extern char bss_start[], bss_end[];
extern char boot_stack_guard[]; /* a page of bss that nothing maps, below the boot stack */
