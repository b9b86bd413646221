/* SPDX-License-Identifier: MIT */
/* wait.h - options of the wait calls and the status words they return. */
#pragma once

#define WNOHANG    0x00000001
#define WUNTRACED  0x00000002
#define WSTOPPED   WUNTRACED
#define WEXITED    0x00000004
#define WCONTINUED 0x00000008
#define WNOWAIT    0x01000000
#define WNOTHREAD  0x20000000 /* only children of the calling thread */
#define WALL       0x40000000 /* whatever signal they end with */
#define WCLONE     0x80000000 /* only those that do not end with SIGCHLD */

#define P_ALL   0
#define P_PID   1
#define P_PGID  2
#define P_PIDFD 3

/* A status word: exit code << 8; or the killing signal (| 0x80 when it would dump core); or
 * stop signal << 8 | 0x7f; or 0xffff for "continued". */
#define WSTATUS_EXITED(code) (((code)&0xff) << 8)
#define WSTATUS_STOPPED(sig) ((sig) << 8 | 0x7f)
#define WSTATUS_CONTINUED    0xffff
