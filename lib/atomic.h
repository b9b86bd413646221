/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - names for the compiler's atomic builtins, for objects of 1, 2, 4 and 8 bytes.
 *
 * Orders: a plain load or store is relaxed; _acquire and _release say what they are; everything that
 * reads and writes in one step is sequentially consistent, and so a full barrier between the accesses
 * before and after it on x86_64. On aarch64 it orders as acquire and release do: whoever needs a
 * store ordered before a later load of something else writes smp_mb().
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

#define atomic_load(p)             READ_ONCE(*(p))
#define atomic_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_store(p, v)         WRITE_ONCE(*(p), v)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

/* atomic_xchg - store v, give the old value. */
#define atomic_xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* atomic_cas - if *p equals *old store v and give true; else set *old to what is there. */
#define atomic_cas(p, old, v) \
	__atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define atomic_add(p, n) ((void)__atomic_fetch_add(p, n, __ATOMIC_SEQ_CST))
#define atomic_sub(p, n) ((void)__atomic_fetch_sub(p, n, __ATOMIC_SEQ_CST))
#define atomic_inc(p)    atomic_add(p, 1)
#define atomic_dec(p)    atomic_sub(p, 1)
#define atomic_or(p, m)  ((void)__atomic_fetch_or(p, m, __ATOMIC_SEQ_CST))
#define atomic_and(p, m) ((void)__atomic_fetch_and(p, m, __ATOMIC_SEQ_CST))

/* _return: the new value; atomic_fetch_*: the old one. */
#define atomic_add_return(p, n) __atomic_add_fetch(p, n, __ATOMIC_SEQ_CST)
#define atomic_sub_return(p, n) __atomic_sub_fetch(p, n, __ATOMIC_SEQ_CST)
#define atomic_inc_return(p)    atomic_add_return(p, 1)
#define atomic_dec_return(p)    atomic_sub_return(p, 1)
#define atomic_fetch_add(p, n)  __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, n)  __atomic_fetch_sub(p, n, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, m)   __atomic_fetch_or(p, m, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, m)  __atomic_fetch_and(p, m, __ATOMIC_SEQ_CST)

/* Barriers between CPUs, for normal memory; device registers have their own in arch/. smp_rmb orders
 * earlier loads before everything later, smp_wmb everything earlier before later stores. */
#define smp_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
