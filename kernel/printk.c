/* SPDX-License-Identifier: MIT */
/*
 * printk.c - kernel messages: formatted into a ring and written to the console.
 *
 * A message is put together on the stack and handed on in pieces of whole lines, so that the lines of
 * different CPUs do not mix; only one longer than LINE_MAX is passed on in parts. The ring keeps the
 * last RING_SIZE bytes for those who ask later, and a table tells where each of the last lines lies in it,
 * when it came and how important it is.
 *
 * Locks: ring_lock (RANK_CONSOLE) for the ring, the lines and for whether a line is open. It is released before
 * the console, which has a lock of the same rank, is called. Nobody can be woken from here: a message may be
 * printed with any lock held.
 */
#include "drivers/console.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

#define RING_SIZE 16384 /* a power of two */
#define LINE_MAX  240
#define MAX_LINES 256
#define PRIORITY  6 /* of the kernel's own messages: facility 0, informational */

static struct spinlock ring_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char ring[RING_SIZE];
static u64 ring_head; /* bytes ever written */
static bool line_open;

struct line {
	u64 start; /* in the ring: bytes written before it, time stamp not included */
	u64 ns;
	u32 len; /* without the newline */
	u32 priority;
};

static struct line
	lines[MAX_LINES]; /* number n in lines[n % MAX_LINES]; the one that is open in its place */
static u64 nr_lines;      /* ever completed */
unsigned printk_console_level = 7; /* [a] */

struct message {
	char text[LINE_MAX];
	size_t length;
	size_t stamp; /* bytes of the time stamp at the beginning of text */
	u64 ns;
	u32 priority;
};

static void ring_append(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[(ring_head + i) % RING_SIZE] = text[i];
	ring_head += n;
}

/* note_lines - enter what begins and ends in a message that goes to position `at` of the ring. */
static void note_lines(const struct message *m, u64 at)
{
	bool open = line_open;

	for (size_t i = 0; i < m->length; i++) {
		struct line *l = &lines[nr_lines % MAX_LINES];

		if (!open)
			*l = (struct line){at + i + (i ? 0 : m->stamp), m->ns, 0, m->priority};
		open = m->text[i] != '\n';
		if (!open) {
			l->len = (u32)(at + i - l->start);
			nr_lines++;
		}
	}
}

static void message_flush(struct message *m)
{
	unsigned long irq;

	if (!m->length)
		return;
	irq = spin_lock_irqsave(&ring_lock);
	note_lines(m, ring_head);
	ring_append(m->text, m->length);
	line_open = m->text[m->length - 1] != '\n';
	spin_unlock_irqrestore(&ring_lock, irq);
	if ((m->priority & 7) < atomic_load(&printk_console_level))
		console_write(m->text, m->length);
	m->length = m->stamp = 0;
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

static void message_begin(struct message *m, u32 priority)
{
	m->length = m->stamp = 0;
	m->priority = priority;
	m->ns = time_now();
	if (READ_ONCE(line_open))
		return;
	m->length = (size_t)snprintf(m->text, sizeof(m->text), "[%5lu.%06lu] ",
				     m->ns / NSEC_PER_SEC, m->ns % NSEC_PER_SEC / NSEC_PER_USEC);
	m->stamp = m->length;
}

/* printk - see printk.h.
 *  context: any but inside the console   sleeps: no   fails: no */
void printk(const char *fmt, ...)
{
	struct message m;
	va_list args;

	message_begin(&m, PRIORITY);
	va_start(args, fmt);
	format(message_put, &m, fmt, args);
	va_end(args);
	message_flush(&m);
}

/* printk_from_user - see printk.h. */
void printk_from_user(u32 priority, const char *text, size_t n)
{
	struct message m;

	message_begin(&m, priority);
	message_put(&m, text, n);
	message_put(&m, "\n", 1);
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

u64 printk_next_line(void)
{
	return atomic_load(&nr_lines);
}

u64 printk_read_line(u64 nr, struct printk_line *out, char *text, size_t size)
{
	unsigned long irq = spin_lock_irqsave(&ring_lock);
	u64 oldest = ring_head > RING_SIZE ? ring_head - RING_SIZE : 0;
	const struct line *l;

	if (nr_lines > MAX_LINES - 1)
		nr = MAX(nr, nr_lines - (MAX_LINES - 1)); /* one place is the open line's */
	while (nr < nr_lines && lines[nr % MAX_LINES].start < oldest)
		nr++;
	l = &lines[nr % MAX_LINES];
	if (nr < nr_lines) {
		*out = (struct printk_line){l->ns, l->priority, MIN((size_t)l->len, size)};
		for (size_t i = 0; i < out->len; i++)
			text[i] = ring[(l->start + i) % RING_SIZE];
	}
	spin_unlock_irqrestore(&ring_lock, irq);
	return nr;
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
