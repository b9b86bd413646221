/* SPDX-License-Identifier: MIT */
/*
 * graphics.c - the screen that the firmware draws on, if it is memory.
 *
 * The mode is taken as it is set. Some devices have no memory to draw into, only a function that
 * copies rectangles and ends with the boot services: no framebuffer then.
 */
#include "boot/efi/stub.h"

/* The lowest bit and the number of bits of a mask without holes. */
static struct boot_colour colour_of_mask(u32 mask)
{
	struct boot_colour c = {0, 0};

	while (mask && !(mask & 1)) {
		mask >>= 1;
		c.shift++;
	}
	for (; mask & 1; mask >>= 1)
		c.bits++;
	return c;
}

static bool set_colours(struct boot_framebuffer *fb, const struct efi_graphics_info *info)
{
	fb->green = (struct boot_colour){8, 8};
	switch (info->format) {
	case EFI_PIXEL_RGBX:
		fb->red = (struct boot_colour){0, 8};
		fb->blue = (struct boot_colour){16, 8};
		return true;
	case EFI_PIXEL_BGRX:
		fb->blue = (struct boot_colour){0, 8};
		fb->red = (struct boot_colour){16, 8};
		return true;
	case EFI_PIXEL_MASKS:
		fb->red = colour_of_mask(info->red);
		fb->green = colour_of_mask(info->green);
		fb->blue = colour_of_mask(info->blue);
		return true;
	default:
		return false;
	}
}

/* Bytes of a pixel: all its masks, the reserved one too. */
static u32 pixel_size(const struct efi_graphics_info *info)
{
	u32 all = info->red | info->green | info->blue | info->reserved, bytes = 4;

	if (info->format == EFI_PIXEL_MASKS)
		while (bytes && !(all >> 8 * (bytes - 1)))
			bytes--;
	return bytes;
}

/* efi_take_framebuffer - see stub.h. */
void efi_take_framebuffer(struct efi_handoff *h)
{
	static const struct efi_guid guid = EFI_GUID_GRAPHICS;
	const struct efi_graphics_mode *mode;
	struct boot_framebuffer fb;
	void *found;

	if (efi.boot->locate_protocol(&guid, NULL, &found))
		return;
	mode = ((struct efi_graphics *)found)->mode;
	if (!mode || !mode->info || !mode->memory || !set_colours(&fb, mode->info))
		return;
	fb.base = mode->memory;
	fb.width = mode->info->width;
	fb.height = mode->info->height;
	fb.pixel_size = pixel_size(mode->info);
	fb.pitch = mode->info->pixels_per_line * fb.pixel_size;
	h->framebuffer = fb;
}
