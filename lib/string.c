/* SPDX-License-Identifier: MIT */
/*
 * string.c - the memory and string functions of the C standard, but for those that copy and fill,
 * which are the machine's own (arch/<arch>/string.S).
 *
 * Each loop that measures contains a barrier(): without it, the compiler would recognise the idiom and
 * replace the loop in strlen by a call of strlen.
 */
#include "lib/string.h"
#include <quire/compiler.h>

#define WORD sizeof(u64)

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
