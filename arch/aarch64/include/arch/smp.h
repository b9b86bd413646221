/* SPDX-License-Identifier: MIT */
/* smp.h - bringing up one more CPU. */
#pragma once

#include <quire/types.h>

/* arch_cpu_start - start boot_info.cpus[cpu] on the stack that ends at stack_top. It arrives in
 * smp_secondary_main(), interrupts off, with its per-CPU area and on the final kernel tables.
 *  context: boot CPU, one call at a time   sleeps: yes
 *  returns: 0; -ETIMEDOUT: no answer (should it come later, the CPU parks); -ENODEV: it answered but lacks
 *  a feature that is in use; -EINVAL: firmware knows no such CPU; -ENOMEM; -EBUSY; -EIO; -ENOSYS: no way
 *  to start it is known */
int arch_cpu_start(unsigned cpu, vaddr_t stack_top);
