/* SPDX-License-Identifier: MIT */
/*
 * thread.c - making threads and taking them apart.
 *
 * A stack is a mapping of its own with guard pages, which is dear to make and to remove (every CPU has
 * to forget it). So each CPU keeps a few stacks of dead threads for the next new ones. What goes beyond is
 * left to a thread that may sleep, the reaper; the stacks wait for it in a list through their own memory.
 *
 * Life of the struct: one reference for whoever made it, one of its own from the first wake-up until it is
 * dead. The last one gone, RCU frees it.
 */
#include <arch/cpu.h>
#include <arch/thread.h>
#include <quire/assert.h>
#include <uapi/errno.h>
#include "kernel/sched.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"

#define CACHED_STACKS 8

struct stack_cache {
	u32 count;
	vaddr_t stacks[CACHED_STACKS];
};

/* In the lowest word of a stack that waits for the reaper. */
struct surplus_stack {
	struct surplus_stack *next;
};

static PERCPU struct stack_cache stack_cache; /* interrupts off */
static struct surplus_stack *surplus;         /* [a] */
static struct waitq reaper_wait = WAITQ_INIT(reaper_wait);
static struct slab_cache *thread_cache;
static u32 nr_threads;     /* [a] */
static u32 last_thread_id; /* [a] */

/* --- stacks --------------------------------------------------------------------------------------- */

static vaddr_t stack_get(void)
{
	unsigned long irq = cpu_irq_save();
	struct stack_cache *cache = &this_cpu(stack_cache);
	vaddr_t stack = cache->count ? cache->stacks[--cache->count] : 0;

	cpu_irq_restore(irq);
	return stack ? stack : (vaddr_t)vmalloc_stack(KSTACK_SIZE);
}

static void stack_put(vaddr_t stack)
{
	unsigned long irq = cpu_irq_save();
	struct stack_cache *cache = &this_cpu(stack_cache);

	if (cache->count < CACHED_STACKS) {
		cache->stacks[cache->count++] = stack;
	} else {
		struct surplus_stack *s = (struct surplus_stack *)stack;

		s->next = atomic_load(&surplus);
		while (!atomic_cas(&surplus, &s->next, s))
			;
		waitq_wake(&reaper_wait, 1);
	}
	cpu_irq_restore(irq);
}

static void reaper(void *arg UNUSED)
{
	for (;;) {
		struct surplus_stack *s;

		wait_event(&reaper_wait, atomic_load(&surplus), WAIT_UNINTERRUPTIBLE);
		s = atomic_xchg(&surplus, NULL);
		while (s) {
			struct surplus_stack *next = s->next;

			vfree(s);
			s = next;
		}
	}
}

/* --- threads -------------------------------------------------------------------------------------- */

static void init_identity(struct thread *t, const char *name)
{
	strlcpy(t->name, name, sizeof(t->name));
	t->id = atomic_add_return(&last_thread_id, 1u);
	t->cpu = cpu_id();
}

void thread_init_fields(struct thread *t, const char *name)
{
	init_identity(t, name);
	t->weight = 1024;
	memset(&t->affinity, 0xff, sizeof(t->affinity));
}

void thread_init(void)
{
	thread_cache = slab_cache_create("thread", sizeof(struct thread), 0, false);
}

/* thread_start_reaper - let there be someone who frees stacks. Boot, once threads run. */
void thread_start_reaper(void)
{
	struct thread *t;

	if (thread_create(&t, "reaper", reaper, NULL))
		panic("not enough memory for the first thread");
	thread_wake(t);
	thread_put(t);
}

static int alloc_common(struct thread **out)
{
	struct thread *t = slab_alloc(thread_cache, PA_ZERO);

	if (!t)
		return -ENOMEM;
	t->kstack = stack_get();
	if (!t->kstack) {
		slab_free(thread_cache, t);
		return -ENOMEM;
	}
	refcount_init(&t->refs);
	atomic_inc(&nr_threads);
	*out = t;
	return 0;
}

int thread_alloc(struct thread **out, const char *name)
{
	const struct thread *self = current;
	struct thread *t;
	int err = alloc_common(out);

	if (err)
		return err;
	t = *out;
	init_identity(t, name);
	t->nice = self->nice;
	t->weight = self->weight;
	t->affinity = self->affinity;
	return 0;
}

int thread_create(struct thread **out, const char *name, void (*entry)(void *), void *arg)
{
	int err = alloc_common(out);

	if (err)
		return err;
	thread_init_fields(*out, name);
	(*out)->entry = entry;
	(*out)->entry_arg = arg;
	arch_thread_init_kernel(*out);
	return 0;
}

/* thread_get - one more reference; the caller has one already. */
void thread_get(struct thread *t)
{
	refcount_get(&t->refs);
}

static void thread_free(struct rcu_head *head)
{
	struct thread *t = container_of(head, struct thread, rcu);

	if (t->kstack)
		stack_put(t->kstack);
	atomic_dec(&nr_threads);
	slab_free(thread_cache, t);
}

/* thread_count - see thread.h. */
u32 thread_count(void)
{
	return atomic_load(&nr_threads);
}

/* thread_put - one reference fewer. Any context. */
void thread_put(struct thread *t)
{
	if (refcount_put(&t->refs))
		rcu_call(&t->rcu, thread_free);
}

void thread_finish_dead(struct thread *t)
{
	assert(t->state == THREAD_DEAD && t != current);
	stack_put(t->kstack);
	t->kstack = 0;
	thread_put(t);
}
