/* SPDX-License-Identifier: MIT */
/*
 * tty_output.c - what programs write, and the echo of what is typed, on its way to the line.
 *
 * Both become bytes of tty->out, after the same processing of newlines and tabs (OPOST). A character
 * goes in as a whole or not at all, with everything it turns into. Program output that finds no room waits with its
 * writer; nobody waits for echo, so it goes into a queue of its own while output is stopped or
 * there is no room, and what does not fit there is lost.
 *
 * The column of the cursor is followed as far as a terminal without knowledge of escape sequences can; it is
 * what tabs, and erasing them, need.
 */
#include <quire/assert.h>
#include "drivers/tty_internal.h"
#include "lib/string.h"

#define WIDEST 8 /* bytes that one character may turn into */

/* --- rings ------------------------------------------------------------------------------------------- */

void tty_ring_put(struct tty_ring *r, const u8 *bytes, u32 n)
{
	u32 at = r->head & (r->size - 1), first = MIN(n, r->size - at);

	assert(n <= tty_ring_room(r));
	memcpy(r->data + at, bytes, first);
	memcpy(r->data, bytes + first, n - first);
	WRITE_ONCE(r->head, r->head + n);
}

u32 tty_ring_take(struct tty_ring *r, u8 *buf, u32 n)
{
	u32 taken = 0, part;

	while (taken < n) {
		const u8 *from = tty_ring_peek(r, &part);

		if (!part)
			break;
		part = MIN(part, n - taken);
		memcpy(buf + taken, from, part);
		taken += part;
		WRITE_ONCE(r->tail, r->tail + part);
	}
	return taken;
}

/* --- processing -------------------------------------------------------------------------------------- */

/* process_newline - the bytes for a newline; their number. */
static u32 process_newline(struct tty *t, u8 *out)
{
	if (tty_oflag(t, ONLRET | ONLCR))
		t->column = 0;
	t->in.canon_column = t->column;
	if (!tty_oflag(t, ONLCR)) {
		out[0] = '\n';
		return 1;
	}
	out[0] = '\r';
	out[1] = '\n';
	return 2;
}

static u32 process_return(struct tty *t, u8 *out)
{
	if (tty_oflag(t, ONOCR) && !t->column)
		return 0;
	out[0] = '\r';
	if (tty_oflag(t, OCRNL)) {
		out[0] = '\n';
		if (!tty_oflag(t, ONLRET))
			return 1;
	}
	t->column = t->in.canon_column = 0;
	return 1;
}

static u32 process_tab(struct tty *t, u8 *out)
{
	u32 spaces = 8 - t->column % 8;

	t->column += spaces;
	if ((t->termios.c_oflag & TABDLY) != XTABS) {
		out[0] = '\t';
		return 1;
	}
	memset(out, ' ', spaces);
	return spaces;
}

/* process - the bytes that a character becomes, at most WIDEST; their number. */
static u32 process(struct tty *t, u8 c, u8 *out)
{
	out[0] = c;
	if (!tty_oflag(t, OPOST))
		return 1;
	switch (c) {
	case '\n':
		return process_newline(t, out);
	case '\r':
		return process_return(t, out);
	case '\t':
		return process_tab(t, out);
	case '\b':
		if (t->column)
			t->column--;
		return 1;
	default:
		if (tty_oflag(t, OLCUC) && c >= 'a' && c <= 'z')
			out[0] = c - 'a' + 'A';
		if (!tty_is_control(c) && !tty_is_continuation(t, c))
			t->column++;
		return 1;
	}
}

/* --- programs ---------------------------------------------------------------------------------------- */

static bool is_stopped(const struct tty *t)
{
	return t->stopped || t->stopped_by_program;
}

bool tty_output_is_blocked(const struct tty *t)
{
	return is_stopped(t) || tty_ring_room(&t->out) < WIDEST;
}

size_t tty_output_write(struct tty *t, const u8 *bytes, size_t n)
{
	u8 out[WIDEST];
	size_t done;

	assert_held(&t->lock);
	for (done = 0; done < n && !tty_output_is_blocked(t); done++)
		tty_ring_put(&t->out, out, process(t, bytes[done], out));
	if (done)
		t->driver->start(t);
	return done;
}

/* --- echo -------------------------------------------------------------------------------------------- */

static void echo_flush(struct tty *t)
{
	while (tty_ring_used(&t->echo) && !tty_output_is_blocked(t)) {
		u8 bytes[WIDEST];

		tty_ring_put(&t->out, bytes, tty_ring_take(&t->echo, bytes, WIDEST));
	}
}

static void echo_put(struct tty *t, const u8 *bytes, u32 n)
{
	if (!tty_ring_used(&t->echo) && !tty_output_is_blocked(t))
		tty_ring_put(&t->out, bytes, n);
	else if (tty_ring_room(&t->echo) >= n)
		tty_ring_put(&t->echo, bytes, n);
}

void tty_echo_raw(struct tty *t, u8 c)
{
	u8 out[WIDEST];

	echo_put(t, out, process(t, c, out));
}

void tty_echo_char(struct tty *t, u8 c)
{
	u8 pair[2] = {'^', c ^ 0x40};

	if (!tty_lflag(t, ECHOCTL) || !tty_is_control(c) || c == '\t') {
		tty_echo_raw(t, c);
		return;
	}
	t->column += 2;
	echo_put(t, pair, 2);
}

void tty_echo_back(struct tty *t, u32 n)
{
	t->column -= MIN(n, t->column);
	while (n--)
		echo_put(t, (const u8 *)"\b", 1);
}

/* --- flow -------------------------------------------------------------------------------------------- */

void tty_output_resume(struct tty *t)
{
	assert_held(&t->lock);
	if (!is_stopped(t)) {
		echo_flush(t);
		if (tty_ring_used(&t->out))
			t->driver->start(t);
	}
	if (!tty_output_is_blocked(t))
		waitq_wake_all(&t->writers);
}

void tty_output_stop(struct tty *t, bool by_program)
{
	bool before = is_stopped(t);

	if (by_program)
		t->stopped_by_program = true;
	else
		t->stopped = true;
	if (!before && t->driver->notify)
		t->driver->notify(t, TIOCPKT_STOP);
}

void tty_output_start(struct tty *t, bool by_program)
{
	if (!is_stopped(t) || t->stopped_by_program != by_program)
		return;
	t->stopped = t->stopped_by_program = false;
	if (t->driver->notify)
		t->driver->notify(t, TIOCPKT_START);
	tty_output_resume(t);
}

void tty_output_discard(struct tty *t)
{
	assert_held(&t->lock);
	t->driver->flush_output(t);
	if (!tty_output_is_blocked(t))
		waitq_wake_all(&t->writers);
}
