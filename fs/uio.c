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

/* move - what remains of the list is in local variables meanwhile. There is another buffer as long as bytes are left. */
static ALWAYS_INLINE size_t move(struct uio *u, char *data, size_t n, enum direction dir)
{
	const struct uio_segment *next = u->next;
	vaddr_t at = u->at;
	u64 room = u->room;
	size_t piece, todo = n = MIN(n, u->left), missing = 0;

	if (u->kernel)
		return move_kernel(u, data, n, dir);
	if (!n)
		return 0;
	for (;;) {
		piece = MIN(todo, room);
		if (likely(piece)) {
			missing = move_piece(at, data, piece, dir);
			todo -= piece;
			if (unlikely(missing) || !todo)
				break;
			data += dir == PUT_ZEROES ? 0 : piece;
		}
		at = next->base;
		room = next->len;
		next++;
	}
	u->nr_next -= (u32)(next - u->next);
	u->next = next;
	u->at = at + (piece - missing);
	u->room = room - (piece - missing);
	n -= todo + missing;
	u->left -= n;
	return n;
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
