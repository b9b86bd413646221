/* SPDX-License-Identifier: MIT */
/*
 * text.h - files whose content is text that the kernel makes when somebody reads.
 *
 * A producer (struct text_ops) appends to a buffer; reading copies from that. Reading at position 0 makes
 * the text anew, so whoever reads on from there gets one consistent answer, and rewinding asks
 * again. A long text comes in windows: show makes one, notes in `cursor` where it stopped and sets
 * `more`; each window is consistent in itself, and no more than one is in memory.
 *
 * The same inodes and a pinned tree of them (text_dir, text_file, text_link) serve all file systems of
 * such files.
 *
 * Read next: text.c, text_tree.c; fs/proc/ and fs/sysfs.c for producers.
 */
#pragma once

#include <quire/compiler.h>
#include <quire/types.h>
#include "fs/vfs.h"

#define TEXT_WINDOW KIB(4)   /* a show that can stop should do so when it has this much */
#define TEXT_MAX    MIB(1)   /* no window grows beyond: -ENOMEM */
#define TEXT_STORE  (KIB(4)) /* bytes that one write can pass on */

struct text {
	char *buf;
	size_t len, capacity; /* bytes */
	u64 cursor;         /* of the producer: where the next window starts. 0 at the beginning */
	bool more;          /* set by show: this was not all */
	bool failed;        /* memory was short: what follows is lost, and reading fails */
	void *private_data; /* of the producer, from open to release */
};

struct text_ops {
	/* open, release - may be NULL. open: 0 or -errno. */
	int (*open)(struct file *, struct text *);
	void (*release)(struct file *, struct text *);
	/* show - append the text, or its next window. 0 or -errno. Sleeps; no lock is held but those of the
	 * open file. NULL: cannot be read (EINVAL). */
	int (*show)(struct file *, struct text *);
	/* store - somebody wrote n bytes, terminated. Bytes taken or -errno. NULL: cannot be written (EINVAL). */
	ssize_t (*store)(struct file *, char *s, size_t n);
};

/* text_printf, text_put, text_char - append. They do not fail: text->failed tells in the end. */
void text_printf(struct text *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_put(struct text *, const char *s, size_t n);
void text_char(struct text *, char c);
/* text_puts - a terminated string. */
void text_puts(struct text *, const char *s);
/* text_escaped - a string in which each character of `special` is written as three octal digits behind a
 * backslash. */
void text_escaped(struct text *, const char *s, const char *special);
/* text_cpu_list - the first nr CPUs of a set as ranges, "0-2,5", and a newline. */
struct cpumask;
void text_cpu_list(struct text *, const struct cpumask *, unsigned nr);
/* text_is_full - a show that can stop should. */
static inline bool text_is_full(const struct text *t)
{
	return t->len >= TEXT_WINDOW || t->failed;
}

/* text_number - the number in a line that was stored, as people write them: blanks around it, 0x and 0 prefixes.
 *  returns: 0, -EINVAL */
int text_number(const char *s, s64 min, s64 max, s64 *out);
/* text_trim - cut blanks and newlines off the end of a stored line of n bytes. Returns what is left. */
size_t text_trim(char *s, size_t n);

/* What open gives for an inode whose private_data is its struct text_ops. */
extern const struct file_ops text_file_ops;

/* --- pinned trees of such files: text_tree.c ---------------------------------------------------------- */

/* An inode of a pinned tree; arg is for its producer. */
struct text_inode {
	struct inode inode;
	const void *arg;
};

static inline const void *text_arg(const struct inode *inode)
{
	return container_of(inode, struct text_inode, inode)->arg;
}

/* text_root - the root directory of a tree. mode: of all its directories; ops and fops may be NULL: an ordinary one.
 * NULL: memory. */
struct dentry *text_root(struct super *, u32 mode, const struct inode_ops *ops,
			 const struct file_ops *fops);
/* text_dir, text_file, text_link - put a name into a directory of a tree, where it stays as long as the file system
 * lives. text_special - a file that is no text. NULL (text_dir) or -errno: no memory, or the name is taken.
 * text_find - what is there of that name, NULL: nothing. No references. */
struct dentry *text_dir(struct dentry *parent, const char *name);
int text_file(struct dentry *parent, const char *name, u32 mode, const struct text_ops *,
	      const void *arg);
int text_link(struct dentry *parent, const char *name, const char *target);
int text_special(struct dentry *parent, const char *name, u32 mode, const struct file_ops *);
struct dentry *text_find(struct dentry *parent, const char *name);
/* text_link_ops - a link made on demand: ops has readlink, and text_inode_free as its free. */
int text_link_ops(struct dentry *parent, const char *name, const struct inode_ops *);
void text_inode_free(struct inode *);
