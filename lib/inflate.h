/* SPDX-License-Identifier: MIT */
/*
 * inflate.h - decompression of gzip files (RFC 1952) and raw deflate streams (RFC 1951).
 *
 * The input is in memory as a whole and is trusted in nothing: whatever its bytes, no access leaves
 * the input or the work area, and decoding ends. Output is streamed in pieces of at most 32 KiB.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

#define INFLATE_WINDOW     32768
#define INFLATE_FAST_BITS  9
#define INFLATE_MAX_LENGTH 15 /* bits of the longest code */

/* One Huffman code: codes of up to INFLATE_FAST_BITS bits by one table look-up, others by length. */
struct inflate_code {
	u16 fast[1 << INFLATE_FAST_BITS];  /* symbol << 4 | length, 0: longer or unused */
	u16 count[INFLATE_MAX_LENGTH + 1]; /* how many codes of each length */
	u16 symbol[288];                   /* in the order of their codes */
};

/* Work area, about 36 KiB, any content at first. Too large for a kernel stack: allocate it. */
struct inflate_work {
	u8 window[INFLATE_WINDOW];
	struct inflate_code literals, distances;
};

/* Takes n bytes of output, 1..32768; not 0 stops decoding and becomes its result. */
typedef int (*inflate_out_fn)(void *ctx, const u8 *data, size_t n);

/* gunzip - decompress one or more gzip members that follow each other, as one stream. Zero bytes
 * after the last member are ignored.
 *  sleeps: only if out does
 *  fails:  -EIO     the input ends too soon
 *          -EINVAL  it does not start as a gzip file does (or asks for something not in RFC 1952)
 *          -EBADMSG the data is corrupt: an impossible code, a wrong CRC or length, trailing bytes
 *          or what out returned. All output before the error has been delivered. */
int gunzip(struct inflate_work *, const u8 *in, size_t in_len, inflate_out_fn out, void *ctx);

/* inflate - decompress one raw deflate stream. used (may be NULL) is set to the bytes it took up.
 *  fails:  -EIO, -EBADMSG or what out returned, as above */
int inflate(struct inflate_work *, const u8 *in, size_t in_len, size_t *used, inflate_out_fn out,
	    void *ctx);

/* is_gzip - whether the data starts with gzip's magic number. */
static inline bool is_gzip(const u8 *in, size_t in_len)
{
	return in_len >= 2 && in[0] == 0x1f && in[1] == 0x8b;
}
