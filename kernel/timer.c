/* SPDX-License-Identifier: MIT */
/*
 * timer.c - one-shot timers: per CPU, a tree ordered by deadline.
 *
 * A timer is armed on the CPU that asks for it and fires there. The hardware is programmed for the first
 * deadline only when that one comes earlier than what it is programmed for already; when a timer is
 * cancelled the hardware is left alone, and the interrupt that nothing is due for finds out the next
 * deadline. So a deadline that is set and cancelled again and again, which is what they mostly do, costs
 * two tree operations. A CPU without timers has no interrupts.
 *
 * Locks: the base's lock (RANK_TIMER, interrupts off) for its tree and the fields of timers in it. It is
 * not held while a callback runs; `running` tells timer_cancel whom to wait for.
 */
#include <arch/cpu.h>
#include <arch/timer.h>
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/time.h"
#include "lib/atomic.h"

#define NEVER (~0ull)

struct timer_base {
	struct spinlock lock;
	struct rb_root tree;
	struct rb_node *first; /* earliest deadline */
	struct timer *running; /* [a] its callback is being called */
	u64 programmed;        /* what the hardware waits for; only this CPU */
};

static PERCPU struct timer_base timer_base = {
	.lock = SPINLOCK_INIT(RANK_TIMER),
	.programmed = NEVER,
};

/* timer_init - a timer that is not armed and will call fn(timer). */
void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->armed = false;
	t->cpu = 0;
	t->deadline = 0;
}

static void timer_insert(struct timer_base *base, struct timer *t)
{
	struct rb_node **link = &base->tree.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		bool later;

		parent = *link;
		later = t->deadline >= rb_entry(parent, struct timer, node)->deadline;
		leftmost = leftmost && !later;
		link = &parent->child[later];
	}
	rb_insert(&base->tree, &t->node, parent, link, NULL);
	if (leftmost)
		base->first = &t->node;
	t->armed = true;
}

static void timer_remove(struct timer_base *base, struct timer *t)
{
	if (base->first == &t->node)
		base->first = rb_next(&t->node);
	rb_erase(&base->tree, &t->node, NULL);
	t->armed = false;
}

/* Interrupts off, on the base's CPU. */
static void timer_program(struct timer_base *base, u64 deadline)
{
	if (deadline != base->programmed) {
		base->programmed = deadline;
		arch_timer_arm(deadline);
	}
}

/* Take t off its base if it is armed; its base may change until its lock is held. Interrupts off. */
static bool timer_disarm(struct timer *t)
{
	for (;;) {
		u32 cpu = atomic_load(&t->cpu);
		struct timer_base *base = &cpu_var(timer_base, cpu);
		bool armed;

		spin_lock(&base->lock);
		if (atomic_load(&t->cpu) == cpu) {
			armed = t->armed;
			if (armed)
				timer_remove(base, t);
			spin_unlock(&base->lock);
			return armed;
		}
		spin_unlock(&base->lock);
	}
}

/* timer_arm - call t->fn once deadline has passed, on this CPU, in the timer interrupt. A timer that is
 * armed already gets the new deadline. The owner sees to it that nobody else arms it at the same time.
 *  context: any, also t's own callback   fails: no */
void timer_arm(struct timer *t, u64 deadline_ns)
{
	unsigned long irq = cpu_irq_save();
	struct timer_base *base = &this_cpu(timer_base);

	if (atomic_load(&t->armed))
		timer_disarm(t);
	spin_lock(&base->lock);
	atomic_store(&t->cpu, cpu_id());
	t->deadline = deadline_ns;
	timer_insert(base, t);
	if (deadline_ns < base->programmed)
		timer_program(base, deadline_ns);
	spin_unlock_irqrestore(&base->lock, irq);
}

/* timer_cancel - see that t does not fire any more.
 *  context: any but its own callback; no lock is held that the callback takes
 *  returns: true when it was armed and has not fired; after false its callback is not running any more */
bool timer_cancel(struct timer *t)
{
	unsigned long irq = cpu_irq_save();
	bool armed = timer_disarm(t);

	cpu_irq_restore(irq);
	if (!armed) {
		/* On this CPU it cannot be running: it would have interrupted us and finished. */
		struct timer_base *base = &cpu_var(timer_base, atomic_load(&t->cpu));

		while (atomic_load_acquire(&base->running) == t)
			cpu_relax();
	}
	return armed;
}

static struct timer *timer_next_due(struct timer_base *base, u64 now)
{
	struct timer *t = rb_entry_safe(base->first, struct timer, node);

	return t && t->deadline <= now ? t : NULL;
}

/* timer_interrupt - call everything that is due and set the hardware for what comes next. */
void timer_interrupt(void)
{
	struct timer_base *base = &this_cpu(timer_base);
	struct timer *t;

	/* Callbacks that arm timers leave the hardware to us. */
	base->programmed = 0;
	spin_lock(&base->lock);
	while ((t = timer_next_due(base, time_now()))) {
		timer_remove(base, t);
		atomic_store(&base->running, t);
		spin_unlock(&base->lock);
		t->fn(t);
		atomic_store_release(&base->running, NULL);
		spin_lock(&base->lock);
	}
	timer_program(base,
		      base->first ? rb_entry(base->first, struct timer, node)->deadline : NEVER);
	spin_unlock(&base->lock);
}
