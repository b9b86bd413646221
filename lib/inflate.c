/* SPDX-License-Identifier: MIT */
/*
 * inflate.c - the deflate format (RFC 1951) and its gzip wrapping (RFC 1952).
 *
 * A deflate stream is a sequence of blocks: stored bytes, or symbols in Huffman codes that are either
 * fixed or described in front of the block. Symbols below 256 are bytes, 256 ends the block, larger
 * ones are lengths, each followed by a distance: "copy that many bytes from that far back". Bits are
 * packed from the least significant end of each byte; Huffman codes start with their highest bit.
 *
 * Nothing in the input is believed: codes that cannot be decoded uniquely are refused when their
 * tables are built, distances are compared with the output so far, and a bit is only used if the
 * input has it. Functions return 0 or the error that inflate.h lists, at once.
 */
#include "lib/inflate.h"
#include "lib/crc32.h"
#include "lib/string.h"
#include <uapi/errno.h>

struct stream {
	const u8 *in;
	size_t in_len, pos;
	u64 bits; /* taken from the input, not used yet: the lowest n_bits */
	unsigned n_bits;
	struct inflate_work *work;
	size_t fill;  /* bytes in the window since it was last handed out */
	bool wrapped; /* the window was full before: all of it may be referred to */
	u64 total;    /* bytes of output of this member, handed out */
	u32 crc;      /* of those */
	inflate_out_fn out;
	void *ctx;
};

#define END_OF_BLOCK 256
#define N_LITERALS   288 /* 286 and 287 exist in the fixed code only, and are invalid */
#define N_DISTANCES  32  /* 30 and 31 likewise */
#define N_LENGTHS    19  /* symbols of the code that describes the other two */

/* Lengths: base and extra bits of symbols 257.. */
static const u16 length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
				  31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const u8 length_extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
				  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};

static const u16 distance_base[] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
				    33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
				    1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const u8 distance_extra[] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
				    6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

/* --- input ---------------------------------------------------------------------------------------- */

static void refill(struct stream *s)
{
	while (s->n_bits <= 56 && s->pos < s->in_len) {
		s->bits |= (u64)s->in[s->pos++] << s->n_bits;
		s->n_bits += 8;
	}
}

static void drop_bits(struct stream *s, unsigned n)
{
	s->bits >>= n;
	s->n_bits -= n;
}

/* The next n <= 16 bits as a number. */
static int take_bits(struct stream *s, unsigned n, unsigned *value)
{
	if (s->n_bits < n)
		refill(s);
	if (s->n_bits < n)
		return -EIO;
	*value = (unsigned)(s->bits & ((1u << n) - 1));
	drop_bits(s, n);
	return 0;
}

/* Up to the next byte boundary of the input; whole bytes read ahead are given back. */
static void align_to_byte(struct stream *s)
{
	s->pos -= s->n_bits / 8;
	s->bits = 0;
	s->n_bits = 0;
}

/* --- output --------------------------------------------------------------------------------------- */

static int flush(struct stream *s)
{
	size_t n = s->fill;

	if (!n)
		return 0;
	s->crc = crc32(s->crc, s->work->window, n);
	s->total += n;
	s->wrapped |= n == INFLATE_WINDOW;
	s->fill = 0;
	return s->out(s->ctx, s->work->window, n);
}

static int put_byte(struct stream *s, u8 byte)
{
	s->work->window[s->fill++] = byte;
	return s->fill == INFLATE_WINDOW ? flush(s) : 0;
}

static int copy_back(struct stream *s, unsigned length, unsigned distance)
{
	u8 *window = s->work->window;

	if (distance > s->fill && !s->wrapped)
		return -EBADMSG;
	while (length) {
		size_t from = (s->fill - distance) & (INFLATE_WINDOW - 1);
		size_t n = MIN((size_t)length, INFLATE_WINDOW - MAX(from, s->fill));
		int err;

		/* Byte by byte: with a distance below n the copy reads what it has just written. */
		length -= (unsigned)n;
		for (; n; n--)
			window[s->fill++] = window[from++];
		if (s->fill == INFLATE_WINDOW && (err = flush(s)))
			return err;
	}
	return 0;
}

