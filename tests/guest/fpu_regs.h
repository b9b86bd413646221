/* SPDX-License-Identifier: MIT */
/*
 * fpu_regs.h - put known values into every vector register, do something the kernel takes part in, and
 * look at what is left. The only assembly in the guest tests.
 *
 * fpu_regs_through_syscall makes `count` times the system call nr(a0, a1, a2, a3, a4) with the registers
 * loaded from `in` and stores them to `out` after the last; it returns what that one returned. With nr -1 it
 * makes no call but spins, so that only interrupts take the CPU away.
 */
#pragma once

#include <stdint.h>

struct fpu_control {
	uint64_t a, b; /* x86_64: MXCSR, x87 control word; aarch64: FPCR, FPSR */
};

#ifdef __x86_64__

#define FPU_BYTES (16 * 32)

static inline bool fpu_has_wide_registers(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx");
}

#define FPU_MOVE_ALL(insn, reg, step, to_memory)             \
	FPU_MOVE_4(insn, reg, 0, 1, 2, 3, step, to_memory)   \
	FPU_MOVE_4(insn, reg, 4, 5, 6, 7, step, to_memory)   \
	FPU_MOVE_4(insn, reg, 8, 9, 10, 11, step, to_memory) \
	FPU_MOVE_4(insn, reg, 12, 13, 14, 15, step, to_memory)
#define FPU_MOVE_4(insn, reg, a, b, c, d, step, to_memory)                                        \
	to_memory(insn, reg, a, step) to_memory(insn, reg, b, step) to_memory(insn, reg, c, step) \
		to_memory(insn, reg, d, step)
#define FPU_LOAD(insn, reg, n, step)  insn " " #n "*" #step "(%[in]), %%" reg #n "\n\t"
#define FPU_STORE(insn, reg, n, step) insn " %%" reg #n ", " #n "*" #step "(%[out])\n\t"

/* clang-format off */
#define FPU_CALLS                                                                                  \
	"1:	mov %[nr], %%rax\n"                                                               \
	"	test %%rax, %%rax\n"                                                              \
	"	js 2f\n"                                                                          \
	"	syscall\n"                                                                        \
	"2:	dec %[count]\n"                                                                   \
	"	jnz 1b\n"
/* clang-format on */

#define FPU_BODY(insn, reg, step)                                                                 \
	register long r10 __asm__("r10") = a3;                                                    \
	register long r8 __asm__("r8") = a4;                                                      \
	long ret = 0;                                                                             \
	__asm__ volatile(FPU_MOVE_ALL(insn, reg, step, FPU_LOAD)                                  \
				 FPU_CALLS FPU_MOVE_ALL(insn, reg, step, FPU_STORE)               \
			 : "=&a"(ret), [count] "+&r"(count)                                       \
			 : [in] "r"(in), [out] "r"(out), [nr] "r"(nr), "D"(a0), "S"(a1), "d"(a2), \
			   "r"(r10), "r"(r8)                                                      \
			 : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",  \
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",     \
			   "xmm13", "xmm14", "xmm15");                                            \
	return ret

static inline long fpu_narrow(const void *in, void *out, long nr, long a0, long a1, long a2,
			      long a3, long a4, long count)
{
	FPU_BODY("movups", "xmm", 32);
}

static inline long fpu_wide(const void *in, void *out, long nr, long a0, long a1, long a2, long a3,
			    long a4, long count)
{
	FPU_BODY("vmovups", "ymm", 32);
}

static inline long fpu_regs_through_syscall(const void *in, void *out, long nr, long a0, long a1,
					    long a2, long a3, long a4, long count)
{
	return (fpu_has_wide_registers() ? fpu_wide : fpu_narrow)(in, out, nr, a0, a1, a2, a3, a4,
								  count);
}

static inline struct fpu_control fpu_get_control(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(x87));
	return (struct fpu_control){mxcsr, x87};
}

static inline void fpu_set_control(unsigned variant)
{
	uint32_t mxcsr = 0x1f80 | (variant & 3) << 13; /* rounding mode */
	uint16_t x87 = (uint16_t)(0x37f & ~0xc00) | (uint16_t)((variant & 3) << 10);

	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(x87));
}

static inline bool fpu_control_is_fresh(struct fpu_control c)
{
	return c.a == 0x1f80 && c.b == 0x37f;
}

#else /* aarch64 */

#define FPU_BYTES (32 * 16)

static inline bool fpu_has_wide_registers(void)
{
	return true;
}

/* clang-format off */
#define FPU_MOVE_4(insn, base, a, b, c, d, at)                                                     \
	insn " q" #a ", q" #b ", [" base ", #" #at "]\n"                                           \
	insn " q" #c ", q" #d ", [" base ", #32 + " #at "]\n"
#define FPU_MOVE_ALL(insn, base)                                                                   \
	FPU_MOVE_4(insn, base, 0, 1, 2, 3, 0)                                                      \
	FPU_MOVE_4(insn, base, 4, 5, 6, 7, 64)                                                     \
	FPU_MOVE_4(insn, base, 8, 9, 10, 11, 128)                                                  \
	FPU_MOVE_4(insn, base, 12, 13, 14, 15, 192)                                                \
	FPU_MOVE_4(insn, base, 16, 17, 18, 19, 256)                                                \
	FPU_MOVE_4(insn, base, 20, 21, 22, 23, 320)                                                \
	FPU_MOVE_4(insn, base, 24, 25, 26, 27, 384)                                                \
	FPU_MOVE_4(insn, base, 28, 29, 30, 31, 448)
#define FPU_CALLS                                                                                  \
	"1:	tbnz x8, #63, 2f\n"                                                                \
	"	mov x0, %[a0]\n"                                                                  \
	"	svc #0\n"                                                                         \
	"2:	subs %[count], %[count], #1\n"                                                    \
	"	b.ne 1b\n"
/* clang-format on */

static inline long fpu_regs_through_syscall(const void *in, void *out, long nr, long a0, long a1,
					    long a2, long a3, long a4, long count)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a0;
	register long x1 __asm__("x1") = a1;
	register long x2 __asm__("x2") = a2;
	register long x3 __asm__("x3") = a3;
	register long x4 __asm__("x4") = a4;

	__asm__ volatile(FPU_MOVE_ALL("ldp", "%[in]") FPU_CALLS FPU_MOVE_ALL("stp", "%[out]")
			 : "+&r"(x0), [count] "+&r"(count)
			 : [in] "r"(in), [out] "r"(out), [a0] "r"(a0), "r"(x8), "r"(x1), "r"(x2),
			   "r"(x3), "r"(x4)
			 : "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8",
			   "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
			   "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
			   "v29", "v30", "v31");
	return x0;
}

static inline struct fpu_control fpu_get_control(void)
{
	struct fpu_control c;

	__asm__ volatile("mrs %0, fpcr; mrs %1, fpsr" : "=r"(c.a), "=r"(c.b));
	return c;
}

static inline void fpu_set_control(unsigned variant)
{
	uint64_t fpcr = (uint64_t)(variant & 3) << 22, fpsr = variant & 1 ? 1ul << 27 : 0;

	__asm__ volatile("msr fpcr, %0; msr fpsr, %1" : : "r"(fpcr), "r"(fpsr));
}

static inline bool fpu_control_is_fresh(struct fpu_control c)
{
	return c.a == 0 && c.b == 0;
}
#endif
