/* SPDX-License-Identifier: MIT */
/* poll.h - structures of poll, pselect and epoll. */
#pragma once

#include <arch/abi.h>
#include <quire/types.h>

struct uapi_pollfd {
	s32 fd;
	u16 events, revents; /* POLL*, fs/poll.h */
};

/* What the last argument of pselect6 points at. */
struct uapi_pselect_mask {
	u64 set; /* user address of a signal set */
	u64 size;
};

struct uapi_epoll_event {
	u32 events;
	u64 data;
} EPOLL_EVENT_LAYOUT;
