/* SPDX-License-Identifier: MIT */
/*
 * object.h - a memory object: the content behind a file or a shared mapping.
 *
 * One index per object maps page numbers to folios or swap entries (mm/obj/index.h); one ops struct
 * says where missing pages come from. Each page in the index holds one reference of its own; each
 * mapping entry holds another.
 *
 * The resize lock orders size changes against faults: a fault holds it shared from the size check
 * until the entry is installed. No user memory is touched under it.
 */
#pragma once

#include <quire/types.h>
#include "kernel/lock.h"
#include "lib/list.h"
#include "lib/radix.h"
#include "mm/phys/page.h"

struct object;

struct object_ops {
	const char *name; /* what /proc/PID/maps calls a mapping without a name of its own */
	/* Fill a new page (already zeroed) with the object's content for `index`; NULL: zeroes are right.
	 * May sleep. 0 or -errno. */
	int (*fill)(struct object *, u64 index, struct page *);
	/* The object is about to get one more page; it has lost n. For owners that count. charge: 0 or -errno.
	 * NULL: nobody counts. Neither sleeps; uncharge may be called under spin locks. */
	int (*charge)(struct object *);
	void (*uncharge)(struct object *, u64 n);
	/* The last reference is gone and all pages are freed: free what the object is embedded in. */
	void (*release)(struct object *);
	/* A mapping may carry a name of the object (an opened path), which it holds as long as it shows the
	 * object. Needed only if names are given to mappings. Neither sleeps on a lock. */
	void (*name_get)(void *name);
	void (*name_put)(void *name);
};

#define OBJ_SEALABLE BIT(31) /* seals can be added, unless F_SEAL_SEAL is there */

struct object {
	const struct object_ops *ops; /* constant */
	u32 refs;                     /* [a] */
	struct rwlock resize;         /* RANK_OBJ_RESIZE */
	u64 size;                     /* bytes; written under resize (write), read lockless */
	struct spinlock index_lock;   /* RANK_OBJ_INDEX: changes of the index */
	struct radix index;
	u64 nr_pages;              /* [index_lock] */
	struct spinlock vmas_lock; /* RANK_OBJ_VMAS */
	struct list_head vmas;     /* [vmas_lock] mappings, by vma->obj_link */
	u32 seals; /* [a] F_SEAL_*: what must not happen to the content any more; OBJ_SEALABLE */
	u32 maps_begun; /* [a] mmap calls that have looked at the seals and are not in vmas yet */
	struct list_head all_link; /* for the owner's use */
	void *private_data;        /* for the owner's use */
};

void object_subsystem_init(void);

void object_init(struct object *, const struct object_ops *);
void object_get(struct object *);
void object_put(struct object *); /* may sleep */

/* object_create - an object of its own. ops NULL: its missing pages are zeroes and its mappings carry no names;
 * others have object_free as their release. NULL: memory. */
struct object *object_create(u64 size_bytes, const struct object_ops *ops);
void object_free(struct object *);

/* object_find_page - the page at `index` with a reference, NULL if the object has none there. No sleep. */
struct page *object_find_page(struct object *, u64 index);
/* object_find_pages - the same for the n pages from `index` on, which lie in one aligned block of 64. */
void object_find_pages(struct object *, u64 index, unsigned n, struct page **out);
/* object_get_page - the same, making the page when there is none. Sleeps. 0, -ENOMEM, or from fill, charge. */
int object_get_page(struct object *, u64 index, struct page **out);
/* object_set_size - grow or shrink. Shrinking unmaps and frees everything beyond, zeroes the tail of the
 * last page. Sleeps; takes resize for writing. 0 or -ENOMEM. */
int object_set_size(struct object *, u64 size_bytes);
/* object_punch - bytes [from, to) become zeroes and their memory is freed; private copies in mappings stay. Sleeps;
 * takes resize for writing. */
void object_punch(struct object *, u64 from, u64 to);
/* object_next_page, object_next_hole - the first page number from index to before end that the object has, that
 * it has not; end when there is none. As of some moment. */
u64 object_next_page(struct object *, u64 index, u64 end);
u64 object_next_hole(struct object *, u64 index, u64 end);
/* object_extend - raise the size to at least `size_bytes` (writes past the end). */
void object_extend(struct object *, u64 size_bytes);
