/* SPDX-License-Identifier: MIT */
/*
 * vfs.h - names and files: what all file systems have in common.
 *
 * An inode is a file; a dentry is a name for one in a directory. The names that are in use form a tree
 * in memory; a dentry holds its parent, so the path of anything open can always be told. In a
 * memory file system every name is pinned there and the tree is the file system.
 *
 * Locks: an inode's lock (RANK_INODE) guards, in a directory, the names below it and, in any file, its
 * mode, owner, link count and, against other writers, its content. Two directories are locked parent
 * first (rename holds vfs_rename_lock, so that nobody's parent changes meanwhile).
 * Names and parents change only under vfs_rename_lock and the lock of both directories.
 *
 * Keys: [a] atomic; [i] immutable; [L] lock of this inode; [D] lock of the directory the name is in;
 * [R] vfs_rename_lock, or [D] to read; [M] vfs_rename_lock.
 *
 * Read next: namei.c (paths), tmpfs.c, file.h.
 */
#pragma once

#include <quire/types.h>
#include <uapi/fcntl.h>
#include <uapi/stat.h>
#include "kernel/lock.h"
#include "lib/list.h"
#include "lib/rbtree.h"

struct dentry;
struct file;
struct file_ops;
struct fs_type;
struct inode;
struct object;
struct super;
struct uapi_statfs;

/* A file that is to be made. */
struct vfs_new {
	u32 mode; /* type and permissions */
	u32 uid, gid;
	u64 rdev;           /* devices */
	const char *target; /* symbolic links */
};

/* What a file system can do. create: the name is in the dentry, which has no inode yet; success gives it one;
 * the directory is locked. NULL: not possible here (EPERM). */
struct inode_ops {
	/* lookup - a name that is not in the tree of names, in a directory that makes its names when they are
	 * asked for (/proc). Gives a dentry of its own, with a reference, that is not put into the tree and
	 * goes with its last reference. No lock is held. NULL: only what is in the tree exists. */
	int (*lookup)(struct dentry *dir, const char *name, size_t len, struct dentry **out);
	/* readlink - the text of a symbolic link that has no fixed target. Bytes (no NUL) or -errno. */
	int (*readlink)(struct dentry *, char *buf, size_t size); /* cut off at size */
	/* follow - where a link leads that is more than its text (/proc/self/fd/1); with a reference. */
	int (*follow)(struct dentry *, struct dentry **out);
	int (*create)(struct inode *dir, struct dentry *, const struct vfs_new *);
	int (*resize)(struct inode *, u64 size); /* inode lock held */
	void (*free)(struct inode *);            /* the last reference is gone */
	bool fixed;                              /* mode, owner and times cannot be changed */
};

/* One mounted file system. Each has its own tree of names, which lies at one place. */
struct super_ops {
	/* statfs - fill f_type, sizes and counts; the rest is done. */
	int (*statfs)(struct super *, struct uapi_statfs *);
	/* remount - new options, NULL: none. 0 or -errno. NULL: any are accepted. */
	int (*remount)(struct super *, const char *options);
	/* show_options - what /proc/mounts says behind the flags, each with a comma before it. May be NULL. */
	void (*show_options)(struct super *, char *buf, size_t size);
	void (*release)(struct super *); /* it is unmounted and nobody uses it any more */
};

struct super {
	u32 refs; /* [a] one for its tree of names, one for each inode (and what else outlives the tree) */
	u32 users; /* [a] references to its names from outside the tree, one of them for being mounted. The last
		    * one takes the tree down */
	u32 writers; /* [a] regular files open for writing */
	const struct super_ops *ops;
	const struct fs_type *type;
	char *source;              /* [i] what was given to mount(2) */
	u32 flags;                 /* [M], read lockless: MS_RDONLY, NOSUID, NODEV, NOEXEC .. */
	u64 dev;                   /* [i] st_dev of its files */
	struct dentry *root;       /* [i] */
	struct dentry *mountpoint; /* [M] what it covers; NULL: the root of all, or not mounted */
	struct list_head link;     /* [M] all that are mounted, in order */
	void *private_data;        /* [i] of the file system */
};

/* A kind of file system that can be mounted; fs_type_register makes it known. */
struct fs_type {
	const char *name;
	/* mount - fill a new super: ops, private_data, root (dentry_alloc_root, its reference passes). options may be
	 * NULL. 0 or -errno; after an error what was filled in is released. */
	int (*mount)(struct super *, const char *options);
};

