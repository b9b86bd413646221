/* SPDX-License-Identifier: MIT */
/*
 * page_copy.S - clear and copy whole pages.
 *
 * Clearing uses DC ZVA, which zeroes a block (usually 64 bytes) without reading it. Copying borrows eight
 * SIMD registers, which hold user state, and puts them back. Neither sleeps, and an interrupt handler that
 * comes in between and copies a page does the same, so nobody ever sees a borrowed register.
 */
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
