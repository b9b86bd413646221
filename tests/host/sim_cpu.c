/* SPDX-License-Identifier: MIT */
/*
 * sim_cpu.c - simulated CPUs: threads with per-CPU data, an interrupt flag, calls between CPUs, RCU.
 *
 * Which thread is which CPU is one thread-local number, the offset of its per-CPU area. CPU 0 uses
 * the template itself, as in the kernel. A CPU is running while a thread has its identity; one that
 * is not is idle, holds no references, and lets others act in its place under its lock.
 */
#include "sim.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <arch/cpu.h>
#include <quire/assert.h>
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/smp.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct call {
	void (*fn)(void *);
	void *arg;
	bool done;
};

struct sim_cpu {
	pthread_mutex_t lock; /* running, and whoever acts for an idle CPU */
	bool running;
	struct call *request; /* [a] */
	u64 seen;             /* [a] the RCU epoch of the last quiescent point */
};

_Thread_local uintptr_t sim_percpu_offset;
uintptr_t percpu_offset[MAX_CPUS];
unsigned nr_cpus = 1;
PERCPU unsigned cpu_number;
struct cpumask cpus_online;
unsigned nr_cpus_online;

static struct sim_cpu cpus[SIM_MAX_CPUS];
static _Thread_local struct sim_cpu *self;

/* The interrupt flag; volatile because signal handlers look at it. */
static _Thread_local volatile sig_atomic_t irqs_off;
static _Thread_local volatile sig_atomic_t irq_pending;
static _Thread_local void (*volatile irq_fn)(void);

/* --- per-CPU data ---------------------------------------------------------------------------------- */

extern char __start_percpu[], __stop_percpu[];
static char *percpu_pristine;

/* The sanitizers keep red zones in the section; a copy for another CPU takes them along unseen. */
__attribute__((noinline, no_sanitize("address", "thread", "undefined"))) static void copy_bytes(
	char *dst, const char *src, size_t n)
{
	for (volatile size_t i = 0; i < n; i++)
		dst[i] = src[i];
}

static void percpu_start(unsigned n)
{
	size_t size = (size_t)(__stop_percpu - __start_percpu);

	if (!percpu_pristine) {
		percpu_pristine = malloc(size);
		copy_bytes(percpu_pristine, __start_percpu, size);
	}
	for (unsigned cpu = 0; cpu < n; cpu++) {
		char *area = __start_percpu;

		if (cpu && !percpu_offset[cpu]) {
			area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0);
			BUG_ON(area == MAP_FAILED || area < __start_percpu);
			percpu_offset[cpu] = (uintptr_t)(area - __start_percpu);
		}
		area = __start_percpu + percpu_offset[cpu];
		copy_bytes(area, percpu_pristine, size);
		cpu_var(cpu_number, cpu) = cpu;
	}
}

/* --- interrupts ------------------------------------------------------------------------------------ */

static void deliver(void)
{
	irqs_off = 1;
	irq_pending = 0;
	if (irq_fn)
		irq_fn();
	irqs_off = 0;
}

static void on_signal(int sig)
{
	(void)sig;
	irq_pending = 1;
	if (!irqs_off)
		deliver();
}

unsigned long cpu_irq_save(void)
{
	unsigned long was_on = !irqs_off;

	irqs_off = 1;
	return was_on;
}

void cpu_irq_enable(void)
{
	irqs_off = 0;
	while (irq_pending)
		deliver();
	sim_poll();
}

void cpu_irq_disable(void)
{
	irqs_off = 1;
}

void cpu_irq_restore(unsigned long was_on)
{
	if (was_on)
		cpu_irq_enable();
}

bool cpu_irqs_enabled(void)
{
	return !irqs_off;
}

void cpu_relax(void)
{
	sim_poll();
	sched_yield();
}

void sim_interrupts(void (*fn)(void), unsigned micros)
{
	static _Thread_local timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct itimerspec when = {.it_value.tv_nsec = (long)micros * 1000,
				  .it_interval.tv_nsec = (long)micros * 1000};

	if (!micros) {
		timer_delete(timer);
		irq_fn = NULL;
		irq_pending = 0;
		return;
	}
	irq_fn = fn;
	signal(SIGUSR1, on_signal);
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	BUG_ON(timer_create(CLOCK_MONOTONIC, &event, &timer) != 0);
	BUG_ON(timer_settime(timer, 0, &when, NULL) != 0);
}

