/* SPDX-License-Identifier: MIT */
/*
 * efi_handoff.c - boot as an EFI program, the second part: from the handoff to boot_info.
 *
 * Memory is what the firmware's map says. The rest comes from the device tree where there is one that
 * knows the machine, else from ACPI: boot loaders that want to tell something to an ACPI machine
 * make a tree with nothing but /chosen in it.
 *
 * Read next: arm64_image.c (device tree), acpi.c.
 */
#include "boot/acpi.h"
#include "boot/efi/handoff.h"
#include "boot/internal.h"
#include "kernel/printk.h"
#include "lib/string.h"

#define MAX_DESCRIPTOR 512
#define MAX_MAP        MIB(1)

static void read_memory(const struct efi_handoff *h)
{
	u64 entry = h->descriptor_size;
	const u8 *map = boot_map(h->map, MIN(h->map_size, MAX_MAP));

	if (!map || entry < BOOT_EFI_DESCRIPTOR || entry > MAX_DESCRIPTOR) {
		printk("efi: no memory map (%lu bytes in entries of %lu)\n", h->map_size, entry);
		return;
	}
	for (u64 at = 0; at + entry <= MIN(h->map_size, MAX_MAP); at += entry)
		boot_add_efi(map + at);
}

static void read_machine(const struct efi_handoff *h)
{
	if (h->fdt && boot_read_fdt(h->fdt, false))
		return;
	if (h->rsdp && acpi_rsdp_valid(h->rsdp))
		acpi_read(h->rsdp);
	else
		printk("efi: neither a device tree nor ACPI tables that can be used\n");
}

static void read_handoff(const struct efi_handoff *h)
{
	boot_info.rsdp = h->rsdp;
	boot_info.unix_time = h->unix_time;
	read_memory(h);
	read_machine(h);
	if (h->framebuffer.base)
		boot_set_framebuffer(&h->framebuffer);
	if (h->cmdline[0])
		boot_set_cmdline(h->cmdline, sizeof(h->cmdline));
	if (h->initrd_size) {
		boot_info.initrd = h->initrd;
		boot_info.initrd_size = h->initrd_size;
	}
	if (h->seed_len) {
		boot_info.rng_seed_len = MIN(h->seed_len, (u32)sizeof(boot_info.rng_seed));
		memcpy(boot_info.rng_seed, h->seed, boot_info.rng_seed_len);
	}
}

/* boot_from_efi - see handoff.h. */
void boot_from_efi(paddr_t handoff)
{
	const u8 *h = boot_map(handoff, sizeof(struct efi_handoff));

	boot_info.protocol = "EFI";
	boot_info.console.irq = BOOT_NO_IRQ;
	if (h)
		read_handoff((const struct efi_handoff *)h);
	boot_info_finish();
}
