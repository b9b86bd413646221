/* SPDX-License-Identifier: MIT */
/* compiler.h - attributes and single-access helpers. Nothing here emits code by itself. */
#pragma once

#define PACKED             __attribute__((packed))
#define ALIGNED(n)         __attribute__((aligned(n)))
#define NORETURN           __attribute__((noreturn))
#define NOINLINE           __attribute__((noinline))
#define ALWAYS_INLINE      inline __attribute__((always_inline))
#define UNUSED             __attribute__((unused))
#define USED               __attribute__((used))
#define COLD               __attribute__((cold))
#define MUST_CHECK         __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a)  __attribute__((format(printf, f, a)))
#define SECTION(s)         __attribute__((section(s)))
#define likely(x)          __builtin_expect(!!(x), 1)
#define unlikely(x)        __builtin_expect(!!(x), 0)
#define BUILD_ASSERT(x, m) _Static_assert(x, m)

/* One load or store, of at most a word, that the compiler may neither tear, repeat nor drop; no ordering. As a relaxed atomic
 * access, but gcc can use all forms of addresses; the thread sanitizer wants to see the atomic one. */
#ifdef QUIRE_HOST
#define READ_ONCE(x)     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#else
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) ((void)(*(volatile __typeof__(x) *)&(x) = (v)))
#endif
#define barrier() __asm__ volatile("" ::: "memory")

/* Data used only while booting: given to the page allocator before /init runs. */
#define INIT_DATA SECTION(".init.data")
