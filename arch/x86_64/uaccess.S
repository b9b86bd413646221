/* SPDX-License-Identifier: MIT */
/*
 * uaccess.S - the only instructions of the kernel that touch user memory.
 *
 * may_fault enters an instruction into the exception table: when it faults and mm cannot help, execution continues
 * at the label. Large copies go by uaccess.c, which moves most of the data in page_copy.S.
 *
 * The caller has checked that the range lies below USER_TOP, so every address is canonical and no
 * access can reach kernel memory.
 */
#include <arch/extable.h>
#include <arch/smap.h>

#define EFAULT 14

/* From this number of bytes on it pays to use vector registers (page_copy.S), which takes some preparation. */
#define USER_LARGE 1024

	.text
	.code64

/*
 * rdi: destination, rsi: source, rdx: bytes; value: bytes not copied. Either side may be user memory.
 * Up to sixteen bytes are moved by at most two accesses of each size, which may overlap. Short copies use a
 * loop, as the string instructions take long to start. A fault in the middle of a word is followed by an
 * attempt byte by byte, which stops exactly at the first inaccessible byte.
 */
	.globl	arch_copy_from_user, arch_copy_to_user
	.balign	16
arch_copy_from_user:
arch_copy_to_user:
	cmpq	$8, %rdx
	jae	3f
	USER_ACCESS_BEGIN
1:	testb	$6, %dl
	jnz	2f
	testb	%dl, %dl
	jz	9f
	may_fault copy_bytes, movb (%rsi), %al
	may_fault copy_bytes, movb %al, (%rdi)
	jmp	9f
2:	testb	$4, %dl
	jz	4f
	may_fault copy_bytes, movl (%rsi), %eax
	may_fault copy_bytes, movl %eax, (%rdi)
	may_fault copy_bytes, movl -4(%rsi, %rdx), %eax
	may_fault copy_bytes, movl %eax, -4(%rdi, %rdx)
	jmp	9f
4:	may_fault copy_bytes, movw (%rsi), %ax
	may_fault copy_bytes, movw %ax, (%rdi)
	may_fault copy_bytes, movb -1(%rsi, %rdx), %al
	may_fault copy_bytes, movb %al, -1(%rdi, %rdx)
9:	xorl	%eax, %eax
	USER_ACCESS_END
	ret

3:	cmpq	$16, %rdx
	ja	4f
	USER_ACCESS_BEGIN
	may_fault copy_bytes, movq (%rsi), %rax
	may_fault copy_bytes, movq %rax, (%rdi)
	may_fault copy_bytes, movq -8(%rsi, %rdx), %rax
	may_fault copy_bytes, movq %rax, -8(%rdi, %rdx)
	xorl	%eax, %eax
	USER_ACCESS_END
	ret

4:	movq	%rdx, %rcx
	shrq	$3, %rcx			/* words */
	cmpq	$8, %rcx
	jae	6f
	andl	$7, %edx			/* bytes that remain after them */
	USER_ACCESS_BEGIN
5:	may_fault 7f, movq (%rsi), %rax
	may_fault 7f, movq %rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	decl	%ecx
	jnz	5b
	jmp	1b
	.globl	user_copy_small			/* of any size */
user_copy_small:
	movq	%rdx, %rcx
	shrq	$3, %rcx
	jmp	10f
6:	cmpq	$USER_LARGE / 8, %rcx
	jae	user_copy_large
10:	andl	$7, %edx
	USER_ACCESS_BEGIN
	may_fault 7f, rep movsq
	jmp	1b
7:	leaq	(%rdx, %rcx, 8), %rdx
copy_bytes:
	may_fault 8f, movb (%rsi), %al
	may_fault 8f, movb %al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rdx
	jnz	copy_bytes
8:	movq	%rdx, %rax
	USER_ACCESS_END
	ret

/* rdi: user memory to be zeroed, rsi: bytes; value: bytes not done. As above. */
	.globl	arch_clear_user
	.balign	16
arch_clear_user:
	xorl	%eax, %eax
	cmpq	$8, %rsi
	jae	3f
	USER_ACCESS_BEGIN
1:	testb	$6, %sil
	jnz	2f
	testb	%sil, %sil
	jz	9f
	may_fault clear_bytes, movb %al, (%rdi)
9:	USER_ACCESS_END
	ret
2:	testb	$4, %sil
	jz	4f
	may_fault clear_bytes, movl %eax, (%rdi)
	may_fault clear_bytes, movl %eax, -4(%rdi, %rsi)
	jmp	9b
4:	may_fault clear_bytes, movw %ax, (%rdi)
	may_fault clear_bytes, movb %al, -1(%rdi, %rsi)
	jmp	9b

	.globl	user_clear_small
user_clear_small:
	xorl	%eax, %eax
	movq	%rsi, %rcx
	shrq	$3, %rcx
	jmp	4f
3:	cmpq	$16, %rsi
	ja	3f
	USER_ACCESS_BEGIN
	may_fault clear_bytes, movq %rax, (%rdi)
	may_fault clear_bytes, movq %rax, -8(%rdi, %rsi)
	USER_ACCESS_END
	ret

3:	movq	%rsi, %rcx
	shrq	$3, %rcx
	cmpq	$USER_LARGE / 8, %rcx
	jae	user_clear_large
4:	andl	$7, %esi
	USER_ACCESS_BEGIN
	may_fault 5f, rep stosq
	jmp	1b
5:	leaq	(%rsi, %rcx, 8), %rsi
clear_bytes:
	movq	%rsi, %rcx
	may_fault 6f, rep stosb
6:	movq	%rcx, %rax
	USER_ACCESS_END
	ret

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
