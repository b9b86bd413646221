/* SPDX-License-Identifier: MIT */
/* init.h - bringing memory up, in one call. */
#pragma once

/* mm_init - from the boot page tables to the final kernel tables, page array, buddy allocator, slab
 * and vmalloc. Boot CPU, interrupts off, before anything allocates. Panics when memory is too little. */
void mm_init(void);

/* mm_framebuffer - where boot_info.framebuffer is seen once mm_init is done, for combined writes; NULL: none. */
extern void *mm_framebuffer;
