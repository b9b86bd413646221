/* SPDX-License-Identifier: MIT */
/* smp.h - starting the other CPUs and making them do something now. */
#pragma once

#include "kernel/cpumask.h"

extern struct cpumask cpus_online;
extern unsigned nr_cpus_online;

/* smp_start_all - start every CPU in boot_info that can be started; one that does not answer within
 * a second is reported and left out. Boot CPU only; sleeps. */
void smp_start_all(void);

/* smp_secondary_main - where a started CPU arrives, on its own stack, interrupts off. */
void smp_secondary_main(void) NORETURN;

/* smp_call - run fn(arg) on each online CPU of the mask except this one, with interrupts off there, and
 * return when all have finished. Interrupts must be on here (else two callers deadlock); fn may not
 * take a lock that anyone holds while calling smp_call. */
void smp_call(const struct cpumask *, void (*fn)(void *), void *arg);

/* smp_kick - make a CPU look at its work: an idle one reschedules. Any context. */
void smp_kick(unsigned cpu);
/* smp_stop_others - panic path: halt the others, waiting a bounded time. */
void smp_stop_others(void);

/* from the arch IPI handlers, interrupts off */
void smp_ipi_call(void);
void smp_ipi_kick(void);
void smp_ipi_stop(void) NORETURN; /* or NMI: counted by smp_stop_others, halts */
