/* SPDX-License-Identifier: MIT */
/*
 * data.h - the page of facts that the kernel shows to every program: [vvar].
 *
 * The kernel writes it through its own mapping (kernel/vdso.c); programs have it read-only, right before the
 * code that reads it (clock.h). How to tell the time:
 *
 *	monotonic ns = ns_base + (counter - counter_base) * mult / 2^32, computed with 128 bits
 *	wall clock   = that + realtime_offset
 *
 * which is exactly what the kernel computes for the system calls, so the two never disagree. The factors are
 * constant once the clock has been chosen: nobody has to write here as time goes by.
 */
#pragma once

#include <quire/types.h>
#include "lib/seqcount.h"

#define VDSO_COUNTER BIT(0) /* programs can read the counter; else they make the system call */
#define VDSO_RDPID   BIT(1) /* x86_64: the CPU's number in one instruction */

struct vdso_data {
	struct seqcount seq; /* of the clock's fields */
	u32 flags;           /* VDSO_* */
	u64 counter_base, ns_base, mult;
	s64 realtime_offset, tai_offset; /* ns; TAI counts from the wall clock */
};
