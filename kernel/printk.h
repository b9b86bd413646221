/* SPDX-License-Identifier: MIT */
/* printk.h - messages for people: the console and a ring kept for later readers. Any context. */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

/* printk - formatted like printf (lib/printf.h). A line starts with "[ seconds.micros] ". */
void printk(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* printk_once_per_second is printk that drops floods: use where user space can cause the message. */
bool printk_ratelimit(void);
/* printk_raw - no time stamp and no ring: for the panic path. */
void printk_raw(const char *fmt, ...) PRINTF_LIKE(1, 2);
