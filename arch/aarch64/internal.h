/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of arch/aarch64 and by nobody else. */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"
#include "kernel/thread.h"

struct trap_frame;

/* What the boot CPU has and all others must have; decided in cpu.c. */
struct cpu_features {
	u64 tcr;            /* TCR_EL1 as head.S composed it */
	bool pan;           /* privileged access never: PSTATE.PAN */
	bool hw_accessed;   /* TCR_EL1.HA is on */
	bool hw_dirty;      /* TCR_EL1.HD is on */
	bool gic_sysregs;   /* GICv3 CPU interface */
	bool random;        /* RNDR */
	unsigned asid_bits; /* 8 or 16 */
	u64 hwcap, hwcap2;  /* for user space */
};
extern struct cpu_features cpu_features;

/* cpu_matches_boot - does this CPU have what the boot CPU put to use? Names what is missing. */
bool cpu_matches_boot(void);

/* trap.c, from trap.S; interrupts off on entry. Those for user mode may return with interrupts on. */
void trap_user_exception(struct trap_frame *);
void trap_user_work(struct trap_frame *);
void trap_user_irq(struct trap_frame *);
void trap_user_serror(struct trap_frame *);
void trap_kernel_sync(struct trap_frame *);
void trap_kernel_irq(struct trap_frame *);
void trap_kernel_serror(struct trap_frame *);
void trap_stack_overflow(struct trap_frame *);
void trap_unexpected(struct trap_frame *);

/* The stack on which trap.S reports that there is no room on the current one. */
#define EMERGENCY_STACK_SIZE 8192
extern PERCPU vaddr_t emergency_stack_top;
extern char boot_emergency_stack[];
#define boot_emergency_stack_top ((vaddr_t)boot_emergency_stack + EMERGENCY_STACK_SIZE)

/* entry points in assembler */
extern char trap_vectors[];
void trap_exit_to_user(struct trap_frame *) __attribute__((noreturn));
struct thread *switch_stacks(struct thread *prev, struct thread *next);
struct thread *switch_threads(struct thread *prev,
			      struct thread *next); /* what arch_switch calls */
void thread_begin_kernel(void);
void thread_begin_user(void);
void secondary_entry(void); /* physical entry of a started CPU; linked low, see head.S */

/* fpu.c */
void fpu_state_save(struct fpu_state *); /* fpu.S */
void fpu_state_load(const struct fpu_state *);
void fpu_load(struct thread *);
/* fpu_load_current - the current thread's registers hold its FP state from now on, for as long as it runs. */
void fpu_load_current(void);

extern PERCPU struct thread *cpu_fpu_owner; /* the thread that loaded the registers last */

static ALWAYS_INLINE void fpu_registers_take(struct thread *t)
{
	struct thread **owner = &this_cpu(cpu_fpu_owner);

	if (*owner == t && t->arch.fpu_home == owner)
		return;
	fpu_state_load(&t->arch.fpu);
	*owner = t;
	t->arch.fpu_home = owner;
}

/* fpu_switch_out, fpu_switch_in - around a switch of threads, interrupts off. A thread whose memory copy was changed gets
 * its registers before user mode. */
static ALWAYS_INLINE void fpu_switch_out(struct thread *t)
{
	if (likely(!(READ_ONCE(t->work) & THREAD_WORK_FPU)))
		fpu_state_save(&t->arch.fpu);
}

static ALWAYS_INLINE void fpu_switch_in(struct thread *t)
{
	if (likely(!(READ_ONCE(t->work) & THREAD_WORK_FPU)))
		fpu_registers_take(t);
}

/* uaccess.c. user_frame_store, user_frame_load - the trap frame's registers and the FP registers, which must hold current's
 * state, to or from a signal frame in user memory: regs is the address of its x0, fp of its FP record. Loading leaves
 * pstate out. The caller has checked the ranges. 0, or -EFAULT: some have been moved. Sleep. */
int user_frame_store(vaddr_t regs, const struct trap_frame *);
int user_frame_load(vaddr_t fp, vaddr_t regs, struct trap_frame *);

/* irq.c */
void irq_dispatch(void);
void irq_enable_private(u32 intid, void (*fn)(void)); /* PPI, this CPU */

/* bcm_screen.c: on a Raspberry Pi with a screen, have boot_info.framebuffer. Before kernel_main. */
void bcm_screen_find(void);

/* smp.c */
struct cpu_slot;
void arch_secondary_start(struct cpu_slot *) __attribute__((noreturn));
