/* SPDX-License-Identifier: MIT */
/*
 * head.S - the first instructions: from 32-bit mode without paging to C in the high half.
 *
 * Two loaders bring us here, each with an entry of its own: a PVH loader (found through the ELF note)
 * and a multiboot2 loader (through the header and the ELF entry point). Both leave flat
 * 32-bit segments, paging off, interrupts off and a pointer to their information in EBX; nothing
 * else is assumed. A firmware's leftovers in control registers are replaced, not modified.
 *
 * The boot page tables use 2 MiB leaves, which every 64-bit CPU has:
 *   low 4 GiB at 0 (to survive the switch) and at DIRECT_BASE; low 1 GiB at KIMAGE_BASE.
 * Everything in them is writable and executable. They stay as they are for secondary CPUs, which pass
 * through them on the way to kernel_as's root (trampoline.S); no CPU runs threads on them.
 *
 * Read next: start.c.
 */
#include <arch/layout.h>
#include <arch/msr.h>
#include <arch/gdt.h>

#define PA(sym) (sym - KIMAGE_BASE)

#define PTE_TABLE 0x07 /* present, writable, user */
#define PTE_LEAF  0x83 /* present, writable, 2 MiB */
#define ROOT_DIRECT ((DIRECT_BASE >> 39) & 511)
#define ROOT_IMAGE  ((KIMAGE_BASE >> 39) & 511)
#define SLOT_IMAGE  ((KIMAGE_BASE >> 30) & 511)

#define MB2_MAGIC      0xe85250d6
#define MB2_LOADED     0x36d76289
#define PROTOCOL_NONE  0
#define PROTOCOL_PVH   1
#define PROTOCOL_MB2   2

/* --- what loaders look for ---------------------------------------------------------------------- */
	.section .head.header, "a"
	.balign 8
mb2_header:
	.long	MB2_MAGIC
	.long	0				/* 32-bit protected mode */
	.long	mb2_header_end - mb2_header
	.long	-(MB2_MAGIC + (mb2_header_end - mb2_header))
	.short	5, 1				/* a framebuffer, if it can be had .. */
	.long	20
	.long	1024, 768, 32			/* .. of this size and depth, if it can be had */
	.balign	8
	.short	0, 0				/* end tag */
	.long	8
mb2_header_end:

	/* The loader aligns what it reads by this section's alignment, which must be 4. */
	.section .note.pvh, "a", @note
	.balign 4
	.long	4, 8, 18			/* sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	pvh_entry

/* --- 32-bit code, running where it is linked ------------------------------------------------------ */
	.section .head.text, "ax"
	.code32
	.globl	arch_entry
arch_entry:
	movl	$PROTOCOL_MB2, %ebp
	cmpl	$MB2_LOADED, %eax
	je	boot32
	movl	$PROTOCOL_NONE, %ebp
	jmp	boot32

	.globl	pvh_entry
pvh_entry:
	movl	$PROTOCOL_PVH, %ebp

/* ebx: loader's information, ebp: protocol */
boot32:
	cld
	cli
	movl	%ebx, %esi			/* cpuid changes ebx */
	lgdt	boot_gdtr
	ljmp	$BOOT_CS32, $1f
1:	movl	$KERNEL_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$PA(boot_stack_top), %esp
	pushl	$0
	popfl

	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	btl	$29, %edx			/* long mode */
	jnc	no_long_mode
	btl	$20, %edx			/* no-execute: every page right depends on it */
	jnc	no_nx

	call	build_tables
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PA(boot_root), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$(EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_VALUE, %eax
	movl	%eax, %cr0
	ljmp	$KERNEL_CS, $boot64

/* Four tables of 2 MiB leaves for the low 4 GiB, then the three levels' entries that lead to them. */
build_tables:
	movl	$PA(boot_leaves), %edi
	movl	$PTE_LEAF, %eax
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	decl	%ecx
	jnz	1b

	movl	$PA(boot_low), %edi
	movl	$(PA(boot_leaves) + PTE_TABLE), %eax
	movl	$4, %ecx
2:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x1000, %eax
	decl	%ecx
	jnz	2b

	movl	$(PA(boot_leaves) + PTE_TABLE), PA(boot_high) + SLOT_IMAGE * 8
	movl	$(PA(boot_low) + PTE_TABLE), PA(boot_root)
	movl	$(PA(boot_low) + PTE_TABLE), PA(boot_root) + ROOT_DIRECT * 8
	movl	$(PA(boot_high) + PTE_TABLE), PA(boot_root) + ROOT_IMAGE * 8
	ret

no_long_mode:
	movl	$text_long_mode, %esi
	jmp	complain
no_nx:
	movl	$text_nx, %esi
/* The only message that can be given here goes to the first serial port, as the firmware set it up. Then
 * as arch_exit_failure: a hypervisor (CPUID leaf 1, bit 31 of ecx) may leave with a failing status. */
complain:
	movw	$0x3f8, %dx
1:	lodsb
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	jmp	1b
2:	movl	$1, %eax
	cpuid
	testl	%ecx, %ecx
	jns	3f
	movb	$1, %al
	outb	%al, $0xf4
3:	hlt
	jmp	3b

	.code64
boot64:	movabsq	$boot_high64, %rax
	jmp	*%rax

	.section .head.data, "aw"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* 0x08: 32-bit code */
	.quad	0x00af9b000000ffff		/* 0x10: 64-bit code */
	.quad	0x00cf93000000ffff		/* 0x18: data */
boot_gdtr:
	.short	boot_gdtr - boot_gdt - 1
	.long	boot_gdt
text_long_mode:
	.asciz	"Quire: this CPU has no 64-bit mode\r\n"
text_nx:
	.asciz	"Quire: this CPU cannot forbid execution of pages (NX)\r\n"

/* --- high half ------------------------------------------------------------------------------------- */
	.section .text.entry, "ax"
	.code64
boot_high64:
	movabsq	$boot_stack_top, %rsp
	/* GS base 0: the boot CPU uses the per-CPU template itself. */
	xorl	%eax, %eax
	xorl	%edx, %edx
	movl	$MSR_GS_BASE, %ecx
	wrmsr
	movl	%ebp, %edi
	movl	%esi, %esi
	xorl	%ebp, %ebp
	pushq	$0				/* ends backtraces: no return address */
	pushq	$0
	call	arch_start
1:	cli
	hlt
	jmp	1b

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl	boot_root
boot_root:
	.skip	4096
boot_low:
	.skip	4096
boot_high:
	.skip	4096
boot_leaves:
	.skip	4 * 4096

	.section .bss.boot_stack, "aw", @nobits	/* linker.ld puts a guard page below it */
	.balign 4096
	.globl	boot_stack, boot_stack_top
boot_stack:
	.skip	4 * 4096			/* KSTACK_SIZE: checked in start.c */
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
