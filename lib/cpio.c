/* SPDX-License-Identifier: MIT */
/*
 * cpio.c - the archive reader, a state machine over pieces of input:
 *
 *	BETWEEN -> HEADER -> NAME -> NAME_PAD -> DATA -> DATA_PAD -> BETWEEN
 *
 * left counts the bytes that the state still wants; a state with left == 0 passes on to the next
 * without input. Padding goes by the offset in the whole input, as archives that follow each other
 * start at multiples of 4.
 */
#include "lib/cpio.h"
#include "lib/string.h"

#define S_IFMT  0170000u
#define S_IFREG 0100000u

static const char trailer_name[] = "TRAILER!!!";

void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	c->ctx = ctx;
	c->state = CPIO_BETWEEN;
}

static void enter(struct cpio *c, enum cpio_state state, u32 left)
{
	c->state = state;
	c->left = left;
	c->fill = 0;
}

static enum cpio_error fail(struct cpio *c, enum cpio_error error)
{
	c->error = error;
	return error;
}

/* A callback's result becomes the reader's. */
static enum cpio_error called(struct cpio *c, int result)
{
	if (!result)
		return CPIO_OK;
	c->stopped_by = result;
	return fail(c, CPIO_STOPPED);
}

/* How many bytes of padding lie between the current offset and a multiple of 4. */
static u32 padding(const struct cpio *c)
{
	return -(u32)c->offset & 3;
}

static bool is_trailer(const struct cpio *c)
{
	return !strcmp(c->name, trailer_name);
}

static bool parse_field(const char *text, u32 *value)
{
	*value = 0;
	for (int i = 0; i < 8; i++) {
		char ch = text[i];
		u32 digit;

		if (ch >= '0' && ch <= '9')
			digit = (u32)(ch - '0');
		else if ((ch | 32) >= 'a' && (ch | 32) <= 'f')
			digit = (u32)((ch | 32) - 'a') + 10;
		else
			return false;
		*value = *value << 4 | digit;
	}
	return true;
}

/* The 110 characters are complete. The fields follow the magic in this order. */
static enum cpio_error header_done(struct cpio *c)
{
	struct cpio_entry *e = &c->entry;
	u32 name_size = 0;
	u32 *const fields[] = {&e->ino,       &e->mode,       &e->uid,        &e->gid,
			       &e->nlink,     &e->mtime,      &e->size,       &e->dev_major,
			       &e->dev_minor, &e->rdev_major, &e->rdev_minor, &name_size,
			       &e->check};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!parse_field(c->header + 6 + 8 * i, fields[i]))
			return fail(c, CPIO_BAD_DIGIT);
	if (name_size > CPIO_NAME_MAX)
		return fail(c, CPIO_NAME_TOO_LONG);
	if (name_size == 0)
		return fail(c, CPIO_BAD_NAME);
	e->has_check = c->header[5] == '2';
	e->name = c->name;
	c->open = true;
	enter(c, CPIO_NAME, name_size);
	return CPIO_OK;
}

/* Archivers may pad a name with more NULs to align the content; nothing else may follow the first. */
static enum cpio_error name_done(struct cpio *c)
{
	size_t len = strnlen(c->name, c->fill);

	if (len == 0 || len == c->fill)
		return fail(c, CPIO_BAD_NAME);
	for (size_t i = len; i < c->fill; i++)
		if (c->name[i])
			return fail(c, CPIO_BAD_NAME);
	enter(c, CPIO_NAME_PAD, padding(c));
	return CPIO_OK;
}

static enum cpio_error begin_content(struct cpio *c)
{
	c->sum = 0;
	enter(c, CPIO_DATA, c->entry.size);
	if (is_trailer(c))
		return CPIO_OK;
	c->entries++;
	return called(c, c->ops->begin_entry(c->ctx, &c->entry));
}

/* Archivers fill in the sum for the content of regular files only. */
static bool sum_is_right(const struct cpio *c)
{
	const struct cpio_entry *e = &c->entry;

	return !e->has_check || e->size == 0 || (e->mode & S_IFMT) != S_IFREG || c->sum == e->check;
}

static enum cpio_error end_content(struct cpio *c)
{
	enter(c, CPIO_DATA_PAD, padding(c));
	if (is_trailer(c))
		return CPIO_OK;
	if (!sum_is_right(c))
		return fail(c, CPIO_BAD_CHECKSUM);
	return called(c, c->ops->end_entry(c->ctx, &c->entry));
}

