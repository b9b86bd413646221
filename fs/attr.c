/* SPDX-License-Identifier: MIT */
/*
 * attr.c - mode, owner and times of files: who may change them, and what changes along.
 *
 * Each change is made under the inode's lock, which also makes the check and the change one step.
 */
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "mm/obj/object.h"

#define A_DAY (24 * 3600 * NSEC_PER_SEC)

bool inode_is_mine(const struct inode *inode)
{
	return cred_now()->fsuid == READ_ONCE(inode->uid) || cred_capable(CAP_FOWNER);
}

/* begin - may the attributes change at all? */
static int begin(const struct inode *inode)
{
	return inode->ops->fixed ? -EPERM : super_want_write(inode);
}

static void touch(struct inode *inode)
{
	inode->ctime = vfs_now();
}

/* --- mode -------------------------------------------------------------------------------------------- */

static bool keeps_setgid(u32 gid)
{
	return cred_in_group(gid) || cred_capable(CAP_FSETID);
}

/* seals_keep_mode - is it sealed whether the file can be executed, and would mode change that? */
static bool seals_keep_mode(const struct inode *inode, u32 mode)
{
	return inode->obj && atomic_load(&inode->obj->seals) & F_SEAL_EXEC &&
	       (inode->mode ^ mode) & 0111;
}

int inode_change_mode(struct inode *inode, u32 mode)
{
	int err = begin(inode);

	if (err)
		return err;
	mutex_lock(&inode->lock);
	if (!inode_is_mine(inode) || seals_keep_mode(inode, mode)) {
		err = -EPERM;
	} else {
		if (!keeps_setgid(inode->gid))
			mode &= ~(u32)S_ISGID;
		inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
		touch(inode);
	}
	mutex_unlock(&inode->lock);
	return err;
}

/* setid_bits - those that a change of owner or content takes away. */
static u32 setid_bits(const struct inode *inode)
{
	u32 bits = inode->mode & S_ISUID;

	if (!S_ISREG(inode->mode))
		return 0;
	if ((inode->mode & S_ISGID) && ((inode->mode & 0010) || !keeps_setgid(inode->gid)))
		bits |= S_ISGID;
	return bits;
}

void inode_drop_setid(struct inode *inode)
{
	if (unlikely(inode->mode & (S_ISUID | S_ISGID)) && !cred_capable(CAP_FSETID))
		inode->mode &= ~setid_bits(inode);
}

/* --- owner ------------------------------------------------------------------------------------------- */

/* may_give - without CAP_CHOWN one can keep one's files, or give them to a group one is in. */
static bool may_give(const struct inode *inode, u32 uid, u32 gid)
{
	bool own = cred_now()->fsuid == inode->uid;

	if (cred_capable(CAP_CHOWN))
		return true;
	if (uid != KEEP_ID && !(own && uid == inode->uid))
		return false;
	return gid == KEEP_ID || (own && (gid == inode->gid || cred_in_group(gid)));
}

int inode_change_owner(struct inode *inode, u32 uid, u32 gid)
{
	int err = begin(inode);

	if (err)
		return err;
	mutex_lock(&inode->lock);
	if (!may_give(inode, uid, gid)) {
		err = -EPERM;
	} else {
		inode->mode &= ~setid_bits(inode);
		if (uid != KEEP_ID)
			inode->uid = uid;
		if (gid != KEEP_ID)
			inode->gid = gid;
		touch(inode);
	}
	mutex_unlock(&inode->lock);
	return err;
}

/* --- times ------------------------------------------------------------------------------------------- */

int inode_change_times(struct inode *inode, const struct inode_times *t)
{
	bool both_now = t->set_atime == TIME_NOW && t->set_mtime == TIME_NOW;
	u64 now = vfs_now();
	int err = begin(inode);

	if (err)
		return err;
	mutex_lock(&inode->lock);
	if (!inode_is_mine(inode))
		err = !both_now ? -EPERM : vfs_permission(inode, W_OK, false);
	if (!err) {
		if (t->set_atime != TIME_KEEP)
			inode->atime = t->set_atime == TIME_NOW ? now : t->atime;
		if (t->set_mtime != TIME_KEEP)
			inode->mtime = t->set_mtime == TIME_NOW ? now : t->mtime;
		inode->ctime = now;
	}
	mutex_unlock(&inode->lock);
	return err;
}

/* inode_accessed - like relatime: when the file was changed since it was read last, or that is a day ago. */
void inode_accessed(struct inode *inode, u32 open_flags)
{
	u32 skip = MS_RDONLY | MS_NOATIME | (S_ISDIR(inode->mode) ? MS_NODIRATIME : 0);
	u64 atime = READ_ONCE(inode->atime), now;

	if ((open_flags & O_NOATIME) || super_has_flag(inode, skip))
		return;
	now = vfs_now();
	if (super_has_flag(inode, MS_RELATIME) && atime > READ_ONCE(inode->mtime) &&
	    atime > READ_ONCE(inode->ctime) && now - atime < A_DAY)
		return;
	WRITE_ONCE(inode->atime, now);
}

/* --- written or executed ----------------------------------------------------------------------------- */

int inode_hold_write(struct inode *inode, int how)
{
	s32 count = atomic_load(&inode->write_count);

	do {
		if (how > 0 ? count < 0 : count > 0)
			return -ETXTBSY;
	} while (!atomic_cas(&inode->write_count, &count, count + how));
	return 0;
}

void inode_release_write(struct inode *inode, int how)
{
	atomic_sub(&inode->write_count, how);
}
