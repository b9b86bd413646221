/* SPDX-License-Identifier: MIT */
/*
 * arm64_image.c - boot by the arm64 Image protocol: the machine is described by a device tree.
 *
 * The loader enters with the physical address of the tree in x0. It holds everything: memory, what
 * of it is taken, the command line and the initramfs (/chosen), CPUs and how to start them, and the
 * devices (fdt_devices.c). All is copied; the blob's memory is not reserved.
 *
 * Reference: Devicetree Specification 0.4, chapter 3; Linux's Documentation/arm64/booting (protocol)
 * and the arm/cpus binding.
 */
#include "boot/early.h"
#include "boot/fdt.h"
#include "boot/fdt_devices.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"

/* MPIDR_EL1.Aff3 and Aff2..Aff0: the part of the register that names a CPU. */
#define MPIDR_AFFINITY 0xff00ffffffull

static void read_memory_node(const struct fdt_walk *w)
{
	u64 base, size;
	u32 i = 0;

	for (; !fdt_reg(w, i, &base, &size); i++)
		boot_add_range(base, size, BOOT_MEM_RAM);
	if (!i)
		printk("fdt: %s: no usable reg property\n", fdt_name(w->fdt, fdt_node(w)));
}

/* A child of /reserved-memory. With `no-map` it must not even be mapped, so it is no RAM at all;
 * without an address it asks for an allocation by a driver that we do not have. */
static void read_reserved_node(const struct fdt_walk *w)
{
	u32 len;
	u64 base, size;
	bool no_map = fdt_prop(w->fdt, fdt_node(w), "no-map", &len) != NULL;

	for (u32 i = 0; !fdt_reg(w, i, &base, &size); i++) {
		if (no_map)
			boot_add_range(base, size, BOOT_MEM_RESERVED);
		else
			boot_reserve(base, size);
	}
}

static void read_reservations(const struct fdt *f)
{
	for (u32 i = 0; i < f->nr_reservations; i++) {
		const u8 *p = f->reservations + i * 16;

		boot_reserve(be64_at(p), be64_at(p + 8));
	}
}

/* Whether the CPU can be started; fills in how. The running one needs no method. */
static bool read_enable_method(const struct fdt_walk *w, struct boot_cpu *cpu)
{
	const struct fdt *f = w->fdt;
	const char *method = fdt_prop_string(f, fdt_node(w), "enable-method");

	if (!method) /* may be said once for all CPUs */
		method = fdt_prop_string(f, w->path[w->depth - 1], "enable-method");
	if (cpu->hw_id == arch_boot_hw_id() || (method && !strcmp(method, "psci")))
		return true;
	if (method && !strcmp(method, "spin-table") &&
	    fdt_prop_number(f, fdt_node(w), "cpu-release-addr", &cpu->release) && cpu->release)
		return true;
	printk("fdt: %s: no known way to start it, skipped\n", fdt_name(f, fdt_node(w)));
	return false;
}

static void read_cpu_node(const struct fdt_walk *w)
{
	struct boot_cpu cpu = {0};
	u32 len, node = fdt_node(w);
	const u8 *reg = fdt_prop(w->fdt, node, "reg", &len);

	if (!reg || (len != 4 && len != 8)) {
		printk("fdt: %s: no usable reg property, skipped\n", fdt_name(w->fdt, node));
		return;
	}
	cpu.hw_id = (len == 8 ? be64_at(reg) : be32_at(reg)) & MPIDR_AFFINITY;
	cpu.acpi_uid = boot_info.nr_cpus;
	if (fdt_walk_enabled(w) && read_enable_method(w, &cpu))
		boot_add_cpu(&cpu);
}

/* The console's rate from the options behind ':' in stdout-path, as in "serial0:115200n8". */
static u32 stdout_baud(const char *options)
{
	u64 baud = *options ? str_to_u64(options + 1, NULL, 10) : 0;

	return baud <= 10000000 ? (u32)baud : 0;
}

/* /chosen/stdout-path: a path or an alias, perhaps with options. */
static bool read_stdout(const struct fdt *f, u32 chosen)
{
	const char *path = fdt_prop_string(f, chosen, "stdout-path"), *options;
	char name[128];
	struct fdt_walk w;

	if (!path)
		return false;
	options = strchr(path, ':');
	options = options ? options : path + strlen(path);
	if ((size_t)(options - path) >= sizeof(name))
		return false;
	memcpy(name, path, (size_t)(options - path));
	name[options - path] = '\0';
	path = name;
	if (name[0] != '/')
		path = fdt_walk_to(&w, f, "/aliases") ? fdt_prop_string(f, fdt_node(&w), name)
						      : NULL;
	if (path && fdt_walk_to(&w, f, path) && fdt_read_uart(&w, stdout_baud(options)))
		return true;
	printk("fdt: console \"%s\" cannot be used\n", name);
	return false;
}

