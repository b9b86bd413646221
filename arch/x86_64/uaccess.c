/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - large copies to and from user memory, and the exception table: where to continue when an access fails.
 *
 * There are about three dozen entries and failing accesses are rare, so the table is not sorted.
 */
#include <quire/types.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/uaccess.h>
#include "arch/x86_64/internal.h"

struct ex_entry { /* arch/extable.h */
	s32 from, size, fixup;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];

/* page_copy.S */
size_t user_copy_blocks(u64 dst, u64 src, size_t n);
size_t user_clear_blocks(vaddr_t dst, size_t n);
/* uaccess.S */
size_t user_copy_small(u64 dst, u64 src, size_t n);
size_t user_clear_small(vaddr_t dst, size_t n);
/* called from there */
size_t user_copy_large(u64 dst, u64 src, size_t n);
size_t user_clear_large(vaddr_t dst, size_t n);

static const struct ex_entry *find_entry(vaddr_t ip)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++) {
		if (ip - ((vaddr_t)&e->from + (u64)(s64)e->from) < (u64)e->size)
			return e;
	}
	return NULL;
}

/* arch_has_fixup - see arch/uaccess.h. */
bool arch_has_fixup(const struct trap_frame *f)
{
	return find_entry(frame_ip(f)) != NULL;
}

/* arch_fixup_exception - see arch/uaccess.h. */
bool arch_fixup_exception(struct trap_frame *f)
{
	const struct ex_entry *e = find_entry(frame_ip(f));

	if (!e)
		return false;
	frame_set_ip(f, (vaddr_t)&e->fixup + (u64)(s64)e->fixup);
	return true;
}

#define BLOCK 512ul

/* copy_piece, clear_piece - of n bytes, at least a block, some that are moved with interrupts off. Returns how many were;
 * *faulted: the next block has to be moved in the plain way. */
static inline size_t copy_piece(u64 dst, u64 src, size_t n, bool *faulted)
{
	size_t piece = MIN(ALIGN_DOWN(n, BLOCK), PAGE_SIZE), missing;

	cpu_irq_disable();
	missing = user_copy_blocks(dst, src, piece);
	cpu_irq_enable();
	*faulted = missing;
	return piece - missing;
}

static inline size_t clear_piece(vaddr_t dst, size_t n, bool *faulted)
{
	size_t piece = MIN(ALIGN_DOWN(n, BLOCK), PAGE_SIZE), missing;

	cpu_irq_disable();
	missing = user_clear_blocks(dst, piece);
	cpu_irq_enable();
	*faulted = missing;
	return piece - missing;
}

static NOINLINE size_t copy_rest(u64 dst, u64 src, size_t n, bool faulted)
{
	for (;;) {
		size_t done, missing;

		if (faulted) {
			missing = user_copy_small(dst, src, BLOCK);
			if (missing)
				return n - BLOCK + missing;
			dst += BLOCK;
			src += BLOCK;
			n -= BLOCK;
		}
		if (n < BLOCK)
			return n ? user_copy_small(dst, src, n) : 0;
		done = copy_piece(dst, src, n, &faulted);
		dst += done;
		src += done;
		n -= done;
	}
}

static NOINLINE size_t clear_rest(vaddr_t dst, size_t n, bool faulted)
{
	for (;;) {
		size_t done, missing;

		if (faulted) {
			missing = user_clear_small(dst, BLOCK);
			if (missing)
				return n - BLOCK + missing;
			dst += BLOCK;
			n -= BLOCK;
		}
		if (n < BLOCK)
			return n ? user_clear_small(dst, n) : 0;
		done = clear_piece(dst, n, &faulted);
		dst += done;
		n -= done;
	}
}

/* user_copy_large, user_clear_large - whole blocks in vector registers, with interrupts off; they are on before and after. A
 * block that faults, and what is less than one, is moved in the plain way, which can wait for memory and finds out where
 * exactly it cannot go on. */
size_t user_copy_large(u64 dst, u64 src, size_t n)
{
	bool faulted;
	size_t done;

	if (unlikely(!page_copy_avx))
		return user_copy_small(dst, src, n);
	done = copy_piece(dst, src, n, &faulted);
	if (likely(done == n))
		return 0;
	return copy_rest(dst + done, src + done, n - done, faulted);
}

size_t user_clear_large(vaddr_t dst, size_t n)
{
	bool faulted;
	size_t done;

	if (unlikely(!page_copy_avx))
		return user_clear_small(dst, n);
	done = clear_piece(dst, n, &faulted);
	if (likely(done == n))
		return 0;
	return clear_rest(dst + done, n - done, faulted);
}
