/* SPDX-License-Identifier: MIT */
/*
 * entry.c - what the trap handler calls: resolve the fault, or tell whoever caused it.
 *
 * A fault from user mode ends in a signal at worst. A fault from kernel mode is legal in two places
 * only: the user accessors, which are in the exception table and get their error from it. Anything
 * else is a bug in the kernel and panics, with the page-table path of the address.
 */
#include <quire/assert.h>
#include <uapi/signal.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/uaccess.h>
#include "kernel/panic.h"
#include "kernel/oom.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/trace.h"
#include "mm/fault/fault.h"
#include "mm/phys/vmalloc.h"
#include "mm/vma/space.h"

static const char *describe_access(unsigned access)
{
	if (access & FAULT_EXEC)
		return "execute";
	return access & FAULT_WRITE ? "write" : "read";
}

static void NORETURN kernel_bug(struct trap_frame *frame, const struct fault_info *info)
{
	const char *where = info->va >= KERNEL_HALF ? vmalloc_describe(info->va) : NULL;

	panic_fault(frame, info->va, "kernel %s of %s address %#lx%s%s%s",
		    describe_access(info->access),
		    info->access & FAULT_PRESENT ? "protected" : "unmapped", info->va,
		    where ? " (" : "", where ? where : "", where ? ")" : "");
}

/* resolve - memory may have to be made first, at the expense of some process. */
static enum fault_result resolve(struct space *space, const struct fault_info *info)
{
	enum fault_result r;

	do
		r = mm_fault(space, info->va, info->access);
	while (r == FAULT_OOM && oom_relieve());
	return r;
}

/* The accessors may fault on any user address; their table entry is what makes it legal. */
static void handle_kernel(struct trap_frame *frame, const struct fault_info *info)
{
	struct space *space = current->space;

	if (!arch_has_fixup(frame))
		kernel_bug(frame, info);
	if (space && info->va < USER_TOP && resolve(space, info) == FAULT_DONE)
		return;
	if (!arch_fixup_exception(frame))
		kernel_bug(frame, info);
}

static void handle_user(const struct fault_info *info)
{
	enum fault_result r = FAULT_SEGV_MAPERR;

	if (info->va < USER_TOP)
		r = resolve(current->space, info);
	trace(TRACE_FAULT, info->va, info->access, 0, r);
	switch (r) {
	case FAULT_DONE:
	case FAULT_RETRY:
		return;
	case FAULT_SEGV_MAPERR:
		signal_force_fault(SIGSEGV, SEGV_MAPERR, info->va);
		return;
	case FAULT_SEGV_ACCERR:
		signal_force_fault(SIGSEGV, SEGV_ACCERR, info->va);
		return;
	case FAULT_BUS:
		signal_force_fault(SIGBUS, BUS_ADRERR, info->va);
		return;
	case FAULT_OOM:
		signal_force_kill(SIGKILL); /* if it is not being killed already */
	}
}

void fault_handle(struct trap_frame *frame, const struct fault_info *info)
{
	if (info->access & FAULT_USER)
		handle_user(info);
	else
		handle_kernel(frame, info);
}
