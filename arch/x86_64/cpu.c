/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - what this CPU can do, and setting its control registers accordingly.
 *
 * Features are read from CPUID once, on the boot CPU, and used on all; a CPU that starts later and lacks one
 * of them stops the boot with a message, since threads move between CPUs. NX is required (head.S).
 *
 * Control registers are written as a whole, never modified: what firmware left in them is not ours.
 *
 * (Intel SDM vol. 2, CPUID; vol. 3, 2.5 and 4.12; AMD APM vol. 3, appendix E.)
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/smap.h>
#include <arch/thread.h>
#include "arch/x86_64/internal.h"
#include "kernel/printk.h"
#include "kernel/vdso/data.h"
#include "lib/string.h"

#define CPUID1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID1_ECX_X2APIC       (1u << 21)
#define CPUID1_ECX_XSAVE        (1u << 26)
#define CPUID1_ECX_AVX          (1u << 28)
#define CPUID1_ECX_RDRAND       (1u << 30)
#define CPUID1_ECX_HYPERVISOR   (1u << 31)
#define CPUID1_EDX_PGE          (1u << 13)
#define CPUID7_EBX_FSGSBASE     (1u << 0)
#define CPUID7_EBX_SMEP         (1u << 7)
#define CPUID7_EBX_AVX512F      (1u << 16)
#define CPUID7_ECX_UMIP         (1u << 2)
#define CPUID7_ECX_RDPID        (1u << 22)
#define CPUIDD1_EAX_XSAVEOPT    (1u << 0)
#define CPUIDX1_EDX_PAGE1GB     (1u << 26)
#define CPUIDX1_EDX_RDTSCP      (1u << 27)
#define CPUIDX7_EDX_INVARIANT   (1u << 8)

#define CPUID_EXTENDED 0x80000000

/* Entry 1 of the page attribute table becomes write-combining; the others keep their reset values, of
 * which 0 is write-back and 3 uncached. The upper four repeat the lower. */
#define PAT_VALUE 0x0007010600070106ul

/* Flags cleared by a system call: interrupts off, forward string operations, no single step, no nested
 * task, alignment checks (and user access) off. */
#define SYSCALL_FMASK \
	(RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC)

struct cpu_features cpu_features;
u8 page_copy_avx; /* for page_copy.S */
uintptr_t arch_percpu_self PERCPU;
u64 syscall_user_rsp PERCPU; /* for syscall.S */
PERCPU u64 nmi_count;

/* arch_percpu_set - see arch/percpu.h. */
void arch_percpu_set(uintptr_t offset)
{
	msr_write(MSR_GS_BASE, offset);
	*percpu_at(arch_percpu_self, offset) = offset;
}

static void detect_basic(struct cpu_features *f)
{
	struct cpuid zero = cpuid_get(0, 0), one = cpuid_get(1, 0);

	memcpy(f->vendor, &zero.ebx, 4);
	memcpy(f->vendor + 4, &zero.edx, 4);
	memcpy(f->vendor + 8, &zero.ecx, 4);
	f->signature = one.eax;
	f->pge = one.edx & CPUID1_EDX_PGE;
	f->x2apic = one.ecx & CPUID1_ECX_X2APIC;
	f->tsc_deadline = one.ecx & CPUID1_ECX_TSC_DEADLINE;
	f->xsave = one.ecx & CPUID1_ECX_XSAVE;
	f->avx = f->xsave && one.ecx & CPUID1_ECX_AVX;
	f->rdrand = one.ecx & CPUID1_ECX_RDRAND;
	f->hypervisor = one.ecx & CPUID1_ECX_HYPERVISOR;
}

static void cpu_detect(struct cpu_features *f)
{
	u32 max = cpuid_get(0, 0).eax, max_extended = cpuid_get(CPUID_EXTENDED, 0).eax;

	detect_basic(f);
	if (max >= 7) {
		struct cpuid seven = cpuid_get(7, 0);

		f->fsgsbase = seven.ebx & CPUID7_EBX_FSGSBASE;
		f->smep = seven.ebx & CPUID7_EBX_SMEP;
		f->smap = seven.ebx & CPUID7_EBX_SMAP;
		f->umip = seven.ecx & CPUID7_ECX_UMIP;
		f->rdpid = seven.ecx & CPUID7_ECX_RDPID;
		f->avx512 = f->avx && seven.ebx & CPUID7_EBX_AVX512F;
	}
	if (max >= 0xd && f->xsave)
		f->xsaveopt = cpuid_get(0xd, 1).eax & CPUIDD1_EAX_XSAVEOPT;
	if (max_extended >= CPUID_EXTENDED + 1) {
		u32 edx = cpuid_get(CPUID_EXTENDED + 1, 0).edx;

		f->gbpages = edx & CPUIDX1_EDX_PAGE1GB;
		f->rdtscp = edx & CPUIDX1_EDX_RDTSCP;
	}
	if (max_extended >= CPUID_EXTENDED + 7)
		f->tsc_invariant = cpuid_get(CPUID_EXTENDED + 7, 0).edx & CPUIDX7_EDX_INVARIANT;
}

