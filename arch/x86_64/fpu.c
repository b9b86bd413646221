/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - the user's x87, SSE and AVX registers. (Intel SDM vol. 1, chapter 13.)
 *
 * The kernel computes with integers only, so between entry and exit these registers stay as the
 * program left them. Each thread has an area on its kernel stack, in the format of XSAVE, or of
 * FXSAVE on CPUs that have nothing else. Two facts describe where the truth is:
 *
 *   THREAD_WORK_FPU clear	  while it runs, the registers of its CPU; else the area
 *   THREAD_WORK_FPU set	  the area, always; the registers follow before user mode
 *
 * The registers of a CPU equal the area of a thread that does not run, if the CPU's cpu_fpu_owner names the thread and the
 * thread's fpu_home is that cpu_fpu_owner: then nothing is loaded.
 *
 * Only state that belongs to every program is enabled in XCR0: x87, SSE, AVX, AVX-512. Others
 * (protection keys, tile registers) would need more than saving.
 */
#include <quire/assert.h>
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include "arch/x86_64/internal.h"
#include "kernel/thread.h"
#include "lib/string.h"
#include <uapi/errno.h>
#include <uapi/signal.h>

#define XSTATE_X87    0x01u
#define XSTATE_SSE    0x02u
#define XSTATE_AVX    0x04u
#define XSTATE_AVX512 0xe0u

#define FXSAVE_SIZE       512
#define FPU_STATE_MAX     3072 /* of a 16 KiB stack; AVX-512 needs 2688 */
#define FXSAVE_CWD        0
#define FXSAVE_MXCSR      24
#define FXSAVE_MASK       28 /* which bits of MXCSR exist; 0: all but DAZ */
#define FXSAVE_ST         32
#define FXSAVE_XMM        160
#define FXSAVE_XMM_END    416
#define XSAVE_HEADER      512
#define XSAVE_HEADER_SIZE 64
#define CWD_INITIAL       0x037f
#define MXCSR_INITIAL     0x1f80

u64 fpu_state_size = FXSAVE_SIZE;
u64 fpu_state_mask;
static u32 mxcsr_mask = 0xffbf;

PERCPU struct thread *cpu_fpu_owner;

static void xcr0_write(u64 v)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

/* fpu_init_cpu - enable the registers on this CPU; CR4.OSXSAVE is set where it exists. */
void fpu_init_cpu(void)
{
	if (fpu_state_mask)
		xcr0_write(fpu_state_mask);
	__asm__ volatile("fninit");
	this_cpu(cpu_fpu_owner) = NULL;
}

static void find_mxcsr_mask(void)
{
	u8 area[FXSAVE_SIZE] ALIGNED(16) = {0};
	u32 mask;

	__asm__ volatile("fxsave64 %0" : "+m"(area));
	memcpy(&mask, area + FXSAVE_MASK, sizeof(mask));
	if (mask)
		mxcsr_mask = mask;
}

/* fpu_init - choose the components. Their sizes are reported for what XCR0 enables at the moment, so
 * a combination that would not fit the stack is tried without AVX-512. */
void fpu_init(void)
{
	u64 supported;

	find_mxcsr_mask();
	if (!cpu_features.xsave)
		return;
	supported = cpuid_get(0xd, 0).eax;
	fpu_state_mask = supported & (XSTATE_X87 | XSTATE_SSE);
	if (cpu_features.avx)
		fpu_state_mask |= supported & XSTATE_AVX;
	if (cpu_features.avx512 && (supported & XSTATE_AVX512) == XSTATE_AVX512)
		fpu_state_mask |= XSTATE_AVX512;
	xcr0_write(fpu_state_mask);
	fpu_state_size = ALIGN_UP((u64)cpuid_get(0xd, 0).ebx, 64);
	if (fpu_state_size > FPU_STATE_MAX) {
		fpu_state_mask &= ~(u64)XSTATE_AVX512;
		xcr0_write(fpu_state_mask);
		fpu_state_size = ALIGN_UP((u64)cpuid_get(0xd, 0).ebx, 64);
	}
	BUG_ON(fpu_state_size > FPU_STATE_MAX);
}

/* arch_fpu_state_size - see arch/thread.h. */
u64 arch_fpu_state_size(void)
{
	return fpu_state_size;
}

/* fpu_save - current's state into the area, which counts from here on. Interrupts off. */
static void fpu_save(struct thread *t)
{
	if (t->work & THREAD_WORK_FPU)
		return;
	fpu_state_save(t->arch.fp_area);
	__atomic_fetch_or(&t->work, THREAD_WORK_FPU, __ATOMIC_RELAXED);
}

