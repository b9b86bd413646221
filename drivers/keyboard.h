/* SPDX-License-Identifier: MIT */
/*
 * keyboard.h - from keys to what a terminal sends.
 *
 * keyboard.c knows scan codes and characters, i8042.c the device. Characters go where those of the serial port
 * go: console_receive().
 */
#pragma once

#include <quire/types.h>

#define KEYBOARD_MAX 6 /* bytes that one key sends at most */

struct keyboard {
	bool shift_left, shift_right, ctrl_left, ctrl_right, alt, caps, num;
	bool ctrl_alt_del; /* were pressed: for the caller to see and to forget */
	bool extended;     /* 0xe0 came */
	u8 skip;           /* bytes of the Pause key still to come */
};

/* keyboard_translate - one byte of scan code set 1, on a US keyboard.
 *  returns: how many bytes for the terminal, in out[KEYBOARD_MAX]; 0 for releases and keys that only modify */
size_t keyboard_translate(struct keyboard *, u8 code, u8 *out);

/* i8042_start - set up the keyboard of a PC, if there is one. Sleeps. */
void i8042_start(void);
