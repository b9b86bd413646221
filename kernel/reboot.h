/* SPDX-License-Identifier: MIT */
/* reboot.h - the end of the machine's day, asked for by a key. */
#pragma once

/* ctrl_alt_del - the keys were pressed: process 1 gets SIGINT, or, unless it has asked for that by reboot(2), the
 * machine restarts. Soon, in another thread. Any context. */
void ctrl_alt_del(void);