struct inode {
	u32 refs;                    /* [a] */
	u32 mode;                    /* [L] type and permissions; the type is [i] */
	u32 uid, gid;                /* [L] */
	u32 nlink;                   /* [L] */
	u64 ino, dev;                /* [i] */
	u64 rdev;                    /* [i] character and block devices */
	u64 atime, mtime, ctime;     /* [a] ns since 1970 */
	u64 btime;                   /* [i] when it was made */
	struct mutex lock;           /* RANK_INODE */
	struct super *super;         /* [i] NULL: of no file system (pipes) */
	const struct inode_ops *ops; /* [i] */
	const struct file_ops *fops; /* [i] what open gives */
	struct object *obj;          /* [i] regular files: the content, for mmap; else NULL */
	const char *target;          /* [i] symbolic links */
	void *private_data;          /* [i] of the file system or driver */
	struct inode_locks *locks;   /* [a] made with the first lock: lock.c */
	s32 write_count;             /* [a] > 0: so often open for writing; < 0: executed */
	bool linkable;               /* [L] made without a name, and may get one */
};

struct dentry {
	u32 refs;                 /* [a] one for the name itself while it is in the tree */
	u32 name_len;             /* [R] */
	char *name;               /* [R] not terminated by the length alone: has a NUL as well */
	struct super *super;      /* [i] NULL: of no file system that is ever unmounted */
	struct dentry *parent;    /* [R] itself at the root; holds a reference */
	struct inode *inode;      /* [D] NULL only while it is being made */
	bool unlinked;            /* [D] no longer in the tree */
	struct super *mounted;    /* [M]+[D] what covers this directory; NULL: nothing */
	struct rb_node node;      /* [D] in parent->names */
	struct list_head sibling; /* [D] in the order of creation, for readdir */
	u64 cookie;               /* [D] position of this name for readdir */
	struct rb_root names;     /* [L of inode] */
	struct list_head children;
	u64 next_cookie;
};

extern struct dentry *vfs_root;
extern struct mutex vfs_rename_lock; /* RANK_NAMES */

void inode_get(struct inode *);
void inode_put(struct inode *);
/* inode_init - common fields; refs 1, times now. */
void inode_init(struct inode *, u32 mode, const struct inode_ops *, const struct file_ops *);
/* inode_set_super - a new inode belongs to this file system: dev, and a reference that inode_put gives back. */
void inode_set_super(struct inode *, struct super *);
void dentry_get(struct dentry *);
void dentry_put(struct dentry *);

/* dentry_alloc - a name for a child of parent, not yet in the tree. NULL: memory. */
struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len);
/* dentry_alloc_root - a name without a parent; takes over the reference on the inode when it succeeds. */
struct dentry *dentry_alloc_root(struct inode *);
/* dentry_name_copy - a name as dentries keep them. NULL: memory. */
char *dentry_name_copy(const char *name, size_t len);
void dentry_name_free(char *);
/* dentry_find - a name in a directory, with a reference. Needs the directory's lock. NULL: none. */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
/* dentry_link, dentry_unlink - put a dentry that has an inode into the tree, take it out. Lock held. */
void dentry_link(struct dentry *);
void dentry_unlink(struct dentry *);

/* dentry_set_parent - during a move, between unlink and link; the caller has references on d and both parents. */
void dentry_set_parent(struct dentry *, struct dentry *parent);

/* process_root - the root directory of the current process, or of all for the kernel; with a reference. */
struct dentry *process_root(void);

/* dentry_path - the path from the current process's root, in buf. 0, -ENAMETOOLONG, -ENOENT for an unlinked one
 * unless mark_deleted, which appends " (deleted)". Takes vfs_rename_lock.
 * dentry_path_from - the same from another root; *reachable: d lies below it. If not, the path is that from where
 * the tree ends: the root of all, or of a file system that is mounted nowhere. */
int dentry_path(struct dentry *, char *buf, size_t size, bool mark_deleted);
int dentry_path_from(struct dentry *root, struct dentry *, char *buf, size_t size,
		     bool mark_deleted, bool *reachable);
int dentry_path_locked(struct dentry *root, struct dentry *, char *buf, size_t size,
		       bool mark_deleted,
		       bool *reachable); /* the same for who holds vfs_rename_lock */

/* Walking paths: at is the directory that relative paths start from. */
#define WALK_FOLLOW    BIT(0) /* a symbolic link at the end is followed */
#define WALK_DIRECTORY BIT(1) /* the result must be a directory */
/* What openat2(2) forbids, at the places of its RESOLVE_* bits times WALK_RESOLVE: */
#define WALK_RESOLVE       BIT(8)
#define WALK_NO_XDEV       (0x01 * WALK_RESOLVE) /* crossing into another file system: EXDEV */
#define WALK_NO_MAGICLINKS (0x02 * WALK_RESOLVE) /* links that are more than their text: ELOOP */
#define WALK_NO_SYMLINKS   (0x04 * WALK_RESOLVE) /* any symbolic link: ELOOP */
#define WALK_BENEATH       (0x08 * WALK_RESOLVE) /* leaving the tree below the start: EXDEV */
#define WALK_IN_ROOT       (0x10 * WALK_RESOLVE) /* the start is the root as well */

