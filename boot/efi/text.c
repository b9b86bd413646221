/* SPDX-License-Identifier: MIT */
/* text.c - between our texts and the firmware's UTF-16, and messages on its console. */
#include "boot/efi/stub.h"

#define LINE_SIZE 128

static size_t append(u16 *line, size_t at, const char *text)
{
	while (text && *text && at + 3 < LINE_SIZE)
		line[at++] = (u8)*text++;
	return at;
}

/* A firmware need not have a console. */
static void say(const char *what, const char *name, const char *reason)
{
	struct efi_text_output *out = efi.system->console_out;
	u16 line[LINE_SIZE];
	size_t n = append(line, 0, "quire: ");

	n = append(line, n, what);
	n = append(line, n, name);
	n = append(line, n, ": ");
	n = append(line, n, reason);
	line[n++] = '\r';
	line[n++] = '\n';
	line[n] = 0;
	if (out)
		out->output(out, line);
}

/* Texts in place: an array of pointers would have to be relocated. */
static const struct {
	efi_status status;
	char text[24];
} statuses[] = {
	{EFI_LOAD_ERROR, "cannot be loaded"}, {EFI_INVALID_PARAMETER, "invalid parameter"},
	{EFI_UNSUPPORTED, "not supported"},   {EFI_OUT_OF_RESOURCES, "not enough memory"},
	{EFI_NOT_FOUND, "not found"},
};

/* efi_fail - see stub.h. */
efi_status efi_fail(const char *what, const char *name, efi_status status)
{
	char number[] = "status 00";

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status) {
			say(what, name, statuses[i].text);
			return status;
		}
	}
	number[7] = (char)('0' + (u8)status / 10 % 10);
	number[8] = (char)('0' + (u8)status % 10);
	say(what, name, number);
	return status;
}

/* The character at text[*i], which moves on; an unpaired surrogate is none. */
static u32 next_character(const u16 *text, size_t units, size_t *i)
{
	u32 c = text[(*i)++];

	if (c >= 0xd800 && c < 0xdc00 && *i < units && text[*i] >= 0xdc00 && text[*i] < 0xe000)
		return 0x10000 + ((c - 0xd800) << 10) + (text[(*i)++] - 0xdc00u);
	return c >= 0xd800 && c < 0xe000 ? '?' : c;
}

static size_t utf8_length(u32 c)
{
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static void utf8_put(char *out, u32 c, size_t length)
{
	if (length == 1) {
		out[0] = (char)c;
		return;
	}
	for (size_t i = length - 1; i; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(0xf00u >> length | c);
}

/* efi_text_from_utf16 - see stub.h. */
void efi_text_from_utf16(char *out, size_t size, const u16 *text, size_t units)
{
	size_t n = 0, i = 0;

	while (i < units && text[i]) {
		u32 c = next_character(text, units, &i);
		size_t length = utf8_length(c);

		if (n + length >= size)
			break;
		utf8_put(out + n, c, length);
		n += length;
	}
	out[n] = '\0';
}
