/* SPDX-License-Identifier: MIT */
/*
 * elf.c - loading ELF64 programs: static ones, at the addresses they were linked for, and static
 * position-independent ones, at an address of our choice.
 *
 * The file is hostile until proven otherwise. read_headers and check_segments look at every field
 * that is used later, with sums that cannot wrap; only then is anything mapped. What is demanded beyond what
 * the gABI says of every executable: 1 to 64 KiB of program headers, segments in ascending order that do not
 * overlap, each within user addresses, file offset and address equal modulo the page size, and an entry
 * point inside an executable segment. A segment may be writable and executable at once.
 *
 * There is no dynamic linking: a file with PT_INTERP is refused with ENOEXEC.
 */
#include <arch/elf.h>
#include <arch/layout.h>
#include <uapi/elf.h>
#include <uapi/errno.h>
#include <uapi/mman.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/exec.h"
#include "kernel/random.h"
#include "kernel/uaccess.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

#define PHDRS_MAX_SIZE KIB(64)
/* Where position-independent programs go: two thirds up, so that heap and mappings have room. */
#define PIE_BASE        (USER_TOP / 3 * 2)
#define PIE_RANDOM_BITS 28 /* of pages */

struct elf_file {
	struct file *file;
	const struct elf64_ehdr *head;
	const struct elf64_phdr *phdrs;
	struct elf64_phdr *own_phdrs; /* NULL: phdrs lie in the head that was read already */
	vaddr_t bias;                 /* what is added to the file's addresses */
	vaddr_t first, last; /* bytes that the segments take up, without bias; last exclusive */
	u64 align;           /* the largest that a segment wants */
};

/* --- check ------------------------------------------------------------------------------------------- */

static bool head_is_valid(const struct elf64_ehdr *h)
{
	return !memcmp(h->e_ident, "\177ELF", 4) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_ident[EI_VERSION] == EV_CURRENT &&
	       h->e_version == EV_CURRENT && h->e_machine == ELF_MACHINE &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_phentsize == sizeof(struct elf64_phdr) && h->e_phnum > 0 &&
	       h->e_phnum * sizeof(struct elf64_phdr) <= PHDRS_MAX_SIZE;
}

