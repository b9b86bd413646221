/* SPDX-License-Identifier: MIT */
/* shm.h - System V shared memory. */
#pragma once

#include <quire/types.h>

#define IPC_PRIVATE 0
#define IPC_CREAT   0x200
#define IPC_EXCL    0x400
#define IPC_RMID    0
#define IPC_SET     1
#define IPC_STAT    2
#define IPC_INFO    3

#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

/* shmget */
#define SHM_HUGETLB 0x800
/* shmat */
#define SHM_RDONLY 0x1000
#define SHM_RND    0x2000
#define SHM_REMAP  0x4000
#define SHM_EXEC   0x8000
/* in the mode that IPC_STAT shows */
#define SHM_DEST   0x200
#define SHM_LOCKED 0x400

struct uapi_ipc_perm {
	s32 key;
	u32 uid, gid, cuid, cgid;
	u32 mode;
	u16 seq, pad;
	u64 unused[2];
};

struct uapi_shmid_ds {
	struct uapi_ipc_perm perm;
	u64 segsz; /* bytes */
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
	u64 nattch;
	u64 unused[2];
};

struct uapi_shminfo {
	u64 shmmax, shmmin, shmmni, shmseg, shmall;
	u64 unused[4];
};

struct uapi_shm_info {
	s32 used_ids;
	u64 tot, rss, swp; /* pages */
	u64 unused[2];
};
