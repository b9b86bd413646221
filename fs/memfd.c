/* SPDX-License-Identifier: MIT */
/*
 * memfd.c - memory files without a place in the tree of names, and seals.
 *
 * The files are those of a tmpfs of their own that is never mounted; each has the name it was made with, for
 * people. Seals are kept in the object, where mmap looks as well. All tmpfs files have them, but F_SEAL_SEAL
 * from the beginning.
 *
 * Seals are added under the inode's lock, which keeps writers and size changes out. Writable shared mappings, that
 * F_SEAL_WRITE excludes, are made without it: mmap counts itself in maps_begun, then looks at the seals; who
 * seals sets the seal, then looks at the count and the mappings. One of the two sees the other.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/panic.h"
#include "kernel/syscall.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/slab.h"
#include "mm/vma/vma.h"

#define PREFIX      "memfd:"
#define PREFIX_LEN  (sizeof(PREFIX) - 1)
#define ALL_SEALS   0x3fu
#define MFD_KNOWN   (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)
#define WRITE_SEALS (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define FIXED_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | WRITE_SEALS)

static struct super *memory_files;

/* --- seals -------------------------------------------------------------------------------------------- */

int seals_begin_map(struct object *obj, struct map_request *r)
{
	bool shared = (r->flags & MAP_TYPE) != MAP_PRIVATE;

	if (!(atomic_load(&obj->seals) & OBJ_SEALABLE) || !shared)
		return 0;
	__atomic_fetch_add(&obj->maps_begun, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&obj->seals, __ATOMIC_SEQ_CST) & WRITE_SEALS) {
		if (r->prot & PROT_WRITE) {
			__atomic_fetch_sub(&obj->maps_begun, 1, __ATOMIC_RELEASE);
			return -EPERM;
		}
		r->may |= VM_MAYWRITE;
	}
	r->begun = true;
	return 0;
}

void seals_end_map(struct map_request *r)
{
	if (r->begun)
		__atomic_fetch_sub(&r->obj->maps_begun, 1, __ATOMIC_RELEASE);
	r->begun = false;
}

/* may_be_written - through a mapping that there is, or is about to be. */
static bool may_be_written(struct object *obj)
{
	bool found = __atomic_load_n(&obj->maps_begun, __ATOMIC_SEQ_CST);
	struct vma *v;

	spin_lock(&obj->vmas_lock);
	list_for_each (v, &obj->vmas, obj_link)
		found = found ||
			(v->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
	spin_unlock(&obj->vmas_lock);
	return found;
}

/* add_locked - with the inode's lock. */
static long add_locked(struct inode *inode, u32 seals)
{
	struct object *obj = inode->obj;
	u32 old = atomic_load(&obj->seals);

	if (old & F_SEAL_SEAL)
		return -EPERM;
	/* What can be executed, and always could be, must not change either. */
	if (seals & F_SEAL_EXEC && inode->mode & 0111)
		seals |= FIXED_SEALS;
	__atomic_store_n(&obj->seals, old | seals, __ATOMIC_SEQ_CST);
	if (seals & F_SEAL_WRITE && !(old & F_SEAL_WRITE) && may_be_written(obj)) {
		atomic_store(&obj->seals, old);
		return -EBUSY;
	}
	return 0;
}

static bool is_sealable(const struct inode *inode)
{
	return inode && inode->obj && atomic_load(&inode->obj->seals) & OBJ_SEALABLE;
}

long file_add_seals(struct file *f, u32 seals)
{
	long err;

	if (!f->can_write)
		return -EPERM;
	if (seals & ~ALL_SEALS || !is_sealable(f->inode))
		return -EINVAL;
	mutex_lock(&f->inode->lock);
	err = add_locked(f->inode, seals);
	mutex_unlock(&f->inode->lock);
	return err;
}

long file_seals(struct file *f)
{
	return is_sealable(f->inode) ? (long)(atomic_load(&f->inode->obj->seals) & ALL_SEALS)
				     : -EINVAL;
}

/* --- files -------------------------------------------------------------------------------------------- */

void memfd_init(void)
{
	if (super_create(&tmpfs_type, "tmpfs", 0, "size=0,nr_inodes=0", &memory_files))
		panic("no memory for memory files");
}

static u32 first_seals(unsigned flags)
{
	if (flags & MFD_NOEXEC_SEAL)
		return OBJ_SEALABLE | F_SEAL_EXEC;
	return OBJ_SEALABLE | (flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL);
}

static int make_file(const char *name, unsigned flags, struct file **out)
{
	const struct cred *cred = cred_now();
	struct vfs_new what = {
		.mode = S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777),
		.uid = cred->fsuid,
		.gid = cred->fsgid,
	};
	struct dentry *root = memory_files->root, *d = dentry_alloc(root, name, strlen(name));
	int err;

	if (!d)
		return -ENOMEM;
	d->unlinked = true;
	mutex_lock(&root->inode->lock);
	err = vfs_create_nameless(root, d, &what);
	mutex_unlock(&root->inode->lock);
	if (!err) {
		d->inode->obj->seals = first_seals(flags);
		err = file_open(d, O_RDWR | O_LARGEFILE, out);
	}
	dentry_put(d);
	return err;
}

/* name_from_user - "memfd:" and the name, in buf of NAME_MAX + 1 bytes. 0, -EFAULT, -EINVAL: too long */
static int name_from_user(vaddr_t name, char *buf)
{
	ssize_t len = strncpy_from_user(buf + PREFIX_LEN, name, NAME_MAX + 1 - PREFIX_LEN);

	memcpy(buf, PREFIX, PREFIX_LEN);
	if (len == -ENAMETOOLONG)
		return -EINVAL;
	return len < 0 ? (int)len : 0;
}

long sys_memfd_create(vaddr_t name, unsigned flags)
{
	char buf[NAME_MAX + 1];
	struct file *f;
	int err, fd;

	if (flags & ~(unsigned)MFD_KNOWN ||
	    (flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) == (MFD_EXEC | MFD_NOEXEC_SEAL))
		return -EINVAL;
	err = name_from_user(name, buf);
	if (!err)
		err = make_file(buf, flags, &f);
	if (err)
		return err;
	fd = fd_install(f, 0, flags & MFD_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}
