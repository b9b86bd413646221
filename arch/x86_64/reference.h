/* SPDX-License-Identifier: MIT */
/* reference.h - counters of known rate that a PC has besides the CPU's. Private to arch/x86_64. */
#pragma once

#include <quire/types.h>

struct reference {
	const char *name;
	u64 (*read)(void); /* counts up; any context */
	u64 hz, mask;      /* mask: all bits that count */
	u64 window_ms;     /* half the time that a measurement needs to be exact to a few 10^-5 */
	bool is_clock;     /* fast enough to tell the time with */
};

/* reference_find - the best counter that there is and that does count; NULL: none. Boot CPU. */
const struct reference *reference_find(void);
