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
 * RCU: trap.S counts the edges to and from user mode; an interrupt that hits the idle loop, which
 * is outside the kernel in that sense, counts its own here.
 *
 * Read next: trap.S, mm/fault/fault.h, kernel/signal.h.
 */
#include <quire/assert.h>
#include <arch/apic.h>
#include <arch/boot.h>
#include <arch/backtrace.h>
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/trap.h>
#include <arch/uaccess.h>
#include "arch/x86_64/internal.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/signal.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "lib/string.h"
#include "mm/fault/fault.h"
#include "mm/phys/vmalloc.h"

/* Offsets for the assembler. */
#define CHECK_OFFSET(name, value) \
	BUILD_ASSERT(offsetof(struct trap_frame, name) == (value), "trap.h")
CHECK_OFFSET(r9, FRAME_R9);
CHECK_OFFSET(r8, FRAME_R8);
CHECK_OFFSET(r10, FRAME_R10);
CHECK_OFFSET(rdx, FRAME_RDX);
CHECK_OFFSET(rsi, FRAME_RSI);
CHECK_OFFSET(rdi, FRAME_RDI);
CHECK_OFFSET(r15, FRAME_R15);
CHECK_OFFSET(r14, FRAME_R14);
CHECK_OFFSET(r13, FRAME_R13);
CHECK_OFFSET(r12, FRAME_R12);
CHECK_OFFSET(rbp, FRAME_RBP);
CHECK_OFFSET(rbx, FRAME_RBX);
CHECK_OFFSET(r11, FRAME_R11);
CHECK_OFFSET(rcx, FRAME_RCX);
CHECK_OFFSET(rax, FRAME_RAX);
CHECK_OFFSET(vector, FRAME_VECTOR);
CHECK_OFFSET(error, FRAME_ERROR);
CHECK_OFFSET(rip, FRAME_RIP);
CHECK_OFFSET(cs, FRAME_CS);
CHECK_OFFSET(rflags, FRAME_RFLAGS);
CHECK_OFFSET(rsp, FRAME_RSP);
BUILD_ASSERT(sizeof(struct trap_frame) == FRAME_SIZE, "trap.h");

/* Page-fault error code. (SDM vol. 3, 4.7.) */
#define PF_PRESENT  0x01u
#define PF_WRITE    0x02u
#define PF_USER     0x04u
#define PF_RESERVED 0x08u
#define PF_FETCH    0x10u

static const char *const exception_names[] = {
	[0] = "divide error",
	[1] = "debug exception",
	[2] = "non-maskable interrupt",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range exceeded",
	[6] = "undefined instruction",
	[7] = "FPU not available",
	[8] = "double fault",
	[10] = "invalid TSS",
	[11] = "segment not present",
	[12] = "stack segment fault",
	[13] = "general protection fault",
	[14] = "page fault",
	[16] = "x87 error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD error",
	[21] = "control protection",
};

/* Which signal each exception in user mode becomes. Page faults and the two kinds of floating-point
 * error are not here: their codes depend on more. */
static const struct {
	u8 sig;
	u8 code; /* SI_KERNEL where 0 */
	bool with_ip;
} exception_signals[32] = {
	[0] = {SIGFPE, FPE_INTDIV, true},   [3] = {SIGTRAP, 0, false},
	[4] = {SIGSEGV, 0, false},          [5] = {SIGSEGV, 0, false},
	[6] = {SIGILL, ILL_ILLOPN, true},   [11] = {SIGBUS, 0, false},
	[12] = {SIGBUS, 0, false},          [13] = {SIGSEGV, 0, false},
	[17] = {SIGBUS, BUS_ADRALN, false},
};

static void trap_panic(struct trap_frame *f)
{
	const char *name =
		f->vector < ARRAY_SIZE(exception_names) ? exception_names[f->vector] : NULL;

	panic_trap(f, "%s in kernel mode (vector %lu, error code %#lx)",
		   name ? name : "unknown exception", f->vector, f->error);
}

