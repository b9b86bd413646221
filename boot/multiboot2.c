/* SPDX-License-Identifier: MIT */
/*
 * multiboot2.c - boot through GRUB, under a BIOS or UEFI.
 *
 * The boot information is one block: total size u32, reserved u32, then tags of type u32, size u32
 * and data, each starting at a multiple of eight, ended by a tag of type 0. GRUB may put the block
 * and small modules at very low addresses, in memory its own map calls usable; all that is needed
 * later is copied here, and the initramfs is reserved by boot_info_finish.
 *
 * Which memory map: tag 6 is what GRUB made of the BIOS or EFI map and is preferred; tag 17 is the
 * raw EFI map, of use when 6 is missing; tag 4 knows two numbers and is the last resort.
 *
 * Reference: Multiboot2 Specification version 2.0, section 3.6; UEFI specification, GetMemoryMap.
 */
#include "boot/internal.h"
#include "kernel/printk.h"

#define MB2_MAX_SIZE MIB(1)

enum mb2_tag {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_BASIC_MEM = 4,
	MB2_MMAP = 6,
	MB2_FRAMEBUFFER = 8,
	MB2_RSDP_OLD = 14,
	MB2_RSDP_NEW = 15,
	MB2_EFI_MMAP = 17,
};

#define MB2_FRAMEBUFFER_SIZE 30 /* of data, for direct colours */
#define MB2_DIRECT_COLOURS   1  /* the other kinds are a palette, and text */

struct tag {
	u32 type;
	u32 size;       /* of data */
	const u8 *data; /* behind the 8 byte header */
	paddr_t pa;     /* of data */
};

struct info {
	const u8 *start;
	paddr_t pa;
	u32 size;
};

/* The three that may describe memory; data is NULL where GRUB gave none. */
struct memory_tags {
	struct tag mmap, efi_mmap, basic;
};

/* Reads the tag at *offset and moves to the next one. False at the end tag and at damage. */
static bool tag_next(const struct info *info, u32 *offset, struct tag *t)
{
	u32 size;

	if (*offset > info->size || info->size - *offset < 8) {
		printk("multiboot2: no end tag\n");
		return false;
	}
	t->type = le32_at(info->start + *offset);
	size = le32_at(info->start + *offset + 4);
	if (size < 8 || size > info->size - *offset) {
		printk("multiboot2: tag %u at offset %u has size %u of %u, the rest is skipped\n",
		       t->type, *offset, size, info->size - *offset);
		return false;
	}
	t->size = size - 8;
	t->data = info->start + *offset + 8;
	t->pa = info->pa + *offset + 8;
	*offset += ALIGN_UP(size, 8u);
	return t->type != MB2_END;
}

/* Checks the head of a table-like tag: entry size at data[0], entries from data[8] on. */
static u32 tag_entry_size(const struct tag *t, u32 least)
{
	u32 size = t->size >= 8 ? le32_at(t->data) : 0;

	if (size >= least && size % 8 == 0)
		return size;
	printk("multiboot2: tag %u: entry size %u, skipped\n", t->type, size);
	return 0;
}

static bool read_mmap(const struct tag *t)
{
	u32 entry = tag_entry_size(t, 24);

	if (!entry)
		return false;
	for (u32 at = 8; t->size - at >= entry; at += entry) {
		const u8 *e = t->data + at;

		boot_add_e820(le64_at(e), le64_at(e + 8), le32_at(e + 16));
	}
	return true;
}

static bool read_efi_mmap(const struct tag *t)
{
	u32 entry = tag_entry_size(t, BOOT_EFI_DESCRIPTOR);

	if (!entry)
		return false;
	for (u32 at = 8; t->size - at >= entry; at += entry)
		boot_add_efi(t->data + at);
	return true;
}

