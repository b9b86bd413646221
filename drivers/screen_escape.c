/* SPDX-License-Identifier: MIT */
/*
 * screen_escape.c - the language of a terminal: control characters, ESC sequences, ESC [ sequences.
 *
 *      ESC [ ? 25 ; 7 h        private mark, parameters, and a letter that says what to do
 *
 * A parameter that is missing or 0 mostly means 1. What is not known is read to its end and has no effect.
 * Characters are UTF-8; those beyond ASCII have no shape in the font and become one that stands for all.
 *
 * Reference: console_codes(4); ECMA-48, 5th edition, section 8.3.
 */
#include "drivers/font.h"
#include "drivers/screen.h"
#include "lib/printf.h"
#include "lib/string.h"

#define ESC       0x1b
#define PARAM_MAX 9999

/* --- colours ----------------------------------------------------------------------------------------- */

/* The six colours of light in the order of ANSI: bit 0 red, 1 green, 2 blue; with bit 3 they are bright. */
static u8 colour_of_rgb(u32 r, u32 g, u32 b)
{
	u32 high = MAX(r, MAX(g, b)), half = high / 2 + 1;

	if (high < 48)
		return 0;
	return (u8)((r >= half) | (g >= half) << 1 | (b >= half) << 2 | (high > 192 ? 8 : 0));
}

/* colour_of_256 - 16 named ones, a cube of 6 * 6 * 6, and 24 greys. */
static u8 colour_of_256(u32 n)
{
	if (n < 16)
		return (u8)n;
	if (n >= 232)
		return n < 238 ? 0 : n < 244 ? 8 : n < 250 ? 7 : 15;
	n -= 16;
	return colour_of_rgb(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51);
}

/* extended_colour - what follows 38 or 48: 5 and a number, or 2, red, green, blue. Returns how many
 * parameters that was; *colour stays where it is none of these. */
static u32 extended_colour(const u32 *p, u32 left, u8 *colour)
{
	if (left >= 2 && p[0] == 5) {
		*colour = colour_of_256(MIN(p[1], 255u));
		return 2;
	}
	if (left >= 4 && p[0] == 2) {
		*colour = colour_of_rgb(MIN(p[1], 255u), MIN(p[2], 255u), MIN(p[3], 255u));
		return 4;
	}
	return 0;
}

static void set_plain(struct screen_pen *pen, u32 p)
{
	if (p >= 30 && p <= 37)
		pen->ink = (u8)(p - 30);
	else if (p >= 40 && p <= 47)
		pen->paper = (u8)(p - 40);
	else if (p >= 90 && p <= 97)
		pen->ink = (u8)(p - 90 + 8);
	else if (p >= 100 && p <= 107)
		pen->paper = (u8)(p - 100 + 8);
}

static void set_pen(struct screen *s)
{
	struct screen_pen *pen = &s->at.pen;

	for (u32 i = 0; i <= s->nr_params; i++) {
		u32 p = s->params[i], left = s->nr_params - i;

		switch (p) {
		case 0:
			*pen = (struct screen_pen){.ink = SCREEN_INK, .paper = SCREEN_PAPER};
			break;
		case 1:
			pen->bold = true;
			break;
		case 7:
			pen->reverse = true;
			break;
		case 22:
			pen->bold = false;
			break;
		case 27:
			pen->reverse = false;
			break;
		case 38:
			i += extended_colour(&s->params[i + 1], left, &pen->ink);
			break;
		case 39:
			pen->ink = SCREEN_INK;
			break;
		case 48:
			i += extended_colour(&s->params[i + 1], left, &pen->paper);
			break;
		case 49:
			pen->paper = SCREEN_PAPER;
			break;
		default:
			set_plain(pen, p);
		}
	}
}

/* --- ESC [ ------------------------------------------------------------------------------------------- */

static u32 here(const struct screen *s)
{
	return s->at.y * s->columns + s->at.x;
}

static void erase_display(struct screen *s, u32 how)
{
	u32 all = s->columns * s->rows;

	if (how == 0)
		screen_erase(s, here(s), all - here(s));
	else if (how == 1)
		screen_erase(s, 0, here(s) + 1);
	else if (how <= 3)
		screen_erase(s, 0, all);
}

