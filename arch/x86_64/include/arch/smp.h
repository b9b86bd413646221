/* SPDX-License-Identifier: MIT */
/* smp.h - starting one more CPU. Read next: arch/x86_64/smp.c. */
#pragma once

#include <quire/types.h>

/* arch_cpu_start - start boot_info.cpus[cpu], whose per-CPU area exists; it arrives in
 * smp_secondary_main() on the stack that ends at stack_top, with interrupts off.
 *  context: boot CPU, one call at a time   sleeps: yes
 *  returns: 0, -ETIMEDOUT when it did not answer within a second, -ENOMEM, -ENODEV */
int arch_cpu_start(unsigned cpu, vaddr_t stack_top);
