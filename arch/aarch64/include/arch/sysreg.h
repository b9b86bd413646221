/* SPDX-License-Identifier: MIT */
/*
 * sysreg.h - system registers: access by name, and the bits and values that this kernel sets.
 *
 * Registers newer than ARMv8.0 are named by their encoding (S<op0>_<op1>_C<n>_C<m>_<op2>), so that any
 * assembler takes them. Usable from assembler. Bit positions: Arm Architecture Reference Manual,
 * DDI 0487, chapter D17.
 *
 * Read next: head.S, which programs them, and cpu.c, which reads the feature fields.
 */
#pragma once

/* --- memory types: MAIR_EL1, indexed by the AttrIndx field of an entry (arch/pte.h) ---- */
#define MAIR_NORMAL    0xff /* write-back, read and write allocate */
#define MAIR_DEVICE    0x04 /* nGnRE */
#define MAIR_UNCACHED  0x44 /* normal, not cacheable */
#define MAIR_EL1_VALUE (MAIR_NORMAL << 0 | MAIR_DEVICE << 8 | MAIR_UNCACHED << 16)

/* --- SCTLR_EL1 --------------------------------------------------------------------------
 * The whole register is written, nothing is inherited from the firmware. */
#define SCTLR_M      (1 << 0)  /* MMU on */
#define SCTLR_C      (1 << 2)  /* data caches */
#define SCTLR_SA     (1 << 3)  /* SP alignment check at EL1 */
#define SCTLR_SA0    (1 << 4)  /* and at EL0 */
#define SCTLR_ITD    (1 << 7)  /* RES1 without 32-bit EL0 */
#define SCTLR_SED    (1 << 8)  /* likewise */
#define SCTLR_EOS    (1 << 11) /* exception exit synchronises */
#define SCTLR_I      (1 << 12) /* instruction caches */
#define SCTLR_DZE    (1 << 14) /* EL0 may use DC ZVA */
#define SCTLR_UCT    (1 << 15) /* EL0 may read CTR_EL0 */
#define SCTLR_NTWI   (1 << 16) /* EL0 may use WFI: no trap */
#define SCTLR_NTWE   (1 << 18) /* EL0 may use WFE */
#define SCTLR_TSCXT  (1 << 20) /* RES1 without FEAT_CSV2 */
#define SCTLR_EIS    (1 << 22) /* exception entry synchronises */
#define SCTLR_SPAN   (1 << 23) /* RES1 without FEAT_PAN; 0: PAN is set on every exception */
#define SCTLR_UCI    (1 << 26) /* EL0 may do cache maintenance: JIT compilers */
#define SCTLR_NTLSMD (1 << 28) /* RES1 */
#define SCTLR_LSMAOE (1 << 29) /* RES1 */
/* What head.S leaves when it has reached EL1: everything off, RES1 bits set. */
#define SCTLR_EL1_OFF \
	(SCTLR_EOS | SCTLR_TSCXT | SCTLR_EIS | SCTLR_SPAN | SCTLR_NTLSMD | SCTLR_LSMAOE)
#define SCTLR_EL1_ON                                                                        \
	(SCTLR_EL1_OFF | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_SA0 | SCTLR_ITD | SCTLR_SED | \
	 SCTLR_I | SCTLR_DZE | SCTLR_UCT | SCTLR_NTWI | SCTLR_NTWE | SCTLR_UCI)

/* --- TCR_EL1: both halves 48 bits, 4 KiB granule, walks cacheable and inner shareable; ASID from
 * TTBR0; the top byte of user addresses is ignored (a user ABI). IPS, AS, HA and HD come from the ID
 * registers. */
#define TCR_T0SZ      (16 << 0)
#define TCR_IRGN0     (1 << 8)
#define TCR_ORGN0     (1 << 10)
#define TCR_SH0       (3 << 12)
#define TCR_T1SZ      (16 << 16)
#define TCR_IRGN1     (1 << 24)
#define TCR_ORGN1     (1 << 26)
#define TCR_SH1       (3 << 28)
#define TCR_TG1_4K    (2 << 30)
#define TCR_IPS_SHIFT 32
#define TCR_AS_SHIFT  36 /* 16-bit ASIDs */
#define TCR_TBI0      (1 << 37)
#define TCR_HA_SHIFT  39 /* hardware sets the accessed flag */
#define TCR_HD_SHIFT  40 /* hardware marks pages dirty */
#define TCR_EL1_BASE                                                                               \
	(TCR_T0SZ | TCR_IRGN0 | TCR_ORGN0 | TCR_SH0 | TCR_T1SZ | TCR_IRGN1 | TCR_ORGN1 | TCR_SH1 | \
	 TCR_TG1_4K | TCR_TBI0)

