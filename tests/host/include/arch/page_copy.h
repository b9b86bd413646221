/* SPDX-License-Identifier: MIT */
/* page_copy.h - clearing and copying pages on the host. */
#pragma once

#include <string.h>
#include <quire/types.h>

static inline void arch_page_clear(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void arch_page_copy(void *dst, const void *src)
{
	memcpy(dst, src, PAGE_SIZE);
}
