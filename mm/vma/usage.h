/* SPDX-License-Identifier: MIT */
/* usage.h - what is resident in a range, told apart as /proc/PID/smaps does. */
#pragma once

#include <quire/types.h>

struct space;

/* All in bytes. A page is shared when more than one entry maps it. */
struct space_usage {
	u64 resident;
	u64 proportional, proportional_dirty; /* each page divided by how many entries map it */
	u64 proportional_anon;
	u64 shared_clean, shared_dirty, private_clean, private_dirty;
	u64 referenced, anonymous, anonymous_huge, swapped;
	u64 locked; /* set by who knows the mapping; space_usage leaves it 0 */
};

/* space_usage - count [lo, hi): page-aligned. Faults go on meanwhile, so the parts need not add up.
 *  locks: none   sleeps: yes, between tables   fails: no */
void space_usage(struct space *, vaddr_t lo, vaddr_t hi, struct space_usage *out);

/* space_usage_add - sum += u, in each of its numbers. */
void space_usage_add(struct space_usage *sum, const struct space_usage *u);

/* space_clear_accessed - pages in anonymous mappings, in those of objects, or in both count as not used from now on,
 * until they are used again. TLBs are not flushed: a use may go unnoticed where a CPU remembers the page.
 *  locks: takes the space lock for reading   sleeps: yes */
void space_clear_accessed(struct space *, bool anon, bool objects);
