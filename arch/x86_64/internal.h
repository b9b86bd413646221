/* SPDX-License-Identifier: MIT */
/* internal.h - shared by the files of arch/x86_64 and by nobody else. */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"
#include "kernel/thread.h"

struct trap_frame;

/* What the boot CPU has and all others must have; decided in cpu.c. */
struct cpu_features {
	bool smep, smap, umip, pge, fsgsbase, xsave, xsaveopt, avx, avx512;
	bool x2apic, tsc_deadline, tsc_invariant, rdrand, hypervisor, gbpages, rdtscp, rdpid;
	u32 signature; /* family, model, stepping */
	char vendor[13];
};
extern struct cpu_features cpu_features;

static inline bool cpu_has_smap(void)
{
	return cpu_features.smap;
}

/* trap.c, from trap.S */
void trap_from_user(struct trap_frame *);
void trap_from_kernel(struct trap_frame *);
void trap_user_work(struct trap_frame *);
void trap_paranoid_handler(struct trap_frame *);
struct trap_frame *trap_rebuild_frame(const struct trap_frame *bad);
extern PERCPU u64 nmi_count; /* NMIs that nobody had asked for */

/* entry points in assembler: syscall.S, switch.S; what arch_switch calls */
void syscall_entry(void);
struct thread *switch_stacks(struct thread *prev, struct thread *next);
struct thread *switch_threads(struct thread *prev, struct thread *next);
void switch_first(void); /* where a new thread's saved stack returns to */

/* fpu.c: see there */
void fpu_init(void);            /* boot CPU: which state to save, how large it is */
void fpu_init_cpu(void);        /* every CPU */
void fpu_load(struct thread *); /* before a return to user mode, interrupts off */
#define FXSAVE_SIZE 512
void fpu_load_current(void);
void fpu_area_init(u8 *area);
int fpu_area_check(u8 *area, u64 components);
int fpu_error_code(unsigned vector); /* si_code of the exception that is pending */

extern u64 fpu_state_mask;                  /* XCR0; 0: no XSAVE. Constant after fpu_init */
extern u64 fpu_state_size;                  /* bytes, a multiple of 64. Likewise */
extern PERCPU struct thread *cpu_fpu_owner; /* the thread that loaded the registers last */

static inline void fpu_state_save(void *area)
{
	if (likely(cpu_features.xsaveopt))
		__asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u) : "memory");
	else if (fpu_state_mask)
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void fpu_state_load(const void *area)
{
	if (likely(fpu_state_mask))
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

static ALWAYS_INLINE void fpu_registers_take(struct thread *t)
{
	struct thread **owner = &this_cpu(cpu_fpu_owner);

	if (*owner == t && t->arch.fpu_home == owner)
		return;
	fpu_state_load(t->arch.fp_area);
	*owner = t;
	t->arch.fpu_home = owner;
}

/* fpu_switch_out, fpu_switch_in - around a switch of threads, interrupts off. A thread whose area was changed gets its
 * registers before user mode. */
static ALWAYS_INLINE void fpu_switch_out(struct thread *t)
{
	if (likely(!(t->work & THREAD_WORK_FPU)))
		fpu_state_save(t->arch.fp_area);
}

static ALWAYS_INLINE void fpu_switch_in(struct thread *t)
{
	if (likely(!(t->work & THREAD_WORK_FPU)))
		fpu_registers_take(t);
}

/* cpu.c */
extern u8 page_copy_avx; /* see page_copy.S */

/* clock.c */
extern u64 clock_entry_tsc; /* at kernel entry: time 0; start.c */
u64 clock_ns_to_tsc(u64 ns);
u64 clock_tsc_hz(void);       /* 0: not known */
u64 clock_ns_to_apic(u64 ns); /* ticks of the local APIC timer */
u64 clock_max_sleep(void);    /* ns that may pass without a look at the clock */
void clock_distrust_tsc(const char *why);

/* as.c */
struct aspace;
extern struct aspace *cpu_as PERCPU; /* the space in use; NULL: kernel_as, or the boot tables */
extern bool cpu_as_parked PERCPU;    /* but the kernel's root is loaded in its place */
void as_park(void);   /* nothing here needs cpu_as, not NULL, at the moment. Interrupts off */
void as_unpark(void); /* it is needed now. Interrupts off */

/* power.c */
void power_init(void); /* boot CPU, after mm_init */

/* irq.c */
bool irq_stop_requested(void); /* is the NMI that arrived an order to halt? */
