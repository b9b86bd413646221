/* SPDX-License-Identifier: MIT */
/*
 * stub.c - the kernel's file as an EFI program: collect what the kernel needs, and start it.
 *
 *   firmware, GRUB or shell --> efi_main --> command line, initramfs, tables   (options.c, load.c)
 *                                            copy of the kernel, memory map    (memory.c)
 *                                            efi_enter_kernel --> head.S --> boot_from_efi (boot/efi_handoff.c)
 *
 * The firmware loads programs at any page; the kernel runs at a multiple of 2 MiB, so it is
 * copied to memory of its own. Until the boot services are left every mistake is told on the
 * firmware's console and ends the program with a status, so that a boot manager can go on to its next
 * entry.
 *
 * Read next: options.c, then boot/efi_handoff.c.
 */
#include <arch/boot.h>
#include "boot/efi/stub.h"
#include "lib/string.h"

#define IMAGE_ALIGN MIB(2)

extern char file_end[];
struct efi_program efi;

static bool guid_equal(const struct efi_guid *a, const struct efi_guid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static paddr_t find_table(const struct efi_guid *guid)
{
	const struct efi_system_table *s = efi.system;

	for (u64 i = 0; i < s->nr_tables; i++)
		if (guid_equal(&s->tables[i].guid, guid))
			return (paddr_t)s->tables[i].table;
	return 0;
}

static efi_status find_tables(struct efi_handoff *h)
{
	static const struct efi_guid acpi_2 = EFI_GUID_ACPI_2, acpi_1 = EFI_GUID_ACPI_1,
				     device_tree = EFI_GUID_DEVICE_TREE;

	h->rsdp = find_table(&acpi_2);
	if (!h->rsdp)
		h->rsdp = find_table(&acpi_1);
	h->fdt = find_table(&device_tree);
	if (h->rsdp || h->fdt)
		return EFI_SUCCESS;
	return efi_fail("the firmware gives neither ACPI tables nor a device tree", NULL,
			EFI_UNSUPPORTED);
}

/* Not having any is no reason to stop: the kernel has other sources. */
static void take_random(struct efi_handoff *h)
{
	static const struct efi_guid guid = EFI_GUID_RANDOM;
	struct efi_random *random;
	void *found;

	if (efi.boot->locate_protocol(&guid, NULL, &found))
		return;
	random = found;
	if (!random->get(random, NULL, sizeof(h->seed), h->seed))
		h->seed_len = sizeof(h->seed);
}

/* Days from the civil calendar to 1970-01-01, by counting years from March. */
static u64 days_since_1970(u64 year, u64 month, u64 day)
{
	u64 y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static void take_time(struct efi_handoff *h)
{
	struct efi_time t;
	s64 seconds;

	if (efi.system->runtime->get_time(&t, NULL) || t.year < 1970 || t.month < 1 || t.month > 12)
		return;
	seconds = (s64)days_since_1970(t.year, t.month, t.day) * 86400 + t.hour * 3600 +
		  t.minute * 60 + t.second;
	if (t.zone != EFI_ZONE_UNKNOWN)
		seconds += t.zone * 60;
	h->unix_time = seconds > 0 ? (u64)seconds : 0;
}

static efi_status copy_kernel(paddr_t *image)
{
	efi_status status = efi_allocate((u64)(kimage_end - kimage_start), IMAGE_ALIGN, image);

	if (status)
		return efi_fail("no memory for the kernel", NULL, status);
	memcpy((void *)*image, kimage_start, (size_t)(file_end - kimage_start));
	return EFI_SUCCESS;
}

static efi_status prepare(struct efi_handoff **out, paddr_t *image)
{
	struct efi_handoff *h;
	efi_status status;
	bool by_loader;
	paddr_t at;

	status = efi_allocate(sizeof(*h), PAGE_SIZE, &at);
	if (status)
		return efi_fail("no memory", NULL, status);
	*out = h = (struct efi_handoff *)at;
	memset(h, 0, sizeof(*h));
	status = find_tables(h);
	if (status)
		return status;
	by_loader = efi_read_options(h);
	status = efi_load_initrd(h, by_loader);
	if (status)
		return status;
	efi_take_framebuffer(h);
	take_random(h);
	take_time(h);
	return copy_kernel(image);
}

/* efi_main - see stub.h. */
efi_status efi_main(void *handle, struct efi_system_table *system)
{
	static const struct efi_guid guid = EFI_GUID_LOADED_IMAGE;
	struct efi_handoff *handoff = NULL;
	void *image_protocol;
	efi_status status;
	paddr_t image = 0;

	efi = (struct efi_program){.handle = handle, .system = system, .boot = system->boot};
	status = efi.boot->handle_protocol(handle, &guid, &image_protocol);
	if (status)
		return efi_fail("not started by a boot manager", NULL, status);
	efi.image = image_protocol;
	status = prepare(&handoff, &image);
	if (!status)
		status = efi_leave(handoff);
	if (!status)
		efi_enter_kernel((paddr_t)handoff, image, (u64)(file_end - kimage_start));
	efi_release_all();
	return status;
}