static u64 cr4_value(const struct cpu_features *f)
{
	u64 cr4 = CR4_DE | CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->umip ? CR4_UMIP : 0;
	cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	return cr4;
}

static void set_syscall_entry(void)
{
	msr_write(MSR_STAR, (u64)USER_CS32 << 48 | (u64)KERNEL_CS << 32);
	msr_write(MSR_LSTAR, (u64)syscall_entry);
	msr_write(MSR_FMASK, SYSCALL_FMASK);
	msr_write(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
}

static void check_secondary(void)
{
	struct cpu_features mine = {.vendor = ""};

	cpu_detect(&mine);
	/* The whole register tells whether a protection that others rely on is missing here. */
	if (cr4_value(&mine) != cr4_value(&cpu_features) || mine.avx != cpu_features.avx ||
	    mine.avx512 != cpu_features.avx512 || mine.xsaveopt != cpu_features.xsaveopt ||
	    mine.rdpid != cpu_features.rdpid || mine.rdtscp != cpu_features.rdtscp)
		panic("CPU %u differs from the boot CPU", cpu_id());
}

/* arch_cpu_init - see arch/cpu.h. */
void arch_cpu_init(void)
{
	bool boot_cpu = !cpu_id();

	if (boot_cpu)
		cpu_detect(&cpu_features);
	else
		check_secondary();
	cr0_write(CR0_VALUE);
	cr4_write(cr4_value(&cpu_features));
	msr_write(MSR_PAT, PAT_VALUE);
	set_syscall_entry();
	if (cpu_features.rdtscp || cpu_features.rdpid)
		msr_write(MSR_TSC_AUX, cpu_id());
	if (boot_cpu)
		fpu_init();
	fpu_init_cpu();
	if (boot_cpu)
		page_copy_avx = cpu_features.avx && !cpu_features.avx512;
}

/* arch_cpu_describe - see arch/cpu.h. */
void arch_cpu_describe(void)
{
	const struct cpu_features *f = &cpu_features;
	u32 family = (f->signature >> 8 & 15), model = f->signature >> 4 & 15;

	if (family == 6 || family == 15)
		model |= f->signature >> 12 & 0xf0;
	if (family == 15)
		family += f->signature >> 20 & 0xff;
	printk("cpu: %s family %u model %u stepping %u; nx%s%s%s%s%s%s%s, %lu bytes of FP state\n",
	       f->vendor, family, model, f->signature & 15, f->smep ? " smep" : "",
	       f->smap ? " smap" : "", f->umip ? " umip" : "", f->fsgsbase ? " fsgsbase" : "",
	       f->pge ? " pge" : "", f->gbpages ? " 1g-pages" : "", f->avx ? " avx" : "",
	       arch_fpu_state_size());
}

/* arch_random_get - see arch/cpu.h. Intel advises ten attempts. */
bool arch_random_get(u64 *out)
{
	for (unsigned i = 0; cpu_features.rdrand && i < 10; i++) {
		bool ok;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(ok)::"cc");
		if (ok)
			return true;
	}
	return false;
}

/* arch_hwcap, arch_hwcap2 - see arch/elf.h. */
u64 arch_hwcap(void)
{
	return cpuid_get(1, 0).edx;
}

u64 arch_hwcap2(void)
{
	return cpu_features.fsgsbase ? 2 : 0;
}

/* arch_vdso_flags - see arch/elf.h. */
u32 arch_vdso_flags(void)
{
	return cpu_features.rdpid ? VDSO_RDPID : 0;
}

/* arch_min_signal_stack - see arch/elf.h: the general registers and siginfo, FP state, and alignment. */
u64 arch_min_signal_stack(void)
{
	return 512 + 128 + arch_fpu_state_size() + 64;
}
