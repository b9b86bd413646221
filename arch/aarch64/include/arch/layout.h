/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the virtual address space of aarch64 with 48-bit addresses and 4 KiB pages.
 *
 *   0000000000000000 - 0000ffffffffffff  user (TTBR0)
 *   ffff000000000000 - ffff7fffffffffff  direct map of all physical memory (128 TiB)
 *   ffff800000000000 - ffff807fffffffff  vmalloc: stacks, large tables, device registers
 *   fffffc0000000000 - fffffdffffffffff  struct page array
 *   ffffffff80000000 - ffffffffffffffff  the kernel image, wherever it was loaded
 */
#pragma once

#define USER_TOP       0x0001000000000000
#define DIRECT_BASE    0xffff000000000000
#define VMALLOC_BASE   0xffff800000000000
#define VMALLOC_END    0xffff808000000000 /* 512 GiB */
#define PAGES_BASE     0xfffffc0000000000
#define PAGES_END      0xfffffe0000000000
#define KIMAGE_BASE    0xffffffff80000000
#define KIMAGE_LOAD    0      /* image offset; the physical base is known only at run time */
#define KIMAGE_HEADERS 0x1000 /* bytes at its start that hold no code */
#define KERNEL_HALF    0xffff000000000000

/* Root-table entries of the kernel half: the second root register has a whole table of its own. */
#define PT_ROOT_KERNEL_FIRST 0
#define PT_ROOT_KERNEL_LAST  511
