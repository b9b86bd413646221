/* SPDX-License-Identifier: MIT */
/*
 * page_copy.S - clearing and copying pages, where much of a page fault's time goes.
 *
 * With AVX, 32 bytes at a time. The vector registers belong to the interrupted program (fpu.c), so those used
 * are saved on the stack and put back. Nothing here sleeps, and an interrupt handler that comes here in
 * between restores what it finds, so that is all the care it takes.
 *
 * page_copy_avx is set (cpu.c) where writing ymm registers is safe: AVX enabled, and no AVX-512, as
 * such a write would clear the upper half of a zmm register that has not been saved. CPUs with
 * AVX-512 are new enough to run the string instructions at full bandwidth.
 */
	.text
	.code64

/* rdi: page */
	.globl	arch_page_clear
	.balign	16
arch_page_clear:
	cmpb	$0, page_copy_avx(%rip)
	je	2f
	subq	$40, %rsp
	vmovdqu	%ymm0, (%rsp)
	vpxor	%xmm0, %xmm0, %xmm0
	movl	$4096 / 512, %ecx
1:
	.irp	offset, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
	vmovdqa	%ymm0, \offset(%rdi)
	.endr
	addq	$512, %rdi
	decl	%ecx
	jnz	1b
	vmovdqu	(%rsp), %ymm0
	addq	$40, %rsp
	ret
2:	movl	$4096 / 8, %ecx
	xorl	%eax, %eax
	rep stosq
	ret

/* rdi: destination page, rsi: source page */
	.globl	arch_page_copy
	.balign	16
arch_page_copy:
	cmpb	$0, page_copy_avx(%rip)
	je	2f
	subq	$72, %rsp
	vmovdqu	%ymm0, (%rsp)
	vmovdqu	%ymm1, 32(%rsp)
	movl	$4096 / 512, %ecx
1:
	.irp	offset, 0, 64, 128, 192, 256, 320, 384, 448
	vmovdqa	\offset(%rsi), %ymm0
	vmovdqa	\offset + 32(%rsi), %ymm1
	vmovdqa	%ymm0, \offset(%rdi)
	vmovdqa	%ymm1, \offset + 32(%rdi)
	.endr
	addq	$512, %rsi
	addq	$512, %rdi
	decl	%ecx
	jnz	1b
	vmovdqu	(%rsp), %ymm0
	vmovdqu	32(%rsp), %ymm1
	addq	$72, %rsp
	ret
2:	movl	$4096 / 8, %ecx
	rep movsq
	ret

	.section .note.GNU-stack, "", @progbits
