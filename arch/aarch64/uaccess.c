/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - the exception table, and the one user access that needs PAN lifted.
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

int user_cas_u32_raw(vaddr_t addr, u32 *old, u32 new_value); /* uaccess.S */

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

/* A fault in between saves PSTATE with PAN off and sets it again for the handler, which may sleep. */
int arch_user_cas_u32(vaddr_t addr, u32 *old, u32 new_value)
{
	int err;

	if (!cpu_features.pan)
		return user_cas_u32_raw(addr, old, new_value);
	__asm__ volatile(".inst %0" : : "i"(INSN_MSR_PAN(0)) : "memory");
	err = user_cas_u32_raw(addr, old, new_value);
	__asm__ volatile(".inst %0" : : "i"(INSN_MSR_PAN(1)) : "memory");
	return err;
}
