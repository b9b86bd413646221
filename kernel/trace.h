/* SPDX-License-Identifier: MIT */
/*
 * trace.h - a per-CPU ring of the last kernel events, for panics and for user space.
 *
 * Recording is a few stores and takes no lock. An event is a kind and four words whose meaning
 * kernel/trace.c knows how to print.
 */
#pragma once

#include <quire/types.h>
#include "kernel/percpu.h"

enum trace_kind {
	TRACE_NONE,
	TRACE_BOOT,    /* a: milestone number, b: instruction or ns */
	TRACE_SWITCH,  /* a: from thread id, b: to thread id, c: first letters of its name */
	TRACE_FAULT,   /* a: address, b: flags, c: ip, d: result */
	TRACE_SLOT,    /* a: address, b: from kind<<8|to kind, c: old value, d: new value */
	TRACE_COW,     /* a: address, b: 0 copy 1 reuse 2 unshare, c: old pfn, d: new pfn */
	TRACE_FLUSH,   /* a: lo, b: hi, c: reason, d: tables were freed */
	TRACE_SYSCALL, /* a: number, b: result */
	TRACE_SIGNAL,  /* a: pid, b: signal, c: code, d: address */
	TRACE_EXEC,    /* a: pid, b: entry, c: stack */
	TRACE_EXIT,    /* a: pid, b: status */
	TRACE_NR
};

#define TRACE_RING_EVENTS 256 /* a power of two */

struct trace_event {
	u64 time;
	u64 kind;
	u64 arg[4];
};

struct trace_ring {
	u64 head; /* events ever recorded */
	struct trace_event events[TRACE_RING_EVENTS];
};

extern PERCPU struct trace_ring *trace_ring;

void trace(enum trace_kind, u64 a, u64 b, u64 c, u64 d);

/* trace_at - trace with a clock that was just read, without a call. */
static ALWAYS_INLINE void trace_at(u64 now, enum trace_kind kind, u64 a, u64 b, u64 c, u64 d)
{
	struct trace_ring *ring = this_cpu(trace_ring);
	struct trace_event *e = &ring->events[ring->head++ % TRACE_RING_EVENTS];

	e->time = now;
	e->kind = kind;
	e->arg[0] = a;
	e->arg[1] = b;
	e->arg[2] = c;
	e->arg[3] = d;
}

/* trace_dump - print the newest n events of all CPUs, oldest first, by time. For the panic path. */
void trace_dump(unsigned n, void (*print)(const char *fmt, ...));
/* trace_cursor_create - for reading the rings while they are written; NULL: memory. trace_cursor_begin - from the
 * oldest events that are there on. trace_cursor_next - one event as a line of less than size bytes; its
 * length, 0: no more up to now. trace_cursor_free - NULL is fine. */
struct trace_cursor;
struct trace_cursor *trace_cursor_create(void);
void trace_cursor_begin(struct trace_cursor *);
size_t trace_cursor_next(struct trace_cursor *, char *line, size_t size);
void trace_cursor_free(struct trace_cursor *);
/* trace_init_cpus - a ring for each further CPU. Boot CPU, after percpu_init. Sleeps. */
void trace_init_cpus(void);