/* --- calls between CPUs ---------------------------------------------------------------------------- */

static void serve(struct call *call)
{
	irqs_off = 1;
	call->fn(call->arg);
	irqs_off = 0;
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
}

void sim_poll(void)
{
	struct call *call;

	if (irqs_off || !self || !__atomic_load_n(&self->request, __ATOMIC_RELAXED))
		return;
	call = __atomic_exchange_n(&self->request, NULL, __ATOMIC_ACQ_REL);
	if (call)
		serve(call);
}

/* Acts as an idle CPU; its lock is held, so nobody becomes it meanwhile. */
static void serve_as(unsigned cpu, struct call *call)
{
	uintptr_t own = sim_percpu_offset;

	sim_percpu_offset = percpu_offset[cpu];
	serve(call);
	sim_percpu_offset = own;
}

/* True when the CPU has the request, or the request is done. */
static bool request(unsigned cpu, struct call *call)
{
	struct call *none = NULL;
	bool posted = true;

	pthread_mutex_lock(&cpus[cpu].lock);
	if (!cpus[cpu].running)
		serve_as(cpu, call);
	else
		posted = __atomic_compare_exchange_n(&cpus[cpu].request, &none, call, false,
						     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&cpus[cpu].lock);
	return posted;
}

void smp_call(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
	BUG_ON(irqs_off);
	cpumask_for_each (cpu, mask) {
		struct call call = {.fn = fn, .arg = arg};

		if (cpu == cpu_id() || cpu >= nr_cpus_online)
			continue;
		while (!request(cpu, &call))
			cpu_relax();
		while (!__atomic_load_n(&call.done, __ATOMIC_ACQUIRE))
			cpu_relax();
	}
}

/* --- running --------------------------------------------------------------------------------------- */

static u64 rcu_epoch;

