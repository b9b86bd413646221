/* SPDX-License-Identifier: MIT */
/* uio.c - moving data to and from lists of user or kernel buffers. */
#include "fs/file.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

enum direction { PUT, GET, PUT_ZEROES };

/* move_piece - within one user buffer; returns bytes not moved. */
static ALWAYS_INLINE size_t move_piece(vaddr_t at, void *data, size_t n, enum direction dir)
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

/* next_buffer - the current one is used up, and there is another. */
static inline void next_buffer(struct uio *u)
{
	u->at = u->next->base;
	u->room = u->next->len;
	u->next++;
	u->nr_next--;
}

void uio_init(struct uio *u, const struct uio_segment *seg, unsigned nr)
{
	*u = (struct uio){.next = seg, .nr_next = nr};
	if (nr)
		next_buffer(u);
	for (unsigned i = 0; i < nr; i++)
		u->left += seg[i].len;
}

static ALWAYS_INLINE size_t move(struct uio *u, char *data, size_t n, enum direction dir)
{
	size_t done = 0;

	n = MIN(n, u->left);
	if (u->kernel)
		return move_kernel(u, data, n, dir);
	while (done < n) {
		size_t piece = MIN(n - done, u->room), missing;

		if (!piece) {
			next_buffer(u);
			continue;
		}
		missing = move_piece(u->at, dir == PUT_ZEROES ? NULL : data + done, piece, dir);
		done += uio_advance(u, piece - missing);
		if (unlikely(missing))
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
