/* SPDX-License-Identifier: MIT */
/* assert.h - panics for our own bugs. User input never reaches one of these. */
#pragma once

#include <stdbool.h>
#include <quire/compiler.h>

/* panic - print the message, a symbolised backtrace and the last trace events, stop every CPU and
 * leave QEMU with a failing status. Callable from any context; takes no lock that can be held. */
void panic(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN COLD;

/* BUG_ON is checked in every build; assert only in debug builds (make DEBUG=1). */
#define BUG_ON(x)                                                          \
	do {                                                               \
		if (unlikely(x))                                           \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #x); \
	} while (0)

#ifdef QUIRE_DEBUG
#define DEBUG_BUILD 1
#define assert(x)                                                                       \
	do {                                                                            \
		if (unlikely(!(x)))                                                     \
			panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, #x); \
	} while (0)
#else
#define DEBUG_BUILD 0
#define assert(x)   ((void)sizeof(!(x)))
#endif
