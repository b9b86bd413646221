/* SPDX-License-Identifier: MIT */
/*
 * test_elf.c - the program loader against well-formed, damaged and malicious files.
 *
 * The address space is a list of what was asked for. Every request is checked for what the loader promises:
 * page-aligned, inside user memory, above nothing that was not announced, and bytes are cleared only where the
 * file was mapped writable.
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
#include "mm/phys/slab.h"
#include "mm/vma/space.h"
#include "tests/host/harness.h"

/* --- the world of the loader ------------------------------------------------------------------------ */

#define IMAGE_SIZE 0x6000
#define MAX_MAPS   2048

static u8 image[IMAGE_SIZE];
static size_t image_size;
static struct map_request maps[MAX_MAPS];
static unsigned nr_maps;
static u64 cleared;
static u64 next_random;

static struct object *some_object = (struct object *)&image;
static struct inode inode;
static struct file file = {.inode = &inode};

ssize_t file_read_kernel(struct file *f, void *buf, size_t n, u64 pos)
{
	EXPECT(f == &file);
	EXPECT(pos + n >= pos && pos + n <= (u64)INT64_MAX);
	if (pos >= image_size)
		return 0;
	n = MIN(n, image_size - pos);
	memcpy(buf, image + pos, n);
	return (ssize_t)n;
}

int space_map(struct space *s, const struct map_request *r, vaddr_t *out)
{
	u64 len = ALIGN_UP(r->len, PAGE_SIZE);

	(void)s;
	EXPECT(r->flags & MAP_FIXED && r->flags & MAP_PRIVATE);
	EXPECT(IS_ALIGNED(r->addr, PAGE_SIZE));
	EXPECT(r->len && len && len <= USER_TOP && r->addr <= USER_TOP - len);
	EXPECT(!r->obj == !!(r->flags & MAP_ANONYMOUS));
	if (r->addr < 65536)
		return -EPERM;
	ASSERT(nr_maps < MAX_MAPS);
	maps[nr_maps++] = *r;
	*out = r->addr;
	return 0;
}

/* The last mapping of an address is the one that counts. */
static const struct map_request *map_at(vaddr_t va)
{
	for (unsigned i = nr_maps; i-- > 0;)
		if (va >= maps[i].addr && va - maps[i].addr < ALIGN_UP(maps[i].len, PAGE_SIZE))
			return &maps[i];
	return NULL;
}

int space_zero(struct space *s, vaddr_t va, size_t len)
{
	(void)s;
	for (size_t i = 0; i < len; i++) {
		const struct map_request *m = map_at(va + i);

		EXPECT(m && m->obj && m->prot & PROT_WRITE);
	}
	EXPECT((va & ~PAGE_MASK) + len <= PAGE_SIZE);
	cleared += len;
	return 0;
}

u64 exec_layout_random(void)
{
	return next_random;
}

void *kmalloc(size_t size, unsigned flags)
{
	(void)flags;
	return malloc(size);
}

void kfree(void *p)
{
	free(p);
}

/* --- files ------------------------------------------------------------------------------------------- */

static struct elf64_ehdr *head(void)
{
	return (struct elf64_ehdr *)image;
}

static struct elf64_phdr *phdr(unsigned i)
{
	return (struct elf64_phdr *)(image + 64) + i;
}

/* A small program: text at 0x400000, data with zeroes behind it at 0x402ff0, a stack note. */
static void make_program(u16 type, vaddr_t base)
{
	memset(image, 0, sizeof(image));
	image_size = sizeof(image);
	*head() = (struct elf64_ehdr){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = type,
		.e_machine = ELF_MACHINE,
		.e_version = EV_CURRENT,
		.e_entry = base + 0x100,
		.e_phoff = 64,
		.e_ehsize = 64,
		.e_phentsize = 56,
		.e_phnum = 3,
	};
	*phdr(0) = (struct elf64_phdr){PT_LOAD, PF_R | PF_X, 0, base, base, 0x1234, 0x1234, 4096};
	*phdr(1) = (struct elf64_phdr){PT_LOAD,       PF_R | PF_W, 0x1ff0, base + 0x2ff0,
				       base + 0x2ff0, 0x20,        0x5000, 4096};
	*phdr(2) = (struct elf64_phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
}

static int load(struct elf_image *out)
{
	nr_maps = 0;
	cleared = 0;
	inode.obj = some_object;
	struct exec_head head;

	memset(out, 0, sizeof(*out));
	head.len = (size_t)file_read_kernel(&file, head.bytes, sizeof(head.bytes), 0);
	return elf_load(&file, &head, NULL, out);
}

static void expect_refused(const char *what)
{
	struct elf_image out;
	int err = load(&out);

	if (err != -ENOEXEC)
		host_fail(__FILE__, __LINE__, "%s: %d", what, err);
	make_program(ET_EXEC, 0x400000);
}

TEST(program_is_mapped_as_its_headers_say)
{
	struct elf_image out;

	make_program(ET_EXEC, 0x400000);
	ASSERT_EQ(load(&out), 0);
	ASSERT_EQ(nr_maps, 3);
	EXPECT_EQ(maps[0].addr, 0x400000);
	EXPECT_EQ(maps[0].prot, PROT_READ | PROT_EXEC);
	EXPECT_EQ(maps[1].addr, 0x402000);
	EXPECT_EQ(maps[1].pgoff, 1);
	EXPECT_EQ(maps[2].addr, 0x404000);
	EXPECT(!maps[2].obj);
	EXPECT_EQ(cleared, 0x404000 - 0x403010);
	EXPECT_EQ(out.entry, 0x400100);
	EXPECT_EQ(out.phdr, 0x400040);
	EXPECT_EQ(out.phnum, 3);
	EXPECT_EQ(out.brk, 0x408000);
	EXPECT(!out.exec_stack);
}

TEST(independent_program_is_moved_as_a_whole)
{
	struct elf_image out;

	for (int i = 0; i < 1000; i++) {
		next_random = rng();
		make_program(ET_DYN, 0);
		phdr(1)->p_align = 0x200000;
		ASSERT_EQ(load(&out), 0);
		vaddr_t base = maps[0].addr;
		EXPECT(IS_ALIGNED(base, 0x200000));
		EXPECT_EQ(out.entry, base + 0x100);
		EXPECT_EQ(maps[1].addr, base + 0x2000);
		EXPECT_EQ(out.brk, base + 0x8000);
	}
}

TEST(headers_may_lie_anywhere_in_the_file)
{
	static const u64 places[] = {64 + 56, EXEC_HEAD - 60, EXEC_HEAD, 0x1000, 0x1233};
	u8 headers[3 * sizeof(struct elf64_phdr)];
	struct elf_image out;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		make_program(ET_EXEC, 0x400000);
		memcpy(headers, phdr(0), sizeof(headers));
		memset(phdr(0), 0xff, sizeof(headers));
		memcpy(image + places[i], headers, sizeof(headers));
		head()->e_phoff = places[i];
		ASSERT_EQ(load(&out), 0);
		EXPECT_EQ(nr_maps, 3);
		EXPECT_EQ(out.phdr, 0x400000 + places[i]);
	}
	make_program(ET_EXEC, 0x400000);
}

