/* SPDX-License-Identifier: MIT */
/*
 * aspace.h - one tree of page tables and what the TLBs may know of it.
 *
 * struct aspace is the hardware's view of an address space; struct space (mm/vma/space.h) holds the
 * mappings and embeds one. kernel_as translates the kernel half, which every other aspace shares: its
 * root entries are all allocated at boot and copied (x86_64) or reached through the second root
 * register (aarch64).
 *
 * cpus is the set of CPUs that ran this space since they last flushed it completely; only those can
 * hold entries. A CPU running a kernel thread keeps the last root loaded, so the root is freed
 * by as_put() of the last reference, and every CPU that has it loaded holds one.
 */
#pragma once

#include <quire/types.h>
#include <arch/as.h>
#include "kernel/cpumask.h"
#include "mm/phys/page.h"

struct aspace {
	paddr_t root_pa;     /* constant */
	struct page *root;   /* constant: the root node */
	struct arch_as arch; /* ASID and its generation */
	struct cpumask cpus; /* [a] */
	u64 tlb_gen;         /* [a] bumped before each flush request */
	u32 refs;            /* [a] loaded roots + the owner */
	u64 nr_tables;       /* [a] nodes, the root included */
	bool keep_tables; /* no table is detached: set between windows, read under the lock of the one in question */
	void (*release)(struct aspace *); /* constant: called when refs reaches 0 */
};

extern struct aspace kernel_as;

/* as_init - a root with the kernel half in place; refs == 1.
 *  sleeps: yes     returns: 0 or -ENOMEM
 *  release runs when the last reference goes; it must call as_destroy and free the container */
int as_init(struct aspace *, void (*release)(struct aspace *));
void as_destroy(struct aspace *); /* all user nodes are gone, no CPU has it loaded */
void as_get(struct aspace *);
void as_put(struct aspace *); /* any context in which page_free may be called */
