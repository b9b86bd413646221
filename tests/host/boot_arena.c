/* SPDX-License-Identifier: MIT */
/* boot_arena.c - see boot_arena.h. */
#include "tests/host/boot_arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include "boot/early.h"
#include "boot/internal.h"
#include "kernel/printk.h"

#define MAX_REGIONS 1024

static struct region {
	paddr_t pa;
	size_t size;
	u8 *bytes;
} regions[MAX_REGIONS];
static unsigned nr_regions;
static char messages[1 << 16];
static size_t messages_len;
static jmp_buf on_panic;
u64 arena_boot_hw_id;

void arena_reset(void)
{
	while (nr_regions)
		free(regions[--nr_regions].bytes);
	boot_map_resolve(); /* forgets ranges that a panic left behind */
	memset(&boot_info, 0, sizeof(boot_info));
	messages[messages_len = 0] = '\0';
	arena_boot_hw_id = 0;
}

static u8 *exact_copy(const u8 *from, size_t size)
{
	u8 *bytes = malloc(size ? size : 1);

	if (!bytes)
		abort();
	if (from)
		memcpy(bytes, from, size);
	else
		memset(bytes, 0, size);
	return bytes;
}

u8 *arena_add(paddr_t pa, size_t size)
{
	if (nr_regions == MAX_REGIONS)
		abort();
	regions[nr_regions] = (struct region){pa, size, exact_copy(NULL, size)};
	return regions[nr_regions++].bytes;
}

void arena_cut(paddr_t pa, size_t size)
{
	for (unsigned i = nr_regions; i-- > 0;) {
		if (regions[i].pa == pa && regions[i].size >= size) {
			u8 *shorter = exact_copy(regions[i].bytes, size);

			free(regions[i].bytes);
			regions[i].bytes = shorter;
			regions[i].size = size;
			return;
		}
	}
	abort();
}

const void *arch_early_map(paddr_t pa, u64 size)
{
	for (unsigned i = nr_regions; i-- > 0;) {
		const struct region *r = &regions[i];

		if (pa >= r->pa && pa - r->pa <= r->size && size <= r->size - (pa - r->pa))
			return r->bytes + (pa - r->pa);
	}
	return NULL;
}

void arch_kernel_image(paddr_t *base, u64 *size)
{
	*base = ARENA_KERNEL_BASE;
	*size = ARENA_KERNEL_SIZE;
}

u64 arch_boot_hw_id(void)
{
	return arena_boot_hw_id;
}

void printk(const char *fmt, ...)
{
	char line[4096];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (n <= 0 || (size_t)n >= sizeof(line) || line[n - 1] != '\n')
		host_fail(__FILE__, __LINE__, "not a line: \"%s\"", line);
	if (messages_len + (size_t)n < sizeof(messages)) {
		memcpy(messages + messages_len, line, (size_t)n + 1);
		messages_len += (size_t)n;
	}
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	messages_len += (size_t)vsnprintf(messages + messages_len, 256, fmt, args);
	va_end(args);
	longjmp(on_panic, 1);
}

bool arena_said(const char *text)
{
	return strstr(messages, text) != NULL;
}

bool arena_panics(void (*boot_from)(paddr_t), paddr_t arg)
{
	if (setjmp(on_panic))
		return true;
	boot_from(arg);
	return false;
}

static void check_ranges(const struct boot_range *r, u32 nr, u32 max, u64 align)
{
	ASSERT(nr <= max);
	for (u32 i = 0; i < nr; i++) {
		EXPECT(r[i].size > 0 && r[i].base + r[i].size > r[i].base);
		EXPECT((r[i].base | r[i].size) % align == 0);
		EXPECT(!i || r[i - 1].base + r[i - 1].size <= r[i].base);
	}
}

void arena_check(void)
{
	const struct boot_info *b = &boot_info;

	check_ranges(b->ram, b->nr_ram, BOOT_MAX_RANGES, PAGE_SIZE);
	check_ranges(b->reserved, b->nr_reserved, BOOT_MAX_RESERVED, 1);
	EXPECT(b->nr_ram > 0);
	EXPECT(memchr(b->cmdline, 0, sizeof(b->cmdline)) != NULL);
	EXPECT(!b->initrd_size || boot_ram_contains(b->initrd, b->initrd_size));
	ASSERT(b->nr_cpus >= 1 && b->nr_cpus <= BOOT_MAX_CPUS);
	EXPECT(b->cpus[0].hw_id == arena_boot_hw_id);
	for (u32 i = 0; i < b->nr_cpus; i++) {
		for (u32 j = 0; j < i; j++)
			EXPECT(b->cpus[i].hw_id != b->cpus[j].hw_id);
	}
	EXPECT(b->console.kind <= BOOT_UART_PL011);
	EXPECT(b->nr_pci <= ARRAY_SIZE(b->pci));
	for (u32 i = 0; i < b->nr_pci && i < ARRAY_SIZE(b->pci); i++)
		EXPECT(b->pci[i].bus_first <= b->pci[i].bus_last);
	EXPECT(b->rng_seed_len <= sizeof(b->rng_seed));
	EXPECT(b->pc.nr_ioapics <= ARRAY_SIZE(b->pc.ioapics));
	EXPECT(b->pc.nr_overrides <= ARRAY_SIZE(b->pc.overrides));
	EXPECT(b->pc.slp_typ_a < 8 && b->pc.slp_typ_b < 8);
	EXPECT(b->arm.nr_gicr <= ARRAY_SIZE(b->arm.gicr));
}

void put_le16(u8 *p, u64 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}

void put_le32(u8 *p, u64 v)
{
	put_le16(p, v);
	put_le16(p + 2, v >> 16);
}

void put_le64(u8 *p, u64 v)
{
	put_le32(p, v);
	put_le32(p + 4, v >> 32);
}

void acpi_seal(u8 *table, size_t length, size_t at)
{
	u8 sum = 0;

	table[at] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (u8)(sum + table[i]);
	table[at] = (u8)-sum;
}

u8 *arena_acpi(paddr_t pa, const char *signature, const void *body, size_t body_size)
{
	u8 *t = arena_add(pa, 36 + body_size);

	memcpy(t, signature, 4);
	put_le32(t + 4, 36 + body_size);
	memcpy(t + 10, "QUIRE TEST    ", 14);
	if (body)
		memcpy(t + 36, body, body_size);
	acpi_seal(t, 36 + body_size, 9);
	return t;
}

u8 *arena_rsdp(paddr_t pa, paddr_t rsdt, paddr_t xsdt)
{
	u8 *p = arena_add(pa, xsdt ? 36 : 20);

	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "QUIRE ", 6);
	put_le32(p + 16, rsdt);
	if (xsdt) {
		p[15] = 2;
		put_le32(p + 20, 36);
		put_le64(p + 24, xsdt);
	}
	acpi_seal(p, 20, 8);
	if (xsdt)
		acpi_seal(p, 36, 32);
	return p;
}
