/* SPDX-License-Identifier: MIT */
/*
 * page_copy.S - clearing and copying pages, where much of a page fault's time goes, and large pieces of user memory.
 *
 * With AVX, 32 bytes at a time. The vector registers belong to the interrupted program (fpu.c), so those used
 * are saved on the stack and put back. Nothing here sleeps, and an interrupt handler that comes here in
 * between restores what it finds, so that is all the care it takes. User memory may have to be waited for;
 * those who touch it do so with interrupts off, when a fault that cannot be resolved at once goes to its fix-up
 * (trap.c), and leave the waiting to plain copies.
 *
 * page_copy_avx is set (cpu.c) where writing ymm registers is safe: AVX enabled, and no AVX-512, as
 * such a write would clear the upper half of a zmm register that has not been saved. CPUs with
 * AVX-512 are new enough to run the string instructions at full bandwidth.
 */
#include <arch/extable.h>
#include <arch/smap.h>

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

/* size_t user_copy_blocks(u64 dst, u64 src, size_t n), size_t user_clear_blocks(vaddr_t dst, size_t n) - either side may be
 * user memory, whose range has been checked. n: a multiple of 512, not 0. Only if page_copy_avx; interrupts off.
 * value: bytes not done, a multiple of 512, and perhaps more than need be. The index runs from -n to 0. */
	.globl	user_copy_blocks
	.balign	16
user_copy_blocks:
	subq	$40, %rsp
	vmovdqu	%ymm0, (%rsp)
	addq	%rdx, %rdi
	addq	%rdx, %rsi
	negq	%rdx
	USER_ACCESS_BEGIN
1:
	.irp	offset, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
	vmovdqu	\offset(%rsi, %rdx), %ymm0
	vmovdqu	%ymm0, \offset(%rdi, %rdx)
	.endr
2:	addq	$512, %rdx
	jnz	1b
3:	USER_ACCESS_END
	vmovdqu	(%rsp), %ymm0
	addq	$40, %rsp
	movq	%rdx, %rax
	negq	%rax
	ret
	ex_entry 1b, 2b-1b, 3b

	.globl	user_clear_blocks
	.balign	16
user_clear_blocks:
	subq	$40, %rsp
	vmovdqu	%ymm0, (%rsp)
	vpxor	%xmm0, %xmm0, %xmm0
	addq	%rsi, %rdi
	negq	%rsi
	USER_ACCESS_BEGIN
1:
	.irp	offset, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
	vmovdqu	%ymm0, \offset(%rdi, %rsi)
	.endr
2:	addq	$512, %rsi
	jnz	1b
3:	USER_ACCESS_END
	vmovdqu	(%rsp), %ymm0
	addq	$40, %rsp
	movq	%rsi, %rax
	negq	%rax
	ret
	ex_entry 1b, 2b-1b, 3b

	.section .note.GNU-stack, "", @progbits
