/* SPDX-License-Identifier: MIT */
/*
 * tty.c - the line discipline: settings, lines and other ways to read, what is kept and what is counted. What is typed
 * and what is read is compared byte by byte. Editing is in tty_edit.c, output in tty_output.c.
 */
#include "terminal.h"

/* --- settings ----------------------------------------------------------------------------------- */

TEST(settings_begin_as_usual)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	EXPECT_EQ(s.c_iflag, ICRNL | IXON);
	EXPECT_EQ(s.c_oflag, OPOST | ONLCR);
	EXPECT_EQ(s.c_cflag, B38400 | CS8 | CREAD);
	EXPECT_EQ(s.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
	EXPECT_EQ(s.c_cc[VINTR], CTRL('C'));
	EXPECT_EQ(s.c_cc[VQUIT], 0x1c);
	EXPECT_EQ(s.c_cc[VERASE], 0x7f);
	EXPECT_EQ(s.c_cc[VKILL], CTRL('U'));
	EXPECT_EQ(s.c_cc[VEOF], CTRL('D'));
	EXPECT_EQ(s.c_cc[VSUSP], CTRL('Z'));
	EXPECT_EQ(s.c_cc[VMIN], 1);
	EXPECT_EQ(s.c_cc[VTIME], 0);
	EXPECT_EQ(s.c_cc[VEOL], 0);
}

TEST(master_has_the_slaves_settings)
{
	struct terminal t = terminal_open();

	change_local(t.master, ECHO, 0);
	EXPECT_EQ(settings(t.slave).c_lflag & ECHO, 0);
	change_local(t.slave, 0, ECHO);
	EXPECT_EQ(settings(t.master).c_lflag & ECHO, ECHO);
}

TEST(speeds_are_remembered)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	cfsetspeed(&s, B115200);
	set(t.slave, &s);
	s = settings(t.slave);
	EXPECT_EQ(cfgetospeed(&s), B115200);
	EXPECT_EQ(cfgetispeed(&s), B115200);
}

/* The kernel's struct termios2, which the C library hides. */
struct speeds {
	unsigned iflag, oflag, cflag, lflag;
	unsigned char line, cc[19];
	unsigned ispeed, ospeed;
};
#define GETS2 0x802c542a
#define SETS2 0x402c542b

TEST(any_speed_can_be_asked_for)
{
	struct terminal t = terminal_open();
	struct speeds s;

	ASSERT_EQ(ioctl(t.slave, GETS2, &s), 0);
	EXPECT_EQ(s.ospeed, 38400);
	EXPECT_EQ(s.ispeed, 38400);
	s.cflag = (s.cflag & ~0010017u) | 0010000;
	s.ospeed = s.ispeed = 12345;
	ASSERT_EQ(ioctl(t.slave, SETS2, &s), 0);
	memset(&s, 0, sizeof(s));
	ASSERT_EQ(ioctl(t.slave, GETS2, &s), 0);
	EXPECT_EQ(s.ospeed, 12345);
	EXPECT_EQ(s.ispeed, 12345);
}

TEST(eight_bits_whatever_is_asked_for)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	s.c_cflag = (s.c_cflag & ~(tcflag_t)(CSIZE | CREAD)) | CS5 | PARENB;
	tcsetattr(t.slave, TCSANOW, &s); /* the C library may look at what came of it */
	EXPECT_EQ(settings(t.slave).c_cflag & (CSIZE | PARENB | CREAD), CS8 | CREAD);
}

static void *volatile nowhere = (void *)8; /* volatile: the compiler is not to know */

TEST(bad_pointers_are_efault)
{
	struct terminal t = terminal_open();

	EXPECT_ERRNO(ioctl(t.slave, TCGETS, nowhere), EFAULT);
	EXPECT_ERRNO(ioctl(t.slave, TCSETS, nowhere), EFAULT);
	EXPECT_ERRNO(ioctl(t.slave, TIOCGWINSZ, nowhere), EFAULT);
	EXPECT_ERRNO(ioctl(t.slave, TIOCSWINSZ, nowhere), EFAULT);
	EXPECT_ERRNO(ioctl(t.slave, FIONREAD, nowhere), EFAULT);
	EXPECT_ERRNO(ioctl(t.master, TIOCGPTN, nowhere), EFAULT);
	type(&t, "x\n");
	ASSERT(becomes_ready(t.slave, POLLIN));
	EXPECT_ERRNO(read(t.slave, nowhere, 10), EFAULT);
	EXPECT_ERRNO(write(t.slave, nowhere, 10), EFAULT);
	EXPECT_ERRNO(write(t.master, nowhere, 10), EFAULT);
}

