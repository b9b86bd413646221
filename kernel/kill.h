/* SPDX-License-Identifier: MIT */
/*
 * kill.h - sending signals on behalf of a user: with a check whether the current thread may.
 *
 * Permission: CAP_KILL; or the sender's real or effective user id is the receiver's real or saved one; SIGCONT
 * within the session (kill(2)). Signals of the kernel itself go through signal.h and need none.
 */
#pragma once

#include <quire/types.h>
#include <uapi/signal.h>

struct pid;
struct process;

/* kill_info_self - the particulars that kill and tkill send: code is SI_USER or SI_TKILL. */
struct uapi_siginfo kill_info_self(int sig, int code);

/* kill_process, kill_group, kill_thread - info->si_signo 0 only checks; group and thread are the one of this number.
 *  locks: take process_tree_lock (group), process locks   sleeps: group
 *  returns: 0, -EPERM, -ESRCH (nobody bears the number), -EINVAL (no such signal), -EAGAIN (queue full)
 *  for a group: 0 when any member could be sent it */
int kill_process(struct process *, const struct uapi_siginfo *info);
int kill_group(struct pid *, const struct uapi_siginfo *info);
int kill_thread(struct pid *, const struct uapi_siginfo *info);

/* kill_check_info - may the current thread send particulars of its own making to the thread or process of this
 * number? Those that look as if they came from the kernel or from kill only to itself: -EPERM. */
int kill_check_info(const struct uapi_siginfo *info, u32 nr);
