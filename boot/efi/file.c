/* SPDX-License-Identifier: MIT */
/* file.c - files of the volume that the program was started from. */
#include "boot/efi/stub.h"

#define NAME_MAX_UNITS 256

static void name_to_utf16(u16 out[NAME_MAX_UNITS], const char *name)
{
	size_t n = 0;

	for (; *name && n + 1 < NAME_MAX_UNITS; name++)
		out[n++] = *name == '/' ? '\\' : (u8)*name;
	out[n] = 0;
}

static efi_status file_size(struct efi_file *f, u64 *size)
{
	efi_status status = f->set_position(f, ~0ull); /* the end, by definition */

	if (!status)
		status = f->get_position(f, size);
	return status ? status : f->set_position(f, 0);
}

/* Firmware may read less than asked for; nothing at all is the end, and comes too early. */
static efi_status read_whole(struct efi_file *f, char *to, u64 size)
{
	while (size) {
		u64 n = size;
		efi_status status = f->read(f, &n, to);

		if (status)
			return status;
		if (!n || n > size)
			return EFI_LOAD_ERROR;
		to += n;
		size -= n;
	}
	return EFI_SUCCESS;
}

static efi_status open_root(struct efi_file **root)
{
	static const struct efi_guid guid = EFI_GUID_VOLUME;
	struct efi_volume *volume;
	void *found;

	if (!efi.image->device || efi.boot->handle_protocol(efi.image->device, &guid, &found))
		return EFI_NOT_FOUND;
	volume = found;
	return volume->open(volume, root);
}

/* efi_file_read - see stub.h. */
efi_status efi_file_read(const char *name, paddr_t *at, u64 *size)
{
	u16 wide[NAME_MAX_UNITS];
	struct efi_file *root, *file;
	efi_status status = open_root(&root);
	paddr_t to;
	u64 n;

	if (status)
		return status;
	name_to_utf16(wide, name);
	status = root->open(root, &file, wide, EFI_FILE_READ, 0);
	root->close(root);
	if (status)
		return status;
	status = file_size(file, &n);
	if (!status)
		status = efi_allocate(MAX(n, 1ull), PAGE_SIZE, &to);
	if (!status)
		status = read_whole(file, (char *)to, n);
	file->close(file);
	if (!status) {
		*at = to;
		*size = n;
	}
	return status;
}
