/* SPDX-License-Identifier: MIT */
/*
 * cmdline.c - reading options from the kernel command line.
 *
 * The line is a list of words separated by blanks. A double quote starts or ends a stretch in which
 * blanks do not separate; quotes themselves are no part of a word. The word "--" ends the kernel's
 * options: what follows is for init. When a key is given twice, the last one counts, so that an
 * option can be overridden by appending.
 *
 * boot_info.cmdline never changes after boot, so these functions may be called at any time.
 */
#include "boot/boot_info.h"
#include "lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || !is_blank(*p)); p++) {
		if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

/* The value of a word whose key is `key`: the text behind '=', the word's end when there is no '=';
 * NULL when the key is another one. Quotes in front of and inside the key do not count. */
static const char *word_match(const char *p, const char *end, const char *key)
{
	for (; p < end; p++) {
		if (*p == '"')
			continue;
		if (!*key)
			return *p == '=' ? p + 1 : NULL;
		if (*p != *key++)
			return NULL;
	}
	return *key ? NULL : end;
}

static void copy_without_quotes(const char *p, const char *end, char *buf, size_t size)
{
	size_t n = 0;

	for (; p < end && n + 1 < size; p++) {
		if (*p != '"')
			buf[n++] = *p;
	}
	if (size)
		buf[n] = '\0';
}

/* boot_cmdline_get - see boot_info.h. */
bool boot_cmdline_get(const char *key, char *buf, size_t size)
{
	const char *p = boot_info.cmdline;
	bool found = false;

	while (*p) {
		const char *end = word_end(p), *value;

		if (end - p == 2 && p[0] == '-' && p[1] == '-')
			break;
		value = end > p ? word_match(p, end, key) : NULL;
		if (value) {
			copy_without_quotes(value, end, buf, size);
			found = true;
		}
		p = *end ? end + 1 : end;
	}
	return found;
}

/* boot_cmdline_has - see boot_info.h. */
bool boot_cmdline_has(const char *word)
{
	const char *p = boot_info.cmdline;
	size_t length = strlen(word);

	while (*p) {
		const char *end = word_end(p);
		size_t n = (size_t)(end - p);

		if (n == 2 && p[0] == '-' && p[1] == '-')
			break;
		if (n >= length && !memcmp(p, word, length) && (n == length || p[length] == ','))
			return true;
		p = *end ? end + 1 : end;
	}
	return false;
}

static u32 suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

/* boot_cmdline_get_u64 - see boot_info.h. */
bool boot_cmdline_get_u64(const char *key, u64 *out)
{
	char text[32], *rest;
	u64 value;
	u32 shift;

	if (!boot_cmdline_get(key, text, sizeof(text)))
		return false;
	value = str_to_u64(text, &rest, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	shift = suffix_shift(*rest);
	if (rest == text || (shift ? rest[1] : rest[0]))
		return false;
	if (value == ~0ull || value > ~0ull >> shift) /* too large for str_to_u64 or for us */
		return false;
	*out = value << shift;
	return true;
}
