/* SPDX-License-Identifier: MIT */
/*
 * sim.h - a simulated machine for host tests: CPUs that are threads, memory that is mapped where the
 * kernel expects it, and the parts of kernel/ that mm needs (locks with rank checks, per-CPU data, RCU,
 * smp_call), so that the code of mm/ runs unchanged under the sanitizers.
 *
 *	sim_machine(4, 64);                 4 CPUs, 64 MiB, memory allocators running
 *	p = page_alloc(0, 0);               this thread is CPU 0
 *	sim_run(4, worker, &arg);           worker(cpu, &arg) on CPUs 0..3 at once; returns when all did
 *
 * Every sim_start begins a new machine: per-CPU data is as initialised, memory is empty.
 *
 * Interrupts. Calls from other CPUs (smp_call) are served when a CPU turns interrupts on, relaxes in a
 * loop, or polls; a CPU that no thread runs is idle, and the caller serves for it. sim_interrupts()
 * in addition interrupts the calling CPU for real: a signal that arrives between any two
 * instructions while the CPU has interrupts on. It is for tests without ThreadSanitizer.
 *
 * RCU. A simulated CPU is quiescent where the test says so (sim_quiescent), and while it is idle.
 */
#pragma once

#include <quire/types.h>

#define SIM_MAX_CPUS 16

struct sim_range {
	paddr_t base;
	u64 size; /* bytes */
};

/* sim_start - a new machine: n CPUs, no memory. The calling thread is CPU 0 from here on. */
void sim_start(unsigned n);

/* sim_ram - fill boot_info with these ranges of RAM and nothing reserved, and map them at DIRECT_BASE.
 * Every address is below 32 GiB. Memory content is a fill pattern, not zero. */
void sim_ram(const struct sim_range *ram, unsigned n);

/* sim_page_array - what the kernel's page tables do for page_array: zeroed memory behind each section
 * of RAM, nothing behind the others. */
void sim_page_array(void);

/* sim_machine - all of the above with one range of RAM at 16 MiB, and phys_init, slab_init and
 * phys_percpu_start. */
void sim_machine(unsigned cpus, u64 mib);

/* sim_run - run fn as each of the CPUs 0..n-1 in a thread of its own; CPU 0 leaves the caller for it. */
void sim_run(unsigned n, void (*fn)(unsigned cpu, void *arg), void *arg);

/* sim_poll - serve smp_call requests, if interrupts are on. */
void sim_poll(void);

/* sim_interrupts - call fn in interrupt context every so many microseconds (0: stop). This CPU only. */
void sim_interrupts(void (*fn)(void), unsigned micros);

/* sim_quiescent - this CPU is in no RCU reader now; runs the callbacks that have become due.
 * sim_rcu_pending - how many have not. */
void sim_quiescent(void);
unsigned sim_rcu_pending(void);

/* sim_locks_held - locks that this thread holds: 0 when a test or an operation is over. */
unsigned sim_locks_held(void);

/* sim_flush - called for every TLB flush that mm/pt asks for (sim_mmu.c); as is NULL for a local one. */
struct aspace;
extern void (*sim_flush)(struct aspace *as, vaddr_t lo, vaddr_t hi);
/* sim_flush_level - the level that the last flush asked for was to step by. */
extern unsigned sim_flush_level;