static enum cpio_error end_entry(struct cpio *c)
{
	enter(c, CPIO_BETWEEN, 0);
	if (!is_trailer(c))
		return CPIO_OK;
	c->open = false;
	return called(c, c->ops->end_archive ? c->ops->end_archive(c->ctx) : 0);
}

/* A header that does not start like one is refused before the rest of it is waited for. */
static bool magic_may_match(const struct cpio *c)
{
	static const char magic[] = "07070";

	for (u32 i = 0; i < MIN(c->fill, 6u); i++)
		if (i < 5 ? c->header[i] != magic[i] : c->header[i] != '1' && c->header[i] != '2')
			return false;
	return true;
}

/* Uses up to n > 0 bytes for the current state, which wants some; returns how many. */
static size_t consume(struct cpio *c, const u8 *data, size_t n)
{
	size_t take = MIN(n, (size_t)c->left);

	switch (c->state) {
	case CPIO_HEADER:
		memcpy(c->header + c->fill, data, take);
		break;
	case CPIO_NAME:
		memcpy(c->name + c->fill, data, take);
		break;
	case CPIO_DATA:
		if (c->entry.has_check)
			for (size_t i = 0; i < take; i++)
				c->sum += data[i];
		if (!is_trailer(c))
			called(c, c->ops->data(c->ctx, &c->entry, data, take));
		break;
	case CPIO_BETWEEN:
	case CPIO_NAME_PAD:
	case CPIO_DATA_PAD:
		break;
	}
	c->fill += (u32)take;
	c->left -= (u32)take;
	c->offset += take;
	if (c->state == CPIO_HEADER && !magic_may_match(c))
		fail(c, CPIO_BAD_MAGIC);
	return take;
}

/* Between entries of one archive a header follows at once; outside, zero bytes are skipped. */
static size_t skip_zeros(struct cpio *c, const u8 *data, size_t n)
{
	size_t skipped = 0;

	if (!c->open)
		while (skipped < n && !data[skipped])
			skipped++;
	c->offset += skipped;
	if (skipped < n) {
		if (c->offset & 3)
			fail(c, CPIO_BAD_MAGIC);
		enter(c, CPIO_HEADER, CPIO_HEADER_SIZE);
	}
	return skipped;
}

/* The state has all that it wanted. */
static enum cpio_error advance(struct cpio *c)
{
	switch (c->state) {
	case CPIO_HEADER:
		return header_done(c);
	case CPIO_NAME:
		return name_done(c);
	case CPIO_NAME_PAD:
		return begin_content(c);
	case CPIO_DATA:
		return end_content(c);
	case CPIO_DATA_PAD:
		return end_entry(c);
	case CPIO_BETWEEN:
		break;
	}
	return CPIO_OK;
}

enum cpio_error cpio_feed(struct cpio *c, const u8 *data, size_t n)
{
	while (!c->error) {
		if (c->state != CPIO_BETWEEN && !c->left) {
			advance(c);
			continue;
		}
		if (!n)
			break;
		size_t used =
			c->state == CPIO_BETWEEN ? skip_zeros(c, data, n) : consume(c, data, n);

		data += used;
		n -= used;
	}
	return c->error;
}

enum cpio_error cpio_finish(struct cpio *c)
{
	if (!c->error && (c->open || c->state != CPIO_BETWEEN))
		fail(c, CPIO_TRUNCATED);
	return c->error;
}

const char *cpio_error_text(enum cpio_error error)
{
	static const char *const texts[] = {
		[CPIO_OK] = "no error",
		[CPIO_BAD_MAGIC] = "no cpio header (magic 070701 or 070702) where one must be",
		[CPIO_BAD_DIGIT] = "a header field is not a hexadecimal number",
		[CPIO_BAD_NAME] = "a name is empty or not terminated",
		[CPIO_NAME_TOO_LONG] = "a name is longer than 4095 bytes",
		[CPIO_BAD_CHECKSUM] = "the checksum of a file's content is wrong",
		[CPIO_TRUNCATED] = "the archive ends before its trailer",
		[CPIO_STOPPED] = "unpacking stopped",
	};

	return (size_t)error < ARRAY_SIZE(texts) ? texts[error] : "unknown error";
}
