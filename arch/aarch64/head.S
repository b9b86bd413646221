/* SPDX-License-Identifier: MIT */
/*
 * head.S - from the boot loader's jump to the first line of C.
 *
 * We arrive (Linux arm64 boot protocol) with the MMU and caches off, interrupts masked, the device tree's
 * address in x0, at EL1 or EL2, at any 2 MiB aligned physical address. Code in .head.* is linked at the
 * image's offset in the file and runs at its physical address; everything else is linked at KIMAGE_BASE
 * and must not be called before the MMU is on. adrp reaches both, being relative: for the
 * high symbols it gives physical address + KIMAGE_BASE (macro phys).
 *
 * Boot tables: TTBR0 maps the 2 MiB in which this code lies to itself, TTBR1 maps the image at
 * KIMAGE_BASE. early.c adds to the latter. Secondary CPUs come through here as well and load the
 * final kernel tables at once.
 *
 * Caches: with the MMU off stores go to memory past them, so lines that the loader may have left for the
 * tables are invalidated before and after writing.
 *
 * Registers kept over calls: x20 device tree or EFI handoff, x21 physical address of the image, x22 whether EFI.
 *
 * Read next: start.c.
 */
#include <arch/layout.h>
#include <arch/sysreg.h>

#define BOOT_STACK_SIZE 16384
#define SECTION_SIZE	0x200000
/* Block entries: valid, inner shareable, accessed; memory type 0 is normal memory. */
#define BLOCK_RWX  (1 | 3 << 8 | 1 << 10)
#define BLOCK_RX   (BLOCK_RWX | 1 << 7)
#define TABLE	   3

/* phys - physical address of a symbol that is linked high. */
.macro phys reg:req, tmp:req, sym:req
	adrp	\reg, \sym
	add	\reg, \reg, :lo12:\sym
	movz	\tmp, #0x8000, lsl #16		/* -KIMAGE_BASE */
	add	\reg, \reg, \tmp
.endm
#if KIMAGE_BASE + 0x80000000 != 0
#error "macro phys knows the value of KIMAGE_BASE"
#endif

.macro mov64 reg:req, val:req
	movz	\reg, #(\val) & 0xffff
	movk	\reg, #((\val) >> 16) & 0xffff, lsl #16
	movk	\reg, #((\val) >> 32) & 0xffff, lsl #32
	movk	\reg, #((\val) >> 48) & 0xffff, lsl #48
.endm

/* progress - a character to the port whose data register is at early_uart, if any. A board's first image is
 * silent for many reasons; which characters come tells how far it got. Changes x9, x10. */
.macro progress char:req
	adr	x9, early_uart
	ldr	x9, [x9]
	cbz	x9, 1f
	mov	w10, #\char
	str	w10, [x9]
1:
.endm

	.section .head.header, "ax"
	.globl	arch_entry
arch_entry:
image_start:
	ccmp	x18, #0, #13, pl		/* harmless; its bytes begin with "MZ" (pe_header.S) */
	b	primary_entry
	.quad	0				/* offset from a 2 MiB boundary */
	.quad	kimage_size			/* bss included */
	.quad	0xa				/* little endian, 4 KiB pages, anywhere in memory */
early_uart:
	.quad	0				/* reserved; tools/mkkernel8 puts an address here */
	.quad	0, 0
	.ascii	"ARM\x64"
	.long	64				/* the EFI header follows */

	.section .head.text, "ax"
/* efi_primary_entry - from efi_entry.S, with a handoff in place of the device tree. */
	.globl	efi_primary_entry
efi_primary_entry:
	mov	x22, #1
	b	1f
primary_entry:
	mov	x22, xzr
1:	mov	x20, x0
	progress 'Q'				/* entered */
	bl	enter_el1
	progress '1'				/* at EL1 */
	adrp	x21, image_start
	tst	x21, #(SECTION_SIZE - 1)
	b.ne	stop
	bl	make_boot_tables
	progress '2'				/* at the right place; the MMU comes next */
	progress '\r'
	progress '\n'
	phys	x0, x9, boot_root
	bl	mmu_on
	ldr	x9, =primary_high
	br	x9

/* secondary_entry - where firmware starts another CPU (smp.c). */
	.globl	secondary_entry
secondary_entry:
	bl	enter_el1
	phys	x9, x10, secondary_ttbr1
	ldr	x0, [x9]
	bl	mmu_on
	ldr	x9, =secondary_high
	br	x9

/* stop - the machine cannot run this kernel, and there is no way to say so yet. */
stop:	wfe
	b	stop

/*
 * enter_el1 - continue after the call at EL1 with the MMU off and every exception masked. From EL2 nothing
 * that EL1 does is trapped afterwards and the virtual counter equals the physical one.
 */
