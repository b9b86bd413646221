/* SPDX-License-Identifier: MIT */
/*
 * robust.c - mutexes whose owner dies while it holds them.
 *
 * A thread keeps a list, in its own memory, of the robust mutexes it holds. When it ends the kernel walks the
 * list, sets OWNER_DIED in each word that still bears the thread's number, and wakes one waiter. The list
 * is user memory at its worst: it may be a circle, lead anywhere, or change underway. Every step
 * is a checked access, and there is a limit to their number.
 */
#include <uapi/errno.h>
#include <uapi/futex.h>
#include "kernel/futex.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

/* A list pointer: its lowest bit marks a priority-inheritance mutex, which has no waiters here. */
#define NODE_PI 1ul

/* release_mutex - one word. pending: the list operation was not finished, so the word may be free by now
 * and its waiters not woken. */
static void release_mutex(struct user_thread *u, vaddr_t addr, bool pi, bool pending)
{
	u32 word, seen;

	if (!IS_ALIGNED(addr, 4) || get_user_u32(addr, &word))
		return;
	if (pending && !pi && !word) {
		futex_wake(addr, false, 1);
		return;
	}
	do {
		if ((word & FUTEX_TID_MASK) != user_tid(u))
			return;
		seen = word;
		if (user_cas_u32(addr, &seen, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
			return;
		if (seen == word)
			break;
		word = seen;
	} while (true);
	if (!pi && (word & FUTEX_WAITERS))
		futex_wake(addr, false, 1);
}

static void release_node(struct user_thread *u, const struct uapi_robust_list_head *head, u64 node,
			 bool pending)
{
	release_mutex(u, (node & ~NODE_PI) + (u64)head->futex_offset, node & NODE_PI, pending);
}

void futex_exit_robust(struct user_thread *u)
{
	struct uapi_robust_list_head head;
	vaddr_t list = u->robust_list;
	u64 node;

	u->robust_list = 0;
	if (!list || copy_from_user(&head, list, sizeof(head)))
		return;
	node = head.next;
	for (unsigned n = 0; (node & ~NODE_PI) != list && n < ROBUST_LIST_LIMIT; n++) {
		u64 next;
		/* The node may be reused as soon as its mutex is released. */
		bool more = !get_user_u64(node & ~NODE_PI, &next);

		if ((node & ~NODE_PI) != (head.pending & ~NODE_PI))
			release_node(u, &head, node, false);
		if (!more)
			break;
		node = next;
	}
	if (head.pending & ~NODE_PI)
		release_node(u, &head, head.pending, true);
}

long sys_set_robust_list(vaddr_t head, u64 size)
{
	if (size != sizeof(struct uapi_robust_list_head))
		return -EINVAL;
	current_user->robust_list = head;
	return 0;
}

long sys_get_robust_list(int tid, vaddr_t uhead, vaddr_t usize)
{
	struct user_thread *u = current_user;
	vaddr_t head;

	if (tid) {
		u = thread_find((u32)tid);
		if (!u)
			return -ESRCH;
	} else {
		user_thread_get(u);
	}
	head = READ_ONCE(u->robust_list);
	user_thread_put(u);
	if (put_user_u64(usize, sizeof(struct uapi_robust_list_head)) || put_user_u64(uhead, head))
		return -EFAULT;
	return 0;
}
