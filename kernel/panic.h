/* SPDX-License-Identifier: MIT */
/*
 * panic.h - the end of the kernel, for those who know more than a message.
 *
 * panic() itself is in quire/assert.h, because everyone may need it. All of these print the cause, where
 * it happened with functions and lines, the last trace events, stop the other CPUs and leave
 * the machine with a failing status. They work in any context, before anything is initialised, with any
 * lock held, and when panicking panics.
 */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

struct trap_frame;

/* panic_trap - an exception in the kernel that nothing handles. The message is the decoded cause; the
 * registers and the backtrace are those of the frame. */
void panic_trap(struct trap_frame *, const char *fmt, ...) PRINTF_LIKE(2, 3) NORETURN COLD;

/* panic_fault - the same for a page fault at va: also tells what lies there and how the page
 * tables translate it. */
void panic_fault(struct trap_frame *, vaddr_t va, const char *fmt, ...)
	PRINTF_LIKE(3, 4) NORETURN COLD;

/* panic_in_progress - some CPU has panicked: nothing waits for a lock or another CPU any more. */
bool panic_in_progress(void);

/* panic_backtrace - print the calls that led here (frame NULL) or to a trap, with file and line. */
void panic_backtrace(const struct trap_frame *, void (*print)(const char *fmt, ...));
