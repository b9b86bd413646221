/* SPDX-License-Identifier: MIT */
/*
 * sys_mm.c - the memory system calls: arguments checked in the order in which Linux checks them, then one
 * call into mm/vma. Read mm/vma/space.h for what those do.
 */
#include <uapi/errno.h>
#include <uapi/mman.h>
#include "fs/file.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "mm/obj/object.h"
#include "mm/vma/space.h"

#define MAP_KNOWN                                                                           \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | \
	 MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK)
#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC)
#define BELOW_2GIB 0x80000000ul

#define MAX_FILE_SIZE  (~0ul >> 1)
#define POPULATE_PIECE MIB(1) /* without a pause for others */

static bool is_open(int fd)
{
	struct file *f = fd_get(fd);

	if (f)
		file_put(f);
	return f;
}

/* What Linux checks before it looks at the kind of mapping. */
static int check_place(vaddr_t addr, u64 len, unsigned flags, int fd)
{
	if (!(flags & MAP_ANONYMOUS) && !is_open(fd))
		return -EBADF;
	if (!len)
		return -EINVAL;
	if (len > USER_TOP)
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return space_check_fixed(addr, ALIGN_UP(len, PAGE_SIZE));
	return 0;
}

/* What MAP_TYPE and its companions allow before any object is looked at. */
static int check_flags(unsigned flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_PRIVATE:
	case MAP_SHARED:
		break;
	case MAP_SHARED_VALIDATE:
		if (flags & MAP_ANONYMOUS)
			return -EINVAL;
		if (flags & ~(unsigned)MAP_KNOWN)
			return -EOPNOTSUPP;
		break;
	default:
		return -EINVAL;
	}
	if (flags & MAP_HUGETLB)
		return -EINVAL; /* no huge page sizes exist */
	if (flags & MAP_GROWSDOWN && !(flags & MAP_ANONYMOUS && (flags & MAP_TYPE) == MAP_PRIVATE))
		return -EINVAL;
	return 0;
}

/* The object behind the mapping, referenced: the file's, one of its own for shared anonymous memory, or none. */
static int get_object(struct map_request *r, int fd)
{
	if (!(r->flags & MAP_ANONYMOUS)) {
		if (r->pgoff > (MAX_FILE_SIZE - r->len) >> PAGE_SHIFT)
			return -EOVERFLOW;
		return fd_map_object(fd, r);
	}
	r->pgoff = 0;
	if ((r->flags & MAP_TYPE) == MAP_PRIVATE)
		return 0;
	r->obj = object_create(ALIGN_UP(r->len, PAGE_SIZE), NULL);
	return r->obj ? 0 : -ENOMEM;
}

/* populate - as much as can be had now, unless we are being killed meanwhile. */
static int populate(struct space *space, vaddr_t at, u64 len, bool write)
{
	int err = 0;

	for (u64 done = 0; done < len && !err && !signal_fatal(current); done += POPULATE_PIECE) {
		err = space_populate(space, at + done, MIN(len - done, POPULATE_PIECE), write);
		sched_point();
	}
	return err;
}

/* populate_locked - what is locked in a range and to be present. */
static int populate_locked(struct space *space, vaddr_t lo, vaddr_t hi)
{
	vaddr_t end = hi;
	bool write;
	int err = 0;

	while (!err && space_next_locked(space, &lo, &end, &write)) {
		err = populate(space, lo, end - lo, write);
		lo = end;
		end = hi;
	}
	return err;
}

/* may_lock - may the caller lock memory at all? */
static bool may_lock(void)
{
	return process_limit(current_process, RLIMIT_MEMLOCK) || cred_capable(CAP_IPC_LOCK);
}

