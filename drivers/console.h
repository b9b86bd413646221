/* SPDX-License-Identifier: MIT */
/*
 * console.h - the serial line people read and type on.
 *
 * Output works from the first C line: what is written before a port is known is kept, and sent as
 * soon as one is. Input is raw: a terminal layer above does echo, line editing and the translation
 * of CR (what the Enter key sends) to NL.
 */
#pragma once

#include <quire/types.h>

/* console_write - send text, each '\n' preceded by '\r'. Lines of different CPUs do not mix as long
 * as each call passes whole ones of at most 512 characters.
 *  context: any, also interrupts; busy-waits for the port    fails: no; text is dropped when the port
 *           does not take it for too long */
void console_write(const char *text, size_t n);

/* console_panic_write - the same without taking the lock, for a CPU that may have interrupted the
 * holder. Finds the port by itself when nothing was written before. */
void console_panic_write(const char *text, size_t n);

/* console_start_input - let typed bytes raise interrupts. After arch_irq_init.
 *  fails: no; without an interrupt, readers poll every 10 ms */
void console_start_input(void);

/* console_read - wait for at least one byte and take up to n.
 *  sleeps:  unless nonblock
 *  returns: bytes, 0 only for n = 0; -EAGAIN nothing there (nonblock), -EINTR a signal came first,
 *           -EIO there is no port */
ssize_t console_read(char *buf, size_t n, bool nonblock);