static void cpu_enter(unsigned cpu)
{
	pthread_mutex_lock(&cpus[cpu].lock);
	BUG_ON(cpus[cpu].running);
	cpus[cpu].running = true;
	__atomic_store_n(&cpus[cpu].seen, __atomic_load_n(&rcu_epoch, __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
	sim_percpu_offset = percpu_offset[cpu];
	self = &cpus[cpu];
	irqs_off = 0;
	pthread_mutex_unlock(&cpus[cpu].lock);
}

static void cpu_leave(void)
{
	struct sim_cpu *cpu = self;

	BUG_ON(irqs_off || sim_locks_held());
	pthread_mutex_lock(&cpu->lock);
	sim_poll();
	cpu->running = false;
	self = NULL;
	pthread_mutex_unlock(&cpu->lock);
}

static void forget_callbacks(void);

void sim_start(unsigned n)
{
	static bool locks_made;

	BUG_ON(!n || n > SIM_MAX_CPUS || sim_locks_held());
	for (unsigned cpu = 0; cpu < SIM_MAX_CPUS && !locks_made; cpu++)
		pthread_mutex_init(&cpus[cpu].lock, NULL);
	locks_made = true;
	if (self)
		cpu_leave();
	forget_callbacks();
	sim_percpu_offset = 0;
	percpu_start(n);
	memset(&cpus_online, 0, sizeof(cpus_online));
	for (unsigned cpu = 0; cpu < n; cpu++)
		cpumask_set(&cpus_online, cpu);
	nr_cpus = nr_cpus_online = n;
	cpu_enter(0);
}

struct runner {
	pthread_t thread;
	unsigned cpu;
	void (*fn)(unsigned cpu, void *arg);
	void *arg;
};

static void *run_thread(void *arg)
{
	struct runner *r = arg;

	cpu_enter(r->cpu);
	r->fn(r->cpu, r->arg);
	cpu_leave();
	return NULL;
}

void sim_run(unsigned n, void (*fn)(unsigned cpu, void *arg), void *arg)
{
	struct runner runners[SIM_MAX_CPUS];

	BUG_ON(n > nr_cpus);
	cpu_leave();
	for (unsigned i = 0; i < n; i++) {
		runners[i] = (struct runner){.cpu = i, .fn = fn, .arg = arg};
		BUG_ON(pthread_create(&runners[i].thread, NULL, run_thread, &runners[i]) != 0);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(runners[i].thread, NULL);
	cpu_enter(0);
}

/* --- RCU ------------------------------------------------------------------------------------------- */

/* Callbacks in order of their epochs. One may run once every running CPU has been quiescent since. */
struct callback {
	struct callback *next;
	struct rcu_head *head;
	u64 epoch;
};

static pthread_mutex_t rcu_lock = PTHREAD_MUTEX_INITIALIZER;
static struct callback *rcu_first, **rcu_end = &rcu_first;
static unsigned rcu_queued;
static _Thread_local unsigned rcu_depth;

#ifdef QUIRE_DEBUG
void rcu_read_lock(void)
{
	rcu_depth++;
}

void rcu_read_unlock(void)
{
	BUG_ON(!rcu_depth);
	rcu_depth--;
}
#endif

/* Weak: a program that links kernel/rcu.c has the real one. */
__attribute__((weak)) void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
	struct callback *cb = malloc(sizeof(*cb));

	*head = (struct rcu_head){.fn = fn};
	*cb = (struct callback){.head = head};
	pthread_mutex_lock(&rcu_lock);
	cb->epoch = __atomic_add_fetch(&rcu_epoch, 1, __ATOMIC_SEQ_CST);
	*rcu_end = cb;
	rcu_end = &cb->next;
	rcu_queued++;
	pthread_mutex_unlock(&rcu_lock);
}

/* The memory that queued callbacks lie in goes with the old machine. */
static void forget_callbacks(void)
{
	while (rcu_first) {
		struct callback *cb = rcu_first;

		rcu_first = cb->next;
		free(cb);
	}
	rcu_end = &rcu_first;
	rcu_queued = 0;
}

/* The newest epoch that every running CPU has seen. */
static u64 epoch_seen_by_all(void)
{
	u64 seen = __atomic_load_n(&rcu_epoch, __ATOMIC_SEQ_CST);

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		pthread_mutex_lock(&cpus[cpu].lock);
		if (cpus[cpu].running)
			seen = MIN(seen, __atomic_load_n(&cpus[cpu].seen, __ATOMIC_SEQ_CST));
		pthread_mutex_unlock(&cpus[cpu].lock);
	}
	return seen;
}

static struct callback *take_due(u64 seen)
{
	struct callback *cb;

	pthread_mutex_lock(&rcu_lock);
	cb = rcu_first;
	if (cb && cb->epoch <= seen) {
		rcu_first = cb->next;
		if (!rcu_first)
			rcu_end = &rcu_first;
		rcu_queued--;
	} else {
		cb = NULL;
	}
	pthread_mutex_unlock(&rcu_lock);
	return cb;
}

void sim_quiescent(void)
{
	struct callback *cb;
	u64 seen;

	BUG_ON(rcu_depth);
	__atomic_store_n(&self->seen, __atomic_load_n(&rcu_epoch, __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
	seen = epoch_seen_by_all();
	while ((cb = take_due(seen))) {
		struct rcu_head *head = cb->head;

		free(cb);
		head->fn(head);
	}
}

unsigned sim_rcu_pending(void)
{
	unsigned n;

	pthread_mutex_lock(&rcu_lock);
	n = rcu_queued;
	pthread_mutex_unlock(&rcu_lock);
	return n;
}

__attribute__((weak)) void rcu_synchronize(void)
{
	u64 target = __atomic_add_fetch(&rcu_epoch, 1, __ATOMIC_SEQ_CST);

	do {
		sim_quiescent();
		cpu_relax();
	} while (epoch_seen_by_all() < target);
}

/* --- messages -------------------------------------------------------------------------------------- */

__attribute__((weak)) void printk_raw(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("# ", stdout);
	vprintf(fmt, args);
	va_end(args);
}
