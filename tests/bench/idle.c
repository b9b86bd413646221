/* SPDX-License-Identifier: MIT */
/*
 * idle.c - process 1 of the idle benchmark: nothing happens for ten seconds between two marks, which the
 * counting plugin of QEMU sees. One second before that lets the boot come to rest.
 */
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

/* Found by their names in the symbol table; must neither be inlined nor merged. */
__attribute__((noinline, noclone)) void mark_begin(void)
{
	__asm__ volatile("nop" ::: "memory");
}

__attribute__((noinline, noclone)) void mark_end(void)
{
	__asm__ volatile("nop; nop" ::: "memory");
}

static void sleep_seconds(time_t seconds)
{
	struct timespec ts = {seconds, 0};

	nanosleep(&ts, NULL);
}

int main(void)
{
	sleep_seconds(1);
	mark_begin();
	sleep_seconds(10);
	mark_end();
	reboot(RB_POWER_OFF);
	return 1;
}
