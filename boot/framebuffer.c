/* SPDX-License-Identifier: MIT */
/*
 * framebuffer.c - is this a screen that can be drawn on?
 *
 * Whoever describes it (multiboot2, EFI, a device tree, a mailbox), the console will write to every byte of
 * it. So a description must be consistent in itself, and its colours must lie inside a pixel.
 *
 * Read next: drivers/fbcon.c.
 */
#include "boot/internal.h"
#include "kernel/printk.h"

#define MAX_SIDE  16384 /* pixels */
#define MAX_PITCH MIB(1)

static bool colour_fits(struct boot_colour c, u32 pixel_size)
{
	return c.bits && c.bits <= 16 && c.shift + c.bits <= 8 * pixel_size;
}

/* problem - with the description, NULL: none. */
static const char *problem(const struct boot_framebuffer *fb)
{
	if (!fb->width || !fb->height || fb->width > MAX_SIDE || fb->height > MAX_SIDE)
		return "impossible size";
	if (fb->pixel_size < 2 || fb->pixel_size > 4)
		return "pixels of a size that cannot be drawn";
	if (fb->pitch < fb->width * fb->pixel_size || fb->pitch > MAX_PITCH)
		return "impossible row length";
	if (!colour_fits(fb->red, fb->pixel_size) || !colour_fits(fb->green, fb->pixel_size) ||
	    !colour_fits(fb->blue, fb->pixel_size))
		return "impossible colours";
	if (!fb->base || fb->base + (u64)fb->pitch * fb->height < fb->base)
		return "impossible address";
	return NULL;
}

/* boot_set_framebuffer - see internal.h. */
void boot_set_framebuffer(const struct boot_framebuffer *fb)
{
	const char *why = problem(fb);

	printk("framebuffer: %ux%u, %u bytes per pixel, %u per row, at 0x%lx%s%s\n", fb->width,
	       fb->height, fb->pixel_size, fb->pitch, fb->base, why ? ": not used, " : "",
	       why ? why : "");
	if (why)
		return;
	boot_info.framebuffer = *fb;
	boot_add_range(fb->base, (u64)fb->pitch * fb->height, BOOT_MEM_RESERVED);
}
