/* SPDX-License-Identifier: MIT */
/*
 * tty_jobs.c - whose terminal it is: sessions, controlling terminals, foreground and background, typed signals.
 * Each claim plays the shell in a session of its own.
 */
#include "session.h"

/* --- controlling terminals ---------------------------------------------------------------------- */

TEST(a_session_leader_gets_the_terminal_it_opens)
{
	struct terminal t = session_open();

	EXPECT_EQ(tcgetpgrp(t.slave), getpid());
	EXPECT_EQ(tcgetsid(t.slave), getpid());
	int fd = open("/dev/tty", O_RDWR);
	ASSERT(fd >= 0);
	ASSERT_EQ(write(fd, "hi", 2), 2);
	EXPECT_SCREEN(&t, "hi");
}

TEST(o_noctty_does_not_take_it)
{
	struct terminal t = terminal_open();

	ASSERT(setsid() == getpid());
	int fd = open(t.name, O_RDWR | O_NOCTTY);
	ASSERT(fd >= 0);
	EXPECT_ERRNO(tcgetpgrp(fd), ENOTTY);
	EXPECT_ERRNO(tcgetsid(fd), ENOTTY);
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

TEST(opening_for_writing_only_does_not_take_it)
{
	struct terminal t = terminal_open();

	ASSERT(setsid() == getpid());
	ASSERT(open(t.name, O_WRONLY) >= 0);
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

TEST(who_leads_no_session_does_not_take_it)
{
	struct terminal t = terminal_open();

	ASSERT(setsid() == getpid());
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(t.name, O_RDWR);

		EXPECT(fd >= 0);
		EXPECT_ERRNO(ioctl(fd, TIOCSCTTY, 0), EPERM);
		EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		_exit(ktap_failed);
	}
	EXPECT_EQ(status_of(pid, 0), 0);
}

TEST(tiocsctty_takes_it)
{
	struct terminal t = terminal_open();

	ASSERT(setsid() == getpid());
	EXPECT_ERRNO(ioctl(t.slave, TIOCNOTTY), ENOTTY);
	ASSERT_EQ(ioctl(t.slave, TIOCSCTTY, 0), 0);
	EXPECT_EQ(ioctl(t.slave, TIOCSCTTY, 0), 0); /* it has it already */
	EXPECT_EQ(tcgetpgrp(t.slave), getpid());
	struct terminal other = terminal_open();
	EXPECT_ERRNO(ioctl(other.slave, TIOCSCTTY, 0), EPERM); /* one is enough */
}

static int take_elsewhere(const struct terminal *t)
{
	setsid();
	EXPECT_ERRNO(ioctl(t->slave, TIOCSCTTY, 0), EPERM);
	EXPECT_ERRNO(tcgetpgrp(t->slave), ENOTTY);
	EXPECT_EQ(ioctl(t->slave, TIOCSCTTY, 1), 0);
	EXPECT_EQ(tcgetpgrp(t->slave), getpid());
	return ktap_failed;
}

TEST(a_terminal_is_of_one_session_unless_root_steals_it)
{
	struct terminal t = session_open();
	pid_t pid = fork();

	if (pid == 0)
		_exit(take_elsewhere(&t));
	EXPECT_EQ(status_of(pid, 0), 0);
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

TEST(a_new_session_has_no_terminal)
{
	struct terminal t = session_open();
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open("/dev/tty", O_RDWR);

		EXPECT(fd >= 0);
		EXPECT(setsid() == getpid());
		EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		EXPECT_ERRNO(tcgetpgrp(t.slave), ENOTTY);
		EXPECT_EQ(write(fd, "x", 1), 1); /* what is open stays usable */
		_exit(ktap_failed);
	}
	EXPECT_EQ(status_of(pid, 0), 0);
	EXPECT_SCREEN(&t, "x");
}

TEST(a_member_gives_it_up_for_itself)
{
	struct terminal t = session_open();
	pid_t pid = fork();

	if (pid == 0) {
		EXPECT_EQ(ioctl(t.slave, TIOCNOTTY), 0);
		EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		EXPECT_ERRNO(ioctl(t.slave, TIOCNOTTY), ENOTTY);
		pid_t child = fork();
		if (child == 0) {
			EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
			_exit(ktap_failed);
		}
		EXPECT_EQ(status_of(child, 0), 0);
		_exit(ktap_failed);
	}
	EXPECT_EQ(status_of(pid, 0), 0);
	EXPECT(open("/dev/tty", O_RDWR) >= 0);
}

static volatile sig_atomic_t hups, conts, ints;

static void count(int sig)
{
	hups += sig == SIGHUP;
	conts += sig == SIGCONT;
	ints += sig == SIGINT;
}

TEST(the_leader_gives_it_up_for_all)
{
	struct terminal t = session_open();

	signal(SIGHUP, count);
	signal(SIGCONT, count);
	ASSERT_EQ(ioctl(t.slave, TIOCNOTTY), 0);
	EXPECT_EQ(hups, 1);
	EXPECT_EQ(conts, 1);
	EXPECT_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
	EXPECT_EQ(ioctl(t.slave, TIOCSCTTY, 0), 0);
}

TEST(the_master_may_ask_who_is_in_the_foreground)
{
	struct terminal t = session_open();

	EXPECT_EQ(tcgetpgrp(t.master), getpid());
	EXPECT_EQ(tcgetsid(t.master), getpid());
	struct terminal free = terminal_open();
	EXPECT_EQ(tcgetpgrp(free.master), 0);
	EXPECT_ERRNO(tcgetsid(free.master), ENOTTY);
}

TEST(only_groups_of_the_session_come_to_the_foreground)
{
	struct terminal t = session_open();
	pid_t pid = job(sleep_long, &t), nobody = 32000;

	EXPECT_EQ(tcsetpgrp(t.slave, pid), 0);
	EXPECT_EQ(tcgetpgrp(t.slave), pid);
	ignore(SIGTTOU);
	EXPECT_EQ(tcsetpgrp(t.slave, getpgrp()), 0);
	EXPECT_ERRNO(tcsetpgrp(t.slave, nobody), ESRCH);
	EXPECT_ERRNO(tcsetpgrp(t.slave, -1), EINVAL);
	EXPECT_ERRNO(tcsetpgrp(t.slave, 1), EPERM);
	struct terminal other = terminal_open();
	EXPECT_ERRNO(tcsetpgrp(other.slave, getpgrp()), ENOTTY);
	finish(pid);
}

/* --- typed signals ------------------------------------------------------------------------------ */

static void expect_typed(const char *key, int sig)
{
	struct terminal t = session_open();
	pid_t front = job(sleep_long, &t), back = job(sleep_long, &t);
	int status;

	ASSERT_EQ(tcsetpgrp(t.slave, front), 0);
	type(&t, key);
	status = status_of(front, WUNTRACED);
	if (sig == SIGTSTP)
		EXPECT(stopped_by(status, sig));
	else
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == sig);
	EXPECT_EQ(kill(back, 0), 0);
	EXPECT_EQ(waitpid(back, &status, WNOHANG | WUNTRACED), 0);
	finish(back);
	if (sig == SIGTSTP)
		finish(front);
}

