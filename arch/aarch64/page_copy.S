/* SPDX-License-Identifier: MIT */
/*
 * page_copy.S - clear and copy whole pages, and large pieces of user memory.
 *
 * Clearing uses DC ZVA, which zeroes a block (usually 64 bytes) without reading it. Copying borrows eight
 * SIMD registers, which hold user state, and puts them back. Neither sleeps, and an interrupt handler that
 * comes in between and copies a page does the same, so nobody ever sees a borrowed register. User memory may
 * have to be waited for; it is copied with interrupts off, when a fault that cannot be resolved at once goes to its
 * fix-up (trap.c), and the waiting is left to plain copies. Clearing borrows nothing and may wait.
 */
#include <arch/extable.h>

	.text
	.arch_extension simd

#define PAGE_BYTES 4096

/* arch_page_clear(page) */
	.globl	arch_page_clear
arch_page_clear:
	mrs	x1, dczid_el0			/* bit 4: prohibited; 3..0: log2 words */
	tbnz	w1, #4, 2f
	and	w1, w1, #15
	mov	w2, #4
	lsl	w2, w2, w1
	cmp	w2, #(PAGE_BYTES / 2)
	b.hi	2f
	add	x3, x0, #PAGE_BYTES
1:	dc	zva, x0
	add	x0, x0, x2
	dc	zva, x0
	add	x0, x0, x2
	cmp	x0, x3
	b.lo	1b
	ret

2:	add	x3, x0, #PAGE_BYTES
3:	stp	xzr, xzr, [x0, #16 * 0]
	stp	xzr, xzr, [x0, #16 * 1]
	stp	xzr, xzr, [x0, #16 * 2]
	stp	xzr, xzr, [x0, #16 * 3]
	add	x0, x0, #64
	cmp	x0, x3
	b.lo	3b
	ret

/* arch_page_copy(dst, src) */
	.globl	arch_page_copy
arch_page_copy:
	stp	q0, q1, [sp, #-128]!
	stp	q2, q3, [sp, #32]
	stp	q4, q5, [sp, #64]
	stp	q6, q7, [sp, #96]
	add	x2, x1, #PAGE_BYTES
1:
	.irp	block, 0, 128
	ldp	q0, q1, [x1, #\block]
	ldp	q2, q3, [x1, #\block + 32]
	ldp	q4, q5, [x1, #\block + 64]
	ldp	q6, q7, [x1, #\block + 96]
	stp	q0, q1, [x0, #\block]
	stp	q2, q3, [x0, #\block + 32]
	stp	q4, q5, [x0, #\block + 64]
	stp	q6, q7, [x0, #\block + 96]
	.endr
	add	x0, x0, #256
	add	x1, x1, #256
	cmp	x1, x2
	b.lo	1b
	ldp	q2, q3, [sp, #32]
	ldp	q4, q5, [sp, #64]
	ldp	q6, q7, [sp, #96]
	ldp	q0, q1, [sp], #128
	ret

/* size_t user_copy_blocks_raw(u64 dst, u64 src, size_t n) - either side may be user memory, whose range has been checked. n: a
 * multiple of 256, not 0. PAN lifted, interrupts off. value: bytes not done, a multiple of 256 and perhaps more than
 * need be. */
	.globl	user_copy_blocks_raw
user_copy_blocks_raw:
	stp	q0, q1, [sp, #-64]!
	stp	q2, q3, [sp, #32]
1:
	ldp	q0, q1, [x1], #256
	ldp	q2, q3, [x1, #-224]
	stp	q0, q1, [x0], #256
	stp	q2, q3, [x0, #-224]
	.irp	at, -192, -128, -64
	ldp	q0, q1, [x1, #\at]
	ldp	q2, q3, [x1, #\at + 32]
	stp	q0, q1, [x0, #\at]
	stp	q2, q3, [x0, #\at + 32]
	.endr
2:	subs	x2, x2, #256
	b.ne	1b
3:	ldp	q2, q3, [sp, #32]
	ldp	q0, q1, [sp], #64
	mov	x0, x2
	ret
	ex_entry 1b, 2b-1b, 3b

/* size_t user_clear_zva_raw(vaddr_t dst, size_t n, size_t size) - user memory, whose range has been checked. size: what DC ZVA
 * clears at once, to which dst is aligned; n: a multiple of it, not 0. PAN lifted; sleeps. value: bytes not done, a
 * multiple of size and perhaps more than need be */
	.globl	user_clear_zva_raw
user_clear_zva_raw:
	subs	x1, x1, x2, lsl #3
	b.lo	3f
1:
	.rept	8
	dc	zva, x0
	add	x0, x0, x2
	.endr
2:	subs	x1, x1, x2, lsl #3
	b.hs	1b
3:	adds	x1, x1, x2, lsl #3
	b.eq	5f
4:	dc	zva, x0
	add	x0, x0, x2
	subs	x1, x1, x2
	b.ne	4b
5:	mov	x0, x1
	ret
6:	add	x0, x1, x2, lsl #3
	ret
	ex_entry 1b, 2b-1b, 6b
	ex_entry 4b, 1, 5b
