/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - the exception table: where to continue when an access to user memory fails.
 *
 * There are about two dozen entries and failing accesses are rare, so the table is not sorted.
 */
#include <quire/types.h>
#include <arch/trap.h>
#include <arch/uaccess.h>

struct ex_entry {
	s32 insn, fixup; /* distances, each from its own field */
};

extern const struct ex_entry ex_table_start[], ex_table_end[];

static const struct ex_entry *find_entry(vaddr_t ip)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++) {
		if ((vaddr_t)&e->insn + (u64)(s64)e->insn == ip)
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
