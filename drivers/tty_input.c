/* SPDX-License-Identifier: MIT */
/*
 * tty_input.c - what is typed, on its way to programs: the line discipline.
 *
 * Each byte that comes in is looked at in this order: bits taken off (ISTRIP ..), quoted by VLNEXT, flow
 * control (IXON), signals (ISIG), carriage return and newline, editing of the line (ICANON); what is left goes into
 * the buffer, and onto the screen (ECHO).
 *
 * In canonical mode only complete lines can be read; the line being typed, from in.canon to in.head, can be
 * edited. When it has filled the buffer, each further byte replaces the last one, so that erasing
 * and ending the line remain possible. When complete lines, or in the other mode all bytes, have filled it,
 * nothing more is taken from the line until a program reads.
 *
 * Reference: termios(3), POSIX.1-2017 chapter 11; what they leave open is as on Linux.
 */
#include <quire/assert.h>
#include <uapi/signal.h>
#include "drivers/tty_internal.h"
#include "kernel/signal.h"

static u8 *byte_at(struct tty *t, u32 pos)
{
	return &t->in.data[pos % TTY_INPUT_SIZE];
}

static bool is_line_end(const struct tty *t, u32 pos)
{
	return bitmap_test(t->in.line_ends, pos % TTY_INPUT_SIZE);
}

static void put(struct tty *t, u8 c)
{
	*byte_at(t, t->in.head++) = c;
}

/* put_data - a byte that is itself; PARMRK marks others by a byte 0xff, which therefore is doubled. */
static void put_data(struct tty *t, u8 c)
{
	if (c == 0xff && tty_iflag(t, PARMRK))
		put(t, c);
	put(t, c);
}

static bool is_canonical(const struct tty *t)
{
	return tty_lflag(t, ICANON);
}

/* --- echo -------------------------------------------------------------------------------------------- */

static void end_erasing(struct tty *t)
{
	if (t->in.erasing)
		tty_echo_raw(t, '/');
	t->in.erasing = false;
}

/* echo_typed - a character that goes into the line. */
static void echo_typed(struct tty *t, u8 c)
{
	end_erasing(t);
	if (t->in.canon == t->in.head)
		t->in.canon_column = t->column;
	tty_echo_char(t, c);
}

static void echo_rubout(struct tty *t)
{
	tty_echo_raw(t, '\b');
	tty_echo_raw(t, ' ');
	tty_echo_raw(t, '\b');
}

/* echo_erased_tab - go back to where the tab began: that depends on what stands before it in the line, up to
 * the previous tab, from which on columns are multiples of eight. */
static void echo_erased_tab(struct tty *t)
{
	u32 columns = 0, pos = t->in.head;
	bool after_tab = false;

	while (pos != t->in.canon && !after_tab) {
		u8 c = *byte_at(t, --pos);

		if (c == '\t')
			after_tab = true;
		else if (tty_is_control(c))
			columns += tty_lflag(t, ECHOCTL) ? 2 : 0;
		else if (!tty_is_continuation(t, c))
			columns++;
	}
	if (!after_tab)
		columns += t->in.canon_column;
	tty_echo_back(t, 8 - columns % 8);
}

/* echo_erased_print - for terminals made of paper: what is erased is printed between \ and /. */
static void echo_erased_print(struct tty *t, u32 from, u32 to)
{
	if (!t->in.erasing)
		tty_echo_raw(t, '\\');
	t->in.erasing = true;
	tty_echo_char(t, *byte_at(t, from));
	while (++from != to)
		tty_echo_raw(t, *byte_at(t, from));
}

/* echo_erased - the character in the buffer from..to is gone from the line. */
static void echo_erased(struct tty *t, u32 from, u32 to, bool one)
{
	u8 c = *byte_at(t, from);

	if (tty_lflag(t, ECHOPRT)) {
		echo_erased_print(t, from, to);
	} else if (one && !tty_lflag(t, ECHOE)) {
		tty_echo_char(t, t->termios.c_cc[VERASE]);
	} else if (c == '\t') {
		echo_erased_tab(t);
	} else if (!tty_is_control(c)) {
		echo_rubout(t);
	} else if (tty_lflag(t, ECHOCTL)) {
		echo_rubout(t);
		echo_rubout(t);
	}
}

