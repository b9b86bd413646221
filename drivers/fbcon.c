/* SPDX-License-Identifier: MIT */
/*
 * fbcon.c - characters on a framebuffer.
 *
 * Text first changes the cells of a struct screen; then each row is compared with what was drawn last, and the
 * cells that differ are drawn. So scrolling moves no pixels and never reads them, which is slow where they are not
 * cached, and a program that prints much is drawn once for many lines. The cursor is a cell with ink and paper
 * exchanged.
 *
 * A pixel is 2, 3 or 4 bytes with the three colours anywhere in it; a row may be longer than it is wide. On screens
 * with more than SCREEN_MAX_CELLS characters each pixel of the font becomes a square.
 *
 * The pixels are seen at their place in the direct map, where mm_init maps them for combined writes.
 *
 * Lock: fbcon.lock (RANK_CONSOLE), for one piece of text or one row of drawing at a time.
 */
#include "drivers/fbcon.h"
#include "boot/boot_info.h"
#include "drivers/font.h"
#include "drivers/screen.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/init.h"
#include <arch/boot.h>
#include <arch/cpu.h>
#include <uapi/termios.h>

#define PIECE       128 /* bytes of text before interrupts are let in */
#define MAX_SCALE   8u
#define MAX_COLUMNS 512u

static struct {
	struct spinlock lock;
	u8 *pixels; /* [i] once set; NULL: no screen */
	u32 pitch, pixel_size, scale;
	u32 colours[16];
	struct screen screen;
	u16 drawn[SCREEN_MAX_CELLS]; /* 0 is no cell: a character 0 is never written */
} fbcon = {.lock = SPINLOCK_INIT(RANK_CONSOLE)};

/* Red, green, blue of 0 to 255. */
static const u8 palette[16][3] = {
	{0, 0, 0},     {170, 0, 0},    {0, 170, 0},    {170, 85, 0},
	{0, 0, 170},   {170, 0, 170},  {0, 170, 170},  {170, 170, 170},
	{85, 85, 85},  {255, 85, 85},  {85, 255, 85},  {255, 255, 85},
	{85, 85, 255}, {255, 85, 255}, {85, 255, 255}, {255, 255, 255},
};

/* --- drawing ----------------------------------------------------------------------------------------- */

static u32 colour_value(struct boot_colour c, u8 level)
{
	u32 most = (1u << c.bits) - 1;

	return (level * most + 127) / 255 << c.shift;
}

static void put_pixel(u8 *at, u32 colour)
{
	switch (fbcon.pixel_size) {
	case 2:
		*(u16 *)at = (u16)colour;
		break;
	case 3:
		at[0] = (u8)colour;
		at[1] = (u8)(colour >> 8);
		at[2] = (u8)(colour >> 16);
		break;
	default:
		*(u32 *)at = colour;
		break;
	}
}

/* draw_bits - one row of a character: each bit as `scale` pixels. */
static void draw_bits(u8 *at, u8 bits, u32 ink, u32 paper)
{
	for (u32 bit = 0x80; bit; bit >>= 1) {
		for (u32 i = 0; i < fbcon.scale; i++, at += fbcon.pixel_size)
			put_pixel(at, bits & bit ? ink : paper);
	}
}

static void draw_cell(u32 x, u32 y, u16 cell)
{
	u32 ink = fbcon.colours[cell >> 8 & 15], paper = fbcon.colours[cell >> 12];
	u32 c = cell & 0xff, scale = fbcon.scale;
	u8 *at = fbcon.pixels + (size_t)y * FONT_HEIGHT * scale * fbcon.pitch +
		 (size_t)x * FONT_WIDTH * scale * fbcon.pixel_size;

	if (c < FONT_FIRST || c >= FONT_FIRST + FONT_GLYPHS)
		c = FONT_OTHER;
	for (u32 row = 0; row < FONT_HEIGHT * scale; row++, at += fbcon.pitch)
		draw_bits(at, font_8x16[c - FONT_FIRST][row / scale], ink, paper);
}

/* visible_cell - with the cursor, where it is. */
static u16 visible_cell(u32 x, u32 y)
{
	const struct screen *s = &fbcon.screen;
	u16 cell = s->cells[y * s->columns + x];

	if (x != s->at.x || y != s->at.y || s->cursor_hidden)
		return cell;
	return SCREEN_CELL(cell, cell >> 12, cell >> 8 & 7);
}

static void draw_row(u32 y)
{
	u16 *drawn = fbcon.drawn + y * fbcon.screen.columns;

	for (u32 x = 0; x < fbcon.screen.columns; x++) {
		u16 cell = visible_cell(x, y);

		if (drawn[x] == cell)
			continue;
		drawn[x] = cell;
		draw_cell(x, y, cell);
	}
}

/* --- finding the pixels ------------------------------------------------------------------------------ */

