/* SPDX-License-Identifier: MIT */
/*
 * string.S - memcpy, memmove, memset.
 *
 * What is no multiple of eight bytes is not copied byte by byte: the last eight bytes (or four, or two)
 * are loaded first and stored last, overlapping what the loop has stored. Loaded first, because in
 * memmove the loop may overwrite them. Long areas go by the string instructions, which modern CPUs
 * run at full bandwidth; they take too long to start for short ones.
 */
	.text
	.code64

#define LONG_AREA 128

/* rdi: to, rsi: from, rdx: bytes; returns rdi. Ascending: also right for overlapping areas with rdi < rsi. */
	.globl	memcpy
	.balign	16
memcpy:
	movq	%rdi, %rax
	cmpq	$8, %rdx
	jb	.Lcopy_short
	movq	-8(%rsi, %rdx), %r8
	leaq	-8(%rdi, %rdx), %r9
	cmpq	$LONG_AREA, %rdx
	jae	.Lcopy_long
	subq	$32, %rdx
	jb	2f
1:	movq	(%rsi), %rcx
	movq	8(%rsi), %r10
	movq	%rcx, (%rdi)
	movq	%r10, 8(%rdi)
	movq	16(%rsi), %rcx
	movq	24(%rsi), %r10
	movq	%rcx, 16(%rdi)
	movq	%r10, 24(%rdi)
	addq	$32, %rsi
	addq	$32, %rdi
	subq	$32, %rdx
	jae	1b
2:	addq	$24, %rdx		/* what is left but for the last eight */
	jle	4f
3:	movq	(%rsi), %rcx
	movq	%rcx, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rdx
	jg	3b
4:	movq	%r8, (%r9)
	ret
.Lcopy_long:
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep movsq
	movq	%r8, (%r9)
	ret

/* Fewer than eight bytes: all are loaded before the first store, so any overlap is right. */
.Lcopy_short:
	cmpl	$4, %edx
	jae	5f
	cmpl	$1, %edx
	jb	7f
	je	6f
	movzwl	(%rsi), %ecx
	movzwl	-2(%rsi, %rdx), %r8d
	movw	%cx, (%rdi)
	movw	%r8w, -2(%rdi, %rdx)
	ret
5:	movl	(%rsi), %ecx
	movl	-4(%rsi, %rdx), %r8d
	movl	%ecx, (%rdi)
	movl	%r8d, -4(%rdi, %rdx)
	ret
6:	movzbl	(%rsi), %ecx
	movb	%cl, (%rdi)
7:	ret

	.globl	memmove
	.balign	16
memmove:
	movq	%rdi, %rcx
	subq	%rsi, %rcx
	cmpq	%rdx, %rcx
	jae	memcpy			/* rdi is below rsi, or behind the whole area */
	movq	%rdi, %rax
	cmpq	$8, %rdx
	jb	.Lcopy_short
	movq	(%rsi), %r8
	subq	$8, %rdx
	jz	9f
8:	movq	(%rsi, %rdx), %rcx
	movq	%rcx, (%rdi, %rdx)
	subq	$8, %rdx
	jg	8b
9:	movq	%r8, (%rdi)
	ret

/* rdi: area, esi: byte, rdx: bytes; returns rdi */
	.globl	memset
	.balign	16
memset:
	movq	%rdi, %r9
	movzbl	%sil, %eax
	movabsq	$0x0101010101010101, %rcx
	imulq	%rcx, %rax
	cmpq	$8, %rdx
	jb	3f
	movq	%rax, -8(%rdi, %rdx)
	cmpq	$LONG_AREA, %rdx
	jae	2f
	subq	$8, %rdx
	jz	4f
1:	movq	%rax, (%rdi)
	addq	$8, %rdi
	subq	$8, %rdx
	jg	1b
4:	movq	%rax, (%r9)
	movq	%r9, %rax
	ret
2:	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep stosq
	movq	%r9, %rax
	ret
3:	testl	%edx, %edx
	jz	6f
5:	movb	%al, -1(%rdi, %rdx)
	decl	%edx
	jnz	5b
6:	movq	%r9, %rax
	ret

	.section .note.GNU-stack, "", @progbits