/* vfs_find_child - a name in a directory, in the tree or made on demand, not across mounts; with a
 * reference. 0, -ENOENT, -ENAMETOOLONG, or what the file system says. */
int vfs_find_child(struct dentry *dir, const char *name, size_t len, struct dentry **out);

/* vfs_lookup - 0 and a reference, or -ENOENT -ENOTDIR -EACCES -ELOOP -ENAMETOOLONG. */
int vfs_lookup(struct dentry *at, const char *path, unsigned flags, struct dentry **out);
/* vfs_lookup_parent - all but the last component: its directory, with a reference, and the name. With
 * WALK_FOLLOW a link in the last place is followed: the name is then one that is no link. -ENOENT for "" */
struct last_name {
	size_t len;     /* 0: the path was "/" */
	bool special;   /* "." or ".." (or nothing) */
	bool is_dot;    /* "." */
	bool wants_dir; /* followed by a slash */
	bool jumped; /* len is 0, and dir is what a link like /proc/self/fd/1 led to: any kind of file */
	char name[NAME_MAX + 1];
};
int vfs_lookup_parent(struct dentry *at, const char *path, unsigned flags, struct dentry **dir,
		      struct last_name *);

/* vfs_readlink - the text of a symbolic link. Bytes (no NUL), at most size, or -errno. */
int vfs_readlink(struct dentry *link, char *buf, size_t size);

/* vfs_create - a new file, directory, device or symbolic link.
 *  returns: 0 and the new name with a reference in *out (may be NULL); -EEXIST -EACCES -EPERM -ENOENT
 *  (the directory is gone) -ENOMEM -ENOSPC */
int vfs_create(struct dentry *dir, const char *name, size_t len, const struct vfs_new *,
	       struct dentry **out);
/* vfs_create_nameless - the same for a name that stays out of the tree; the directory is locked. */
int vfs_create_nameless(struct dentry *dir, struct dentry *, const struct vfs_new *);
/* vfs_link - old may also be a file made without a name (O_TMPFILE). */
int vfs_link(struct dentry *old, struct dentry *dir, const char *name, size_t len);
int vfs_unlink(struct dentry *dir, const char *name, size_t len, bool directory);
/* vfs_rename - neither name is special; a name followed by a slash must be a directory's. */
int vfs_rename(struct dentry *old_dir, const struct last_name *old_name, struct dentry *new_dir,
	       const struct last_name *new_name, unsigned flags);

/* Paths from user space: a copy of the string, and the directory it starts from (dirfd as in openat).
 * path_lookup_user does the whole way. 0, or -EFAULT -ENAMETOOLONG -EBADF -ENOTDIR .. */
struct user_path {
	char *path;
	struct dentry *start;
};
/* path_start - the directory that dirfd means for this path, with a reference. 0, -EBADF, -ENOTDIR. */
int path_start(int dirfd, const char *path, struct dentry **out);
int path_begin(int dirfd, vaddr_t path, struct user_path *);
void path_end(struct user_path *);
/* inode_lookup_user - what the *at calls mean with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH; with a reference. */
int inode_lookup_user(int dirfd, vaddr_t path, int at_flags, struct inode **out);
int path_lookup_user(int dirfd, vaddr_t path, unsigned flags, struct dentry **out);

/* vfs_permission - may the current process do this (R_OK | W_OK | X_OK)? 0, -EACCES, or -EROFS. */
int vfs_permission(const struct inode *, unsigned want, bool real_ids);

/* attr.c: changes of attributes, with all permissions checked. 0, -EPERM, -EROFS; times also -EACCES.
 * inode_change_owner: KEEP_ID leaves one alone. */
#define KEEP_ID UINT32_MAX
struct inode_times {
	enum { TIME_KEEP, TIME_NOW, TIME_SET } set_atime, set_mtime;
	u64 atime, mtime; /* ns since 1970 */
};
int inode_change_mode(struct inode *, u32 mode);
int inode_change_owner(struct inode *, u32 uid, u32 gid);
int inode_change_times(struct inode *, const struct inode_times *);
/* inode_drop_setid - the content is about to change: set-user-ID and set-group-ID bits go. Lock held. */
void inode_drop_setid(struct inode *);
/* inode_accessed - the content was read. open_flags: O_NOATIME counts. No lock needed. */
void inode_accessed(struct inode *, u32 open_flags);
/* inode_hold_write - 1: the file is written to, -1: it is executed, which exclude each other (-ETXTBSY); until
 * inode_release_write with the same number. */
int inode_hold_write(struct inode *, int how);
void inode_release_write(struct inode *, int how);
/* inode_is_mine - does the current thread own the file, or act as if (CAP_FOWNER)? */
bool inode_is_mine(const struct inode *);

/* vfs_list_root - print what lies in the root directory, for people whose /init was not found. */
void vfs_list_root(void);

