/* SPDX-License-Identifier: MIT */
/* capability.h - capabilities(7): numbers, the structures of capget and capset, securebits. */
#pragma once

#include <quire/types.h>

#define CAP_CHOWN              0
#define CAP_DAC_OVERRIDE       1
#define CAP_DAC_READ_SEARCH    2
#define CAP_FOWNER             3
#define CAP_FSETID             4
#define CAP_KILL               5
#define CAP_SETGID             6
#define CAP_SETUID             7
#define CAP_SETPCAP            8
#define CAP_LINUX_IMMUTABLE    9
#define CAP_IPC_LOCK           14
#define CAP_IPC_OWNER          15
#define CAP_SYS_RAWIO          17
#define CAP_SYS_CHROOT         18
#define CAP_SYS_PTRACE         19
#define CAP_SYS_ADMIN          21
#define CAP_SYS_BOOT           22
#define CAP_SYS_NICE           23
#define CAP_SYS_RESOURCE       24
#define CAP_SYS_TIME           25
#define CAP_SYS_TTY_CONFIG     26
#define CAP_MKNOD              27
#define CAP_LEASE              28
#define CAP_SETFCAP            31
#define CAP_MAC_OVERRIDE       32
#define CAP_SYSLOG             34
#define CAP_WAKE_ALARM         35
#define CAP_CHECKPOINT_RESTORE 40
#define CAP_LAST               CAP_CHECKPOINT_RESTORE
#define CAP_ALL                ((1ull << (CAP_LAST + 1)) - 1)

/* capget(2), capset(2): version 1 has one struct uapi_cap_data, the others have two, low half first. */
#define CAPABILITY_VERSION_1 0x19980330u
#define CAPABILITY_VERSION_2 0x20071026u
#define CAPABILITY_VERSION_3 0x20080522u
struct uapi_cap_header {
	u32 version;
	s32 pid;
};
struct uapi_cap_data {
	u32 effective, permitted, inheritable;
};

/* securebits: each has a lock bit above it */
#define SECBIT_NOROOT               BIT(0)
#define SECBIT_NO_SETUID_FIXUP      BIT(2)
#define SECBIT_KEEP_CAPS            BIT(4)
#define SECBIT_KEEP_CAPS_LOCKED     BIT(5)
#define SECBIT_NO_CAP_AMBIENT_RAISE BIT(6)
#define SECBITS_ALL                 0x55u
#define SECBITS_LOCKS               (SECBITS_ALL << 1)
