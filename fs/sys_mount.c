/* SPDX-License-Identifier: MIT */
/* sys_mount.c - system calls about file systems as a whole: mount, umount2, statfs, chroot. */
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "mm/phys/slab.h"

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define ATIME_FLAGS (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
/* What a file system remembers of the flags. Everything is synchronous here, so MS_SYNCHRONOUS and the
 * like hold in any case. */
#define KEPT                                                                          \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_DIRSYNC | \
	 MS_NOSYMFOLLOW | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

/* What mount(2) is told. */
struct mount_call {
	char *type, *source, *options; /* NULL: not given */
	struct dentry *target;         /* referenced */
	u32 flags;
};

/* --- arguments --------------------------------------------------------------------------------------- */

/* string_from_user - up to a page; NULL stays NULL. kfree() */
static int string_from_user(vaddr_t ustr, char **out)
{
	ssize_t n;

	*out = NULL;
	if (!ustr)
		return 0;
	*out = kmalloc(PAGE_SIZE, 0);
	if (!*out)
		return -ENOMEM;
	n = strncpy_from_user(*out, ustr, PAGE_SIZE);
	return n >= 0 ? 0 : n == -ENAMETOOLONG ? -EINVAL : (int)n;
}

/* kept_flags - relatime is what one gets without asking. */
static u32 kept_flags(u32 flags)
{
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	if (flags & (MS_NOATIME | MS_STRICTATIME))
		flags &= ~MS_RELATIME;
	return flags & KEPT;
}

/* --- mount ------------------------------------------------------------------------------------------- */

static int remount(const struct mount_call *c)
{
	u32 flags = c->flags;

	if (!c->target->super)
		return -EINVAL;
	if (!(flags & ATIME_FLAGS))
		flags |= READ_ONCE(c->target->super->flags) & ATIME_FLAGS;
	return vfs_remount(c->target, kept_flags(flags), flags & MS_BIND ? NULL : c->options);
}

/* set_propagation - a mount lies at one place only, so nothing it contains ever spreads: it is private. */
static int set_propagation(const struct mount_call *c)
{
	u32 kind = c->flags & PROPAGATION;

	if ((c->flags & ~(PROPAGATION | MS_REC | MS_SILENT)) || (kind & (kind - 1)))
		return -EINVAL;
	if (!c->target->super || c->target->super->root != c->target)
		return -EINVAL;
	return kind == MS_SHARED ? -EINVAL : 0;
}

static int move(const struct mount_call *c)
{
	struct user_path p;
	struct dentry *root;
	int err;

	if (!c->source || !*c->source)
		return -EINVAL;
	p.start = fs_context_cwd(current_process->fs);
	err = vfs_lookup(p.start, c->source, WALK_FOLLOW, &root);
	dentry_put(p.start);
	if (err)
		return err;
	err = root->super ? vfs_move_mount(root, c->target) : -EINVAL;
	dentry_put(root);
	return err;
}

static int mount_new(const struct mount_call *c)
{
	const struct fs_type *type;

	if (!c->type)
		return -EINVAL;
	type = fs_type_find(c->type);
	if (!type)
		return -ENODEV;
	return vfs_mount(type, c->source ? c->source : "none", c->target, kept_flags(c->flags),
			 c->options);
}

static int do_mount(const struct mount_call *c)
{
	if (!cred_capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (c->flags & MS_REMOUNT)
		return remount(c);
	if (c->flags & MS_BIND)
		return -EINVAL;
	if (c->flags & PROPAGATION)
		return set_propagation(c);
	return c->flags & MS_MOVE ? move(c) : mount_new(c);
}

long sys_mount(vaddr_t source, vaddr_t target, vaddr_t type, u64 flags, vaddr_t data)
{
	struct mount_call c = {.flags = (u32)flags};
	long err;

	if ((c.flags & MS_MGC_MSK) == MS_MGC_VAL)
		c.flags &= ~MS_MGC_MSK;
	err = string_from_user(type, &c.type);
	if (!err)
		err = string_from_user(source, &c.source);
	if (!err)
		err = string_from_user(data, &c.options);
	if (!err)
		err = path_lookup_user(AT_FDCWD, target, WALK_FOLLOW, &c.target);
	if (!err) {
		err = do_mount(&c);
		dentry_put(c.target);
	}
	kfree(c.type);
	kfree(c.source);
	kfree(c.options);
	return err;
}

/* --- umount ------------------------------------------------------------------------------------------ */

/* unmount - the root directory of the caller is not taken away but made read-only. */
static int unmount(struct dentry *d, bool lazy)
{
	struct dentry *root = process_root();
	bool is_root = d == root;

	dentry_put(root);
	if (!d->super || d->super->root != d)
		return -EINVAL;
	if (is_root && !lazy)
		return vfs_remount(d, READ_ONCE(d->super->flags) | MS_RDONLY, NULL);
	return vfs_unmount(d, lazy);
}

long sys_umount2(vaddr_t target, int flags)
{
	struct dentry *d;
	long err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW)) /* and no MNT_EXPIRE */
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &d);
	if (err)
		return err;
	err = cred_capable(CAP_SYS_ADMIN) ? unmount(d, flags & MNT_DETACH) : -EPERM;
	dentry_put(d);
	return err;
}

/* --- statfs ------------------------------------------------------------------------------------------ */

static long put_statfs(const struct inode *inode, vaddr_t buf)
{
	struct uapi_statfs st;
	int err = inode ? super_statfs(inode, &st) : -ENOSYS;

	return err ? err : copy_to_user(buf, &st, sizeof(st));
}

long sys_statfs(vaddr_t path, vaddr_t buf)
{
	struct dentry *d;
	long err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW, &d);

	if (err)
		return err;
	err = put_statfs(d->inode, buf);
	dentry_put(d);
	return err;
}

long sys_fstatfs(int fd, vaddr_t buf)
{
	struct file *f = fd_get_any(fd);
	long err;

	if (!f)
		return -EBADF;
	err = put_statfs(f->inode, buf);
	file_put(f);
	return err;
}

/* --- chroot ------------------------------------------------------------------------------------------ */

long sys_chroot(vaddr_t path)
{
	struct dentry *d;
	int err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &d);

	if (err)
		return err;
	err = vfs_permission(d->inode, X_OK, false);
	if (!err && !cred_capable(CAP_SYS_CHROOT))
		err = -EPERM;
	if (err)
		dentry_put(d);
	else
		fs_context_set_root(current_process->fs, d);
	return err;
}
