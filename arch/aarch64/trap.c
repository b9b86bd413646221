/* SPDX-License-Identifier: MIT */
/*
 * trap.c - what to do about an exception or interrupt, in C.
 *
 * Page faults go to mm (fault_handle). Any other exception in user mode becomes a signal; in kernel
 * mode it is a bug, unless the exception table knows the instruction. Interrupts go to irq.c.
 *
 * Interrupts are off on entry. A fault handler turns them on as soon as the fault registers are read,
 * if they were on where the fault happened: it may sleep.
 *
 * RCU: trap.S counts the edges to and from user mode; an interrupt that hits the idle loop, which is outside the
 * kernel in that sense, counts its own here.
 *
 * ESR_EL1 tells what happened: exception class (EC) in bits 31..26, details in 24..0. (Arm ARM D17.2.37.)
 *
 * Read next: trap.S, mm/fault/fault.h, kernel/signal.h.
 */
#include <quire/assert.h>
#include <arch/backtrace.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/uaccess.h>
#include "arch/aarch64/internal.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "lib/string.h"
#include "mm/fault/fault.h"
#include "mm/phys/vmalloc.h"

#define ESR_EC(esr)  ((unsigned)((esr) >> 26 & 0x3f))
#define ESR_FSC(esr) ((unsigned)((esr)&0x3f)) /* fault status code of an abort */
#define ESR_EC_MASK  (0x3ful << 26)
#define ESR_IL       BIT(25) /* 32-bit instruction */
#define ESR_WNR      BIT(6)  /* data abort: by a write .. */
#define ESR_CM       BIT(8)  /* .. or by cache maintenance, which counts as a read */

enum {
	EC_UNKNOWN = 0x00,
	EC_SVE = 0x19,
	EC_SVC64 = 0x15,
	EC_IABT_USER = 0x20,
	EC_IABT_KERNEL = 0x21,
	EC_PC_ALIGN = 0x22,
	EC_DABT_USER = 0x24,
	EC_DABT_KERNEL = 0x25,
	EC_SP_ALIGN = 0x26,
	EC_FP = 0x2c,
	EC_BREAKPOINT = 0x30,
	EC_STEP = 0x32,
	EC_WATCHPOINT = 0x34,
	EC_BRK = 0x3c,
};

enum { /* fault status codes; the low two bits of the first four are the table level */
       FSC_ADDRESS_SIZE = 0x00,
       FSC_TRANSLATION = 0x04,
       FSC_ACCESS = 0x08,
       FSC_PERMISSION = 0x0c,
       FSC_EXTERNAL = 0x10,
       FSC_ALIGNMENT = 0x21,
       FSC_TLB_CONFLICT = 0x30,
};

static const char *const class_names[64] = {
	[EC_UNKNOWN] = "undefined instruction",
	[0x07] = "FP access trap",
	[0x0d] = "branch target fault",
	[0x0e] = "illegal execution state",
	[EC_SVC64] = "system call instruction",
	[0x18] = "system register trap",
	[EC_SVE] = "SVE access trap",
	[0x1c] = "pointer authentication fault",
	[EC_IABT_KERNEL] = "instruction abort",
	[EC_PC_ALIGN] = "misaligned pc",
	[EC_DABT_KERNEL] = "data abort",
	[EC_SP_ALIGN] = "misaligned sp",
	[0x2f] = "system error",
	[0x31] = "hardware breakpoint",
	[0x33] = "single step",
	[0x35] = "watchpoint",
	[EC_BRK] = "brk instruction (compilers mark undefined behaviour by it)",
};

/* Signals for exceptions in user mode. What is not here is an illegal instruction. */
static const struct {
	u8 sig, code;
} class_signals[64] = {
	[EC_PC_ALIGN] = {SIGBUS, BUS_ADRALN},     [EC_SP_ALIGN] = {SIGBUS, BUS_ADRALN},
	[EC_BREAKPOINT] = {SIGTRAP, TRAP_HWBKPT}, [EC_STEP] = {SIGTRAP, TRAP_TRACE},
	[EC_WATCHPOINT] = {SIGTRAP, TRAP_HWBKPT}, [EC_BRK] = {SIGTRAP, TRAP_BRKPT},
};

char boot_emergency_stack[EMERGENCY_STACK_SIZE] ALIGNED(16);
PERCPU vaddr_t emergency_stack_top;

static const char *fault_name(u64 esr)
{
	switch (ESR_FSC(esr) & 0x3c) {
	case FSC_ADDRESS_SIZE:
		return "address size fault";
	case FSC_TRANSLATION:
		return "translation fault";
	case FSC_ACCESS:
		return "access flag fault";
	case FSC_PERMISSION:
		return "permission fault";
	}
	if (ESR_FSC(esr) == FSC_ALIGNMENT)
		return "alignment fault";
	if (ESR_FSC(esr) == FSC_TLB_CONFLICT)
		return "TLB conflict";
	return "external abort";
}

