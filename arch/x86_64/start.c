/* SPDX-License-Identifier: MIT */
/*
 * start.c - the first C code: from the boot page tables to kernel_main().
 *
 * Interrupts are off, GS base is 0, one CPU runs. After desc_init_cpu() a bug here ends in a register
 * dump instead of a silent reset.
 *
 * Read next: boot/pvh.c or boot/multiboot2.c, then kernel/main.c.
 */
#include <quire/assert.h>
#include <quire/types.h>
#include <arch/boot.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/smap.h>
#include <arch/smp_start.h>
#include <arch/timer.h>
#include "boot/boot_info.h"
#include "kernel/main.h"
#include "kernel/thread.h"

/* As passed by head.S. */
enum boot_protocol { PROTOCOL_NONE, PROTOCOL_PVH, PROTOCOL_MULTIBOOT2 };

BUILD_ASSERT(KSTACK_SIZE == 0x4000, "head.S reserves the boot stack");

static struct ist_stacks boot_ist SECTION(".bss.page_aligned");

u64 clock_entry_tsc;

void arch_start(enum boot_protocol protocol, u32 info);

/* smap_patch - make the marked instructions of the user accessors open and close the supervisor access
 * prevention, if there is one; the boot tables still let us write to the kernel's text. */
static void smap_patch(void)
{
	if (cpuid_get(0, 0).eax < 7 || !(cpuid_get(7, 0).ebx & CPUID7_EBX_SMAP))
		return;
	for (const struct smap_site *s = smap_sites_start; s < smap_sites_end; s++) {
		u8 *insn = (u8 *)&s->insn + s->insn;

		insn[0] = 0x0f;
		insn[1] = 0x01;
		insn[2] = s->opcode;
	}
	cpuid_get(0, 0); /* serialise: no stale instruction is executed */
}

/* arch_start - called by head.S. info: physical address of what the loader left. */
void arch_start(enum boot_protocol protocol, u32 info)
{
	clock_entry_tsc = tsc_read();
	desc_init_cpu(&boot_ist);
	smap_patch();
	switch (protocol) {
	case PROTOCOL_PVH:
		boot_from_pvh(info);
		break;
	case PROTOCOL_MULTIBOOT2:
		boot_from_multiboot2(info);
		break;
	default:
		panic("started by an unknown kind of boot loader");
	}
	smp_reserve_trampoline();
	kernel_main();
}
