/* SPDX-License-Identifier: MIT */
/*
 * power.c - calls into the firmware (PSCI), and the end of the machine.
 *
 * Reference: Arm DEN 0022 (PSCI); the device tree binding brcm,bcm2835-pm and the firmware's documentation of
 * partition 63; Semihosting for AArch32 and AArch64, SYS_EXIT.
 */
#include <arch/cpu.h>
#include <arch/extable.h>
#include <arch/io.h>
#include <arch/power.h>
#include <arch/psci.h>
#include <arch/timer.h>
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "mm/phys/vmalloc.h"

#define BCM_RSTC           0x1c
#define BCM_RSTS           0x20
#define BCM_WDOG           0x24
#define BCM_PASSWORD       0x5a000000u
#define BCM_TICKS          10 /* of 16 us */
#define BCM_RSTC_CONFIG    0x30u
#define BCM_RSTC_FULL      0x20u
#define BCM_RSTS_PARTITION 0x555u

#define SYS_EXIT                   0x18
#define ADP_STOPPED_RUN_TIME_ERROR 0x20023

/* psci_call - see arch/psci.h. The wrong conduit would be an undefined instruction. */
s64 psci_call(u32 function, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = function;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	/* The calling convention preserves x4 and up; older firmware may not. */
#define CLOBBERS                                                                             \
	"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", \
		"x17", "memory"
	if (boot_info.arm.psci == BOOT_PSCI_HVC)
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : CLOBBERS);
	else if (boot_info.arm.psci == BOOT_PSCI_SMC)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : CLOBBERS);
	else
		return PSCI_NOT_SUPPORTED;
#undef CLOBBERS
	return (s64)x0;
}

/* bcm_watchdog - have the Raspberry Pi's watchdog end it in a moment. Its boot loader then looks at six bits,
 * the partition to start from: the last one means to stay off. Every write needs the password. */
static void bcm_watchdog(char *pm, bool off)
{
	u32 status = arch_mmio_read32(pm + BCM_RSTS) & ~BCM_RSTS_PARTITION;

	arch_mmio_write32(pm + BCM_RSTS, BCM_PASSWORD | status | (off ? BCM_RSTS_PARTITION : 0));
	arch_mmio_write32(pm + BCM_WDOG, BCM_PASSWORD | BCM_TICKS);
	arch_mmio_write32(pm + BCM_RSTC,
			  BCM_PASSWORD | BCM_RSTC_FULL |
				  (arch_mmio_read32(pm + BCM_RSTC) & ~BCM_RSTC_CONFIG));
	for (u64 end = arch_clock_ns() + NSEC_PER_SEC; arch_clock_ns() < end;)
		cpu_relax();
}

/* end_without_psci - on boards that have a register for it. Sleeps, for the mapping. */
static void end_without_psci(bool off)
{
	char *pm = boot_info.arm.bcm_power ? vmap_mmio(boot_info.arm.bcm_power, PAGE_SIZE) : NULL;

	if (pm)
		bcm_watchdog(pm, off);
}

/* arch_power_off - see arch/power.h. */
void arch_power_off(void)
{
	end_without_psci(true);
	cpu_irq_disable();
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	printk("power: the firmware cannot switch this machine off\n");
	cpu_halt_forever();
}

/* arch_reset - see arch/power.h. */
void arch_reset(void)
{
	end_without_psci(false);
	cpu_irq_disable();
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	printk("power: the firmware cannot reset this machine\n");
	cpu_halt_forever();
}

/* semihosting_exit - on hardware, or when nobody listens, the instruction is undefined: its entry in the
 * exception table makes execution go on behind it. */
static void semihosting_exit(void)
{
	const u64 block[2] = {ADP_STOPPED_RUN_TIME_ERROR, 1};
	register u64 x0 __asm__("x0") = SYS_EXIT;
	register const u64 *x1 __asm__("x1") = block;

	__asm__ volatile("9990: hlt #0xf000\n"
			 "9991:\n" EX_ENTRY("9990b", "9991b")
			 : "+r"(x0)
			 : "r"(x1), "m"(block)
			 : "memory");
}

/* arch_exit_failure - see arch/power.h. */
void arch_exit_failure(void)
{
	cpu_irq_disable();
	semihosting_exit();
	cpu_halt_forever();
}
