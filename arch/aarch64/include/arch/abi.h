/* SPDX-License-Identifier: MIT */
/* abi.h - the parts of the user ABI where aarch64 differs from the other architectures. */
#pragma once

#include <quire/types.h>

#define UTS_MACHINE "aarch64"
#define MINSIGSTKSZ 5120 /* bytes: the smallest alternate stack that sigaltstack takes */

/* open(2) flags; the rest is in uapi/fcntl.h. */
#define O_DIRECTORY 00040000
#define O_NOFOLLOW  00100000
#define O_DIRECT    00200000
#define O_LARGEFILE 00400000

/* struct epoll_event. */
#define EPOLL_EVENT_LAYOUT

/* stat(2), fstat(2), newfstatat(2). */
struct uapi_stat {
	u64 st_dev;
	u64 st_ino;
	u32 st_mode;
	u32 st_nlink;
	u32 st_uid;
	u32 st_gid;
	u64 st_rdev;
	u64 pad1;
	s64 st_size;
	s32 st_blksize;
	s32 pad2;
	s64 st_blocks;
	u64 st_atime, st_atime_nsec;
	u64 st_mtime, st_mtime_nsec;
	u64 st_ctime, st_ctime_nsec;
	u32 unused[2];
};
_Static_assert(sizeof(struct uapi_stat) == 128, "the ABI's size");
