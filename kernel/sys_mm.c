/* SPDX-License-Identifier: MIT */
/*
 * sys_mm.c - the memory system calls: arguments checked in the order in which Linux checks them, then one
 * call into mm/vma. Read mm/vma/space.h for what those do.
 */
#include <uapi/errno.h>
#include <uapi/mman.h>
#include "fs/file.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "mm/obj/object.h"
#include "mm/vma/space.h"

#define MAP_KNOWN                                                                           \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | \
	 MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK)
#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC)
#define PROT_SEM   0x8 /* a hint that no architecture here needs */
#define BELOW_2GIB 0x80000000ul

/* What MAP_TYPE and its companions allow before any object is looked at. */
static int check_flags(unsigned flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_PRIVATE:
	case MAP_SHARED:
		break;
	case MAP_SHARED_VALIDATE:
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
	if (!(r->flags & MAP_ANONYMOUS))
		return fd_map_object(fd, r->prot, r->flags, &r->obj, &r->may);
	r->pgoff = 0;
	if ((r->flags & MAP_TYPE) == MAP_PRIVATE)
		return 0;
	r->obj = object_create(ALIGN_UP(r->len, PAGE_SIZE));
	return r->obj ? 0 : -ENOMEM;
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
	if (!len)
		return -EINVAL;
	if (len > USER_TOP)
		return -ENOMEM;
	if (offset + len < offset)
		return -EOVERFLOW;
	err = check_flags(r.flags);
	if (err)
		return err;
	err = get_object(&r, fd);
	if (err)
		return err;
	if (flags & MAP_32BIT)
		r.below = BELOW_2GIB;
	err = space_map(space, &r, &at);
	if (r.obj)
		object_put(r.obj);
	if (err)
		return err;
	/* The mapping stands even if its pages cannot all be had now. */
	if (flags & (MAP_POPULATE | MAP_LOCKED) && !(flags & MAP_NONBLOCK))
		err = space_populate(space, at, len, r.prot & PROT_WRITE);
	return (long)at;
}

long sys_munmap(vaddr_t addr, u64 len)
{
	return space_unmap(current->space, addr, len);
}

long sys_mprotect(vaddr_t addr, u64 len, int prot)
{
	if (prot & ~(PROT_KNOWN | PROT_SEM))
		return -EINVAL;
	return space_protect(current->space, addr, len, (unsigned)prot & PROT_KNOWN);
}

long sys_brk(vaddr_t addr)
{
	return (long)space_brk(current->space, addr);
}

long sys_madvise(vaddr_t addr, u64 len, int advice)
{
	if (advice != MADV_DONTNEED)
		return -EINVAL;
	return space_discard(current->space, addr, len);
}
