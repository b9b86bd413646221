/* SPDX-License-Identifier: MIT */
/* timespec.h - times as user space gives them, turned into the kernel's nanoseconds. */
#pragma once

#include <quire/types.h>
#include <uapi/time.h>

/* timespec_to_ns - 0, or -EINVAL when negative or not normalised. Too large ones become INT64_MAX. */
int timespec_to_ns(const struct uapi_timespec *, u64 *ns);
struct uapi_timespec timespec_from_ns(u64 ns);
/* timeval_to_ns - the same for microseconds, of which there may be more than a second's worth, as select(2) has it. */
struct uapi_timeval timeval_from_ns(u64 ns);
int timeval_to_ns(const struct uapi_timeval *, u64 *ns);

/* time_deadline_after, time_deadline_absolute - the point of monotonic time that wait_step wants, never
 * 0: a time span from now; a time of the monotonic or the real-time clock. */
u64 time_deadline_after(u64 ns);
u64 time_deadline_absolute(u64 ns, bool realtime);
