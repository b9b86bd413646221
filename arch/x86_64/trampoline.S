/* SPDX-License-Identifier: MIT */
/*
 * trampoline.S - a secondary CPU's way from real mode to secondary_start().
 *
 * smp.c copies trampoline_start..trampoline_end to a page below 1 MiB, fills in the parameters at its end
 * and sends the page's number in a STARTUP message. The CPU begins in real mode at offset 0 of the page,
 * goes through 32-bit mode to 64-bit mode on the boot page tables, and makes sure that it is the
 * one that is expected: a CPU that answers too late finds another identity or state there and halts,
 * without having used the stack that meanwhile may be another's.
 */
#include <arch/gdt.h>
#include <arch/layout.h>
#include <arch/msr.h>
#include <arch/smp_start.h>

#define OFF(sym) (sym - trampoline_start)

	.section .rodata.trampoline, "a"
	.balign 16
	.globl	trampoline_start, trampoline_params, trampoline_end
	.code16
trampoline_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%cs, %bx
	shll	$4, %ebx			/* ebx: physical address of the page, for good */
	lgdtl	OFF(gdtr)
	movl	$(CR0_PE | CR0_ET), %eax
	movl	%eax, %cr0
	ljmpl	*OFF(trampoline_params) + START_FAR32

	.code32
trampoline32:
	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	OFF(trampoline_params) + START_BOOT_ROOT(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$(EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_VALUE, %eax
	movl	%eax, %cr0
	ljmpl	*OFF(trampoline_params) + START_FAR64(%ebx)

	.code64
trampoline64:
	leaq	trampoline_params(%rip), %rdi
	movq	START_ENTRY(%rdi), %rax
	jmp	*%rax

	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* 0x08: 32-bit code */
	.quad	0x00af9b000000ffff		/* 0x10: 64-bit code */
	.quad	0x00cf93000000ffff		/* 0x18: data */
gdtr:	.short	gdtr - gdt - 1
	.globl	trampoline_gdt_base
trampoline_gdt_base:
	.long	OFF(gdt)			/* + page, added by smp.c */
	.balign 8
trampoline_params:
	.long	OFF(trampoline32)		/* START_FAR32: + page */
	.short	BOOT_CS32, 0
	.long	OFF(trampoline64)		/* START_FAR64: + page */
	.short	KERNEL_CS, 0
	.skip	START_PARAMS_SIZE - 16
trampoline_end:

/* rdi: parameters, at their physical address; on the boot page tables, in the kernel's text */
	.section .text, "ax"
	.globl	secondary_entry
secondary_entry:
	movq	%rdi, %rsi
	xorl	%eax, %eax
	cpuid
	cmpl	$0xb, %eax
	jb	1f
	movl	$0xb, %eax
	xorl	%ecx, %ecx
	cpuid
	testl	%ebx, %ebx			/* 0: the leaf is not there */
	jnz	2f
1:	movl	$1, %eax
	cpuid
	shrl	$24, %ebx
	movl	%ebx, %edx
2:	cmpl	START_APIC_ID(%rsi), %edx
	jne	3f
	movl	$START_EXPECTED, %eax
	movl	$START_ARRIVED, %ecx
	lock cmpxchgl %ecx, START_STATE(%rsi)
	jne	3f
	movq	START_STACK(%rsi), %rbx
	movq	START_PERCPU(%rsi), %rdi
	movq	START_ROOT(%rsi), %rax
	movq	%rax, %cr3			/* the page of the parameters is gone from here on */
	movq	%rbx, %rsp
	movl	%edi, %eax
	movq	%rdi, %rdx
	shrq	$32, %rdx
	movl	$MSR_GS_BASE, %ecx
	wrmsr
	xorl	%ebp, %ebp
	pushq	$0				/* ends backtraces */
	pushq	$0
	call	secondary_start
3:	cli
	hlt
	jmp	3b

	.section .note.GNU-stack, "", @progbits