/* --- Huffman codes -------------------------------------------------------------------------------- */

static unsigned reverse_bits(unsigned code, unsigned n)
{
	unsigned r = 0;

	for (; n; n--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

/* Enters a code of len bits into every slot of the fast table that begins with it. */
static void fast_fill(struct inflate_code *c, unsigned code, unsigned len, unsigned symbol)
{
	for (unsigned i = reverse_bits(code, len); i < 1u << INFLATE_FAST_BITS; i += 1u << len)
		c->fast[i] = (u16)(symbol << 4 | len);
}

/* Codes of one length are consecutive numbers, in the order of their symbols; the first of a length
 * follows the last of the length before, with a 0 appended. Returns how many codes of 15 bits are
 * unused (negative: more are used than exist). */
static int count_lengths(struct inflate_code *c, const u8 *lengths, unsigned n)
{
	int unused = 1;

	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	for (unsigned len = 1; len <= INFLATE_MAX_LENGTH; len++) {
		unused = unused * 2 - c->count[len];
		if (unused < 0)
			return unused;
	}
	return unused;
}

/* Builds a code from the length of each symbol's code, 0 for a symbol without one. An incomplete code
 * is accepted only with at most one symbol, of length 1, and only where may_be_short. */
static int build_code(struct inflate_code *c, const u8 *lengths, unsigned n, bool may_be_short)
{
	u16 next_index[INFLATE_MAX_LENGTH + 1], next_code[INFLATE_MAX_LENGTH + 1];
	int unused = count_lengths(c, lengths, n);
	unsigned used = 0, code = 0;

	for (unsigned len = 1; len <= INFLATE_MAX_LENGTH; len++) {
		next_index[len] = (u16)used;
		next_code[len] = (u16)code;
		used += c->count[len];
		code = (code + c->count[len]) << 1;
	}
	if (unused < 0 || (unused > 0 && !(may_be_short && used == c->count[1] && used <= 1)))
		return -EBADMSG;
	for (unsigned i = 0; i < n; i++) {
		unsigned len = lengths[i];

		if (!len)
			continue;
		c->symbol[next_index[len]++] = (u16)i;
		if (len <= INFLATE_FAST_BITS)
			fast_fill(c, next_code[len], len, i);
		next_code[len]++;
	}
	return 0;
}

/* One bit at a time: for codes longer than the fast table, and for the end of the input. */
static int decode_slowly(struct stream *s, const struct inflate_code *c, unsigned *symbol)
{
	unsigned code = 0, first = 0, index = 0;

	for (unsigned len = 1; len <= INFLATE_MAX_LENGTH; len++) {
		if (len > s->n_bits)
			return -EIO;
		code = code << 1 | (s->bits >> (len - 1) & 1);
		if (code - first < c->count[len]) {
			*symbol = c->symbol[index + code - first];
			drop_bits(s, len);
			return 0;
		}
		index += c->count[len];
		first = (first + c->count[len]) << 1;
	}
	return -EBADMSG;
}

static int decode(struct stream *s, const struct inflate_code *c, unsigned *symbol)
{
	unsigned entry, len;

	if (s->n_bits < INFLATE_MAX_LENGTH)
		refill(s);
	entry = c->fast[s->bits & ((1u << INFLATE_FAST_BITS) - 1)];
	len = entry & 15;
	if (!entry || len > s->n_bits)
		return decode_slowly(s, c, symbol);
	*symbol = entry >> 4;
	drop_bits(s, len);
	return 0;
}

/* --- blocks --------------------------------------------------------------------------------------- */

static int stored_block(struct stream *s)
{
	const u8 *head;
	size_t len;

	align_to_byte(s);
	if (s->in_len - s->pos < 4)
		return -EIO;
	head = s->in + s->pos;
	len = head[0] | (size_t)head[1] << 8;
	if ((len ^ 0xffff) != (head[2] | (size_t)head[3] << 8))
		return -EBADMSG;
	s->pos += 4;
	while (len) {
		size_t n = MIN(len, MIN(INFLATE_WINDOW - s->fill, s->in_len - s->pos));
		int err;

		if (!n)
			return -EIO;
		memcpy(s->work->window + s->fill, s->in + s->pos, n);
		s->pos += n;
		s->fill += n;
		len -= n;
		if (s->fill == INFLATE_WINDOW && (err = flush(s)))
			return err;
	}
	return 0;
}

static int fixed_codes(struct stream *s)
{
	u8 lengths[N_LITERALS];
	int err;

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	err = build_code(&s->work->literals, lengths, N_LITERALS, false);
	if (err)
		return err;
	memset(lengths, 5, N_DISTANCES);
	return build_code(&s->work->distances, lengths, N_DISTANCES, false);
}

/* The lengths of both codes' codes, themselves coded: 0..15 a length, 16 the last one again 3..6
 * times, 17 and 18 zeros, 3..10 and 11..138 times. A repetition may run from the first into the
 * second. */
static int read_lengths(struct stream *s, u8 *lengths, unsigned n)
{
	unsigned i = 0;

	while (i < n) {
		unsigned symbol, repeat = 1;
		u8 value = 0;
		int err = decode(s, &s->work->literals, &symbol);

		if (err)
			return err;
		if (symbol < 16) {
			lengths[i++] = (u8)symbol;
			continue;
		}
		if (symbol == 16 && i == 0)
			return -EBADMSG;
		if (symbol == 16)
			value = lengths[i - 1];
		err = take_bits(s, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &repeat);
		if (err)
			return err;
		repeat += symbol == 18 ? 11 : 3;
		if (repeat > n - i)
			return -EBADMSG;
		memset(lengths + i, value, repeat);
		i += repeat;
	}
	return 0;
}

static int dynamic_codes(struct stream *s)
{
	static const u8 order[N_LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
					    11, 4,  12, 3, 13, 2, 14, 1, 15};
	u8 lengths[N_LITERALS + N_DISTANCES] = {0};
	unsigned counts, n_literals, n_distances, n_lengths, len;
	int err = take_bits(s, 14, &counts);

	if (err)
		return err;
	n_literals = (counts & 31) + 257;
	n_distances = (counts >> 5 & 31) + 1;
	n_lengths = (counts >> 10) + 4;
	if (n_literals > 286 || n_distances > 30)
		return -EBADMSG;
	for (unsigned i = 0; i < n_lengths; i++) {
		err = take_bits(s, 3, &len);
		if (err)
			return err;
		lengths[order[i]] = (u8)len;
	}
	err = build_code(&s->work->literals, lengths, N_LENGTHS, false);
	if (!err)
		err = read_lengths(s, lengths, n_literals + n_distances);
	if (!err && !lengths[END_OF_BLOCK])
		err = -EBADMSG;
	if (!err)
		err = build_code(&s->work->literals, lengths, n_literals, true);
	if (!err)
		err = build_code(&s->work->distances, lengths + n_literals, n_distances, true);
	return err;
}

/* The rest of a length, then its distance. */
static int copy_match(struct stream *s, unsigned symbol)
{
	unsigned length, distance, extra;
	int err;

	symbol -= 257;
	if (symbol >= ARRAY_SIZE(length_base))
		return -EBADMSG;
	err = take_bits(s, length_extra[symbol], &extra);
	if (err)
		return err;
	length = length_base[symbol] + extra;
	err = decode(s, &s->work->distances, &symbol);
	if (err)
		return err;
	if (symbol >= ARRAY_SIZE(distance_base))
		return -EBADMSG;
	err = take_bits(s, distance_extra[symbol], &extra);
	if (err)
		return err;
	distance = distance_base[symbol] + extra;
	return copy_back(s, length, distance);
}

static int coded_block(struct stream *s)
{
	unsigned symbol;

	for (;;) {
		int err = decode(s, &s->work->literals, &symbol);

		if (err || symbol == END_OF_BLOCK)
			return err;
		err = symbol < END_OF_BLOCK ? put_byte(s, (u8)symbol) : copy_match(s, symbol);
		if (err)
			return err;
	}
}

static int one_block(struct stream *s, bool *last)
{
	unsigned head;
	int err = take_bits(s, 3, &head);

	if (err)
		return err;
	*last = head & 1;
	switch (head >> 1) {
	case 0:
		return stored_block(s);
	case 1:
		err = fixed_codes(s);
		break;
	case 2:
		err = dynamic_codes(s);
		break;
	default:
		return -EBADMSG;
	}
	return err ? err : coded_block(s);
}

/* One deflate stream from s->pos; leaves s->pos behind its last byte and all output delivered. */
static int all_blocks(struct stream *s)
{
	bool last = false;
	int err = 0, flushed;

	s->fill = 0;
	s->wrapped = false;
	s->total = 0;
	s->crc = 0;
	while (!err && !last)
		err = one_block(s, &last);
	align_to_byte(s);
	flushed = flush(s);
	return err ? err : flushed;
}

int inflate(struct inflate_work *work, const u8 *in, size_t in_len, size_t *used,
	    inflate_out_fn out, void *ctx)
{
	struct stream s = {.in = in, .in_len = in_len, .work = work, .out = out, .ctx = ctx};
	int err = all_blocks(&s);

	if (used)
		*used = s.pos;
	return err;
}

/* --- gzip ----------------------------------------------------------------------------------------- */

enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16, FRESERVED = 0xe0 };

#define GZIP_HEADER_SIZE  10
#define GZIP_TRAILER_SIZE 8

static u32 get_le32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static int skip_bytes(struct stream *s, size_t n)
{
	if (s->in_len - s->pos < n)
		return -EIO;
	s->pos += n;
	return 0;
}

static int skip_text(struct stream *s)
{
	size_t left = s->in_len - s->pos;
	const u8 *end = left ? memchr(s->in + s->pos, 0, left) : NULL;

	if (!end)
		return -EIO;
	s->pos = (size_t)(end - s->in) + 1;
	return 0;
}

static int skip_extra(struct stream *s)
{
	const u8 *size = s->in + s->pos;
	int err = skip_bytes(s, 2);

	return err ? err : skip_bytes(s, size[0] | (size_t)size[1] << 8);
}

/* The low half of the CRC of the header so far. */
static int check_header_crc(struct stream *s, size_t start)
{
	const u8 *crc = s->in + s->pos;
	u32 right = crc32(0, s->in + start, s->pos - start) & 0xffff;
	int err = skip_bytes(s, 2);

	if (err)
		return err;
	return right == (crc[0] | (u32)crc[1] << 8) ? 0 : -EBADMSG;
}

static int member_header(struct stream *s)
{
	static const u8 magic[] = {0x1f, 0x8b, 8}; /* 8: deflate */
	size_t start = s->pos, left = s->in_len - start;
	const u8 *head = s->in + start;
	unsigned flags;
	int err;

	if (memcmp(head, magic, MIN(left, sizeof(magic))))
		return -EINVAL;
	err = skip_bytes(s, GZIP_HEADER_SIZE);
	if (err)
		return err;
	flags = head[3];
	if (flags & FRESERVED)
		return -EINVAL;
	if (flags & FEXTRA)
		err = skip_extra(s);
	if (!err && flags & FNAME)
		err = skip_text(s);
	if (!err && flags & FCOMMENT)
		err = skip_text(s);
	if (!err && flags & FHCRC)
		err = check_header_crc(s, start);
	return err;
}

static int member_trailer(struct stream *s)
{
	const u8 *trailer = s->in + s->pos;
	int err = skip_bytes(s, GZIP_TRAILER_SIZE);

	if (err)
		return err;
	if (get_le32(trailer) != s->crc || get_le32(trailer + 4) != (u32)s->total)
		return -EBADMSG;
	return 0;
}

int gunzip(struct inflate_work *work, const u8 *in, size_t in_len, inflate_out_fn out, void *ctx)
{
	struct stream s = {.in = in, .in_len = in_len, .work = work, .out = out, .ctx = ctx};
	bool first = true;
	int err;

	do {
		err = member_header(&s);
		if (err == -EINVAL && !first)
			return -EBADMSG;
		if (!err)
			err = all_blocks(&s);
		if (!err)
			err = member_trailer(&s);
		if (err)
			return err;
		first = false;
		while (s.pos < in_len && !in[s.pos])
			s.pos++;
	} while (s.pos < in_len);
	return 0;
}
