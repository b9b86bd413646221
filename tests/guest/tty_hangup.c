/* SPDX-License-Identifier: MIT */
/*
 * tty_hangup.c - how a session and its terminal part: the leader exits, the master is closed, vhangup; and the system
 * console, which outlives all of that.
 */
#include "session.h"

/* --- the end ------------------------------------------------------------------------------------ */

/* lead - run fn as the leader of a session with a terminal, in a child; its master stays here. */
static pid_t lead(struct terminal *t, void (*fn)(const struct terminal *, struct gate *),
		  struct gate *g)
{
	*t = (struct terminal){.master = master_open(0)};
	unlock(t->master);
	slave_name(t->master, t->name, sizeof(t->name));
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		close(t->master);
		t->slave = open(t->name, O_RDWR);
		ASSERT(t->slave >= 0);
		fn(t, g);
		_exit(ktap_failed);
	}
	return pid;
}

static void leave_job_behind(const struct terminal *t, struct gate *g)
{
	pid_t pid = job(sleep_long, t);

	ASSERT_EQ(tcsetpgrp(t->slave, pid), 0);
	gate_send(g, (uint64_t)pid);
}

/* gone - a process that is nobody's child here has ended; init may take its time to reap it. */
static bool gone(pid_t pid)
{
	for (int i = 0; i < 5000; i++) {
		if (kill(pid, 0) < 0)
			return errno == ESRCH;
		ktap_sleep_ns(1000000);
	}
	return false;
}

TEST(the_foreground_is_hung_up_when_the_leader_exits)
{
	struct terminal t;
	struct gate g = gate_make();
	pid_t leader = lead(&t, leave_job_behind, &g);
	pid_t left = (pid_t)gate_receive(&g);

	EXPECT_EQ(status_of(leader, 0), 0);
	EXPECT(gone(left));
}

static void leave_member_behind(const struct terminal *t, struct gate *g)
{
	pid_t leader = getpid();

	ignore(SIGHUP);
	if (fork())
		return;
	while (getppid() == leader)
		ktap_sleep_ns(1000000);
	gate_send(g, open("/dev/tty", O_RDWR) < 0 ? (uint64_t)errno : 0);
	gate_send(g, write(t->slave, "x", 1) < 0 ? (uint64_t)errno : 0);
}

TEST(without_its_leader_a_session_has_no_terminal)
{
	struct terminal t;
	struct gate g = gate_make();
	pid_t leader = lead(&t, leave_member_behind, &g);

	EXPECT_EQ(status_of(leader, 0), 0);
	EXPECT_EQ(gate_receive(&g), ENXIO);
	EXPECT_EQ(gate_receive(&g), 0);
	EXPECT_SCREEN(&t, "x");
}

static void wait_for_hangup(const struct terminal *t, struct gate *g)
{
	char c;

	block(SIGHUP);
	block(SIGCONT);
	gate_send(g, 1);
	while (read(t->slave, &c, 1) > 0)
		;
	sigset_t set;
	int sig = 0;
	do
		sigpending(&set);
	while (!sigismember(&set, SIGHUP) || !sigismember(&set, SIGCONT));
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	gate_send(g, (uint64_t)sig);
}

TEST(the_leader_hears_of_the_masters_end)
{
	struct terminal t;
	struct gate g = gate_make();
	pid_t leader = lead(&t, wait_for_hangup, &g);

	gate_receive(&g);
	close(t.master);
	EXPECT_EQ(status_of(leader, 0), 0);
}

static void die_of_hangup(const struct terminal *t, struct gate *g)
{
	leave_job_behind(t, g);
	sleep_long(t);
}

TEST(the_masters_end_ends_the_whole_session)
{
	struct terminal t;
	struct gate g = gate_make();
	pid_t leader = lead(&t, die_of_hangup, &g);
	pid_t front = (pid_t)gate_receive(&g);

	close(t.master);
	int status = status_of(leader, 0);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	EXPECT(gone(front));
}

TEST(vhangup_makes_open_files_dead)
{
	struct terminal t = session_open();
	char c;

	ignore(SIGHUP);
	ASSERT_EQ(syscall(SYS_vhangup), 0);
	EXPECT_EQ(read(t.slave, &c, 1), 0);
	EXPECT_ERRNO(write(t.slave, "x", 1), EIO);
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

TEST(a_session_keeps_a_terminal_that_nobody_has_open)
{
	struct terminal t = session_open();

	close(t.slave);
	t.slave = open("/dev/tty", O_RDWR);
	ASSERT(t.slave >= 0);
	ASSERT_EQ(write(t.slave, "x", 1), 1);
	EXPECT_SCREEN(&t, "x");
}

/* --- the system console ------------------------------------------------------------------------- */

static int console_open(void)
{
	int fd = open("/dev/console", O_RDWR);

	ASSERT(fd >= 0);
	return fd;
}

TEST(opening_the_console_does_not_take_it)
{
	terminal_prepare();
	ASSERT(setsid() == getpid());
	int fd = console_open();
	EXPECT_EQ(isatty(fd), 1);
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	EXPECT_ERRNO(tcgetpgrp(fd), ENOTTY);
}

TEST(the_console_can_be_taken_and_outlives_that)
{
	terminal_prepare();
	int fd = console_open();
	pid_t pid = fork();
	if (pid == 0) {
		EXPECT(setsid() == getpid());
		EXPECT_EQ(ioctl(fd, TIOCSCTTY, 0), 0);
		EXPECT_EQ(tcgetpgrp(fd), getpid());
		int tty = open("/dev/tty", O_RDWR);
		EXPECT(tty >= 0);
		EXPECT_EQ(write(tty, "# written to /dev/tty\n", 22), 22);
		EXPECT_EQ(tcdrain(tty), 0);
		_exit(ktap_failed);
	}
	EXPECT_EQ(status_of(pid, 0), 0);
	EXPECT_EQ(write(fd, "# written to /dev/console\n", 26), 26);
	EXPECT_EQ(isatty(fd), 1);
}

/* The number of the session would never be given out again, if what is remembered of its first terminal kept it. */
TEST(a_leader_may_lose_one_terminal_and_take_another)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		struct terminal t, other;

		ignore(SIGHUP);
		t = session_open();
		close(t.master);
		other = (struct terminal){.master = master_open(0)};
		unlock(other.master);
		slave_name(other.master, other.name, sizeof(other.name));
		other.slave = open(other.name, O_RDWR);
		ASSERT(other.slave >= 0);
		EXPECT_EQ(tcgetsid(other.slave), getpid());
		_exit(ktap_failed);
	}
	EXPECT_EQ(status_of(pid, 0), 0);
}

TEST_MAIN()
