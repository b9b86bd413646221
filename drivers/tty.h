/* SPDX-License-Identifier: MIT */
/*
 * tty.h - terminals: what lies between a line (a serial port, the master of a pseudo terminal) and the
 * programs that have it open.
 *
 *     line --tty_receive--> [input: editing, signals, echo] --read--> program
 *     line <--driver.start-- [out] <-- [output: newlines, tabs] <--write-- program
 *                              ^-- echo
 *
 * All of it happens in threads: of a reader, of a writer, of whoever writes to the master, of the kernel thread
 * that empties the serial port. So one mutex guards a terminal, and nothing here runs in interrupts.
 *
 * Locks: process_tree_lock, then tty->lock (RANK_INODE; two are never held). Job control belongs to the
 * former; typed signals are noted under tty->lock and sent by tty_unlock after it is released. No lock is held
 * while user memory is touched, so that nobody's page faults can stop a terminal.
 *
 * Keys: [a] atomic; [i] immutable; [l] tty->lock; [T] process_tree_lock, pointers compared without it.
 *
 * Read next: tty.c (open, read, write), tty_input.c, tty_output.c, tty_session.c, then the drivers: tty_serial.c,
 * pty.c.
 */
#pragma once

#include <quire/types.h>
#include <uapi/termios.h>
#include "kernel/lock.h"
#include "kernel/wait.h"
#include "lib/bitmap.h"

struct file;
struct file_ops;
struct pid;
struct poll_request;
struct process;
struct tty;
struct uio;

#define TTY_INPUT_SIZE  4096 /* bytes; a line has at most one less, and its newline */
#define TTY_OUTPUT_SIZE 8192
#define TTY_ECHO_SIZE   512

/* A queue of bytes: size is a power of two; head and tail run freely. */
struct tty_ring {
	u8 *data;
	u32 size, head, tail;
};

/* What a line has to do for its terminal. All under tty->lock, none sleeps. */
struct tty_driver {
	bool is_pty;
	u64 poll_ns; /* how long after start() could not send all to try again; 0: the other side asks */
	void (*start)(struct tty *); /* tty->out has something (more): send what can be sent */
	void (*flush_output)(struct tty *);      /* forget what was written and not sent */
	void (*input_taken)(struct tty *);       /* tty_receive may take more than it last did */
	void (*notify)(struct tty *, u8 packet); /* TIOCPKT_* bits: flow control, flushes */
	/* set_termios - the settings have changed: take back what the line cannot do. */
	void (*set_termios)(struct tty *, const struct uapi_termios2 *old);
	int (*opening)(struct tty *);     /* may a program open it now? 0 or -errno */
	void (*last_close)(struct tty *); /* nobody has it open any more */
	void (*free)(struct tty *);       /* the last reference is gone; tty->lock is not held */
};

/* Typed bytes from tail to head. In canonical mode those before canon are complete lines, and a set bit of
 * line_ends says that a line ends with that byte; an end that was typed as EOF is a byte 0, which nobody reads. */
struct tty_input {
	u8 *data;
	u64 line_ends[BITMAP_WORDS(TTY_INPUT_SIZE)];
	u32 head, canon, tail; /* run freely */
	bool quote_next;       /* VLNEXT was typed */
	bool erasing;          /* between the \ and the / of ECHOPRT */
	u32 canon_column;      /* where on the screen the line being typed begins */
};

struct tty {
	u32 refs;                        /* [a] */
	const struct tty_driver *driver; /* [i] */
	u64 rdev;                        /* [i] */

	struct mutex lock;
	u32 opens;         /* [l] open files */
	u64 hangups;       /* [l] files from before the last one are dead; read without */
	bool other_closed; /* [l] pty: the master is gone for good */
	bool exclusive;    /* [l] TIOCEXCL */
	struct uapi_termios2 termios; /* [l] */
	struct uapi_winsize winsize;  /* [l] */
	struct tty_input in;          /* [l] */
	struct tty_ring out;          /* [l] for the line to send */
	struct tty_ring echo;         /* [l] echo that comes after out is accepted again */
	u8 echo_data[TTY_ECHO_SIZE];
	u32 column;              /* [l] of the cursor, as far as one can tell */
	bool stopped;            /* [l] output: by VSTOP .. */
	bool stopped_by_program; /* [l] .. or TCOOFF */
	u32 due;                 /* [l] SIGSET_BITs to send to the foreground */

	struct waitq readers; /* input, or a hangup */
	struct waitq writers; /* room in out, start, or a hangup */
	struct waitq typists; /* room for input */

	struct pid *session,
		*foreground; /* [T] whose terminal it is, and the group that may use it; referenced */
};