static NORETURN void trap_panic(struct trap_frame *f, u64 esr, u64 far)
{
	unsigned ec = ESR_EC(esr);
	const char *name = class_names[ec];

	if (ec == EC_DABT_KERNEL || ec == EC_IABT_KERNEL)
		panic_trap(f, "%s (%s) in kernel mode at %#lx (ESR %#lx)", name, fault_name(esr),
			   far, esr);
	panic_trap(f, "%s in kernel mode (ESR %#lx)", name ? name : "unknown exception", esr);
}

/* fault_decode - fault_info of an abort that mm can do something about; false: it is another kind. */
static bool fault_decode(u64 esr, u64 far, struct fault_info *info)
{
	unsigned ec = ESR_EC(esr), class = ESR_FSC(esr) & 0x3c;
	unsigned access = FAULT_READ;

	if (class != FSC_TRANSLATION && class != FSC_ACCESS && class != FSC_PERMISSION)
		return false;
	if (ec == EC_IABT_USER || ec == EC_IABT_KERNEL)
		access = FAULT_EXEC;
	else if ((esr & (ESR_WNR | ESR_CM)) == ESR_WNR)
		access = FAULT_WRITE;
	access |= ec == EC_IABT_USER || ec == EC_DABT_USER ? FAULT_USER : 0;
	access |= class != FSC_TRANSLATION ? FAULT_PRESENT : FAULT_ABSENT;
	/* The top byte of a user address is a tag that translation ignored. */
	*info = (struct fault_info){.va = (u64)((s64)(far << 8) >> 8), .access = access};
	return true;
}

/* note_syndrome - what the program may know: of addresses that are not its own not even whether they are mapped. */
static void note_syndrome(u64 esr, u64 far)
{
	if (far >= USER_TOP)
		esr = (esr & (ESR_EC_MASK | ESR_IL | ESR_CM | ESR_WNR)) | FSC_TRANSLATION;
	current->arch.esr = esr;
}

static void user_abort(struct trap_frame *f, u64 esr, u64 far)
{
	struct fault_info info;

	note_syndrome(esr, far);
	cpu_irq_enable();
	if (fault_decode(esr, far, &info))
		fault_handle(f, &info);
	else if (ESR_FSC(esr) == FSC_ALIGNMENT)
		signal_force_fault(SIGBUS, BUS_ADRALN, far);
	else
		signal_force_fault(SIGBUS, BUS_OBJERR, far);
}

static void user_exception(struct trap_frame *f, u64 esr, u64 far)
{
	unsigned ec = ESR_EC(esr);

	current->arch.esr = esr;
	cpu_irq_enable();
	if (ec == EC_FP)
		signal_force_fault(SIGFPE, FPE_FLTINV, f->pc);
	else if (class_signals[ec].sig)
		signal_force_fault(class_signals[ec].sig, class_signals[ec].code,
				   ec == EC_PC_ALIGN ? far : f->pc);
	else
		signal_force_fault(SIGILL, ILL_ILLOPC, f->pc);
}

/* trap_user_work - reschedule, deliver signals, load FP registers. Interrupts off on entry and return; the FP
 * registers come last, a switch would take them away again. */
void trap_user_work(struct trap_frame *f)
{
	struct thread *t = current;

	while (READ_ONCE(t->work) & ~THREAD_WORK_FPU) {
		cpu_irq_enable();
		thread_return_to_user(f);
		cpu_irq_disable();
	}
	if (READ_ONCE(t->work))
		fpu_load(t);
}

/* trap_user_exception - a synchronous exception in user mode that is not a system call. */
void trap_user_exception(struct trap_frame *f)
{
	u64 esr = sysreg_read(esr_el1), far = sysreg_read(far_el1);
	unsigned ec = ESR_EC(esr);

	if (ec == EC_DABT_USER || ec == EC_IABT_USER)
		user_abort(f, esr, far);
	else
		user_exception(f, esr, far);
}

void trap_user_irq(struct trap_frame *f UNUSED)
{
	this_cpu(sched_irq_from_user) = true;
	irq_dispatch();
	this_cpu(sched_irq_from_user) = false;
	if (rcu_poll_due()) {
		/* No lock is held and no reader is active on a CPU that was in user mode. */
		cpu_irq_enable();
		rcu_poll();
	}
}

void trap_kernel_irq(struct trap_frame *f UNUSED)
{
	bool entered = rcu_irq_enter();

	irq_dispatch();
	rcu_irq_exit(entered);
}

