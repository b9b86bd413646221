/* SPDX-License-Identifier: MIT */
/* percpu.h - a simulated CPU is a thread; see tests/host/sim.h. */
#pragma once

#include <stdint.h>

/* A section whose name is an identifier: the linker defines __start_percpu and __stop_percpu. */
#define PERCPU __attribute__((section("percpu")))

extern _Thread_local uintptr_t sim_percpu_offset;

static inline uintptr_t arch_percpu_offset(void)
{
	return sim_percpu_offset;
}

#define arch_current() this_cpu(cpu_current)
