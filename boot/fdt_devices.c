/* SPDX-License-Identifier: MIT */
/*
 * fdt_devices.c - bindings of the few devices the kernel must know before it has a driver model.
 *
 * A node says what it is by `compatible`, a list of names from the most special to the most
 * general. The table below maps names to readers; each reader turns the node's properties into
 * fields of boot_info. Interrupt numbers become GIC INTIDs here, so that nobody else needs to know
 * how a device tree counts them.
 *
 * Reference: the bindings' own documents (arm,gic, arm,gic-v3, arm,arch_timer, psci, pl011, 8250,
 * host-generic-pci), GIC architecture (INTID ranges).
 *
 * Read next: arm64_image.c, which walks the tree.
 */
#include "boot/fdt_devices.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include <uapi/errno.h>

#define GIC_TYPE_SPI 0
#define GIC_TYPE_PPI 1
#define GIC_SPI_BASE 32
#define GIC_PPI_BASE 16
#define GIC_NR_SPI   988
#define GIC_NR_PPI   16

static void report_skipped(const struct fdt_walk *w, const char *why)
{
	printk("fdt: %s: %s, skipped\n", fdt_name(w->fdt, fdt_node(w)), why);
}

static bool node_is_gic(const struct fdt *f, u32 node)
{
	static const char *const names[] = {"arm,gic-v3", "arm,cortex-a15-gic", "arm,gic-400",
					    "arm,cortex-a7-gic", "arm,cortex-a9-gic"};
	u32 len;
	const u8 *list = fdt_prop(f, node, "compatible", &len);

	for (u32 i = 0; list && i < ARRAY_SIZE(names); i++) {
		if (fdt_list_index(list, len, names[i]) >= 0)
			return true;
	}
	return false;
}

/* The Raspberry Pi's two controllers, numbered as arch/aarch64/bcm2836.c has them: the cores' sources count as
 * PPIs, the devices' lines, in banks 1, 2 and 0, as SPIs. */
static u32 bcm_intid(const struct fdt *f, u32 controller, const u32 *cells)
{
	static const u8 bank_order[] = {2, 0, 1};

	if (fdt_string_index(f, controller, "compatible", "brcm,bcm2836-l1-intc") >= 0)
		return cells[0] < GIC_NR_PPI ? GIC_PPI_BASE + cells[0] : BOOT_NO_IRQ;
	if (fdt_string_index(f, controller, "compatible", "brcm,bcm2836-armctrl-ic") >= 0 &&
	    cells[0] < ARRAY_SIZE(bank_order) && cells[1] < 32)
		return GIC_SPI_BASE + 32 * bank_order[cells[0]] + cells[1];
	return BOOT_NO_IRQ;
}

/* The INTID of the node's interrupt `index`; BOOT_NO_IRQ unless it goes straight to a controller we drive. */
static u32 node_intid(const struct fdt_walk *w, u32 index)
{
	u32 controller, cells[FDT_MAX_CELLS];
	int count = fdt_interrupt(w, index, &controller, cells);

	if (count == 2)
		return bcm_intid(w->fdt, controller, cells);
	if (count < 3 || !node_is_gic(w->fdt, controller))
		return BOOT_NO_IRQ;
	if (cells[0] == GIC_TYPE_SPI && cells[1] < GIC_NR_SPI)
		return GIC_SPI_BASE + cells[1];
	if (cells[0] == GIC_TYPE_PPI && cells[1] < GIC_NR_PPI)
		return GIC_PPI_BASE + cells[1];
	return BOOT_NO_IRQ;
}

static void read_gic_v2(const struct fdt_walk *w)
{
	struct boot_arm *arm = &boot_info.arm;
	u64 gicd, gicc, size;

	if (arm->gic_version)
		return;
	if (fdt_reg(w, 0, &gicd, &size) || fdt_reg(w, 1, &gicc, &size)) {
		report_skipped(w, "no distributor or CPU interface address");
		return;
	}
	arm->gicd = gicd;
	arm->gicc = gicc;
	arm->gic_version = 2;
}