TEST(unknown_requests_are_enotty)
{
	struct terminal t = terminal_open();
	int n = 0;

	EXPECT_ERRNO(ioctl(t.slave, 0x1234, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(t.slave, TIOCGPTN, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(t.slave, 0x4b3b /* KDGETMODE */, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(t.slave, 0x5603 /* VT_GETSTATE */, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(t.slave, TCXONC, 7), EINVAL);
	EXPECT_ERRNO(ioctl(t.slave, TCFLSH, 7), EINVAL);
	n = -1;
	EXPECT_EQ(ioctl(t.slave, TIOCGETD, &n), 0);
	EXPECT_EQ(n, 0);
	n = 29;
	EXPECT_ERRNO(ioctl(t.slave, TIOCSETD, &n), EINVAL);
}

TEST(no_seeking_in_a_terminal)
{
	struct terminal t = terminal_open();
	char c;

	EXPECT_ERRNO(lseek(t.slave, 0, SEEK_CUR), ESPIPE);
	EXPECT_ERRNO(pread(t.slave, &c, 1, 0), ESPIPE);
	EXPECT_EQ(isatty(t.slave), 1);
	EXPECT_EQ(isatty(t.master), 1);
}

/* --- canonical reading -------------------------------------------------------------------------- */

TEST(a_read_gives_one_line)
{
	struct terminal t = terminal_open();

	type(&t, "one\ntwo\n");
	EXPECT_LINE(&t, "one\n");
	EXPECT_LINE(&t, "two\n");
}

TEST(a_line_is_read_in_pieces)
{
	struct terminal t = terminal_open();
	char buf[4];

	type(&t, "abcdef\nx\n");
	ASSERT_EQ(read(t.slave, buf, 3), 3);
	EXPECT(!memcmp(buf, "abc", 3));
	EXPECT_LINE(&t, "def\n");
	EXPECT_LINE(&t, "x\n");
}

TEST(a_read_of_nothing_is_nothing)
{
	struct terminal t = terminal_open();
	char c;

	EXPECT_EQ(read(t.slave, &c, 0), 0);
	EXPECT_EQ(write(t.slave, &c, 0), 0);
}

TEST(carriage_return_is_enter)
{
	struct terminal t = terminal_open();

	type(&t, "a\rb\r");
	EXPECT_LINE(&t, "a\n");
	EXPECT_LINE(&t, "b\n");
	EXPECT_SCREEN(&t, "a\r\nb\r\n");
}

TEST(carriage_return_can_be_ignored_or_kept)
{
	struct terminal t = terminal_open();

	change_input(t.slave, 0, IGNCR);
	type(&t, "a\rb\n");
	EXPECT_LINE(&t, "ab\n");
	change_input(t.slave, IGNCR | ICRNL, 0);
	type(&t, "c\rd\n");
	EXPECT_LINE(&t, "c\rd\n");
}

TEST(newline_can_become_carriage_return)
{
	struct terminal t = terminal_open();

	change_input(t.slave, ICRNL, INLCR);
	change_local(t.slave, ICANON | ECHO, 0);
	type(&t, "a\nb");
	char buf[4];
	ASSERT_EQ(read_up_to(t.slave, buf, 3), 3);
	EXPECT(!memcmp(buf, "a\rb", 3));
}

TEST(end_of_file_ends_a_read_not_the_line)
{
	struct terminal t = terminal_open();

	type(&t, "abc\004");
	EXPECT_LINE(&t, "abc");
	type(&t, "def\n");
	EXPECT_LINE(&t, "def\n");
	EXPECT_SCREEN(&t, "abcdef\r\n");
}

TEST(end_of_file_at_the_start_reads_as_zero)
{
	struct terminal t = terminal_open();

	type(&t, "\004\004x\n");
	EXPECT_LINE(&t, "");
	EXPECT_LINE(&t, "");
	EXPECT_LINE(&t, "x\n");
}

TEST(end_of_file_behind_a_full_buffer_is_not_another_read)
{
	struct terminal t = terminal_open();
	char buf[3];

	type(&t, "abc\004x\n");
	ASSERT(becomes_ready(t.slave, POLLIN));
	ASSERT_EQ(read(t.slave, buf, 3), 3);
	EXPECT_LINE(&t, "x\n");
}

TEST(other_characters_can_end_a_line)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	s.c_cc[VEOL] = ';';
	s.c_cc[VEOL2] = '!';
	set(t.slave, &s);
	type(&t, "a;b!c\n");
	EXPECT_LINE(&t, "a;");
	EXPECT_LINE(&t, "b!");
	EXPECT_LINE(&t, "c\n");
	EXPECT_SCREEN(&t, "a;b!c\r\n");
}

TEST(a_nul_byte_is_never_special)
{
	struct terminal t = terminal_open();

	type_bytes(&t, "a\0b\n", 4);
	EXPECT_LINE(&t, "a\0b\n");
	EXPECT_SCREEN(&t, "a^@b\r\n");
}

TEST(a_line_has_4095_characters_at_most)
{
	struct terminal t = terminal_open();
	char buf[6000];

	change_local(t.slave, ECHO, 0);
	memset(buf, 'x', 5000);
	buf[5000] = '\n';
	type_bytes(&t, buf, 5001);
	ASSERT_EQ(read(t.slave, buf, sizeof(buf)), 4096);
	EXPECT_EQ(buf[0], 'x');
	EXPECT_EQ(buf[4094], 'x');
	EXPECT_EQ(buf[4095], '\n');
	type(&t, "next\n");
	EXPECT_LINE(&t, "next\n");
}

TEST(a_line_that_is_too_long_can_still_be_edited)
{
	struct terminal t = terminal_open();
	char buf[6000];

	change_local(t.slave, ECHO, 0);
	memset(buf, 'x', 5000);
	type_bytes(&t, buf, 5000);
	type(&t, "\025short\n");
	EXPECT_LINE(&t, "short\n");
}

TEST(lines_wait_until_they_are_read)
{
	struct terminal t = terminal_open();
	char line[64];

	change_local(t.slave, ECHO, 0);
	for (int i = 0; i < 300; i++) {
		int n = snprintf(line, sizeof(line), "line %03d\n", i);

		type_bytes(&t, line, (size_t)n);
	}
	for (int i = 0; i < 300; i++) {
		char want[16];

		snprintf(want, sizeof(want), "line %03d\n", i);
		ASSERT_EQ(read(t.slave, line, sizeof(line)), 9);
		ASSERT(!memcmp(line, want, 9));
	}
}

/* --- other modes -------------------------------------------------------------------------------- */

TEST(raw_input_comes_as_it_is)
{
	struct terminal t = terminal_open();
	char buf[16];

	make_raw(t.slave, 1, 0);
	type(&t, "\003\r\177\004\021\n");
	ASSERT_EQ(read_up_to(t.slave, buf, 6), 6);
	EXPECT(!memcmp(buf, "\003\r\177\004\021\n", 6));
}

TEST(vmin_is_waited_for)
{
	struct terminal t = terminal_open();
	struct pollfd p = {t.slave, POLLIN, 0};
	char buf[16];

	make_raw(t.slave, 3, 0);
	type(&t, "ab");
	EXPECT_EQ(poll(&p, 1, 0), 0);
	type(&t, "c");
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 3);
	type(&t, "de");
	EXPECT_EQ(read(t.slave, buf, 2), 2); /* the buffer is full before VMIN is reached */
	EXPECT(!memcmp(buf, "de", 2));
}

TEST(vmin_0_vtime_0_does_not_wait)
{
	struct terminal t = terminal_open();
	char buf[16];

	make_raw(t.slave, 0, 0);
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 0);
	type(&t, "ab");
	ASSERT(becomes_ready(t.slave, POLLIN));
	EXPECT_EQ(read_up_to(t.slave, buf, 2), 2);
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 0);
}

