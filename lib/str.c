/* SPDX-License-Identifier: MIT */
/* str.c - the string functions of ours that the C standard does not have. Contracts: string.h. */
#include "lib/string.h"

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = MIN(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

/* The value of a digit in bases up to 36; 36 for anything else. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 10;
	return 36;
}

/* Steps over a prefix that fits the base and has a digit behind it; settles base 0. */
static const char *skip_prefix(const char *s, unsigned *base)
{
	char mark = s[0] == '0' ? s[1] | ('a' - 'A') : '\0';

	if (mark == 'x' && (*base == 0 || *base == 16) && digit_value(s[2]) < 16) {
		*base = 16;
		return s + 2;
	}
	if (mark == 'b' && *base == 0 && digit_value(s[2]) < 2) {
		*base = 2;
		return s + 2;
	}
	if (*base == 0)
		*base = s[0] == '0' ? 8 : 10;
	return s;
}

u64 str_to_u64(const char *s, char **end, unsigned base)
{
	const char *p = skip_prefix(s, &base);
	u64 value = 0;
	unsigned d;

	for (; (d = digit_value(*p)) < base; p++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, d, &value))
			break;
	if (digit_value(*p) < base) {
		value = ~0ull;
		while (digit_value(*p) < base)
			p++;
	}
	if (end)
		*end = (char *)(uintptr_t)p;
	return value;
}
