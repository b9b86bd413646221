/* SPDX-License-Identifier: MIT */
/*
 * fdt.c - the structure of a flattened device tree: checking it, walking it, finding properties.
 *
 * The blob has a header, a list of reserved memory, a block of tokens and a block of property names:
 *
 *      1 BEGIN_NODE  name, terminated, padded to 4
 *      3 PROP        length u32, name offset u32, value padded to 4
 *      2 END_NODE    4 NOP    9 END
 *
 * All numbers are big-endian. token_read is the only function that looks at the token block; it
 * refuses whatever does not fit, so that a walk over a damaged block ends instead of leaving it.
 *
 * Read next: fdt_address.c.
 */
#include "boot/fdt.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include <uapi/errno.h>

#define FDT_MAGIC   0xd00dfeed
#define FDT_VERSION 17 /* fixed since 2005; every tool writes it */

enum token_kind {
	TOKEN_BEGIN_NODE = 1,
	TOKEN_END_NODE = 2,
	TOKEN_PROP = 3,
	TOKEN_NOP = 4,
	TOKEN_END = 9,
	TOKEN_BAD = 0,
};

struct token {
	u32 kind;
	u32 next;         /* offset of the token behind it */
	const char *name; /* of a node or property */
	const u8 *value;  /* of a property */
	u32 len;
};

static void token_read_node(const struct fdt *f, u32 at, struct token *t)
{
	u32 room = f->structure_size - at;
	size_t len = strnlen((const char *)f->structure + at, room);

	if (len == room) {
		t->kind = TOKEN_BAD;
		return;
	}
	t->name = (const char *)f->structure + at;
	t->next = at + ALIGN_UP((u32)len + 1, 4u);
}

static void token_read_prop(const struct fdt *f, u32 at, struct token *t)
{
	u32 room = f->structure_size - at, name;

	t->kind = TOKEN_BAD;
	if (room < 8)
		return;
	t->len = be32_at(f->structure + at);
	name = be32_at(f->structure + at + 4);
	if (t->len > room - 8 || name >= f->strings_size)
		return;
	t->kind = TOKEN_PROP;
	t->name = f->strings + name; /* terminated: fdt_open looked at the block's last byte */
	t->value = f->structure + at + 8;
	t->next = at + 8 + ALIGN_UP(t->len, 4u);
}

/* Reads the token at an offset; TOKEN_BAD when it is unknown or does not fit into the block. */
static void token_read(const struct fdt *f, u32 at, struct token *t)
{
	*t = (struct token){.kind = TOKEN_BAD, .next = at};
	if (at > f->structure_size || f->structure_size - at < 4)
		return;
	t->kind = be32_at(f->structure + at);
	t->next = at + 4;
	switch (t->kind) {
	case TOKEN_BEGIN_NODE:
		token_read_node(f, at + 4, t);
		break;
	case TOKEN_PROP:
		token_read_prop(f, at + 4, t);
		break;
	case TOKEN_END_NODE:
	case TOKEN_NOP:
	case TOKEN_END:
		break;
	default:
		t->kind = TOKEN_BAD;
		break;
	}
}

/* fdt_total_size - see fdt.h. */
u32 fdt_total_size(const u8 *header)
{
	u32 size = be32_at(header + 4);

	return be32_at(header) == FDT_MAGIC && size <= FDT_MAX_SIZE ? size : 0;
}

static bool block_fits(u32 offset, u32 size, u32 total)
{
	return offset >= FDT_HEADER_SIZE && offset <= total && size <= total - offset;
}

/* Counts the reserved ranges, which end with a pair of zeroes. False when that is missing. */
static bool count_reservations(struct fdt *f, const u8 *blob, u32 offset, u32 total)
{
	f->reservations = blob + offset;
	f->nr_reservations = 0;
	for (; offset >= FDT_HEADER_SIZE && offset <= total && total - offset >= 16; offset += 16) {
		if (!be64_at(blob + offset) && !be64_at(blob + offset + 8))
			return true;
		f->nr_reservations++;
	}
	return false;
}

