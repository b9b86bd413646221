/* SPDX-License-Identifier: MIT */
/*
 * test_inflate.c - lib/inflate.c on what zlib writes (make_fixtures.py), cut short and damaged, and on
 * streams made bit by bit here that no compressor writes.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>

#include "lib/crc32.h"
#include "lib/inflate.h"

struct file {
	u8 *data;
	size_t size;
};

static struct file read_file(const char *name, const char *suffix)
{
	struct file f = {NULL, 0};
	char path[600];
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s%s", FIXTURES, name, suffix);
	in = fopen(path, "rb");
	if (!in) {
		host_fail(__FILE__, __LINE__, "cannot open %s", path);
		host_test_abort();
	}
	fseek(in, 0, SEEK_END);
	f.size = (size_t)ftell(in);
	rewind(in);
	f.data = malloc(f.size + !f.size); /* exact, so that one byte too many is caught */
	ASSERT_EQ(fread(f.data, 1, f.size, in), f.size);
	fclose(in);
	return f;
}

/* Compares output with what is expected as it arrives. */
struct check {
	const struct file *plain; /* NULL: anything goes */
	size_t at;
	bool differs;
	size_t stop_after; /* pieces; 0: never */
};

static int check_output(void *ctx, const u8 *data, size_t n)
{
	struct check *c = ctx;

	EXPECT(n > 0 && n <= INFLATE_WINDOW);
	if (c->plain) {
		if (c->at + n > c->plain->size || memcmp(c->plain->data + c->at, data, n))
			c->differs = true;
	}
	c->at += n;
	return c->stop_after && --c->stop_after == 0 ? -EINTR : 0;
}

static struct inflate_work *work;

/* A work area full of noise: nothing in it may matter. */
static void new_work(void)
{
	if (!work)
		work = malloc(sizeof(*work));
	memset(work, 0xa5, sizeof(*work));
}

static bool is_complete(const struct check *c)
{
	return !c->differs && c->at == c->plain->size;
}

static int unpack_gz(const u8 *data, size_t n, struct check *c)
{
	new_work();
	return gunzip(work, data, n, check_output, c);
}

static int unpack_raw(const u8 *data, size_t n, struct check *c, size_t *used)
{
	new_work();
	return inflate(work, data, n, used, check_output, c);
}

/* Calls fn for each fixture with this prefix and suffix; returns how many there were. */
static unsigned for_each_fixture(const char *prefix, const char *suffix,
				 void (*fn)(const struct file *packed, const struct file *plain))
{
	struct dirent **names;
	int total = scandir(FIXTURES, &names, NULL, alphasort);
	unsigned n = 0;

	ASSERT(total > 0);
	for (int i = 0; i < total; free(names[i++])) {
		char *name = names[i]->d_name, *dot = strrchr(name, '.');
		struct file packed, plain;

		if (!dot || strcmp(dot, suffix) || strncmp(name, prefix, strlen(prefix)))
			continue;
		*dot = '\0';
		packed = read_file(name, suffix);
		plain = read_file(name, ".plain");
		fn(&packed, &plain);
		if (host_test_failed()) {
			note("fixture %s%s", name, suffix);
			host_test_abort();
		}
		free(packed.data);
		free(plain.data);
		n++;
	}
	free(names);
	return n;
}

static void decode_gz(const struct file *packed, const struct file *plain)
{
	struct check c = {.plain = plain};

	EXPECT_EQ(unpack_gz(packed->data, packed->size, &c), 0);
	EXPECT(is_complete(&c));
	EXPECT(is_gzip(packed->data, packed->size));
}

static void decode_raw(const struct file *packed, const struct file *plain)
{
	struct check c = {.plain = plain};
	size_t used = 0;

	EXPECT_EQ(unpack_raw(packed->data, packed->size, &c, &used), 0);
	EXPECT(is_complete(&c));
	EXPECT_EQ(used, packed->size);
}

TEST(everything_zlib_writes_is_decoded)
{
	unsigned gz = for_each_fixture("", ".gz", decode_gz);
	unsigned raw = for_each_fixture("", ".raw", decode_raw);

	note("%u gzip files, %u deflate streams", gz, raw);
	EXPECT(gz >= 18 && raw >= 90);
}

static void follow_by_bytes(const struct file *packed, const struct file *plain)
{
	struct check c = {.plain = plain};
	u8 *longer = malloc(packed->size + 20);
	size_t used;

	memcpy(longer, packed->data, packed->size);
	memset(longer + packed->size, 0xff, 20);
	EXPECT_EQ(unpack_raw(longer, packed->size + 20, &c, &used), 0);
	EXPECT_EQ(used, packed->size);
	free(longer);
}

