/* SPDX-License-Identifier: MIT */
/* sim_space.c - read sim_space.h. */
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "mm/obj/anon.h"
#include "mm/pt/internal.h"
#include "mm/vma/vma.h"
#include "tests/host/sim_space.h"

struct object *object;

u32 object_content(u32 index)
{
	return 0xf11e0000 + index;
}

static int fill_page(struct object *obj, u64 index, struct page *page)
{
	(void)obj;
	*(u32 *)page_to_virt(page) = object_content((u32)index);
	return 0;
}

static void release_object(struct object *obj)
{
	free(obj);
}

static const struct object_ops ops = {.name = "test", .fill = fill_page, .release = release_object};

bool entry_allows(struct space *s, vaddr_t va, bool write, struct pt_slot *slot)
{
	unsigned need = PTB_USER | PTB_READ | (write ? PTB_WRITE : 0);

	pt_peek(&s->as, va, slot);
	return slot->kind == PT_PAGE && (slot->bits & need) == need;
}

enum fault_result touch(struct space *s, vaddr_t va, bool write, u32 *word)
{
	struct pt_slot slot;
	u32 *mem;

	for (unsigned tries = 0; !entry_allows(s, va, write, &slot); tries++) {
		unsigned found = slot.kind == PT_PAGE ? FAULT_PRESENT : FAULT_ABSENT;
		enum fault_result r = mm_fault(s, va, found | (write ? FAULT_WRITE : FAULT_READ));

		if (r != FAULT_DONE)
			return r;
		BUG_ON(tries > 3);
	}
	mem = page_to_virt(pfn_to_page(slot.val + ((va - slot.va) >> PAGE_SHIFT)));
	if (write)
		*mem = *word;
	*word = *mem;
	return FAULT_DONE;
}

/* Simulated CPUs are threads of the build machine, which takes care of turns. */
void sched_point(void)
{
}

void start(unsigned cpus)
{
	sim_machine(cpus, 64);
	pt_kernel_boot_done();
	anon_init();
	object_subsystem_init();
	space_init();
	object = calloc(1, sizeof(*object));
	object_init(object, &ops);
	object->size = OBJ_PAGES * PAGE_SIZE;
}

/* The end of a test that made no claims about leaks. */
void end(struct space *s)
{
	space_put(s);
	object_put(object);
}

struct space *space_with(unsigned pages)
{
	struct map_request r = {.addr = BASE,
				.len = pages * PAGE_SIZE,
				.prot = PROT_READ | PROT_WRITE,
				.flags = MAP_PRIVATE | MAP_FIXED};
	struct space *s;
	vaddr_t at;

	ASSERT_EQ(space_create(&s), 0);
	ASSERT_EQ(space_map(s, &r, &at), 0);
	return s;
}

u64 frame_of(struct space *s, vaddr_t va)
{
	struct pt_slot slot;

	pt_peek(&s->as, va, &slot);
	return slot.kind == PT_PAGE ? slot.val : 0;
}