static void erase_line(struct screen *s, u32 how)
{
	u32 row = s->at.y * s->columns;

	if (how == 0)
		screen_erase(s, here(s), s->columns - s->at.x);
	else if (how == 1)
		screen_erase(s, row, s->at.x + 1);
	else if (how == 2)
		screen_erase(s, row, s->columns);
}

static void set_region(struct screen *s)
{
	u32 top = MAX(s->params[0], 1u) - 1;
	u32 bottom = s->nr_params && s->params[1] ? MIN(s->params[1], s->rows) : s->rows;

	if (top + 1 >= bottom)
		return;
	s->top = top;
	s->bottom = bottom;
	screen_move(s, 0, 0);
}

static void set_mode(struct screen *s, bool on)
{
	for (u32 i = 0; i <= s->nr_params; i++) {
		if (!s->private && s->params[i] == 4)
			s->insert = on;
		else if (s->private && s->params[i] == 7)
			s->no_wrap = !on;
		else if (s->private && s->params[i] == 25)
			s->cursor_hidden = !on;
	}
}

static void restore(struct screen *s)
{
	struct screen_pen pen = s->saved.pen;

	screen_move(s, s->saved.x, s->saved.y);
	s->at.pen = pen;
}

static void answer(struct screen *s, u32 question)
{
	int n = 0;

	if (question == 5)
		n = snprintf((char *)s->reply, SCREEN_REPLY, "\033[0n");
	else if (question == 6)
		n = snprintf((char *)s->reply, SCREEN_REPLY, "\033[%u;%uR", s->at.y + 1,
			     s->at.x + 1);
	s->reply_length = (u32)n;
}

/* insert_lines - at the cursor, if that is where it scrolls; with `out` they are taken out. */
static void insert_lines(struct screen *s, u32 n, bool out)
{
	if (s->at.y >= s->top && s->at.y < s->bottom)
		screen_scroll(s, s->at.y, s->bottom, n, !out);
}

/* move - the sequences that only move the cursor. False: not one of them. */
static bool move(struct screen *s, u8 letter, u32 n)
{
	s64 x = s->at.x, y = s->at.y;

	switch (letter) {
	case 'A':
		screen_move(s, x, y - n);
		return true;
	case 'B':
	case 'e':
		screen_move(s, x, y + n);
		return true;
	case 'C':
	case 'a':
		screen_move(s, x + n, y);
		return true;
	case 'D':
		screen_move(s, x - n, y);
		return true;
	case 'E':
		screen_move(s, 0, y + n);
		return true;
	case 'F':
		screen_move(s, 0, y - n);
		return true;
	case 'G':
	case '`':
		screen_move(s, (s64)n - 1, y);
		return true;
	case 'd':
		screen_move(s, x, (s64)n - 1);
		return true;
	case 'H':
	case 'f':
		screen_move(s, s->nr_params ? (s64)s->params[1] - 1 : 0, (s64)n - 1);
		return true;
	default:
		return false;
	}
}

/* change - those that change cells. False: not one of them. */
static bool change(struct screen *s, u8 letter, u32 n)
{
	switch (letter) {
	case 'J':
		erase_display(s, s->params[0]);
		return true;
	case 'K':
		erase_line(s, s->params[0]);
		return true;
	case 'X':
		screen_erase(s, here(s), MIN(n, s->columns - s->at.x));
		return true;
	case '@':
	case 'P':
		screen_shift(s, n, letter == 'P');
		return true;
	case 'L':
	case 'M':
		insert_lines(s, n, letter == 'M');
		return true;
	case 'S':
	case 'T':
		screen_scroll(s, s->top, s->bottom, n, letter == 'T');
		return true;
	default:
		return false;
	}
}

static void csi_end(struct screen *s, u8 letter)
{
	u32 n = MAX(s->params[0], 1u);

	if (letter == 'h' || letter == 'l')
		set_mode(s, letter == 'h');
	if (s->private || move(s, letter, n) || change(s, letter, n))
		return;
	switch (letter) {
	case 'm':
		set_pen(s);
		break;
	case 'r':
		set_region(s);
		break;
	case 's':
		s->saved = s->at;
		break;
	case 'u':
		restore(s);
		break;
	case 'n':
		answer(s, s->params[0]);
		break;
	case 'c':
		s->reply_length = (u32)snprintf((char *)s->reply, SCREEN_REPLY, "\033[?6c");
		break;
	default:
		break;
	}
}