TEST(bytes_behind_a_stream_are_not_used_up)
{
	for_each_fixture("", ".raw", follow_by_bytes);
}

/* --- truncation ----------------------------------------------------------------------------------- */

static void cut(const struct file *packed, const struct file *plain, size_t n, bool gz)
{
	u8 *copy = malloc(n + !n);
	struct check c = {.plain = plain};
	int err;

	memcpy(copy, packed->data, n);
	err = gz ? unpack_gz(copy, n, &c) : unpack_raw(copy, n, &c, NULL);
	if (err != -EIO || c.differs)
		host_fail(__FILE__, __LINE__, "cut at %zu of %zu: %d", n, packed->size, err);
	free(copy);
}

static void cut_everywhere_gz(const struct file *packed, const struct file *plain)
{
	for (size_t n = 0; n < packed->size && !host_test_failed(); n++)
		cut(packed, plain, n, true);
}

static void cut_everywhere_raw(const struct file *packed, const struct file *plain)
{
	for (size_t n = 0; n < packed->size && !host_test_failed(); n++)
		cut(packed, plain, n, false);
}

static void cut_at_random_gz(const struct file *packed, const struct file *plain)
{
	for (int i = 0; i < 40 && !host_test_failed(); i++)
		cut(packed, plain, rng_below(packed->size), true);
}

TEST(gzip_truncated_anywhere_is_an_error)
{
	static const char *const one_member[] = {"empty", "one", "short.", "short-gz",
						 "short-flags"};

	for (size_t i = 0; i < ARRAY_SIZE(one_member); i++)
		EXPECT(for_each_fixture(one_member[i], ".gz", cut_everywhere_gz) > 0);
	for_each_fixture("text", ".gz", cut_at_random_gz);
	for_each_fixture("noise", ".gz", cut_at_random_gz);
	for_each_fixture("zeros", ".gz", cut_at_random_gz);
	for_each_fixture("skewed", ".gz", cut_at_random_gz);
}

TEST(deflate_truncated_anywhere_is_an_error)
{
	for_each_fixture("empty", ".raw", cut_everywhere_raw);
	for_each_fixture("one", ".raw", cut_everywhere_raw);
	for_each_fixture("short", ".raw", cut_everywhere_raw);
}

static void cut_members(const struct file *packed, const struct file *plain)
{
	unsigned whole = 0;

	for (size_t n = 0; n < packed->size; n++) {
		u8 *copy = malloc(n + !n);
		struct check c = {.plain = plain};
		int err;

		memcpy(copy, packed->data, n);
		err = unpack_gz(copy, n, &c);
		EXPECT(err == 0 || err == -EIO);
		EXPECT(!c.differs);
		if (err == 0)
			whole++;
		free(copy);
	}
	EXPECT_EQ(whole, 3); /* behind each member but the last */
}

TEST(gzip_members_may_end_between_members_only)
{
	EXPECT_EQ(for_each_fixture("short-members", ".gz", cut_members), 1);
}

/* --- damage --------------------------------------------------------------------------------------- */

static bool is_clean_error(int err)
{
	return err == -EIO || err == -EINVAL || err == -EBADMSG;
}

static unsigned harmless;

/* Either it is noticed, or the output is right nevertheless: a few bits of the header and the padding
 * behind the last block and in front of stored ones mean nothing. */
static void damage(const struct file *packed, const struct file *plain, int rounds, bool gz)
{
	u8 *copy = malloc(packed->size);

	for (int i = 0; i < rounds && !host_test_failed(); i++) {
		struct check c = {.plain = plain};
		size_t at = rng_below(packed->size);
		int err;

		memcpy(copy, packed->data, packed->size);
		if (rng_one_in(2))
			copy[at] ^= (u8)(1u << rng_below(8));
		else
			copy[at] ^= (u8)(1 + rng_below(255));
		err = gz ? unpack_gz(copy, packed->size, &c)
			 : unpack_raw(copy, packed->size, &c, NULL);
		if (err ? !is_clean_error(err) : gz && !is_complete(&c))
			host_fail(__FILE__, __LINE__, "damage at %zu: %d", at, err);
		harmless += !err;
	}
	free(copy);
}

static void damage_gz(const struct file *packed, const struct file *plain)
{
	damage(packed, plain, packed->size > 10000 ? 100 : 2000, true);
}

static void damage_raw(const struct file *packed, const struct file *plain)
{
	damage(packed, plain, packed->size > 10000 ? 20 : 300, false);
}

TEST(gzip_damaged_anywhere_is_an_error_or_harmless)
{
	harmless = 0;
	for_each_fixture("", ".gz", damage_gz);
	note("%u changes made no difference", harmless);
}

