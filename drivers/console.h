/* SPDX-License-Identifier: MIT */
/*
 * console.h - the serial line, screen and keyboard that people read and type on.
 *
 * Output works from the first C line: what is written before a port is known is kept, and sent as
 * soon as one is. Input is raw: the terminal on top (tty_serial.c) does the rest.
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
 *  fails: no; without an interrupt, the port is polled every 10 ms */
void console_start_input(void);

/* console_send - bytes as they are, as many as the port takes now: the output of programs.
 *  context: any; does not wait   returns: how many; all of them when there is no port */
size_t console_send(const u8 *bytes, size_t n);

/* console_receive - bytes that were typed on something else than the port, as that would have received them; what
 * does not fit is lost. Any context. */
void console_receive(const u8 *bytes, size_t n);

/* console_has_port, console_has_screen - is it there, and part of the console? */
bool console_has_port(void);
bool console_has_screen(void);

/* console_take - up to n received bytes. Any context.
 * console_wait_input - sleep until there are some, until this time (monotonic ns, 0: none), or until somebody
 * calls console_wake_reader, also if that was before. */
size_t console_take(u8 *buf, size_t n);
void console_wait_input(u64 deadline_ns);
void console_wake_reader(void);
