/* SPDX-License-Identifier: MIT */
/*
 * symtab.h - names and source lines of addresses in the kernel's text.
 *
 * tools/mksymtab makes the table from the linked kernel and describes its format; it is linked into the
 * kernel's constants. Lookups take no lock and allocate nothing, and work from the first C line on.
 * A kernel linked without the table, or with a damaged one, has no names: lookups are then false.
 */
#pragma once

#include <quire/types.h>

struct symtab_pos {
	const char *name; /* function */
	u32 offset;       /* bytes from its start */
	const char *file; /* NULL: unknown */
	unsigned line;
};

/* symtab_lookup - what address lies in; false when in no known function. Any context. */
bool symtab_lookup(vaddr_t address, struct symtab_pos *);