TEST(damaged_deflate_streams_end_cleanly)
{
	for_each_fixture("", ".raw", damage_raw);
}

TEST(random_bytes_end_cleanly)
{
	for (int round = 0; round < 50000; round++) {
		struct check c = {0};
		size_t n = rng_below(300);
		u8 *noise = malloc(n + !n);
		int err;

		for (size_t i = 0; i < n; i++)
			noise[i] = (u8)rng();
		if (n && rng_one_in(2))
			noise[0] = (u8)((noise[0] & ~7) | 4 | rng_below(2)); /* a dynamic block */
		err = inflate(work, noise, n, NULL, check_output, &c);
		ASSERT(!err || is_clean_error(err));
		free(noise);
	}
}

TEST(wrong_length_crc_and_magic_are_told_apart)
{
	struct file packed = read_file("short", ".gz");
	struct check c = {0};

	for (size_t i = 1; i <= 8; i++) { /* the trailer */
		packed.data[packed.size - i] ^= 1;
		EXPECT_EQ(unpack_gz(packed.data, packed.size, &c), -EBADMSG);
		packed.data[packed.size - i] ^= 1;
	}
	for (size_t i = 0; i < 3; i++) { /* magic and method */
		packed.data[i] ^= 1;
		EXPECT_EQ(unpack_gz(packed.data, packed.size, &c), -EINVAL);
		packed.data[i] ^= 1;
	}
	packed.data[3] |= 0x20; /* a flag that does not exist */
	EXPECT_EQ(unpack_gz(packed.data, packed.size, &c), -EINVAL);
	packed.data[3] &= ~0x20;
	EXPECT_EQ(unpack_gz(packed.data, packed.size, &c), 0);
	free(packed.data);
}

TEST(bytes_behind_the_last_member_are_corruption)
{
	struct file packed = read_file("short", ".gz");
	struct check c = {0};

	packed.data = realloc(packed.data, packed.size + 4);
	memcpy(packed.data + packed.size, "\0\0x", 4);
	EXPECT_EQ(unpack_gz(packed.data, packed.size + 3, &c), -EBADMSG);
	EXPECT_EQ(unpack_gz(packed.data, packed.size + 2, &c), 0);
	free(packed.data);
}

TEST(an_error_of_the_consumer_stops_decoding)
{
	struct file packed = read_file("zeros", ".gz");

	for (size_t piece = 1; piece < 5; piece++) {
		struct check c = {.stop_after = piece};

		EXPECT_EQ(unpack_gz(packed.data, packed.size, &c), -EINTR);
		EXPECT_EQ(c.at, piece * INFLATE_WINDOW);
	}
	free(packed.data);
}

/* --- streams made by hand ------------------------------------------------------------------------- */

static u8 hand[256];
static size_t hand_bits;

static void begin(void)
{
	memset(hand, 0, sizeof(hand));
	hand_bits = 0;
}

/* n bits, lowest first, as numbers are stored. */
static void number(unsigned value, unsigned n)
{
	for (; n; n--, value >>= 1, hand_bits++)
		hand[hand_bits / 8] |= (u8)((value & 1) << (hand_bits % 8));
}

/* n bits, highest first, as codes are stored. */
static void code(unsigned value, unsigned n)
{
	while (n--)
		number(value >> n & 1, 1);
}

/* The header of a last, dynamic block, with lengths for the symbols of the first code as given by
 * pairs of symbol and length, ended by a pair of zeros. */
static void dynamic(unsigned hlit, unsigned hdist, const u8 (*lengths)[2])
{
	static const u8 order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
				     11, 4,  12, 3, 13, 2, 14, 1, 15};

	begin();
	number(1 | 2 << 1, 3);
	number(hlit - 257, 5);
	number(hdist - 1, 5);
	number(19 - 4, 4);
	for (int i = 0; i < 19; i++) {
		unsigned len = 0;

		for (const u8(*l)[2] = lengths; (*l)[1]; l++)
			if ((*l)[0] == order[i])
				len = (*l)[1];
		number(len, 3);
	}
}

/* The result on the stream so far, followed by two bytes of zeros. */
static int result(void)
{
	struct check c = {0};
	size_t n = hand_bits / 8 + 3;
	u8 *copy = malloc(n);
	int err;

	memcpy(copy, hand, n);
	err = unpack_raw(copy, n, &c, NULL);
	free(copy);
	return err;
}

static void fixed_match(unsigned literals, unsigned length_symbol, unsigned distance_symbol)
{
	begin();
	number(1 | 1 << 1, 3);
	while (literals--)
		code(0x30 + 'x', 8);
	if (length_symbol < 280)
		code(length_symbol - 256, 7);
	else
		code(0xc0 + length_symbol - 280, 8);
	code(distance_symbol, 5);
	code(0, 7);
}

