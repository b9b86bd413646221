/* SPDX-License-Identifier: MIT */
/* test_cpio.c - lib/cpio.c on archives made here, whole, in pieces, cut short and damaged. */
#include "harness.h"

#include "lib/cpio.h"

#define MAX_ARCHIVE 65536

/* --- writing -------------------------------------------------------------------------------------- */

struct file {
	const char *name;
	u32 ino, mode, nlink;
	const char *content;
};

static u8 archive[MAX_ARCHIVE];
static size_t archive_len;

static void append(const void *data, size_t n)
{
	ASSERT(archive_len + n <= MAX_ARCHIVE);
	memcpy(archive + archive_len, data, n);
	archive_len += n;
}

static void append_padding(void)
{
	while (archive_len % 4)
		append("", 1);
}

static void append_entry(const struct file *f, char version, size_t name_size)
{
	size_t size = f->content ? strlen(f->content) : 0;
	char header[CPIO_HEADER_SIZE + 1];
	u32 sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (u8)f->content[i];
	snprintf(header, sizeof(header),
		 "07070%c%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", version, f->ino,
		 f->mode, 1000, 100, f->nlink, 0x5f000000, (unsigned)size, 8, 1, 4, 64,
		 (unsigned)name_size, version == '2' ? sum : 0);
	append(header, CPIO_HEADER_SIZE);
	append(f->name, strlen(f->name) + 1);
	for (size_t i = strlen(f->name) + 1; i < MIN(name_size, (size_t)CPIO_NAME_MAX); i++)
		append("", 1);
	append_padding();
	append(f->content ? f->content : "", size);
	append_padding();
}

static const struct file files[] = {
	{"dev", 1, 0040755, 2, NULL},
	{"dev/console", 2, 0020600, 1, NULL},
	{"init", 3, 0100755, 1, "#!/bin/sh\necho hello\n"},
	{"empty", 4, 0100644, 1, ""},
	{"one", 5, 0100644, 2, NULL}, /* hard links: the content comes with the last */
	{"two", 5, 0100644, 2, "shared"},
	{"link", 6, 0120777, 1, "target/of/the/link"},
};
static const struct file trailer = {"TRAILER!!!", 0, 0, 1, NULL};

static void make_archive(char version)
{
	archive_len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		append_entry(&files[i], version, strlen(files[i].name) + 1);
	append_entry(&trailer, version, 11);
}

/* --- reading -------------------------------------------------------------------------------------- */

struct seen {
	size_t begun, ended, archives;
	size_t content; /* bytes of the current entry */
	size_t stop_at; /* begin_entry that returns an error; 0: none */
	bool strict;    /* compare with files[] */
};

static int on_begin(void *ctx, const struct cpio_entry *e)
{
	struct seen *s = ctx;
	const struct file *f = &files[s->begun % ARRAY_SIZE(files)];

	EXPECT_EQ(s->begun, s->ended);
	s->begun++;
	s->content = 0;
	EXPECT(strlen(e->name) > 0 && strlen(e->name) < CPIO_NAME_MAX);
	if (s->strict) {
		EXPECT_STREQ(e->name, f->name);
		EXPECT_EQ(e->ino, f->ino);
		EXPECT_EQ(e->mode, f->mode);
		EXPECT_EQ(e->nlink, f->nlink);
		EXPECT_EQ(e->uid, 1000);
		EXPECT_EQ(e->gid, 100);
		EXPECT_EQ(e->mtime, 0x5f000000);
		EXPECT_EQ(e->dev_major, 8);
		EXPECT_EQ(e->dev_minor, 1);
		EXPECT_EQ(e->rdev_major, 4);
		EXPECT_EQ(e->rdev_minor, 64);
		EXPECT_EQ(e->size, f->content ? strlen(f->content) : 0);
	}
	return s->begun == s->stop_at ? -5 : 0;
}

static int on_data(void *ctx, const struct cpio_entry *e, const u8 *data, size_t n)
{
	struct seen *s = ctx;
	const struct file *f = &files[(s->begun - 1) % ARRAY_SIZE(files)];

	EXPECT(n > 0 && s->content + n <= e->size);
	if (s->strict)
		EXPECT(!memcmp(data, f->content + s->content, n));
	s->content += n;
	return 0;
}