TEST(vtime_without_vmin_limits_the_whole_read)
{
	struct terminal t = terminal_open();
	uint64_t start = ktap_now_ns();
	char buf[16];

	make_raw(t.slave, 0, 5);
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 0);
	EXPECT(ktap_now_ns() - start >= 200000000); /* half a second, in ticks that may come late */
	type(&t, "a");
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 1);
}

TEST(vtime_with_vmin_runs_between_bytes)
{
	struct terminal t = terminal_open();
	char buf[16];

	make_raw(t.slave, 5, 1);
	type(&t, "a");
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 1);
	EXPECT_EQ(buf[0], 'a');
	make_raw(t.slave, 2, 255);
	type(&t, "bc");
	EXPECT_EQ(read_up_to(t.slave, buf, 2), 2);
}

TEST(what_was_typed_raw_is_a_line_afterwards)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	make_raw(t.slave, 1, 0);
	type(&t, "ab\ncd");
	ASSERT(becomes_ready(t.slave, POLLIN));
	int n = 0;
	while (n < 5)
		ASSERT_EQ(ioctl(t.slave, FIONREAD, &n), 0);
	set(t.slave, &s);
	EXPECT_LINE(&t, "ab\ncd");
	type(&t, "ef\n");
	EXPECT_LINE(&t, "ef\n");
}