/* --- life -------------------------------------------------------------------------------------------- */

/* tty_init - a zeroed struct tty that is part of the driver's: buffers, settings as after power-on. One
 * reference. 0 or -ENOMEM. tty_free_buffers - undo. */
int tty_init(struct tty *, const struct tty_driver *, u64 rdev);
void tty_free_buffers(struct tty *);
void tty_get(struct tty *);
void tty_put(struct tty *);

void tty_lock(struct tty *);
/* tty_unlock - release, then send the signals that were typed. May take process_tree_lock. */
void tty_unlock(struct tty *);

/* tty_ops - of device files that mean a terminal by their number: the serial port, /dev/console, /dev/tty.
 * pts_ops - of names in devpts, whose inode->private_data is the terminal. */
extern const struct file_ops tty_ops, pts_ops;

/* tty_attach_file - make f an opening of this terminal, whose reference it takes over in any case. Takes
 * tty->lock. For drivers' open and TIOCGPTPEER. 0, -EBUSY (TIOCEXCL), -EIO (master gone or pty locked), -ENOMEM */
int tty_attach_file(struct file *, struct tty *);

/* --- data -------------------------------------------------------------------------------------------- */

/* tty_receive - bytes came in on the line.
 *  needs: lock   returns: how many were taken; fewer than n when programs have to read first */
size_t tty_receive(struct tty *, const u8 *bytes, size_t n);
/* tty_has_input_room - would it take at least one? Needs the lock, or the answer is a hint. */
bool tty_has_input_room(const struct tty *);
/* tty_output_resume - out has room again: waiting echo goes into it, writers are woken. Needs the lock. */
void tty_output_resume(struct tty *);

static inline u32 tty_ring_used(const struct tty_ring *r)
{
	return READ_ONCE(r->head) - READ_ONCE(r->tail);
}
static inline u32 tty_ring_room(const struct tty_ring *r)
{
	return r->size - tty_ring_used(r);
}
/* tty_ring_peek - the oldest bytes that lie together; *n is how many. */
static inline const u8 *tty_ring_peek(const struct tty_ring *r, u32 *n)
{
	u32 at = r->tail & (r->size - 1);

	*n = MIN(tty_ring_used(r), r->size - at);
	return r->data + at;
}
/* tty_ring_put, tty_ring_take - copy in (there is room) and out (up to n bytes; returns how many). */
void tty_ring_put(struct tty_ring *, const u8 *, u32 n);
u32 tty_ring_take(struct tty_ring *, u8 *, u32 n);

/* --- settings ---------------------------------------------------------------------------------------- */

/* tty_ioctl - requests that a terminal and the master of a pty answer alike. For a master, `master`
 * is true: no job control. -ENOTTY: not one of those. */
long tty_ioctl_common(struct tty *, struct file *, unsigned cmd, vaddr_t arg, bool master);

/* --- sessions: tty_session.c ------------------------------------------------------------------------- */

/* tty_hangup - all open files but those of /dev/console become dead, the session loses its terminal, its leader
 * gets SIGHUP and SIGCONT, with `leader_exits` the foreground group SIGHUP. Takes both locks. */
void tty_hangup(struct tty *, bool leader_exits);
/* tty_signal_foreground - send each signal of a set to the foreground group. Takes process_tree_lock. */
void tty_signal_foreground(struct tty *, u32 signals);
/* tty_leader_exits - p, the last thread of which is exiting, leads a session: nobody has its terminal any
 * more. No lock held. */
void tty_leader_exits(struct process *);
/* tty_describe - for /proc/PID/stat: device number (0: none) and foreground group (-1) of p's terminal. */
void tty_describe(struct process *, u64 *rdev, int *foreground);

/* --- the system console: tty_serial.c ---------------------------------------------------------------- */

/* tty_serial_init - the terminal on the serial port, the thread that reads it, and the device files of all
 * terminals. Boot, once threads run and there are names. */
void tty_serial_init(void);
/* tty_serial_name - "ttyS0" or "ttyAMA0": what /dev/console is. tty_serial_rdev - its device number. */
const char *tty_serial_name(void);
u64 tty_serial_rdev(void);
/* tty_console_names - of all devices that the console is on, the one that most programs want last. */
const char *tty_console_names(void);
/* tty_serial_get - it, with a reference, if it has this device number, or is the screen's; 0: any. */
struct tty *tty_serial_get(u64 rdev);
/* tty_serial_drain - wait up to a second until all output is sent: before the power goes. Sleeps. */
void tty_serial_drain(void);

/* --- pseudo terminals: pty.c, fs/devpts.c ------------------------------------------------------------ */

extern const struct file_ops ptmx_ops;
