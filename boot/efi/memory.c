/* SPDX-License-Identifier: MIT */
/*
 * memory.c - memory from the firmware, and the last word with it: the memory map.
 *
 * What is allocated here is of the type "loader data", which the kernel counts as free memory after it
 * has reserved the pieces it still needs.
 *
 * Leaving boot services needs the key of the map as it is at that moment. Events may still
 * change the map between the two calls; then the firmware refuses, has closed most of its services
 * already, and one asks again. So the buffer is made large enough beforehand.
 */
#include "boot/efi/stub.h"

#define MAX_PIECES    8
#define SPARE_ENTRIES 32 /* for what changes while the map is being read, our buffer included */
#define LEAVE_TRIES   8

static struct {
	paddr_t at;
	u64 pages;
} pieces[MAX_PIECES];
static u32 nr_pieces;

/* efi_allocate - see stub.h. The firmware aligns to pages only: take more and give back both ends. */
efi_status efi_allocate(u64 size, u64 align, paddr_t *at)
{
	u64 pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE, extra = align / PAGE_SIZE - 1, before;
	paddr_t start;
	efi_status status;

	if (nr_pieces == MAX_PIECES || !pages || pages > ~0ull / PAGE_SIZE - extra)
		return EFI_OUT_OF_RESOURCES;
	status = efi.boot->allocate_pages(EFI_ALLOCATE_ANY, EFI_LOADER_DATA, pages + extra, &start);
	if (status)
		return status;
	*at = ALIGN_UP(start, align);
	before = (*at - start) / PAGE_SIZE;
	if (before)
		efi.boot->free_pages(start, before);
	if (extra > before)
		efi.boot->free_pages(*at + pages * PAGE_SIZE, extra - before);
	pieces[nr_pieces].at = *at;
	pieces[nr_pieces++].pages = pages;
	return EFI_SUCCESS;
}

/* efi_release_all - see stub.h. */
void efi_release_all(void)
{
	while (nr_pieces) {
		nr_pieces--;
		efi.boot->free_pages(pieces[nr_pieces].at, pieces[nr_pieces].pages);
	}
}

/* Room for the map, with entries to spare. The first call is meant to fail and to tell the size. */
static efi_status make_room(struct efi_handoff *h, u64 *room)
{
	u64 size = 0, key, entry = 0;
	u32 version;
	efi_status status = efi.boot->get_memory_map(&size, NULL, &key, &entry, &version);

	if (status != EFI_BUFFER_TOO_SMALL || entry < EFI_MEMORY_DESCRIPTOR_V1)
		return status ? status : EFI_LOAD_ERROR;
	*room = size + SPARE_ENTRIES * entry;
	return efi_allocate(*room, PAGE_SIZE, &h->map);
}

/* efi_leave - see stub.h. */
efi_status efi_leave(struct efi_handoff *h)
{
	u64 room, key;
	u32 version;
	efi_status status = make_room(h, &room);

	if (status)
		return efi_fail("no memory map", NULL, status);
	for (u32 i = 0; i < LEAVE_TRIES; i++) {
		h->map_size = room;
		status = efi.boot->get_memory_map(&h->map_size, (void *)h->map, &key,
						  &h->descriptor_size, &version);
		if (status)
			break;
		status = efi.boot->exit_boot_services(efi.handle, key);
		if (status != EFI_INVALID_PARAMETER)
			break;
	}
	return status ? efi_fail("the firmware does not let go", NULL, status) : EFI_SUCCESS;
}