static void csi_begin(struct screen *s)
{
	memset(s->params, 0, sizeof(s->params));
	s->nr_params = 0;
	s->private = false;
	s->state = SCREEN_CSI;
}

static void csi(struct screen *s, u8 c)
{
	u32 *p = &s->params[s->nr_params];

	if (c >= '0' && c <= '9') {
		*p = MIN(*p * 10 + c - '0', (u32)PARAM_MAX);
	} else if (c == ';') {
		s->nr_params = MIN(s->nr_params + 1, SCREEN_PARAMS - 1u);
	} else if (c == '[') {
		s->state = SCREEN_FUNCTION;
	} else if (c >= 0x3c && c <= 0x3f) {
		s->private = true;
	} else if (c >= 0x40) {
		s->state = SCREEN_TEXT;
		csi_end(s, c);
	}
}

/* --- ESC --------------------------------------------------------------------------------------------- */

static void escape(struct screen *s, u8 c)
{
	s->state = SCREEN_TEXT;
	switch (c) {
	case '[':
		csi_begin(s);
		break;
	case ']':
	case 'P':
	case '^':
	case '_':
		s->state = SCREEN_STRING;
		break;
	case '(':
	case ')':
	case '#':
	case '%':
		s->state = SCREEN_SKIP_ONE;
		break;
	case '7':
		s->saved = s->at;
		break;
	case '8':
		restore(s);
		break;
	case 'D':
		screen_line_feed(s);
		break;
	case 'E':
		s->at.x = 0;
		screen_line_feed(s);
		break;
	case 'M':
		screen_line_back(s);
		break;
	case 'c':
		screen_init(s, s->columns, s->rows);
		break;
	default:
		break;
	}
}

/* --- text -------------------------------------------------------------------------------------------- */

/* Works in the middle of sequences as well. */
static void control(struct screen *s, u8 c)
{
	switch (c) {
	case '\b':
		screen_move(s, (s64)s->at.x - 1, s->at.y);
		break;
	case '\t':
		screen_move(s, (s->at.x | 7) + 1, s->at.y);
		break;
	case '\n':
	case '\v':
	case '\f':
		screen_line_feed(s);
		break;
	case '\r':
		screen_move(s, 0, s->at.y);
		break;
	case 0x18:
	case 0x1a:
		s->state = SCREEN_TEXT;
		break;
	case ESC:
		s->state = SCREEN_ESCAPE;
		break;
	default:
		break;
	}
}

static void text(struct screen *s, u8 c)
{
	if (s->utf8_left && (c & 0xc0) == 0x80) {
		if (!--s->utf8_left)
			screen_put(s, FONT_OTHER);
		return;
	}
	s->utf8_left = 0;
	if (c < 0x7f)
		screen_put(s, c);
	else if (c >= 0xc0 && c < 0xf8)
		s->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	else if (c > 0x7f)
		screen_put(s, FONT_OTHER);
}

static void string(struct screen *s, u8 c)
{
	if (c == '\a' || (s->state == SCREEN_STRING_END && c == '\\'))
		s->state = SCREEN_TEXT;
	else
		s->state = c == ESC ? SCREEN_STRING_END : SCREEN_STRING;
}

static void write_byte(struct screen *s, u8 c)
{
	if (s->state == SCREEN_STRING || s->state == SCREEN_STRING_END)
		string(s, c);
	else if (c < 0x20)
		control(s, c);
	else if (s->state == SCREEN_TEXT)
		text(s, c);
	else if (s->state == SCREEN_ESCAPE)
		escape(s, c);
	else if (s->state == SCREEN_CSI)
		csi(s, c);
	else
		s->state = SCREEN_TEXT;
}

/* screen_write - see screen.h. */
void screen_write(struct screen *s, const u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		write_byte(s, bytes[i]);
}