static void read_gic_v3(const struct fdt_walk *w)
{
	struct boot_arm *arm = &boot_info.arm;
	u32 regions = fdt_prop_u32(w->fdt, fdt_node(w), "#redistributor-regions", 1);
	u64 gicd, base, size;

	if (arm->gic_version)
		return;
	if (fdt_reg(w, 0, &gicd, &size) || fdt_reg(w, 1, &base, &size)) {
		report_skipped(w, "no distributor or redistributor address");
		return;
	}
	arm->gicd = gicd;
	arm->gic_version = 3;
	for (u32 i = 0; i < regions && !fdt_reg(w, 1 + i, &base, &size); i++)
		boot_add_gicr(base, size);
}

/* The index of a timer's interrupt: by name where there are names, else by the binding's order. */
static u32 timer_intid(const struct fdt_walk *w, const char *name, u32 usual_index)
{
	int index = fdt_string_index(w->fdt, fdt_node(w), "interrupt-names", name);

	return node_intid(w, index >= 0 ? (u32)index : usual_index);
}

static void read_timer(const struct fdt_walk *w)
{
	u32 phys = timer_intid(w, "phys", 1), virt = timer_intid(w, "virt", 2);

	if (phys == BOOT_NO_IRQ && virt == BOOT_NO_IRQ) {
		report_skipped(w, "its interrupts do not go to a controller we drive");
		return;
	}
	boot_info.arm.timer_phys_intid = phys == BOOT_NO_IRQ ? 0 : phys;
	boot_info.arm.timer_virt_intid = virt == BOOT_NO_IRQ ? 0 : virt;
}

static void read_psci(const struct fdt_walk *w)
{
	const char *method = fdt_prop_string(w->fdt, fdt_node(w), "method");

	if (method && !strcmp(method, "hvc"))
		boot_info.arm.psci = BOOT_PSCI_HVC;
	else if (method && !strcmp(method, "smc"))
		boot_info.arm.psci = BOOT_PSCI_SMC;
	else
		report_skipped(w, "unknown method");
}

static paddr_t node_address(const struct fdt_walk *w)
{
	u64 base, size;

	if (!fdt_reg(w, 0, &base, &size))
		return base;
	report_skipped(w, "no address");
	return 0;
}

static void read_rtc(const struct fdt_walk *w)
{
	boot_info.arm.rtc = node_address(w);
}

static void read_bcm_local(const struct fdt_walk *w)
{
	boot_info.arm.bcm_local = node_address(w);
}

static void read_bcm_devices(const struct fdt_walk *w)
{
	boot_info.arm.bcm_devices = node_address(w);
}

static void read_bcm_power(const struct fdt_walk *w)
{
	boot_info.arm.bcm_power = node_address(w);
}

static void read_bcm_mailbox(const struct fdt_walk *w)
{
	boot_info.arm.bcm_mailbox = node_address(w);
}

static void read_pci_host(const struct fdt_walk *w)
{
	u32 len, domain = fdt_prop_u32(w->fdt, fdt_node(w), "linux,pci-domain", 0);
	const u8 *range = fdt_prop(w->fdt, fdt_node(w), "bus-range", &len);
	u32 first = 0, last = 255;
	u64 base, size;

	if (fdt_reg(w, 0, &base, &size) || size < MIB(1)) {
		report_skipped(w, "no configuration space");
		return;
	}
	if (range && len == 8) {
		first = be32_at(range);
		last = be32_at(range + 4);
	}
	if (first > 255 || last > 255 || domain > 0xffff) {
		report_skipped(w, "impossible bus range or domain");
		return;
	}
	/* The window starts at bus `first`; one bus takes a MiB of it. */
	last = (u32)MIN((u64)last, first + (size >> 20) - 1);
	boot_add_pci(base, (u16)domain, (u8)first, (u8)last);
}

