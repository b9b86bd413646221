/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - the only way for the kernel to touch user memory.
 *
 * A user pointer is a vaddr_t, never a C pointer, so it cannot be dereferenced by accident. Every call
 * checks that the whole range lies below USER_TOP (without wrapping) before the first byte is touched,
 * and survives a range that is unmapped, forbidden, or changes meanwhile. All of them may fault
 * and so sleep: no spin lock is held, and no lock of rank SPACE to FOLIO (lock_assert_user_access).
 *
 * Unless stated otherwise the result is 0 or -EFAULT, and a failing copy may have been done in part.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>
#include <arch/layout.h>

/* user_range_ok - [addr, addr + size) may be user memory; says nothing about mappings. */
static inline bool user_range_ok(vaddr_t addr, u64 size)
{
	return size <= USER_TOP && addr <= USER_TOP - size;
}

int copy_from_user(void *dst, vaddr_t src, size_t n) MUST_CHECK;
int copy_to_user(vaddr_t dst, const void *src, size_t n) MUST_CHECK;
int clear_user(vaddr_t dst, size_t n) MUST_CHECK;

/* copy_from_user_partial, copy_to_user_partial - for read and write, which report progress.
 *  returns: how many bytes were NOT copied; the first n - result bytes were. */
size_t copy_from_user_partial(void *dst, vaddr_t src, size_t n) MUST_CHECK;
size_t copy_to_user_partial(vaddr_t dst, const void *src, size_t n) MUST_CHECK;

/* get_user, put_user - one naturally aligned word, in a single access. Unaligned is fine otherwise. */
int get_user_u32(vaddr_t src, u32 *out) MUST_CHECK;
int get_user_u64(vaddr_t src, u64 *out) MUST_CHECK;
int put_user_u32(vaddr_t dst, u32 value) MUST_CHECK;
int put_user_u64(vaddr_t dst, u64 value) MUST_CHECK;

/* user_cas_u32 - if the aligned word at addr equals *old, replace it by new; *old becomes what was
 * there. 0 also when it did not match. */
int user_cas_u32(vaddr_t addr, u32 *old, u32 new_value) MUST_CHECK;

/* strncpy_from_user - copy a string of at most size - 1 characters and its NUL.
 *  returns: its length; -EFAULT; -ENAMETOOLONG when there is no NUL within size bytes */
ssize_t strncpy_from_user(char *dst, vaddr_t src, size_t size) MUST_CHECK;

/* copy_struct_from_user - a struct whose size the caller states, which may be older (shorter: the rest
 * reads as 0) or newer (longer: what we do not know must be 0, else -E2BIG). */
int copy_struct_from_user(void *dst, size_t size, vaddr_t src, size_t user_size) MUST_CHECK;

/* path_from_user - a copy of a path (path_free). 0, -EFAULT, -ENAMETOOLONG (PATH_MAX), -ENOMEM. */
int path_from_user(vaddr_t path, char **out) MUST_CHECK;
void path_free(char *);
