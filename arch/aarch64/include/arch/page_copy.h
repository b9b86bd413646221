/* SPDX-License-Identifier: MIT */
/* page_copy.h - whole pages, fast. Kernel addresses of normal memory, page-aligned, not overlapping. */
#pragma once

void arch_page_clear(void *page);
void arch_page_copy(void *dst, const void *src);
