/* SPDX-License-Identifier: MIT */
/* sys_open.c - openat and openat2: which flags make sense together. The rest is in open.c. */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define OPEN_KNOWN                                                                            \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
	 O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | \
	 O_TMPFILE | O_ASYNC)
#define OPEN_WITH_PATH (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define TMPFILE_BIT    (O_TMPFILE & ~O_DIRECTORY)
#define RESOLVE_KNOWN                                                                      \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)

/* check_flags - combinations that are wrong for openat and openat2 alike. */
static int check_flags(u32 flags)
{
	u32 access = flags & O_ACCMODE;

	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	if (!(flags & TMPFILE_BIT))
		return 0;
	if ((flags & O_TMPFILE) != O_TMPFILE || (access != O_WRONLY && access != O_RDWR))
		return -EINVAL;
	return 0;
}

/* begin - for a walk that must stay below dirfd an absolute path starts there as well. */
static int begin(int dirfd, vaddr_t upath, unsigned walk, struct user_path *p)
{
	struct dentry *start;
	int err = path_begin(dirfd, upath, p);

	if (err || *p->path != '/' || !(walk & (WALK_BENEATH | WALK_IN_ROOT)))
		return err;
	err = path_start(dirfd, ".", &start);
	if (err) {
		path_end(p);
		return err;
	}
	dentry_put(p->start);
	p->start = start;
	return 0;
}

static long do_open(int dirfd, vaddr_t upath, const struct file_how *how)
{
	struct user_path p;
	struct file *f;
	long fd = check_flags(how->flags);

	if (!fd)
		fd = begin(dirfd, upath, how->walk, &p);
	if (fd)
		return fd;
	fd = file_open_at(p.start, p.path, how, &f);
	path_end(&p);
	if (fd)
		return fd;
	fd = fd_install(f, 0, how->flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* Unknown bits have always been ignored, and O_LARGEFILE always been set. */
long sys_openat(int dirfd, vaddr_t upath, int flags, u32 mode)
{
	struct file_how how = {.flags = (u32)flags & OPEN_KNOWN, .mode = mode & 07777};

	if (how.flags & O_PATH)
		how.flags &= OPEN_WITH_PATH;
	else
		how.flags |= O_LARGEFILE;
	return do_open(dirfd, upath, &how);
}

/* check_how - openat2 refuses what openat ignores. */
static int check_how(const struct uapi_open_how *how)
{
	u64 resolve = how->resolve;

	if ((how->flags & ~(u64)OPEN_KNOWN) || (resolve & ~(u64)RESOLVE_KNOWN))
		return -EINVAL;
	if ((resolve & RESOLVE_BENEATH) && (resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how->flags & (O_CREAT | TMPFILE_BIT) ? how->mode & ~07777ull : how->mode)
		return -EINVAL;
	if ((how->flags & O_PATH) && (how->flags & ~(u64)OPEN_WITH_PATH))
		return -EINVAL;
	if ((resolve & RESOLVE_CACHED) && (how->flags & (O_TRUNC | O_CREAT | TMPFILE_BIT)))
		return -EAGAIN;
	return 0;
}

long sys_openat2(int dirfd, vaddr_t upath, vaddr_t uhow, u64 size)
{
	struct uapi_open_how how;
	struct file_how kernel_how;
	int err;

	if (size < sizeof(how))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&how, sizeof(how), uhow, size);
	if (!err)
		err = check_how(&how);
	if (err)
		return err;
	kernel_how = (struct file_how){
		.flags = (u32)how.flags | (how.flags & O_PATH ? 0 : O_LARGEFILE),
		.mode = (u32)how.mode,
		.walk = (unsigned)((how.resolve & ~(u64)RESOLVE_CACHED) * WALK_RESOLVE),
	};
	return do_open(dirfd, upath, &kernel_how);
}