/* --- editing ----------------------------------------------------------------------------------------- */

enum erase { ERASE_CHARACTER, ERASE_WORD, ERASE_LINE };

static bool is_word_byte(u8 c)
{
	u8 lower = c | 0x20;

	if (c >= 0x80) /* letters of Latin-1; first bytes of UTF-8 */
		return c >= 0xc0 && c != 0xd7 && c != 0xf7;
	return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '_';
}

/* last_character - where the last character of the line begins; false: there is none, or only a part. */
static bool last_character(struct tty *t, u32 *from)
{
	u32 pos = t->in.head;

	if (pos == t->in.canon)
		return false;
	do {
		pos--;
	} while (tty_is_continuation(t, *byte_at(t, pos)) && pos != t->in.canon);
	*from = pos;
	return !tty_is_continuation(t, *byte_at(t, pos));
}

static void erase_characters(struct tty *t, enum erase what)
{
	bool in_word = false;
	u32 from;

	while (last_character(t, &from)) {
		u8 c = *byte_at(t, from);
		u32 to = t->in.head;

		if (what == ERASE_WORD && in_word && !is_word_byte(c))
			break;
		in_word = in_word || is_word_byte(c);
		t->in.head = from;
		if (tty_lflag(t, ECHO))
			echo_erased(t, from, to, what == ERASE_CHARACTER);
		if (what == ERASE_CHARACTER)
			break;
	}
	if (t->in.head == t->in.canon && tty_lflag(t, ECHO))
		end_erasing(t);
}

static void erase(struct tty *t, enum erase what)
{
	u32 visible = ECHOE | ECHOK | ECHOKE;

	if (t->in.head == t->in.canon)
		return;
	if (what != ERASE_LINE ||
	    (tty_lflag(t, ECHO) && (t->termios.c_lflag & visible) == visible)) {
		erase_characters(t, what);
		return;
	}
	t->in.head = t->in.canon;
	if (!tty_lflag(t, ECHO))
		return;
	end_erasing(t);
	tty_echo_char(t, t->termios.c_cc[VKILL]);
	if (tty_lflag(t, ECHOK))
		tty_echo_raw(t, '\n');
}

static void reprint(struct tty *t, u8 c)
{
	end_erasing(t);
	tty_echo_char(t, c);
	tty_echo_raw(t, '\n');
	for (u32 pos = t->in.canon; pos != t->in.head; pos++)
		tty_echo_char(t, *byte_at(t, pos));
}

static void begin_quote(struct tty *t)
{
	t->in.quote_next = true;
	if (!tty_lflag(t, ECHO))
		return;
	end_erasing(t);
	if (tty_lflag(t, ECHOCTL)) {
		tty_echo_raw(t, '^');
		tty_echo_raw(t, '\b');
	}
}

/* end_line - with this byte; 0 for EOF. */
static void end_line(struct tty *t, u8 c)
{
	bitmap_set(t->in.line_ends, t->in.head % TTY_INPUT_SIZE);
	put(t, c);
	t->in.canon = t->in.head;
	waitq_wake_all(&t->readers);
}

/* edit - canonical mode: true when the byte meant something else than itself. */
static bool edit(struct tty *t, u8 c)
{
	bool extended = tty_lflag(t, IEXTEN);

	if (tty_is_special(t, c, VERASE)) {
		erase(t, ERASE_CHARACTER);
	} else if (extended && tty_is_special(t, c, VWERASE)) {
		erase(t, ERASE_WORD);
	} else if (tty_is_special(t, c, VKILL)) {
		erase(t, ERASE_LINE);
	} else if (extended && tty_is_special(t, c, VLNEXT)) {
		begin_quote(t);
	} else if (extended && tty_is_special(t, c, VREPRINT) && tty_lflag(t, ECHO)) {
		reprint(t, c);
	} else if (c == '\n') {
		if (tty_lflag(t, ECHO | ECHONL))
			tty_echo_raw(t, c);
		end_line(t, c);
	} else if (tty_is_special(t, c, VEOF)) {
		end_line(t, 0);
	} else if (tty_is_special(t, c, VEOL) || (extended && tty_is_special(t, c, VEOL2))) {
		if (tty_lflag(t, ECHO))
			echo_typed(t, c);
		end_line(t, c);
	} else {
		return false;
	}
	return true;
}

