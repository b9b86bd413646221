/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - the exception table, and the user accesses that need PAN lifted.
 *
 * The table is small and is looked at only when a fault could not be resolved, so it is searched from end
 * to end.
 */
#include <arch/trap.h>
#include <arch/uaccess.h>
#include "arch/aarch64/internal.h"

struct ex_entry { /* offsets from the field itself */
	s32 insn, fixup;
};
extern const struct ex_entry ex_table_start[], ex_table_end[]; /* linker.ld */

/* uaccess.S */
int user_cas_u32_raw(vaddr_t addr, u32 *old, u32 new_value);
int user_frame_store_raw(vaddr_t regs, const struct trap_frame *);
int user_frame_load_raw(vaddr_t fp, vaddr_t regs, struct trap_frame *);
size_t user_copy_blocks_raw(u64 dst, u64 src, size_t n);
size_t user_clear_blocks_raw(vaddr_t dst, size_t n);
size_t user_copy_from_small(void *dst, vaddr_t src, size_t n);
size_t user_copy_to_small(vaddr_t dst, const void *src, size_t n);
size_t user_clear_small(vaddr_t dst, size_t n);
/* called from there */
size_t user_copy_from_large(void *dst, vaddr_t src, size_t n);
size_t user_copy_to_large(vaddr_t dst, const void *src, size_t n);
size_t user_clear_large(vaddr_t dst, size_t n);

static const struct ex_entry *find_entry(vaddr_t ip)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++)
		if ((vaddr_t)&e->insn + (vaddr_t)(s64)e->insn == ip)
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

#define BLOCK 128ul

static inline size_t copy_blocks(u64 dst, u64 src, size_t n)
{
	size_t all = ALIGN_DOWN(n, BLOCK), missing;

	pan_set(false);
	missing = user_copy_blocks_raw(dst, src, all);
	pan_set(true);
	return all - missing;
}

/* user_copy_from_large, user_copy_to_large, user_clear_large - whole blocks in pairs of registers; the rest, and what is in the
 * way of a block, with unprivileged accesses, which find out where exactly it cannot go on. */
size_t user_copy_from_large(void *dst, vaddr_t src, size_t n)
{
	size_t done = copy_blocks((u64)dst, src, n);

	return user_copy_from_small((char *)dst + done, src + done, n - done);
}

size_t user_copy_to_large(vaddr_t dst, const void *src, size_t n)
{
	size_t done = copy_blocks(dst, (u64)src, n);

	return user_copy_to_small(dst + done, (const char *)src + done, n - done);
}

size_t user_clear_large(vaddr_t dst, size_t n)
{
	size_t all = ALIGN_DOWN(n, BLOCK), done;

	pan_set(false);
	done = all - user_clear_blocks_raw(dst, all);
	pan_set(true);
	return user_clear_small(dst + done, n - done);
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
