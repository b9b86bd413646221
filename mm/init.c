/* SPDX-License-Identifier: MIT */
/*
 * init.c - from the boot page tables to a working memory system.
 *
 * The order is forced. Page tables need struct pages for their nodes; struct pages live in an array that
 * page tables map. So the array's memory is taken first, from RAM that the boot tables reach, and
 * the part that describes that same RAM is used through the direct map until the final tables are
 * in place. The structs do not move: only the address through which they are seen changes.
 */
#include <quire/assert.h>
#include <quire/image.h>
#include <arch/boot.h>
#include "boot/boot_info.h"
#include "kernel/printk.h"
#include "mm/init.h"
#include "mm/obj/anon.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"
#include "mm/pt/pt.h"
#include "mm/vma/vma.h"

struct section { /* a run of frames with struct pages, 2 MiB aligned */
	pfn_t lo, hi;
	paddr_t structs;
};

static INIT_DATA struct section sections[BOOT_MAX_RANGES];
static INIT_DATA u32 nr_sections;

static u64 structs_size(const struct section *s)
{
	return (s->hi - s->lo) * sizeof(struct page);
}

/* The largest section that the boot tables map: everything needed before the switch comes from it. */
static struct section *find_sections(void)
{
	paddr_t mapped_end = arch_early_mapped_end();
	struct section *home = NULL;
	u32 cursor = 0;
	pfn_t lo, hi;

	phys_early_init(mapped_end);
	while (nr_sections < ARRAY_SIZE(sections) && phys_early_next_ram(&cursor, &lo, &hi)) {
		struct section *s = &sections[nr_sections++];

		s->lo = lo;
		s->hi = hi;
		if (lo << PAGE_SHIFT >= mapped_end)
			continue;
		if (!home || s->hi - s->lo > home->hi - home->lo)
			home = s;
	}
	if (!home)
		panic("no usable memory below %#lx", mapped_end);
	phys_early_init(MIN(mapped_end, home->hi << PAGE_SHIFT));
	return home;
}

static void make_page_structs(const struct section *home)
{
	for (u32 i = 0; i < nr_sections; i++)
		sections[i].structs = phys_early_alloc(structs_size(&sections[i]), PAGE_SIZE);
	page_array = (struct page *)((char *)phys_to_virt(home->structs) -
				     home->lo * sizeof(struct page));
}

static void map(vaddr_t va, paddr_t pa, u64 size, unsigned bits)
{
	BUG_ON(pt_map_kernel(va, pa, size, bits) != 0);
}

static void map_direct(paddr_t lo, paddr_t hi, unsigned bits)
{
	if (lo < hi)
		map(DIRECT_BASE + lo, lo, hi - lo, bits);
}

/* All RAM, writable, never executable; except that the kernel's own text and constants can be changed
 * through no mapping at all. */
static void map_ram(void)
{
	paddr_t ro_lo = sym_to_phys(text_start), ro_hi = sym_to_phys(rodata_end);

	for (u32 i = 0; i < boot_info.nr_ram; i++) {
		paddr_t lo = boot_info.ram[i].base, hi = lo + boot_info.ram[i].size;

		if (boot_info.ram[i].kind != BOOT_MEM_RAM)
			continue;
		map_direct(lo, MIN(hi, MAX(lo, ro_lo)), PTB_READ | PTB_WRITE);
		map_direct(MAX(lo, ro_lo), MIN(hi, ro_hi), PTB_READ);
		map_direct(MAX(lo, ro_hi), hi, PTB_READ | PTB_WRITE);
	}
}

static void map_image_part(const char *lo, const char *hi, unsigned bits)
{
	map((vaddr_t)lo, sym_to_phys(lo), (u64)(hi - lo), bits);
}

static void map_image(void)
{
	map_image_part(text_start, text_end, PTB_READ | PTB_EXEC);
	map_image_part(rodata_start, rodata_end, PTB_READ);
	map_image_part(init_start, boot_stack_guard, PTB_READ | PTB_WRITE);
	map_image_part(boot_stack_guard + PAGE_SIZE, bss_end, PTB_READ | PTB_WRITE);
}

static void map_page_structs(void)
{
	for (u32 i = 0; i < nr_sections; i++)
		map(PAGES_BASE + sections[i].lo * sizeof(struct page), sections[i].structs,
		    structs_size(&sections[i]), PTB_READ | PTB_WRITE);
}

/* The console's registers stay at the address that the boot tables gave them, so that it can speak at
 * every moment of the switch. */
static void map_console(void)
{
	const struct boot_uart *uart = &boot_info.console;
	vaddr_t va;

	if (uart->kind == BOOT_UART_NONE || uart->kind == BOOT_UART_16550_PIO)
		return;
	va = (vaddr_t)arch_early_mmio(uart->base);
	if (va)
		map(ALIGN_DOWN(va, PAGE_SIZE), ALIGN_DOWN(uart->base, PAGE_SIZE), PAGE_SIZE,
		    PTB_READ | PTB_WRITE | PTB_DEVICE);
}

void *mm_framebuffer;

/* The screen is seen at its place in the direct map, as through the boot tables; boot/ has seen to it that it is
 * not in RAM. */
static void map_framebuffer(void)
{
	const struct boot_framebuffer *fb = &boot_info.framebuffer;
	paddr_t lo = ALIGN_DOWN(fb->base, PAGE_SIZE);
	paddr_t hi = ALIGN_UP(fb->base + (u64)fb->pitch * fb->height, PAGE_SIZE);

	if (!fb->base || hi > VMALLOC_BASE - DIRECT_BASE)
		return;
	map_direct(lo, hi, PTB_READ | PTB_WRITE | PTB_WC);
	mm_framebuffer = (void *)(DIRECT_BASE + fb->base);
}

void mm_init(void)
{
	struct section *home = find_sections();

	make_page_structs(home);
	pt_kernel_init();
	map_ram();
	map_image();
	map_page_structs();
	map_console();
	map_framebuffer();
	arch_kernel_tables_install(kernel_as.root_pa);
	page_array = (struct page *)PAGES_BASE;
	pt_kernel_boot_done();
	phys_init();
	slab_init();
	vmalloc_init();
	anon_init();
	object_subsystem_init();
	space_init();
}
