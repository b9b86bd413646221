/* SPDX-License-Identifier: MIT */
/* test_screen.c - the language of the console's screen, the keys of its keyboard, and what is drawn. */
#include "harness.h"

#include "boot/boot_info.h"
#include "boot/early.h"
#include "drivers/fbcon.h"
#include "drivers/font.h"
#include "drivers/keyboard.h"
#include "drivers/screen.h"
#include "kernel/printk.h"
#include "mm/init.h"
#include <uapi/termios.h>

static struct screen screen;

static void print(const char *text)
{
	screen_write(&screen, (const u8 *)text, strlen(text));
}

static void begin(u32 columns, u32 rows)
{
	memset(&screen, 0x55, sizeof(screen));
	screen_init(&screen, columns, rows);
}

/* row - its characters without blanks at the end. */
static const char *row(u32 y)
{
	static char text[SCREEN_MAX_CELLS + 1];
	u32 n = screen.columns;

	for (u32 x = 0; x < n; x++)
		text[x] = (char)screen.cells[y * n + x];
	while (n && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return text;
}

static u32 colours_at(u32 x, u32 y)
{
	return screen.cells[y * screen.columns + x] >> 8;
}

#define EXPECT_CURSOR(cx, cy)               \
	do {                                \
		EXPECT_EQ(screen.at.x, cx); \
		EXPECT_EQ(screen.at.y, cy); \
	} while (0)

/* --- text -------------------------------------------------------------------------------------------- */

TEST(text_wraps_when_more_comes)
{
	begin(4, 3);
	print("abcd");
	EXPECT_CURSOR(3, 0);
	print("e");
	EXPECT_STREQ(row(0), "abcd");
	EXPECT_STREQ(row(1), "e");
	EXPECT_CURSOR(1, 1);
}

TEST(a_full_row_and_a_newline_make_one_line)
{
	begin(4, 3);
	print("abcd\r\nx");
	EXPECT_STREQ(row(1), "x");
}

TEST(last_row_scrolls)
{
	begin(8, 2);
	print("one\r\ntwo\r\nthree");
	EXPECT_STREQ(row(0), "two");
	EXPECT_STREQ(row(1), "three");
}

TEST(controls_move)
{
	begin(20, 3);
	print("ab\bC\tD\rE");
	EXPECT_STREQ(row(0), "EC      D");
	print("\033[1;99HX\033[99;1HY");
	EXPECT_CURSOR(1, 2);
	EXPECT_EQ((char)screen.cells[19], 'X');
}

TEST(characters_beyond_ascii_are_one_cell)
{
	begin(8, 2);
	print("a\303\244\342\202\254b\360\237\230\200\377");
	EXPECT_STREQ(row(0), "a\177\177b\177\177");
}

/* --- sequences --------------------------------------------------------------------------------------- */

TEST(positions_start_at_one_and_0_means_1)
{
	begin(10, 5);
	print("\033[3;4H");
	EXPECT_CURSOR(3, 2);
	print("\033[H");
	EXPECT_CURSOR(0, 0);
	print("\033[2B\033[C\033[0C");
	EXPECT_CURSOR(2, 2);
	print("\033[99A\033[99D");
	EXPECT_CURSOR(0, 0);
	print("\033[4G\033[5d");
	EXPECT_CURSOR(3, 4);
}

TEST(erasing)
{
	begin(6, 3);
	print("aaaaaa\r\nbbbbbb\r\ncccccc\033[2;3H\033[K");
	EXPECT_STREQ(row(1), "bb");
	print("\033[1K");
	EXPECT_STREQ(row(1), "");
	print("\033[J");
	EXPECT_STREQ(row(0), "aaaaaa");
	EXPECT_STREQ(row(2), "");
	print("\033[2J");
	EXPECT_STREQ(row(0), "");
}

TEST(erased_cells_have_the_paper_of_the_pen)
{
	begin(4, 1);
	print("\033[44m\033[K");
	EXPECT_EQ(colours_at(2, 0), 0x47);
}

TEST(inserting_and_taking_out)
{
	begin(6, 4);
	print("abcdef\033[1;2H\033[2@");
	EXPECT_STREQ(row(0), "a  bcd");
	print("\033[3P");
	EXPECT_STREQ(row(0), "acd");
	print("\033[1;1H\033[4hX\033[4l");
	EXPECT_STREQ(row(0), "Xacd");
	print("\033[2;1Htwo\033[3;1Hthree\033[2;1H\033[L");
	EXPECT_STREQ(row(1), "");
	EXPECT_STREQ(row(2), "two");
	print("\033[1;1H\033[99M");
	EXPECT_STREQ(row(2), "");
}

TEST(only_the_region_scrolls)
{
	begin(6, 4);
	print("top\r\na\r\nb\r\nend\033[2;3r");
	EXPECT_CURSOR(0, 0);
	print("\033[3;1H\nc");
	EXPECT_STREQ(row(0), "top");
	EXPECT_STREQ(row(1), "b");
	EXPECT_STREQ(row(2), "c");
	EXPECT_STREQ(row(3), "end");
	print("\033[2;1H\033M");
	EXPECT_STREQ(row(1), "");
	EXPECT_STREQ(row(2), "b");
	print("\033[4;1H\n");
	EXPECT_STREQ(row(3), "end");
}

TEST(pen)
{
	begin(8, 1);
	print("a\033[1;31mb\033[7mc\033[0;97;42md\033[38;5;196me\033[48;2;0;0;255mf\033[mg");
	EXPECT_EQ(colours_at(0, 0), 0x07);
	EXPECT_EQ(colours_at(1, 0), 0x09);
	EXPECT_EQ(colours_at(2, 0), 0x10);
	EXPECT_EQ(colours_at(3, 0), 0x2f);
	EXPECT_EQ(colours_at(4, 0), 0x29);
	EXPECT_EQ(colours_at(5, 0), 0xc9);
	EXPECT_EQ(colours_at(6, 0), 0x07);
}

TEST(saved_cursor_and_hidden_cursor)
{
	begin(8, 4);
	print("\033[3;3H\0337\033[H\0338");
	EXPECT_CURSOR(2, 2);
	print("\033[?25l");
	EXPECT(screen.cursor_hidden);
	print("\033[?25h\033[?1049h\033[?2004h");
	EXPECT(!screen.cursor_hidden);
	EXPECT_CURSOR(2, 2);
}

TEST(questions_are_answered)
{
	begin(20, 10);
	print("\033[3;7H\033[6n");
	EXPECT_EQ(screen.reply_length, 6);
	EXPECT(!memcmp(screen.reply, "\033[3;7R", 6));
}

TEST(what_is_not_known_is_swallowed)
{
	begin(20, 2);
	print("a\033]0;title\ab\033]0;title\033\\c\033(Bd\033=e\033[>1cf\033[[Ag\033[12;34yh\033[5\030i");
	EXPECT_STREQ(row(0), "abcdefghi");
}

TEST(any_bytes_stay_inside)
{
	u64 seed = rng();

	begin(13, 7);
	for (u32 i = 0; i < 2000000; i++) {
		static const char likely[] =
			"\033\033[[[;;?0123456789ABCDEFGHJKLMPSTX@dhlmrsu78DEMc\n\r\b\tx";
		u8 c = i % 4 ? (u8)likely[rng() % (sizeof(likely) - 1)] : (u8)rng();

		screen_write(&screen, &c, 1);
		ASSERT(screen.at.x < 13 && screen.at.y < 7);
		ASSERT(screen.top < screen.bottom && screen.bottom <= 7);
	}
	(void)seed;
	for (u32 i = 13 * 7; i < SCREEN_MAX_CELLS; i++)
		ASSERT_EQ(screen.cells[i], 0x5555);
}

/* --- keys -------------------------------------------------------------------------------------------- */

/* typed - what codes given as hex text send. */
static const char *typed(struct keyboard *k, const char *codes)
{
	static char text[64];
	size_t n = 0;

	for (int used; *codes && sscanf(codes, "%*x%n", &used) == 0; codes += used) {
		u8 out[KEYBOARD_MAX];
		size_t sent = keyboard_translate(k, (u8)strtoul(codes, NULL, 16), out);

		ASSERT(sent <= KEYBOARD_MAX && n + sent < sizeof(text));
		memcpy(text + n, out, sent);
		n += sent;
	}
	text[n] = '\0';
	return text;
}

TEST(keys_send_characters)
{
	struct keyboard k = {0};

	EXPECT_STREQ(typed(&k, "1e 9e 30 b0 02 82 39 b9 1c 9c 0e 8e"), "ab1 \r\177");
	EXPECT_STREQ(typed(&k, "2a 1e 9e 02 82 aa 1e 9e"), "A!a");
	EXPECT_STREQ(typed(&k, "36 35 b5 b6 35 b5"), "?/");
	EXPECT_STREQ(typed(&k, "3a ba 1e 9e 2a 1e 9e aa 03 83 3a ba 1e 9e"), "Aa2a");
	EXPECT_STREQ(typed(&k, "1d 2e ae 9d e0 1d 20 a0 e0 9d"), "\003\004");
	EXPECT_STREQ(typed(&k, "38 1e 9e b8 1e 9e"), "\033aa");
}

TEST(keys_send_sequences)
{
	struct keyboard k = {0};

	EXPECT_STREQ(typed(&k, "e0 48 e0 c8 e0 4b e0 cb e0 47 e0 c7 e0 53 e0 d3"),
		     "\033[A\033[D\033[1~\033[3~");
	EXPECT_STREQ(typed(&k, "3b bb 44 c4 57 d7 58 d8"), "\033[[A\033[21~\033[23~\033[24~");
	EXPECT_STREQ(typed(&k, "48 c8 4e 4c 45 c5 48 c8 4c cc 53 d3"), "\033[A+85.");
	EXPECT_STREQ(typed(&k, "e0 48 e0 c8 e0 1c e0 9c e0 35 e0 b5"), "\033[A\r/");
}

TEST(pretended_shifts_and_pause_are_nothing)
{
	struct keyboard k = {0};

	EXPECT_STREQ(typed(&k, "e0 2a e0 48 e0 c8 e0 aa 1e"), "\033[Aa");
	EXPECT_STREQ(typed(&k, "e1 1d 45 e1 9d c5 1e e0 37 e0 b7"), "a");
}

TEST(ctrl_alt_del_is_told)
{
	struct keyboard k = {0};

	EXPECT_STREQ(typed(&k, "1d 38 1e 9e e0 53"), "\033\001");
	EXPECT(k.ctrl_alt_del);
	k.ctrl_alt_del = false;
	EXPECT_STREQ(typed(&k, "e0 d3 b8 e0 53"), "\033[3~");
	EXPECT(!k.ctrl_alt_del);
}

TEST(any_codes_are_harmless)
{
	struct keyboard k = {0};
	u8 out[KEYBOARD_MAX];

	for (u32 i = 0; i < 100000; i++)
		ASSERT(keyboard_translate(&k, (u8)rng(), out) <= KEYBOARD_MAX);
}

/* --- drawing ----------------------------------------------------------------------------------------- */

void *mm_framebuffer;
struct boot_info boot_info;

const void *arch_early_map(paddr_t pa UNUSED, u64 size UNUSED)
{
	return NULL;
}

/* What fbcon.c asks of the rest of the kernel. */
size_t printk_ring_read(u64 *pos, char *buf, size_t n)
{
	static const char before[] = "before\n";
	size_t left = *pos < sizeof(before) - 1 ? sizeof(before) - 1 - (size_t)*pos : 0;

	n = MIN(n, left);
	memcpy(buf, before + *pos, n);
	*pos += n;
	return n;
}

static u32 pixel(const u8 *at, u32 size)
{
	u32 v = 0;

	memcpy(&v, at, size);
	return v;
}

/* start - on a screen of this description, in memory of that many bytes, all of them 0xee. */
static u8 *start(const struct boot_framebuffer *fb, size_t size)
{
	u8 *memory = malloc(size);

	ASSERT(memory);
	memset(memory, 0xee, size);
	boot_info.framebuffer = *fb;
	mm_framebuffer = memory;
	fbcon_init();
	ASSERT(fbcon_ready());
	return memory;
}

/* Two rows of 16-bit pixels, longer than they are wide, and with a part of a cell at the right and at the bottom. */
TEST(characters_are_drawn_and_nothing_beyond_them)
{
	enum { WIDTH = 10 * 8 + 5, HEIGHT = 2 * 16 + 7, PITCH = WIDTH * 2 + 10 };
	static const char *const lines[] = {"before", "Ag"};
	const struct boot_framebuffer fb = {.base = 0x1000,
					    .width = WIDTH,
					    .height = HEIGHT,
					    .pitch = PITCH,
					    .pixel_size = 2,
					    .red = {11, 5},
					    .green = {5, 6},
					    .blue = {0, 5}};
	u8 *memory = start(&fb, PITCH * HEIGHT + 64);

	fbcon_write((const u8 *)"\033[?25lAg", 8);
	for (u32 y = 0; y < HEIGHT; y++) {
		for (u32 x = 0; x < WIDTH; x++) {
			const char *line = y / 16 < 2 ? lines[y / 16] : "";
			char c = x / 8 < strlen(line) ? line[x / 8] : ' ';
			bool ink = font_8x16[c - FONT_FIRST][y % 16] >> (7 - x % 8) & 1;

			ASSERT_EQ(pixel(memory + y * PITCH + x * 2, 2), ink ? 0xad55 : 0);
		}
		for (u32 i = WIDTH * 2; i < PITCH; i++)
			ASSERT_EQ(memory[y * PITCH + i], 0xee);
	}
	for (u32 i = PITCH * HEIGHT; i < PITCH * HEIGHT + 64; i++)
		ASSERT_EQ(memory[i], 0xee);
	free(memory);
}

/* More characters than there is room for: pixels of three bytes, two by two, with red in the lowest. */
TEST(a_large_screen_has_large_characters)
{
	enum { WIDTH = 3840, HEIGHT = 2160, PITCH = WIDTH * 3, SIZE = 2 };
	const struct boot_framebuffer fb = {.base = 0x1000,
					    .width = WIDTH,
					    .height = HEIGHT,
					    .pitch = PITCH,
					    .pixel_size = 3,
					    .red = {0, 8},
					    .green = {8, 8},
					    .blue = {16, 8}};
	u8 *memory = start(&fb, (size_t)PITCH * HEIGHT);
	struct uapi_winsize size;

	fbcon_winsize(&size);
	EXPECT_EQ(size.ws_col, WIDTH / 8 / SIZE);
	EXPECT_EQ(size.ws_row, HEIGHT / 16 / SIZE);
	EXPECT_EQ(size.ws_ypixel, HEIGHT);
	fbcon_write((const u8 *)"\033[2J\033[2;3H\033[91mQ\033[?25l", 22);
	for (u32 y = 0; y < 16 * SIZE; y++) {
		for (u32 x = 0; x < 8 * SIZE; x++) {
			bool ink = font_8x16['Q' - FONT_FIRST][y / SIZE] >> (7 - x / SIZE) & 1;
			const u8 *at = memory + (16 * SIZE + y) * PITCH + (2 * 8 * SIZE + x) * 3;

			ASSERT_EQ(pixel(at, 3), ink ? 0x5555ff : 0);
		}
	}
	free(memory);
}
