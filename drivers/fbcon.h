/* SPDX-License-Identifier: MIT */
/* fbcon.h - the console on a framebuffer. Neutral: boot_info.framebuffer says all there is to know. */
#pragma once

#include <quire/types.h>

struct uapi_winsize;

/* fbcon_init - begin to draw, with the messages printed so far. Once, after mm_init, which has mapped the pixels.
 *  after: nothing where there is no framebuffer */
void fbcon_init(void);

/* fbcon_ready - is there a screen? */
bool fbcon_ready(void);

/* fbcon_write - print bytes as they are.
 *  context: any; not from a CPU that is in it already   after: drawn */
void fbcon_write(const u8 *bytes, size_t n);

/* fbcon_print - the same for messages of the kernel: a newline also returns. */
void fbcon_print(const char *text, size_t n);

/* fbcon_panic_write - the same for a CPU that may have interrupted whoever holds the lock, and also before
 * fbcon_init, where the boot tables reach the pixels. Otherwise as fbcon_print. */
void fbcon_panic_write(const char *text, size_t n);

/* fbcon_take_reply - what the terminal answers to a question in the text, into SCREEN_REPLY bytes. */
size_t fbcon_take_reply(u8 *buf);

/* fbcon_winsize - characters and pixels. fbcon_ready() must be true. */
void fbcon_winsize(struct uapi_winsize *);
