/* SPDX-License-Identifier: MIT */
/* font.h - the one font: see font_8x16.c. */
#pragma once

#include <quire/types.h>

#define FONT_WIDTH  8
#define FONT_HEIGHT 16
#define FONT_FIRST  0x20
#define FONT_GLYPHS 96
#define FONT_OTHER  0x7f /* the shape of every character that has none of its own */

extern const u8 font_8x16[FONT_GLYPHS][FONT_HEIGHT]; /* of character FONT_FIRST + n */
