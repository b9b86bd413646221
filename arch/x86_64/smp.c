/* SPDX-License-Identifier: MIT */
/*
 * smp.c - starting secondary CPUs. (Intel SDM vol. 3, 9.4; MultiProcessor Specification 1.4, B.4.)
 *
 * A secondary CPU is reset by an INIT message and set going at a page below 1 MiB by a STARTUP message.
 * trampoline.S takes it from there to secondary_start(). One CPU at a time: they share the page.
 *
 * On arrival its time stamp counter is compared with the boot CPU's: requests and answers go back and
 * forth, and each answer's time must lie between those of the request and its receipt.
 *
 * Read next: trampoline.S, kernel/smp.c.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <arch/apic.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/smp.h>
#include <arch/smp_start.h>
#include "arch/x86_64/internal.h"
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/pt/aspace.h"

#define LOW_MEMORY_TOP 0xa0000
#define IST_ORDER      3

BUILD_ASSERT(sizeof(struct ist_stacks) <= PAGE_SIZE << IST_ORDER, "the stacks of one CPU");
BUILD_ASSERT(sizeof(struct start_params) == START_PARAMS_SIZE, "trampoline.S");
BUILD_ASSERT(offsetof(struct start_params, apic_id) == START_APIC_ID, "trampoline.S");
BUILD_ASSERT(offsetof(struct start_params, entry) == START_ENTRY, "trampoline.S");
BUILD_ASSERT(offsetof(struct start_params, percpu) == START_PERCPU, "trampoline.S");

#define SYNC_ROUNDS 16

static paddr_t trampoline_page; /* 0: none */
static struct ist_stacks *starting_ist;
static u32 sync_request, sync_answer; /* [a] numbers of the round */
static u64 sync_tsc;                  /* the answer's time */

static bool page_is_free(paddr_t pa)
{
	bool in_ram = false;

	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		const struct boot_range *r = &boot_info.ram[i];

		if (r->kind == BOOT_MEM_RAM && pa >= r->base && pa + PAGE_SIZE <= r->base + r->size)
			in_ram = true;
	}
	for (u32 i = 0; i < boot_info.nr_reserved; i++) {
		const struct boot_range *r = &boot_info.reserved[i];

		if (pa < r->base + r->size && r->base < pa + PAGE_SIZE)
			return false;
	}
	return in_ram;
}

/* smp_reserve_trampoline - see arch/smp_start.h. */
void smp_reserve_trampoline(void)
{
	for (paddr_t pa = LOW_MEMORY_TOP - PAGE_SIZE; pa; pa -= PAGE_SIZE) {
		if (page_is_free(pa)) {
			boot_reserve(pa, PAGE_SIZE);
			trampoline_page = pa;
			return;
		}
	}
	printk("smp: no memory below 640 KiB to start other CPUs from\n");
}

/* Fill the page. The jumps' targets and the GDT's address depend on where it is. */
static struct start_params *trampoline_prepare(unsigned cpu, vaddr_t stack_top)
{
	char *page = phys_to_virt(trampoline_page);
	struct start_params *p = (void *)(page + (trampoline_params - trampoline_start));
	u32 gdt_base;

	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	memcpy(&gdt_base, trampoline_gdt_base, sizeof(gdt_base));
	gdt_base += (u32)trampoline_page;
	memcpy(page + (trampoline_gdt_base - trampoline_start), &gdt_base, sizeof(gdt_base));
	p->far32 += (u32)trampoline_page;
	p->far64 += (u32)trampoline_page;
	p->boot_root = (u32)sym_to_phys(boot_root);
	p->apic_id = (u32)boot_info.cpus[cpu].hw_id;
	p->entry = (u64)secondary_entry;
	p->root = kernel_as.root_pa;
	p->stack = stack_top;
	p->percpu = percpu_offset[cpu];
	atomic_store_release(&p->state, START_EXPECTED);
	return p;
}

static bool wait_for_arrival(const struct start_params *p, u64 ns)
{
	u64 give_up = time_now() + ns;

	while (atomic_load_acquire(&p->state) != START_ARRIVED) {
		if (time_now() >= give_up)
			return false;
		cpu_relax();
	}
	return true;
}

/* The second STARTUP is for CPUs of the early nineties; one that has arrived ignores it. */
static bool send_start_messages(u32 apic_id, const struct start_params *p)
{
	apic_send_init(apic_id);
	time_delay_ns(10 * NSEC_PER_MSEC);
	apic_send_startup(apic_id, trampoline_page);
	if (wait_for_arrival(p, 200 * NSEC_PER_USEC))
		return true;
	apic_send_startup(apic_id, trampoline_page);
	return wait_for_arrival(p, NSEC_PER_SEC);
}

/* Boot CPU's side of the comparison. */
static void sync_check(unsigned cpu)
{
	bool agree = true;

	for (u32 round = 1; round <= SYNC_ROUNDS; round++) {
		u64 before = tsc_read();

		atomic_store_release(&sync_request, round);
		while (atomic_load_acquire(&sync_answer) != round)
			cpu_relax();
		if (sync_tsc < before || sync_tsc > tsc_read())
			agree = false;
	}
	if (!agree) {
		printk("smp: the time stamp counter of CPU %u differs\n", cpu);
		clock_distrust_tsc("CPUs disagree");
	}
}

static void sync_respond(void)
{
	for (u32 round = 1; round <= SYNC_ROUNDS; round++) {
		while (atomic_load_acquire(&sync_request) != round)
			cpu_relax();
		sync_tsc = tsc_read();
		atomic_store_release(&sync_answer, round);
	}
}

/* arch_cpu_start - see arch/smp.h. */
int arch_cpu_start(unsigned cpu, vaddr_t stack_top)
{
	struct page *page;
	struct start_params *p;
	u32 expected = START_EXPECTED;

	if (!trampoline_page)
		return -ENODEV;
	page = page_alloc(IST_ORDER, 0);
	if (!page)
		return -ENOMEM;
	starting_ist = page_to_virt(page);
	cpu_var(arch_percpu_self, cpu) = percpu_offset[cpu];
	atomic_store(&sync_request, 0);
	atomic_store(&sync_answer, 0);
	p = trampoline_prepare(cpu, stack_top);
	/* From here on a late arrival finds that it is not expected any more, or has been counted. */
	if (!send_start_messages(p->apic_id, p) && atomic_cas(&p->state, &expected, START_IDLE)) {
		page_free(page, IST_ORDER);
		return -ETIMEDOUT;
	}
	sync_check(cpu);
	return 0;
}

/* secondary_start - see arch/smp_start.h. */
void secondary_start(void)
{
	desc_init_cpu(starting_ist);
	arch_cpu_init();
	sync_respond();
	smp_secondary_main();
}
