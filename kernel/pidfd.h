/* SPDX-License-Identifier: MIT */
/*
 * pidfd.h - descriptors that mean a process, or one thread (pidfd_open(2)).
 *
 * What the descriptor holds is the struct pid, so the number is not given to anybody else while it is open.
 */
#pragma once

#include <quire/types.h>

struct file;
struct pid;

/* Flags of pidfd_open: the descriptor is about one thread; waitid does not block. */
#define PIDFD_THREAD   0200u
#define PIDFD_NONBLOCK 04000u

/* pidfd_install - a descriptor (close on exec) for the number; flags: PIDFD_*. >= 0, -EMFILE, -ENOMEM. Sleeps. */
int pidfd_install(struct pid *, u32 flags);
/* pidfd_pid - what an open file means, with a reference; NULL: it is no pidfd. */
struct pid *pidfd_pid(const struct file *);
