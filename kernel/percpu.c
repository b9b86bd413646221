/* SPDX-License-Identifier: MIT */
/*
 * percpu.c - the per-CPU areas.
 *
 * The boot CPU works in the template itself and has changed it long before there is memory for others, so
 * kernel_main first saves a copy of the template as it was linked. Every other CPU's area is a copy
 * of that: its variables have the values that the source gives them.
 */
#include <quire/assert.h>
#include "boot/boot_info.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define TEMPLATE_MAX 16384

extern char percpu_start[], percpu_end[]; /* linker.ld */

uintptr_t percpu_offset[MAX_CPUS];
unsigned nr_cpus = 1;
PERCPU unsigned cpu_number;

static INIT_DATA char pristine[TEMPLATE_MAX];

/* percpu_save_template - before anything changes a per-CPU variable. Boot CPU, first thing. */
void percpu_save_template(void)
{
	size_t size = (size_t)(percpu_end - percpu_start);

	BUG_ON(size > sizeof(pristine));
	memcpy(pristine, percpu_start, size);
}

static unsigned count_wanted(void)
{
	u64 max = MAX_CPUS;

	boot_cmdline_get_u64("maxcpus", &max);
	return (unsigned)MIN(MIN(MAX(max, 1ull), (u64)MAX_CPUS), (u64)MAX(boot_info.nr_cpus, 1u));
}

/* percpu_init - see percpu.h. Boot CPU, after mm_init. */
void percpu_init(void)
{
	size_t size = (size_t)(percpu_end - percpu_start);
	unsigned wanted = count_wanted();

	for (; nr_cpus < wanted; nr_cpus++) {
		char *area = kmalloc(ALIGN_UP(size, PAGE_SIZE), PA_ZERO);

		if (!area)
			panic("not enough memory for the variables of CPU %u", nr_cpus);
		memcpy(area, pristine, size);
		percpu_offset[nr_cpus] = (uintptr_t)area - (uintptr_t)percpu_start;
		cpu_var(cpu_number, nr_cpus) = nr_cpus;
	}
	phys_percpu_start();
}
