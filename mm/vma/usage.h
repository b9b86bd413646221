/* SPDX-License-Identifier: MIT */
/* usage.h - what is resident in a range, told apart as /proc/PID/smaps does. */
#pragma once

#include <quire/types.h>

struct space;

/* All in bytes. A page is shared when more than one entry maps it. */
struct space_usage {
	u64 resident;
	u64 proportional, proportional_dirty; /* each page divided by how many entries map it */
	u64 shared_clean, shared_dirty, private_clean, private_dirty;
	u64 referenced, anonymous, anonymous_huge, swapped;
};

/* space_usage - count [lo, hi): page-aligned. Faults go on meanwhile, so the parts need not add up.
 *  locks: none   sleeps: yes, between tables   fails: no */
void space_usage(struct space *, vaddr_t lo, vaddr_t hi, struct space_usage *out);
