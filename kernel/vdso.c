/* SPDX-License-Identifier: MIT */
/*
 * vdso.c - the pages of the vDSO as two objects, mapped privately like a file's.
 *
 * The image is ordinary content: a debugger that sets a breakpoint gets its own copy. The page of data is written
 * here, through the kernel's own mapping, and can be made neither writable nor executable by programs.
 */
#include "kernel/vdso.h"

#include <arch/elf.h>
#include <quire/assert.h>
#include <uapi/elf.h>
#include "kernel/time.h"
#include "kernel/vdso/data.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/vma/space.h"

extern const u8 vdso_image_start[], vdso_image_end[]; /* vdso/image.S */

/* One table of page-table entries reaches this far: placed within it, the vDSO shares the stack's. */
#define TABLE_REACH MIB(2)

static struct object image_object, data_object;
static struct vdso_data *data; /* NULL before vdso_init */

static u64 image_size(void)
{
	return (u64)(vdso_image_end - vdso_image_start);
}

static int image_fill(struct object *obj UNUSED, u64 index, struct page *page)
{
	u64 at = index << PAGE_SHIFT;

	memcpy(page_to_virt(page), vdso_image_start + at, MIN(image_size() - at, PAGE_SIZE));
	return 0;
}

static void never_released(struct object *obj)
{
	panic("the object %s has lost its last reference", obj->ops->name);
}

static const struct object_ops image_ops = {
	.name = "[vdso]",
	.fill = image_fill,
	.release = never_released,
};
static const struct object_ops data_ops = {.name = "[vvar]", .release = never_released};

void vdso_init(void)
{
	struct page *page;

	object_init(&image_object, &image_ops);
	image_object.size = image_size();
	object_init(&data_object, &data_ops);
	data_object.size = PAGE_SIZE;
	if (object_get_page(&data_object, 0, &page))
		panic("not enough memory for the vDSO");
	data = page_to_virt(page);
	data->flags = arch_vdso_flags();
	time_publish();
}

void vdso_set_clock(const struct clock_params *clock, s64 realtime_offset, s64 tai_offset)
{
	struct vdso_data *d = data;

	if (!d)
		return;
	seq_write_begin(&d->seq);
	if (clock) {
		WRITE_ONCE(d->counter_base, clock->counter_base);
		WRITE_ONCE(d->ns_base, clock->ns_base);
		WRITE_ONCE(d->mult, clock->mult);
	}
	WRITE_ONCE(d->flags, (d->flags & ~(u32)VDSO_COUNTER) | (clock ? VDSO_COUNTER : 0));
	WRITE_ONCE(d->realtime_offset, realtime_offset);
	WRITE_ONCE(d->tai_offset, tai_offset);
	seq_write_end(&d->seq);
}

/* choose_place - above the stack, where one table serves both; the guard between them is the randomness. */
static vaddr_t choose_place(vaddr_t stack_top, u64 size, u64 random)
{
	u64 pages = (ALIGN_UP(stack_top + size, TABLE_REACH) - stack_top - size) >> PAGE_SHIFT;

	return stack_top + (random % (pages + 1) << PAGE_SHIFT);
}

static int map_one(struct space *space, struct object *obj, vaddr_t at, unsigned prot, u32 withheld)
{
	struct map_request r = {
		.addr = at,
		.len = obj->size,
		.prot = prot,
		.flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE,
		.obj = obj,
		.may = withheld,
	};

	return space_map(space, &r, &at);
}

int vdso_map(struct space *space, u64 random)
{
	u64 size = PAGE_SIZE + ALIGN_UP(image_size(), PAGE_SIZE);
	vaddr_t at = choose_place(space->stack_top, size, random);
	int err = map_one(space, &data_object, at, PROT_READ, VM_MAYWRITE | VM_MAYEXEC);

	if (!err)
		err = map_one(space, &image_object, at + PAGE_SIZE, PROT_READ | PROT_EXEC, 0);
	if (!err)
		space->vdso = at + PAGE_SIZE;
	return err;
}

/* The image's entry point is that function (Makefile). */
vaddr_t vdso_sigreturn(const struct space *space)
{
	const struct elf64_ehdr *header = (const struct elf64_ehdr *)vdso_image_start;

	return space->vdso + header->e_entry;
}
