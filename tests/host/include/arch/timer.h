/* SPDX-License-Identifier: MIT */
/* timer.h - the simulated clock and one-shot timers; see tests/host/sim_sched.h. */
#pragma once

#include <quire/types.h>

struct clock_params;

void arch_clock_init(void);
bool arch_clock_params(struct clock_params *);
bool arch_rtc_read(u64 *seconds);
u64 arch_clock_ns(void);
void arch_timer_init_cpu(void);
void arch_timer_arm(u64 deadline_ns);
