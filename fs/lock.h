/* SPDX-License-Identifier: MIT */
/*
 * lock.h - locks that programs put on files: fcntl(2) records and flock(2).
 *
 * An owner is a pointer that is only compared: for records of a process its table of descriptors, for
 * those of an open file description and for flock the struct file.
 */
#pragma once

#include <quire/types.h>

struct file;
struct files;
struct inode;

enum lock_space { LOCK_RECORDS, LOCK_WHOLE }; /* fcntl and flock do not see each other */

struct lock_request {
	enum lock_space space;
	int type;       /* F_RDLCK, F_WRLCK, F_UNLCK */
	u64 start, end; /* bytes, inclusive */
	const void *owner;
	u32 pid;         /* for F_GETLK; 0: an open file's */
	bool is_process; /* released when the process closes any descriptor of the file; can deadlock */
};

#define LOCK_END ((u64)INT64_MAX) /* the last byte a file can have */

/* lock_set - take, change or give up a lock. Sleeps; interruptible.
 *  wait: until it can be had   returns: 0, -EAGAIN, -EDEADLK, -ENOLCK (memory), -RESTART_SYS */
int lock_set(struct inode *, const struct lock_request *, bool wait);
/* lock_test - a lock that stands in the way is copied to *found. True: there is one. */
bool lock_test(struct inode *, const struct lock_request *, struct lock_request *found);
/* lock_release - all locks of an owner on a file go. Cheap when the file has never had one. */
void lock_release(struct inode *, const void *owner);
/* lock_free - the inode goes, and nobody has a lock on it any more. */
void lock_free(struct inode *);

/* fcntl_lock - the F_*LK* commands on an open file (sys_lock.c). */
long fcntl_lock(int fd, struct file *, unsigned cmd, vaddr_t arg);

void lock_init(void); /* boot */
