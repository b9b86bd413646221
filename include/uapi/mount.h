/* SPDX-License-Identifier: MIT */
/* mount.h - mount(2), umount2(2), statfs(2). */
#pragma once

#include <quire/types.h>

#define MS_RDONLY      0x00000001u
#define MS_NOSUID      0x00000002u
#define MS_NODEV       0x00000004u
#define MS_NOEXEC      0x00000008u
#define MS_SYNCHRONOUS 0x00000010u
#define MS_REMOUNT     0x00000020u
#define MS_MANDLOCK    0x00000040u
#define MS_DIRSYNC     0x00000080u
#define MS_NOSYMFOLLOW 0x00000100u
#define MS_NOATIME     0x00000400u
#define MS_NODIRATIME  0x00000800u
#define MS_BIND        0x00001000u
#define MS_MOVE        0x00002000u
#define MS_REC         0x00004000u
#define MS_SILENT      0x00008000u
#define MS_POSIXACL    0x00010000u
#define MS_UNBINDABLE  0x00020000u
#define MS_PRIVATE     0x00040000u
#define MS_SLAVE       0x00080000u
#define MS_SHARED      0x00100000u
#define MS_RELATIME    0x00200000u
#define MS_STRICTATIME 0x01000000u
#define MS_LAZYTIME    0x02000000u
#define MS_MGC_VAL     0xc0ed0000u /* once a sign that flags were meant; ignored */
#define MS_MGC_MSK     0xffff0000u

#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

/* statfs(2), the same on both architectures. */
struct uapi_statfs {
	s64 f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	u32 f_fsid[2];
	s64 f_namelen, f_frsize, f_flags, f_spare[4];
};
_Static_assert(sizeof(struct uapi_statfs) == 120, "the ABI's size");

/* f_flags */
#define ST_RDONLY     0x0001
#define ST_NOSUID     0x0002
#define ST_NODEV      0x0004
#define ST_NOEXEC     0x0008
#define ST_VALID      0x0020
#define ST_NOATIME    0x0400
#define ST_NODIRATIME 0x0800
#define ST_RELATIME   0x1000

/* f_type */
#define TMPFS_MAGIC      0x01021994
#define RAMFS_MAGIC      0x858458f6
#define PIPEFS_MAGIC     0x50495045
#define SOCKFS_MAGIC     0x534f434b
#define ANON_INODE_MAGIC 0x09041934
#define PROC_MAGIC       0x9fa0
#define SYSFS_MAGIC      0x62656572
#define DEVPTS_MAGIC     0x1cd1
