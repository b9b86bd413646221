/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - what this CPU can do, and the control registers that follow from it.
 *
 * head.S has set the registers that translation needs (SCTLR, TCR, MAIR); it may rely on ARMv8.0 alone. Here
 * come the optional features. A feature that the kernel's correctness rests on once it is used must
 * be there on all CPUs: cpu_matches_boot compares.
 */
#include <arch/cache.h>
#include <arch/cpu.h>
#include <arch/elf.h>
#include "arch/aarch64/asid.h"
#include "arch/aarch64/internal.h"
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/thread.h"

struct cpu_features cpu_features;

/* The ID registers that tell user space's features. */
enum id_reg { ISAR0, ISAR1, ISAR2, PFR0, MMFR2, ID_REGS };

/* AT_HWCAP bits: present when the (unsigned) field is at least min. Not listed although the CPU may have
 * it: what needs state that is not saved (SVE, SME), switches that are off (pointer authentication,
 * BTI, MTE), or reading ID registers from user mode. */
struct hwcap_rule {
	u8 reg, shift, min, bit;
};
static const struct hwcap_rule hwcap_rules[] = {
	{ISAR0, 4, 1, 3},   /* aes */
	{ISAR0, 4, 2, 4},   /* pmull */
	{ISAR0, 8, 1, 5},   /* sha1 */
	{ISAR0, 12, 1, 6},  /* sha2 */
	{ISAR0, 16, 1, 7},  /* crc32 */
	{ISAR0, 20, 2, 8},  /* atomics */
	{ISAR0, 28, 1, 12}, /* asimdrdm */
	{ISAR1, 12, 1, 13}, /* jscvt */
	{ISAR1, 16, 1, 14}, /* fcma */
	{ISAR1, 20, 1, 15}, /* lrcpc */
	{ISAR1, 0, 1, 16},  /* dcpop */
	{ISAR0, 32, 1, 17}, /* sha3 */
	{ISAR0, 36, 1, 18}, /* sm3 */
	{ISAR0, 40, 1, 19}, /* sm4 */
	{ISAR0, 44, 1, 20}, /* asimddp */
	{ISAR0, 12, 2, 21}, /* sha512 */
	{ISAR0, 48, 1, 23}, /* asimdfhm */
	{PFR0, 48, 1, 24},  /* dit */
	{MMFR2, 32, 1, 25}, /* uscat */
	{ISAR1, 20, 2, 26}, /* ilrcpc */
	{ISAR0, 52, 1, 27}, /* flagm */
	{ISAR1, 36, 1, 29}, /* sb */
};
static const struct hwcap_rule hwcap2_rules[] = {
	{ISAR1, 0, 2, 0},   /* dcpodp */
	{ISAR0, 52, 2, 7},  /* flagm2 */
	{ISAR1, 32, 1, 8},  /* frint */
	{ISAR1, 52, 1, 13}, /* i8mm */
	{ISAR1, 44, 1, 14}, /* bf16 */
	{ISAR1, 48, 1, 15}, /* dgh */
	{ISAR0, 60, 1, 16}, /* rng */
};

static u64 hwcap_from(const struct hwcap_rule *rules, size_t n, const u64 *regs)
{
	u64 caps = 0;

	for (size_t i = 0; i < n; i++)
		if (id_field(regs[rules[i].reg], rules[i].shift) >= rules[i].min)
			caps |= BIT(rules[i].bit);
	return caps;
}

static void detect_hwcaps(void)
{
	u64 regs[ID_REGS] = {
		[ISAR0] = sysreg_read(id_aa64isar0_el1), [ISAR1] = sysreg_read(id_aa64isar1_el1),
		[ISAR2] = sysreg_read(SYS_ID_AA64ISAR2), [PFR0] = sysreg_read(id_aa64pfr0_el1),
		[MMFR2] = sysreg_read(SYS_ID_AA64MMFR2),
	};
	unsigned fp = id_field(regs[PFR0], ID_PFR0_FP); /* 0: yes, 1: half precision too, 15: no */

	cpu_features.hwcap = hwcap_from(hwcap_rules, ARRAY_SIZE(hwcap_rules), regs);
	cpu_features.hwcap2 = hwcap_from(hwcap2_rules, ARRAY_SIZE(hwcap2_rules), regs);
	if (fp != 15)
		cpu_features.hwcap |= BIT(0) | BIT(1); /* fp, asimd */
	if (fp == 1)
		cpu_features.hwcap |= BIT(9) | BIT(10); /* fphp, asimdhp */
}

