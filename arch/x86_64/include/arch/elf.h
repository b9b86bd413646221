/* SPDX-License-Identifier: MIT */
/* elf.h - what the program loader must know about x86_64. */
#pragma once

#include <quire/types.h>

#define ELF_MACHINE  62 /* EM_X86_64 */
#define ELF_PLATFORM "x86_64"

/* arch_hwcap, arch_hwcap2 - AT_HWCAP and AT_HWCAP2: the EDX word of CPUID leaf 1; bit 1 of the second
 * says that user code may use RDFSBASE and friends. */
u64 arch_hwcap(void);
u64 arch_hwcap2(void);

/* arch_min_signal_stack - AT_MINSIGSTKSZ: bytes that a signal frame may take with all of the CPU's
 * register state in it. */
u64 arch_min_signal_stack(void);

/* arch_vdso_flags - what this kind of CPU offers to the vDSO's code: VDSO_* (kernel/vdso/data.h). */
u32 arch_vdso_flags(void);
