/* SPDX-License-Identifier: MIT */
/*
 * msr.h - model-specific registers and CPUID: numbers and access. (Intel SDM vol. 4; AMD APM vol. 2
 * appendix A.) Usable from assembler. Private to arch/x86_64.
 */
#pragma once

#define MSR_APIC_BASE    0x1b
#define MSR_PAT          0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC(reg)  (0x800 + ((reg) >> 4))
#define MSR_EFER         0xc0000080
#define MSR_STAR         0xc0000081
#define MSR_LSTAR        0xc0000082
#define MSR_FMASK        0xc0000084
#define MSR_FS_BASE      0xc0000100
#define MSR_GS_BASE      0xc0000101
#define MSR_KERNEL_GS    0xc0000102 /* what swapgs exchanges GS base with */
#define MSR_TSC_AUX      0xc0000103 /* what RDTSCP and RDPID give in user mode: the CPU's number */

#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLE 0x800

#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NXE 0x800

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_AM 0x00040000
#define CR0_PG 0x80000000

/* The whole register: caches on, write protection in the kernel, alignment checks for user mode. */
#define CR0_VALUE (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG)

#define CR4_DE         0x000008
#define CR4_PAE        0x000020
#define CR4_MCE        0x000040
#define CR4_PGE        0x000080
#define CR4_OSFXSR     0x000200
#define CR4_OSXMMEXCPT 0x000400
#define CR4_UMIP       0x000800
#define CR4_FSGSBASE   0x010000
#define CR4_OSXSAVE    0x040000
#define CR4_SMEP       0x100000
#define CR4_SMAP       0x200000

#define RFLAGS_FIXED 0x000002
#define RFLAGS_TF    0x000100
#define RFLAGS_IF    0x000200
#define RFLAGS_DF    0x000400
#define RFLAGS_IOPL  0x003000
#define RFLAGS_NT    0x004000
#define RFLAGS_RF    0x010000
#define RFLAGS_AC    0x040000

#ifndef __ASSEMBLY__
#include <quire/types.h>

static inline u64 msr_read(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void msr_write(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

/* cpuid_get - one leaf. A leaf above the highest supported one repeats another: compare first. */
static inline struct cpuid cpuid_get(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(sub));
	return r;
}

/* tsc_read - the time stamp counter, not before earlier loads of this CPU are done. */
static inline u64 tsc_read(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (u64)hi << 32 | lo;
}

static inline u64 cr2_read(void)
{
	u64 v;

	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}

static inline u64 cr3_read(void)
{
	u64 v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v)::"memory");
	return v;
}

static inline void cr3_write(u64 v)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}

static inline u64 cr4_read(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v)::"memory");
	return v;
}

static inline void cr4_write(u64 v)
{
	__asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
}

static inline void cr0_write(u64 v)
{
	__asm__ volatile("movq %0, %%cr0" ::"r"(v) : "memory");
}
#endif
