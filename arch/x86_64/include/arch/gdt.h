/* SPDX-License-Identifier: MIT */
/*
 * gdt.h - segments, task state and interrupt descriptors. Private to arch/x86_64.
 *
 * The order of the user segments is dictated by sysret: 32-bit code, data, 64-bit code. The numbers are
 * those that debuggers and programs know from Linux.
 */
#pragma once

#define BOOT_CS32 0x08 /* only before 64-bit mode */
#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_CS32 0x23
#define USER_DS   0x2b
#define USER_CS   0x33
#define TSS_SEL   0x40
#define CPU_NUMBER_SEL \
	0x7b /* a segment whose limit is the CPU's number: programs ask for it by LSL */
#define GDT_ENTRIES 16

#define TSS_RSP0 4 /* offset of rsp[0] */

/* Interrupt stack table entries: stacks that the CPU switches to whatever happened before. */
#define IST_DEBUG  1
#define IST_NMI    2
#define IST_MCE    3
#define IST_DOUBLE 4

#ifndef __ASSEMBLY__
#include <quire/types.h>
#include <quire/compiler.h>
#include "kernel/percpu.h"

struct tss {
	u32 unused0;
	u64 rsp[3]; /* [0]: kernel stack for entries from user mode */
	u64 unused1;
	u64 ist[7];
	u64 unused2;
	u16 unused3, iomap;
} PACKED;

/* One CPU's emergency stacks. The last 16 bytes of each hold the CPU's per-CPU offset, so that the entry
 * code can find its variables when it cannot trust GS base. */
struct ist_stacks {
	u8 debug[0x1000];
	u8 nmi[0x1000];
	u8 mce[0x2000];
	u8 fault[0x2000];
} ALIGNED(4096);

extern PERCPU struct tss cpu_tss;
extern PERCPU struct ist_stacks *cpu_ist;

/* desc_init_cpu - load this CPU's GDT, TSS and the common IDT. Per-CPU access works; interrupts off. */
void desc_init_cpu(struct ist_stacks *);
#endif
