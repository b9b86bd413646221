/* SPDX-License-Identifier: MIT */
/* sort.h - sorting in place, without recursion or memory: worst case O(n log n). */
#pragma once

#include <quire/types.h>

/* sort - order n elements of size bytes each so that cmp(a, b) <= 0 for each neighbours a, b. Equal
 * elements end up in any order. */
void sort(void *base, size_t n, size_t size, int (*cmp)(const void *a, const void *b));
