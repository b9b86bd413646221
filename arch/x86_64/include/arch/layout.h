/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the virtual address space of x86_64 with four table levels.
 *
 *   0000000000000000 - 00007fffffffefff  user
 *   ffff888000000000 - ffffc87fffffffff  direct map of all physical memory (64 TiB)
 *   ffffc90000000000 - ffffc97fffffffff  vmalloc: stacks, large tables, device registers
 *   ffffea0000000000 - ffffeaffffffffff  struct page array
 *   ffffffff80000000 - ffffffffffffffff  the kernel image, at its physical address + this base
 *
 * The user half ends one page early: a system call instruction in the last page would make the CPU
 * return to a non-canonical address.
 */
#pragma once

#define USER_TOP     0x00007ffffffff000
#define DIRECT_BASE  0xffff888000000000
#define VMALLOC_BASE 0xffffc90000000000
#define VMALLOC_END  0xffffc98000000000 /* one root entry: 512 GiB */
#define PAGES_BASE   0xffffea0000000000
#define PAGES_END    0xffffeb0000000000
#define KIMAGE_BASE  0xffffffff80000000
#define KIMAGE_LOAD  0x1000000 /* physical; below 8 MiB and above 16 MiB are safe under OVMF */
#define KERNEL_HALF  0xffff800000000000

/* Root-table entries of the kernel half. */
#define PT_ROOT_KERNEL_FIRST 256
#define PT_ROOT_KERNEL_LAST  511