enter_el1:
	msr	daifset, #15
	mov64	x10, SCTLR_EL1_OFF
	mrs	x9, CurrentEL
	cmp	x9, #(2 << 2)
	b.hi	stop
	b.eq	1f
	msr	sctlr_el1, x10
	isb
	ret

1:	/* First HCR_EL2: with E2H set the names of EL1 registers would mean those of EL2. */
	mov	x9, #(1 << HCR_RW)
	orr	x9, x9, #(3 << HCR_APK)
	msr	hcr_el2, x9
	isb
	msr	sctlr_el1, x10
	mov	x9, #3				/* counter and timer not trapped */
	msr	cnthctl_el2, x9
	msr	cntvoff_el2, xzr
	mov	x9, #CPTR_EL2_OFF
	msr	cptr_el2, x9
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x9, midr_el1
	msr	vpidr_el2, x9
	mrs	x9, mpidr_el1
	msr	vmpidr_el2, x9

	mrs	x9, id_aa64dfr0_el1		/* all performance counters belong to EL1 */
	ubfx	x9, x9, #ID_DFR0_PMUVER, #4
	sub	x11, x9, #1
	cmp	x11, #0xe			/* 0: none, 15: not the architecture's */
	mov	x10, xzr
	b.hs	2f
	mrs	x10, pmcr_el0
	ubfx	x10, x10, #11, #5
2:	msr	mdcr_el2, x10

	mrs	x9, id_aa64mmfr0_el1		/* fine-grained traps */
	ubfx	x9, x9, #ID_MMFR0_FGT, #4
	cbz	x9, 3f
	msr	SYS_HFGRTR_EL2, xzr
	msr	SYS_HFGWTR_EL2, xzr
	msr	SYS_HFGITR_EL2, xzr
	msr	SYS_HDFGRTR_EL2, xzr
	msr	SYS_HDFGWTR_EL2, xzr
3:	mrs	x9, id_aa64mmfr1_el1
	ubfx	x9, x9, #ID_MMFR1_HCX, #4
	cbz	x9, 4f
	msr	SYS_HCRX_EL2, xzr

4:	mrs	x9, id_aa64pfr0_el1		/* interrupt controller by system registers */
	ubfx	x9, x9, #ID_PFR0_GIC, #4
	cbz	x9, 5f
	mov	x9, #0xf
	msr	SYS_ICC_SRE_EL2, x9
	isb
	mrs	x9, SYS_ICC_SRE_EL2
	tbz	x9, #0, 5f			/* switched off at EL3 */
	msr	SYS_ICH_HCR_EL2, xzr
5:	msr	elr_el2, x30
	mov	x9, #SPSR_EL1H_BOOT
	msr	spsr_el2, x9
	eret

/*
 * make_boot_tables - fill the six tables. Uses x0..x7.
 */
