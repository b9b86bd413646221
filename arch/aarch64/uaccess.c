/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - the exception table, and the user accesses that need PAN lifted: among them large copies.
 *
 * The table is small and is looked at only when a fault could not be resolved, so it is searched from end
 * to end.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <arch/uaccess.h>
#include "arch/aarch64/internal.h"

#define DCZID_DZP 0x10u /* prohibited */
#define DCZID_BS  0x0fu /* log2 of the words */

struct ex_entry { /* arch/extable.h */
	s32 from, size, fixup;
};
extern const struct ex_entry ex_table_start[], ex_table_end[]; /* linker.ld */

/* uaccess.S */
int user_cas_u32_raw(vaddr_t addr, u32 *old, u32 new_value);
int user_frame_store_raw(vaddr_t regs, const struct trap_frame *);
int user_frame_load_raw(vaddr_t fp, vaddr_t regs, struct trap_frame *);
/* page_copy.S */
size_t user_copy_blocks_raw(u64 dst, u64 src, size_t n);
size_t user_clear_zva_raw(vaddr_t dst, size_t n, size_t size);
/* uaccess.S */
size_t user_copy_from_small(u64 dst, vaddr_t src, size_t n);
size_t user_copy_to_small(vaddr_t dst, u64 src, size_t n);
size_t user_clear_small(vaddr_t dst, size_t n);
/* called from there */
size_t user_copy_from_large(u64 dst, vaddr_t src, size_t n);
size_t user_copy_to_large(vaddr_t dst, u64 src, size_t n);
size_t user_clear_large(vaddr_t dst, size_t n);

static const struct ex_entry *find_entry(vaddr_t ip)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++)
		if (ip - ((vaddr_t)&e->from + (u64)(s64)e->from) < (u64)e->size)
			return e;
	return NULL;
}

bool arch_has_fixup(const struct trap_frame *f)
{
	return find_entry(frame_ip(f)) != NULL;
}

bool arch_fixup_exception(struct trap_frame *f)
{
	const struct ex_entry *e = find_entry(frame_ip(f));

	if (!e)
		return false;
	frame_set_ip(f, (vaddr_t)&e->fixup + (vaddr_t)(s64)e->fixup);
	return true;
}

/* The raw accesses below are made with PAN lifted, where the CPU has it. */
static void pan_set(bool on)
{
	if (!cpu_features.pan)
		return;
	if (on)
		__asm__ volatile(".inst %0" : : "i"(INSN_MSR_PAN(1)) : "memory");
	else
		__asm__ volatile(".inst %0" : : "i"(INSN_MSR_PAN(0)) : "memory");
}

#define BLOCK 256ul

/* copy_piece - of n bytes, at least a block, some that are moved with interrupts off. Returns how many were; *faulted: the next
 * block has to be moved in the plain way. */
static inline size_t copy_piece(u64 dst, u64 src, size_t n, bool *faulted)
{
	size_t piece = MIN(ALIGN_DOWN(n, BLOCK), PAGE_SIZE), missing;

	cpu_irq_disable();
	pan_set(false);
	missing = user_copy_blocks_raw(dst, src, piece);
	pan_set(true);
	cpu_irq_enable();
	*faulted = missing;
	return piece - missing;
}

static NOINLINE size_t copy_rest(u64 dst, u64 src, size_t n, bool faulted,
				 size_t (*small)(u64 dst, u64 src, size_t n))
{
	for (;;) {
		size_t done, missing;

		if (faulted) {
			missing = small(dst, src, BLOCK);
			if (missing)
				return n - BLOCK + missing;
			dst += BLOCK;
			src += BLOCK;
			n -= BLOCK;
		}
		if (n < BLOCK)
			return n ? small(dst, src, n) : 0;
		done = copy_piece(dst, src, n, &faulted);
		dst += done;
		src += done;
		n -= done;
	}
}

/* user_copy_from_large, user_copy_to_large - whole blocks in vector registers, with interrupts off; they are on before and
 * after. A block that faults, and what is less than one, is moved with unprivileged accesses, which can wait for memory
 * and find out where exactly it cannot go on. */
size_t user_copy_from_large(u64 dst, vaddr_t src, size_t n)
{
	bool faulted;
	size_t done = copy_piece(dst, src, n, &faulted);

	if (likely(done == n))
		return 0;
	return copy_rest(dst + done, src + done, n - done, faulted, user_copy_from_small);
}

size_t user_copy_to_large(vaddr_t dst, u64 src, size_t n)
{
	bool faulted;
	size_t done = copy_piece(dst, src, n, &faulted);

	if (likely(done == n))
		return 0;
	return copy_rest(dst + done, src + done, n - done, faulted, user_copy_to_small);
}

/* zva_size - bytes that DC ZVA clears at once; 0: it must not be used. */
static size_t zva_size(void)
{
	u64 dczid = sysreg_read(dczid_el0);

	return dczid & DCZID_DZP ? 0 : 4ul << (dczid & DCZID_BS);
}

/* user_clear_large - by DC ZVA whatever of it can be. */
size_t user_clear_large(vaddr_t dst, size_t n)
{
	size_t size = zva_size(), head = -dst & (size - 1), all, missing;

	if (!size || n < head + size)
		return user_clear_small(dst, n);
	if (head) {
		missing = user_clear_small(dst, head);
		if (missing)
			return n - head + missing;
		dst += head;
		n -= head;
	}
	all = ALIGN_DOWN(n, size);
	pan_set(false);
	missing = user_clear_zva_raw(dst, all, size);
	pan_set(true);
	dst += all - missing;
	n -= all - missing;
	return n ? user_clear_small(dst, n) : 0;
}

/* A fault in between saves PSTATE with PAN off and sets it again for the handler, which may sleep. */
int arch_user_cas_u32(vaddr_t addr, u32 *old, u32 new_value)
{
	int err;

	pan_set(false);
	err = user_cas_u32_raw(addr, old, new_value);
	pan_set(true);
	return err;
}

/* user_frame_store, user_frame_load - see internal.h. */
int user_frame_store(vaddr_t regs, const struct trap_frame *f)
{
	int err;

	pan_set(false);
	err = user_frame_store_raw(regs, f);
	pan_set(true);
	return err;
}

int user_frame_load(vaddr_t fp, vaddr_t regs, struct trap_frame *f)
{
	int err;

	pan_set(false);
	err = user_frame_load_raw(fp, regs, f);
	pan_set(true);
	return err;
}
