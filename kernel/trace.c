/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the event rings, and how events read.
 *
 * Each CPU writes its own ring without a lock. An interrupt that records in the middle of another record
 * may take the same slot; then one of the two events is lost, never mixed, because the interrupted one
 * writes all of its fields afterwards or has written all of them before.
 *
 * The dump merges the rings by time. It runs when the other CPUs are stopped; events they were just
 * writing may be wrong.
 */
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "mm/phys/slab.h"

#define LINE_MAX 160

static struct trace_ring boot_ring;
PERCPU struct trace_ring *trace_ring = &boot_ring;

/* How an event is printed, with its four words as arguments. */
static const char *const formats[TRACE_NR] = {
	[TRACE_BOOT] = "boot stage %lu (%lu)",
	[TRACE_SWITCH] = "switch thread %lu -> %lu",
	[TRACE_FAULT] = "fault %#lx flags %#lx ip %#lx result %lu",
	[TRACE_SLOT] = "slot %#lx kinds %#lx old %#lx new %#lx",
	[TRACE_COW] = "cow %#lx kind %lu old pfn %#lx new pfn %#lx",
	[TRACE_FLUSH] = "flush %#lx - %#lx reason %lu tables %lu",
	[TRACE_SYSCALL] = "system call %lu = %ld",
	[TRACE_SIGNAL] = "signal to %lu: %lu code %ld address %#lx",
	[TRACE_EXEC] = "exec by %lu entry %#lx stack %#lx",
	[TRACE_EXIT] = "exit of %lu status %#lx",
};

/* trace - record an event on this CPU. Any context. */
void trace(enum trace_kind kind, u64 a, u64 b, u64 c, u64 d)
{
	trace_at(time_now(), kind, a, b, c, d);
}

/* trace_init_cpus - a ring for each further CPU; one that gets none shares the boot CPU's. Boot CPU, before
 * the others start. Sleeps. */
void trace_init_cpus(void)
{
	for (unsigned cpu = 1; cpu < nr_cpus; cpu++) {
		struct trace_ring *ring = kmalloc(sizeof(*ring), PA_ZERO);

		cpu_var(trace_ring, cpu) = ring ? ring : &boot_ring;
	}
}

static struct trace_ring *ring_of(unsigned cpu)
{
	struct trace_ring *ring = cpu_var(trace_ring, cpu);

	return cpu && ring == &boot_ring ? NULL : ring;
}

/* Newest event before cursor[cpu] of any CPU; MAX_CPUS when no ring has more. */
static unsigned newest_before(const u64 *cursor)
{
	unsigned best = MAX_CPUS;
	u64 best_time = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		struct trace_ring *ring = ring_of(cpu);
		const struct trace_event *e;

		if (!ring || cursor[cpu] == 0 || ring->head - cursor[cpu] >= TRACE_RING_EVENTS)
			continue;
		e = &ring->events[(cursor[cpu] - 1) % TRACE_RING_EVENTS];
		if (best == MAX_CPUS || e->time >= best_time) {
			best = cpu;
			best_time = e->time;
		}
	}
	return best;
}

static unsigned oldest_at(const u64 *cursor)
{
	unsigned best = MAX_CPUS;
	u64 best_time = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		struct trace_ring *ring = ring_of(cpu);
		const struct trace_event *e;

		if (!ring || cursor[cpu] >= ring->head)
			continue;
		e = &ring->events[cursor[cpu] % TRACE_RING_EVENTS];
		if (best == MAX_CPUS || e->time < best_time) {
			best = cpu;
			best_time = e->time;
		}
	}
	return best;
}

/* format_event - as a line; its length, cut to what fits. */
static size_t format_event(unsigned cpu, const struct trace_event *e, char *line, size_t size)
{
	const char *fmt = e->kind < TRACE_NR ? formats[e->kind] : NULL;
	size_t n;

	n = (size_t)snprintf(line, size, "[%5lu.%06lu] cpu %u: ", e->time / NSEC_PER_SEC,
			     e->time % NSEC_PER_SEC / NSEC_PER_USEC, cpu);
	if (fmt)
		n += (size_t)snprintf(line + n, size - n, fmt, e->arg[0], e->arg[1], e->arg[2],
				      e->arg[3]);
	else
		n += (size_t)snprintf(line + n, size - n, "event %lu: %#lx %#lx %#lx %#lx", e->kind,
				      e->arg[0], e->arg[1], e->arg[2], e->arg[3]);
	n = MIN(n, size - 1);
	if (e->kind == TRACE_SWITCH)
		n += (size_t)snprintf(line + n, size - n, " (%.8s)", (const char *)&e->arg[2]);
	n = MIN(n, size - 2);
	line[n++] = '\n';
	line[n] = 0;
	return n;
}

static void print_event(unsigned cpu, const struct trace_event *e,
			void (*print)(const char *fmt, ...))
{
	char line[LINE_MAX];

	format_event(cpu, e, line, sizeof(line));
	print("%s", line);
}

/* trace_dump - see trace.h. One caller at a time. */
void trace_dump(unsigned n, void (*print)(const char *fmt, ...))
{
	static u64 cursor[MAX_CPUS];
	unsigned cpu;

	for (cpu = 0; cpu < nr_cpus; cpu++)
		cursor[cpu] = ring_of(cpu) ? ring_of(cpu)->head : 0;
	for (; n && (cpu = newest_before(cursor)) < MAX_CPUS; n--)
		cursor[cpu]--;
	while ((cpu = oldest_at(cursor)) < MAX_CPUS)
		print_event(cpu, &ring_of(cpu)->events[cursor[cpu]++ % TRACE_RING_EVENTS], print);
}

/* --- reading while others write --------------------------------------------------------------------------- */

struct trace_cursor {
	u64 next[MAX_CPUS]; /* of each ring */
};

struct trace_cursor *trace_cursor_create(void)
{
	return kmalloc(sizeof(struct trace_cursor), PA_ZERO);
}

void trace_cursor_free(struct trace_cursor *c)
{
	kfree(c);
}

/* Half a ring is left for those that are written while we read. */
void trace_cursor_begin(struct trace_cursor *c)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		u64 head = ring_of(cpu) ? READ_ONCE(ring_of(cpu)->head) : 0;

		c->next[cpu] = head > TRACE_RING_EVENTS / 2 ? head - TRACE_RING_EVENTS / 2 : 0;
	}
}

size_t trace_cursor_next(struct trace_cursor *c, char *line, size_t size)
{
	unsigned cpu;

	while ((cpu = oldest_at(c->next)) < MAX_CPUS) {
		struct trace_ring *ring = ring_of(cpu);
		u64 at = c->next[cpu]++;
		struct trace_event e = ring->events[at % TRACE_RING_EVENTS];

		/* Not what has been overwritten, or may have been in this moment. */
		smp_rmb();
		if (READ_ONCE(ring->head) - at < TRACE_RING_EVENTS)
			return format_event(cpu, &e, line, size);
	}
	return 0;
}
