/* SPDX-License-Identifier: MIT */
/* termios.h - terminal settings as the TCGETS family sees them. */
#pragma once

#include <quire/types.h>

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSW    0x5403
#define TCSETSF    0x5404
#define TIOCGPGRP  0x540f
#define TIOCGWINSZ 0x5413
#define FIONREAD   0x541b

#define UAPI_NCCS 19
struct uapi_termios {
	u32 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line;
	u8 c_cc[UAPI_NCCS];
};

struct uapi_winsize {
	u16 ws_row, ws_col, ws_xpixel, ws_ypixel;
};

#define ICRNL  0000400 /* input: carriage return becomes newline */
#define OPOST  0000001
#define ONLCR  0000004 /* output: newline becomes carriage return, newline */
#define CS8    0000060
#define CREAD  0000200
#define CLOCAL 0004000
#define B38400 0000017
