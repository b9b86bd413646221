/* SPDX-License-Identifier: MIT */
/* printk.h - messages for people: the console and a ring kept for later readers. Any context. */
#pragma once

#include <stdarg.h>
#include <quire/types.h>
#include <quire/compiler.h>

/* printk - formatted like printf (lib/printf.h). A line starts with "[ seconds.micros] ". */
void printk(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* printk_ratelimit - false drops floods: ask before a printk that user space can cause. */
bool printk_ratelimit(void);
/* printk_raw - no time stamp, no ring and no lock: for the panic path. */
void printk_raw(const char *fmt, ...) PRINTF_LIKE(1, 2);
void vprintk_raw(const char *fmt, va_list args) PRINTF_LIKE(1, 0);
/* printk_ring_read - copy out kept messages: from *pos on (0: the oldest), up to n bytes. 0: the end. */
size_t printk_ring_read(u64 *pos, char *buf, size_t n);
