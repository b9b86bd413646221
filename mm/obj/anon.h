/* SPDX-License-Identifier: MIT */
/*
 * anon.h - anonymous pages and who owns them.
 *
 * A family is a process and all its forks since the last exec: the spaces that may share anonymous
 * pages. An anonymous page records its home (the virtual page at which it was first mapped) and its
 * owner: while exclusive the one space that maps it, afterwards the family. So the reverse mapping of
 * nearly every page is found in one step, and of the others by asking the family's members.
 */
#pragma once

#include "kernel/lock.h"
#include "lib/list.h"
#include "mm/phys/page.h"

struct space;

struct family {
	u32 refs;                /* [a] */
	struct spinlock lock;    /* RANK_OBJ_VMAS */
	struct list_head spaces; /* [lock] members, oldest first, by space->family_link */
};

struct family *family_create(void); /* NULL: no memory; refs == 1 */
void family_get(struct family *);
void family_put(struct family *);

/* The one page of zeroes behind every read of untouched private memory. */
extern struct page *zero_page;

/* anon_alloc - a page for virtual address va of a space, exclusive, not yet mapped; one reference.
 *  flags: PA_ZERO, else the caller fills all of it; PA_CACHED    sleeps: unless PA_CACHED    NULL: no memory */
struct page *anon_alloc(struct space *, vaddr_t va, unsigned flags);

/* anon_share - an exclusive page is about to be mapped a second time, by a fork of this family.
 *  needs: the window of the only entry that maps it */
void anon_share(struct page *, struct family *);

/* anon_reclaim - the caller's entry is proven to be the only reference: the page is exclusive again. */
void anon_reclaim(struct page *, struct space *);

void anon_init(void);
