/* SPDX-License-Identifier: MIT */
/*
 * tty_edit.c - editing a line while it is typed, and its echo: what the program reads, and what the screen shows, byte by
 * byte.
 */
#include "terminal.h"

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

TEST_MAIN()