/* --- signals and flow control ------------------------------------------------------------------------ */

static int signal_of(const struct tty *t, u8 c)
{
	if (!tty_lflag(t, ISIG))
		return 0;
	if (tty_is_special(t, c, VINTR))
		return SIGINT;
	if (tty_is_special(t, c, VQUIT))
		return SIGQUIT;
	return tty_is_special(t, c, VSUSP) ? SIGTSTP : 0;
}

/* raise_signal - due as soon as the lock is released. What was typed and written before it is forgotten. */
static void raise_signal(struct tty *t, u8 c, int sig)
{
	t->due |= SIGSET_BIT(sig);
	if (!tty_lflag(t, NOFLSH)) {
		t->echo.tail = t->echo.head;
		tty_output_discard(t);
		tty_input_flush(t);
	}
	if (tty_iflag(t, IXON))
		tty_output_start(t, false);
	if (tty_lflag(t, ECHO))
		tty_echo_char(t, c);
}

/* control_flow - IXON: true when the byte was for that. */
static bool control_flow(struct tty *t, u8 c)
{
	bool start = tty_is_special(t, c, VSTART), stop = tty_is_special(t, c, VSTOP);

	if (!tty_iflag(t, IXON) || (!start && !stop))
		return false;
	if (start)
		tty_output_start(t, false);
	else
		tty_output_stop(t, false);
	return true;
}

/* --- one byte ---------------------------------------------------------------------------------------- */

/* translate_newline - false: the byte is ignored. */
static bool translate_newline(const struct tty *t, u8 *c)
{
	if (*c == '\r') {
		if (tty_iflag(t, IGNCR))
			return false;
		if (tty_iflag(t, ICRNL))
			*c = '\n';
	} else if (*c == '\n' && tty_iflag(t, INLCR)) {
		*c = '\r';
	}
	return true;
}

static void receive_plain(struct tty *t, u8 c)
{
	if (tty_lflag(t, ECHO)) {
		if (c == '\n') {
			end_erasing(t);
			tty_echo_raw(t, c);
		} else {
			echo_typed(t, c);
		}
	}
	put_data(t, c);
}

static void receive_byte(struct tty *t, u8 c)
{
	int sig;

	if (tty_iflag(t, ISTRIP))
		c &= 0x7f;
	if (tty_iflag(t, IUCLC) && tty_lflag(t, IEXTEN) && c >= 'A' && c <= 'Z')
		c = c - 'A' + 'a';
	if (t->in.quote_next) {
		t->in.quote_next = false;
		receive_plain(t, c);
		return;
	}
	if (control_flow(t, c))
		return;
	sig = signal_of(t, c);
	if (sig) {
		raise_signal(t, c, sig);
		return;
	}
	if (tty_iflag(t, IXON) && tty_iflag(t, IXANY))
		tty_output_start(t, false);
	if (translate_newline(t, &c) && !(is_canonical(t) && edit(t, c)))
		receive_plain(t, c);
}

/* --- many bytes -------------------------------------------------------------------------------------- */

/* room - how many bytes can be received. A byte may take two places. */
static u32 room(const struct tty *t)
{
	u32 used = READ_ONCE(t->in.head) - READ_ONCE(t->in.tail), per_byte = 1;

	if (tty_iflag(t, PARMRK))
		per_byte = 2;
	return used + per_byte < TTY_INPUT_SIZE ? (TTY_INPUT_SIZE - 1 - used) / per_byte : 0;
}

/* is_overlong - a line that nobody has ended yet fills the buffer. */
static bool is_overlong(const struct tty *t)
{
	return is_canonical(t) && READ_ONCE(t->in.canon) == READ_ONCE(t->in.tail);
}

bool tty_has_input_room(const struct tty *t)
{
	return room(t) || is_overlong(t);
}

/* receive_overlong - in place of the last byte, once the buffer is full. */
static void receive_overlong(struct tty *t, u8 c)
{
	u32 limit = TTY_INPUT_SIZE - (tty_iflag(t, PARMRK) ? 2 : 1);

	while (t->in.head - t->in.tail > limit)
		t->in.head--;
	receive_byte(t, c);
}

