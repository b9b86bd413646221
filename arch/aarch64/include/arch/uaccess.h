/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - raw access to user memory, for kernel/uaccess.c alone: callers have checked that the range is
 * below USER_TOP and that they may sleep.
 *
 * Loads and stores use the unprivileged forms (LDTR, STTR): the CPU applies user mode's rights to them,
 * so they need not lift PAN, and cannot reach kernel memory even with a wrong address. The compare-and-swap has no such
 * form, nor have the pairs of registers that make large copies faster.
 *
 * An instruction that may fault has an entry in the .ex_table section: a pair of 32-bit offsets, each from
 * its own address, to the instruction and to where execution goes on.
 */
#pragma once

#include <quire/types.h>
#include <arch/extable.h>

struct trap_frame;

/* arch_copy_from_user, arch_copy_to_user, arch_clear_user - return the number of bytes NOT done, counted
 * from the end; everything before the first byte that cannot be accessed was done. */
size_t arch_copy_from_user(void *dst, vaddr_t src, size_t n);
size_t arch_copy_to_user(vaddr_t dst, const void *src, size_t n);
size_t arch_clear_user(vaddr_t dst, size_t n);

/* arch_get_user_*, arch_put_user_* - one access. 0 or -EFAULT. */
int arch_get_user_u32(vaddr_t src, u32 *out);
int arch_get_user_u64(vaddr_t src, u64 *out);
int arch_put_user_u32(vaddr_t dst, u32 value);
int arch_put_user_u64(vaddr_t dst, u64 value);

/* arch_user_cas_u32 - if the word at addr (4-byte aligned) is *old, replace it by new_value; *old becomes
 * what was there. A full barrier when it stores. 0 or -EFAULT. */
int arch_user_cas_u32(vaddr_t addr, u32 *old, u32 new_value);

/* user_access_begin, user_access_end - around a few of the following: nothing is called in between.
 * user_store_u64, user_load_u64, user_load_u32 - the word `offset` bytes, a constant from 0 to 248, behind a user address; the range has been
 * checked. They continue at the label `fault` when the access fails; what was to be loaded is then undefined. */
static inline void user_access_begin(void)
{
}

static inline void user_access_end(void)
{
}

#define user_store_u64(base, offset, value, fault)                         \
	__asm__ goto("9990: sttr %x0, [%1, %2]\n" EX_ENTRY("9990b", "%l3") \
		     :                                                     \
		     : "rZ"((u64)(value)), "r"(base), "i"(offset)          \
		     : "memory"                                            \
		     : fault)

/* The empty statement keeps gcc from taking the output for one that both ways out have set. */
#define USER_LOAD(type, insn, value, base, offset, fault)                         \
	do {                                                                      \
		type user_word;                                                   \
                                                                                  \
		__asm__ volatile goto("9990: " insn "\n" EX_ENTRY("9990b", "%l3") \
				      : "=r"(user_word)                           \
				      : "r"(base), "i"(offset)                    \
				      : "memory"                                  \
				      : fault);                                   \
		__asm__ volatile("");                                             \
		(value) = user_word;                                              \
	} while (0)
#define user_load_u64(value, base, offset, fault) \
	USER_LOAD(u64, "ldtr %x0, [%1, %2]", value, base, offset, fault)
#define user_load_u32(value, base, offset, fault) \
	USER_LOAD(u32, "ldtr %w0, [%1, %2]", value, base, offset, fault)

/* arch_fixup_exception - if the exception table knows the interrupted instruction, move the frame to its
 * fix-up. False: it does not, the fault is a kernel bug. */
bool arch_fixup_exception(struct trap_frame *);

/* arch_has_fixup - does the exception table know this instruction? */
bool arch_has_fixup(const struct trap_frame *);
