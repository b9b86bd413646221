/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - the instructions that touch user memory, and what happens when they fault.
 *
 * Only kernel/uaccess.* calls these, after checking that the range lies below USER_TOP. Each opens the
 * supervisor-access protection (SMAP) for itself alone. A fault that cannot be resolved continues
 * at the fix-up that the exception table names for the faulting instruction, so nothing here panics and
 * everything may sleep (a fault may read from a disk).
 *
 * Read next: arch/x86_64/uaccess.S.
 */
#pragma once

#include <quire/types.h>
#include <arch/extable.h>

struct trap_frame;

/* arch_copy_from_user / arch_copy_to_user / arch_clear_user - n bytes; value: how many of them, at
 * the end, were not done. All bytes before the first inaccessible one are. */
size_t arch_copy_from_user(void *dst, vaddr_t src, size_t n);
size_t arch_copy_to_user(vaddr_t dst, const void *src, size_t n);
size_t arch_clear_user(vaddr_t dst, size_t n);

/* arch_get_user_* / arch_put_user_* - one naturally aligned number in a single access: 0 or -EFAULT. */
int arch_get_user_u32(vaddr_t src, u32 *out);
int arch_get_user_u64(vaddr_t src, u64 *out);
int arch_put_user_u32(vaddr_t dst, u32 value);
int arch_put_user_u64(vaddr_t dst, u64 value);

/* arch_user_cas_u32 - if the aligned word equals *old store v; *old becomes what was found. Full
 * barrier. 0 (also when it differed) or -EFAULT. */
int arch_user_cas_u32(vaddr_t addr, u32 *old, u32 new_value);

/* A no-op that becomes STAC or CLAC where the CPU has them: arch/smap.h. */
#define SMAP_SITE(opcode)                   \
	".pushsection .smap_sites, \"a\"\n" \
	".balign 4\n"                       \
	".long 771b - ., " opcode "\n"      \
	".popsection"

/* user_access_begin, user_access_end - lift SMAP around a few of these: nothing is called in between.
 * user_store_u64, user_load_u64, user_load_u32 - the word `offset` bytes, a constant from 0 to 248, behind a user address; the range has been
 * checked. They continue at the label `fault` when the access fails; what was to be loaded is then undefined. */
static inline void user_access_begin(void)
{
	__asm__ volatile("771: .byte 0x0f, 0x1f, 0x00\n" SMAP_SITE("0xcb")::: "memory");
}

static inline void user_access_end(void)
{
	__asm__ volatile("771: .byte 0x0f, 0x1f, 0x00\n" SMAP_SITE("0xca")::: "memory");
}

#define user_store_u64(base, offset, value, fault)                          \
	__asm__ goto("770: movq %1, %0\n" EX_ENTRY("770b", "%l2")           \
		     :                                                      \
		     : "m"(*(u64 *)((base) + (offset))), "er"((u64)(value)) \
		     : "memory"                                             \
		     : fault)

/* The empty statement keeps gcc from taking the output for one that both ways out have set. */
#define USER_LOAD(type, insn, value, base, offset, fault)                       \
	do {                                                                    \
		type user_word;                                                 \
                                                                                \
		__asm__ volatile goto("770: " insn "\n" EX_ENTRY("770b", "%l2") \
				      : "=r"(user_word)                         \
				      : "m"(*(type *)((base) + (offset)))       \
				      : "memory"                                \
				      : fault);                                 \
		__asm__ volatile("");                                           \
		(value) = user_word;                                            \
	} while (0)
#define user_load_u64(value, base, offset, fault) \
	USER_LOAD(u64, "movq %1, %0", value, base, offset, fault)
#define user_load_u32(value, base, offset, fault) \
	USER_LOAD(u32, "movl %1, %0", value, base, offset, fault)

/* arch_fixup_exception - if the exception table knows the interrupted instruction, move the frame to its
 * fix-up. False: it does not, the fault is a kernel bug. */
bool arch_fixup_exception(struct trap_frame *);

/* arch_has_fixup only asks. */
bool arch_has_fixup(const struct trap_frame *);
