/* SPDX-License-Identifier: MIT */
/*
 * console.c - what people read and type on, shared by printk, user programs and the panic path: a serial port, and
 * a screen with keyboard where there is one.
 *
 * All is written to both and taken from both, unless the command line names one: console=ttyS0 (ttyAMA0) or
 * console=tty0. The rest of this is about the port; the screen is fbcon.c's.
 *
 * Output is sent by busy-waiting, a line at a time under a lock with interrupts off: a console that
 * needs interrupts to speak is silent when it matters. The port is taken when boot_info names one;
 * text that comes before is kept and sent first thing then. The panic path ignores the lock; the
 * worst that can happen is that two CPUs' characters mix.
 *
 * Registers in memory are reached at the address that arch_early_mmio gave: mm_init maps them there
 * again, so that no moment of the boot is mute.
 *
 * Input arrives by interrupt, goes into a ring and wakes its reader. While the ring is full the port
 * is left alone, so that a sender who minds the port's state loses nothing. The ring's lock is separate, so that a long output does not hold up input, and it is
 * released before readers are woken, because wait queues rank below it.
 *
 * Locks: console.lock (port's transmitter, kept text), input.lock (ring); never both.
 */
#include "drivers/console.h"
#include "drivers/fbcon.h"
#include "drivers/keyboard.h"
#include "drivers/screen.h"
#include "drivers/uart.h"
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <uapi/errno.h>
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/string.h"

#define KEPT_SIZE     8192
#define RING_SIZE     1024 /* a power of two */
#define LINE_MAX_HELD 512  /* characters sent before interrupts are let in */
#define TX_PATIENCE   1000000
#define TX_BURST      16 /* bytes of a program's output */
#define POLL_NS       (10 * NSEC_PER_MSEC)

static struct {
	struct spinlock lock;
	struct uart uart; /* .ops NULL: no port known yet */
	bool ready;       /* the port answered */
	bool stuck;       /* the port last refused a byte: do not wait for it again */
	u32 nr_kept, nr_lost;
} console = {.lock = SPINLOCK_INIT(RANK_CONSOLE)};

static char kept[KEPT_SIZE]; /* console.lock */

static u8 ring[RING_SIZE]; /* input.lock */
static struct {
	struct spinlock lock;
	u32 head, tail; /* free-running; head - tail bytes are in the ring */
	bool by_irq;    /* [i] after boot */
	bool wake;      /* [a] console_wake_reader was called */
	struct waitq readers;
} input = {.lock = SPINLOCK_INIT(RANK_CONSOLE), .readers = WAITQ_INIT(input.readers)};

static void send_byte(u8 byte)
{
	const struct uart *u = &console.uart;
	u32 patience = console.stuck ? 1 : TX_PATIENCE;

	while (!u->ops->tx_ready(u)) {
		if (!--patience) {
			console.stuck = true;
			return;
		}
		cpu_relax();
	}
	console.stuck = false;
	u->ops->tx(u, byte);
}

static void send(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			send_byte('\r');
		send_byte((u8)text[i]);
	}
}

static void keep(const char *text, size_t n)
{
	size_t fits = MIN(n, (size_t)KEPT_SIZE - console.nr_kept);

	memcpy(kept + console.nr_kept, text, fits);
	console.nr_kept += (u32)fits;
	console.nr_lost += (u32)(n - fits);
}

static void send_kept(void)
{
	static const char lost[] = "\n[more was written here, but lost]\n";

	send(kept, console.nr_kept);
	if (console.nr_lost)
		send(lost, sizeof(lost) - 1);
	console.nr_kept = console.nr_lost = 0;
}

static const struct uart_ops *ops_for(enum boot_uart_kind kind)
{
	switch (kind) {
	case BOOT_UART_16550_PIO:
	case BOOT_UART_16550_MMIO:
		return &uart_16550_ops;
	case BOOT_UART_PL011:
		return &uart_pl011_ops;
	case BOOT_UART_NONE:
		break;
	}
	return NULL;
}

static bool names_port(void)
{
	return boot_cmdline_has("console=ttyS0") || boot_cmdline_has("console=ttyAMA0");
}

static bool names_screen(void)
{
	return boot_cmdline_has("console=tty0") || boot_cmdline_has("console=tty1") ||
	       boot_cmdline_has("console=tty");
}

/* Both, unless one is named; and the port whatever is named when there is no screen. */
static bool use_port(void)
{
	return names_port() || !names_screen() || !boot_info.framebuffer.base;
}

static bool use_screen(void)
{
	return names_screen() || !names_port();
}

/* console_has_screen - see console.h. */
bool console_has_screen(void)
{
	return fbcon_ready() && use_screen();
}

/* console_has_port - see console.h. */
bool console_has_port(void)
{
	return READ_ONCE(console.ready);
}

/* Takes the port that boot/ found, once it has. */
static bool attach(void)
{
	struct uart *u = &console.uart;
	const struct uart_ops *ops = ops_for(boot_info.console.kind);

	if (console.ready || u->ops || !ops || !use_port())
		return console.ready;
	u->info = boot_info.console;
	if (u->info.kind != BOOT_UART_16550_PIO) {
		u->regs = arch_early_mmio(u->info.base);
		if (!u->regs)
			return false;
	}
	u->ops = ops;
	console.ready = ops->init(u) == 0;
	if (console.ready)
		send_kept();
	return console.ready;
}

/* The length of the piece to send before interrupts are let in: a line, if it is not too long. */
static size_t piece_length(const char *text, size_t n)
{
	const char *newline;

	n = MIN(n, (size_t)LINE_MAX_HELD);
	newline = memchr(text, '\n', n);
	return newline ? (size_t)(newline - text) + 1 : n;
}