/* detect - the features of the running CPU; hwcaps apart. */
static void detect(struct cpu_features *f)
{
	u64 tcr = sysreg_read(tcr_el1);

	f->tcr = tcr;
	f->hw_accessed = tcr >> TCR_HA_SHIFT & 1;
	f->hw_dirty = tcr >> TCR_HD_SHIFT & 1;
	f->asid_bits = tcr >> TCR_AS_SHIFT & 1 ? 16 : 8;
	f->pan = id_field(sysreg_read(id_aa64mmfr1_el1), ID_MMFR1_PAN);
	f->gic_sysregs = id_field(sysreg_read(id_aa64pfr0_el1), ID_PFR0_GIC);
	f->random = id_field(sysreg_read(id_aa64isar0_el1), 60);
}

/* arch_cpu_init - see arch/cpu.h. The first caller is the boot CPU. */
void arch_cpu_init(void)
{
	unsigned pmu = id_field(sysreg_read(id_aa64dfr0_el1), ID_DFR0_PMUVER);

	current->arch.rcu = &this_cpu(rcu_counter);
	if (!cpu_features.tcr) {
		detect(&cpu_features);
		detect_hwcaps();
		asid_init(cpu_features.asid_bits);
	}
	sysreg_write(mdscr_el1, 0);
	sysreg_write(cntkctl_el1, CNTKCTL_EL0VCT);
	sysreg_write(contextidr_el1, 0);
	if (pmu != 0 && pmu != 15)
		sysreg_write(SYS_PMUSERENR, 0);
	if (cpu_features.pan) {
		sysreg_write(sctlr_el1, SCTLR_EL1_ON & ~SCTLR_SPAN);
		__asm__ volatile(".inst %0" : : "i"(INSN_MSR_PAN(1)) : "memory");
	}
	isb();
}

/* cpu_matches_boot - see internal.h. */
bool cpu_matches_boot(void)
{
	const struct cpu_features *boot = &cpu_features;
	struct cpu_features mine = {0};

	detect(&mine);
	if (mine.tcr != boot->tcr)
		printk("cpu %u: address translation differs from the boot CPU's (TCR %#lx, %#lx)\n",
		       cpu_id(), mine.tcr, boot->tcr);
	else if (mine.pan < boot->pan || mine.gic_sysregs != boot->gic_sysregs)
		printk("cpu %u: lacks PAN or the boot CPU's interrupt interface\n", cpu_id());
	else
		return true;
	return false;
}

/* arch_cpu_describe - see arch/cpu.h. */
void arch_cpu_describe(void)
{
	const struct cpu_features *f = &cpu_features;
	u64 midr = sysreg_read(midr_el1);

	printk("cpu: aarch64 implementer %#lx part %#lx r%lup%lu, %u-bit ASIDs%s%s%s%s\n",
	       midr >> 24 & 0xff, midr >> 4 & 0xfff, midr >> 20 & 0xf, midr & 0xf, f->asid_bits,
	       f->pan ? ", PAN" : "", f->hw_accessed ? ", hardware accessed" : "",
	       f->hw_dirty ? " and dirty" : "", f->random ? ", RNDR" : "");
}

/* arch_random_get - see arch/cpu.h. RNDR sets the Z flag when it failed. */
bool arch_random_get(u64 *out)
{
	u64 v, ok;

	if (!cpu_features.random)
		return false;
	__asm__ volatile("mrs %0, " SYSREG_STR(SYS_RNDR) "\n\tcset %1, ne"
			 : "=r"(v), "=r"(ok)
			 :
			 : "cc");
	*out = v;
	return ok;
}

/* arch_vdso_flags - see arch/elf.h. */
u32 arch_vdso_flags(void)
{
	return 0;
}

/* arch_icache_sync - see arch/cache.h. */
void arch_icache_sync(const void *va, size_t len)
{
	u64 ctr = sysreg_read(ctr_el0);
	u64 dline = 4ul << (ctr >> 16 & 0xf), iline = 4ul << (ctr & 0xf);
	vaddr_t end = (vaddr_t)va + len;

	if (!(ctr & BIT(28))) /* IDC: cleaning is not needed */
		for (vaddr_t p = ALIGN_DOWN((vaddr_t)va, dline); p < end; p += dline)
			__asm__ volatile("dc cvau, %0" : : "r"(p) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	if (!(ctr & BIT(29))) /* DIC: nor is invalidating */
		for (vaddr_t p = ALIGN_DOWN((vaddr_t)va, iline); p < end; p += iline)
			__asm__ volatile("ic ivau, %0" : : "r"(p) : "memory");
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* arch_hwcap, arch_hwcap2, arch_min_signal_stack - see arch/elf.h. */
u64 arch_hwcap(void)
{
	return cpu_features.hwcap;
}

u64 arch_hwcap2(void)
{
	return cpu_features.hwcap2;
}