static void fault_decode(const struct trap_frame *f, vaddr_t va, struct fault_info *info)
{
	unsigned access = f->error & PF_WRITE ? FAULT_WRITE : FAULT_READ;

	if (f->error & PF_FETCH)
		access = FAULT_EXEC;
	access |= f->error & PF_USER ? FAULT_USER : 0;
	access |= f->error & PF_PRESENT ? FAULT_PRESENT : FAULT_ABSENT;
	*info = (struct fault_info){.va = va, .access = access};
}

/* A kernel-mode fault on a user address is legitimate only inside an accessor. */
static void check_user_access(struct trap_frame *f, vaddr_t va)
{
	bool opened = cpu_has_smap() ? f->rflags & RFLAGS_AC : arch_has_fixup(f);

	if (f->error & PF_FETCH)
		panic_fault(f, va, "kernel executes user memory at 0x%lx", va);
	if (!opened)
		panic_fault(f, va, "kernel touches user memory at 0x%lx outside an accessor", va);
}

static void page_fault(struct trap_frame *f)
{
	vaddr_t va = cr2_read();
	struct fault_info info;

	if (unlikely(f->error & PF_RESERVED))
		panic_fault(f, va, "damaged page-table entry on the path to 0x%lx", va);
	if (!frame_is_user(f) && va < USER_TOP)
		check_user_access(f, va);
	/* An accessor that runs with interrupts off cannot wait for the page; its caller can. */
	if (!(f->rflags & RFLAGS_IF) && !frame_is_user(f) && arch_fixup_exception(f))
		return;
	fault_decode(f, va, &info);
	if (f->rflags & RFLAGS_IF)
		cpu_irq_enable();
	fault_handle(f, &info);
	cpu_irq_disable();
}

static void debug_exception(void)
{
	__asm__ volatile("movq %0, %%dr6" ::"r"(0xffff0ff0ul)); /* it is never cleared by itself */
	cpu_irq_enable();
	signal_force_fault(SIGTRAP, TRAP_TRACE, 0);
}

static void user_exception(struct trap_frame *f)
{
	unsigned v = (unsigned)f->vector;
	int code;

	if (v == TRAP_DB) {
		debug_exception();
	} else if (v == TRAP_MF || v == TRAP_XM) {
		code = fpu_error_code(v);
		cpu_irq_enable();
		signal_force_fault(SIGFPE, code, f->rip);
	} else {
		int sig = exception_signals[v].sig ? exception_signals[v].sig : SIGSEGV;

		code = exception_signals[v].code ? exception_signals[v].code : SI_KERNEL;
		cpu_irq_enable();
		signal_force_fault(sig, code, exception_signals[v].with_ip ? f->rip : 0);
	}
	cpu_irq_disable();
}

/* trap_from_user - any trap from user mode, on the thread's stack. Interrupts are off on entry and on
 * return; in between they may be on and the thread may sleep. */
void trap_from_user(struct trap_frame *f)
{
	if (likely(f->vector == TRAP_PF)) {
		page_fault(f);
	} else if (f->vector >= VEC_8259) {
		this_cpu(sched_irq_from_user) = true;
		irq_dispatch((unsigned)f->vector);
		this_cpu(sched_irq_from_user) = false;
		if (rcu_poll_due()) {
			/* No lock is held and no reader is active on a CPU that was in user mode. */
			cpu_irq_enable();
			rcu_poll();
			cpu_irq_disable();
		}
	} else {
		user_exception(f);
	}
}

static void interrupt_in_kernel(struct trap_frame *f)
{
	bool entered = rcu_irq_enter();

	irq_dispatch((unsigned)f->vector);
	rcu_irq_exit(entered);
}

/* trap_from_kernel - any trap that interrupted the kernel. Interrupts are off on entry and on return. */
void trap_from_kernel(struct trap_frame *f)
{
	if (f->vector >= VEC_8259)
		interrupt_in_kernel(f);
	else if (f->vector == TRAP_PF)
		page_fault(f);
	else if (!arch_fixup_exception(f))
		trap_panic(f);
}

