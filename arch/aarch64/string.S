/* SPDX-License-Identifier: MIT */
/*
 * string.S - memcpy, memmove, memset.
 *
 * What is no multiple of 16 bytes is not copied byte by byte: the last 16 bytes (or 8, 4, 2) are loaded
 * first and stored last, overlapping what the loop has stored. Loaded first, because in memmove the loop
 * may overwrite them. Memory is mapped as Normal wherever these run, so alignment does not matter.
 */
	.text

/* x0: to, x1: from, x2: bytes; returns x0. Ascending: also right for overlapping areas with x0 < x1. */
	.globl	memcpy
	.balign	16
memcpy:
	add	x4, x1, x2
	add	x5, x0, x2
	cmp	x2, #16
	b.lo	.Lcopy_short
	mov	x3, x0
	ldp	x6, x7, [x4, #-16]
	subs	x2, x2, #64
	b.lo	2f
1:	ldp	x8, x9, [x1]
	ldp	x10, x11, [x1, #16]
	ldp	x12, x13, [x1, #32]
	ldp	x14, x15, [x1, #48]
	add	x1, x1, #64
	stp	x8, x9, [x3]
	stp	x10, x11, [x3, #16]
	stp	x12, x13, [x3, #32]
	stp	x14, x15, [x3, #48]
	add	x3, x3, #64
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #48		/* what is left but for the last 16 */
	b.le	4f
3:	ldp	x8, x9, [x1], #16
	stp	x8, x9, [x3], #16
	subs	x2, x2, #16
	b.gt	3b
4:	stp	x6, x7, [x5, #-16]
	ret

/* Fewer than 16 bytes, the ends in x4 and x5: all are loaded before the first store, so any overlap is right. */
.Lcopy_short:
	tbz	x2, #3, 5f
	ldr	x6, [x1]
	ldr	x7, [x4, #-8]
	str	x6, [x0]
	str	x7, [x5, #-8]
	ret
5:	tbz	x2, #2, 6f
	ldr	w6, [x1]
	ldr	w7, [x4, #-4]
	str	w6, [x0]
	str	w7, [x5, #-4]
	ret
6:	tbz	x2, #1, 7f
	ldrh	w6, [x1]
	ldrh	w7, [x4, #-2]
	strh	w6, [x0]
	strh	w7, [x5, #-2]
	ret
7:	cbz	x2, 8f
	ldrb	w6, [x1]
	strb	w6, [x0]
8:	ret

	.globl	memmove
	.balign	16
memmove:
	sub	x3, x0, x1
	cmp	x3, x2
	b.hs	memcpy			/* x0 is below x1, or behind the whole area */
	add	x4, x1, x2
	add	x5, x0, x2
	cmp	x2, #16
	b.lo	.Lcopy_short
	ldp	x6, x7, [x1]
	subs	x2, x2, #16
	b.eq	10f
9:	ldp	x8, x9, [x4, #-16]!
	stp	x8, x9, [x5, #-16]!
	subs	x2, x2, #16
	b.gt	9b
10:	stp	x6, x7, [x0]
	ret

/* x0: area, w1: byte, x2: bytes; returns x0 */
	.globl	memset
	.balign	16
memset:
	and	x1, x1, #0xff
	orr	x1, x1, x1, lsl #8
	orr	x1, x1, x1, lsl #16
	orr	x1, x1, x1, lsl #32
	add	x5, x0, x2
	cmp	x2, #16
	b.lo	5f
	mov	x3, x0
	stp	x1, x1, [x5, #-16]
	subs	x2, x2, #64
	b.lo	2f
1:	stp	x1, x1, [x3]
	stp	x1, x1, [x3, #16]
	stp	x1, x1, [x3, #32]
	stp	x1, x1, [x3, #48]
	add	x3, x3, #64
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #48
	b.le	4f
3:	stp	x1, x1, [x3], #16
	subs	x2, x2, #16
	b.gt	3b
4:	ret
5:	tbz	x2, #3, 6f
	str	x1, [x0]
	str	x1, [x5, #-8]
	ret
6:	tbz	x2, #2, 7f
	str	w1, [x0]
	str	w1, [x5, #-4]
	ret
7:	tbz	x2, #1, 8f
	strh	w1, [x0]
	strh	w1, [x5, #-2]
	ret
8:	cbz	x2, 9f
	strb	w1, [x0]
9:	ret

	.section .note.GNU-stack, "", @progbits
