/* SPDX-License-Identifier: MIT */
/*
 * sort.c - heapsort: no recursion, no memory, and no input that makes it slow.
 *
 * The array is a binary heap, element i above 2i+1 and 2i+2, the largest on top. Phase one makes it
 * one; phase two swaps the top behind the shrinking heap.
 */
#include "lib/sort.h"

struct array {
	char *base;
	size_t size;
	bool words; /* elements can be swapped by u64 */
	int (*cmp)(const void *a, const void *b);
};

static void *element(const struct array *a, size_t i)
{
	return a->base + i * a->size;
}

static void swap(const struct array *a, size_t i, size_t j)
{
	char *x = element(a, i), *y = element(a, j);

	if (a->words) {
		u64 *p = (u64 *)x, *q = (u64 *)y;

		for (size_t n = a->size / sizeof(u64); n; n--, p++, q++) {
			u64 t = *p;

			*p = *q;
			*q = t;
		}
		return;
	}
	for (size_t n = a->size; n; n--, x++, y++) {
		char t = *x;

		*x = *y;
		*y = t;
	}
}

/* Element i sinks until no child is larger; the heap has n elements. */
static void sift_down(const struct array *a, size_t i, size_t n)
{
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && a->cmp(element(a, child), element(a, child + 1)) < 0)
			child++;
		if (a->cmp(element(a, i), element(a, child)) >= 0)
			return;
		swap(a, i, child);
		i = child;
	}
}

void sort(void *base, size_t n, size_t size, int (*cmp)(const void *a, const void *b))
{
	struct array a = {
		.base = base,
		.size = size,
		.words = ((uintptr_t)base | size) % sizeof(u64) == 0,
		.cmp = cmp,
	};

	for (size_t i = n / 2; i--;)
		sift_down(&a, i, n);
	while (n > 1) {
		swap(&a, 0, --n);
		sift_down(&a, 0, n);
	}
}
