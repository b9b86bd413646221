/* SPDX-License-Identifier: MIT */
/*
 * tty.c - the line discipline: editing, echo, special characters, output processing, modes. What comes in and
 * what goes out is compared byte by byte.
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

/* --- editing and echo --------------------------------------------------------------------------- */

TEST(echo_shows_control_characters_with_a_caret)
{
	struct terminal t = terminal_open();

	type(&t, "a\001\tb\033\n");
	EXPECT_LINE(&t, "a\001\tb\033\n");
	EXPECT_SCREEN(&t, "a^A\tb^[\r\n");
}

TEST(without_echoctl_control_characters_are_themselves)
{
	struct terminal t = terminal_open();

	change_local(t.slave, ECHOCTL, 0);
	type(&t, "a\001b\n");
	EXPECT_SCREEN(&t, "a\001b\r\n");
}

TEST(without_echo_nothing_is_shown)
{
	struct terminal t = terminal_open();

	change_local(t.slave, ECHO, 0);
	type(&t, "secret\n");
	EXPECT_LINE(&t, "secret\n");
	change_local(t.slave, 0, ECHONL);
	type(&t, "secret\n");
	EXPECT_LINE(&t, "secret\n");
	ASSERT_EQ(write(t.slave, "!", 1), 1);
	EXPECT_SCREEN(&t, "\r\n!");
}

TEST(erase_removes_a_character)
{
	struct terminal t = terminal_open();

	type(&t, "abc\177\177d\n");
	EXPECT_LINE(&t, "ad\n");
	EXPECT_SCREEN(&t, "abc\b \b\b \bd\r\n");
}

TEST(erase_stops_at_the_start_of_the_line)
{
	struct terminal t = terminal_open();

	type(&t, "x\ny\177\177\177z\n");
	EXPECT_LINE(&t, "x\n");
	EXPECT_LINE(&t, "z\n");
	EXPECT_SCREEN(&t, "x\r\ny\b \bz\r\n");
}

TEST(erase_of_a_caret_pair_takes_two_columns)
{
	struct terminal t = terminal_open();

	type(&t, "a\001\177b\n");
	EXPECT_LINE(&t, "ab\n");
	EXPECT_SCREEN(&t, "a^A\b \b\b \bb\r\n");
}

TEST(erase_of_a_tab_goes_back_to_where_it_began)
{
	struct terminal t = terminal_open();

	type(&t, "ab\t\177c\t\td\177\177\177\n");
	EXPECT_LINE(&t, "abc\n");
	EXPECT_SCREEN(&t, "ab\t\b\b\b\b\b\bc\t\td\b \b\b\b\b\b\b\b\b\b\b\b\b\b\b\r\n");
}

TEST(erase_of_a_tab_knows_of_the_prompt)
{
	struct terminal t = terminal_open();

	ASSERT_EQ(write(t.slave, "$ ", 2), 2);
	type(&t, "a\t\177b\n");
	EXPECT_LINE(&t, "ab\n");
	EXPECT_SCREEN(&t, "$ a\t\b\b\b\b\bb\r\n");
}

TEST(erase_knows_utf8)
{
	struct terminal t = terminal_open();

	change_input(t.slave, 0, IUTF8);
	type(&t, "a\303\244\342\202\254\177\177b\n");
	EXPECT_LINE(&t, "ab\n");
	EXPECT_SCREEN(&t, "a\303\244\342\202\254\b \b\b \bb\r\n");
}

TEST(erase_without_iutf8_is_bytewise)
{
	struct terminal t = terminal_open();

	change_input(t.slave, IUTF8, 0);
	type(&t, "\303\244\177b\n");
	EXPECT_LINE(&t, "\303b\n");
}

TEST(word_erase_takes_a_word_and_what_follows_it)
{
	struct terminal t = terminal_open();

	type(&t, "one two_2; \027x\n");
	EXPECT_LINE(&t, "one x\n");
	EXPECT_SCREEN(&t, "one two_2; "
			  "\b \b\b \b\b \b\b \b\b \b\b \b\b \bx\r\n");
}

TEST(kill_takes_the_line)
{
	struct terminal t = terminal_open();

	type(&t, "abc\025z\n");
	EXPECT_LINE(&t, "z\n");
	EXPECT_SCREEN(&t, "abc\b \b\b \b\b \bz\r\n");
	change_local(t.slave, ECHOKE, 0);
	type(&t, "abc\025z\n");
	EXPECT_LINE(&t, "z\n");
	EXPECT_SCREEN(&t, "abc^U\r\nz\r\n");
}

