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

/* Messages as lines, numbered from 0, for syslog(2) and /dev/kmsg. */
struct printk_line {
	u64 ns;       /* of time_now() */
	u32 priority; /* as in syslog(3): 8 * facility + level */
	size_t len;   /* bytes of text */
};
/* printk_next_line - the number that the next line gets. */
u64 printk_next_line(void);
/* printk_read_line - line nr, or the oldest that is left if that is gone; text without time and newline, cut off
 * at size. Returns the number of the line read: printk_next_line() when there is none. Any context. */
u64 printk_read_line(u64 nr, struct printk_line *out, char *text, size_t size);
/* printk_from_user - a line that a program wrote. */
void printk_from_user(u32 priority, const char *text, size_t n);
extern unsigned printk_console_level; /* [a] messages of lower levels go to the console */