TEST(what_was_typed_of_a_line_is_readable_raw)
{
	struct terminal t = terminal_open();
	char buf[16];

	type(&t, "ab");
	EXPECT_SCREEN(&t, "ab");
	make_raw(t.slave, 1, 0);
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 2);
}

TEST(fionread_counts_what_can_be_read)
{
	struct terminal t = terminal_open();
	int n = -1;

	type(&t, "abc");
	EXPECT_SCREEN(&t, "abc");
	ASSERT_EQ(ioctl(t.slave, FIONREAD, &n), 0);
	EXPECT_EQ(n, 0);
	type(&t, "\nde\n");
	EXPECT_SCREEN(&t, "\r\nde\r\n");
	ASSERT_EQ(ioctl(t.slave, FIONREAD, &n), 0);
	EXPECT_EQ(n, 7);
	ASSERT_EQ(ioctl(t.slave, TIOCOUTQ, &n), 0);
	EXPECT_EQ(n, 0);
}

TEST(input_can_be_thrown_away)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	type(&t, "old\nol");
	EXPECT_SCREEN(&t, "old\r\nol");
	ASSERT_EQ(tcflush(t.slave, TCIFLUSH), 0);
	type(&t, "new\n");
	EXPECT_LINE(&t, "new\n");
	EXPECT_SCREEN(&t, "new\r\n");
	type(&t, "old\n");
	EXPECT_SCREEN(&t, "old\r\n");
	ASSERT_EQ(tcsetattr(t.slave, TCSAFLUSH, &s), 0);
	type(&t, "new\n");
	EXPECT_LINE(&t, "new\n");
}

TEST(nothing_to_read_is_eagain_when_asked_not_to_wait)
{
	struct terminal t = terminal_open();
	char c;

	ASSERT_EQ(fcntl(t.slave, F_SETFL, O_NONBLOCK), 0);
	ASSERT_EQ(fcntl(t.master, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(read(t.slave, &c, 1), EAGAIN);
	EXPECT_ERRNO(read(t.master, &c, 1), EAGAIN);
	type(&t, "half");
	EXPECT_SCREEN(&t, "half");
	EXPECT_ERRNO(read(t.slave, &c, 1), EAGAIN);
	type(&t, "\n");
	EXPECT_SCREEN(&t, "\r\n");
	EXPECT_EQ(read(t.slave, &c, 1), 1);
	make_raw(t.slave, 0, 0);
	tcflush(t.slave, TCIFLUSH);
	EXPECT_EQ(read(t.slave, &c, 1), 0); /* not EAGAIN: VMIN says so */
}

TEST_MAIN()