static void read_initrd(const struct fdt *f, u32 chosen)
{
	u64 start, end;

	if (!fdt_prop_number(f, chosen, "linux,initrd-start", &start) ||
	    !fdt_prop_number(f, chosen, "linux,initrd-end", &end))
		return;
	if (end < start) {
		printk("fdt: initramfs from 0x%lx to 0x%lx ignored\n", start, end);
		return;
	}
	boot_info.initrd = start;
	boot_info.initrd_size = end - start;
}

static void read_chosen(const struct fdt *f, u32 chosen)
{
	u32 len;
	const u8 *p = fdt_prop(f, chosen, "bootargs", &len);

	if (p)
		boot_set_cmdline((const char *)p, len);
	p = fdt_prop(f, chosen, "rng-seed", &len);
	if (p) {
		boot_info.rng_seed_len = (u32)MIN((size_t)len, sizeof(boot_info.rng_seed));
		memcpy(boot_info.rng_seed, p, boot_info.rng_seed_len);
	}
	read_initrd(f, chosen);
}

static bool node_has_type(const struct fdt_walk *w, const char *type)
{
	const char *value = fdt_prop_string(w->fdt, fdt_node(w), "device_type");

	return value && !strcmp(value, type);
}

static bool parent_is(const struct fdt_walk *w, int depth, const char *name)
{
	return w->depth == depth && !strcmp(fdt_name(w->fdt, w->path[depth - 1]), name);
}

static void read_node(const struct fdt_walk *w, bool with_memory)
{
	if (w->depth == 1 && node_has_type(w, "memory")) {
		if (with_memory && fdt_walk_enabled(w))
			read_memory_node(w);
	} else if (parent_is(w, 2, "reserved-memory") && fdt_walk_enabled(w)) {
		read_reserved_node(w);
	} else if (parent_is(w, 2, "cpus") && node_has_type(w, "cpu")) {
		read_cpu_node(w);
	} else {
		fdt_read_device(w);
	}
}

/* The first PL011. Boards with other ports besides call it ttyAMA0 wherever stdout-path leads. */
static bool read_pl011(const struct fdt *f)
{
	struct fdt_walk w;

	fdt_walk_begin(&w, f);
	while (fdt_walk_next(&w)) {
		if (fdt_string_index(f, fdt_node(&w), "compatible", "arm,pl011") >= 0 &&
		    fdt_read_uart(&w, 0))
			return true;
	}
	return false;
}

static void read_console(const struct fdt *f)
{
	struct fdt_walk w;

	boot_info.console.irq = BOOT_NO_IRQ;
	if (boot_cmdline_has("console=ttyAMA0") && read_pl011(f))
		return;
	if (fdt_walk_to(&w, f, "/chosen") && read_stdout(f, fdt_node(&w)))
		return;
	fdt_walk_begin(&w, f);
	while (fdt_walk_next(&w)) {
		if (fdt_read_uart(&w, 0))
			return;
	}
}

static void read_tree(const struct fdt *f, bool with_memory)
{
	struct fdt_walk w;

	if (fdt_walk_to(&w, f, "/chosen"))
		read_chosen(f, fdt_node(&w));
	read_console(f);
	read_reservations(f);
	fdt_walk_begin(&w, f);
	while (fdt_walk_next(&w))
		read_node(&w, with_memory);
}

/* boot_read_fdt - see internal.h. */
bool boot_read_fdt(paddr_t pa, bool with_memory)
{
	const u8 *blob = boot_map(pa, FDT_HEADER_SIZE);
	u32 size = blob ? fdt_total_size(blob) : 0;
	struct fdt f;

	boot_info.fdt = pa;
	blob = boot_map(pa, size);
	if (!blob)
		printk("fdt: no device tree at 0x%lx\n", pa);
	else if (!fdt_open(&f, blob, size))
		read_tree(&f, with_memory);
	return boot_info.nr_cpus != 0;
}

/* boot_from_fdt - see boot_info.h. */
void boot_from_fdt(paddr_t pa)
{
	boot_info.protocol = "arm64 image";
	boot_read_fdt(pa, true);
	boot_info_finish();
}
