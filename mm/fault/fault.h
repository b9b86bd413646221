/* SPDX-License-Identifier: MIT */
/* fault.h - the one entry for page faults, from the CPU and from kernel code that touches user pages. */
#pragma once

#include <quire/types.h>

struct space;
struct trap_frame;

/* What was attempted. */
#define FAULT_READ    0x01u
#define FAULT_WRITE   0x02u
#define FAULT_EXEC    0x04u
#define FAULT_USER    0x08u /* from user mode; else a kernel access to user memory */
#define FAULT_PRESENT 0x10u /* the hardware found an entry that forbids it */
#define FAULT_UNSHARE 0x20u /* read that needs an exclusive page (pins); never with WRITE */
#define FAULT_REMOTE  0x40u /* on behalf of another process: the stack does not grow */
#define FAULT_FORCE \
	0x80u /* REMOTE: what mprotect could allow is allowed; a private page is copied for it */
#define FAULT_ABSENT \
	0x100u /* the hardware found no entry; with neither this nor PRESENT nothing is known */

enum fault_result {
	FAULT_DONE,        /* try the access again */
	FAULT_RETRY,       /* something changed or was waited for; everything is unlocked */
	FAULT_SEGV_MAPERR, /* no mapping there */
	FAULT_SEGV_ACCERR, /* the mapping forbids it */
	FAULT_BUS,         /* mapping without content: past the end of a file */
	FAULT_OOM,
};

/* Filled in by the architecture from its fault registers. */
struct fault_info {
	vaddr_t va;
	unsigned access; /* FAULT_* */
};

/* mm_fault - make an access to user address va possible.
 *  sleeps: yes   locks: none held on entry and exit
 *  returns: a result other than RETRY (retried inside) */
enum fault_result mm_fault(struct space *, vaddr_t va, unsigned access);

/* fault_handle - the trap handler's continuation: resolve, deliver a signal (user), use the fix-up
 * table (kernel access to user memory), or panic. Interrupts on for faults from user mode. */
void fault_handle(struct trap_frame *, const struct fault_info *);
