/* SPDX-License-Identifier: MIT */
/* tty_internal.h - what the files of the terminal layer want of each other: see tty.h. */
#pragma once

#include "drivers/tty.h"
#include "fs/file.h"

/* An open file of a terminal: file->private_data. */
struct tty_file {
	struct tty *tty; /* [i] referenced */
	u64 hangups;     /* [i] of the terminal when it was opened */
	bool console;    /* [i] opened as /dev/console: no job control, survives hangups */
};

static inline struct tty_file *tty_file_of(const struct file *f)
{
	return f->private_data;
}

/* tty_is_dead - the terminal was hung up since this file was opened. */
static inline bool tty_is_dead(const struct tty_file *tf)
{
	return !tf->console && READ_ONCE(tf->tty->hangups) != tf->hangups;
}

/* Settings. A special character that is 0 is switched off. */
static inline bool tty_iflag(const struct tty *t, u32 flag)
{
	return t->termios.c_iflag & flag;
}
static inline bool tty_oflag(const struct tty *t, u32 flag)
{
	return t->termios.c_oflag & flag;
}
static inline bool tty_lflag(const struct tty *t, u32 flag)
{
	return t->termios.c_lflag & flag;
}
static inline bool tty_is_special(const struct tty *t, u8 c, unsigned which)
{
	return c && c == t->termios.c_cc[which];
}
static inline bool tty_is_control(u8 c)
{
	return c < 0x20 || c == 0x7f;
}
/* tty_is_continuation - a byte of a UTF-8 character that is not its first, and so takes no column. */
static inline bool tty_is_continuation(const struct tty *t, u8 c)
{
	return tty_iflag(t, IUTF8) && (c & 0xc0) == 0x80;
}

/* --- tty_output.c: all need the lock ----------------------------------------------------------------- */

/* tty_output_write - as much of a program's output as can be taken now. Bytes. */
size_t tty_output_write(struct tty *, const u8 *bytes, size_t n);
/* tty_output_is_blocked - stopped, or no room. */
bool tty_output_is_blocked(const struct tty *);
/* tty_output_stop, tty_output_start - flow control. What a program has stopped (TCOOFF), a
 * program has to start; that also ends what VSTOP has stopped. */
void tty_output_stop(struct tty *, bool by_program);
void tty_output_start(struct tty *, bool by_program);
/* tty_output_discard - TCOFLUSH. */
void tty_output_discard(struct tty *);

/* Echo. tty_echo_char - as typed, control characters as ^X if ECHOCTL. tty_echo_raw - the byte itself, through
 * output processing. tty_echo_back - the cursor goes back over n columns, without erasing. */
void tty_echo_char(struct tty *, u8 c);
void tty_echo_raw(struct tty *, u8 c);
void tty_echo_back(struct tty *, u32 n);

/* --- tty_input.c: all need the lock ------------------------------------------------------------------ */

/* tty_input_ready - would a read of a program get something? With `poll`: as poll(2) sees it, which knows VMIN. */
bool tty_input_ready(const struct tty *, bool poll);
/* tty_input_take - move up to n bytes to buf: in canonical mode at most to the end of a line.
 *  returns: bytes; *more tells whether the same line goes on */
size_t tty_input_take(struct tty *, u8 *buf, size_t n, bool *more);
/* tty_input_skip_eof - the reader's buffer ended right before an EOF: that is not another, empty, line. */
void tty_input_skip_eof(struct tty *);
/* tty_input_count - FIONREAD. */
u32 tty_input_count(const struct tty *);
void tty_input_flush(struct tty *);
/* tty_input_mode_changed - ICANON was switched; what is there becomes readable in the new mode. */
void tty_input_mode_changed(struct tty *);

/* --- tty_session.c ----------------------------------------------------------------------------------- */

/* tty_check_background - may the current process use the terminal in a way that raises sig (SIGTTIN, SIGTTOU)
 * when it is not in the foreground?
 *  returns: 0; -EIO: no, and a signal would be of no use; -RESTART_SYS: its group was sent the signal
 *  locks: may take process_tree_lock */
int tty_check_background(struct tty *, int sig);
/* tty_current - the current process's controlling terminal with a reference, or NULL. */
struct tty *tty_current(void);
/* tty_open_controlling - it was opened without O_NOCTTY: does it become the controlling terminal? */
void tty_open_controlling(struct tty *, const struct file *);
/* tty_forget_session - the last opening is gone: nobody has it as controlling terminal any more. Not for ptys,
 * whose master keeps them alive. */
void tty_forget_session(struct tty *);
/* The TIOC* requests of their names. 0 or -errno. */
long tty_ioctl_session(struct tty *, struct file *, unsigned cmd, vaddr_t arg, bool master);