static int on_end(void *ctx, const struct cpio_entry *e)
{
	struct seen *s = ctx;

	s->ended++;
	EXPECT_EQ(s->content, e->size);
	EXPECT_EQ(s->begun, s->ended);
	return 0;
}

static int on_archive(void *ctx)
{
	((struct seen *)ctx)->archives++;
	return 0;
}

static const struct cpio_ops ops = {on_begin, on_data, on_end, on_archive};
static struct cpio reader;

/* Feeds a copy that ends where its memory ends, in pieces of at most max_piece bytes. */
static enum cpio_error read_pieces(struct seen *s, const u8 *data, size_t n, size_t max_piece)
{
	size_t at = 0;

	memset(&reader, 0xa5, sizeof(reader));
	cpio_init(&reader, &ops, s);
	while (at < n) {
		size_t piece = 1 + rng_below(max_piece);
		u8 *copy;

		piece = MIN(piece, n - at);
		copy = malloc(piece);
		memcpy(copy, data + at, piece);
		cpio_feed(&reader, copy, piece);
		free(copy);
		at += piece;
	}
	return cpio_finish(&reader);
}

static enum cpio_error read_archive(struct seen *s)
{
	return read_pieces(s, archive, archive_len, archive_len);
}

TEST(every_entry_is_reported_as_written)
{
	for (char version = '1'; version <= '2'; version++) {
		struct seen s = {.strict = true};

		make_archive(version);
		EXPECT_EQ(read_archive(&s), CPIO_OK);
		EXPECT_EQ(s.ended, ARRAY_SIZE(files));
		EXPECT_EQ(s.archives, 1);
		EXPECT_EQ(reader.entries, ARRAY_SIZE(files));
		EXPECT_EQ(reader.offset, archive_len);
	}
}

TEST(pieces_of_any_size_give_the_same_entries)
{
	make_archive('2');
	for (size_t piece = 1; piece < 200; piece++) {
		struct seen s = {.strict = true};

		ASSERT_EQ(read_pieces(&s, archive, archive_len, piece), CPIO_OK);
		ASSERT_EQ(s.ended, ARRAY_SIZE(files));
	}
}

TEST(archives_follow_each_other_over_zeros)
{
	static const u8 zeros[512];
	struct seen s = {.strict = true};
	u8 one[MAX_ARCHIVE / 4];
	size_t n;

	make_archive('1');
	n = archive_len;
	ASSERT(n <= sizeof(one));
	memcpy(one, archive, n);
	append(one, n);
	append(zeros, sizeof(zeros));
	append(one, n);
	append(zeros, 3);
	EXPECT_EQ(read_archive(&s), CPIO_OK);
	EXPECT_EQ(s.ended, 3 * ARRAY_SIZE(files));
	EXPECT_EQ(s.archives, 3);
}

TEST(nothing_and_zeros_are_archives_without_entries)
{
	static const u8 zeros[512];
	struct seen s = {0};

	EXPECT_EQ(read_pieces(&s, zeros, 0, 1), CPIO_OK);
	EXPECT_EQ(read_pieces(&s, zeros, 512, 100), CPIO_OK);
	EXPECT_EQ(s.begun, 0);
}

TEST(archive_cut_anywhere_is_truncated)
{
	make_archive('2');
	/* The padding behind the trailer's name is the only part that may be missing: none here. */
	for (size_t n = 1; n < archive_len; n++) {
		struct seen s = {.strict = true};

		ASSERT_EQ(read_pieces(&s, archive, n, n), CPIO_TRUNCATED);
	}
}

TEST(damaged_header_is_named)
{
	struct seen s = {0};

	make_archive('1');
	archive[0] = '1';
	EXPECT_EQ(read_archive(&s), CPIO_BAD_MAGIC);
	make_archive('1');
	archive[5] = '7'; /* the old portable format */
	EXPECT_EQ(read_archive(&s), CPIO_BAD_MAGIC);
	EXPECT_EQ(s.begun, 0);
	for (size_t i = 6; i < CPIO_HEADER_SIZE; i++) {
		s = (struct seen){0};
		make_archive('1');
		archive[i] = "gG /:@`\xff"[i % 8];
		ASSERT_EQ(read_archive(&s), CPIO_BAD_DIGIT);
		ASSERT_EQ(s.begun, 0);
	}
}

