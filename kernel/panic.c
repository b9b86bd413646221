/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the last words.
 *
 * What is printed goes from safe to risky: the message, the registers, the calls, and only then what is
 * read from structures that may be damaged. If that makes the CPU trap, the panic ends there, with all that
 * came before on the console. Nothing here takes a lock; once panic_cpu is set nobody else does
 * lasting work either: the other CPUs are stopped, by NMI where there is one.
 *
 * Read next: kernel/symtab.c (names and lines), arch/<arch>/power.c (how it ends).
 */
#include <arch/backtrace.h>
#include <arch/cpu.h>
#include <arch/layout.h>
#include <arch/power.h>
#include <arch/trap.h>
#include <quire/assert.h>
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/smp.h"
#include "kernel/symtab.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "lib/atomic.h"
#include "mm/pt/aspace.h"
#include "mm/pt/pt.h"

#define NOBODY      (~0u)
#define MAX_CALLS   32
#define LAST_EVENTS 16
#define MAX_PANICS  3 /* by the CPU that panics */

static u32 panic_cpu = NOBODY; /* [a] */
static u32 panic_depth;        /* only by panic_cpu */
static u32 panic_entries;      /* [a] by anyone */

bool panic_in_progress(void)
{
	return atomic_load(&panic_cpu) != NOBODY;
}

/* Decide who prints. Returns true for the first panic, false for one inside it. */
static bool panic_begin(void)
{
	u32 nobody = NOBODY;

	cpu_irq_disable();
	/* Should even cpu_id() trap, it must not go on for ever. */
	if (atomic_add_return(&panic_entries, 1u) > MAX_CPUS + 2 * MAX_PANICS)
		arch_exit_failure();
	if (!atomic_cas(&panic_cpu, &nobody, cpu_id()) && nobody != cpu_id())
		smp_ipi_stop();
	if (++panic_depth > MAX_PANICS)
		arch_exit_failure();
	if (panic_depth > 1)
		return false;
	smp_stop_others();
	return true;
}

static void print_call(unsigned n, vaddr_t ip, bool exact, void (*print)(const char *fmt, ...))
{
	struct symtab_pos pos;

	/* A return address may lie behind the last instruction of its function. */
	if (!symtab_lookup(exact ? ip : ip - 1, &pos))
		print("  #%-2u %#018lx\n", n, ip);
	else if (pos.file)
		print("  #%-2u %#018lx %s+%#x  %s:%u\n", n, ip, pos.name, pos.offset + !exact,
		      pos.file, pos.line);
	else
		print("  #%-2u %#018lx %s+%#x\n", n, ip, pos.name, pos.offset + !exact);
}

/* panic_backtrace - see panic.h. */
NOINLINE void panic_backtrace(const struct trap_frame *frame, void (*print)(const char *fmt, ...))
{
	struct unwind u = {.fp = (vaddr_t)__builtin_frame_address(0)};
	unsigned n = 0;

	if (frame) {
		print_call(n++, frame_ip(frame), true, print);
		u.fp = frame_is_user(frame) ? 0 : frame_fp(frame);
		u.ip = frame_ip(frame);
	}
	while (n < MAX_CALLS && u.fp && arch_unwind_next(&u))
		print_call(n++, u.ip, false, print);
}

static void print_where(void)
{
	u64 now = time_now();
	const struct thread *t = current;

	printk_raw("CPU %u of %u, thread %u \"%.15s\", %lu.%06lu s after the start\n", cpu_id(),
		   nr_cpus_online, t->id, t->name, now / NSEC_PER_SEC,
		   now % NSEC_PER_SEC / NSEC_PER_USEC);
}

static void describe_address(vaddr_t va)
{
	struct aspace *as = &kernel_as;

	if (va < KERNEL_HALF)
		as = current->as ? current->as : this_runqueue()->loaded;
	if (as && as->root_pa)
		pt_describe(as, va, printk_raw);
}

static NORETURN COLD void panic_report(struct trap_frame *frame, const vaddr_t *va, const char *fmt,
				       va_list args)
{
	bool first = panic_begin();

	printk_raw(first ? "\nKernel panic: " : "\nPanic while panicking: ");
	vprintk_raw(fmt, args);
	printk_raw("\n");
	if (!first) {
		if (frame)
			print_call(0, frame_ip(frame), true, printk_raw);
		arch_exit_failure();
	}
	print_where();
	if (frame)
		frame_print(frame);
	printk_raw("Calls, innermost first:\n");
	panic_backtrace(frame, printk_raw);
	if (va)
		describe_address(*va);
	printk_raw("Last events:\n");
	trace_dump(LAST_EVENTS, printk_raw);
	printk_raw("End of kernel panic.\n");
	arch_exit_failure();
}

/* panic - see quire/assert.h. */
void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_report(NULL, NULL, fmt, args);
}

/* panic_trap - see panic.h. */
void panic_trap(struct trap_frame *frame, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_report(frame, NULL, fmt, args);
}

/* panic_fault - see panic.h. */
void panic_fault(struct trap_frame *frame, vaddr_t va, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_report(frame, &va, fmt, args);
}
