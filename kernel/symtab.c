/* SPDX-License-Identifier: MIT */
/*
 * symtab.c - reading the table that tools/mksymtab made (its head describes the format).
 *
 * This runs in panics, so nothing in the table is believed beyond its header: each offset is checked
 * against the size before it is used.
 */
#include <quire/image.h>
#include "kernel/symtab.h"
#include "lib/string.h"

extern const char symtab_start[], symtab_end[]; /* linker.ld */

struct symtab_header {
	char magic[4];
	u32 size, text_size;
	u32 nr_symbols, nr_blocks, nr_files;
	u32 symbols, files, blocks, rows, strings; /* offsets from the header */
};

/* Two words, sorted by the first. */
struct symtab_entry {
	u32 address; /* from text_start */
	u32 offset;  /* symbols: name in strings; blocks: first row in rows */
};

/* What a row says, and where the next one is. */
struct row_reader {
	const u8 *at, *end;
	u32 address, file;
	s32 line;
};

static const struct symtab_header *table_get(void)
{
	const struct symtab_header *h = (const struct symtab_header *)symtab_start;

	if ((size_t)(symtab_end - symtab_start) < sizeof(*h) || memcmp(h->magic, "QSYM", 4) ||
	    h->size > (size_t)(symtab_end - symtab_start))
		return NULL;
	return h;
}

/* The last of n entries at `offset` whose address is not above `address`; NULL when there is none. */
static const struct symtab_entry *find_entry(const struct symtab_header *h, u32 offset, u32 n,
					     u32 address)
{
	const struct symtab_entry *entries = (const void *)((const char *)h + offset);
	u32 lo = 0, hi = n;

	if (offset > h->size || n > (h->size - offset) / sizeof(*entries))
		return NULL;
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (entries[mid].address <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &entries[lo - 1] : NULL;
}

static const char *string_at(const struct symtab_header *h, u32 offset)
{
	u32 space = h->strings < h->size ? h->size - h->strings : 0;
	const char *s = (const char *)h + h->strings + offset;

	if (offset >= space || strnlen(s, space - offset) == space - offset)
		return NULL;
	return s;
}

static u64 read_uleb(struct row_reader *r)
{
	u64 v = 0;

	for (unsigned shift = 0; r->at < r->end && shift < 63; shift += 7) {
		u8 byte = *r->at++;

		v |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return v;
}

static s32 read_sleb(struct row_reader *r)
{
	u64 v = 0;
	unsigned shift = 0;
	u8 byte = 0;

	while (r->at < r->end && shift < 63) {
		byte = *r->at++;
		v |= (u64)(byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80))
			break;
	}
	if (byte & 0x40)
		v |= ~0ull << shift;
	return (s32)v;
}

/* Go on to the next row; the address is that of the row it will describe. */
static void row_next(struct row_reader *r)
{
	u64 head = read_uleb(r);

	r->address += (u32)(head >> 1);
	if (head & 1)
		r->file = (u32)read_uleb(r);
	r->line += read_sleb(r);
}

static void find_line(const struct symtab_header *h, u32 address, struct symtab_pos *pos)
{
	const struct symtab_entry *block = find_entry(h, h->blocks, h->nr_blocks, address), *next;
	u32 rows_size = h->strings > h->rows && h->strings <= h->size ? h->strings - h->rows : 0;
	const u8 *rows = (const u8 *)h + h->rows;
	struct row_reader r, found = {0};

	if (!block || block->offset >= rows_size)
		return;
	next = block + 1;
	r = (struct row_reader){.at = rows + block->offset, .address = block->address};
	r.end = rows + rows_size;
	if ((const char *)next < (const char *)h + h->rows && next->offset <= rows_size)
		r.end = rows + next->offset;
	while (r.at < r.end) {
		row_next(&r);
		if (r.address > address)
			break;
		found = r;
	}
	if (found.file && found.file < h->nr_files && h->files <= h->size &&
	    h->nr_files <= (h->size - h->files) / sizeof(u32)) {
		pos->file = string_at(h, ((const u32 *)((const char *)h + h->files))[found.file]);
		pos->line = (unsigned)found.line;
	}
}

bool symtab_lookup(vaddr_t address, struct symtab_pos *pos)
{
	const struct symtab_header *h = table_get();
	u64 offset = address - (vaddr_t)text_start;
	const struct symtab_entry *symbol;

	*pos = (struct symtab_pos){.name = NULL};
	if (!h || offset >= h->text_size)
		return false;
	symbol = find_entry(h, h->symbols, h->nr_symbols, (u32)offset);
	if (!symbol)
		return false;
	pos->name = string_at(h, symbol->offset);
	pos->offset = (u32)offset - symbol->address;
	find_line(h, (u32)offset, pos);
	return pos->name;
}
