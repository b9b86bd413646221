/* SPDX-License-Identifier: MIT */
/*
 * sys_mm.c - the memory system calls: arguments checked in the order in which Linux checks them, then one
 * call into mm/vma. Read mm/vma/space.h for what those do.
 */
#include <uapi/errno.h>
#include <uapi/mman.h>
#include "fs/file.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
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
static void populate(struct space *space, vaddr_t at, u64 len, bool write)
{
	int err = 0;

	for (u64 done = 0; done < len && !err && !signal_fatal(current); done += POPULATE_PIECE) {
		err = space_populate(space, at + done, MIN(len - done, POPULATE_PIECE), write);
		sched_point();
	}
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
	if (!err)
		err = get_object(&r, fd);
	if (err)
		return err;
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
	if (flags & (MAP_POPULATE | MAP_LOCKED) && !(flags & MAP_NONBLOCK))
		populate(space, at, len, r.prot & PROT_WRITE);
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
	return (long)space_brk(current->space, addr);
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
	vaddr_t at;
	int err;

	if (flags & ~(u64)known)
		return -EINVAL;
	err = space_remap(current->space, &r, &at);
	return err ? err : (long)at;
}

long sys_madvise(vaddr_t addr, u64 len, int advice)
{
	if (advice != MADV_DONTNEED)
		return -EINVAL;
	return space_discard(current->space, addr, len);
}
