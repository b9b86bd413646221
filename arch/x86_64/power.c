/* SPDX-License-Identifier: MIT */
/*
 * power.c - switching off and restarting. (ACPI 6.4, 4.8.3.2, 4.8.3.6, 4.8.4.)
 *
 * boot/acpi.c has found out which registers do it. Those in memory are mapped in advance, because nothing
 * can be allocated when it comes to this.
 */
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/power.h>
#include "arch/x86_64/internal.h"
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "mm/phys/vmalloc.h"

#define PM1_SCI_EN    0x0001
#define PM1_SLP_EN    0x2000
#define PM1_TYP_SHIFT 10
#define SLEEP_EN      0x20
#define SLEEP_SHIFT   2

#define RESET_PORT      0xcf9 /* of PC chip sets since 1996 */
#define RESET_HARD      0x06
#define KEYBOARD_PORT   0x64
#define KEYBOARD_RESET  0xfe
#define DEBUG_EXIT_PORT 0xf4 /* QEMU's isa-debug-exit: status (value << 1) | 1 */
#define DEBUG_EXIT_FAIL 0x01

static volatile u8 *sleep_control, *reset_register;

static volatile u8 *map_register(paddr_t pa)
{
	u8 *page = vmap_mmio(pa & PAGE_MASK, PAGE_SIZE);

	return page ? page + pa % PAGE_SIZE : NULL;
}

/* power_init - see internal.h. */
void power_init(void)
{
	const struct boot_pc *pc = &boot_info.pc;

	if (pc->sleep_control)
		sleep_control = map_register(pc->sleep_control);
	if (pc->has_reset_reg && pc->reset_space == 0)
		reset_register = map_register(pc->reset_addr);
}

/* The sleep registers obey only when firmware has handed power management over to us. */
static void acpi_enable(const struct boot_pc *pc)
{
	u64 give_up = time_now() + NSEC_PER_SEC;

	if (!pc->smi_cmd_port || !pc->acpi_enable ||
	    arch_port_in16((u16)pc->pm1a_cnt_port) & PM1_SCI_EN)
		return;
	arch_port_out8((u16)pc->smi_cmd_port, pc->acpi_enable);
	while (!(arch_port_in16((u16)pc->pm1a_cnt_port) & PM1_SCI_EN) && time_now() < give_up)
		cpu_relax();
}

/* arch_power_off - see arch/power.h. */
void arch_power_off(void)
{
	const struct boot_pc *pc = &boot_info.pc;

	if (pc->has_s5 && sleep_control)
		*sleep_control = (u8)(pc->slp_typ_a << SLEEP_SHIFT | SLEEP_EN);
	if (pc->has_s5 && pc->pm1a_cnt_port) {
		acpi_enable(pc);
		arch_port_out16((u16)pc->pm1a_cnt_port,
				(u16)(pc->slp_typ_a << PM1_TYP_SHIFT | PM1_SLP_EN));
		if (pc->pm1b_cnt_port)
			arch_port_out16((u16)pc->pm1b_cnt_port,
					(u16)(pc->slp_typ_b << PM1_TYP_SHIFT | PM1_SLP_EN));
	}
	time_delay_ns(NSEC_PER_SEC);
	printk("power: this machine does not switch itself off; you may do it now\n");
	arch_exit_failure(); /* an emulator need not wait for anybody */
}

static void reset_by_register(const struct boot_pc *pc)
{
	if (reset_register)
		*reset_register = pc->reset_value;
	else if (pc->has_reset_reg && pc->reset_space == 1)
		arch_port_out8((u16)pc->reset_addr, pc->reset_value);
}

/* arch_reset - see arch/power.h. The last resort is an exception that cannot be delivered. */
void arch_reset(void)
{
	struct {
		u16 limit;
		u64 base;
	} PACKED no_idt = {0, 0};

	reset_by_register(&boot_info.pc);
	time_delay_ns(NSEC_PER_SEC / 10);
	arch_port_out8(RESET_PORT, RESET_HARD);
	time_delay_ns(NSEC_PER_SEC / 10);
	arch_port_out8(KEYBOARD_PORT, KEYBOARD_RESET);
	time_delay_ns(NSEC_PER_SEC / 10);
	for (;;)
		__asm__ volatile("lidt %0; int3" ::"m"(no_idt));
}

/* arch_exit_failure - see arch/power.h. The port belongs to nobody on real machines, but only a
 * hypervisor is asked. */
void arch_exit_failure(void)
{
	if (cpu_features.hypervisor)
		arch_port_out8(DEBUG_EXIT_PORT, DEBUG_EXIT_FAIL);
	cpu_halt_forever();
}
