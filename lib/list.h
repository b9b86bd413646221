/* SPDX-License-Identifier: MIT */
/*
 * list.h - intrusive doubly linked lists.
 *
 * A list is a ring through one head and any number of entries; both are struct list_head. An empty
 * list, and an entry that is on no list, points at itself, so list_del may be called twice and
 * list_empty works on entries as well. The owner of the head decides which lock guards the ring.
 *
 *	struct item { int n; struct list_head link; };
 *	struct list_head items = LIST_INIT(items);
 *	struct item *it;
 *
 *	list_add_tail(&one->link, &items);
 *	list_for_each(it, &items, link)
 *		sum += it->n;
 */
#pragma once

#include <quire/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

/* list_entry - the object of type t whose member m is the list_head p. */
#define list_entry(p, t, m) container_of(p, t, m)

/* list_first, list_last - the object at that end, NULL when the list is empty. */
#define list_first(head, t, m) (list_empty(head) ? (t *)NULL : list_entry((head)->next, t, m))
#define list_last(head, t, m)  (list_empty(head) ? (t *)NULL : list_entry((head)->prev, t, m))

/* list_for_each - visit every object, first to last; pos is a pointer of the object's type.
 * The body may not remove pos: that is what list_for_each_safe is for, where tmp, of the same type,
 * is already the next object. Neither survives the removal of other entries. */
#define list_for_each(pos, head, m)                                                        \
	for ((pos) = list_entry((head)->next, __typeof__(*(pos)), m); &(pos)->m != (head); \
	     (pos) = list_entry((pos)->m.next, __typeof__(*(pos)), m))

#define list_for_each_safe(pos, tmp, head, m)                         \
	for ((pos) = list_entry((head)->next, __typeof__(*(pos)), m), \
	    (tmp) = list_entry((pos)->m.next, __typeof__(*(pos)), m); \
	     &(pos)->m != (head);                                     \
	     (pos) = (tmp), (tmp) = list_entry((tmp)->m.next, __typeof__(*(pos)), m))

static inline void list_init(struct list_head *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

static inline void list_insert_between(struct list_head *e, struct list_head *prev,
				       struct list_head *next)
{
	e->prev = prev;
	e->next = next;
	prev->next = e;
	next->prev = e;
}

/* list_add - insert right after a head (as the first) or after an entry. e is on no list. */
static inline void list_add(struct list_head *e, struct list_head *after)
{
	list_insert_between(e, after, after->next);
}

/* list_add_tail - insert right before a head (as the last) or before an entry. e is on no list. */
static inline void list_add_tail(struct list_head *e, struct list_head *before)
{
	list_insert_between(e, before->prev, before);
}

/* list_del - take an entry off its list; harmless when it is on none. It is left initialised. */
static inline void list_del(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
	list_init(e);
}

/* list_move_tail - from whatever list e is on, if any, to the end of another. */
static inline void list_move_tail(struct list_head *e, struct list_head *head)
{
	list_del(e);
	list_add_tail(e, head);
}

/* list_splice_tail - append all entries of from to the list to; from is left empty. */
static inline void list_splice_tail(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}