TEST(interrupt_kills_the_foreground)
{
	expect_typed("\003", SIGINT);
}

TEST(quit_kills_the_foreground)
{
	expect_typed("\034", SIGQUIT);
}

TEST(suspend_stops_the_foreground)
{
	expect_typed("\032", SIGTSTP);
}

TEST(without_isig_they_are_characters)
{
	struct terminal t = session_open();

	change_local(t.slave, ISIG, 0);
	type(&t, "\003\032\n");
	EXPECT_LINE(&t, "\003\032\n");
}

TEST(interrupt_throws_away_what_was_typed)
{
	struct terminal t = session_open();

	signal(SIGINT, count);
	type(&t, "old\nol");
	EXPECT_SCREEN(&t, "old\r\nol");
	type(&t, "\003new\n");
	while (!ints)
		ktap_sleep_ns(1000000);
	char buf[64];
	ssize_t n;
	do
		n = read(t.slave, buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	EXPECT_EQ(n, 4);
	EXPECT(!memcmp(buf, "new\n", 4));
	EXPECT_SCREEN(&t, "^Cnew\r\n");
}

TEST(with_noflsh_it_is_kept)
{
	struct terminal t = session_open();

	signal(SIGINT, count);
	change_local(t.slave, 0, NOFLSH);
	type(&t, "o\003ld\n");
	while (!ints)
		ktap_sleep_ns(1000000);
	EXPECT_LINE(&t, "old\n");
}

TEST(a_signal_ends_a_read_with_eintr)
{
	struct terminal t = session_open();
	struct sigaction a = {.sa_handler = count};
	char c;

	ASSERT_EQ(sigaction(SIGINT, &a, NULL), 0);
	pid_t pid = fork();
	if (pid == 0) {
		ktap_sleep_ns(50000000);
		type(&t, "\003");
		_exit(0);
	}
	while (!ints)
		EXPECT_ERRNO(read(t.slave, &c, 1), EINTR);
	EXPECT_EQ(ints, 1);
	status_of(pid, 0);
}

TEST(sa_restart_goes_on_reading)
{
	struct terminal t = session_open();
	struct sigaction a = {.sa_handler = count, .sa_flags = SA_RESTART};

	ASSERT_EQ(sigaction(SIGINT, &a, NULL), 0);
	pid_t pid = fork();
	if (pid == 0) {
		ktap_sleep_ns(50000000);
		type(&t, "\003");
		while (!ints)
			ktap_sleep_ns(1000000);
		type(&t, "line\n");
		_exit(0);
	}
	EXPECT_LINE(&t, "line\n");
	EXPECT_EQ(ints, 1);
	status_of(pid, 0);
}

TEST(a_new_size_is_told_to_the_foreground)
{
	struct terminal t = session_open();
	struct winsize w = {.ws_row = 25, .ws_col = 80};

	signal(SIGWINCH, count);
	signal(SIGCONT, count);
	block(SIGWINCH);
	ASSERT_EQ(ioctl(t.master, TIOCSWINSZ, &w), 0);
	sigset_t set;
	ASSERT_EQ(sigpending(&set), 0);
	EXPECT_EQ(sigismember(&set, SIGWINCH), 1);
}

TEST(the_same_size_is_not_told)
{
	struct terminal t = session_open();
	struct winsize w = {0};

	signal(SIGWINCH, count);
	block(SIGWINCH);
	ASSERT_EQ(ioctl(t.master, TIOCSWINSZ, &w), 0);
	sigset_t set;
	ASSERT_EQ(sigpending(&set), 0);
	EXPECT_EQ(sigismember(&set, SIGWINCH), 0);
}

TEST(the_master_sends_signals)
{
	struct terminal t = session_open();
	pid_t pid = job(sleep_long, &t);

	ASSERT_EQ(tcsetpgrp(t.slave, pid), 0);
	EXPECT_ERRNO(ioctl(t.master, 0x40045436 /* TIOCSIG */, SIGUSR1), EINVAL);
	ASSERT_EQ(ioctl(t.master, 0x40045436, SIGQUIT), 0);
	int status = status_of(pid, 0);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
}

/* --- the background ----------------------------------------------------------------------------- */

static int read_one(const struct terminal *t)
{
	char buf[64];

	return read(t->slave, buf, sizeof(buf)) == 2 ? 0 : errno;
}

TEST(reading_in_the_background_stops)
{
	struct terminal t = session_open();
	pid_t pid = job(read_one, &t);

	EXPECT(stopped_by(status_of(pid, WUNTRACED), SIGTTIN));
	ASSERT_EQ(tcsetpgrp(t.slave, pid), 0);
	kill(-pid, SIGCONT);
	type(&t, "x\n");
	EXPECT_EQ(status_of(pid, 0), 0);
}

static int read_ignoring(const struct terminal *t)
{
	ignore(SIGTTIN);
	return read_one(t);
}

static int read_blocking(const struct terminal *t)
{
	block(SIGTTIN);
	return read_one(t);
}

TEST(who_ignores_or_blocks_sigttin_gets_eio)
{
	struct terminal t = session_open();

	EXPECT_EQ(WEXITSTATUS(status_of(job(read_ignoring, &t), 0)), EIO);
	EXPECT_EQ(WEXITSTATUS(status_of(job(read_blocking, &t), 0)), EIO);
}

TEST(orphans_in_the_background_get_eio)
{
	struct terminal t = session_open();
	struct gate g = gate_make();
	pid_t middle = fork();

	if (middle == 0) {
		setpgid(0, 0);
		if (fork() == 0) {
			while (getppid() == middle || getppid() == getpgrp())
				ktap_sleep_ns(1000000);
			gate_send(&g, (uint64_t)read_one(&t));
			_exit(0);
		}
		_exit(0);
	}
	status_of(middle, 0);
	EXPECT_EQ(gate_receive(&g), EIO);
}

static int write_one(const struct terminal *t)
{
	return write(t->slave, "x", 1) == 1 ? 0 : errno;
}

static int write_ignoring(const struct terminal *t)
{
	ignore(SIGTTOU);
	return write_one(t);
}

TEST(writing_in_the_background_is_allowed_without_tostop)
{
	struct terminal t = session_open();

	EXPECT_EQ(status_of(job(write_one, &t), WUNTRACED), 0);
	EXPECT_SCREEN(&t, "x");
}

TEST(with_tostop_writing_in_the_background_stops)
{
	struct terminal t = session_open();

	change_local(t.slave, 0, TOSTOP);
	pid_t pid = job(write_one, &t);
	EXPECT(stopped_by(status_of(pid, WUNTRACED), SIGTTOU));
	ASSERT_EQ(tcsetpgrp(t.slave, pid), 0);
	kill(-pid, SIGCONT);
	EXPECT_EQ(status_of(pid, 0), 0);
	EXPECT_SCREEN(&t, "x");
}

TEST(who_ignores_sigttou_writes_all_the_same)
{
	struct terminal t = session_open();

	change_local(t.slave, 0, TOSTOP);
	EXPECT_EQ(status_of(job(write_ignoring, &t), WUNTRACED), 0);
	EXPECT_SCREEN(&t, "x");
}

static int change_settings(const struct terminal *t)
{
	struct termios s = settings(t->slave);

	return tcsetattr(t->slave, TCSANOW, &s) ? errno : 0;
}

static int change_settings_blocking(const struct terminal *t)
{
	block(SIGTTOU);
	return change_settings(t);
}

static int take_foreground(const struct terminal *t)
{
	return tcsetpgrp(t->slave, getpgrp()) ? errno : 0;
}

TEST(settings_cannot_be_changed_from_the_background)
{
	struct terminal t = session_open();
	pid_t pid = job(change_settings, &t);

	EXPECT(stopped_by(status_of(pid, WUNTRACED), SIGTTOU));
	finish(pid);
	pid = job(take_foreground, &t);
	EXPECT(stopped_by(status_of(pid, WUNTRACED), SIGTTOU));
	finish(pid);
	EXPECT_EQ(status_of(job(change_settings_blocking, &t), WUNTRACED), 0);
}

TEST(looking_at_settings_is_allowed_in_the_background)
{
	struct terminal t = session_open();
	pid_t pid = fork();

	if (pid == 0) {
		struct winsize w;

		setpgid(0, 0);
		settings(t.slave);
		EXPECT_EQ(ioctl(t.slave, TIOCGWINSZ, &w), 0);
		EXPECT_EQ(tcgetpgrp(t.slave), getppid());
		_exit(ktap_failed);
	}
	setpgid(pid, pid);
	EXPECT_EQ(status_of(pid, WUNTRACED), 0);
}

TEST_MAIN()
