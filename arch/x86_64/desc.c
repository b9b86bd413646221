/* SPDX-License-Identifier: MIT */
/*
 * desc.c - descriptor tables: segments, the task state segment, the interrupt descriptor table.
 *
 * Segments do nothing in 64-bit mode but carry privilege levels. The TSS tells the CPU which stack to
 * use: rsp[0] for entries from user mode (arch_switch keeps it at the running thread's stack), and
 * emergency stacks for what may arrive when the stack pointer cannot be trusted:
 *
 *   double fault   the kernel stack has overflowed into its guard page
 *   NMI, #MC, #DB  between the first instruction of a system call and its change of stacks
 *
 * All gates are interrupt gates: every handler starts with interrupts off. (Intel SDM vol. 3, 6.14.)
 */
#include <arch/gdt.h>
#include <arch/percpu.h>
#include <arch/trap.h>
#include "lib/string.h"

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60 /* reachable by an instruction in user mode */
#define STUB_SIZE      16

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, unused;
};

PERCPU struct tss cpu_tss ALIGNED(128);
PERCPU struct ist_stacks *cpu_ist;
static PERCPU u64 cpu_gdt[GDT_ENTRIES] ALIGNED(64);
static struct gate idt[256] ALIGNED(4096);

extern const char trap_stubs[]; /* trap.S: 256 times STUB_SIZE bytes */

static void gate_set(unsigned vector, unsigned ist, u8 type)
{
	u64 stub = (u64)trap_stubs + vector * STUB_SIZE;

	idt[vector] = (struct gate){
		.offset_low = (u16)stub,
		.offset_mid = (u16)(stub >> 16),
		.offset_high = (u32)(stub >> 32),
		.selector = KERNEL_CS,
		.ist = (u8)ist,
		.type = type,
	};
}

static void idt_fill(void)
{
	for (unsigned v = 0; v < ARRAY_SIZE(idt); v++)
		gate_set(v, 0, GATE_INTERRUPT);
	gate_set(TRAP_DB, IST_DEBUG, GATE_INTERRUPT);
	gate_set(TRAP_NMI, IST_NMI, GATE_INTERRUPT);
	gate_set(TRAP_DF, IST_DOUBLE, GATE_INTERRUPT);
	gate_set(TRAP_MC, IST_MCE, GATE_INTERRUPT);
	gate_set(TRAP_BP, 0, GATE_INTERRUPT | GATE_USER);
}

static void gdt_fill(u64 *gdt, const struct tss *tss)
{
	u64 base = (u64)tss;

	memset(gdt, 0, GDT_ENTRIES * sizeof(*gdt));
	gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
	gdt[USER_CS32 / 8] = 0x00cffb000000ffff;
	gdt[USER_DS / 8] = 0x00cff3000000ffff;
	gdt[USER_CS / 8] = 0x00affb000000ffff;
	gdt[TSS_SEL / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
			   (base >> 24 & 0xff) << 56;
	gdt[TSS_SEL / 8 + 1] = base >> 32;
	/* Read-only data for user mode; nobody loads it. Limits have 20 bits, in two places. */
	gdt[CPU_NUMBER_SEL / 8] = 0x0040f10000000000 | (cpu_id() & 0xffff);
}

/* Top of an emergency stack, below the word by which the entry code finds its CPU. */
static u64 ist_top(u8 *stack, size_t size)
{
	u64 *word = (u64 *)(stack + size - 16);

	word[0] = arch_percpu_offset();
	return (u64)word;
}

static void tss_fill(struct tss *tss, struct ist_stacks *ist)
{
	memset(tss, 0, sizeof(*tss));
	tss->ist[IST_DEBUG - 1] = ist_top(ist->debug, sizeof(ist->debug));
	tss->ist[IST_NMI - 1] = ist_top(ist->nmi, sizeof(ist->nmi));
	tss->ist[IST_MCE - 1] = ist_top(ist->mce, sizeof(ist->mce));
	tss->ist[IST_DOUBLE - 1] = ist_top(ist->fault, sizeof(ist->fault));
	tss->iomap = sizeof(*tss); /* beyond the limit: user mode may use no port */
}

static void load_tables(const u64 *gdt)
{
	struct {
		u16 limit;
		u64 base;
	} PACKED gdtr = {GDT_ENTRIES * sizeof(*gdt) - 1, (u64)gdt},
		 idtr = {sizeof(idt) - 1, (u64)idt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %3, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "lidt %1\n\t"
			 "ltr %w4"
			 :
			 : "m"(gdtr), "m"(idtr), "i"(KERNEL_CS), "i"(KERNEL_DS), "r"(TSS_SEL)
			 : "rax", "memory");
}

/* desc_init_cpu - see arch/gdt.h. FS and GS keep the null selectors they were started with: loading
 * them would clear the base that per-CPU access needs. */
void desc_init_cpu(struct ist_stacks *ist)
{
	if (!idt[0].selector)
		idt_fill();
	this_cpu(cpu_ist) = ist;
	tss_fill(&this_cpu(cpu_tss), ist);
	gdt_fill(&this_cpu(cpu_gdt[0]), &this_cpu(cpu_tss));
	load_tables(&this_cpu(cpu_gdt[0]));
}
