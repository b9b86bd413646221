/* SPDX-License-Identifier: MIT */
/* sys_random.c - random numbers for user space, which wait until there is something unpredictable in them. */
#include <uapi/errno.h>
#include <uapi/misc.h>
#include "kernel/random.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "kernel/wait.h"

/* Where no source was there at boot, the moments at which sleeps really end make up for it, at one bit each. */
int random_wait_seeded(void)
{
	for (unsigned bits = 1; !random_is_seeded(); bits++) {
		u64 now = time_now();

		random_add(&now, sizeof(now));
		if (bits % 8 == 0)
			random_credit(1);
		thread_prepare_sleep(WAIT_INTERRUPTIBLE);
		if (wait_step(now + NSEC_PER_MSEC) == -EINTR)
			return -EINTR;
	}
	return 0;
}

long sys_getrandom(vaddr_t buf, u64 len, unsigned flags)
{
	u8 bytes[256];
	u64 done = 0;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
		return -EINVAL;
	if (!(flags & GRND_INSECURE) && !random_is_seeded()) {
		if (flags & GRND_NONBLOCK)
			return -EAGAIN;
		if (random_wait_seeded())
			return -RESTART_SYS;
	}
	len = MIN(len, (u64)INT32_MAX);
	while (done < len && !signal_fatal(current)) {
		size_t n = MIN(len - done, sizeof(bytes)), missing;

		random_bytes(bytes, n);
		missing = copy_to_user_partial(buf + done, bytes, n);
		done += n - missing;
		if (missing)
			return done ? (long)done : -EFAULT;
	}
	return (long)done;
}
