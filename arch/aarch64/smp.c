/* SPDX-License-Identifier: MIT */
/*
 * smp.c - starting other CPUs: by a call to the firmware (PSCI), or by writing the address that the CPU
 * polls (spin table).
 *
 * Either way it arrives at secondary_entry (head.S), with the MMU off, finds its slot by its MPIDR and comes
 * to arch_secondary_start on its stack. The slot's state decides a race that has a deadline:
 *
 *   IDLE -> STARTING -> ARRIVED            the boot CPU sees it and goes on
 *                    -> REJECTED           the CPU lacks a feature that is in use; it parks
 *                    -> ABANDONED          a second has passed; should the CPU come now, it parks
 */
#include <uapi/errno.h>
#include <arch/as.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/psci.h>
#include <arch/smp.h>
#include <arch/timer.h>
#include "arch/aarch64/internal.h"
#include "boot/boot_info.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "mm/phys/vmalloc.h"
#include "mm/pt/aspace.h"

enum { SLOT_IDLE, SLOT_STARTING, SLOT_ARRIVED, SLOT_REJECTED, SLOT_ABANDONED };

struct cpu_slot { /* layout known to head.S */
	u64 hw_id;
	vaddr_t stack_top; /* 0: not in use */
	u64 percpu;        /* offset */
	u64 state;         /* [a] */
};
BUILD_ASSERT(sizeof(struct cpu_slot) == 32, "head.S");

/* Read by head.S: the first with the MMU off. */
extern u64 secondary_ttbr1;
extern struct cpu_slot cpu_slots[BOOT_MAX_CPUS];
extern const struct cpu_slot *const cpu_slots_end;
u64 secondary_ttbr1;
struct cpu_slot cpu_slots[BOOT_MAX_CPUS];
const struct cpu_slot *const cpu_slots_end = cpu_slots + BOOT_MAX_CPUS;

/* A CPU with its caches off reads memory past ours. */
static void clean_to_memory(const void *p)
{
	__asm__ volatile("dc civac, %0\n\tdsb sy" : : "r"(p) : "memory");
}

static int start_by_psci(u64 hw_id)
{
	switch (psci_call(PSCI_CPU_ON_64, hw_id, (u64)secondary_entry + kimage_phys, 0)) {
	case 0:
		return 0;
	case PSCI_INVALID_PARAMS:
		return -EINVAL;
	case PSCI_ALREADY_ON:
		return -EBUSY;
	case PSCI_NOT_SUPPORTED:
		return -ENOSYS;
	default:
		return -EIO;
	}
}

/* The word lies in memory that is reserved for this; mapped as a device, the store goes past the caches. */
static int start_by_release_word(paddr_t release)
{
	char *page = vmap_mmio(ALIGN_DOWN(release, PAGE_SIZE), PAGE_SIZE);

	if (!page)
		return -ENOMEM;
	arch_mmio_write64(page + release % PAGE_SIZE, (u64)secondary_entry + kimage_phys);
	__asm__ volatile("dsb sy\n\tsev" : : : "memory");
	vunmap_mmio(page);
	return 0;
}

/* wait_for_arrival - until the CPU has left the state STARTING, or we lose patience. */
static int wait_for_arrival(struct cpu_slot *slot)
{
	u64 deadline = arch_clock_ns() + NSEC_PER_SEC;
	u64 state = SLOT_STARTING;

	while (arch_clock_ns() < deadline && atomic_load_acquire(&slot->state) == SLOT_STARTING)
		cpu_relax();
	if (atomic_cas(&slot->state, &state, SLOT_ABANDONED))
		return -ETIMEDOUT;
	return state == SLOT_ARRIVED ? 0 : -ENODEV;
}

static int give_emergency_stack(unsigned cpu)
{
	char *stack = vmalloc_stack(EMERGENCY_STACK_SIZE);

	if (!stack)
		return -ENOMEM;
	cpu_var(emergency_stack_top, cpu) = (vaddr_t)stack + EMERGENCY_STACK_SIZE;
	return 0;
}

/* arch_cpu_start - see arch/smp.h. */
int arch_cpu_start(unsigned cpu, vaddr_t stack_top)
{
	const struct boot_cpu *info = &boot_info.cpus[cpu];
	struct cpu_slot *slot = &cpu_slots[cpu];
	int err;

	if (slot->state != SLOT_IDLE)
		return -EBUSY;
	err = give_emergency_stack(cpu);
	if (err)
		return err;
	slot->hw_id = info->hw_id;
	slot->percpu = percpu_offset[cpu];
	slot->stack_top = stack_top;
	atomic_store_release(&slot->state, SLOT_STARTING);
	secondary_ttbr1 = kernel_as.root_pa;
	clean_to_memory(&secondary_ttbr1);
	err = info->release ? start_by_release_word(info->release) : start_by_psci(info->hw_id);
	if (err) {
		slot->stack_top = 0;
		slot->state = SLOT_IDLE;
		return err;
	}
	return wait_for_arrival(slot);
}

/* arch_secondary_start - from head.S: on the new CPU, its stack and per-CPU area, the final kernel tables and
 * the identity map. */
void arch_secondary_start(struct cpu_slot *slot)
{
	u64 state = SLOT_STARTING;

	arch_kernel_tables_install(secondary_ttbr1);
	if (!cpu_matches_boot()) {
		atomic_cas(&slot->state, &state, SLOT_REJECTED);
		cpu_halt_forever();
	}
	arch_cpu_init();
	if (!atomic_cas(&slot->state, &state, SLOT_ARRIVED))
		cpu_halt_forever();
	smp_secondary_main();
}
