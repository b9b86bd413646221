/* SPDX-License-Identifier: MIT */
/*
 * screen.h - a terminal's screen as rows of character cells, and what changes them: text, and those of the
 * escape sequences of a VT102 (TERM=linux) that programs like vi, less and top use.
 *
 * Nothing here draws: fbcon.c compares the cells with what it has drawn. Plain memory, no locks, no allocation;
 * the caller serialises.
 *
 * Read next: screen_escape.c (the language), screen.c (what it does to the cells), fbcon.c.
 */
#pragma once

#include <quire/types.h>

#define SCREEN_MAX_CELLS 16384
#define SCREEN_PARAMS    16
#define SCREEN_REPLY     24

/* A cell: the character in the low byte, then four bits of ink and four of paper, numbers of 16 colours. */
#define SCREEN_CELL(c, ink, paper) ((u16)((u8)(c) | (ink) << 8 | (paper) << 12))
#define SCREEN_INK                 7u
#define SCREEN_PAPER               0u

struct screen_pen {
	u8 ink, paper;
	bool bold, reverse;
};

struct screen_cursor {
	u32 x, y;
	bool wrap_due; /* the last column was written: the next character goes to the next row */
	struct screen_pen pen;
};

enum screen_state {
	SCREEN_TEXT,
	SCREEN_ESCAPE,     /* behind ESC */
	SCREEN_CSI,        /* behind ESC [ */
	SCREEN_SKIP_ONE,   /* ESC ( and its like name a character set by one more character */
	SCREEN_STRING,     /* ESC ] and its like, until BEL or ESC \ */
	SCREEN_STRING_END, /* in there, behind ESC */
	SCREEN_FUNCTION,   /* ESC [ [ is a function key's name that came back as an echo */
};

struct screen {
	u32 columns, rows;
	u32 top, bottom; /* what scrolls: rows from top to bottom - 1 */
	struct screen_cursor at, saved;
	bool cursor_hidden, no_wrap, insert;

	enum screen_state state;
	u32 params[SCREEN_PARAMS];
	u32 nr_params; /* complete ones; the last is params[nr_params] */
	bool private;  /* a '?' before them */
	u32 utf8_left; /* bytes of a character still to come */

	u8 reply[SCREEN_REPLY]; /* what the terminal answers; taken and emptied by the caller */
	u32 reply_length;

	u16 cells[SCREEN_MAX_CELLS]; /* row by row */
};

/* screen_init - an empty screen. columns * rows must not exceed SCREEN_MAX_CELLS, neither be 0. */
void screen_init(struct screen *, u32 columns, u32 rows);
/* screen_write - what a program or the kernel prints. A newline only goes down: the tty layer adds the return. */
void screen_write(struct screen *, const u8 *bytes, size_t n);

/* --- between screen_escape.c and screen.c ------------------------------------------------------------ */

/* screen_put - a printable character at the cursor, which moves on. */
void screen_put(struct screen *, u8 c);
/* screen_move - the cursor; what is outside becomes the edge. */
void screen_move(struct screen *, s64 x, s64 y);
/* screen_line_feed, screen_line_back - down or up one row; at the region's edge it scrolls. */
void screen_line_feed(struct screen *);
void screen_line_back(struct screen *);
/* screen_scroll - rows [top, bottom) by n rows: up, or with `down` the other way. */
void screen_scroll(struct screen *, u32 top, u32 bottom, u32 n, bool down);
/* screen_erase - n cells from number `first` become blank in the pen's paper. */
void screen_erase(struct screen *, u32 first, u32 n);
/* screen_shift - from the cursor to the end of the row, n cells in or, with `out`, out. */
void screen_shift(struct screen *, u32 n, bool out);
