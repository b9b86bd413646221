/* SPDX-License-Identifier: MIT */
/* misc.h - small structures and constants of single system calls. */
#pragma once

#include <quire/types.h>

struct uapi_iovec {
	u64 base, len;
};

/* uname(2) */
#define UTS_LEN 65
struct uapi_utsname {
	char sysname[UTS_LEN], nodename[UTS_LEN], release[UTS_LEN], version[UTS_LEN];
	char machine[UTS_LEN], domainname[UTS_LEN];
};

/* sysinfo(2) */
struct uapi_sysinfo {
	s64 uptime;
	u64 loads[3]; /* << 16 */
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit;
	u32 tail;
};
_Static_assert(sizeof(struct uapi_sysinfo) == 112, "the ABI's size");

/* personality(2) */
#define PERSONALITY_QUERY 0xffffffffu
#define ADDR_NO_RANDOMIZE 0x0040000u

/* reboot(2) */
#define REBOOT_MAGIC1        0xfee1deadu
#define REBOOT_MAGIC2        0x28121969u
#define REBOOT_MAGIC2A       0x05121996u
#define REBOOT_MAGIC2B       0x16041998u
#define REBOOT_MAGIC2C       0x20112000u
#define REBOOT_CMD_RESTART   0x01234567u
#define REBOOT_CMD_RESTART2  0xa1b2c3d4u
#define REBOOT_CMD_HALT      0xcdef0123u
#define REBOOT_CMD_POWER_OFF 0x4321fedcu
#define REBOOT_CMD_CAD_ON    0x89abcdefu
#define REBOOT_CMD_CAD_OFF   0x00000000u

/* arch_prctl(2), x86_64 */
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

/* getrandom(2) */
#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4
