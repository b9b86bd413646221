/* SPDX-License-Identifier: MIT */
/*
 * options.c - the command line, and the initramfs it may name.
 *
 * A boot loader passes a command line as "load options" and offers the initramfs through the
 * LoadFile2 protocol on a device path that is only a name (Linux's, which GRUB 2.12, EDK2's -kernel
 * loader and systemd-boot provide); GRUB 2.06 names its place in the device tree, which the kernel
 * reads. Without any boot loader, as \EFI\BOOT\BOOTAA64.EFI, there are no options, and files of the
 * same volume say it:
 *
 *      \quire\cmdline.txt      the command line; line ends count as blanks
 *      \quire\initrd.cpio      the initramfs, unless initrd=NAME is there
 */
#include "boot/efi/stub.h"
#include "lib/string.h"

#define CMDLINE_FILE   "\\quire\\cmdline.txt"
#define DEFAULT_INITRD "\\quire\\initrd.cpio"
#define MEDIA_PATH     4
#define MEDIA_VENDOR   3
#define END_PATH       0x7f
#define END_ENTIRE     0xff

/* Whether the load options are a text at all: firmware may put other things there. */
static bool options_are_text(const u16 *text, size_t units)
{
	size_t i = 0;

	while (i < units && text[i]) {
		if (text[i] < ' ' && text[i] != '\t')
			return false;
		i++;
	}
	return i != 0;
}

static void read_cmdline_file(struct efi_handoff *h)
{
	paddr_t at;
	u64 size;

	if (efi_file_read(CMDLINE_FILE, &at, &size))
		return;
	size = MIN(size, sizeof(h->cmdline) - 1);
	memcpy(h->cmdline, (const char *)at, size);
	for (char *p = h->cmdline; *p; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
}

/* efi_read_options - see stub.h. */
bool efi_read_options(struct efi_handoff *h)
{
	const u16 *text = efi.image->options;
	size_t units = efi.image->options_size / sizeof(*text);

	bool given = text && options_are_text(text, units);

	if (given)
		efi_text_from_utf16(h->cmdline, sizeof(h->cmdline), text, units);
	else
		read_cmdline_file(h);
	memcpy(boot_info.cmdline, h->cmdline, sizeof(boot_info.cmdline));
	return given;
}

/* Asks for the size first, as the protocol wants it. */
static efi_status load_by_protocol(struct efi_load_file *lf, struct efi_device_path *rest,
				   struct efi_handoff *h)
{
	u64 size = 0;
	efi_status status = lf->load(lf, rest, false, &size, NULL);

	if (status != EFI_BUFFER_TOO_SMALL)
		return status;
	status = efi_allocate(size, PAGE_SIZE, &h->initrd);
	if (!status)
		status = lf->load(lf, rest, false, &size, (void *)h->initrd);
	if (!status)
		h->initrd_size = size;
	return status;
}

/* Whether the boot loader offers one; *status tells how it went. */
static bool offered(struct efi_handoff *h, efi_status *status)
{
	static const struct efi_guid load_file2 = EFI_GUID_LOAD_FILE2;
	struct {
		struct efi_device_path head;
		struct efi_guid vendor;
		struct efi_device_path end;
	} PACKED path = {
		.head = {MEDIA_PATH, MEDIA_VENDOR, {20, 0}},
		.vendor = EFI_GUID_INITRD_MEDIA,
		.end = {END_PATH, END_ENTIRE, {4, 0}},
	};
	struct efi_device_path *rest = &path.head;
	void *handle, *protocol;

	if (efi.boot->locate_device_path(&load_file2, &rest, &handle) ||
	    efi.boot->handle_protocol(handle, &load_file2, &protocol))
		return false;
	*status = load_by_protocol(protocol, rest, h);
	return true;
}

/* efi_load_initrd - see stub.h. */
efi_status efi_load_initrd(struct efi_handoff *h, bool by_loader)
{
	char name[256];
	bool named;
	efi_status status;

	if (offered(h, &status))
		return status ? efi_fail("the boot loader's initramfs cannot be read", NULL, status)
			      : EFI_SUCCESS;
	named = boot_cmdline_get("initrd", name, sizeof(name));
	if (!named && by_loader)
		return EFI_SUCCESS;
	if (!named)
		strlcpy(name, DEFAULT_INITRD, sizeof(name));
	status = efi_file_read(name, &h->initrd, &h->initrd_size);
	if (!status)
		return EFI_SUCCESS;
	status = efi_fail("cannot read the initramfs ", name, status);
	return named || !h->fdt ? status : EFI_SUCCESS; /* a device tree may have one */
}
