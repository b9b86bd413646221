/* SPDX-License-Identifier: MIT */
/*
 * fdt_address.c - device tree numbers whose meaning depends on other nodes: addresses, interrupts.
 *
 * A node's `reg` is written in the cells that its parent prescribes (#address-cells, #size-cells)
 * and counts on its parent's bus. Each bus translates by `ranges`: triples of (address on this bus,
 * address on the bus above, size); an empty `ranges` means the two are the same, none at all that
 * the CPU cannot reach the bus.
 *
 *      soc { #address-cells = <1>; #size-cells = <1>; ranges = <0x7e000000  0 0x3f000000  0x1000000>;
 *              uart { reg = <0x7e201000 0x200>; };     -> CPU address 0x3f201000
 *
 * Interrupts count in cells that their controller prescribes; the controller is named by the nearest
 * `interrupt-parent` on the way up, or is the nearest controller on the way up.
 */
#include "boot/fdt.h"
#include "boot/internal.h"
#include <uapi/errno.h>

#define DEFAULT_ADDRESS_CELLS 2
#define DEFAULT_SIZE_CELLS    1

/* How one bus writes numbers. */
struct cells {
	u32 address, size;
};

static struct cells bus_cells(const struct fdt *f, u32 bus)
{
	return (struct cells){fdt_prop_u32(f, bus, "#address-cells", DEFAULT_ADDRESS_CELLS),
			      fdt_prop_u32(f, bus, "#size-cells", DEFAULT_SIZE_CELLS)};
}

/* Only addresses of one or two cells are numbers; PCI's three are not. */
static bool cells_are_numbers(struct cells c)
{
	return c.address >= 1 && c.address <= 2 && c.size <= 2;
}

/* Reads a number of 0 to 2 cells and moves behind it. */
static u64 take_cells(const u8 **p, u32 cells)
{
	u64 value = 0;

	for (; cells; cells--, *p += 4)
		value = value << 32 | be32_at(*p);
	return value;
}

/* Translates [*address, *address + size) from a bus to the bus above it. */
static int translate_once(const struct fdt *f, u32 bus, u32 above, u64 *address, u64 size)
{
	struct cells in = bus_cells(f, bus), out = bus_cells(f, above);
	u32 len, entry;
	const u8 *p = fdt_prop(f, bus, "ranges", &len);

	if (!p || !cells_are_numbers(in) || !cells_are_numbers(out))
		return -ENXIO;
	if (!len)
		return 0;
	entry = (in.address + out.address + in.size) * 4;
	for (const u8 *end = p + len / entry * entry; p < end;) {
		u64 child = take_cells(&p, in.address);
		u64 parent = take_cells(&p, out.address);
		u64 span = take_cells(&p, in.size);
		u64 offset = *address - child;

		if (*address >= child && offset < span && size <= span - offset &&
		    parent + offset >= parent) {
			*address = parent + offset;
			return 0;
		}
	}
	return -ENXIO;
}

/* fdt_reg - see fdt.h. */
int fdt_reg(const struct fdt_walk *w, u32 index, u64 *base, u64 *size)
{
	const struct fdt *f = w->fdt;
	struct cells c;
	u32 len, entry;
	const u8 *p = fdt_prop(f, fdt_node(w), "reg", &len);

	if (!p || w->depth < 1)
		return -ENOENT;
	c = bus_cells(f, w->path[w->depth - 1]);
	if (!cells_are_numbers(c))
		return -EINVAL;
	entry = (c.address + c.size) * 4;
	if (len % entry)
		return -EINVAL;
	if (index >= len / entry)
		return -ENOENT;
	p += index * entry;
	*base = take_cells(&p, c.address);
	*size = take_cells(&p, c.size);
	if (*base + *size < *base)
		return -EINVAL;
	for (int d = w->depth - 1; d > 0; d--) {
		int err = translate_once(f, w->path[d], w->path[d - 1], base, *size);

		if (err)
			return err;
	}
	return 0;
}

static bool find_controller(const struct fdt_walk *w, u32 *controller)
{
	for (int d = w->depth; d >= 0; d--) {
		u32 len, phandle = fdt_prop_u32(w->fdt, w->path[d], "interrupt-parent", 0);

		if (phandle)
			return fdt_find_phandle(w->fdt, phandle, controller);
		if (d < w->depth && fdt_prop(w->fdt, w->path[d], "interrupt-controller", &len)) {
			*controller = w->path[d];
			return true;
		}
	}
	return false;
}

/* fdt_interrupt - see fdt.h. */
int fdt_interrupt(const struct fdt_walk *w, u32 index, u32 *controller, u32 cells[FDT_MAX_CELLS])
{
	u32 len, count;
	const u8 *p = fdt_prop(w->fdt, fdt_node(w), "interrupts", &len);

	if (!p || !find_controller(w, controller))
		return -ENOENT;
	count = fdt_prop_u32(w->fdt, *controller, "#interrupt-cells", 0);
	if (!count || count > FDT_MAX_CELLS)
		return -EINVAL;
	if (index >= len / 4 / count)
		return -ENOENT;
	for (u32 i = 0; i < FDT_MAX_CELLS; i++)
		cells[i] = i < count ? be32_at(p + (index * count + i) * 4) : 0;
	return (int)count;
}
