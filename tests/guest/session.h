/* SPDX-License-Identifier: MIT */
/* session.h - for claims that play the shell: a session with a terminal, and jobs in groups of their own. */
#pragma once

#include "terminal.h"
#include "gate.h"

/* session_open - a new session, led by the caller, whose controlling terminal is a new one. */
static inline struct terminal session_open(void)
{
	struct terminal t = {.master = master_open(0)};

	ASSERT(setsid() == getpid());
	unlock(t.master);
	slave_name(t.master, t.name, sizeof(t.name));
	t.slave = open(t.name, O_RDWR);
	ASSERT(t.slave >= 0);
	return t;
}

static inline void ignore(int sig)
{
	ASSERT(signal(sig, SIG_IGN) != SIG_ERR);
}

static inline void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	ASSERT_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

/* job - a child in a process group of its own that runs fn and exits with what it returns. */
static inline pid_t job(int (*fn)(const struct terminal *), const struct terminal *t)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		setpgid(0, 0);
		_exit(fn(t));
	}
	setpgid(pid, pid);
	return pid;
}

static inline int status_of(pid_t pid, int options)
{
	int status = -1;

	ASSERT_EQ(waitpid(pid, &status, options), pid);
	return status;
}

static inline bool stopped_by(int status, int sig)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == sig;
}

static inline void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	status_of(pid, 0);
}

static inline int sleep_long(const struct terminal *t)
{
	(void)t;
	while (pause() < 0)
		;
	return 0;
}