TEST(without_echoe_erase_shows_itself)
{
	struct terminal t = terminal_open();

	change_local(t.slave, ECHOE, 0);
	type(&t, "ab\177c\n");
	EXPECT_LINE(&t, "ac\n");
	EXPECT_SCREEN(&t, "ab^?c\r\n");
}

TEST(a_printing_terminal_sees_what_is_erased)
{
	struct terminal t = terminal_open();

	change_local(t.slave, 0, ECHOPRT);
	type(&t, "abc\177\177x\n");
	EXPECT_LINE(&t, "ax\n");
	EXPECT_SCREEN(&t, "abc\\cb/x\r\n");
}

TEST(the_next_character_can_be_quoted)
{
	struct terminal t = terminal_open();

	type(&t, "\026\003\026\177\026\004\n");
	EXPECT_LINE(&t, "\003\177\004\n");
	EXPECT_SCREEN(&t, "^\b^C^\b^?^\b^D\r\n");
}

TEST(a_quoted_newline_does_not_end_the_line)
{
	struct terminal t = terminal_open();

	type(&t, "a\026\nb\n");
	EXPECT_LINE(&t, "a\nb\n");
}

TEST(the_line_can_be_shown_again)
{
	struct terminal t = terminal_open();

	type(&t, "ab\001\022c\n");
	EXPECT_LINE(&t, "ab\001c\n");
	EXPECT_SCREEN(&t, "ab^A^R\r\nab^Ac\r\n");
}

TEST(without_iexten_there_is_no_quoting_and_no_word_erase)
{
	struct terminal t = terminal_open();

	change_local(t.slave, IEXTEN, 0);
	type(&t, "a\026b\027c\022d\n");
	EXPECT_LINE(&t, "a\026b\027c\022d\n");
}

TEST(special_characters_can_be_changed_and_switched_off)
{
	struct terminal t = terminal_open();
	struct termios s = settings(t.slave);

	s.c_cc[VERASE] = '#';
	s.c_cc[VKILL] = 0;
	set(t.slave, &s);
	type(&t, "ab#c\025\n");
	EXPECT_LINE(&t, "ac\025\n");
}

TEST(upper_case_can_be_made_lower)
{
	struct terminal t = terminal_open();

	change_input(t.slave, 0, IUCLC);
	type(&t, "ABc\n");
	EXPECT_LINE(&t, "abc\n");
}

TEST(the_eighth_bit_can_be_taken_off)
{
	struct terminal t = terminal_open();

	change_input(t.slave, 0, ISTRIP);
	type(&t, "\341b\n");
	EXPECT_LINE(&t, "ab\n");
}

