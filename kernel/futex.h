/* SPDX-License-Identifier: MIT */
/*
 * futex.h - sleeping on a word of user memory.
 *
 * Waiters hang in a hash table by key: the word's place in an object when the mapping is shared, else
 * the address space and address. Read next: futex.c.
 */
#pragma once

#include <quire/types.h>

struct user_thread;

void futex_init(void);
/* futex_wake - wake up to n waiters of the word at addr in the current space. Sleeps, holds no lock.
 *  private_key: the word is not in shared memory (else looked up)
 *  returns: how many, or -EFAULT -EINVAL */
int futex_wake(vaddr_t addr, bool private_key, unsigned n);
/* futex_exit_thread - the current thread ends (or execs): mark the robust mutexes it holds as
 * orphaned and wake one waiter of each. Trusts nothing it reads. */
void futex_exit_robust(struct user_thread *);
