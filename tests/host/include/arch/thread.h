/* SPDX-License-Identifier: MIT */
/* thread.h - simulated threads have no registers; see tests/host/sim_sched.h. */
#pragma once

#include <quire/types.h>

struct thread;
struct trap_frame;

struct arch_thread {
	u64 switches; /* to this thread */
};

struct thread *arch_switch(struct thread *prev, struct thread *next);
