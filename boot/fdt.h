/* SPDX-License-Identifier: MIT */
/*
 * fdt.h - reading a flattened device tree in place.
 *
 * fdt_open checks the whole structure once; afterwards a walk cannot fail, run away or leave the
 * blob. A node is named by the offset of its first token; a walk also knows the nodes above it,
 * which is what addresses and interrupts are relative to. No allocation, no recursion, no globals.
 *
 * Values of properties stay untrusted: every reader below checks the length it needs.
 *
 * Reference: Devicetree Specification 0.4, chapters 2 and 5.
 */
#pragma once

#include <quire/types.h>

#define FDT_HEADER_SIZE 40
#define FDT_MAX_SIZE    MIB(2) /* what the arm64 boot protocol allows */
#define FDT_MAX_DEPTH   16
#define FDT_MAX_CELLS   4

struct fdt {
	const u8 *structure;
	const char *strings;
	const u8 *reservations; /* pairs of u64: address, size */
	u32 structure_size, strings_size, nr_reservations;
};

/* fdt_total_size - the size a header claims.
 *  args:    header: FDT_HEADER_SIZE bytes
 *  returns: 0 when this is no device tree, or one larger than FDT_MAX_SIZE */
u32 fdt_total_size(const u8 *header);

/* fdt_open - check a whole blob of `size` bytes.
 *  returns: 0, or -EINVAL with a message; f is usable only after 0 */
int fdt_open(struct fdt *f, const u8 *blob, u32 size);

/* A position in document order. path[0] is the root, path[depth] the node itself. */
struct fdt_walk {
	const struct fdt *fdt;
	u32 next; /* offset of the next token */
	int depth;
	u32 path[FDT_MAX_DEPTH];
};

/* fdt_walk_begin / fdt_walk_next - visit every node, parents before their children:
 *	fdt_walk_begin(&w, f);
 *	while (fdt_walk_next(&w)) ... */
void fdt_walk_begin(struct fdt_walk *w, const struct fdt *f);
bool fdt_walk_next(struct fdt_walk *w);
static inline u32 fdt_node(const struct fdt_walk *w)
{
	return w->path[w->depth];
}

/* fdt_walk_to - position a walk at "/a/b@1" (the unit address may be left out). False: no such node. */
bool fdt_walk_to(struct fdt_walk *w, const struct fdt *f, const char *path);
/* fdt_walk_enabled - neither the node nor one above it has a status other than "okay". */
bool fdt_walk_enabled(const struct fdt_walk *w);

/* fdt_name - "name@unit", terminated. */
const char *fdt_name(const struct fdt *f, u32 node);
/* fdt_prop - a property's value, NULL when absent; *len in bytes, may be 0. Unaligned to 8. */
const u8 *fdt_prop(const struct fdt *f, u32 node, const char *name, u32 *len);
/* fdt_prop_u32 - the first cell of a property, or `otherwise` where there is none. */
u32 fdt_prop_u32(const struct fdt *f, u32 node, const char *name, u32 otherwise);
/* fdt_prop_number - a property of one or two cells. False when absent or of another length. */
bool fdt_prop_number(const struct fdt *f, u32 node, const char *name, u64 *value);
/* fdt_prop_string - a property that is a string; NULL when absent or not terminated. */
const char *fdt_prop_string(const struct fdt *f, u32 node, const char *name);
/* fdt_list_index - position of a string among the terminated strings of a value; -1: not there. */
int fdt_list_index(const u8 *list, u32 len, const char *string);
/* fdt_string_index - the same for a property that may be absent. */
int fdt_string_index(const struct fdt *f, u32 node, const char *name, const char *string);
/* fdt_find_phandle - the node with this phandle. False: none. */
bool fdt_find_phandle(const struct fdt *f, u32 phandle, u32 *node);

/* fdt_reg - entry `index` of the node's reg property as CPU physical address, through the `ranges`
 * of every bus above.
 *  returns: 0, -ENOENT no such entry, -EINVAL malformed, -ENXIO not reachable by the CPU */
int fdt_reg(const struct fdt_walk *w, u32 index, u64 *base, u64 *size);

/* fdt_interrupt - entry `index` of the node's interrupts property.
 *  out:     controller: node of the interrupt controller; cells: FDT_MAX_CELLS numbers
 *  returns: how many cells the controller uses, -ENOENT no such entry, -EINVAL malformed */
int fdt_interrupt(const struct fdt_walk *w, u32 index, u32 *controller, u32 cells[FDT_MAX_CELLS]);
