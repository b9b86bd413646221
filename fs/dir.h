/* SPDX-License-Identifier: MIT */
/*
 * dir.h - filling the buffer of getdents64: for file systems whose directories are not (only) in the tree of names.
 *
 * Positions: 0 before ".", 1 before "..", from 2 on as the file system likes. A readdir calls dir_fill_dots, then
 * dir_emit for each further name, and moves the file's position behind each name that was taken.
 *
 * Read next: dir.c.
 */
#pragma once

#include <quire/types.h>

struct file;
struct uio;

struct dir_fill {
	vaddr_t buf;
	u32 left, done; /* bytes */
	u64 parent_ino; /* what ".." is; 0: the directory above in the same file system */
};

/* dir_emit - one entry. type: S_IF*; next: the position behind it.
 *  returns: false when there is no room, or (then *err is set) none for even the first, or a bad buffer */
bool dir_emit(struct dir_fill *, const char *name, size_t len, u64 ino, u32 type, u64 next,
	      int *err);
/* dir_fill_dots - "." and "..", as far as they are due. False: stop here. */
bool dir_fill_dots(struct file *, struct dir_fill *, int *err);
/* dir_fill_tree - dir_fill_dots, and the names that are in the tree. False: stop here. */
bool dir_fill_tree(struct file *, struct dir_fill *, int *err);

/* What goes into the file_ops of such directories beside their readdir. */
ssize_t dir_read(struct file *, struct uio *, u64 *pos);
s64 dir_seek(struct file *, s64 offset, int whence);
