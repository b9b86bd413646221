/* SPDX-License-Identifier: MIT */
/*
 * init.c - the first user program of the test initramfs: runs the test programs and powers off.
 *
 * Programs lie in /tests and are named, one per line, in /tests/list. Which of them run is said on the
 * kernel command line, as arguments after "--" or by TESTS=name,name; without either, all do. For
 * each one init prints
 *
 *	# begin NAME
 *	...                          what the program prints
 *	# end NAME status=exit:0     or signal:11, timeout, missing
 *
 * and after the last "# all programs done" before it switches the machine off. tests/run reads these
 * lines. The same file is process 1 on Linux, so it relies on nothing but open files 0 to 2: no file
 * system is mounted and no directory is read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_SECONDS 90
#define MAX_PROGRAMS    64

static char list_text[8192];
static char *programs[MAX_PROGRAMS];
static unsigned nr_programs;

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	if (write(1, line, (size_t)n) < 0)
		_exit(1);
}

static void add_programs(char *names, const char *separators)
{
	for (char *p = strtok(names, separators); p; p = strtok(NULL, separators))
		if (nr_programs < MAX_PROGRAMS)
			programs[nr_programs++] = p;
}

static void read_list(void)
{
	int fd = open("/tests/list", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, list_text, sizeof(list_text) - 1);

	if (n < 0)
		say("# cannot read /tests/list: errno %d\n", errno);
	else
		add_programs(list_text, "\n");
	if (fd >= 0)
		close(fd);
}

static time_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Reaps strays as well: process 1 is the parent of every orphan. */
static bool wait_for(pid_t pid, int *status)
{
	time_t end = seconds_now() + PROGRAM_SECONDS;
	struct timespec pause = {0, 2000000};

	while (seconds_now() <= end) {
		int s;
		pid_t got = waitpid(-1, &s, WNOHANG);

		if (got == pid) {
			*status = s;
			return true;
		}
		if (got <= 0)
			nanosleep(&pause, NULL);
	}
	return false;
}

static void run_program(const char *name)
{
	char path[128];
	char *argv[] = {path, NULL}, *envp[] = {"HOME=/", NULL};
	int status = 0;

	snprintf(path, sizeof(path), "/tests/%s", name);
	say("# begin %s\n", name);
	pid_t pid = fork();

	if (pid == 0) {
		execve(path, argv, envp);
		say("# cannot run %s: errno %d\n", path, errno);
		_exit(127);
	}
	if (pid < 0)
		say("# end %s status=fork-errno:%d\n", name, errno);
	else if (!wait_for(pid, &status)) {
		kill(-1, SIGKILL); /* everyone but init: the program's children too */
		say("# end %s status=timeout\n", name);
	} else if (WIFSIGNALED(status))
		say("# end %s status=signal:%d\n", name, WTERMSIG(status));
	else
		say("# end %s status=exit:%d\n", name, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	char *wanted = getenv("TESTS");

	if (wanted)
		add_programs(wanted, ",");
	for (int i = 1; i < argc; i++)
		add_programs(argv[i], ",");
	if (!nr_programs)
		read_list();
	for (unsigned i = 0; i < nr_programs; i++)
		run_program(programs[i]);
	say("# all programs done\n");
	reboot(RB_POWER_OFF);
	say("# power-off failed: errno %d\n", errno);
	return 1;
}
