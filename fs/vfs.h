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
 * [R] vfs_rename_lock, or [D] to read.
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
struct inode;
struct object;

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
	int (*create)(struct inode *dir, struct dentry *, const struct vfs_new *);
	int (*resize)(struct inode *, u64 size); /* inode lock held */
	void (*free)(struct inode *);            /* the last reference is gone */
};

struct inode {
	u32 refs;                    /* [a] */
	u32 mode;                    /* [L] type and permissions; the type is [i] */
	u32 uid, gid;                /* [L] */
	u32 nlink;                   /* [L] */
	u64 ino, dev;                /* [i] */
	u64 rdev;                    /* [i] character and block devices */
	u64 atime, mtime, ctime;     /* [a] ns since 1970 */
	struct mutex lock;           /* RANK_INODE */
	const struct inode_ops *ops; /* [i] */
	const struct file_ops *fops; /* [i] what open gives */
	struct object *obj;          /* [i] regular files: the content, for mmap; else NULL */
	const char *target;          /* [i] symbolic links */
	void *private_data;          /* [i] of the file system or driver */
};

struct dentry {
	u32 refs;                 /* [a] one for the name itself while it is in the tree */
	u32 name_len;             /* [R] */
	char *name;               /* [R] not terminated by the length alone: has a NUL as well */
	struct dentry *parent;    /* [R] itself at the root; holds a reference */
	struct inode *inode;      /* [D] NULL only while it is being made */
	bool unlinked;            /* [D] no longer in the tree */
	struct rb_node node;      /* [D] in parent->names */
	struct list_head sibling; /* [D] in the order of creation, for readdir */
	u64 cookie;               /* [D] position of this name for readdir */
	struct rb_root names;     /* [L of inode] */
	struct list_head children;
	u64 next_cookie;
};

extern struct dentry *vfs_root;
extern struct mutex vfs_rename_lock; /* RANK_FILES */

void inode_get(struct inode *);
void inode_put(struct inode *);
/* inode_init - common fields; refs 1, times now. */
void inode_init(struct inode *, u32 mode, const struct inode_ops *, const struct file_ops *);
void dentry_get(struct dentry *);
void dentry_put(struct dentry *);

/* dentry_alloc - a name for a child of parent, not yet in the tree. NULL: memory. */
struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len);
struct dentry *dentry_alloc_root(struct inode *);
/* dentry_name_copy - a name as dentries keep them. NULL: memory. */
char *dentry_name_copy(const char *name, size_t len);
void dentry_name_free(char *);
/* dentry_find - a name in a directory, with a reference. Needs the directory's lock. NULL: none. */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
/* dentry_link, dentry_unlink - put a dentry that has an inode into the tree, take it out. Lock held. */
void dentry_link(struct dentry *);
void dentry_unlink(struct dentry *);

/* dentry_path - the absolute path, in buf. 0, -ENAMETOOLONG, -ENOENT for an unlinked one unless
 * mark_deleted, which appends " (deleted)". Takes vfs_rename_lock. */
int dentry_path(struct dentry *, char *buf, size_t size, bool mark_deleted);

/* Walking paths: at is the directory that relative paths start from. */
#define WALK_FOLLOW    BIT(0) /* a symbolic link at the end is followed */
#define WALK_DIRECTORY BIT(1) /* the result must be a directory */

/* vfs_lookup - 0 and a reference, or -ENOENT -ENOTDIR -EACCES -ELOOP -ENAMETOOLONG. */
int vfs_lookup(struct dentry *at, const char *path, unsigned flags, struct dentry **out);
/* vfs_lookup_parent - all but the last component: its directory, with a reference, and the name. With
 * WALK_FOLLOW a link in the last place is followed: the name is then one that is no link. -ENOENT for "" */
struct last_name {
	size_t len;     /* 0: the path was "/" */
	bool special;   /* "." or ".." (or nothing) */
	bool is_dot;    /* "." */
	bool wants_dir; /* followed by a slash */
	char name[NAME_MAX + 1];
};
int vfs_lookup_parent(struct dentry *at, const char *path, unsigned flags, struct dentry **dir,
		      struct last_name *);

/* vfs_create - a new file, directory, device or symbolic link.
 *  returns: 0 and the new name with a reference in *out (may be NULL); -EEXIST -EACCES -EPERM -ENOENT
 *  (the directory is gone) -ENOMEM -ENOSPC */
int vfs_create(struct dentry *dir, const char *name, size_t len, const struct vfs_new *,
	       struct dentry **out);
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
int path_begin(int dirfd, vaddr_t path, struct user_path *);
void path_end(struct user_path *);
int path_lookup_user(int dirfd, vaddr_t path, unsigned flags, struct dentry **out);

/* vfs_permission - may the current process do this (R_OK | W_OK | X_OK)? 0 or -EACCES. */
int vfs_permission(const struct inode *, unsigned want, bool real_ids);

/* vfs_list_root - print what lies in the root directory, for people whose /init was not found. */
void vfs_list_root(void);

/* vfs_now - the time that is stored in inodes: ns since 1970. */
u64 vfs_now(void);

/* vfs_init - mount the memory file system at the root. Boot. */
void vfs_init(void);

/* Character devices by number; the driver gives the operations. */
#define DEV_MAKE(major, minor) \
	((u64)(major) << 8 | ((minor)&0xff) | ((u64)(minor) & ~0xffull) << 12)
const struct file_ops *device_find(u64 rdev);

/* Open directories: dir.c. */
extern const struct file_ops dir_file_ops;

/* tmpfs */
int tmpfs_create_root(struct dentry **out);