/* One root, every node closed, properties before children, an end. NULL or what is wrong. */
static const char *check_structure(const struct fdt *f, u32 *at)
{
	struct token t;
	int depth = 0;
	bool children = false, seen_root = false;

	for (;; *at = t.next) {
		token_read(f, *at, &t);
		switch (t.kind) {
		case TOKEN_BEGIN_NODE:
			if (!depth && seen_root)
				return "second root";
			if (depth == FDT_MAX_DEPTH)
				return "nested too deeply";
			seen_root = true;
			children = false;
			depth++;
			break;
		case TOKEN_END_NODE:
			if (!depth)
				return "end of no node";
			depth--;
			children = true;
			break;
		case TOKEN_PROP:
			if (!depth || children)
				return "property in a wrong place";
			break;
		case TOKEN_NOP:
			break;
		case TOKEN_END:
			return depth || !seen_root ? "ends too early" : NULL;
		default:
			return "bad token";
		}
	}
}

/* fdt_open - see fdt.h. */
int fdt_open(struct fdt *f, const u8 *blob, u32 size)
{
	u32 total, structure, strings, at = 0;
	const char *problem = NULL;

	*f = (struct fdt){0};
	total = size >= FDT_HEADER_SIZE ? fdt_total_size(blob) : 0;
	if (total < FDT_HEADER_SIZE || total > size) {
		printk("fdt: no device tree in %u bytes\n", size);
		return -EINVAL;
	}
	structure = be32_at(blob + 8);
	strings = be32_at(blob + 12);
	f->strings_size = be32_at(blob + 32);
	f->structure_size = be32_at(blob + 36);
	f->structure = blob + structure;
	f->strings = (const char *)blob + strings;
	if (be32_at(blob + 20) < FDT_VERSION || be32_at(blob + 24) > FDT_VERSION)
		problem = "unknown version";
	else if (!block_fits(structure, f->structure_size, total) || structure % 4)
		problem = "structure block outside the tree";
	else if (!block_fits(strings, f->strings_size, total))
		problem = "strings block outside the tree";
	else if (f->strings_size && f->strings[f->strings_size - 1])
		problem = "last string is not terminated";
	else if (!count_reservations(f, blob, be32_at(blob + 16), total))
		problem = "reserved memory list has no end";
	else
		problem = check_structure(f, &at);
	if (!problem)
		return 0;
	printk("fdt: damaged device tree: %s (token offset 0x%x)\n", problem, at);
	return -EINVAL;
}

/* fdt_walk_begin - see fdt.h. */
void fdt_walk_begin(struct fdt_walk *w, const struct fdt *f)
{
	*w = (struct fdt_walk){.fdt = f, .depth = -1};
}

/* fdt_walk_next - see fdt.h. */
bool fdt_walk_next(struct fdt_walk *w)
{
	struct token t;

	for (;;) {
		u32 at = w->next;

		token_read(w->fdt, at, &t);
		w->next = t.next;
		switch (t.kind) {
		case TOKEN_BEGIN_NODE:
			w->path[++w->depth] = at;
			return true;
		case TOKEN_END_NODE:
			w->depth--;
			break;
		case TOKEN_PROP:
		case TOKEN_NOP:
			break;
		default:
			return false;
		}
	}
}

/* fdt_name - see fdt.h. */
const char *fdt_name(const struct fdt *f, u32 node)
{
	return (const char *)f->structure + node + 4;
}

/* Whether a node's name matches one component of a path; its unit address need not be given. */
static bool name_matches(const char *name, const char *component, size_t len)
{
	if (strncmp(name, component, len))
		return false;
	return !name[len] || (name[len] == '@' && !memchr(component, '@', len));
}

