/* SPDX-License-Identifier: MIT */
/*
 * printf.c - the interpreter of format strings. It keeps no state and touches nothing but its
 * arguments, so a panic may use it from anywhere. snprintf.c builds the C functions on it.
 */
#include "lib/printf.h"
#include "lib/string.h"

enum { LEFT = 1, PLUS = 2, SPACE = 4, ZERO = 8, ALT = 16, UPPER = 32 };

/* One conversion: %[flags][width][.precision][length]conv */
struct spec {
	unsigned flags;
	int width;
	int precision; /* -1: none */
	u8 bytes;      /* size of an integer argument */
	char conv;
};

struct sink {
	void (*put)(void *ctx, const char *text, size_t n);
	void *ctx;
};

/* 64 bits in octal are 22 digits. */
#define DIGITS_MAX 22

static void emit(const struct sink *out, const char *text, size_t n)
{
	if (n)
		out->put(out->ctx, text, n);
}

static void emit_fill(const struct sink *out, char c, int n)
{
	static const char spaces[] = "                ", zeros[] = "0000000000000000";

	for (; n > 0; n -= 16)
		emit(out, c == '0' ? zeros : spaces, (size_t)MIN(n, 16));
}

static void emit_padded(const struct sink *out, const struct spec *sp, const char *text, size_t n)
{
	int fill = n < (size_t)sp->width ? sp->width - (int)n : 0;

	if (!(sp->flags & LEFT))
		emit_fill(out, ' ', fill);
	emit(out, text, n);
	if (sp->flags & LEFT)
		emit_fill(out, ' ', fill);
}

/* Writes the digits backwards from end; returns the first. None for 0. */
static char *digits(char *end, u64 value, unsigned base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; value; value /= base)
		*--end = set[value % base];
	return end;
}

/* prefix + zeros + digits within the field. An explicit precision turns the 0 flag off. */
static void emit_number(const struct sink *out, const struct spec *sp, const char *prefix,
			u64 value, unsigned base)
{
	char buf[DIGITS_MAX];
	char *end = buf + sizeof(buf), *first = digits(end, value, base, sp->flags & UPPER);
	int len = (int)(end - first), prefix_len = (int)strlen(prefix);
	int zeros = MAX((sp->precision < 0 ? 1 : sp->precision) - len, 0);
	int fill;

	if (base == 8 && (sp->flags & ALT) && !zeros && (!len || *first != '0'))
		zeros = 1;
	fill = MAX(sp->width - prefix_len - len - zeros, 0);
	if ((sp->flags & (ZERO | LEFT)) == ZERO && sp->precision < 0) {
		zeros += fill;
		fill = 0;
	}
	if (!(sp->flags & LEFT))
		emit_fill(out, ' ', fill);
	emit(out, prefix, (size_t)prefix_len);
	emit_fill(out, '0', zeros);
	emit(out, first, (size_t)len);
	if (sp->flags & LEFT)
		emit_fill(out, ' ', fill);
}

static void emit_signed(const struct sink *out, const struct spec *sp, u64 raw)
{
	unsigned unused_bits = 64 - 8u * sp->bytes;
	s64 value = (s64)(raw << unused_bits) >> unused_bits;
	const char *sign = value < 0 ? "-" : sp->flags & PLUS ? "+" : sp->flags & SPACE ? " " : "";

	emit_number(out, sp, sign, value < 0 ? -(u64)value : (u64)value, 10);
}

static void emit_unsigned(const struct sink *out, const struct spec *sp, u64 raw, unsigned base)
{
	u64 value = raw & ~0ull >> (64 - 8u * sp->bytes);
	const char *prefix = "";

	if (base == 16 && (sp->flags & ALT) && value)
		prefix = sp->flags & UPPER ? "0X" : "0x";
	emit_number(out, sp, prefix, value, base);
}

static void emit_string(const struct sink *out, const struct spec *sp, const char *s)
{
	if (!s)
		s = "(null)";
	emit_padded(out, sp, s, sp->precision < 0 ? strlen(s) : strnlen(s, (size_t)sp->precision));
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	static const char flags[] = "-+ 0#";
	const char *hit;

	for (; *f && (hit = strchr(flags, *f)); f++)
		sp->flags |= 1u << (hit - flags);
	return f;
}

static const char *parse_length(const char *f, struct spec *sp)
{
	switch (*f) {
	case 'h':
		sp->bytes = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	case 'l':
		sp->bytes = 8;
		return f + (f[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		sp->bytes = 8;
		return f + 1;
	default:
		sp->bytes = 4;
		return f;
	}
}

/* Wrapped, so that a pointer to it can be passed on every architecture. */
struct arguments {
	va_list list;
};

/* A number in the format or, for '*', the next argument: -limit..limit. */
static const char *parse_or_take(const char *f, int *n, struct arguments *args)
{
	const int limit = 1000000;

	if (*f == '*') {
		*n = va_arg(args->list, int);
		f++;
	} else {
		for (*n = 0; *f >= '0' && *f <= '9'; f++)
			*n = MIN(*n * 10 + (*f - '0'), limit);
	}
	*n = MAX(MIN(*n, limit), -limit);
	return f;
}

static const char *parse_spec(const char *f, struct spec *sp, struct arguments *args)
{
	*sp = (struct spec){.precision = -1};
	f = parse_flags(f, sp);
	f = parse_or_take(f, &sp->width, args);
	if (sp->width < 0) {
		sp->flags |= LEFT;
		sp->width = -sp->width;
	}
	if (*f == '.')
		f = parse_or_take(f + 1, &sp->precision, args);
	f = parse_length(f, sp);
	sp->conv = *f;
	return *f ? f + 1 : f;
}

static u64 take_integer(const struct spec *sp, struct arguments *args)
{
	return sp->bytes == 8 ? va_arg(args->list, u64) : va_arg(args->list, unsigned);
}

/* Returns false for a conversion that does not exist; no argument is consumed then. */
static bool convert(const struct sink *out, struct spec *sp, struct arguments *args)
{
	char c;

	switch (sp->conv) {
	case 'd':
	case 'i':
		emit_signed(out, sp, take_integer(sp, args));
		return true;
	case 'u':
		emit_unsigned(out, sp, take_integer(sp, args), 10);
		return true;
	case 'o':
		emit_unsigned(out, sp, take_integer(sp, args), 8);
		return true;
	case 'X':
		sp->flags |= UPPER;
		/* fall through */
	case 'x':
		emit_unsigned(out, sp, take_integer(sp, args), 16);
		return true;
	case 'p':
		emit_number(out, sp, "0x", (uintptr_t)va_arg(args->list, void *), 16);
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		emit_padded(out, sp, &c, 1);
		return true;
	case 's':
		emit_string(out, sp, va_arg(args->list, const char *));
		return true;
	case '%':
		emit(out, "%", 1);
		return true;
	default:
		return false;
	}
}

void format(void (*put)(void *ctx, const char *text, size_t n), void *ctx, const char *fmt,
	    va_list list)
{
	struct sink out = {put, ctx};
	struct arguments args;
	struct spec sp;

	va_copy(args.list, list);
	while (*fmt) {
		const char *start = fmt;

		while (*fmt && *fmt != '%')
			fmt++;
		emit(&out, start, (size_t)(fmt - start));
		if (!*fmt)
			break;
		start = fmt;
		fmt = parse_spec(fmt + 1, &sp, &args);
		if (!convert(&out, &sp, &args))
			emit(&out, start, (size_t)(fmt - start));
	}
	va_end(args.list);
}
