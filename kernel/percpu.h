/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - one copy of a variable per CPU.
 *
 * PERCPU variables are linked into one section, the template. The boot CPU uses the template itself
 * (offset 0); every other CPU gets a copy made before it starts. A CPU holds the distance between
 * its copy and the template in a register (GS base on x86_64, TPIDR_EL1 on aarch64).
 *
 * The kernel is not preempted outside sleeping points, so this_cpu(x) stays this CPU's until the
 * next sleep; a variable that interrupts also touch needs interrupts off.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/percpu.h> /* uintptr_t arch_percpu_offset(void) */

#define MAX_CPUS 256

#ifndef PERCPU /* the host tests have their own */
#define PERCPU SECTION(".percpu")
#endif

extern uintptr_t percpu_offset[MAX_CPUS]; /* valid below nr_cpus */
extern unsigned nr_cpus;           /* CPUs that have a percpu area; numbered densely from 0 */
extern PERCPU unsigned cpu_number; /* this CPU's number */

/* Integer arithmetic: a pointer into one object may not be moved into another. */
#define percpu_at(var, off) ((__typeof__(var) *)((uintptr_t) & (var) + (off)))
#define this_cpu(var)       (*percpu_at(var, arch_percpu_offset()))
#define cpu_var(var, cpu)   (*percpu_at(var, percpu_offset[cpu]))
#define cpu_id()            (this_cpu(cpu_number))

/* percpu_save_template - before anything changes a per-CPU variable: the first thing kernel_main does. */
void percpu_save_template(void);
/* percpu_init - give every CPU in boot_info its area. Boot only; panics when memory is short. */
void percpu_init(void);
