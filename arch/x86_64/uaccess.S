/* SPDX-License-Identifier: MIT */
/*
 * uaccess.S - the only instructions of the kernel that touch user memory.
 *
 * FAULTS(label) after an instruction enters it into the exception table: when it faults and mm cannot help,
 * execution continues at label. The table holds pairs of 32-bit distances, each from its own field.
 *
 * The caller has checked that the range lies below USER_TOP, so every address is canonical and no
 * access can reach kernel memory.
 */
#include <arch/smap.h>

#define EFAULT 14

.macro may_fault fixup:req, insn:vararg
770:	\insn
	.pushsection .ex_table, "a"
	.balign	4
	.long	770b - ., \fixup - .
	.popsection
.endm

	.text
	.code64

/*
 * rdi: destination, rsi: source, rdx: bytes; value: bytes not copied. Either side may be user memory.
 * Short copies use a loop, as the string instructions take long to start. A fault in the middle of a word
 * is followed by an attempt byte by byte, which stops exactly at the first inaccessible byte.
 */
	.globl	arch_copy_from_user, arch_copy_to_user
	.balign	16
arch_copy_from_user:
arch_copy_to_user:
	USER_ACCESS_BEGIN
	movq	%rdx, %rcx
	shrq	$3, %rcx			/* words */
	andl	$7, %edx			/* bytes that remain after them */
	cmpq	$8, %rcx
	jae	2f
	jrcxz	3f
1:	may_fault 7f, movq (%rsi), %rax
	may_fault 7f, movq %rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	decl	%ecx
	jnz	1b
	jmp	3f
2:	may_fault 7f, rep movsq
3:	movl	%edx, %ecx
	jrcxz	5f
4:	may_fault 5f, movb (%rsi), %al
	may_fault 5f, movb %al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	jnz	4b
5:	movq	%rcx, %rax
	USER_ACCESS_END
	ret
7:	leaq	(%rdx, %rcx, 8), %rcx
	jmp	4b

/* rdi: user memory to be zeroed, rsi: bytes; value: bytes not done */
	.globl	arch_clear_user
	.balign	16
arch_clear_user:
	USER_ACCESS_BEGIN
	xorl	%eax, %eax
	movq	%rsi, %rcx
	shrq	$3, %rcx
	andl	$7, %esi
	may_fault 3f, rep stosq
	movl	%esi, %ecx
1:	may_fault 2f, rep stosb
2:	movq	%rcx, %rax
	USER_ACCESS_END
	ret
3:	leaq	(%rsi, %rcx, 8), %rcx
	jmp	1b

/* rdi: user address, rsi: where to put the number; value: 0 or -EFAULT */
.macro get_user name:req, register:req, mov:req
	.globl	\name
	.balign	16
\name:	USER_ACCESS_BEGIN
	may_fault access_fault, \mov (%rdi), \register
	USER_ACCESS_END
	\mov	\register, (%rsi)
	xorl	%eax, %eax
	ret
.endm

/* rdi: user address, rsi: the number */
.macro put_user name:req, register:req, mov:req
	.globl	\name
	.balign	16
\name:	USER_ACCESS_BEGIN
	may_fault access_fault, \mov \register, (%rdi)
	USER_ACCESS_END
	xorl	%eax, %eax
	ret
.endm

	get_user arch_get_user_u32, %eax, movl
	get_user arch_get_user_u64, %rax, movq
	put_user arch_put_user_u32, %esi, movl
	put_user arch_put_user_u64, %rsi, movq

/* rdi: user address, rsi: expected value in, found value out, edx: new value */
	.globl	arch_user_cas_u32
	.balign	16
arch_user_cas_u32:
	movl	(%rsi), %eax
	USER_ACCESS_BEGIN
	may_fault access_fault, lock cmpxchgl %edx, (%rdi)
	USER_ACCESS_END
	movl	%eax, (%rsi)
	xorl	%eax, %eax
	ret

access_fault:
	USER_ACCESS_END
	movq	$-EFAULT, %rax
	ret

	.section .note.GNU-stack, "", @progbits
