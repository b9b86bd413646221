/* SPDX-License-Identifier: MIT */
/* tty_output.c - what programs write, on its way to the screen; flow control in both directions. */
#include "terminal.h"

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