/* vfs_now - the time that is stored in inodes: ns since 1970. */
u64 vfs_now(void);

/* vfs_init - mount the memory file system at the root. Boot. */
void vfs_init(void);

/* Character devices by number; the driver gives the operations. */
#define DEV_MAKE(major, minor) \
	((u64)(major) << 8 | ((minor)&0xff) | ((u64)(minor) & ~0xffull) << 12)
#define DEV_MAJOR(dev) ((u32)((dev) >> 8 & 0xfff))
#define DEV_MINOR(dev) ((u32)(((dev)&0xff) | ((dev) >> 12 & ~0xffull)))
const struct file_ops *device_find(u64 rdev);
extern const struct file_ops proc_kmsg_fops; /* /proc/kmsg: kmsg.c */

extern const struct file_ops kmsg_ops; /* kmsg.c */

/* Open directories: dir.c. */
extern const struct file_ops dir_file_ops;

void device_init(void); /* the devices that need no driver. Boot. */
/* device_register - a driver offers a character device: open finds ops by the number, and devtmpfs shows
 * a node of this name (which stays the caller's), mode and number. 0, -EEXIST (the number is taken), -ENOMEM. */
int device_register(const char *name, u64 rdev, u32 mode, const struct file_ops *ops);
/* device_for_each - call fn for each registered device in order until it returns something else than 0. */
int device_for_each(int (*fn)(const char *name, u64 rdev, u32 mode, void *arg), void *arg);

/* Kinds of file systems, each in a file of its own. fs_type_register makes one known to mount(2); boot.
 * fs_type_at - the n-th that is known, NULL: no more (/proc/filesystems). */
extern const struct fs_type tmpfs_type, ramfs_type, proc_type, sysfs_type, devtmpfs_type,
	devpts_type;
void fs_type_register(const struct fs_type *);
const struct fs_type *fs_type_find(const char *name); /* NULL: unknown */
const struct fs_type *fs_type_at(unsigned n);

/* super.c: file systems as objects. super_create - one that is not mounted yet: refs and users 1.
 *  returns: 0, -ENOMEM, or what the kind's mount says */
int super_create(const struct fs_type *, const char *source, u32 flags, const char *options,
		 struct super **out);
void super_get(struct super *);
void super_put(struct super *); /* the last one releases it */
/* super_has_flag - does the file system of this inode have one of these MS_* flags? */
static inline bool super_has_flag(const struct inode *inode, u32 flags)
{
	return inode->super && (__atomic_load_n(&inode->super->flags, __ATOMIC_RELAXED) & flags);
}
/* super_want_write - 0, or -EROFS when files of this inode's file system must not change. */
int super_want_write(const struct inode *);
/* super_statfs - f_type, sizes and flags of what an inode is part of. 0 or -errno. */
int super_statfs(const struct inode *, struct uapi_statfs *);
/* statfs_memory - for ops->statfs: a file system in memory without limits of its own. */
int statfs_memory(struct uapi_statfs *, s64 magic);

/* mount.c: the table of mounts. vfs_mount - mount a new file system of this kind over a directory.
 *  returns: 0 or -errno as mount(2) */
int vfs_mount(const struct fs_type *, const char *source, struct dentry *over, u32 flags,
	      const char *options);
/* vfs_remount - change flags and options of the file system whose root this is. -EINVAL: not a root; -EBUSY */
int vfs_remount(struct dentry *root, u32 flags, const char *options);
/* vfs_move_mount - to another directory. -EINVAL -ENOTDIR -ELOOP (it is below what is moved) */
int vfs_move_mount(struct dentry *root, struct dentry *over);
/* vfs_unmount - take the file system whose root this is out of the tree. -EINVAL: not a root; -EBUSY */
int vfs_unmount(struct dentry *root, bool lazy);
/* vfs_for_each_mount - call fn for each mounted file system, in order, under vfs_rename_lock, until it
 * returns something else than 0, which is the result. */
int vfs_for_each_mount(int (*fn)(struct super *, void *arg), void *arg);
/* mount_cross - from a directory to the root of what is mounted there: the reference moves along. */
struct dentry *mount_cross(struct dentry *);
/* mount_parent - the directory above, across mount points but not above root; itself at the root of all. Needs
 * vfs_rename_lock; no reference. */
struct dentry *mount_parent(struct dentry *, const struct dentry *root);
/* mount_root - the first file system of all, which covers nothing. Boot. */
void mount_root(struct super *);

/* tmpfs_make_root - the memory file system at the root of all. 0 or -ENOMEM. Boot.
 * tmpfs_mount_with_mode - for mount of kinds that are tmpfs with something in it; mode is the root's. */
int tmpfs_make_root(struct dentry **out);
int tmpfs_mount_with_mode(struct super *, const char *options, u32 mode);