TEST(marking_doubles_the_byte_that_marks)
{
	struct terminal t = terminal_open();

	change_input(t.slave, 0, PARMRK);
	type(&t, "a\377b\n");
	EXPECT_LINE(&t, "a\377\377b\n");
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

	make_raw(t.slave, 0, 2);
	EXPECT_EQ(read(t.slave, buf, sizeof(buf)), 0);
	EXPECT(ktap_now_ns() - start >= 180000000);
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

/* --- output ------------------------------------------------------------------------------------- */

static void put(const struct terminal *t, const char *text)
{
	ASSERT_EQ(write(t->slave, text, strlen(text)), strlen(text));
}

TEST(newline_goes_to_the_start_of_the_next_line)
{
	struct terminal t = terminal_open();

	put(&t, "a\nb\n");
	EXPECT_SCREEN(&t, "a\r\nb\r\n");
	change_output(t.slave, ONLCR, 0);
	put(&t, "a\nb\n");
	EXPECT_SCREEN(&t, "a\nb\n");
	change_output(t.slave, OPOST, ONLCR);
	put(&t, "a\nb\n");
	EXPECT_SCREEN(&t, "a\nb\n");
}

TEST(carriage_return_can_become_newline)
{
	struct terminal t = terminal_open();

	change_output(t.slave, ONLCR, OCRNL);
	put(&t, "a\rb");
	EXPECT_SCREEN(&t, "a\nb");
}

TEST(carriage_return_at_the_left_edge_can_be_left_out)
{
	struct terminal t = terminal_open();

	change_output(t.slave, ONLCR, ONOCR);
	put(&t, "\ra\r\rb");
	EXPECT_SCREEN(&t, "a\rb");
}

TEST(tabs_become_spaces_up_to_the_next_column_of_eight)
{
	struct terminal t = terminal_open();

	change_output(t.slave, TABDLY, TAB3);
	put(&t, "\tab\tc\b\t\n\t.");
	EXPECT_SCREEN(&t, "        ab      c\b        \r\n        .");
}

TEST(lower_case_can_be_made_upper)
{
	struct terminal t = terminal_open();

	change_output(t.slave, 0, OLCUC);
	put(&t, "aB1\n");
	EXPECT_SCREEN(&t, "AB1\r\n");
}

TEST(output_waits_for_its_reader)
{
	struct terminal t = terminal_open();
	char buf[4096];
	size_t total = 0, got = 0;

	ASSERT_EQ(fcntl(t.slave, F_SETFL, O_NONBLOCK), 0);
	memset(buf, 'x', sizeof(buf));
	for (ssize_t n; (n = write(t.slave, buf, sizeof(buf))) > 0;)
		total += (size_t)n;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT(total >= 4096);
	while (got < total) {
		size_t n = read_up_to(t.master, buf, total - got < 4096 ? total - got : 4096);

		ASSERT(n > 0);
		got += n;
	}
	ASSERT(becomes_ready(t.slave, POLLOUT));
	EXPECT_EQ(write(t.slave, "y", 1), 1);
	EXPECT_SCREEN(&t, "y");
}

/* --- flow control ------------------------------------------------------------------------------- */

/* settle - whatever was typed before has been dealt with. */
static void settle(const struct terminal *t)
{
	type(t, "#\n");
	char buf[64];
	ssize_t n = read(t->slave, buf, sizeof(buf));

	ASSERT(n >= 2 && buf[n - 2] == '#');
}

TEST(stop_holds_output_and_echo_until_start)
{
	struct terminal t = terminal_open();

	type(&t, "\023");
	settle(&t);
	ASSERT_EQ(fcntl(t.slave, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(write(t.slave, "x", 1), EAGAIN);
	type(&t, "\021");
	ASSERT(becomes_ready(t.slave, POLLOUT));
	EXPECT_SCREEN(&t, "#\r\n");
	EXPECT_EQ(write(t.slave, "x", 1), 1);
	EXPECT_SCREEN(&t, "x");
}

TEST(any_character_can_start_again)
{
	struct terminal t = terminal_open();

	change_input(t.slave, 0, IXANY);
	type(&t, "\023a\n");
	EXPECT_LINE(&t, "a\n");
	EXPECT_SCREEN(&t, "a\r\n");
}

TEST(without_ixon_stop_is_a_character)
{
	struct terminal t = terminal_open();

	change_input(t.slave, IXON, 0);
	type(&t, "\023\021\n");
	EXPECT_LINE(&t, "\023\021\n");
	EXPECT_SCREEN(&t, "^S^Q\r\n");
}

TEST(ixon_switched_off_starts_what_was_stopped)
{
	struct terminal t = terminal_open();

	type(&t, "\023");
	settle(&t);
	change_input(t.slave, IXON, 0);
	EXPECT_SCREEN(&t, "#\r\n");
}

TEST(programs_stop_and_start_output)
{
	struct terminal t = terminal_open();

	ASSERT_EQ(tcflow(t.slave, TCOOFF), 0);
	ASSERT_EQ(fcntl(t.slave, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(write(t.slave, "x", 1), EAGAIN);
	type(&t, "\021");
	ASSERT_EQ(fcntl(t.slave, F_SETFL, 0), 0);
	settle(&t);
	ASSERT_EQ(fcntl(t.slave, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(write(t.slave, "x", 1), EAGAIN); /* what was typed does not start it */
	ASSERT_EQ(tcflow(t.slave, TCOON), 0);
	EXPECT_EQ(write(t.slave, "x", 1), 1);
	EXPECT_SCREEN(&t, "#\r\nx");
}

TEST(programs_tell_the_other_side_to_stop)
{
	struct terminal t = terminal_open();

	ASSERT_EQ(tcflow(t.slave, TCIOFF), 0);
	ASSERT_EQ(tcflow(t.slave, TCION), 0);
	EXPECT_SCREEN(&t, "\023\021");
}

TEST(draining_ends)
{
	struct terminal t = terminal_open();

	put(&t, "abc");
	EXPECT_EQ(tcdrain(t.slave), 0);
	EXPECT_EQ(tcsendbreak(t.slave, 0), 0);
	EXPECT_SCREEN(&t, "abc");
}

TEST(a_byte_can_be_typed_by_program)
{
	struct terminal t = terminal_open();

	for (const char *c = "hi\n"; *c; c++)
		ASSERT_EQ(ioctl(t.slave, TIOCSTI, c), 0);
	EXPECT_LINE(&t, "hi\n");
	EXPECT_SCREEN(&t, "hi\r\n");
}

TEST_MAIN()