/* read_exactly - n bytes at pos, or -ENOEXEC when the file ends before. */
static int read_exactly(struct file *file, void *buf, size_t n, u64 pos)
{
	ssize_t got;

	if (pos > INT64_MAX - n)
		return -ENOEXEC;
	got = file_read_kernel(file, buf, n, pos);
	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

/* find_phdrs - in the head, where linkers put them, or wherever else the file has them. */
static int find_phdrs(struct elf_file *e, const struct exec_head *head)
{
	size_t size = e->head->e_phnum * sizeof(struct elf64_phdr);
	u64 at = e->head->e_phoff;

	if (at <= head->len && size <= head->len - at && IS_ALIGNED(at, sizeof(u64))) {
		e->phdrs = (const struct elf64_phdr *)(head->bytes + at);
		return 0;
	}
	e->phdrs = e->own_phdrs = kmalloc(size, 0);
	return e->phdrs ? read_exactly(e->file, e->own_phdrs, size, at) : -ENOMEM;
}

static int read_headers(struct elf_file *e, const struct exec_head *head)
{
	e->head = (const struct elf64_ehdr *)head->bytes;
	if (head->len < sizeof(*e->head) || !head_is_valid(e->head))
		return -ENOEXEC;
	return find_phdrs(e, head);
}

static bool segment_is_valid(const struct elf64_phdr *p)
{
	if (p->p_filesz > p->p_memsz || p->p_memsz > USER_TOP || p->p_vaddr > USER_TOP - p->p_memsz)
		return false;
	if (p->p_offset > INT64_MAX || p->p_filesz > INT64_MAX - p->p_offset)
		return false;
	if (p->p_align > 1 && (!is_pow2(p->p_align) || p->p_align > USER_TOP))
		return false;
	return p->p_filesz == 0 || (p->p_vaddr - p->p_offset) % PAGE_SIZE == 0;
}

static bool contains_entry(const struct elf_file *e, const struct elf64_phdr *p)
{
	return (p->p_flags & PF_X) && e->head->e_entry >= p->p_vaddr &&
	       e->head->e_entry - p->p_vaddr < p->p_memsz;
}

static bool is_load(const struct elf64_phdr *p)
{
	return p->p_type == PT_LOAD && p->p_memsz;
}

static int check_segments(struct elf_file *e)
{
	bool entry_found = false;
	vaddr_t end = 0;

	e->first = USER_TOP;
	e->align = PAGE_SIZE;
	for (unsigned i = 0; i < e->head->e_phnum; i++) {
		const struct elf64_phdr *p = &e->phdrs[i];

		if (p->p_type == PT_INTERP)
			return -ENOEXEC;
		if (p->p_type != PT_LOAD)
			continue;
		if (!segment_is_valid(p))
			return -ENOEXEC;
		if (!p->p_memsz)
			continue;
		if (p->p_vaddr < end)
			return -ENOEXEC;
		end = p->p_vaddr + p->p_memsz;
		e->first = MIN(e->first, p->p_vaddr);
		e->align = MAX(e->align, p->p_align);
		entry_found = entry_found || contains_entry(e, p);
	}
	e->last = end;
	return entry_found ? 0 : -ENOEXEC;
}

/* --- place ------------------------------------------------------------------------------------------- */

/* choose_bias - 0 for a program that knows its addresses. */
static int choose_bias(struct elf_file *e)
{
	vaddr_t start = ALIGN_DOWN(e->first, e->align);
	u64 random;

	if (e->head->e_type == ET_EXEC)
		return 0;
	random = (exec_layout_random() & low_mask(PIE_RANDOM_BITS)) << PAGE_SHIFT;
	e->bias = ALIGN_DOWN(PIE_BASE + random, e->align) - start;
	if (e->bias + e->last > USER_TOP || e->bias + e->last < e->bias)
		e->bias = ALIGN_UP(PIE_BASE / 2, e->align) - start;
	return e->bias + e->last > USER_TOP || e->bias + e->last < e->bias ? -ENOMEM : 0;
}

/* --- map --------------------------------------------------------------------------------------------- */

static unsigned prot_of(const struct elf64_phdr *p)
{
	return (p->p_flags & PF_R ? PROT_READ : 0u) | (p->p_flags & PF_W ? PROT_WRITE : 0u) |
	       (p->p_flags & PF_X ? PROT_EXEC : 0u);
}

/* map_file_part - the pages that hold bytes of the file. */
static int map_file_part(struct elf_file *e, struct space *space, const struct elf64_phdr *p)
{
	vaddr_t start = ALIGN_DOWN(e->bias + p->p_vaddr, PAGE_SIZE);
	struct map_request r = {
		.addr = start,
		.len = e->bias + p->p_vaddr + p->p_filesz - start,
		.prot = prot_of(p),
		.flags = MAP_PRIVATE | MAP_FIXED,
		.obj = e->file->inode->obj,
		.name = e->file->dentry,
		.pgoff = p->p_offset >> PAGE_SHIFT,
	};

	return space_map(space, &r, &start);
}

/* map_zero_part - the pages behind them, and zeroes in the rest of the last file page. A read-only page
 * keeps what the file has there. */
static int map_zero_part(struct elf_file *e, struct space *space, const struct elf64_phdr *p)
{
	vaddr_t file_end = e->bias + p->p_vaddr + p->p_filesz;
	vaddr_t end = ALIGN_UP(e->bias + p->p_vaddr + p->p_memsz, PAGE_SIZE);
	vaddr_t start =
		p->p_filesz ? ALIGN_UP(file_end, PAGE_SIZE) : ALIGN_DOWN(file_end, PAGE_SIZE);
	struct map_request r = {
		.addr = start,
		.len = end - start,
		.prot = prot_of(p),
		.flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
	};
	int err = 0;

	if (p->p_filesz && (p->p_flags & PF_W))
		err = space_zero(space, file_end, start - file_end);
	if (err || start >= end)
		return err;
	return space_map(space, &r, &start);
}

static int map_segment(struct elf_file *e, struct space *space, const struct elf64_phdr *p)
{
	int err = p->p_filesz ? map_file_part(e, space, p) : 0;

	if (!err && p->p_memsz > p->p_filesz)
		err = map_zero_part(e, space, p);
	return err;
}

/* note_extent - code is what executable segments hold of the file; data starts with the last segment, and
 * ends where the file's last byte is. */
static void note_extent(const struct elf_file *e, const struct elf64_phdr *p, struct elf_image *out)
{
	vaddr_t start = e->bias + p->p_vaddr, end = start + p->p_filesz;

	if ((p->p_flags & PF_X) && (!out->code_end || start < out->code_start))
		out->code_start = start;
	if (p->p_flags & PF_X)
		out->code_end = MAX(out->code_end, end);
	out->data_start = MAX(out->data_start, start);
	out->data_end = MAX(out->data_end, end);
}

/* note_headers - a program finds its own headers (TLS, relocations) in the segment that holds them. */
static void note_headers(const struct elf_file *e, const struct elf64_phdr *p,
			 struct elf_image *out)
{
	u64 at = e->head->e_phoff;

	if (at >= p->p_offset && at - p->p_offset < p->p_filesz)
		out->phdr = e->bias + p->p_vaddr + (at - p->p_offset);
}

static int map_segments(struct elf_file *e, struct space *space, struct elf_image *out)
{
	int err = 0;

	for (unsigned i = 0; !err && i < e->head->e_phnum; i++) {
		const struct elf64_phdr *p = &e->phdrs[i];

		if (p->p_type == PT_GNU_STACK)
			out->exec_stack = p->p_flags & PF_X;
		if (!is_load(p))
			continue;
		note_headers(e, p, out);
		note_extent(e, p, out);
		err = map_segment(e, space, p);
	}
	return err;
}

static int load(struct elf_file *e, const struct exec_head *head, struct space *space,
		struct elf_image *out)
{
	int err = read_headers(e, head);

	if (!err)
		err = check_segments(e);
	if (!err)
		err = choose_bias(e);
	if (err)
		return err;
	*out = (struct elf_image){
		.entry = e->bias + e->head->e_entry,
		.phnum = e->head->e_phnum,
		.brk = ALIGN_UP(e->bias + e->last, PAGE_SIZE),
	};
	return map_segments(e, space, out);
}

int elf_load(struct file *file, const struct exec_head *head, struct space *space,
	     struct elf_image *out)
{
	struct elf_file e = {.file = file};
	int err = file->inode->obj ? load(&e, head, space, out) : -ENOEXEC;

	kfree(e.own_phdrs);
	return err;
}