/* fdt_read_device - see fdt_devices.h. */
void fdt_read_device(const struct fdt_walk *w)
{
	static const struct {
		const char *compatible;
		void (*read)(const struct fdt_walk *w);
	} readers[] = {
		{"arm,gic-v3", read_gic_v3},
		{"arm,cortex-a15-gic", read_gic_v2},
		{"arm,gic-400", read_gic_v2},
		{"arm,cortex-a7-gic", read_gic_v2},
		{"arm,cortex-a9-gic", read_gic_v2},
		{"arm,armv8-timer", read_timer},
		{"arm,armv7-timer", read_timer},
		{"arm,psci-1.0", read_psci},
		{"arm,psci-0.2", read_psci},
		{"pci-host-ecam-generic", read_pci_host},
		{"arm,pl031", read_rtc},
		{"brcm,bcm2836-l1-intc", read_bcm_local},
		{"brcm,bcm2836-armctrl-ic", read_bcm_devices},
		{"brcm,bcm2835-pm-wdt", read_bcm_power},
		{"brcm,bcm2835-mbox", read_bcm_mailbox},
	};
	u32 len;
	const u8 *list = fdt_prop(w->fdt, fdt_node(w), "compatible", &len);

	for (u32 i = 0; list && i < ARRAY_SIZE(readers); i++) {
		if (fdt_list_index(list, len, readers[i].compatible) < 0)
			continue;
		if (fdt_walk_enabled(w))
			readers[i].read(w);
		return;
	}
}

static const struct uart_binding {
	const char *compatible;
	enum boot_uart_kind kind;
	u32 reg_shift, reg_width; /* where the node does not say */
} uart_bindings[] = {
	{"arm,pl011", BOOT_UART_PL011, 2, 4},
	{"arm,sbsa-uart", BOOT_UART_PL011, 2, 4},
	{"snps,dw-apb-uart", BOOT_UART_16550_MMIO, 0, 1},
	{"ns16550a", BOOT_UART_16550_MMIO, 0, 1},
	{"ns16550", BOOT_UART_16550_MMIO, 0, 1},
	{"brcm,bcm2835-aux-uart", BOOT_UART_16550_MMIO, 2, 4},
};

static const struct uart_binding *uart_binding_find(const struct fdt_walk *w)
{
	u32 len;
	const u8 *list = fdt_prop(w->fdt, fdt_node(w), "compatible", &len);

	for (u32 i = 0; list && i < ARRAY_SIZE(uart_bindings); i++) {
		if (fdt_list_index(list, len, uart_bindings[i].compatible) >= 0)
			return &uart_bindings[i];
	}
	return NULL;
}

/* fdt_read_uart - see fdt_devices.h. */
bool fdt_read_uart(const struct fdt_walk *w, u32 baud)
{
	const struct uart_binding *b = uart_binding_find(w);
	const struct fdt *f = w->fdt;
	u32 node = fdt_node(w), offset;
	u64 base, size;

	if (!b || !fdt_walk_enabled(w))
		return false;
	offset = fdt_prop_u32(f, node, "reg-offset", 0);
	if (fdt_reg(w, 0, &base, &size) || base + offset < base) {
		report_skipped(w, "no address");
		return false;
	}
	boot_info.console = (struct boot_uart){
		.kind = b->kind,
		.base = base + offset,
		.reg_shift = fdt_prop_u32(f, node, "reg-shift", b->reg_shift),
		.reg_width = fdt_prop_u32(f, node, "reg-io-width", b->reg_width),
		.clock_hz = fdt_prop_u32(f, node, "clock-frequency", 0),
		.baud = baud,
		.irq = node_intid(w, 0),
	};
	if (boot_info.console.reg_shift > 3 ||
	    (boot_info.console.reg_width != 1 && boot_info.console.reg_width != 4)) {
		report_skipped(w, "impossible register layout");
		boot_info.console = (struct boot_uart){.irq = BOOT_NO_IRQ};
		return false;
	}
	return true;
}
