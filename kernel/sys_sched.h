/* SPDX-License-Identifier: MIT */
/* sys_sched.h - what the system calls of scheduling have in common. */
#pragma once

#include <quire/types.h>

struct user_thread;

/* sched_find_thread - by tid, 0 for the caller; with a reference (user_thread_put). NULL: none. */
struct user_thread *sched_find_thread(int tid);
/* sched_may_change - may the current thread change how that one is scheduled? Its user may, and CAP_SYS_NICE. */
bool sched_may_change(struct user_thread *);
