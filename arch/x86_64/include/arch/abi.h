/* SPDX-License-Identifier: MIT */
/* abi.h - the parts of the user ABI where x86_64 differs from the other architectures. */
#pragma once

#include <quire/types.h>

#define UTS_MACHINE "x86_64"
#define MINSIGSTKSZ 2048 /* bytes: the smallest alternate stack that sigaltstack takes */

/* open(2) flags; the rest is in uapi/fcntl.h. */
#define O_DIRECT    00040000
#define O_LARGEFILE 00100000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000

/* struct epoll_event. */
#define EPOLL_EVENT_LAYOUT __attribute__((packed)) /* as for 32-bit programs */

/* stat(2), fstat(2), newfstatat(2). */
struct uapi_stat {
	u64 st_dev;
	u64 st_ino;
	u64 st_nlink;
	u32 st_mode;
	u32 st_uid;
	u32 st_gid;
	u32 pad0;
	u64 st_rdev;
	s64 st_size;
	s64 st_blksize;
	s64 st_blocks;
	u64 st_atime, st_atime_nsec;
	u64 st_mtime, st_mtime_nsec;
	u64 st_ctime, st_ctime_nsec;
	s64 unused[3];
};
_Static_assert(sizeof(struct uapi_stat) == 144, "the ABI's size");
