/* SPDX-License-Identifier: MIT */
/*
 * efi_entry.S - the step from the firmware's mappings to none.
 *
 * Runs in the program as the firmware loaded it, identity-mapped, with MMU and caches on, at EL1 or EL2.
 * What is fetched or read after the MMU is off must have reached memory by then: these lines themselves, and
 * the copy of the image. The kernel expects the state of the arm64 boot protocol (head.S), except that x0
 * holds a handoff (boot/efi/handoff.h).
 */
#include <arch/sysreg.h>

/* clean - write back and drop the data cache lines of [\at, \end). Changes \at; \line: bytes of a line. */
.macro clean at:req, end:req, line:req
1:	dc	civac, \at
	add	\at, \at, \line
	cmp	\at, \end
	b.lo	1b
.endm

/* void efi_enter_kernel(paddr_t handoff, paddr_t image, u64 size) */
	.text
	.globl	efi_enter_kernel
efi_enter_kernel:
	msr	daifset, #15
	ldr	x8, =efi_primary_entry		/* an offset: linked at 0 */
	add	x8, x8, x1
	mrs	x3, ctr_el0
	ubfx	x3, x3, #16, #4			/* log2 words of the smallest data cache line */
	mov	x4, #4
	lsl	x3, x4, x3
	add	x2, x1, x2
	clean	x1, x2, x3
	sub	x4, x3, #1
	adr	x1, efi_enter_kernel
	bic	x1, x1, x4
	adr	x2, efi_enter_kernel_end
	clean	x1, x2, x3
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	mov	x4, #(SCTLR_M | SCTLR_C)
	orr	x4, x4, #SCTLR_I
	mrs	x3, CurrentEL
	cmp	x3, #(2 << 2)
	b.eq	2f
	mrs	x3, sctlr_el1
	bic	x3, x3, x4
	msr	sctlr_el1, x3
	isb
	br	x8
2:	mrs	x3, sctlr_el2
	bic	x3, x3, x4
	msr	sctlr_el2, x3
	isb
	br	x8
	.ltorg
efi_enter_kernel_end:
