/* SPDX-License-Identifier: MIT */
/*
 * init.c - process 1 for Linux's own tests: mounts what they expect to find, then runs the rows of the file /rows.
 *
 * A line there is "NAME SECONDS DIRECTORY PROGRAM [ARGUMENT..]", without quoting. Each row runs in its
 * directory, as root, between the lines "# begin NAME" and "# end NAME status=exit:0", and leaves no process behind.
 * ROWS=name,name in the environment chooses some. tests/kselftest/run reads what is printed. The same file is
 * process 1 on Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 16

static const struct {
	const char *type, *where;
} mounts[] = {
	{"proc", "/proc"}, {"sysfs", "/sys"},     {"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"}, {"tmpfs", "/dev/shm"}, {"devpts", "/dev/pts"},
};

struct row {
	char *name;
	unsigned seconds;
	char *directory;
	char *argv[MAX_ARGS + 1];
};

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

/* What cannot be mounted is told; the rows that need it will fail. */
static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL))
			say("# cannot mount %s: errno %d\n", mounts[i].where, errno);
	}
}

/* False if the line holds no row. */
static bool row_parse(char *line, struct row *row)
{
	unsigned n = 0;

	row->name = strtok(line, " \n");
	char *seconds = strtok(NULL, " \n");
	row->directory = strtok(NULL, " \n");
	row->seconds = seconds ? (unsigned)atoi(seconds) : 0;
	for (char *word; n < MAX_ARGS && (word = strtok(NULL, " \n"));)
		row->argv[n++] = word;
	row->argv[n] = NULL;
	return n > 0;
}

static time_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static bool wait_for(pid_t pid, unsigned seconds, int *status)
{
	time_t end = seconds_now() + seconds;
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

/* Everyone but process 1 ends. */
static void kill_rest(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static void row_run(struct row *row)
{
	char *envp[] = {"HOME=/", "PATH=/bin", NULL};
	int status = 0;

	say("# begin %s\n", row->name);
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		if (!chdir(row->directory))
			execve(row->argv[0], row->argv, envp);
		say("# cannot run %s in %s: errno %d\n", row->argv[0], row->directory, errno);
		_exit(127);
	}
	bool ended = pid > 0 && wait_for(pid, row->seconds, &status);

	kill_rest();
	if (!ended)
		say("# end %s status=%s\n", row->name, pid > 0 ? "timeout" : "fork");
	else if (WIFSIGNALED(status))
		say("# end %s status=signal:%d\n", row->name, WTERMSIG(status));
	else
		say("# end %s status=exit:%d\n", row->name, WEXITSTATUS(status));
}

static bool wanted(const char *name)
{
	const char *list = getenv("ROWS");
	size_t length = strlen(name);

	if (!list)
		return true;
	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, name, length) && (p[length] == ',' || !p[length]))
			return true;
	}
	return false;
}

int main(void)
{
	char line[1024];
	struct row row;

	mount_all();
	FILE *f = fopen("/rows", "r");

	while (f && fgets(line, sizeof(line), f))
		if (row_parse(line, &row) && wanted(row.name))
			row_run(&row);
	say("# all rows done\n");
	reboot(RB_POWER_OFF);
	return 1;
}