/* clear - all of it, margins too. */
static void clear(u8 *pixels, const struct boot_framebuffer *fb)
{
	for (u32 y = 0; y < fb->height; y++)
		memset(pixels + (size_t)y * fb->pitch, 0, (size_t)fb->width * fb->pixel_size);
}

/* attach - take the screen whose first pixel is seen at `pixels`. */
static void attach(u8 *pixels)
{
	const struct boot_framebuffer *fb = &boot_info.framebuffer;
	u32 columns = 0, rows = 0, scale = 0;

	do {
		scale++;
		columns = MIN(fb->width / (FONT_WIDTH * scale), MAX_COLUMNS);
		rows = fb->height / (FONT_HEIGHT * scale);
	} while (columns * rows > SCREEN_MAX_CELLS && scale < MAX_SCALE);
	if (!columns || !rows || columns * rows > SCREEN_MAX_CELLS) {
		printk("fbcon: a screen of %ux%u pixels is not used\n", fb->width, fb->height);
		return;
	}
	fbcon.scale = scale;
	fbcon.pitch = fb->pitch;
	fbcon.pixel_size = fb->pixel_size;
	for (u32 i = 0; i < ARRAY_SIZE(fbcon.colours); i++)
		fbcon.colours[i] = colour_value(fb->red, palette[i][0]) |
				   colour_value(fb->green, palette[i][1]) |
				   colour_value(fb->blue, palette[i][2]);
	screen_init(&fbcon.screen, columns, rows);
	memset(fbcon.drawn, 0, sizeof(fbcon.drawn));
	clear(pixels, fb);
	WRITE_ONCE(fbcon.pixels, pixels);
}

/* fbcon_ready - see fbcon.h. */
bool fbcon_ready(void)
{
	return READ_ONCE(fbcon.pixels);
}

/* --- text -------------------------------------------------------------------------------------------- */

/* write_kernel_text - whose newlines begin a line. */
static void write_kernel_text(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			screen_write(&fbcon.screen, (const u8 *)"\r", 1);
		screen_write(&fbcon.screen, (const u8 *)text + i, 1);
	}
}

static void draw(void)
{
	for (u32 y = 0; y < fbcon.screen.rows; y++) {
		unsigned long irq = spin_lock_irqsave(&fbcon.lock);

		draw_row(y);
		spin_unlock_irqrestore(&fbcon.lock, irq);
	}
}

static void write_pieces(const u8 *bytes, size_t n, bool kernel_text)
{
	while (n) {
		size_t piece = MIN(n, (size_t)PIECE);
		unsigned long irq = spin_lock_irqsave(&fbcon.lock);

		if (kernel_text)
			write_kernel_text((const char *)bytes, piece);
		else
			screen_write(&fbcon.screen, bytes, piece);
		spin_unlock_irqrestore(&fbcon.lock, irq);
		bytes += piece;
		n -= piece;
	}
}

/* fbcon_write - see fbcon.h. */
void fbcon_write(const u8 *bytes, size_t n)
{
	if (!fbcon_ready())
		return;
	write_pieces(bytes, n, false);
	draw();
}

/* fbcon_print - see fbcon.h. */
void fbcon_print(const char *text, size_t n)
{
	if (!fbcon_ready())
		return;
	write_pieces((const u8 *)text, n, true);
	draw();
}

/* fbcon_init - see fbcon.h. */
void fbcon_init(void)
{
	char text[PIECE];
	u64 pos = 0;
	size_t n;

	if (mm_framebuffer)
		attach(mm_framebuffer);
	if (!fbcon_ready())
		return;
	while ((n = printk_ring_read(&pos, text, sizeof(text))))
		write_pieces((const u8 *)text, n, true);
	draw();
}

/* fbcon_panic_write - see fbcon.h. */
void fbcon_panic_write(const char *text, size_t n)
{
	const struct boot_framebuffer *fb = &boot_info.framebuffer;

	if (!fbcon_ready() && fb->base) {
		const void *pixels = arch_early_map(fb->base, (u64)fb->pitch * fb->height);

		if (pixels)
			attach((u8 *)pixels);
	}
	if (!fbcon_ready())
		return;
	write_kernel_text(text, n);
	for (u32 y = 0; y < fbcon.screen.rows; y++)
		draw_row(y);
}

/* fbcon_take_reply - see fbcon.h. */
size_t fbcon_take_reply(u8 *buf)
{
	unsigned long irq = spin_lock_irqsave(&fbcon.lock);
	size_t n = fbcon.screen.reply_length;

	memcpy(buf, fbcon.screen.reply, n);
	fbcon.screen.reply_length = 0;
	spin_unlock_irqrestore(&fbcon.lock, irq);
	return n;
}

/* fbcon_winsize - see fbcon.h. */
void fbcon_winsize(struct uapi_winsize *size)
{
	size->ws_row = (u16)fbcon.screen.rows;
	size->ws_col = (u16)fbcon.screen.columns;
	size->ws_xpixel = (u16)boot_info.framebuffer.width;
	size->ws_ypixel = (u16)boot_info.framebuffer.height;
}
