/* SPDX-License-Identifier: MIT */
/* uio.c - moving data to and from lists of user or kernel buffers. */
#include "fs/file.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

enum direction { PUT, GET, PUT_ZEROES };

/* move_piece - within one user buffer; returns bytes not moved. */
static size_t move_piece(vaddr_t at, void *data, size_t n, enum direction dir)
{
	lock_assert_user_access();
	switch (dir) {
	case PUT:
		return arch_copy_to_user(at, data, n);
	case GET:
		return arch_copy_from_user(data, at, n);
	case PUT_ZEROES:
		return arch_clear_user(at, n);
	}
	return n;
}

static size_t move_kernel(struct uio *u, void *data, size_t n, enum direction dir)
{
	void *at = (void *)u->at;

	if (dir == PUT)
		memcpy(at, data, n);
	else if (dir == GET)
		memcpy(data, at, n);
	else
		memset(at, 0, n);
	u->at += n;
	u->left -= n;
	return n;
}

static void advance(struct uio *u, size_t n)
{
	uio_advance(u, n);
	while (!u->room && u->nr_next) {
		u->at = u->next->base;
		u->room = u->next->len;
		u->next++;
		u->nr_next--;
	}
}

void uio_init(struct uio *u, const struct uio_segment *seg, unsigned nr)
{
	*u = (struct uio){.next = seg, .nr_next = nr};
	advance(u, 0);
	for (unsigned i = 0; i < nr; i++)
		u->left += seg[i].len;
}

static size_t move(struct uio *u, char *data, size_t n, enum direction dir)
{
	size_t done = 0;

	n = MIN(n, u->left);
	if (u->kernel)
		return move_kernel(u, data, n, dir);
	advance(u, 0); /* past empty buffers */
	while (done < n) {
		size_t piece = MIN(n - done, u->room), missing;
		char *at = dir == PUT_ZEROES ? NULL : data + done;

		missing = move_piece(u->at, at, piece, dir);
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

size_t uio_put_zero_pieces(struct uio *u, size_t n)
{
	return move(u, NULL, n, PUT_ZEROES);
}
