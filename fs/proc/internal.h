/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of /proc share.
 *
 * Two kinds of names: those of the system lie in a pinned tree (root.c, system.c, sysctl.c; fs/text.h); those of
 * a process are made when somebody asks, from tables of struct proc_entry (pid.c), and go with their last
 * user. Such an inode holds the number it was made for, not the process: a number is not given out again while
 * somebody holds it, and what is asked of a process that is gone is answered with ESRCH.
 *
 * Read next: pid.c, then the file of whatever you look for.
 */
#pragma once

#include "fs/file.h"
#include "fs/text.h"
#include "fs/vfs.h"
#include "kernel/inspect.h"
#include "kernel/pid.h"
#include "kernel/process.h"

struct dir_fill;
struct space;

/* Which directories an entry is in. */
enum proc_where { PROC_BOTH, PROC_PROCESS, PROC_THREAD };

/* A name in /proc/PID or /proc/PID/task/TID. The type of mode says which of the pointers count. */
struct proc_entry {
	const char *name;
	u32 mode;
	enum proc_where where;
	const struct text_ops *text; /* regular files of text */
	const struct inode_ops
		*ops; /* directories: lookup; links: readlink, follow. free is proc_inode_free */
	const struct file_ops *fops; /* directories, and files that are no text */
};

struct proc_inode {
	struct inode inode;
	struct pid *pid; /* the number that all of it is about; with a reference */
	bool single;     /* about that one thread, not about its process */
	u64 arg[2];      /* what the name says: a descriptor; a range of addresses */
};

static inline struct proc_inode *proc_inode(const struct inode *inode)
{
	return container_of(inode, struct proc_inode, inode);
}

/* --- pid.c -------------------------------------------------------------------------------------------- */

/* proc_process - the process that an inode is about, with a reference; NULL: it is gone.
 * proc_thread - the thread: that one, or the process's first that is left. NULL: gone, or only a zombie. */
struct process *proc_process(const struct inode *);
struct user_thread *proc_thread(const struct inode *, struct process *);
/* proc_inspected - the same as proc_process for those who may look inside: 0, -ESRCH, -EACCES. */
int proc_inspected(const struct inode *, struct process **out);

/* proc_name - a name made on demand below dir, for e, about dir's number (or pid's, when that is not NULL).
 *  ino: what makes it different from others with the same number. 0, -ENOMEM. */
int proc_name(struct dentry *dir, const char *name, size_t len, const struct proc_entry *e,
	      struct pid *pid, u64 ino, struct dentry **out);
void proc_inode_free(struct inode *);

/* proc_number - the decimal number that a name is; -ENOENT when it is none as the kernel would print it. */
int proc_number(const char *name, size_t len, u32 *out);

/* proc_fill_numbers - readdir over numbers: next gives the lowest number >= from, UINT32_MAX when there is none.
 * Positions from first on are numbers plus first. */
void proc_fill_numbers(struct file *, struct dir_fill *, u64 first, u32 type, u64 ino_base,
		       u32 (*next)(struct file *, u32 from), int *err);

/* proc_pid_lookup, proc_pid_fill - processes as names in the root directory. */
int proc_pid_lookup(struct dentry *root, const char *name, size_t len, struct dentry **out);
void proc_pid_fill(struct file *, struct dir_fill *, u64 first, int *err);

/* Inode numbers of what is made on demand: the number, the kind of thing, and which. */
#define PROC_INO(nr, kind, n) ((u64)(nr) << 40 | (u64)(kind) << 36 | ((n)&0xfffffffffull))
enum proc_ino_kind { INO_ENTRY = 1, INO_THREAD_ENTRY, INO_TASK, INO_FD, INO_FDINFO, INO_MAP };

/* --- tables and ops that pid.c puts together ------------------------------------------------------------ */

extern const struct text_ops proc_stat_ops, proc_statm_ops, proc_status_ops; /* task_stat.c */
extern const struct text_ops proc_comm_ops, proc_limits_ops, proc_oom_score_ops,
	proc_oom_score_adj_ops, proc_personality_ops, proc_cgroup_ops,
	proc_children_ops;                                                         /* task_misc.c */
extern const struct text_ops proc_cmdline_ops, proc_environ_ops, proc_auxv_ops;    /* task_args.c */
extern const struct file_ops proc_mem_fops;                                        /* task_args.c */
extern const struct text_ops proc_maps_ops, proc_smaps_ops, proc_smaps_rollup_ops; /* maps.c */
extern const struct text_ops proc_clear_refs_ops;                                  /* pagemap.c */
extern const struct file_ops proc_pagemap_fops;
extern const struct inode_ops proc_map_files_ops; /* map_files.c */
extern const struct file_ops proc_map_files_fops;
extern const struct inode_ops proc_exe_ops, proc_cwd_ops, proc_root_ops; /* links.c */
extern const struct inode_ops proc_fd_ops, proc_fdinfo_ops;              /* fd.c */
extern const struct file_ops proc_fd_fops, proc_fdinfo_fops;
extern const struct text_ops proc_mounts_ops, proc_mountinfo_ops; /* mounts.c */

/* proc_hold_space - the address space of the process that an inode is about, in *out, if we may look: NULL when it has
 * none. It is not kept alive, its struct is (proc_drop_space). 0, -ESRCH, -EACCES. proc_use_space - such a one with a use
 * (space_put); NULL: it is gone, or there was none. */
int proc_hold_space(struct inode *, struct space **out);
void proc_drop_space(struct space *);
struct space *proc_use_space(struct space *);

/* proc_open_space, proc_release_space - text_ops of what shows memory: the address space is looked up, and the
 * right to see it checked, when the file is opened; it is not kept alive by that. proc_space - it, with a use
 * (space_put); NULL: it is gone. */
int proc_open_space(struct file *, struct text *);
void proc_release_space(struct file *, struct text *);
struct space *proc_space(struct text *);

/* --- the system: each adds its names to the root directory. 0 or -ENOMEM --------------------------------- */
int proc_add_system(struct dentry *root);
int proc_add_memory(struct dentry *root);
int proc_add_pages(struct dentry *root); /* kpage.c */
int proc_add_sysctl(struct dentry *root);
int proc_add_quire(struct dentry *root);