TEST(stack_is_executable_only_on_demand)
{
	struct elf_image out;

	make_program(ET_EXEC, 0x400000);
	phdr(2)->p_flags |= PF_X;
	ASSERT_EQ(load(&out), 0);
	EXPECT(out.exec_stack);
}

#define REFUSE(change)                   \
	do {                             \
		change;                  \
		expect_refused(#change); \
	} while (0)

TEST(wrong_headers_are_refused)
{
	make_program(ET_EXEC, 0x400000);
	REFUSE(image[0] = 'E');
	REFUSE(head()->e_ident[EI_CLASS] = 1);
	REFUSE(head()->e_ident[EI_DATA] = 2);
	REFUSE(head()->e_ident[EI_VERSION] = 0);
	REFUSE(head()->e_version = 2);
	REFUSE(head()->e_type = 1);
	REFUSE(head()->e_machine++);
	REFUSE(head()->e_phentsize = 32);
	REFUSE(head()->e_phnum = 0);
	REFUSE(head()->e_phnum = 0xffff);
	REFUSE(head()->e_phoff = image_size);
	REFUSE(head()->e_phoff = ~0ull);
	REFUSE(head()->e_phoff = INT64_MAX);
	REFUSE(head()->e_entry = 0);
	REFUSE(head()->e_entry = 0x402ff0); /* not executable */
	REFUSE(head()->e_entry = 0x401234); /* one too far */
	REFUSE(phdr(2)->p_type = PT_INTERP);
	for (image_size = 0; image_size < 64 + 3 * 56; image_size++) {
		struct elf_image out;

		EXPECT_EQ(load(&out), -ENOEXEC);
	}
}

TEST(wrong_segments_are_refused)
{
	make_program(ET_EXEC, 0x400000);
	REFUSE(phdr(1)->p_filesz = 0x5001);
	REFUSE(phdr(1)->p_memsz = USER_TOP);
	REFUSE(phdr(1)->p_memsz = ~0ull);
	REFUSE(phdr(1)->p_vaddr = USER_TOP - 0x10);
	REFUSE(phdr(1)->p_vaddr = ~0ull - 0x10);
	REFUSE(phdr(1)->p_vaddr = 0x401000);
	REFUSE(phdr(1)->p_vaddr += 8);
	REFUSE(phdr(1)->p_offset += 8);
	REFUSE(phdr(1)->p_offset = ~0ull - 15);
	REFUSE(phdr(1)->p_align = 3);
	REFUSE(phdr(1)->p_align = 1ull << 63);
	REFUSE(phdr(0)->p_type = PT_NOTE); /* the entry is nowhere */
	REFUSE((phdr(0)->p_memsz = 0));    /* smaller than its file part */
}

TEST(no_damage_makes_it_ask_for_the_impossible)
{
	struct elf_image out;
	unsigned good = 0;

	for (int round = 0; round < 200000; round++) {
		make_program(round & 1 ? ET_DYN : ET_EXEC, round & 1 ? 0 : 0x400000);
		next_random = rng();
		for (unsigned n = 1 + (unsigned)(rng() % 4); n; n--) {
			size_t at = rng() % (64 + 3 * 56);
			static const u64 extremes[] = {0,          1,         0xff,  0xfff,
						       0x1000,     USER_TOP,  ~0ull, INT64_MAX,
						       1ull << 63, 1ull << 47};
			u64 value = extremes[rng() % ARRAY_SIZE(extremes)];

			if (rng() & 1)
				image[at] = (u8)rng();
			else
				memcpy(image + (at & ~7ul), &value, 8);
		}
		good += load(&out) == 0;
		if (host_test_failed())
			return;
	}
	EXPECT(good > 1000); /* not everything matters */
}