static void write_port(const char *text, size_t n)
{
	while (n) {
		size_t piece = piece_length(text, n);
		unsigned long irq = spin_lock_irqsave(&console.lock);

		if (attach())
			send(text, piece);
		else
			keep(text, piece);
		spin_unlock_irqrestore(&console.lock, irq);
		text += piece;
		n -= piece;
	}
}

/* console_write - see console.h. */
void console_write(const char *text, size_t n)
{
	write_port(text, n);
	if (console_has_screen())
		fbcon_print(text, n);
}

/* console_panic_write - see console.h. */
void console_panic_write(const char *text, size_t n)
{
	if (attach())
		send(text, n);
	else
		keep(text, n);
	if (use_screen())
		fbcon_panic_write(text, n);
}

static size_t send_to_port(const u8 *bytes, size_t n)
{
	size_t sent = 0;

	while (sent < n) {
		unsigned long irq = spin_lock_irqsave(&console.lock);
		size_t end = MIN(n, sent + TX_BURST);
		bool ready = true;

		while (sent < end && (ready = console.uart.ops->tx_ready(&console.uart)))
			console.uart.ops->tx(&console.uart, bytes[sent++]);
		spin_unlock_irqrestore(&console.lock, irq);
		if (!ready)
			break;
	}
	return sent;
}

/* A question to the terminal is answered by the one at the other end of the line, if there is a line. */
static void answer_for_screen(void)
{
	u8 reply[SCREEN_REPLY];
	size_t n = fbcon_take_reply(reply);

	if (n && !console_has_port())
		console_receive(reply, n);
}

/* console_send - see console.h. */
size_t console_send(const u8 *bytes, size_t n)
{
	size_t sent = console_has_port() ? send_to_port(bytes, n) : n;

	if (sent && console_has_screen()) {
		fbcon_write(bytes, sent);
		answer_for_screen();
	}
	return sent;
}

/* Moves what the port has received into the ring. True when there was something. Lock held. */
static bool receive_locked(void)
{
	const struct uart *u = &console.uart;
	u32 head = input.head;
	bool received;
	int byte;

	/* Bounded by the ring, also for a port that has gone away and claims to have data for ever. */
	while (head - input.tail < RING_SIZE && (byte = u->ops->rx(u)) >= 0)
		ring[head++ % RING_SIZE] = (u8)byte;
	if (head - input.tail == RING_SIZE && input.by_irq)
		u->ops->rx_irq_enable(u, false);
	received = head != input.head;
	WRITE_ONCE(input.head, head);
	return received;
}

/* console_receive - see console.h. */
void console_receive(const u8 *bytes, size_t n)
{
	unsigned long irq = spin_lock_irqsave(&input.lock);
	u32 head = input.head;

	for (size_t i = 0; i < n && head - input.tail < RING_SIZE; i++)
		ring[head++ % RING_SIZE] = bytes[i];
	WRITE_ONCE(input.head, head);
	spin_unlock_irqrestore(&input.lock, irq);
	waitq_wake_all(&input.readers);
}

static bool receive(void)
{
	unsigned long irq = spin_lock_irqsave(&input.lock);
	bool received = receive_locked();

	spin_unlock_irqrestore(&input.lock, irq);
	return received;
}

static void handle_irq(void *arg)
{
	(void)arg;
	console.uart.ops->irq_ack(&console.uart);
	if (receive())
		waitq_wake_all(&input.readers);
}

static void start_port_input(void)
{
	const struct uart *u = &console.uart;
	int err;

	if (!console.ready) {
		printk("console: no serial port%s\n",
		       use_port() ? "" : ", as the command line asks");
		return;
	}
	err = u->info.irq == BOOT_NO_IRQ
		      ? -ENOENT
		      : irq_register(u->info.irq, handle_irq, NULL, u->ops->name);
	input.by_irq = err == 0;
	if (input.by_irq)
		u->ops->rx_irq_enable(u, true);
	printk("console: %s at 0x%lx, input %s\n", u->ops->name, u->info.base,
	       input.by_irq ? "by interrupt" : "polled");
}

/* console_start_input - see console.h. */
void console_start_input(void)
{
	start_port_input();
	if (console_has_screen()) /* who types wants to see it */
		i8042_start();
}

size_t console_take(u8 *buf, size_t n)
{
	unsigned long irq = spin_lock_irqsave(&input.lock);
	bool was_full = input.head - input.tail == RING_SIZE;
	size_t taken = 0;

	while (taken < n && input.tail != input.head)
		buf[taken++] = ring[input.tail++ % RING_SIZE];
	if (was_full && taken && input.by_irq) {
		console.uart.ops->rx_irq_enable(&console.uart, true);
		receive_locked(); /* what is in the port by now may raise no interrupt */
	}
	spin_unlock_irqrestore(&input.lock, irq);
	return taken;
}

static bool has_input(void)
{
	return READ_ONCE(input.head) != READ_ONCE(input.tail) || READ_ONCE(input.wake);
}

void console_wake_reader(void)
{
	WRITE_ONCE(input.wake, true);
	waitq_wake_all(&input.readers);
}

void console_wait_input(u64 deadline_ns)
{
	bool polled = console.ready && !input.by_irq;
	int ignored;

	if (polled) {
		u64 next = time_now() + POLL_NS;

		receive();
		deadline_ns = deadline_ns ? MIN(deadline_ns, next) : next;
	}
	ignored =
		wait_event_deadline(&input.readers, has_input(), WAIT_UNINTERRUPTIBLE, deadline_ns);
	(void)ignored;
}
