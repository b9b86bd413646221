/* SPDX-License-Identifier: MIT */
/* elf.h - what the program loader must know about aarch64. */
#pragma once

#include <quire/types.h>

#define ELF_MACHINE  183 /* EM_AARCH64 */
#define ELF_PLATFORM "aarch64"

/* arch_hwcap, arch_hwcap2 - AT_HWCAP and AT_HWCAP2: features read from the ID registers, only those
 * whose state the kernel saves and restores. */
u64 arch_hwcap(void);
u64 arch_hwcap2(void);

/* arch_min_signal_stack - AT_MINSIGSTKSZ: bytes that a signal frame may take with all of the CPU's
 * register state in it. */
u64 arch_min_signal_stack(void);

/* arch_vdso_flags - what this kind of CPU offers to the vDSO's code: VDSO_* (kernel/vdso/data.h). */
u32 arch_vdso_flags(void);
