/* SPDX-License-Identifier: MIT */
/*
 * printk.c - kernel messages: formatted into a ring and written to the console.
 *
 * A message is put together on the stack and handed on in pieces of whole lines, so that the lines of
 * different CPUs do not mix; only one longer than LINE_MAX is passed on in parts. The ring keeps the
 * last RING_SIZE bytes for those who ask later.
 *
 * Locks: ring_lock (RANK_CONSOLE) for the ring and for whether a line is open. It is released before
 * the console, which has a lock of the same rank, is called.
 */
#include "drivers/console.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "lib/printf.h"
#include "lib/string.h"

#define RING_SIZE 16384 /* a power of two */
#define LINE_MAX  240

static struct spinlock ring_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char ring[RING_SIZE];
static u64 ring_head; /* bytes ever written */
static bool line_open;

struct message {
	char text[LINE_MAX];
	size_t length;
};

static void ring_append(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[(ring_head + i) % RING_SIZE] = text[i];
	ring_head += n;
}

static void message_flush(struct message *m)
{
	unsigned long irq;

	if (!m->length)
		return;
	irq = spin_lock_irqsave(&ring_lock);
	ring_append(m->text, m->length);
	line_open = m->text[m->length - 1] != '\n';
	spin_unlock_irqrestore(&ring_lock, irq);
	console_write(m->text, m->length);
	m->length = 0;
}

static void message_put(void *ctx, const char *text, size_t n)
{
	struct message *m = ctx;

	while (n) {
		size_t part = MIN(n, sizeof(m->text) - m->length);

		memcpy(m->text + m->length, text, part);
		m->length += part;
		text += part;
		n -= part;
		if (m->length == sizeof(m->text))
			message_flush(m);
	}
}

/* printk - see printk.h.
 *  context: any but inside the console   sleeps: no   fails: no */
void printk(const char *fmt, ...)
{
	struct message m;
	u64 now = time_now();
	va_list args;

	m.length = 0;
	if (!READ_ONCE(line_open))
		m.length = (size_t)snprintf(m.text, sizeof(m.text), "[%5lu.%06lu] ",
					    now / NSEC_PER_SEC, now % NSEC_PER_SEC / NSEC_PER_USEC);
	va_start(args, fmt);
	format(message_put, &m, fmt, args);
	va_end(args);
	message_flush(&m);
}

static void raw_put(void *ctx UNUSED, const char *text, size_t n)
{
	console_panic_write(text, n);
}

/* printk_raw - see printk.h. */
void printk_raw(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk_raw(fmt, args);
	va_end(args);
}

/* vprintk_raw - printk_raw for those who have a list of arguments. */
void vprintk_raw(const char *fmt, va_list args)
{
	format(raw_put, NULL, fmt, args);
}

/* printk_ring_read - copy out messages: from *pos on (0: the oldest that is left), up to n bytes.
 *  returns: bytes copied, 0 at the end; *pos is where to go on   context: any */
size_t printk_ring_read(u64 *pos, char *buf, size_t n)
{
	unsigned long irq = spin_lock_irqsave(&ring_lock);
	u64 oldest = ring_head > RING_SIZE ? ring_head - RING_SIZE : 0;
	size_t copied = 0;

	*pos = MIN(MAX(*pos, oldest), ring_head);
	while (copied < n && *pos < ring_head)
		buf[copied++] = ring[(*pos)++ % RING_SIZE];
	spin_unlock_irqrestore(&ring_lock, irq);
	return copied;
}

/* printk_ratelimit - may a message be printed that user space can cause as often as it likes? Ten
 * at once, then one per second, for all callers together. Any context. */
bool printk_ratelimit(void)
{
	static u64 next_ns, credit = 10;
	unsigned long irq = spin_lock_irqsave(&ring_lock);
	u64 now = time_now();
	bool allowed;

	if (now >= next_ns) {
		credit = MIN(credit + 1 + (now - next_ns) / NSEC_PER_SEC, 10ull);
		next_ns = now + NSEC_PER_SEC;
	}
	allowed = credit > 0;
	if (allowed)
		credit--;
	spin_unlock_irqrestore(&ring_lock, irq);
	return allowed;
}
