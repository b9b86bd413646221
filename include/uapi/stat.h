/* SPDX-License-Identifier: MIT */
/* stat.h - file modes and directory entries. struct uapi_stat is in arch/abi.h. */
#pragma once

#include <arch/abi.h>

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFLNK  0120000
#define S_IFREG  0100000
#define S_IFBLK  0060000
#define S_IFDIR  0040000
#define S_IFCHR  0020000
#define S_IFIFO  0010000
#define S_ISUID  0004000
#define S_ISGID  0002000
#define S_IXGRP  0000010
#define S_ISVTX  0001000

#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

/* getdents64(2): d_reclen covers the name, its NUL and padding to 8 bytes. */
struct uapi_dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type; /* (mode & S_IFMT) >> 12 */
	char d_name[];
};

/* statx(2), the same on both architectures. */
struct uapi_statx_timestamp {
	s64 tv_sec;
	u32 tv_nsec, unused;
};
struct uapi_statx {
	u32 stx_mask, stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink, stx_uid, stx_gid;
	u16 stx_mode, unused0;
	u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct uapi_statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
	u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	u64 stx_mnt_id;
	u32 stx_dio_mem_align, stx_dio_offset_align;
	u64 unused[12];
};
_Static_assert(sizeof(struct uapi_statx) == 256, "the ABI's size");

#define STATX_BASIC_STATS     0x07ffu
#define STATX_BTIME           0x0800u
#define STATX_MNT_ID          0x1000u
#define STATX_RESERVED        0x80000000u
#define STATX_ATTR_MOUNT_ROOT 0x2000u
#define AT_STATX_SYNC_TYPE    0x6000
