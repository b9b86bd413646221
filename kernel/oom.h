/* SPDX-License-Identifier: MIT */
/*
 * oom.h - when user memory has run out: somebody has to go.
 *
 * Read next: oom.c.
 */
#pragma once

#include <quire/types.h>

/* oom_relieve - the current thread could not get memory for a page of user space. Kill the largest process, if none is
 * dying already, and give it time.
 *  locks: any sleeping locks may be held, no spin lock   sleeps: yes
 *  returns: true: try again; false: the current thread is being killed, or there is nobody to kill */
bool oom_relieve(void);
