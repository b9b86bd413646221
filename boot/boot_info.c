/* SPDX-License-Identifier: MIT */
/*
 * boot_info.c - the one struct boot_info and the last step of filling it.
 *
 * The protocol readers add what they find piece by piece; boot_info_finish makes it consistent: a
 * memory map that excludes what is occupied, an initramfs that really lies in memory, a CPU list
 * that starts with the CPU we run on. It is also the only place in boot/ that panics, and only when
 * no memory is left to run in.
 *
 * Read next: memory_map.c, then the reader of your protocol.
 */
#include "boot/early.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include <quire/assert.h>

struct boot_info boot_info;

static u32 nr_cpus_dropped;

/* boot_map - see internal.h. */
const u8 *boot_map(paddr_t pa, u64 size)
{
	if (!pa || !size || pa + size < pa)
		return NULL;
	return arch_early_map(pa, size);
}

/* boot_set_cmdline - see internal.h. */
void boot_set_cmdline(const char *line, size_t max)
{
	size_t len = strnlen(line, max);

	if (len >= BOOT_CMDLINE_SIZE) {
		printk("boot: command line cut after %u characters\n", BOOT_CMDLINE_SIZE - 1);
		len = BOOT_CMDLINE_SIZE - 1;
	}
	memcpy(boot_info.cmdline, line, len);
	boot_info.cmdline[len] = '\0';
}

/* boot_load_cmdline - see internal.h.
 * Page by page: a short line may end just below memory that is not there. */
void boot_load_cmdline(paddr_t pa)
{
	static char line[BOOT_CMDLINE_SIZE + 1];
	size_t have = 0;

	while (have < sizeof(line)) {
		size_t n = MIN(PAGE_SIZE - (pa + have) % PAGE_SIZE, sizeof(line) - have);
		const u8 *p = boot_map(pa + have, n);

		if (!p) {
			printk("boot: command line at 0x%lx is out of reach\n", pa);
			break;
		}
		memcpy(line + have, p, n);
		have += n;
		if (memchr(p, '\0', n))
			break;
	}
	boot_set_cmdline(line, have);
}

/* boot_add_cpu - see internal.h. */
void boot_add_cpu(const struct boot_cpu *cpu)
{
	for (u32 i = 0; i < boot_info.nr_cpus; i++) {
		if (boot_info.cpus[i].hw_id == cpu->hw_id)
			return;
	}
	/* The boot CPU is never dropped: it replaces the last one. */
	if (boot_info.nr_cpus == BOOT_MAX_CPUS) {
		nr_cpus_dropped++;
		if (cpu->hw_id != arch_boot_hw_id())
			return;
		boot_info.nr_cpus--;
	}
	boot_info.cpus[boot_info.nr_cpus++] = *cpu;
}

/* boot_add_pci - see internal.h. */
void boot_add_pci(paddr_t ecam, u16 segment, u8 bus_first, u8 bus_last)
{
	if (!ecam || bus_first > bus_last) {
		printk("boot: PCI segment %u: impossible window 0x%lx buses %u-%u, skipped\n",
		       segment, ecam, bus_first, bus_last);
		return;
	}
	if (boot_info.nr_pci == ARRAY_SIZE(boot_info.pci)) {
		printk("boot: PCI segment %u: more than %u windows, skipped\n", segment,
		       (u32)ARRAY_SIZE(boot_info.pci));
		return;
	}
	boot_info.pci[boot_info.nr_pci++] = (struct boot_pci){ecam, segment, bus_first, bus_last};
}

/* boot_add_gicr - see internal.h. */
void boot_add_gicr(paddr_t base, u64 size)
{
	struct boot_arm *arm = &boot_info.arm;

	if (arm->nr_gicr == ARRAY_SIZE(arm->gicr)) {
		printk("boot: more than %u GIC redistributor regions, the one at 0x%lx skipped\n",
		       arm->nr_gicr, base);
		return;
	}
	arm->gicr[arm->nr_gicr++] = (struct boot_gicr_region){base, size};
}

/* Moves the running CPU to the front, adding it when firmware did not list it. */
static void cpus_finish(void)
{
	struct boot_cpu boot = {.hw_id = arch_boot_hw_id()};
	u32 i = 0;

	if (nr_cpus_dropped)
		printk("boot: only %u CPUs are supported, %u more left alone\n", BOOT_MAX_CPUS,
		       nr_cpus_dropped);
	nr_cpus_dropped = 0;
	while (i < boot_info.nr_cpus && boot_info.cpus[i].hw_id != boot.hw_id)
		i++;
	if (i == boot_info.nr_cpus) {
		if (i)
			printk("boot: firmware does not list the boot CPU 0x%lx\n", boot.hw_id);
		if (i == BOOT_MAX_CPUS)
			i--;
		boot_info.nr_cpus = i + 1;
	} else {
		boot = boot_info.cpus[i];
	}
	memmove(&boot_info.cpus[1], &boot_info.cpus[0], i * sizeof(boot));
	boot_info.cpus[0] = boot;
}

static bool ranges_overlap(paddr_t a, u64 a_size, paddr_t b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Reserves the initramfs, or forgets it where its address cannot be true. */
static void initrd_finish(paddr_t kernel, u64 kernel_size)
{
	const char *problem = NULL;

	if (!boot_info.initrd_size)
		return;
	if (!boot_ram_contains(boot_info.initrd, boot_info.initrd_size))
		problem = "is not in RAM";
	else if (ranges_overlap(boot_info.initrd, boot_info.initrd_size, kernel, kernel_size))
		problem = "overlaps the kernel";
	if (problem) {
		printk("boot: initramfs at 0x%lx, %lu bytes, %s: ignored\n", boot_info.initrd,
		       boot_info.initrd_size, problem);
		boot_info.initrd = boot_info.initrd_size = 0;
		return;
	}
	boot_reserve(boot_info.initrd, boot_info.initrd_size);
}

static void report(void)
{
	u64 total = 0;

	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		const struct boot_range *r = &boot_info.ram[i];

		total += r->size;
		printk("memory: 0x%012lx-0x%012lx\n", r->base, (r->base + r->size - 1));
	}
	printk("boot: %s, %lu MiB, %u CPU%s, command line \"%s\"\n", boot_info.protocol,
	       (total >> 20), boot_info.nr_cpus, boot_info.nr_cpus == 1 ? "" : "s",
	       boot_info.cmdline);
}

/* boot_info_finish - see boot_info.h. */
void boot_info_finish(void)
{
	paddr_t kernel;
	u64 kernel_size;

	arch_kernel_image(&kernel, &kernel_size);
	boot_map_resolve();
	if (!boot_info.nr_ram)
		panic("boot: no memory map (%s)", boot_info.protocol);
	/* Loaders place a kernel where it is linked, also over what firmware needs while we run. */
	if (!boot_ram_contains(kernel, kernel_size))
		printk("boot: the kernel, %lu bytes at 0x%lx, is not all in RAM\n", kernel_size,
		       kernel);
	boot_reserve(kernel, kernel_size);
	initrd_finish(kernel, kernel_size);
	cpus_finish();
	report();
}