TEST(distances_before_the_start_are_refused)
{
	fixed_match(0, 257, 0);
	EXPECT_EQ(result(), -EBADMSG);
	fixed_match(1, 257, 0);
	EXPECT_EQ(result(), 0);
	fixed_match(1, 257, 1);
	EXPECT_EQ(result(), -EBADMSG);
	fixed_match(3, 257, 2);
	EXPECT_EQ(result(), 0);
}

TEST(symbols_that_do_not_exist_are_refused)
{
	fixed_match(4, 286, 0);
	EXPECT_EQ(result(), -EBADMSG);
	fixed_match(4, 287, 0);
	EXPECT_EQ(result(), -EBADMSG);
	fixed_match(4, 257, 30);
	EXPECT_EQ(result(), -EBADMSG);
	fixed_match(4, 257, 31);
	EXPECT_EQ(result(), -EBADMSG);
	fixed_match(4, 285, 0);
	EXPECT_EQ(result(), 0);
}

TEST(block_type_and_stored_length_are_checked)
{
	begin();
	number(1 | 3 << 1, 3);
	EXPECT_EQ(result(), -EBADMSG);
	begin();
	number(1, 8);
	number(2, 16);
	number(0xfffd, 16);
	number(0x7878, 16);
	EXPECT_EQ(result(), 0);
	hand[3] ^= 4;
	EXPECT_EQ(result(), -EBADMSG);
}

TEST(codes_that_cannot_be_decoded_are_refused)
{
	static const u8 too_many[][2] = {{0, 1}, {1, 1}, {2, 1}, {0, 0}};
	static const u8 too_few[][2] = {{0, 1}, {1, 2}, {0, 0}};
	static const u8 single[][2] = {{18, 1}, {0, 0}};
	static const u8 none[][2] = {{0, 0}};

	dynamic(257, 1, too_many);
	EXPECT_EQ(result(), -EBADMSG);
	dynamic(257, 1, too_few);
	EXPECT_EQ(result(), -EBADMSG);
	dynamic(257, 1, single);
	EXPECT_EQ(result(), -EBADMSG);
	dynamic(257, 1, none);
	EXPECT_EQ(result(), -EBADMSG);
	dynamic(287, 1, (const u8[][2]){{0, 1}, {1, 1}, {0, 0}});
	EXPECT_EQ(result(), -EBADMSG);
	dynamic(257, 31, (const u8[][2]){{0, 1}, {1, 1}, {0, 0}});
	EXPECT_EQ(result(), -EBADMSG);
}

/* Lengths coded as: 0 -> "0", 1 -> "10", 18 -> "110", 16 -> "111". */
static const u8 small_code[][2] = {{0, 1}, {1, 2}, {18, 3}, {16, 3}, {0, 0}};

static void zeros(unsigned n)
{
	code(7, 3);
	number(n - 11, 7);
}

TEST(repeated_lengths_stay_inside_the_tables)
{
	dynamic(257, 1, small_code);
	code(6, 3); /* 16: the last one again, with none before */
	number(0, 2);
	EXPECT_EQ(result(), -EBADMSG);

	dynamic(257, 1, small_code);
	zeros(138);
	zeros(138); /* 276 > 258 */
	EXPECT_EQ(result(), -EBADMSG);

	dynamic(257, 1, small_code); /* no code for the end of the block */
	zeros(138);
	zeros(118);
	code(0, 1);
	code(2, 2);
	EXPECT_EQ(result(), -EBADMSG);
}

TEST(single_distance_code_of_one_bit_is_allowed)
{
	/* literal 0 and the end of the block have one bit each; so has distance 0, alone */
	dynamic(257, 1, small_code);
	code(2, 2);
	zeros(138);
	zeros(117);
	code(2, 2);
	code(2, 2);
	code(0, 1);
	code(0, 1);
	code(1, 1);
	EXPECT_EQ(result(), 0);
}

TEST(crc32_agrees_with_its_definition)
{
	EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926);
	EXPECT_EQ(crc32(0, NULL, 0), 0);
	for (int round = 0; round < 1000; round++) {
		u8 data[50];
		size_t n = rng_below(51), split = rng_below(n + 1);
		u32 c = ~0u;

		for (size_t i = 0; i < n; i++) {
			data[i] = (u8)rng();
			c ^= data[i];
			for (int bit = 0; bit < 8; bit++)
				c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		}
		ASSERT_EQ(crc32(crc32(0, data, split), data + split, n - split), (u32)~c);
	}
	free(work);
	work = NULL;
}
