/* SPDX-License-Identifier: MIT */
/*
 * main.c - the order in which the kernel comes up.
 *
 * Part one runs on the boot stack with interrupts off: memory, per-CPU areas, the CPU, interrupts, the clock.
 * The boot stack then becomes the boot CPU's idle thread, and part two goes on in a thread that may sleep:
 * the other CPUs, the file system, process 1. From there on the kernel is what programs ask for.
 *
 * Each stage leaves a mark in the trace ring, and with "bootstat" on the command line its time is printed.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/timer.h>
#include <quire/assert.h>
#include <quire/image.h>
#include "boot/boot_info.h"
#include "drivers/console.h"
#include "drivers/fbcon.h"
#include "drivers/tty.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/main.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/selftest.h"
#include "kernel/shm.h"
#include "kernel/smp.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/vdso.h"
#include "kernel/work.h"
#include "mm/init.h"
#include "mm/phys/page_alloc.h"

#define MAX_STAGES 16

static struct {
	const char *name;
	u64 ns; /* when it was done; 0 as long as there is no clock */
} stages[MAX_STAGES];
static unsigned nr_stages;

static void stage_done(const char *name)
{
	u64 now = time_now();

	trace(TRACE_BOOT, nr_stages, now, 0, 0);
	if (nr_stages < MAX_STAGES) {
		stages[nr_stages].name = name;
		stages[nr_stages].ns = now;
		nr_stages++;
	}
}

static void print_stages(void)
{
	char unused[8];

	if (!boot_cmdline_get("bootstat", unused, sizeof(unused)))
		return;
	for (unsigned i = 0; i < nr_stages; i++)
		printk("bootstat: %-10s %10lu ns\n", stages[i].name, stages[i].ns);
}

/* Nobody runs code or reads data of the init part any more. */
static void free_init_part(void)
{
	phys_free_range(sym_to_phys(init_start), (u64)(init_end - init_start));
}

static void boot_thread_main(void *arg UNUSED)
{
	stage_done("threads");
	thread_start_reaper();
	work_start();
	smp_start_all();
	vdso_init();
	stage_done("cpus");
	console_start_input();
	vfs_init();
	shm_init();
	tty_serial_init();
	selftest_run();
	initramfs_unpack();
	stage_done("initramfs");
	free_init_part();
	printk("mm: %lu of %lu KiB are free\n", page_count_free() * (PAGE_SIZE / 1024),
	       page_count_total() * (PAGE_SIZE / 1024));
	process_start_init();
	stage_done("init");
	print_stages();
}

static void start_boot_thread(void)
{
	struct thread *t;

	if (thread_create(&t, "boot", boot_thread_main, NULL))
		panic("not enough memory for the first thread");
	thread_wake(t);
	thread_put(t);
}

void kernel_main(void)
{
	percpu_save_template();
	printk("Quire: started by %s, \"%s\"\n", boot_info.protocol, boot_info.cmdline);
	mm_init();
	fbcon_init();
	stage_done("memory");
	percpu_init();
	trace_init_cpus();
	arch_cpu_init();
	arch_cpu_describe();
	sched_init();
	arch_irq_init();
	stage_done("interrupts");
	time_init();
	time_init_realtime();
	arch_clock_describe();
	stage_done("clock");
	start_boot_thread();
	sched_idle_loop();
}
