/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - what takes more than one access to user memory: strings, and structures of different sizes.
 */
#include "kernel/uaccess.h"

#include <arch/uaccess.h>
#include <uapi/errno.h>
#include <uapi/fcntl.h>
#include "kernel/lock.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

static struct slab_cache *path_cache; /* a whole page each would go through the page allocator */

/* Copied in pieces that end at page boundaries: the string may end just before an unmapped page. Small
 * pieces, because most strings are short. */
ssize_t strncpy_from_user(char *dst, vaddr_t src, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = MIN(size - done, ALIGN_DOWN(src + done, 64) + 64 - (src + done));
		char *nul;

		if (copy_from_user_partial(dst + done, src + done, n))
			return -EFAULT;
		nul = memchr(dst + done, 0, n);
		if (nul)
			return nul - dst;
		done += n;
	}
	return -ENAMETOOLONG;
}

/* check_zero_tail - -E2BIG unless n bytes of user memory are all 0. */
static int check_zero_tail(vaddr_t src, size_t n)
{
	u8 buf[64];

	while (n) {
		size_t piece = MIN(n, sizeof(buf));

		if (copy_from_user(buf, src, piece))
			return -EFAULT;
		for (size_t i = 0; i < piece; i++)
			if (buf[i])
				return -E2BIG;
		src += piece;
		n -= piece;
	}
	return 0;
}

int copy_struct_from_user(void *dst, size_t size, vaddr_t src, size_t user_size)
{
	size_t common = MIN(size, user_size);

	if (user_size > size) {
		int err = check_zero_tail(src + size, user_size - size);

		if (err)
			return err;
	}
	memset((char *)dst + common, 0, size - common);
	return copy_from_user(dst, src, common);
}

void uaccess_init(void)
{
	path_cache = slab_cache_create("path", PATH_MAX, 0, false);
}

int path_from_user(vaddr_t path, char **out)
{
	char *buf = slab_alloc(path_cache, 0);
	ssize_t len;

	if (!buf)
		return -ENOMEM;
	len = strncpy_from_user(buf, path, PATH_MAX);
	if (len < 0) {
		slab_free(path_cache, buf);
		return (int)len;
	}
	*out = buf;
	return 0;
}

void path_free(char *path)
{
	slab_free(path_cache, path);
}
