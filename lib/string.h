/* SPDX-License-Identifier: MIT */
/*
 * string.h - memory and string functions.
 *
 * The names of the C standard have the meaning of the C standard; the compiler emits calls to the
 * first four by itself. They are in arch/<arch>/string.S and string.c, our own additions in str.c, so that a
 * program on the build machine can take the former from its libc and the latter from here.
 *
 * None of these may be given a user address: see the checked accessors of the architecture.
 */
#pragma once

#include <quire/types.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *needle);

/* strlcpy - copy src into dst, which has size bytes, cutting it short where needed; dst is always
 * terminated when size is not 0. Returns strlen(src): the copy is cut when that is >= size. */
size_t strlcpy(char *dst, const char *src, size_t size);

/* str_to_u64 - the number that s starts with.
 *  base: 2..36, or 0: by prefix 0x (16), 0b (2), 0 (8), else 10; with 16 a prefix 0x is skipped
 *  end:  set to the first character after the number when not NULL; s itself when there is none
 *  No sign and no leading space is taken. A number too large gives ~0ul, its digits all consumed. */
u64 str_to_u64(const char *s, char **end, unsigned base);