/* A kernel-mode fault on a user address is legitimate only inside an accessor. */
static void check_user_access(struct trap_frame *f, const struct fault_info *info)
{
	if (info->access & FAULT_EXEC)
		panic_fault(f, info->va, "kernel executes user memory at 0x%lx", info->va);
	if (!arch_has_fixup(f))
		panic_fault(f, info->va, "kernel touches user memory at 0x%lx outside an accessor",
			    info->va);
}

static void kernel_abort(struct trap_frame *f, u64 esr, u64 far)
{
	struct fault_info info;

	if (!fault_decode(esr, far, &info)) {
		if (!arch_fixup_exception(f))
			trap_panic(f, esr, far);
		return;
	}
	if (info.va < USER_TOP) {
		check_user_access(f, &info);
		/* An accessor that runs with interrupts off cannot wait for the page; its caller can. */
		if (f->pstate & SPSR_I) {
			arch_fixup_exception(f);
			return;
		}
	}
	if (!(f->pstate & SPSR_I))
		cpu_irq_enable();
	fault_handle(f, &info);
	cpu_irq_disable();
}

void trap_kernel_sync(struct trap_frame *f)
{
	u64 esr = sysreg_read(esr_el1);
	u64 far = sysreg_read(far_el1);
	unsigned ec = ESR_EC(esr);

	if (ec == EC_DABT_KERNEL || ec == EC_IABT_KERNEL)
		kernel_abort(f, esr, far);
	else if (!arch_fixup_exception(f))
		trap_panic(f, esr, far);
}

/* trap_kernel_serror, trap_user_serror - a system error is asynchronous: nobody knows what it hit. */
void trap_kernel_serror(struct trap_frame *f)
{
	trap_panic(f, sysreg_read(esr_el1), 0);
}

void trap_user_serror(struct trap_frame *f)
{
	panic_trap(f, "system error in user mode (ESR %#lx)", sysreg_read(esr_el1));
}

/* trap_stack_overflow - on the emergency stack: there was no room for the frame on the current one. */
void trap_stack_overflow(struct trap_frame *f)
{
	const char *what = vmalloc_describe(frame_sp(f));

	if (!what)
		what = vmalloc_describe(frame_sp(f) - FRAME_ROOM);
	panic_trap(f, "kernel stack overflow: stack pointer %#lx (%s), fault address %#lx",
		   frame_sp(f), what ? what : "not a kernel stack", sysreg_read(far_el1));
}

/* trap_unexpected - a vector that this kernel never enables. */
void trap_unexpected(struct trap_frame *f)
{
	panic_trap(f, "unexpected exception (ESR %#lx, SPSR %#lx)", sysreg_read(esr_el1),
		   f->pstate);
}

/* frame_init_user - see arch/trap.h. */
void frame_init_user(struct trap_frame *f, vaddr_t ip, vaddr_t sp)
{
	memset(f, 0, sizeof(*f));
	f->pc = ip;
	f->sp = sp;
	f->pstate = SPSR_EL0T;
}

/* frame_print - see arch/trap.h. */
void frame_print(const struct trap_frame *f)
{
	printk_raw("pc  %016lx  sp  %016lx  pstate %08lx  esr %08lx  far %016lx\n", f->pc, f->sp,
		   f->pstate, sysreg_read(esr_el1), sysreg_read(far_el1));
	for (unsigned i = 0; i < 30; i += 3)
		printk_raw("x%-2u %016lx  x%-2u %016lx  x%-2u %016lx\n", i, f->regs[i], i + 1,
			   f->regs[i + 1], i + 2, f->regs[i + 2]);
	printk_raw("x30 %016lx  ttbr0 %016lx  tpidr %016lx\n", f->regs[30], sysreg_read(ttbr0_el1),
		   sysreg_read(tpidr_el1));
}

static bool inside(vaddr_t p, vaddr_t base, u64 size)
{
	return p >= base && p - base <= size - 16;
}

/* arch_stack_is_emergency - see arch/backtrace.h. */
bool arch_stack_is_emergency(vaddr_t fp)
{
	vaddr_t top = this_cpu(emergency_stack_top);

	return top && inside(fp, top - EMERGENCY_STACK_SIZE, EMERGENCY_STACK_SIZE);
}

/* arch_stack_contains - see arch/backtrace.h. */
bool arch_stack_contains(vaddr_t fp)
{
	struct thread *t = current;

	if (t && t->kstack && inside(fp, t->kstack, KSTACK_SIZE))
		return true;
	return inside(fp, (vaddr_t)boot_stack, KSTACK_SIZE) || arch_stack_is_emergency(fp);
}