/* --- others -------------------------------------------------------------------------- */
#define CPACR_EL1_VALUE (3 << 20)    /* FP and SIMD at EL0 and EL1; SVE and SME trap */
#define CNTKCTL_EL0VCT  (1 << 1)     /* EL0 reads the virtual counter */
#define MPIDR_AFFINITY  0xff00ffffff /* Aff3, Aff2, Aff1, Aff0 */
#define SPSR_EL0T       0x0          /* user mode, nothing masked */
#define SPSR_EL1H       0x5
#define SPSR_MODE_MASK  0x1f
#define SPSR_D          (1 << 9)
#define SPSR_A          (1 << 8)
#define SPSR_I          (1 << 7)
#define SPSR_F          (1 << 6)
#define SPSR_PAN        (1 << 22)
#define SPSR_EL1H_BOOT  (SPSR_EL1H | SPSR_D | SPSR_A | SPSR_I | SPSR_F)

#define HCR_RW       31     /* EL1 is 64-bit */
#define HCR_APK      40     /* do not trap pointer authentication keys .. */
#define HCR_API      41     /* .. and instructions */
#define CPTR_EL2_OFF 0x33ff /* RES1 and SVE trap: EL1 does not use it */

/* ID register fields: position of the lowest of four bits. */
#define ID_PFR0_GIC      24
#define ID_PFR0_FP       16
#define ID_MMFR0_PARANGE 0
#define ID_MMFR0_ASID    4
#define ID_MMFR0_TGRAN4  28
#define ID_MMFR0_FGT     56
#define ID_MMFR1_HAFDBS  0
#define ID_MMFR1_PAN     20
#define ID_MMFR1_HCX     40
#define ID_DFR0_PMUVER   8

#define INSN_MSR_PAN(n) (0xd500409f | (n) << 8) /* MSR PAN, #n */

#define SYS_RNDR         S3_3_C2_C4_0
#define SYS_ID_AA64MMFR2 S3_0_C0_C7_2
#define SYS_ID_AA64ISAR2 S3_0_C0_C6_2
#define SYS_ID_AA64ZFR0  S3_0_C0_C4_4
#define SYS_PMUSERENR    S3_3_C9_C14_0
#define SYS_HCRX_EL2     S3_4_C1_C2_2
#define SYS_HFGRTR_EL2   S3_4_C1_C1_4
#define SYS_HFGWTR_EL2   S3_4_C1_C1_5
#define SYS_HFGITR_EL2   S3_4_C1_C1_6
#define SYS_HDFGRTR_EL2  S3_4_C3_C1_4
#define SYS_HDFGWTR_EL2  S3_4_C3_C1_5
#define SYS_ICC_SRE_EL2  S3_4_C12_C9_5
#define SYS_ICH_HCR_EL2  S3_4_C12_C11_0
#define SYS_ICC_IAR1     S3_0_C12_C12_0
#define SYS_ICC_EOIR1    S3_0_C12_C12_1
#define SYS_ICC_BPR1     S3_0_C12_C12_3
#define SYS_ICC_CTLR     S3_0_C12_C12_4
#define SYS_ICC_SRE      S3_0_C12_C12_5
#define SYS_ICC_IGRPEN1  S3_0_C12_C12_7
#define SYS_ICC_SGI1R    S3_0_C12_C11_5
#define SYS_ICC_PMR      S3_0_C4_C6_0

#ifndef __ASSEMBLY__

#include <quire/types.h>

#define SYSREG_STR_(x) #x
#define SYSREG_STR(x)  SYSREG_STR_(x)

/* sysreg_read, sysreg_write - a register by its name or SYS_ encoding. Volatile and unordered: an isb
 * where later instructions depend on the effect is the caller's. */
#define sysreg_read(name)                                                           \
	({                                                                          \
		u64 sysreg_value;                                                   \
		__asm__ volatile("mrs %0, " SYSREG_STR(name) : "=r"(sysreg_value)); \
		sysreg_value;                                                       \
	})
#define sysreg_write(name, value) \
	__asm__ volatile("msr " SYSREG_STR(name) ", %x0" : : "rZ"((u64)(value)) : "memory")

/* isb - everything before is done before any later instruction is fetched. */
static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

/* id_field - an unsigned 4-bit field of an ID register value. */
static inline unsigned id_field(u64 reg, unsigned shift)
{
	return reg >> shift & 0xf;
}

#endif
