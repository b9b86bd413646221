/* SPDX-License-Identifier: MIT */
/*
 * tty_serial.c - the terminal on the serial port: ttyS0 or ttyAMA0, and /dev/console. Where there is a screen it
 * is the same terminal, under the names tty0 and tty1: what is typed on either side goes to the same programs, and
 * what they print is seen on both.
 *
 * The interrupt only stores what was received (console.c); a kernel thread takes it from there through the
 * line discipline. Output goes to the port directly as long as it takes it. What is left then, because the
 * port is as slow as serial ports are, the thread sends bit by bit, and so does a writer who waits for room:
 * a FIFO of 16 bytes at 115200 bits per second is empty after about a millisecond. `polling` says, under the
 * terminal's lock, that the thread will look by itself; otherwise whoever leaves something behind wakes it.
 *
 * Kernel messages go to the same port on a path of their own (console_write), so lines of both may mix.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "boot/boot_info.h"
#include "drivers/console.h"
#include "drivers/fbcon.h"
#include "drivers/tty_internal.h"
#include "fs/vfs.h"
#include "kernel/printk.h"
#include "kernel/thread.h"
#include "kernel/time.h"

#define POLL_NS      NSEC_PER_MSEC
#define FULL_NS      (10 * NSEC_PER_MSEC) /* the same while programs do not read what was typed */
#define DRAIN_ROUNDS 1000
#define CHUNK        128

#define DEV_SCREEN   DEV_MAKE(4, 0)
#define DEV_SCREEN_1 DEV_MAKE(4, 1)

static struct tty serial;
static bool polling; /* serial.lock */

static bool is_pl011(void)
{
	return boot_info.console.kind == BOOT_UART_PL011;
}

const char *tty_serial_name(void)
{
	return is_pl011() ? "ttyAMA0" : "ttyS0";
}

u64 tty_serial_rdev(void)
{
	return is_pl011() ? DEV_MAKE(204, 64) : DEV_MAKE(4, 64);
}

/* tty_console_names - see tty.h. */
const char *tty_console_names(void)
{
	if (!console_has_screen())
		return tty_serial_name();
	if (!console_has_port())
		return "tty0";
	return is_pl011() ? "tty0 ttyAMA0" : "tty0 ttyS0";
}

static bool is_screen(u64 rdev)
{
	return console_has_screen() && (rdev == DEV_SCREEN || rdev == DEV_SCREEN_1);
}

struct tty *tty_serial_get(u64 rdev)
{
	if (!serial.driver || (rdev && rdev != serial.rdev && !is_screen(rdev)))
		return NULL;
	tty_get(&serial);
	return &serial;
}

/* --- driver ------------------------------------------------------------------------------------------ */

/* has_work - there is output that the port has not taken yet, and may take. */
static bool has_work(const struct tty *t)
{
	return tty_ring_used(&t->out) && !t->stopped && !t->stopped_by_program;
}

static void serial_start(struct tty *t)
{
	const u8 *bytes;
	size_t sent = 1;
	u32 n;

	while (sent && has_work(t)) {
		bytes = tty_ring_peek(&t->out, &n);
		sent = console_send(bytes, n);
		WRITE_ONCE(t->out.tail, t->out.tail + (u32)sent);
	}
	if (has_work(t) && !polling) {
		polling = true;
		console_wake_reader();
	}
}

static void serial_flush_output(struct tty *t)
{
	t->out.tail = t->out.head;
}

/* The rate and format of the line are what firmware has set. */
static void serial_set_termios(struct tty *t, const struct uapi_termios2 *old)
{
	t->termios.c_cflag =
		(old->c_cflag & ~(u32)(HUPCL | CLOCAL)) | (t->termios.c_cflag & (HUPCL | CLOCAL));
	t->termios.c_ispeed = old->c_ispeed;
	t->termios.c_ospeed = old->c_ospeed;
}

static void serial_free(struct tty *t)
{
	panic("the reference that the driver holds on terminal %p was dropped", (void *)t);
}

static const struct tty_driver serial_driver = {
	.poll_ns = POLL_NS,
	.start = serial_start,
	.flush_output = serial_flush_output,
	.set_termios = serial_set_termios,
	.free = serial_free,
};

/* --- input ------------------------------------------------------------------------------------------- */

/* type - all of it, waiting for readers when they are behind. */
static void type(struct tty *t, const u8 *bytes, size_t n)
{
	while (n) {
		size_t taken;
		int ignored;

		tty_lock(t);
		taken = tty_receive(t, bytes, n);
		tty_unlock(t);
		bytes += taken;
		n -= taken;
		if (!n)
			break;
		ignored = wait_event_deadline(&t->typists, tty_has_input_room(t),
					      WAIT_UNINTERRUPTIBLE, time_now() + FULL_NS);
		(void)ignored;
	}
}

static void serial_main(void *arg)
{
	struct tty *t = arg;
	u8 bytes[CHUNK];

	for (;;) {
		size_t n = console_take(bytes, sizeof(bytes));
		bool poll;

		type(t, bytes, n);
		tty_lock(t);
		polling = true; /* whatever happens, we are awake */
		tty_output_resume(t);
		poll = polling = has_work(t);
		tty_unlock(t);
		console_wait_input(poll ? time_now() + POLL_NS : 0);
	}
}

/* --- boot and power off ------------------------------------------------------------------------------ */

/* A serial line does not tell how large the window at its other end is; a screen does. */
static void add_screen(void)
{
	fbcon_winsize(&serial.winsize);
	device_register("tty0", DEV_SCREEN, 0620, &tty_ops);
	device_register("tty1", DEV_SCREEN_1, 0620, &tty_ops);
}

void tty_serial_init(void)
{
	struct thread *t;

	if (tty_init(&serial, &serial_driver, tty_serial_rdev()))
		panic("no memory for the console's terminal");
	serial.termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	serial.termios.c_ispeed = serial.termios.c_ospeed = 115200;
	device_register(tty_serial_name(), tty_serial_rdev(), 0620, &tty_ops);
	if (console_has_screen())
		add_screen();
	device_register("console", DEV_MAKE(5, 1), 0600, &tty_ops);
	device_register("tty", DEV_MAKE(5, 0), 0666, &tty_ops);
	device_register("ptmx", DEV_MAKE(5, 2), 0666, &ptmx_ops);
	fs_type_register(&devpts_type);
	if (thread_create(&t, "ttyd", serial_main, &serial))
		panic("no memory for the console's thread");
	thread_wake(t);
	thread_put(t);
}

void tty_serial_drain(void)
{
	for (unsigned i = 0; i < DRAIN_ROUNDS && tty_ring_used(&serial.out); i++) {
		tty_lock(&serial);
		tty_output_resume(&serial);
		tty_unlock(&serial);
		time_sleep_ns(POLL_NS);
	}
}
