/* SPDX-License-Identifier: MIT */
/* test_printf.c - lib/printf.c against the C library on fixed and on random formats. */
#include "harness.h"

#include <stdarg.h>

#include "renamed_string.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#endif

/* Both versions of one call must give the same text and the same length, cut at any size. */
#define SAME(...)                                                                              \
	do {                                                                                   \
		char same_a[600], same_b[600];                                                 \
		int same_n = q_snprintf(same_a, sizeof(same_a), __VA_ARGS__);                  \
		int same_m = snprintf(same_b, sizeof(same_b), __VA_ARGS__);                    \
		if (same_n != same_m || strcmp(same_a, same_b))                                \
			host_fail(__FILE__, __LINE__, "%s: ours [%s], C's [%s]", #__VA_ARGS__, \
				  same_a, same_b);                                             \
	} while (0)

TEST(every_conversion_prints_as_in_c)
{
	SAME("plain text");
	SAME("%d %i %u %x %X %o %c %s %%", -1, 2, 3u, 0xabcu, 0xabcu, 0777u, 'q', "word");
	SAME("%ld %lld %zu %td %jd", -5000000000l, -6000000000ll, (size_t)1 << 40, (ptrdiff_t)-9,
	     (intmax_t)-10);
	SAME("%hhd %hhu %hd %hu %hhx", 300, 300, 70000, 70000, 0xabcdef);
	SAME("%lx %lX %#lx %#lo", ~0ul, ~0ul, ~0ul, ~0ul);
	SAME("%ld %ld", INT64_MIN, INT64_MAX);
	SAME("%p", (void *)0xffff800000001234);
	SAME("%20p|%-20p|", (void *)0x1234, (void *)0x1234);
	SAME("%.3s|%.0s|%10.2s|%-10s|", "abcdef", "abcdef", "abcdef", "abcdef");
	SAME("%*d|%-*d|%.*d|%*.*d|%*d", 6, 1, 6, 2, 3, 3, 8, 4, 4, -6, 5);
	SAME("%.0d|%.0x|%#.0o|%#x|%#o", 0, 0, 0, 0, 0);
	SAME("%c%c", 'a', 'b');
	SAME("%%|%s", "tail");
	SAME("%300d|%-300s|%.300d", 1, "x", 2);
}

TEST(random_formats_print_as_in_c)
{
	static const char *const lengths[] = {"", "h", "hh", "l", "ll", "z", "t", "j"};
	static const char convs[] = "diuxXo";
	static const char flags[] = "-+ 0#";

	for (int round = 0; round < 300000 && !host_test_failed(); round++) {
		char fmt[64] = "<%", text[8];
		u64 value = rng() >> rng_below(64) & (rng_one_in(8) ? 0 : ~0ull);

		for (int i = 0; i < 3; i++)
			if (rng_one_in(2))
				strncat(fmt, &flags[rng_below(5)], 1);
		if (rng_one_in(2)) {
			snprintf(text, sizeof(text), "%d", (int)rng_below(40));
			strcat(fmt, text);
		}
		if (rng_one_in(2)) {
			snprintf(text, sizeof(text), ".%d", (int)rng_below(30));
			strcat(fmt, rng_one_in(6) ? "." : text);
		}
		const char *length = lengths[rng_below(8)];

		strcat(fmt, length);
		strncat(fmt, &convs[rng_below(6)], 1);
		strcat(fmt, ">");
		if (*length && *length != 'h')
			SAME(fmt, value);
		else
			SAME(fmt, (unsigned)value);
		if (host_test_failed())
			note("format %s, value %#llx", fmt, (unsigned long long)value);
	}
}

TEST(output_is_cut_at_the_buffer_and_terminated)
{
	for (size_t size = 0; size < 20; size++) {
		char *ours = malloc(size ? size : 1), theirs[20];

		memset(ours, 'z', size ? size : 1);
		EXPECT_EQ(q_snprintf(ours, size, "%s-%05d", "abcd", 42), 10);
		snprintf(theirs, size, "%s-%05d", "abcd", 42);
		if (size)
			EXPECT_STREQ(ours, theirs);
		else
			EXPECT_EQ(ours[0], 'z');
		free(ours);
	}
}

TEST(mistakes_in_a_format_are_shown_not_followed)
{
	char buf[40];

	q_snprintf(buf, sizeof(buf), "%y %5.2q|%d", 7);
	EXPECT_STREQ(buf, "%y %5.2q|7");
	q_snprintf(buf, sizeof(buf), "100%");
	EXPECT_STREQ(buf, "100%");
	q_snprintf(buf, sizeof(buf), "%-08l");
	EXPECT_STREQ(buf, "%-08l");
	q_snprintf(buf, sizeof(buf), "%s|%p", (char *)NULL, NULL);
	EXPECT_STREQ(buf, "(null)|0x0");
	EXPECT_EQ(q_snprintf(buf, sizeof(buf), "%99999999999999999999d", 1), 1000000);
}

static void count_pieces(void *ctx, const char *text, size_t n)
{
	size_t *total = ctx;

	EXPECT(text && n > 0);
	*total += n;
}

static void call_format(size_t *total, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format(count_pieces, total, fmt, args);
	va_end(args);
}

TEST(format_hands_out_no_empty_pieces)
{
	size_t total = 0;

	call_format(&total, "%s%.0d%5s%-5s|", "", 0, "", "");
	EXPECT_EQ(total, 11);
}