TEST(garbage_between_entries_is_not_skipped)
{
	struct seen s = {0};

	archive_len = 0;
	append_entry(&files[2], '1', 5);
	append("\0\0\0\0", 4);
	append_entry(&trailer, '1', 11);
	EXPECT_EQ(read_archive(&s), CPIO_BAD_MAGIC);
	EXPECT_EQ(s.ended, 1);

	make_archive('1');
	append("\0\0\0\0garbage", 11);
	s = (struct seen){0};
	EXPECT_EQ(read_archive(&s), CPIO_BAD_MAGIC);
	EXPECT_EQ(s.ended, ARRAY_SIZE(files));
	EXPECT_EQ(cpio_feed(&reader, archive, archive_len), CPIO_BAD_MAGIC); /* for good */
}

static enum cpio_error read_name_of(size_t len, size_t name_size)
{
	static char name[CPIO_NAME_MAX + 8];
	struct file f = {name, 1, 0100644, 1, "x"};
	struct seen s = {0};

	memset(name, 'n', len);
	name[len] = '\0';
	archive_len = 0;
	append_entry(&f, '1', name_size);
	append_entry(&trailer, '1', 11);
	return read_archive(&s);
}

TEST(names_are_bounded_terminated_and_not_empty)
{
	EXPECT_EQ(read_name_of(CPIO_NAME_MAX - 1, CPIO_NAME_MAX), CPIO_OK);
	EXPECT_EQ(read_name_of(CPIO_NAME_MAX, CPIO_NAME_MAX + 1), CPIO_NAME_TOO_LONG);
	EXPECT_EQ(read_name_of(4, 9), CPIO_OK); /* padded with NULs */
	EXPECT_EQ(read_name_of(4, 4), CPIO_BAD_NAME);
	EXPECT_EQ(read_name_of(0, 1), CPIO_BAD_NAME);
	EXPECT_EQ(read_name_of(0, 0), CPIO_BAD_NAME);
	EXPECT_EQ(read_name_of(4, 0xffffffff), CPIO_NAME_TOO_LONG);
	make_archive('1');
	archive[CPIO_HEADER_SIZE + 1] = '\0'; /* "d\0v" */
	EXPECT_EQ(read_archive(&(struct seen){0}), CPIO_BAD_NAME);
}

TEST(wrong_checksum_is_noticed_in_files_only)
{
	struct seen s = {0};

	make_archive('2');
	for (size_t i = 0; i < archive_len; i++)
		if (!memcmp(archive + i, "target/of", 9))
			archive[i] = 'T'; /* a symbolic link: nobody sums those */
	EXPECT_EQ(read_archive(&s), CPIO_OK);
	for (size_t i = 0; i < archive_len; i++)
		if (!memcmp(archive + i, "#!/bin", 6))
			archive[i] = '$';
	s = (struct seen){0};
	EXPECT_EQ(read_archive(&s), CPIO_BAD_CHECKSUM);
	EXPECT_EQ(s.ended, 2);
}

TEST(callback_stops_the_reader)
{
	for (size_t at = 1; at <= ARRAY_SIZE(files); at++) {
		struct seen s = {.strict = true, .stop_at = at};

		make_archive('1');
		EXPECT_EQ(read_archive(&s), CPIO_STOPPED);
		EXPECT_EQ(reader.stopped_by, -5);
		EXPECT_EQ(s.begun, at);
		EXPECT_EQ(s.ended, at - 1);
	}
}

TEST(damaged_archives_end_with_an_error_or_not_but_end)
{
	unsigned good = 0;

	for (int round = 0; round < 20000; round++) {
		struct seen s = {0};

		make_archive(rng_one_in(2) ? '1' : '2');
		for (int i = 0; i < 3; i++)
			archive[rng_below(archive_len)] ^= 1u << rng_below(8);
		good += read_pieces(&s, archive, archive_len, 300) == CPIO_OK;
		ASSERT(cpio_error_text(reader.error) && !host_test_failed());
	}
	note("%u of 20000 damaged archives still read as archives", good);
}

TEST(every_error_has_a_text)
{
	for (int e = CPIO_OK; e <= CPIO_STOPPED; e++)
		EXPECT(strcmp(cpio_error_text((enum cpio_error)e), "unknown error"));
	EXPECT_STREQ(cpio_error_text((enum cpio_error)99), "unknown error");
}