long sys_mmap(vaddr_t addr, u64 len, int prot, int flags, int fd, u64 offset)
{
	struct space *space = current->space;
	struct map_request r = {
		.addr = addr,
		.len = len,
		.prot = (unsigned)prot & PROT_KNOWN,
		.flags = (unsigned)flags,
		.pgoff = offset >> PAGE_SHIFT,
	};
	vaddr_t at;
	int err;

	if (!IS_ALIGNED(offset, PAGE_SIZE))
		return -EINVAL;
	err = check_place(addr, len, r.flags, fd);
	if (!err)
		err = check_flags(r.flags);
	if (!err && flags & MAP_LOCKED && !may_lock())
		err = -EPERM;
	if (!err)
		err = get_object(&r, fd);
	if (err)
		return err;
	r.lock_unlimited = cred_capable(CAP_IPC_LOCK);
	if (flags & MAP_32BIT)
		r.below = BELOW_2GIB;
	err = space_map(space, &r, &at);
	seals_end_map(&r);
	if (r.name)
		r.obj->ops->name_put(r.name);
	if (r.obj)
		object_put(r.obj);
	if (err)
		return err;
	/* The mapping stands even if its pages cannot all be had now. */
	if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		populate(space, at, len, r.prot & PROT_WRITE);
	else if (flags & MAP_LOCKED || READ_ONCE(space->future_locks))
		populate_locked(space, at, at + ALIGN_UP(len, PAGE_SIZE));
	return (long)at;
}

long sys_munmap(vaddr_t addr, u64 len)
{
	return space_unmap(current->space, addr, len);
}

long sys_mprotect(vaddr_t addr, u64 len, int prot)
{
	return space_protect(current->space, addr, len, (unsigned)prot);
}

long sys_brk(vaddr_t addr)
{
	struct space *space = current->space;
	vaddr_t old = READ_ONCE(space->brk), brk = space_brk(space, addr);

	if (READ_ONCE(space->future_locks) && brk > old)
		populate_locked(space, ALIGN_DOWN(old, PAGE_SIZE), ALIGN_UP(brk, PAGE_SIZE));
	return (long)brk;
}

long sys_mremap(vaddr_t addr, u64 old_len, u64 new_len, u64 flags, vaddr_t new_addr)
{
	const unsigned known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
	struct remap_request r = {
		.addr = addr,
		.new_addr = new_addr,
		.old_len = old_len,
		.new_len = new_len,
		.flags = (unsigned)flags,
	};
	struct space *space = current->space;
	vaddr_t at;
	int err;

	if (flags & ~(u64)known)
		return -EINVAL;
	err = space_remap(space, &r, &at);
	if (err)
		return err;
	if (new_len > old_len && READ_ONCE(space->locked_pages))
		populate_locked(space, at + ALIGN_UP(old_len, PAGE_SIZE),
				at + ALIGN_UP(new_len, PAGE_SIZE));
	return (long)at;
}

/* madvise_flags - advice that is no more than flags of the mapping. NULL: it is more. */
static const struct vma_advice *madvise_flags(int advice)
{
	static const struct vma_advice all[] = {
		[MADV_NORMAL] = {.clear = VM_SEQ_READ | VM_RAND_READ},
		[MADV_RANDOM] = {.set = VM_RAND_READ, .clear = VM_SEQ_READ},
		[MADV_SEQUENTIAL] = {.set = VM_SEQ_READ, .clear = VM_RAND_READ},
		[MADV_DONTFORK] = {.set = VM_DONTFORK},
		[MADV_DOFORK] = {.clear = VM_DONTFORK},
		[MADV_DONTDUMP] = {.set = VM_DONTDUMP},
		[MADV_DODUMP] = {.clear = VM_DONTDUMP},
		[MADV_WIPEONFORK] = {.set = VM_WIPEONFORK, .private_only = true},
		[MADV_KEEPONFORK] = {.clear = VM_WIPEONFORK},
	};
	const struct vma_advice *a = &all[advice];

	if (advice < 0 || (size_t)advice >= ARRAY_SIZE(all))
		return NULL;
	return a->set | a->clear ? a : NULL;
}

