/* SPDX-License-Identifier: MIT */
/* screen.c - the cells of a screen: see screen.h. */
#include "drivers/screen.h"
#include "lib/string.h"

static u16 pen_cell(const struct screen_pen *pen, u8 c)
{
	u32 ink = pen->ink | (pen->bold ? 8u : 0), paper = pen->paper;

	return pen->reverse ? SCREEN_CELL(c, paper, ink & 7u) : SCREEN_CELL(c, ink, paper);
}

/* screen_erase - see screen.h. Reverse does not count: what is erased has the colour of the paper. */
void screen_erase(struct screen *s, u32 first, u32 n)
{
	u16 blank = SCREEN_CELL(' ', SCREEN_INK, s->at.pen.paper);

	for (u32 i = first; i < first + n && i < s->columns * s->rows; i++)
		s->cells[i] = blank;
}

/* screen_init - see screen.h. */
void screen_init(struct screen *s, u32 columns, u32 rows)
{
	memset(s, 0, offsetof(struct screen, cells));
	s->columns = columns;
	s->rows = s->bottom = rows;
	s->at.pen = (struct screen_pen){.ink = SCREEN_INK, .paper = SCREEN_PAPER};
	s->saved = s->at;
	screen_erase(s, 0, columns * rows);
}

/* screen_scroll - see screen.h. */
void screen_scroll(struct screen *s, u32 top, u32 bottom, u32 n, bool down)
{
	u32 height = bottom - top, w = s->columns;
	u16 *region = s->cells + top * w;

	n = MIN(n, height);
	if (down)
		memmove(region + n * w, region, (height - n) * w * sizeof(*region));
	else
		memmove(region, region + n * w, (height - n) * w * sizeof(*region));
	screen_erase(s, (down ? top : bottom - n) * w, n * w);
}

/* screen_line_feed - see screen.h. */
void screen_line_feed(struct screen *s)
{
	s->at.wrap_due = false;
	if (s->at.y + 1 == s->bottom)
		screen_scroll(s, s->top, s->bottom, 1, false);
	else if (s->at.y + 1 < s->rows)
		s->at.y++;
}

/* screen_line_back - see screen.h. */
void screen_line_back(struct screen *s)
{
	s->at.wrap_due = false;
	if (s->at.y == s->top)
		screen_scroll(s, s->top, s->bottom, 1, true);
	else if (s->at.y)
		s->at.y--;
}

/* screen_move - see screen.h. */
void screen_move(struct screen *s, s64 x, s64 y)
{
	s->at.x = (u32)MIN(MAX(x, 0), (s64)s->columns - 1);
	s->at.y = (u32)MIN(MAX(y, 0), (s64)s->rows - 1);
	s->at.wrap_due = false;
}

/* screen_shift - see screen.h. */
void screen_shift(struct screen *s, u32 n, bool out)
{
	u32 here = s->at.y * s->columns + s->at.x, left = s->columns - s->at.x;

	n = MIN(n, left);
	if (out) {
		memmove(s->cells + here, s->cells + here + n, (left - n) * sizeof(u16));
		screen_erase(s, here + left - n, n);
	} else {
		memmove(s->cells + here + n, s->cells + here, (left - n) * sizeof(u16));
		screen_erase(s, here, n);
	}
}

/* screen_put - see screen.h. The cursor stays in the last column until the next character comes, so that a
 * full row does not leave an empty one behind. */
void screen_put(struct screen *s, u8 c)
{
	if (s->at.wrap_due) {
		s->at.x = 0;
		screen_line_feed(s);
	}
	if (s->insert)
		screen_shift(s, 1, false);
	s->cells[s->at.y * s->columns + s->at.x] = pen_cell(&s->at.pen, c);
	if (s->at.x + 1 < s->columns)
		s->at.x++;
	else
		s->at.wrap_due = !s->no_wrap;
}
