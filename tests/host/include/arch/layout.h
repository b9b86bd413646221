/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the kernel's addresses when it is a host program: a window of 64 GiB that the address
 * space layouts of AddressSanitizer and ThreadSanitizer on x86_64 both leave to programs, above
 * where position-independent programs and their heaps are put. User addresses are only numbers
 * here and may coincide with it.
 */
#pragma once

#define USER_TOP     0x00007ffffffff000
#define KERNEL_HALF  0x0000567000000000
#define DIRECT_BASE  0x0000567000000000 /* simulated RAM: 32 GiB */
#define PAGES_BASE   0x0000567800000000
#define PAGES_END    0x0000567a00000000
#define VMALLOC_BASE 0x0000567a00000000
#define VMALLOC_END  0x0000567e00000000
#define KIMAGE_BASE  0x0000567f00000000
#define KIMAGE_LOAD  0

#define PT_ROOT_KERNEL_FIRST 0
#define PT_ROOT_KERNEL_LAST  511