/* trap_user_work - what is to be done before a return to user mode. Interrupts off; may sleep. */
void trap_user_work(struct trap_frame *f)
{
	struct thread *t = current;

	if (READ_ONCE(t->work) & ~THREAD_WORK_FPU) {
		cpu_irq_enable();
		thread_return_to_user(f);
		cpu_irq_disable();
	}
	/* Last, and with interrupts off until user mode: a switch would take the registers away again. */
	if (!(READ_ONCE(t->work) & ~THREAD_WORK_FPU))
		fpu_load(t);
}

/* trap_rebuild_frame - iretq faulted on the frame that it was to return with, and the CPU pushed another
 * one right below its five words. Put the registers back where the frame was, as if the fault had
 * happened in user mode. Returns the frame. */
struct trap_frame *trap_rebuild_frame(const struct trap_frame *bad)
{
	struct trap_frame *user = (struct trap_frame *)(this_cpu(cpu_tss).rsp[0]) - 1;

	/* The two overlap; what is above `rip` is still there. */
	memmove(user, bad, offsetof(struct trap_frame, rip));
	user->cs = USER_CS;
	user->ss = USER_DS;
	return user;
}

/* A push into the guard page below a stack faults, and delivering that fault pushes again. */
static void double_fault(struct trap_frame *f)
{
	vaddr_t va = cr2_read();
	const char *what = vmalloc_describe(va);

	if (f->rsp - va <= PAGE_SIZE || va - f->rsp <= PAGE_SIZE)
		panic_trap(f, "kernel stack overflow: stack pointer 0x%lx, touched 0x%lx (%s)",
			   f->rsp, va, what ? what : "below the boot stack");
	panic_trap(f, "double fault (last page fault at 0x%lx)", va);
}

/* trap_paranoid_handler - runs on an emergency stack, whatever was going on: takes no lock. */
void trap_paranoid_handler(struct trap_frame *f)
{
	switch (f->vector) {
	case TRAP_NMI:
		if (irq_stop_requested())
			smp_ipi_stop();
		this_cpu(nmi_count)++;
		break;
	case TRAP_DB:
		__asm__ volatile("movq %0, %%dr6" ::"r"(0xffff0ff0ul));
		f->rflags &= ~(u64)RFLAGS_TF;
		break;
	case TRAP_DF:
		double_fault(f);
		break;
	default:
		trap_panic(f);
	}
}

/* frame_init_user - see arch/trap.h. */
void frame_init_user(struct trap_frame *f, vaddr_t ip, vaddr_t sp)
{
	memset(f, 0, sizeof(*f));
	f->rip = ip;
	f->rsp = sp;
	f->cs = USER_CS;
	f->ss = USER_DS;
	f->rflags = RFLAGS_FIXED | RFLAGS_IF;
}

/* frame_print - see arch/trap.h. */
void frame_print(const struct trap_frame *f)
{
	printk_raw("rip %04lx:%016lx  rsp %04lx:%016lx  rflags %08lx  vector %lu error %#lx\n",
		   f->cs, f->rip, f->ss, f->rsp, f->rflags, f->vector, f->error);
	printk_raw("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx,
		   f->rdx);
	printk_raw("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", f->rsi, f->rdi, f->rbp,
		   f->r8);
	printk_raw("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r9, f->r10, f->r11,
		   f->r12);
	printk_raw("r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
	printk_raw("cr2 %016lx  cr3 %016lx  cr4 %08lx  gs  %016lx\n", cr2_read(), cr3_read(),
		   cr4_read(), msr_read(MSR_GS_BASE));
}

static bool inside(vaddr_t p, vaddr_t base, u64 size)
{
	return p >= base && p - base <= size - 16;
}

/* arch_stack_contains - see arch/backtrace.h. */
bool arch_stack_contains(vaddr_t fp)
{
	struct thread *t = current;

	if (t && t->kstack && inside(fp, t->kstack, KSTACK_SIZE))
		return true;
	if (inside(fp, (vaddr_t)boot_stack, KSTACK_SIZE))
		return true;
	return this_cpu(cpu_ist) &&
	       inside(fp, (vaddr_t)this_cpu(cpu_ist), sizeof(struct ist_stacks));
}