/* MADV_POPULATE_*: the range as it is asked for, up to the first page that cannot be had. */
static int populate_advised(struct space *space, vaddr_t lo, vaddr_t hi, bool write)
{
	struct space_mapping m;
	int err = 0;

	for (vaddr_t at = lo; at < hi && !err;) {
		bool found = space_list(space, at, &m, 1);
		u32 need = write ? VM_WRITE : VM_RIGHTS;

		if (!found)
			return -ENOMEM;
		if (m.start > at)
			err = -ENOMEM;
		else if (!(m.flags & need))
			err = -EINVAL;
		space_mapping_put(&m);
		if (!err)
			err = populate(space, at, MIN(m.end, hi) - at, write);
		at = m.end;
	}
	return err;
}

long sys_madvise(vaddr_t addr, u64 len, int advice)
{
	const struct vma_advice *flags = madvise_flags(advice);
	struct space *space = current->space;
	vaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	bool known = flags || advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED ||
		     advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;

	if (!known || !IS_ALIGNED(addr, PAGE_SIZE) || end < addr || (len && end == addr))
		return -EINVAL;
	if (end == addr)
		return 0;
	if (flags)
		return space_advise(space, addr, end, flags);
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate_advised(space, addr, end, advice == MADV_POPULATE_WRITE);
	return space_discard(space, addr, len, advice == MADV_DONTNEED_LOCKED);
}

long sys_mseal(vaddr_t addr, u64 len, u64 flags)
{
	vaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);

	if (flags || !IS_ALIGNED(addr, PAGE_SIZE) || end < addr || (len && end == addr))
		return -EINVAL;
	return end == addr ? 0 : space_seal(current->space, addr, end);
}

#define VEC_PIECE 512 /* pages looked at at a time */

long sys_mincore(vaddr_t addr, u64 len, vaddr_t vec)
{
	u8 piece[VEC_PIECE];
	vaddr_t end;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (addr > USER_TOP || len > USER_TOP - addr)
		return -ENOMEM;
	end = addr + ALIGN_UP(len, PAGE_SIZE);
	if (!user_range_ok(vec, (end - addr) >> PAGE_SHIFT))
		return -EFAULT;
	while (addr < end) {
		u64 pages = MIN((end - addr) >> PAGE_SHIFT, (u64)VEC_PIECE);
		vaddr_t next = addr + (pages << PAGE_SHIFT);
		int err = space_resident(current->space, addr, next, piece);

		if (err)
			return err;
		if (copy_to_user(vec, piece, pages))
			return -EFAULT;
		vec += pages;
		addr = next;
	}
	return 0;
}

long sys_msync(vaddr_t addr, u64 len, int flags)
{
	vaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (flags & MS_ASYNC && flags & MS_SYNC)
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	return space_sync(current->space, addr, end, (unsigned)flags);
}

/* --- locking -------------------------------------------------------------------------------------- */

static long lock_range(vaddr_t addr, u64 len, u32 locks)
{
	struct space *space = current->space;
	vaddr_t lo = ALIGN_DOWN(addr, PAGE_SIZE);
	int err;

	if (!may_lock())
		return -EPERM;
	err = space_lock(space, addr, len, locks, cred_capable(CAP_IPC_LOCK));
	if (err)
		return err;
	err = populate_locked(space, lo, ALIGN_UP(addr + len, PAGE_SIZE));
	/* POSIX has these two the other way round. */
	return err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
}

long sys_mlock(vaddr_t addr, u64 len)
{
	return lock_range(addr, len, VM_LOCKED);
}

long sys_mlock2(vaddr_t addr, u64 len, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(addr, len, flags ? VM_LOCKS : VM_LOCKED);
}

long sys_munlock(vaddr_t addr, u64 len)
{
	return space_lock(current->space, addr, len, 0, false);
}

long sys_mlockall(int flags)
{
	u32 locks = flags & MCL_ONFAULT ? VM_LOCKS : VM_LOCKED;
	bool now = flags & MCL_CURRENT;
	int err;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!may_lock())
		return -EPERM;
	err = space_lock_all(current->space, now, locks, flags & MCL_FUTURE ? locks : 0,
			     cred_capable(CAP_IPC_LOCK));
	if (!err && now) /* what cannot be had now will be when it is touched */
		populate_locked(current->space, 0, USER_TOP);
	return err;
}

long sys_munlockall(void)
{
	return space_lock_all(current->space, true, 0, 0, false);
}
