/* SPDX-License-Identifier: MIT */
/*
 * string.c - the memory and string functions of the C standard.
 *
 * Word at a time where the alignment of dst allows it; unaligned sources are read through a packed
 * struct, which the compiler turns into whatever the machine permits. Each loop that copies, fills or
 * measures contains a barrier(): without it, the compiler would recognise the idiom and replace the
 * loop in memcpy by a call of memcpy.
 */
#include "lib/string.h"
#include <quire/compiler.h>

#define WORD sizeof(u64)
#define ONES 0x0101010101010101ull

struct unaligned {
	u64 word;
} PACKED;

/* Ascending addresses. Also right for overlapping areas with dst below src: each word is loaded
 * before the store that might overwrite it, and the store never reaches the next load. */
static void copy_up(u8 *d, const u8 *s, size_t n)
{
	for (; n && (uintptr_t)d % WORD; n--) {
		*d++ = *s++;
		barrier();
	}
	for (; n >= WORD; n -= WORD, d += WORD, s += WORD) {
		*(u64 *)d = ((const struct unaligned *)s)->word;
		barrier();
	}
	for (; n; n--) {
		*d++ = *s++;
		barrier();
	}
}

/* Descending addresses, for overlapping areas with dst above src. */
static void copy_down(u8 *d, const u8 *s, size_t n)
{
	d += n;
	s += n;
	for (; n && (uintptr_t)d % WORD; n--) {
		*--d = *--s;
		barrier();
	}
	for (; n >= WORD; n -= WORD) {
		d -= WORD;
		s -= WORD;
		*(u64 *)d = ((const struct unaligned *)s)->word;
		barrier();
	}
	for (; n; n--) {
		*--d = *--s;
		barrier();
	}
}

void *memcpy(void *dst, const void *src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst <= (uintptr_t)src)
		copy_up(dst, src, n);
	else
		copy_down(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 word = ONES * (u8)c;
	u8 *d = dst;

	for (; n && (uintptr_t)d % WORD; n--) {
		*d++ = (u8)c;
		barrier();
	}
	for (; n >= WORD; n -= WORD, d += WORD) {
		*(u64 *)d = word;
		barrier();
	}
	for (; n; n--) {
		*d++ = (u8)c;
		barrier();
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	if (((uintptr_t)x | (uintptr_t)y) % WORD == 0)
		while (n >= WORD && *(const u64 *)x == *(const u64 *)y) {
			n -= WORD;
			x += WORD;
			y += WORD;
		}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++)
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	for (; *p; p++)
		barrier();
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	const char *end = memchr(s, 0, max);

	return end ? (size_t)(end - s) : max;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (!*a || *a != *b)
			return (u8)*a - (u8)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return *s == (char)c ? (char *)(uintptr_t)s : NULL;
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	do {
		if (*s == (char)c)
			found = s;
	} while (*s++);
	return (char *)(uintptr_t)found;
}

char *strstr(const char *s, const char *needle)
{
	size_t n = strlen(needle);

	for (; *s || !n; s++)
		if (!strncmp(s, needle, n))
			return (char *)(uintptr_t)s;
	return NULL;
}