/* The n-th component of a path and its length; length 0: the path is shorter. */
static const char *path_component(const char *path, int n, size_t *len)
{
	while (*path == '/')
		path++;
	for (; n > 0 && *path; n--) {
		while (*path && *path != '/')
			path++;
		while (*path == '/')
			path++;
	}
	for (*len = 0; path[*len] && path[*len] != '/';)
		++*len;
	return path;
}

/* fdt_walk_to - see fdt.h. */
bool fdt_walk_to(struct fdt_walk *w, const struct fdt *f, const char *path)
{
	int matched = 0; /* depth of the deepest node on the way to the one wanted */
	size_t len;

	fdt_walk_begin(w, f);
	while (fdt_walk_next(w)) {
		if (w->depth > 0) {
			const char *component = path_component(path, w->depth - 1, &len);

			matched = MIN(matched, w->depth - 1);
			if (matched < w->depth - 1 || !len ||
			    !name_matches(fdt_name(f, fdt_node(w)), component, len))
				continue;
			matched = w->depth;
		}
		path_component(path, w->depth, &len);
		if (!len)
			return true;
	}
	return false;
}

/* fdt_walk_enabled - see fdt.h. */
bool fdt_walk_enabled(const struct fdt_walk *w)
{
	for (int d = 0; d <= w->depth; d++) {
		u32 len;
		const char *status = fdt_prop_string(w->fdt, w->path[d], "status");

		if (!status && !fdt_prop(w->fdt, w->path[d], "status", &len))
			continue;
		if (!status || (strcmp(status, "okay") && strcmp(status, "ok")))
			return false;
	}
	return true;
}

/* fdt_prop - see fdt.h. */
const u8 *fdt_prop(const struct fdt *f, u32 node, const char *name, u32 *len)
{
	struct token t;

	token_read(f, node, &t);
	for (;;) {
		token_read(f, t.next, &t);
		if (t.kind == TOKEN_PROP && !strcmp(t.name, name)) {
			*len = t.len;
			return t.value;
		}
		if (t.kind != TOKEN_PROP && t.kind != TOKEN_NOP)
			return NULL;
	}
}

/* fdt_prop_u32 - see fdt.h. */
u32 fdt_prop_u32(const struct fdt *f, u32 node, const char *name, u32 otherwise)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	return p && len >= 4 ? be32_at(p) : otherwise;
}

/* fdt_prop_number - see fdt.h. */
bool fdt_prop_number(const struct fdt *f, u32 node, const char *name, u64 *value)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	if (!p || (len != 4 && len != 8))
		return false;
	*value = len == 4 ? be32_at(p) : be64_at(p);
	return true;
}

/* fdt_prop_string - see fdt.h. */
const char *fdt_prop_string(const struct fdt *f, u32 node, const char *name)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	return p && memchr(p, '\0', len) ? (const char *)p : NULL;
}

/* fdt_list_index - see fdt.h. */
int fdt_list_index(const u8 *list, u32 len, const char *string)
{
	for (int i = 0; len; i++) {
		const u8 *end = memchr(list, '\0', len);

		if (!end)
			break;
		if (!strcmp((const char *)list, string))
			return i;
		len -= (u32)(end + 1 - list);
		list = end + 1;
	}
	return -1;
}

/* fdt_string_index - see fdt.h. */
int fdt_string_index(const struct fdt *f, u32 node, const char *name, const char *string)
{
	u32 len;
	const u8 *list = fdt_prop(f, node, name, &len);

	return list ? fdt_list_index(list, len, string) : -1;
}

/* fdt_find_phandle - see fdt.h. */
bool fdt_find_phandle(const struct fdt *f, u32 phandle, u32 *node)
{
	struct fdt_walk w;

	fdt_walk_begin(&w, f);
	while (fdt_walk_next(&w)) {
		if (fdt_prop_u32(f, fdt_node(&w), "phandle", 0) == phandle) {
			*node = fdt_node(&w);
			return phandle != 0;
		}
	}
	return false;
}
