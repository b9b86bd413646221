/* SPDX-License-Identifier: MIT */
/* smp_start.h - the words that smp.c and trampoline.S exchange. Private to arch/x86_64. */
#pragma once

#define START_FAR32       0
#define START_FAR64       8
#define START_BOOT_ROOT   16
#define START_APIC_ID     20
#define START_STATE       24
#define START_ENTRY       32
#define START_ROOT        40
#define START_STACK       48
#define START_PERCPU      56
#define START_PARAMS_SIZE 64

#define START_IDLE     0 /* nobody is expected */
#define START_EXPECTED 1
#define START_ARRIVED  2

#ifndef __ASSEMBLY__
#include <quire/types.h>

struct start_params {
	u32 far32;
	u16 far32_cs, unused0;
	u32 far64;
	u16 far64_cs, unused1;
	u32 boot_root; /* physical: page tables for the way to 64-bit mode */
	u32 apic_id;   /* who is expected */
	u32 state;     /* [a] START_* */
	u32 unused2;
	u64 entry;  /* secondary_entry */
	u64 root;   /* physical: kernel_as's root */
	u64 stack;  /* top */
	u64 percpu; /* offset */
};

extern char trampoline_start[], trampoline_end[], trampoline_gdt_base[], trampoline_params[];
extern char boot_root[];
void secondary_entry(void);

/* smp_reserve_trampoline - keep a page below 1 MiB for us. Before any allocator runs. */
void smp_reserve_trampoline(void);
/* secondary_start - C entry of a secondary CPU: per-CPU access, its stack and final tables in place. */
void secondary_start(void) __attribute__((noreturn));
#endif