/* fpu_load - the last thing before user mode: the registers count again. They may still hold the state. Interrupts off. */
void fpu_load(struct thread *t)
{
	if (!(t->work & THREAD_WORK_FPU))
		return;
	fpu_registers_take(t);
	__atomic_fetch_and(&t->work, ~(u32)THREAD_WORK_FPU, __ATOMIC_RELAXED);
}

/* fpu_load_current - the current thread's registers hold its state from now on, for as long as it runs. */
void fpu_load_current(void)
{
	unsigned long irq = cpu_irq_save();

	fpu_load(current);
	cpu_irq_restore(irq);
}

/* The registers into an area with any content. XSAVE writes one word of its header, and the others have to be 0. */
static void fpu_state_store(u8 *area)
{
	if (!fpu_state_mask) {
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
		return;
	}
	memset(area + XSAVE_HEADER, 0, XSAVE_HEADER_SIZE);
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u) : "memory");
}

/* arch_thread_copy_fp - see arch/thread.h. The child's registers are loaded when it is switched to. */
void arch_thread_copy_fp(struct thread *child, struct thread *parent)
{
	unsigned long irq = cpu_irq_save();

	if (parent->work & THREAD_WORK_FPU)
		memcpy(child->arch.fp_area, parent->arch.fp_area, fpu_state_size);
	else
		fpu_state_store(child->arch.fp_area);
	cpu_irq_restore(irq);
	child->arch.fpu_home = NULL;
}

/* fpu_area_init - the initial state. An XSAVE area of zeros means that of everything but MXCSR, which is
 * always taken from the area. */
void fpu_area_init(u8 *area)
{
	u16 cwd = CWD_INITIAL;
	u32 mxcsr = MXCSR_INITIAL;

	memset(area, 0, fpu_state_size);
	memcpy(area + FXSAVE_CWD, &cwd, sizeof(cwd));
	memcpy(area + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

/* fpu_area_check - would the CPU load this area, which a program wrote? (SDM vol. 1, 13.8.1: XRSTOR's standard form)
 *  components: those that are there; 0: only the FXSAVE part. All others become initial
 *  returns: 0, or -EFAULT: loading it would fault */
int fpu_area_check(u8 *area, u64 components)
{
	u64 *header = (u64 *)(area + XSAVE_HEADER);
	u32 mxcsr;

	memcpy(&mxcsr, area + FXSAVE_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~mxcsr_mask)
		return -EFAULT;
	if (!fpu_state_mask)
		return 0;
	if (!components) {
		memset(header, 0, XSAVE_HEADER_SIZE);
		header[0] = XSTATE_X87 | XSTATE_SSE;
		return 0;
	}
	if ((header[0] & ~fpu_state_mask) || header[1] || header[2])
		return -EFAULT;
	header[0] &= components;
	memset(&header[3], 0, XSAVE_HEADER_SIZE - 24);
	return 0;
}

/* arch_thread_reset_fp - see arch/thread.h. */
void arch_thread_reset_fp(struct thread *t)
{
	fpu_area_init(t->arch.fp_area);
	t->arch.fpu_home = NULL;
	__atomic_fetch_or(&t->work, THREAD_WORK_FPU, __ATOMIC_RELAXED);
	arch_thread_set_tls(t, 0);
	arch_thread_set_gs(t, 0);
}

/* arch_thread_fp_begin_edit - see arch/thread.h. */
void *arch_thread_fp_begin_edit(struct thread *t)
{
	unsigned long irq = cpu_irq_save();

	fpu_save(t);
	t->arch.fpu_home = NULL;
	cpu_irq_restore(irq);
	return t->arch.fp_area;
}

/* fpu_error_code - which floating-point condition raised #MF or #XM. The registers still are those of
 * the program: interrupts have been off since. Both status words have the same order of bits. */
int fpu_error_code(unsigned vector)
{
	static const s8 codes[] = {FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV,
				   FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES};
	unsigned raised;

	if (vector == TRAP_MF) {
		u16 status, control;

		__asm__ volatile("fnstsw %0; fnstcw %1" : "=m"(status), "=m"(control));
		raised = status & ~control;
	} else {
		u32 mxcsr;

		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		raised = mxcsr & ~(mxcsr >> 7);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		if (raised & 1u << i)
			return codes[i];
	}
	return SI_KERNEL;
}
