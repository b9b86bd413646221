/* SPDX-License-Identifier: MIT */
/*
 * printf.h - formatted text.
 *
 * The formats are those of C: flags - + space 0 #, width and precision as numbers or '*', length hh h
 * l ll z t j, conversions d i u x X o c s p %. There is no floating point and no %n. A null %s
 * prints "(null)"; %p prints 0x and the digits of the address. A conversion that
 * does not exist is printed as it stands, which shows the mistake instead of hiding it.
 *
 * format() is in printf.c; the two functions named as in C are in snprintf.c, so that a program on
 * the build machine can have its libc's.
 */
#pragma once

#include <stdarg.h>
#include <quire/types.h>
#include <quire/compiler.h>

/* format - hand the formatted text to put, piece by piece and in order.
 *  put:    gets ctx, and n > 0 bytes that are not terminated and valid only during the call
 *  fails:  no     sleeps: only if put does     stack: about 200 bytes, no allocation */
void format(void (*put)(void *ctx, const char *text, size_t n), void *ctx, const char *fmt,
	    va_list args) PRINTF_LIKE(3, 0);

/* snprintf - format into a buffer of size bytes, cut short where needed and terminated when size is
 * not 0. Returns the length that the whole text has: it is cut when that is >= size. */
int snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
