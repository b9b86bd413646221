/* SPDX-License-Identifier: MIT */
/*
 * process_vm.c - moving data between two address spaces: process_vm_readv(2), process_vm_writev(2), and the copying that
 * /proc/PID/mem shares with them.
 *
 * The other side's page is found in its page tables, after a fault on its behalf if need be, and referenced;
 * our side is ordinary user memory. So each byte is copied once.
 */
#include <arch/cache.h>
#include <uapi/errno.h>
#include "fs/file.h"
#include "kernel/inspect.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "mm/fault/fault.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

#define SEGMENTS_MAX 1024

/* --- pages ------------------------------------------------------------------------------------------- */

/* move_piece - n bytes inside one page. Bytes done, or -errno as inspect_move. */
static ssize_t move_piece(struct space *s, vaddr_t va, struct uio *uio, size_t n, unsigned access)
{
	struct page *page;
	size_t done;
	char *at;
	int err = va < USER_TOP ? space_get_page(s, va, access, &page) : -EFAULT;

	if (err)
		return err == -EFAULT ? -EIO : err;
	at = (char *)page_to_virt(page) + (va & ~PAGE_MASK);
	if (access & FAULT_WRITE) {
		done = uio_get(uio, at, n);
		if (page_test(page, PG_ICACHE))
			arch_icache_sync(at, n);
	} else {
		done = uio_put(uio, at, n);
	}
	page_put(page);
	return done ? (ssize_t)done : -EFAULT;
}

ssize_t inspect_move(struct space *s, vaddr_t at, struct uio *uio, u64 len, unsigned access)
{
	u64 done = 0;

	len = MIN(len, uio->left);
	while (done < len) {
		size_t n = MIN(PAGE_SIZE - ((at + done) & ~PAGE_MASK), len - done);
		ssize_t moved = move_piece(s, at + done, uio, n, access);

		if (moved > 0)
			done += (u64)moved;
		if (moved != (ssize_t)n) {
			if (!done)
				return moved;
			break;
		}
		if (signal_fatal(current))
			break;
		sched_point();
	}
	return (ssize_t)done;
}

/* --- lists of them ----------------------------------------------------------------------------------- */

/* move_segments - bytes done. EFAULT only when there are none, whichever side it was. */
static ssize_t move_segments(struct space *s, struct uio *uio, const struct uio_segment *seg,
			     unsigned nr, unsigned access)
{
	ssize_t total = 0;

	for (unsigned i = 0; i < nr && uio->left; i++) {
		u64 want = MIN(seg[i].len, uio->left);
		ssize_t n = want ? inspect_move(s, seg[i].base, uio, want, access) : 0;

		if (n < 0)
			return total ? total : n == -ENOMEM ? n : -EFAULT;
		total += n;
		if ((u64)n < want)
			break;
	}
	return total;
}

/* space_to_access - a use of the memory of the process with this number, if we may. */
static int space_to_access(s32 pid, struct space **out)
{
	struct process *p = pid > 0 ? process_find((u32)pid) : NULL;
	int err = 0;

	if (!p)
		return -ESRCH;
	*out = process_space(p);
	if (!*out) {
		err = -ESRCH;
	} else if (!inspect_may_attach(p)) {
		space_put(*out);
		err = -EPERM;
	}
	process_put(p);
	return err;
}

/* remote_segments - the other side's list (kfree). Its addresses are looked at when it is their turn.
 *  returns: 0; -EINVAL: a negative length; -EFAULT, -ENOMEM. *empty: there is nothing to do */
static int remote_segments(vaddr_t iov, unsigned nr, struct uio_segment **out, bool *empty)
{
	struct uio_segment *seg = kmalloc(MAX(nr, 1u) * sizeof(*seg), 0);
	int err = seg ? copy_from_user(seg, iov, nr * sizeof(*seg)) : -ENOMEM;

	*empty = true;
	for (unsigned i = 0; i < nr && !err; i++) {
		if ((s64)seg[i].len < 0)
			err = -EINVAL;
		*empty = *empty && !seg[i].len;
	}
	if (err)
		kfree(seg);
	else
		*out = seg;
	return err;
}

static long move_remote(s32 pid, struct uio *uio, vaddr_t remote, u64 nr, unsigned access)
{
	struct uio_segment *seg;
	struct space *s;
	bool empty;
	long result;

	if (nr > SEGMENTS_MAX)
		return -EINVAL;
	result = remote_segments(remote, (unsigned)nr, &seg, &empty);
	if (result)
		return result;
	if (!empty)
		result = space_to_access(pid, &s);
	if (!empty && !result) {
		result = move_segments(s, uio, seg, (unsigned)nr, access);
		space_put(s);
	}
	kfree(seg);
	return result;
}

static long process_vm(s32 pid, vaddr_t local, u64 nr_local, vaddr_t remote, u64 nr_remote,
		       unsigned access)
{
	struct user_buffers b;
	long result = user_buffers_import(&b, local, nr_local);

	if (result)
		return result;
	if (b.uio.left)
		result = move_remote(pid, &b.uio, remote, nr_remote, access);
	user_buffers_free(&b);
	return result;
}

long sys_process_vm_readv(s32 pid, vaddr_t local, u64 nr_local, vaddr_t remote, u64 nr_remote,
			  u64 flags)
{
	return flags ? -EINVAL : process_vm(pid, local, nr_local, remote, nr_remote, FAULT_READ);
}

long sys_process_vm_writev(s32 pid, vaddr_t local, u64 nr_local, vaddr_t remote, u64 nr_remote,
			   u64 flags)
{
	return flags ? -EINVAL : process_vm(pid, local, nr_local, remote, nr_remote, FAULT_WRITE);
}