size_t tty_receive(struct tty *t, const u8 *bytes, size_t n)
{
	size_t done;

	assert_held(&t->lock);
	for (done = 0; done < n; done++) {
		if (room(t))
			receive_byte(t, bytes[done]);
		else if (is_overlong(t))
			receive_overlong(t, bytes[done]);
		else
			break;
	}
	if (!is_canonical(t) && t->in.head != t->in.tail)
		waitq_wake_all(&t->readers);
	if (tty_ring_used(&t->out))
		t->driver->start(t);
	return done;
}

/* --- reading ----------------------------------------------------------------------------------------- */

bool tty_input_ready(const struct tty *t, bool poll)
{
	const u8 *cc = t->termios.c_cc;
	u32 least = poll && !cc[VTIME] && cc[VMIN] ? cc[VMIN] : 1;

	if (is_canonical(t))
		return READ_ONCE(t->in.canon) != READ_ONCE(t->in.tail);
	return READ_ONCE(t->in.head) - READ_ONCE(t->in.tail) >= least;
}

/* take_line - up to n bytes, and behind them the end of the line if it fits, or is none to be read. */
static size_t take_line(struct tty *t, u8 *buf, size_t n, bool *more)
{
	size_t done = 0;

	*more = true;
	while (done < n && t->in.tail != t->in.canon) {
		u32 pos = t->in.tail++;
		bool end = is_line_end(t, pos);

		if (!end || *byte_at(t, pos))
			buf[done++] = *byte_at(t, pos);
		if (end) {
			bitmap_clear(t->in.line_ends, pos % TTY_INPUT_SIZE);
			*more = false;
			break;
		}
	}
	if (t->in.tail == t->in.canon)
		*more = false;
	return done;
}

static size_t take_bytes(struct tty *t, u8 *buf, size_t n)
{
	size_t done = 0;

	while (done < n && t->in.tail != t->in.head)
		buf[done++] = *byte_at(t, t->in.tail++);
	t->in.canon = t->in.tail;
	return done;
}

size_t tty_input_take(struct tty *t, u8 *buf, size_t n, bool *more)
{
	size_t done;

	assert_held(&t->lock);
	*more = false;
	if (is_canonical(t))
		done = take_line(t, buf, n, more);
	else
		done = take_bytes(t, buf, n);
	if (t->driver->input_taken)
		t->driver->input_taken(t);
	waitq_wake_all(&t->typists);
	return done;
}

void tty_input_skip_eof(struct tty *t)
{
	u32 pos = t->in.tail;

	if (!is_canonical(t) || pos == t->in.canon || !is_line_end(t, pos) || *byte_at(t, pos))
		return;
	bitmap_clear(t->in.line_ends, pos % TTY_INPUT_SIZE);
	t->in.tail++;
}

u32 tty_input_count(const struct tty *t)
{
	u32 count = 0;

	if (!is_canonical(t))
		return t->in.head - t->in.tail;
	for (u32 pos = t->in.tail; pos != t->in.canon; pos++)
		if (!is_line_end(t, pos) || t->in.data[pos % TTY_INPUT_SIZE])
			count++;
	return count;
}

/* --- changes ----------------------------------------------------------------------------------------- */

void tty_input_flush(struct tty *t)
{
	assert_held(&t->lock);
	bitmap_clear_range(t->in.line_ends, 0, TTY_INPUT_SIZE);
	t->in.tail = t->in.canon = t->in.head;
	t->in.quote_next = t->in.erasing = false;
	if (t->driver->notify)
		t->driver->notify(t, TIOCPKT_FLUSHREAD);
	if (t->driver->input_taken)
		t->driver->input_taken(t);
	waitq_wake_all(&t->typists);
}

/* What was typed so far becomes one line, without an end of its own. */
void tty_input_mode_changed(struct tty *t)
{
	assert_held(&t->lock);
	bitmap_clear_range(t->in.line_ends, 0, TTY_INPUT_SIZE);
	t->in.canon = t->in.tail;
	if (is_canonical(t) && t->in.head != t->in.tail) {
		bitmap_set(t->in.line_ends, (t->in.head - 1) % TTY_INPUT_SIZE);
		t->in.canon = t->in.head;
	}
	t->in.quote_next = t->in.erasing = false;
}
