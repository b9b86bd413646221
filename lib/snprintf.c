/* SPDX-License-Identifier: MIT */
/* snprintf.c - formatting into a buffer, under the names of the C standard. See printf.h. */
#include "lib/printf.h"
#include "lib/string.h"

struct buffer {
	char *text;
	size_t size;
	size_t len; /* of the whole text, stored or not */
};

static void buffer_put(void *ctx, const char *text, size_t n)
{
	struct buffer *b = ctx;

	if (b->len < b->size)
		memcpy(b->text + b->len, text, MIN(n, b->size - b->len));
	b->len += n;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct buffer b = {buf, size, 0};

	format(buffer_put, &b, fmt, args);
	if (size)
		buf[MIN(b.len, size - 1)] = '\0';
	return (int)MIN(b.len, (size_t)INT32_MAX);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
