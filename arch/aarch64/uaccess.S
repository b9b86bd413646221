/* SPDX-License-Identifier: MIT */
/*
 * uaccess.S - the instructions that touch user memory.
 *
 * Bulk copies run in blocks of 64 bytes; then come words, and what is less than one by an access of each size. A fault in one
 * continues byte by byte from its start (bytes copied twice are harmless), so that the second fault tells exactly how far the
 * copy can go. Registers: x0 destination, x1 source, x2 bytes left, less what is to be moved at once: negative when that is
 * too much, while the low three bits stay those of the rest. Large copies come first to uaccess.c.
 */
#include <arch/extable.h>
#include <arch/trap.h>
#include <uapi/errno.h>

#define SIGFRAME_REGS_TO_FP 280 /* bytes; checked in signal.c */

/* From this number of bytes on it pays to lift PAN and to use vector registers (page_copy.S). */
#define USER_LARGE 512

/* Q registers n and n + 1, at their place in a signal frame's record. */
.macro fp_pair insn:req, n:req
	.altmacro
	fp_pair_of \insn, \n, %(\n + 1)
	.noaltmacro
.endm
.macro fp_pair_of insn:req, n:req, m:req
	may_fault access_failed, \insn q\n, q\m, [x0, #16 + \n * 16]
.endm

	.text

/* size_t arch_copy_from_user(void *dst, vaddr_t src, size_t n) */
	.globl	arch_copy_from_user, user_copy_from_small
arch_copy_from_user:
	cmp	x2, #USER_LARGE
	b.hs	user_copy_from_large
user_copy_from_small:
	subs	x2, x2, #8
	b.lo	4f
	cmp	x2, #8
	b.ls	9f
	subs	x2, x2, #56
	b.lo	2f
1:
	may_fault from_tail, ldtr x3, [x1, #0]
	may_fault from_tail, ldtr x4, [x1, #8]
	may_fault from_tail, ldtr x5, [x1, #16]
	may_fault from_tail, ldtr x6, [x1, #24]
	may_fault from_tail, ldtr x7, [x1, #32]
	may_fault from_tail, ldtr x8, [x1, #40]
	may_fault from_tail, ldtr x9, [x1, #48]
	may_fault from_tail, ldtr x10, [x1, #56]
	add	x1, x1, #64
	stp	x3, x4, [x0], #64
	stp	x5, x6, [x0, #-48]
	stp	x7, x8, [x0, #-32]
	stp	x9, x10, [x0, #-16]
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #56			/* eight bytes at a time */
	b.mi	4f
3:
	may_fault from_bytes, ldtr x3, [x1]
	add	x1, x1, #8
	str	x3, [x0], #8
	subs	x2, x2, #8
	b.pl	3b
4:						/* up to seven, in the low bits */
	tbz	w2, #0, 5f
	may_fault from_odd, ldtrb w3, [x1]
	add	x1, x1, #1
	strb	w3, [x0], #1
5:	tbz	w2, #1, 6f
	may_fault from_pair, ldtrh w3, [x1]
	add	x1, x1, #2
	strh	w3, [x0], #2
6:	tbz	w2, #2, 7f
	may_fault from_four, ldtr w3, [x1]
	str	w3, [x0]
7:	mov	x0, xzr
	ret
9:						/* 8 to 16: two words, which may overlap */
	add	x4, x1, x2
	may_fault from_bytes, ldtr x3, [x1]
	may_fault from_bytes, ldtr x4, [x4]
	str	x3, [x0]
	str	x4, [x0, x2]
	mov	x0, xzr
	ret
from_tail:
	add	x2, x2, #64
	b	8f
from_odd:
from_bytes:
	add	x2, x2, #8
	b	8f
from_pair:
	and	x2, x2, #6
	b	8f
from_four:
	mov	x2, #4
8:						/* to the first that is inaccessible, before the last of x2 */
	may_fault from_done, ldtrb w3, [x1]
	add	x1, x1, #1
	strb	w3, [x0], #1
	subs	x2, x2, #1
	b.ne	8b
from_done:
	mov	x0, x2
	ret

/* size_t arch_copy_to_user(vaddr_t dst, const void *src, size_t n) */
	.globl	arch_copy_to_user, user_copy_to_small
arch_copy_to_user:
	cmp	x2, #USER_LARGE
	b.hs	user_copy_to_large
user_copy_to_small:
	subs	x2, x2, #8
	b.lo	4f
	cmp	x2, #8
	b.ls	9f
	subs	x2, x2, #56
	b.lo	2f
1:	ldp	x3, x4, [x1]
	ldp	x5, x6, [x1, #16]
	ldp	x7, x8, [x1, #32]
	ldp	x9, x10, [x1, #48]
	may_fault to_tail, sttr x3, [x0, #0]
	may_fault to_tail, sttr x4, [x0, #8]
	may_fault to_tail, sttr x5, [x0, #16]
	may_fault to_tail, sttr x6, [x0, #24]
	may_fault to_tail, sttr x7, [x0, #32]
	may_fault to_tail, sttr x8, [x0, #40]
	may_fault to_tail, sttr x9, [x0, #48]
	may_fault to_tail, sttr x10, [x0, #56]
	add	x1, x1, #64
	add	x0, x0, #64
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #56
	b.mi	4f
3:	ldr	x3, [x1]
	may_fault to_bytes, sttr x3, [x0]
	add	x1, x1, #8
	add	x0, x0, #8
	subs	x2, x2, #8
	b.pl	3b
4:
	tbz	w2, #0, 5f
	ldrb	w3, [x1]
	may_fault to_odd, sttrb w3, [x0]
	add	x1, x1, #1
	add	x0, x0, #1
5:	tbz	w2, #1, 6f
	ldrh	w3, [x1]
	may_fault to_pair, sttrh w3, [x0]
	add	x1, x1, #2
	add	x0, x0, #2
6:	tbz	w2, #2, 7f
	ldr	w3, [x1]
	may_fault to_four, sttr w3, [x0]
7:	mov	x0, xzr
	ret
9:	ldr	x3, [x1]
	ldr	x4, [x1, x2]
	add	x5, x0, x2
	may_fault to_bytes, sttr x3, [x0]
	may_fault to_bytes, sttr x4, [x5]
	mov	x0, xzr
	ret
to_tail:
	add	x2, x2, #64
	b	8f
to_odd:
to_bytes:
	add	x2, x2, #8
	b	8f
to_pair:
	and	x2, x2, #6
	b	8f
to_four:
	mov	x2, #4
8:	ldrb	w3, [x1], #1
	may_fault to_done, sttrb w3, [x0]
	add	x0, x0, #1
	subs	x2, x2, #1
	b.ne	8b
to_done:
	mov	x0, x2
	ret

/* size_t arch_clear_user(vaddr_t dst, size_t n) */
	.globl	arch_clear_user, user_clear_small
arch_clear_user:
	cmp	x1, #USER_LARGE
	b.hs	user_clear_large
user_clear_small:
	subs	x1, x1, #8
	b.lo	4f
	cmp	x1, #8
	b.ls	9f
	subs	x1, x1, #24
	b.lo	2f
1:
	may_fault clear_tail, sttr xzr, [x0, #0]
	may_fault clear_tail, sttr xzr, [x0, #8]
	may_fault clear_tail, sttr xzr, [x0, #16]
	may_fault clear_tail, sttr xzr, [x0, #24]
	add	x0, x0, #32
	subs	x1, x1, #32
	b.hs	1b
2:	adds	x1, x1, #24
	b.mi	4f
3:
	may_fault clear_rest, sttr xzr, [x0]
	add	x0, x0, #8
	subs	x1, x1, #8
	b.pl	3b
4:
	tbz	w1, #0, 5f
	may_fault clear_rest, sttrb wzr, [x0]
	add	x0, x0, #1
5:	tbz	w1, #1, 6f
	may_fault clear_pair, sttrh wzr, [x0]
	add	x0, x0, #2
6:	tbz	w1, #2, 7f
	may_fault clear_four, sttr wzr, [x0]
7:	mov	x0, xzr
	ret
9:	add	x2, x0, x1
	may_fault clear_rest, sttr xzr, [x0]
	may_fault clear_rest, sttr xzr, [x2]
	mov	x0, xzr
	ret
clear_tail:
	add	x1, x1, #32
	b	8f
clear_rest:
	add	x1, x1, #8
	b	8f
clear_pair:
	and	x1, x1, #6
	b	8f
clear_four:
	mov	x1, #4
8:
	may_fault clear_done, sttrb wzr, [x0]
	add	x0, x0, #1
	subs	x1, x1, #1
	b.ne	8b
clear_done:
	mov	x0, x1
	ret

/* int arch_get_user_u32(vaddr_t src, u32 *out) and so on */
	.globl	arch_get_user_u32
arch_get_user_u32:
	may_fault access_failed, ldtr w2, [x0]
	str	w2, [x1]
	mov	x0, xzr
	ret

	.globl	arch_get_user_u64
arch_get_user_u64:
	may_fault access_failed, ldtr x2, [x0]
	str	x2, [x1]
	mov	x0, xzr
	ret

	.globl	arch_put_user_u32
arch_put_user_u32:
	may_fault access_failed, sttr w1, [x0]
	mov	x0, xzr
	ret

	.globl	arch_put_user_u64
arch_put_user_u64:
	may_fault access_failed, sttr x1, [x0]
	mov	x0, xzr
	ret

access_failed:
	mov	x0, #-EFAULT
	ret

/* int user_cas_u32_raw(vaddr_t addr, u32 *old, u32 new): exclusives have no unprivileged form, so this one
 * is called with PAN lifted (uaccess.c). A page that user mode cannot write is read-only here as well. */
	.globl	user_cas_u32_raw
user_cas_u32_raw:
	ldr	w3, [x1]
	dmb	ish
1:
	may_fault access_failed, ldxr w4, [x0]
	cmp	w4, w3
	b.ne	2f
	may_fault access_failed, stlxr w5, w2, [x0]
	cbnz	w5, 1b
2:	dmb	ish
	str	w4, [x1]
	mov	x0, xzr
	ret

/* The registers of a signal frame. With PAN lifted (uaccess.c). Its FP record: magic, size, then FPSR, FPCR, Q0 .. Q31.
 * x0: the user address of its x0, behind which the others follow and then, after a gap, the FP record; x1: struct
 * trap_frame. */
	.arch_extension simd
	.globl	user_frame_store_raw
user_frame_store_raw:
	.irp	at, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256
	ldp	x2, x3, [x1, #\at]
	may_fault access_failed, stp x2, x3, [x0, #\at]
	.endr
	add	x0, x0, #SIGFRAME_REGS_TO_FP
	mrs	x1, fpsr
	mrs	x2, fpcr
	may_fault access_failed, stp w1, w2, [x0, #8]
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
	fp_pair	stp, \n
	.endr
	mov	x0, xzr
	ret

/* x0: the user address of the FP record, x1: of the other registers, x2: struct trap_frame, which gets all but pstate */
	.globl	user_frame_load_raw
user_frame_load_raw:
	may_fault access_failed, ldp w3, w4, [x0, #8]
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
	fp_pair	ldp, \n
	.endr
	msr	fpsr, x3
	msr	fpcr, x4
	.irp	at, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240
	may_fault access_failed, ldp x3, x4, [x1, #\at]
	stp	x3, x4, [x2, #\at]
	.endr
	may_fault access_failed, ldr x3, [x1, #FRAME_PC]
	str	x3, [x2, #FRAME_PC]
	mov	x0, xzr
	ret
