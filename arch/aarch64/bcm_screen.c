/* SPDX-License-Identifier: MIT */
/*
 * bcm_screen.c - a framebuffer from the firmware of a Raspberry Pi.
 *
 * The firmware runs on another processor of the chip and is asked by mailbox: the address of a message goes
 * into a register, the answer comes into the message. A message is a list of tags, each with room for
 * its answer:
 *
 *      size of all  0 | tag  bytes of room  0  room...  | tag ...  | 0
 *
 * That processor does not see our caches, so the message is written back before and forgotten after. It
 * counts addresses on a bus of its own, whose top bits choose a cache.
 *
 * Reference: the firmware's documentation of its mailboxes and of the property channel.
 */
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include "arch/aarch64/internal.h"
#include "boot/boot_info.h"
#include "lib/string.h"

#define MAILBOX_READ    0x00
#define MAILBOX_STATUS  0x18
#define MAILBOX_WRITE   0x20
#define STATUS_FULL     (1u << 31)
#define STATUS_EMPTY    (1u << 30)
#define CHANNEL         8u /* properties */
#define CHANNEL_MASK    0xfu
#define PATIENCE        1000000u
#define ANSWER_OK       0x80000000u
#define BUS_UNCACHED    0xc0000000u
#define BUS_ADDRESS     0x3fffffffu
#define TAG_GET_SIZE    0x00040003
#define TAG_SET_SIZE    0x00048003
#define TAG_SET_VIRTUAL 0x00048004
#define TAG_SET_DEPTH   0x00048005
#define TAG_SET_ORDER   0x00048006
#define TAG_ALLOCATE    0x00040001
#define TAG_GET_PITCH   0x00040008
#define ORDER_BGR       0 /* blue in the lowest byte */
#define DEPTH           32
#define LINE            64 /* bytes; no cache line of these chips is longer */

static u32 message[64] ALIGNED(256);
static u32 used;

/* tag - append one with two words of room, filled in. Returns where the answer will be. */
static u32 tag(u32 id, u32 a, u32 b)
{
	u32 at = used;

	message[at] = id;
	message[at + 1] = 8;
	message[at + 2] = 0;
	message[at + 3] = a;
	message[at + 4] = b;
	used += 5;
	return at + 3;
}

static void begin(void)
{
	memset(message, 0, sizeof(message));
	used = 2;
}

static void clean_message(void)
{
	for (char *p = (char *)message; p < (char *)message + sizeof(message); p += LINE)
		__asm__ volatile("dc civac, %0" : : "r"(p) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}

static bool wait_clear(char *regs, u32 bit)
{
	for (u32 i = 0; i < PATIENCE; i++) {
		if (!(arch_mmio_read32(regs + MAILBOX_STATUS) & bit))
			return true;
		cpu_relax();
	}
	return false;
}

/* ask - send the message. True: every tag was understood and answered. */
static bool ask(char *regs)
{
	u32 letter = ((u32)sym_to_phys(message) | BUS_UNCACHED) | CHANNEL, answer;

	message[0] = sizeof(message);
	clean_message();
	if (!wait_clear(regs, STATUS_FULL))
		return false;
	arch_mmio_write32(regs + MAILBOX_WRITE, letter);
	do {
		if (!wait_clear(regs, STATUS_EMPTY))
			return false;
		answer = arch_mmio_read32(regs + MAILBOX_READ);
	} while ((answer & CHANNEL_MASK) != CHANNEL);
	clean_message();
	return READ_ONCE(message[1]) == ANSWER_OK;
}

/* The size of what is plugged in. Without a screen there is nothing to draw on. */
static bool screen_size(char *regs, u32 *width, u32 *height)
{
	u32 at;

	begin();
	at = tag(TAG_GET_SIZE, 0, 0);
	if (!ask(regs))
		return false;
	*width = message[at];
	*height = message[at + 1];
	return *width >= 320 && *height >= 200;
}

/* bcm_screen_find - see internal.h. */
void bcm_screen_find(void)
{
	struct boot_framebuffer fb = {
		.pixel_size = DEPTH / 8, .red = {16, 8}, .green = {8, 8}, .blue = {0, 8}};
	char *regs = boot_info.arm.bcm_mailbox ? arch_early_mmio(boot_info.arm.bcm_mailbox) : NULL;
	u32 memory, pitch;

	/* The message must lie where the other processor can reach it. */
	if (!regs || sym_to_phys(message) > BUS_ADDRESS ||
	    !screen_size(regs, &fb.width, &fb.height))
		return;
	begin();
	tag(TAG_SET_SIZE, fb.width, fb.height);
	tag(TAG_SET_VIRTUAL, fb.width, fb.height);
	tag(TAG_SET_DEPTH, DEPTH, 0);
	tag(TAG_SET_ORDER, ORDER_BGR, 0);
	memory = tag(TAG_ALLOCATE, PAGE_SIZE, 0);
	pitch = tag(TAG_GET_PITCH, 0, 0);
	if (!ask(regs) || message[memory + 1] < message[pitch] * fb.height)
		return;
	fb.base = message[memory] & BUS_ADDRESS;
	fb.pitch = message[pitch];
	boot_set_framebuffer(&fb);
}