static void read_memory(const struct memory_tags *m)
{
	if (m->mmap.data && read_mmap(&m->mmap))
		return;
	if (m->efi_mmap.data && read_efi_mmap(&m->efi_mmap))
		return;
	printk("multiboot2: no memory map\n");
	if (m->basic.data && m->basic.size >= 8) {
		boot_add_range(0, KIB(le32_at(m->basic.data)), BOOT_MEM_RAM);
		boot_add_range(MIB(1), KIB(le32_at(m->basic.data + 4)), BOOT_MEM_RAM);
	}
}

static void read_module(const struct tag *t)
{
	paddr_t start, end;

	if (t->size < 8)
		return;
	start = le32_at(t->data);
	end = le32_at(t->data + 4);
	if (boot_info.initrd_size) {
		printk("multiboot2: more than one module, the one at 0x%lx is ignored\n", start);
	} else if (end < start) {
		printk("multiboot2: module from 0x%lx to 0x%lx ignored\n", start, end);
	} else {
		boot_info.initrd = start;
		boot_info.initrd_size = end - start;
	}
}

static struct boot_colour colour_at(const u8 *p)
{
	return (struct boot_colour){.shift = p[0], .bits = p[1]};
}

/* address u64, pitch u32, width u32, height u32, bits per pixel u8, kind u8, 2 bytes reserved, then position
 * and size of each colour. A machine without a screen may have a kind of text, at an address of long ago. */
static void read_framebuffer(const struct tag *t)
{
	struct boot_framebuffer fb;

	if (t->size < MB2_FRAMEBUFFER_SIZE || t->data[21] != MB2_DIRECT_COLOURS) {
		printk("multiboot2: the screen has no pixels of direct colour, not used\n");
		return;
	}
	fb = (struct boot_framebuffer){
		.base = le64_at(t->data),
		.pitch = le32_at(t->data + 8),
		.width = le32_at(t->data + 12),
		.height = le32_at(t->data + 16),
		.pixel_size = (t->data[20] + 7u) / 8,
		.red = colour_at(t->data + 24),
		.green = colour_at(t->data + 26),
		.blue = colour_at(t->data + 28),
	};
	boot_set_framebuffer(&fb);
}

static void read_tags(const struct info *info, struct memory_tags *memory)
{
	u32 offset = 8;
	struct tag t;

	while (tag_next(info, &offset, &t)) {
		switch (t.type) {
		case MB2_CMDLINE:
			boot_set_cmdline((const char *)t.data, t.size);
			break;
		case MB2_MODULE:
			read_module(&t);
			break;
		case MB2_BASIC_MEM:
			memory->basic = t;
			break;
		case MB2_MMAP:
			memory->mmap = t;
			break;
		case MB2_EFI_MMAP:
			memory->efi_mmap = t;
			break;
		case MB2_FRAMEBUFFER:
			read_framebuffer(&t);
			break;
		case MB2_RSDP_OLD: /* under EFI this one leads to older tables */
			if (!boot_info.rsdp)
				boot_info.rsdp = t.pa;
			break;
		case MB2_RSDP_NEW:
			boot_info.rsdp = t.pa;
			break;
		default:
			break;
		}
	}
}

static void read_info(paddr_t pa)
{
	struct info info = {.pa = pa};
	struct memory_tags memory = {0};
	const u8 *head = boot_map(pa, 8);

	info.size = head ? le32_at(head) : 0;
	if (info.size > MB2_MAX_SIZE) {
		printk("multiboot2: boot information of %u bytes, read to %lu\n", info.size,
		       MB2_MAX_SIZE);
		info.size = MB2_MAX_SIZE;
	}
	info.start = info.size >= 8 ? boot_map(pa, info.size) : NULL;
	if (!info.start) {
		printk("multiboot2: no boot information at 0x%lx\n", pa);
		return;
	}
	read_tags(&info, &memory);
	read_memory(&memory);
}

/* boot_from_multiboot2 - see boot_info.h. */
void boot_from_multiboot2(paddr_t info)
{
	boot_info.protocol = "multiboot2";
	read_info(info);
	boot_read_pc(boot_info.rsdp);
	boot_info_finish();
}
