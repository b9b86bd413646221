/* SPDX-License-Identifier: MIT */
/* signalfd.h - what a read of a signalfd gives. */
#pragma once

#include <quire/types.h>

struct uapi_signalfd_siginfo {
	u32 ssi_signo;
	s32 ssi_errno, ssi_code;
	u32 ssi_pid, ssi_uid;
	s32 ssi_fd;
	u32 ssi_tid; /* number of a timer */
	u32 ssi_band, ssi_overrun, ssi_trapno;
	s32 ssi_status, ssi_int;
	u64 ssi_ptr, ssi_utime, ssi_stime, ssi_addr;
	u16 ssi_addr_lsb;
	u8 pad[46];
};
_Static_assert(sizeof(struct uapi_signalfd_siginfo) == 128, "the ABI's size");
