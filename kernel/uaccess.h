/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - the only way for the kernel to touch user memory.
 *
 * A user pointer is a vaddr_t, never a C pointer, so it cannot be dereferenced by accident. Every call
 * checks that the whole range lies below USER_TOP (without wrapping) before the first byte is touched,
 * and survives a range that is unmapped, forbidden, or changes meanwhile. All of them may fault
 * and so sleep: no spin lock is held, and no lock of rank SPACE to FOLIO (lock_assert_user_access).
 *
 * Ranges are checked here, faults are caught by the architecture's primitives (arch/uaccess.h), whose instructions have
 * entries in the exception table.
 *
 * Unless stated otherwise the result is 0 or -EFAULT, and a failing copy may have been done in part.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/layout.h>
#include <arch/uaccess.h>
#include <uapi/errno.h>
#include <arch/cpu.h>
#include "kernel/lock.h"

/* user_range_ok - [addr, addr + size) may be user memory; says nothing about mappings. */
static inline bool user_range_ok(vaddr_t addr, u64 size)
{
	return size <= USER_TOP && addr <= USER_TOP - size;
}

/* copy_from_user_partial, copy_to_user_partial, clear_user_partial - for read and write, which report progress.
 *  returns: how many bytes were NOT done; the first n - result bytes were. */
MUST_CHECK static inline size_t copy_from_user_partial(void *dst, vaddr_t src, size_t n)
{
	lock_assert_user_access();
	return likely(user_range_ok(src, n)) ? arch_copy_from_user(dst, src, n) : n;
}

MUST_CHECK static inline size_t copy_to_user_partial(vaddr_t dst, const void *src, size_t n)
{
	lock_assert_user_access();
	return likely(user_range_ok(dst, n)) ? arch_copy_to_user(dst, src, n) : n;
}

MUST_CHECK static inline int copy_from_user(void *dst, vaddr_t src, size_t n)
{
	return unlikely(copy_from_user_partial(dst, src, n)) ? -EFAULT : 0;
}

MUST_CHECK static inline int copy_to_user(vaddr_t dst, const void *src, size_t n)
{
	return unlikely(copy_to_user_partial(dst, src, n)) ? -EFAULT : 0;
}

MUST_CHECK static inline size_t clear_user_partial(vaddr_t dst, size_t n)
{
	lock_assert_user_access();
	return likely(user_range_ok(dst, n)) ? arch_clear_user(dst, n) : n;
}

MUST_CHECK static inline int clear_user(vaddr_t dst, size_t n)
{
	return unlikely(clear_user_partial(dst, n)) ? -EFAULT : 0;
}

/* get_user, put_user - one naturally aligned word, in a single access. Unaligned is fine otherwise. */
MUST_CHECK static inline int get_user_u32(vaddr_t src, u32 *out)
{
	lock_assert_user_access();
	return likely(user_range_ok(src, sizeof(*out))) ? arch_get_user_u32(src, out) : -EFAULT;
}

MUST_CHECK static inline int get_user_u64(vaddr_t src, u64 *out)
{
	lock_assert_user_access();
	return likely(user_range_ok(src, sizeof(*out))) ? arch_get_user_u64(src, out) : -EFAULT;
}

MUST_CHECK static inline int put_user_u32(vaddr_t dst, u32 value)
{
	lock_assert_user_access();
	return likely(user_range_ok(dst, sizeof(value))) ? arch_put_user_u32(dst, value) : -EFAULT;
}

MUST_CHECK static inline int put_user_u64(vaddr_t dst, u64 value)
{
	lock_assert_user_access();
	return likely(user_range_ok(dst, sizeof(value))) ? arch_put_user_u64(dst, value) : -EFAULT;
}

/* get_user_u32_now - with interrupts off, the range checked: -EFAULT also where the page would have to be waited for. So it
 * may be called under locks. */
MUST_CHECK static inline int get_user_u32_now(vaddr_t src, u32 *out)
{
	assert(!cpu_irqs_enabled());
	user_access_begin();
	user_load_u32(*out, src, 0, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* user_cas_u32 - if the aligned word at addr equals *old, replace it by new; *old becomes what was
 * there. 0 also when it did not match. */
MUST_CHECK static inline int user_cas_u32(vaddr_t addr, u32 *old, u32 new_value)
{
	lock_assert_user_access();
	if (unlikely(!user_range_ok(addr, sizeof(*old)) || !IS_ALIGNED(addr, 4)))
		return -EFAULT;
	return arch_user_cas_u32(addr, old, new_value);
}

/* strncpy_from_user - copy a string of at most size - 1 characters and its NUL.
 *  returns: its length; -EFAULT; -ENAMETOOLONG when there is no NUL within size bytes */
ssize_t strncpy_from_user(char *dst, vaddr_t src, size_t size) MUST_CHECK;

/* copy_struct_from_user - a struct whose size the caller states, which may be older (shorter: the rest
 * reads as 0) or newer (longer: what we do not know must be 0, else -E2BIG). */
int copy_struct_from_user(void *dst, size_t size, vaddr_t src, size_t user_size) MUST_CHECK;

/* uaccess_init - the buffers for paths. Boot, before the first program. */
void uaccess_init(void);

/* path_from_user - a copy of a path (path_free). 0, -EFAULT, -ENAMETOOLONG (PATH_MAX), -ENOMEM. */
int path_from_user(vaddr_t path, char **out) MUST_CHECK;
void path_free(char *);