make_boot_tables:
	mov	x7, x30
	bl	invalidate_tables
	phys	x0, x9, boot_tables
	phys	x1, x9, boot_tables_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	phys	x0, x9, boot_root		/* image: root -> boot_kimage_l1 -> boot_kimage_l2 */
	phys	x1, x9, boot_kimage_l1
	orr	x2, x1, #TABLE
	str	x2, [x0, #(511 * 8)]
	phys	x0, x9, boot_kimage_l2
	orr	x2, x0, #TABLE
	str	x2, [x1, #(510 * 8)]
	mov	x2, #BLOCK_RWX
	orr	x2, x2, x21
	ldr	x3, =kimage_size
	add	x3, x3, x21
	mov	x4, #SECTION_SIZE
2:	str	x2, [x0], #8
	add	x2, x2, x4
	cmp	x2, x3
	b.lo	2b

	phys	x0, x9, boot_idmap		/* this code: L0 -> L1 -> one read-only block */
	ubfx	x1, x21, #39, #9
	add	x2, x0, #4096
	orr	x3, x2, #TABLE
	str	x3, [x0, x1, lsl #3]
	ubfx	x1, x21, #30, #9
	add	x0, x2, #4096
	orr	x3, x0, #TABLE
	str	x3, [x2, x1, lsl #3]
	ubfx	x1, x21, #21, #9
	mov	x3, #BLOCK_RX
	orr	x3, x3, x21
	str	x3, [x0, x1, lsl #3]
	mov	x30, x7
	/* fall through */

/* invalidate_tables - drop cached lines of the tables without writing them back. Uses x0..x3. */
invalidate_tables:
	dmb	sy
	phys	x0, x9, boot_tables
	phys	x1, x9, boot_tables_end
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4			/* log2 words of the smallest data cache line */
	mov	x3, #4
	lsl	x3, x3, x2
1:	dc	ivac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/*
 * mmu_on - translate with x0 as TTBR1 and the identity map as TTBR0; returns to the identity address.
 * Uses x1..x4, x9, x10. The same choices are made on every CPU (cpu_matches_boot compares them).
 */
mmu_on:
	mrs	x2, id_aa64mmfr0_el1
	ubfx	x3, x2, #ID_MMFR0_TGRAN4, #4
	cmp	x3, #1				/* 0: yes, 1: with 52-bit addresses too, 15: no */
	b.hi	stop
	mov64	x1, TCR_EL1_BASE
	ubfx	x3, x2, #ID_MMFR0_PARANGE, #4
	mov	x4, #5				/* 48 bits: more needs another entry format */
	cmp	x3, x4
	csel	x3, x3, x4, lo
	bfi	x1, x3, #TCR_IPS_SHIFT, #3
	ubfx	x3, x2, #ID_MMFR0_ASID, #4
	cmp	x3, #2
	cset	x3, eq
	bfi	x1, x3, #TCR_AS_SHIFT, #1
	mrs	x2, id_aa64mmfr1_el1
	ubfx	x2, x2, #ID_MMFR1_HAFDBS, #4
	cmp	x2, #1
	cset	x3, hs
	bfi	x1, x3, #TCR_HA_SHIFT, #1
	cset	x3, hi
	bfi	x1, x3, #TCR_HD_SHIFT, #1

	mov64	x2, MAIR_EL1_VALUE
	phys	x3, x9, boot_idmap
	tlbi	vmalle1
	dsb	nsh
	msr	mair_el1, x2
	msr	tcr_el1, x1
	msr	ttbr0_el1, x3
	msr	ttbr1_el1, x0
	mov	x2, #CPACR_EL1_VALUE
	msr	cpacr_el1, x2
	isb
	ic	iallu
	dsb	nsh
	isb
	mov64	x2, SCTLR_EL1_ON
	msr	sctlr_el1, x2
	isb
	ret
	.ltorg

	/* From here on at the linked addresses. */
	.section .text.entry, "ax"
primary_high:
	ldr	x9, =trap_vectors
	msr	vbar_el1, x9
	msr	tpidr_el1, xzr			/* the boot CPU's per-CPU area is the template */
	msr	tpidrro_el0, xzr
	isb
	ldr	x9, =cpu_current
	ldr	x18, [x9]
	adrp	x0, bss_start
	adrp	x1, bss_end			/* both page-aligned */
1:	stp	xzr, xzr, [x0], #16
	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	ldr	x9, =boot_stack_top
	mov	sp, x9
	mov	x0, x20
	mov	x1, x21
	mov	x2, x22
	mov	x29, xzr
	mov	x30, xzr
	b	arch_start

/* secondary_high - find the slot (struct cpu_slot, smp.c) that boot CPU filled in for us: by MPIDR, since
 * not every way to start a CPU can pass an argument. */
secondary_high:
	ldr	x9, =trap_vectors
	msr	vbar_el1, x9
	msr	tpidrro_el0, xzr
	isb
	mrs	x9, mpidr_el1
	mov64	x10, MPIDR_AFFINITY
	and	x9, x9, x10
	ldr	x0, =cpu_slots
	ldr	x1, =cpu_slots_end
	ldr	x1, [x1]
1:	ldp	x2, x3, [x0], #32		/* hw_id, stack_top */
	cmp	x2, x9
	ccmp	x3, #0, #4, eq			/* a slot without stack is not in use */
	b.ne	2f
	cmp	x0, x1
	b.lo	1b
	b	stop_high
2:	sub	x0, x0, #32
	mov	sp, x3
	ldr	x4, [x0, #16]			/* percpu offset */
	msr	tpidr_el1, x4
	ldr	x9, =cpu_current
	ldr	x18, [x9, x4]
	mov	x29, xzr
	mov	x30, xzr
	b	arch_secondary_start
stop_high:
	wfe
	b	stop_high
	.ltorg

	.section .bss.boot_tables, "aw", %nobits
	.balign	4096
	.globl	boot_root, boot_kimage_l1, boot_idmap
boot_tables:
boot_root:
	.skip	4096
boot_kimage_l1:
	.skip	4096
boot_kimage_l2:
	.skip	4096
boot_idmap:
	.skip	3 * 4096
boot_tables_end:

	.section .bss.boot_stack, "aw", %nobits	// linker.ld puts a guard page below it
	.balign	4096
	.globl	boot_stack, boot_stack_top
boot_stack:
	.skip	BOOT_STACK_SIZE
boot_stack_top:
