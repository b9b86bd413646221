/* SPDX-License-Identifier: MIT */
/*
 * rows_signal.c - a signal to oneself: sent, handled, returned from.
 */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile unsigned handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void on_siginfo(int sig, siginfo_t *info, void *context)
{
	(void)context;
	handled += info->si_signo == sig;
}

static int handler_plain(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	return sigaction(SIGUSR1, &sa, NULL) ? -errno : 0;
}

static int handler_siginfo(void)
{
	struct sigaction sa = {.sa_sigaction = on_siginfo, .sa_flags = SA_SIGINFO};

	return sigaction(SIGUSR1, &sa, NULL) ? -errno : 0;
}

static int handler_altstack(void)
{
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

	return sigaltstack(&ss, NULL) || sigaction(SIGUSR1, &sa, NULL) ? -errno : 0;
}

static inline void kill_self(unsigned ops)
{
	long self = getpid();

	handled = 0;
	for (unsigned i = 0; i < ops; i++)
		sys(SYS_kill, self, SIGUSR1);
	expect(handled == ops);
}

ROW(MAIN, signal_self, 1000, handler_plain)
{
	kill_self(ops);
}

ROW(VARIANT, signal_siginfo, 1000, handler_siginfo)
{
	kill_self(ops);
}

ROW(VARIANT, signal_altstack, 1000, handler_altstack)
{
	kill_self(ops);
}

ROW(VARIANT, signal_thread, 1000, handler_plain)
{
	long self = getpid();

	handled = 0;
	for (unsigned i = 0; i < ops; i++)
		sys(SYS_tgkill, self, self, SIGUSR1);
	expect(handled == ops);
}

/* With the C library's: blocks all signals around the sending. */
ROW(VARIANT, signal_raise, 1000, handler_plain)
{
	handled = 0;
	for (unsigned i = 0; i < ops; i++)
		raise(SIGUSR1);
	expect(handled == ops);
}
