/* SPDX-License-Identifier: MIT */
/* system.c - what /proc tells of the machine as a whole, memory apart (memory.c): proc(5). */
#include <uapi/errno.h>
#include <uapi/time.h>
#include "boot/boot_info.h"
#include "fs/proc/internal.h"
#include "kernel/cpu_info.h"
#include "kernel/load.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "kernel/uts.h"
#include "lib/printf.h"

#define NSEC_PER_TICK (NSEC_PER_SEC / USER_HZ)

/* --- time and load --------------------------------------------------------------------------------------- */

static u64 idle_of_all(void)
{
	struct load_cpu c;
	u64 ns = 0;

	cpumask_for_each (cpu, &cpus_online) {
		load_cpu(cpu, &c);
		ns += c.idle_ns;
	}
	return ns;
}

static void show_seconds(struct text *t, u64 ns, char end)
{
	text_printf(t, "%lu.%02lu%c", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / (NSEC_PER_SEC / 100),
		    end);
}

static int uptime_show(struct file *f UNUSED, struct text *t)
{
	show_seconds(t, time_now(), ' ');
	show_seconds(t, idle_of_all(), '\n');
	return 0;
}

static int loadavg_show(struct file *f UNUSED, struct text *t)
{
	u64 loads[3];

	load_averages(loads);
	for (unsigned i = 0; i < 3; i++) {
		u64 hundredths = (loads[i] * 100 + LOAD_ONE / 2) >> LOAD_SHIFT;

		text_printf(t, "%lu.%02lu ", hundredths / 100, hundredths % 100);
	}
	text_printf(t, "%u/%u %u\n", load_count_runnable(), thread_count(), pid_newest());
	return 0;
}

/* --- stat -------------------------------------------------------------------------------------------------- */

/* show_cpu - times are told apart as idle and not; all that is not idle counts as user time. */
static void show_cpu(struct text *t, const struct load_cpu *c)
{
	text_printf(t, " %lu 0 0 %lu 0 0 0 0 0 0\n", c->busy_ns / NSEC_PER_TICK,
		    c->idle_ns / NSEC_PER_TICK);
}

static int stat_show(struct file *f UNUSED, struct text *t)
{
	struct load_cpu c, sum = {0};

	cpumask_for_each (cpu, &cpus_online) {
		load_cpu(cpu, &c);
		sum.idle_ns += c.idle_ns;
		sum.busy_ns += c.busy_ns;
		sum.switches += c.switches;
	}
	text_puts(t, "cpu ");
	show_cpu(t, &sum);
	cpumask_for_each (cpu, &cpus_online) {
		load_cpu(cpu, &c);
		text_printf(t, "cpu%u", cpu);
		show_cpu(t, &c);
	}
	text_printf(t, "intr %lu\nctxt %lu\nbtime %lu\n", load_interrupts(), sum.switches,
		    (u64)time_realtime_offset / NSEC_PER_SEC);
	text_printf(t, "processes %lu\nprocs_running %u\nprocs_blocked 0\n", pid_count_used(),
		    load_count_runnable());
	return 0;
}

/* --- names --------------------------------------------------------------------------------------------------- */

static int version_show(struct file *f UNUSED, struct text *t)
{
	struct uapi_utsname name;

	uts_get(&name);
	text_printf(t, "%s version %s (%s) %s\n", name.sysname, name.release, __VERSION__,
		    name.version);
	return 0;
}

static int cmdline_show(struct file *f UNUSED, struct text *t)
{
	text_printf(t, "%s\n", boot_info.cmdline);
	return 0;
}

static int filesystems_show(struct file *f UNUSED, struct text *t)
{
	const struct fs_type *type;

	for (unsigned n = 0; (type = fs_type_at(n)); n++)
		text_printf(t, "nodev\t%s\n", type->name);
	return 0;
}

static int cpuinfo_show(struct file *f UNUSED, struct text *t)
{
	unsigned cpu = cpumask_next(&cpus_online, (unsigned)t->cursor);
	char buf[1536];

	if (cpu >= nr_cpus)
		return 0;
	cpu_info_describe(cpu, buf, sizeof(buf));
	text_puts(t, buf);
	t->cursor = cpu + 1;
	t->more = true;
	return 0;
}

/* The major numbers of the devices there are, once each. */
static int show_device(const char *name, u64 rdev, u32 mode UNUSED, void *arg)
{
	struct text *t = arg;

	if (DEV_MAJOR(rdev) == 1) {
		if (!t->cursor)
			text_puts(t, "  1 mem\n");
		t->cursor = 1;
	} else {
		text_printf(t, "%3u %s%s\n", DEV_MAJOR(rdev), DEV_MAJOR(rdev) == 5 ? "/dev/" : "",
			    name);
	}
	return 0;
}

static int devices_show(struct file *f UNUSED, struct text *t)
{
	text_puts(t, "Character devices:\n");
	device_for_each(show_device, t);
	text_puts(t, "\nBlock devices:\n");
	return 0;
}

/* There are no disks and no swap: only what their tables begin with. */
static int partitions_show(struct file *f UNUSED, struct text *t)
{
	text_puts(t, "major minor  #blocks  name\n\n");
	return 0;
}

static int swaps_show(struct file *f UNUSED, struct text *t)
{
	text_puts(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static const struct {
	const char *name;
	struct text_ops ops;
} files[] = {
	{"uptime", {.show = uptime_show}},
	{"loadavg", {.show = loadavg_show}},
	{"stat", {.show = stat_show}},
	{"version", {.show = version_show}},
	{"cmdline", {.show = cmdline_show}},
	{"filesystems", {.show = filesystems_show}},
	{"cpuinfo", {.show = cpuinfo_show}},
	{"devices", {.show = devices_show}},
	{"partitions", {.show = partitions_show}},
	{"swaps", {.show = swaps_show}},
};

int proc_add_system(struct dentry *root)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = text_file(root, files[i].name, 0444, &files[i].ops, NULL);
	return err ? err : text_special(root, "kmsg", 0400, &proc_kmsg_fops);
}
