/* SPDX-License-Identifier: MIT */
/* proc.h - reading /proc: what the programs about it share. */
#pragma once

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ktap.h"

static char text[65536];

__attribute__((constructor(101))) static void mount_proc(void)
{
	mkdir("/proc", 0555);
	mkdir("/tmp", 0777);
	if (access("/proc/self", F_OK))
		mount("proc", "/proc", "proc", 0, NULL);
}

/* slurp - the whole of a file, terminated; its length, or -errno. */
static inline ssize_t slurp_into(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	n = n < 0 ? -errno : (ssize_t)len;
	buf[len] = 0;
	close(fd);
	return n;
}

static inline ssize_t slurp(const char *path)
{
	return slurp_into(path, text, sizeof(text));
}

/* line_of - the value behind "Name:" at the start of a line, NULL when there is none. */
static inline const char *line_of(const char *name)
{
	size_t n = strlen(name);

	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (!strncmp(s, name, n) && s[n] == ':')
			return s + n + 1;
	}
	return NULL;
}

static inline long number_of(const char *name)
{
	const char *s = line_of(name);

	return s ? strtol(s, NULL, 0) : -1;
}

static inline bool write_file(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, s, strlen(s)) == (ssize_t)strlen(s);

	if (fd >= 0)
		close(fd);
	return ok;
}
