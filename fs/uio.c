/* SPDX-License-Identifier: MIT */
/* uio.c - moving data to and from lists of user or kernel buffers. */
#include "fs/file.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

enum direction { PUT, GET, PUT_ZEROES };

/* move_piece - within one segment; returns bytes not moved. */
static size_t move_piece(const struct uio *u, vaddr_t at, void *data, size_t n, enum direction dir)
{
	if (!u->kernel) {
		switch (dir) {
		case PUT:
			return copy_to_user_partial(at, data, n);
		case GET:
			return copy_from_user_partial(data, at, n);
		case PUT_ZEROES:
			return clear_user_partial(at, n);
		}
	}
	if (dir == PUT)
		memcpy((void *)at, data, n);
	else if (dir == GET)
		memcpy(data, (void *)at, n);
	else
		memset((void *)at, 0, n);
	return 0;
}

static void advance(struct uio *u, size_t n)
{
	u->left -= n;
	u->seg_off += n;
	while (u->nr_segs && u->seg_off >= u->seg->len) {
		u->seg_off -= u->seg->len;
		u->seg++;
		u->nr_segs--;
	}
}

static size_t move(struct uio *u, char *data, size_t n, enum direction dir)
{
	size_t done = 0;

	n = MIN(n, u->left);
	advance(u, 0); /* past empty segments */
	while (done < n) {
		size_t piece = MIN(n - done, u->seg->len - u->seg_off), missing;
		char *at = dir == PUT_ZEROES ? NULL : data + done;

		missing = move_piece(u, u->seg->base + u->seg_off, at, piece, dir);
		advance(u, piece - missing);
		done += piece - missing;
		if (missing)
			break;
	}
	return done;
}

size_t uio_put_pieces(struct uio *u, const void *src, size_t n)
{
	return move(u, (char *)src, n, PUT);
}

size_t uio_get_pieces(struct uio *u, void *dst, size_t n)
{
	return move(u, dst, n, GET);
}

size_t uio_put_zeroes(struct uio *u, size_t n)
{
	if (likely(uio_fits(u, n)))
		return uio_advance(u, n - clear_user_partial(u->seg->base + u->seg_off, n));
	return move(u, NULL, n, PUT_ZEROES);
}
