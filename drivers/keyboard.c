/* SPDX-License-Identifier: MIT */
/*
 * keyboard.c - scan codes of set 1 on a US keyboard, to the bytes that a terminal of TERM=linux sends.
 *
 * A key sends its code when pressed and while held, and the code with bit 7 set when released. Keys that the first
 * keyboards did not have send 0xe0 first; Pause sends 0xe1 and two more bytes.
 *
 * Reference: IBM PS/2 Technical Reference, keyboards, set 1; console_codes(4).
 */
#include "drivers/keyboard.h"
#include "lib/string.h"

#define RELEASED 0x80
#define EXTENDED 0xe0
#define PAUSE    0xe1

#define KEY_CTRL        0x1d
#define KEY_SHIFT_LEFT  0x2a
#define KEY_SHIFT_RIGHT 0x36
#define KEY_ALT         0x38
#define KEY_CAPS        0x3a
#define KEY_F1          0x3b
#define KEY_F10         0x44
#define KEY_NUM         0x45
#define KEY_DEL         0x53
#define KEYPAD_FIRST    0x47
#define KEYPAD_LAST     KEY_DEL
#define KEY_F11         0x57
#define KEY_F12         0x58
#define KEYPAD_SLASH    0x35 /* extended */

/* By code, from 1 on. */
static const char plain[] =
	"\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* The keypad from 0x47 on: with and without Num Lock. The arrows send ESC [ and their letter, the others ESC [,
 * a digit and ~. */
static const char keypad_num[] = "789-456+1230.";
static const char keypad_move[] = "1A5-D\0C+4B623";

static size_t send_text(u8 *out, const char *text)
{
	size_t n = strnlen(text, KEYBOARD_MAX);

	memcpy(out, text, n);
	return n;
}

/* send_move - a key that moves, by its letter or number. */
static size_t send_move(u8 *out, char what)
{
	out[0] = '\033';
	out[1] = '[';
	out[2] = (u8)what;
	out[3] = '~';
	return what >= 'A' ? 3 : 4;
}

static size_t keypad(const struct keyboard *k, u8 code, u8 *out)
{
	char digit = keypad_num[code - KEYPAD_FIRST], move = keypad_move[code - KEYPAD_FIRST];

	if (!move && !k->num)
		return 0;
	if (digit == move || (k->num && !k->extended)) {
		out[0] = (u8)digit;
		return 1;
	}
	return send_move(out, move);
}

static size_t function_key(u8 code, u8 *out)
{
	static const char *const names[] = {"\033[[A",  "\033[[B",  "\033[[C",  "\033[[D",
					    "\033[[E",  "\033[17~", "\033[18~", "\033[19~",
					    "\033[20~", "\033[21~", "\033[23~", "\033[24~"};

	return send_text(out, names[code >= KEY_F11 ? code - KEY_F11 + 10 : code - KEY_F1]);
}

static u8 with_ctrl(u8 c)
{
	if (c >= '@' && c <= '~')
		return c & 0x1f;
	if (c == ' ' || c == '2')
		return 0;
	if (c == '?' || c == '/')
		return c == '?' ? 0x7f : 0x1f;
	return c;
}

static size_t character(const struct keyboard *k, u8 code, u8 *out)
{
	bool shift = k->shift_left || k->shift_right;
	size_t n = 0;
	u8 c;

	if (!code || code >= sizeof(plain) || !plain[code - 1])
		return 0;
	c = (u8)(shift ? shifted[code - 1] : plain[code - 1]);
	if (k->caps && ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
		c ^= 0x20;
	if (k->ctrl_left || k->ctrl_right)
		c = with_ctrl(c);
	if (k->alt)
		out[n++] = '\033';
	out[n++] = c;
	return n;
}

/* modifier - is it one, and what becomes of it? A key that locks does so when pressed. */
static bool modifier(struct keyboard *k, u8 code, bool pressed)
{
	switch (code) {
	case KEY_SHIFT_LEFT:
		k->shift_left = pressed && !k->extended; /* some keys pretend a shift: e0 2a */
		return true;
	case KEY_SHIFT_RIGHT:
		k->shift_right = pressed && !k->extended;
		return true;
	case KEY_CTRL:
		if (k->extended)
			k->ctrl_right = pressed;
		else
			k->ctrl_left = pressed;
		return true;
	case KEY_ALT:
		k->alt = pressed;
		return true;
	case KEY_CAPS:
		k->caps ^= pressed;
		return true;
	case KEY_NUM:
		k->num ^= pressed;
		return true;
	default:
		return false;
	}
}

static size_t press(struct keyboard *k, u8 code, u8 *out)
{
	if (code == KEY_DEL && k->alt && (k->ctrl_left || k->ctrl_right)) {
		k->ctrl_alt_del = true;
		return 0;
	}
	if (code >= KEYPAD_FIRST && code <= KEYPAD_LAST)
		return keypad(k, code, out);
	if ((code >= KEY_F1 && code <= KEY_F10) || code == KEY_F11 || code == KEY_F12)
		return function_key(code, out);
	if (k->extended && code != KEYPAD_SLASH &&
	    plain[code < sizeof(plain) ? code - 1 : 0] != '\r')
		return 0;
	return character(k, code, out);
}

/* keyboard_translate - see keyboard.h. */
size_t keyboard_translate(struct keyboard *k, u8 code, u8 *out)
{
	bool pressed = !(code & RELEASED);
	size_t n = 0;

	if (k->skip) {
		k->skip--;
		return 0;
	}
	if (code == PAUSE) {
		k->skip = 2;
		return 0;
	}
	if (code == EXTENDED) {
		k->extended = true;
		return 0;
	}
	code &= (u8)~RELEASED;
	if (code && !modifier(k, code, pressed) && pressed)
		n = press(k, code, out);
	k->extended = false;
	return n;
}
