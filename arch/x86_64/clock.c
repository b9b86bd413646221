/* SPDX-License-Identifier: MIT */
/*
 * clock.c - how much time has passed.
 *
 * The clock of choice is the time stamp counter (TSC): one instruction. It is usable when its rate is
 * constant (a CPUID bit says so; an emulated one always is) and all CPUs' counters agree (smp.c tests
 * that). Its rate must be found out: CPUID leaf 15h tells it on some CPUs, else it is measured for
 * two milliseconds against a counter of known rate. These are tried in order:
 *
 *   HPET	10 MHz or more, memory-mapped, often 32 bits only
 *   PM timer	3.58 MHz, one I/O port, 24 or 32 bits
 *   PIT	1.19 MHz, 16 bits, slow to read; present where nothing else is
 *
 * Without a usable TSC, HPET or PM timer is the clock itself, at a microsecond per reading. Narrow
 * counters are widened in software, so somebody must look at them once per turn (clock_max_sleep).
 *
 * Time 0 is the entry to the kernel.
 *
 * Read next: reference.c (the three counters), timer.c.
 */
#include <quire/assert.h>
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/msr.h>
#include <arch/timer.h>
#include "arch/x86_64/internal.h"
#include "arch/x86_64/reference.h"
#include "kernel/printk.h"
#include "kernel/time.h"
#include "lib/atomic.h"

static struct arch_clock clocks[2];        /* the TSC's, and the one that may replace it */
struct arch_clock *clock_now = &clocks[0]; /* [a] before calibration it shows 0 */
static u64 wide_last;                      /* [a] widened counter at its last reading */
static const struct reference *reference;
static u64 tsc_hz, apic_hz;
static u64 tsc_per_ns, apic_per_ns; /* times 2^32 */
static const char *tsc_source;

/* The factor from a counter of this rate to ns, times 2^32. */
static u64 counter_to_ns(u64 hz)
{
	return (NSEC_PER_SEC << 32) / hz;
}

/* And back: 2^32 * hz / ns per s, for rates that do not leave room for 32 more bits. */
static u64 ns_to_counter(u64 hz)
{
	return (hz / NSEC_PER_SEC << 32) + ((hz % NSEC_PER_SEC << 32) / NSEC_PER_SEC);
}

/* Extend a counter that wraps around. The last value is loaded before the counter is read, so the
 * difference is never negative; when another CPU stores in between, both results are right. */
static u64 wide_read(const struct reference *ref)
{
	u64 last = atomic_load_acquire(&wide_last);
	u64 now = last + ((ref->read() - last) & ref->mask);

	atomic_cas(&wide_last, &last, now);
	return now;
}

u64 clock_read_reference(const struct arch_clock *c)
{
	return clock_ns_at(c, wide_read(c->ref));
}
RARE_FUNCTION(clock_read_reference);

/* arch_clock_params - see arch/timer.h. */
bool arch_clock_params(struct clock_params *out)
{
	const struct arch_clock *c = atomic_load_acquire(&clock_now);

	*out = (struct clock_params){c->counter_base, c->ns_base, c->mult};
	return !c->ref;
}

struct sample {
	u64 tsc, ref;
	u32 apic;
};

/* Read both counters at one moment: the reading with the least time around it of a few. */
static struct sample sample_take(void)
{
	struct sample best = {0};
	u64 least = ~0ul;

	for (unsigned i = 0; i < 4; i++) {
		u64 before = tsc_read(), ref = reference->read(), after = tsc_read();
		u32 apic = apic_timer_left();

		if (after - before < least) {
			least = after - before;
			best = (struct sample){before + least / 2, ref, apic};
		}
	}
	return best;
}

/* A sample at least `ticks` of the reference after another one. */
static struct sample sample_after(const struct sample *from, u64 ticks)
{
	while (((reference->read() - from->ref) & reference->mask) < ticks)
		cpu_relax();
	return sample_take();
}

/* Ticks per second of something that counted n while the reference went from a to b. */
static u64 sample_rate(const struct sample *a, const struct sample *b, u64 n)
{
	return n * reference->hz / ((b->ref - a->ref) & reference->mask);
}

/* Two windows in a row must agree, else the CPU was taken away or changed its speed in between. */
static void calibrate(void)
{
	u64 window = reference->hz / 1000 * reference->window_ms;
	struct sample a, b, c;
	u64 first, second;
	bool agree = false;

	for (unsigned attempt = 0; attempt < 5 && !agree; attempt++) {
		apic_timer_setup(false, true);
		apic_timer_set(~0u);
		a = sample_take();
		b = sample_after(&a, window);
		c = sample_after(&b, window);
		first = sample_rate(&a, &b, b.tsc - a.tsc);
		second = sample_rate(&b, &c, c.tsc - b.tsc);
		agree = (first > second ? first - second : second - first) < first / 1000;
	}
	if (!agree)
		printk("clock: measurements by %s differ: %lu Hz, %lu Hz\n", reference->name, first,
		       second);
	tsc_hz = sample_rate(&a, &c, c.tsc - a.tsc);
	apic_hz = sample_rate(&a, &c, a.apic - c.apic);
	tsc_source = reference->name;
	apic_timer_set(0);
}

/* CPUID leaf 15h: the crystal's rate, and the ratio of the TSC to it. The APIC timer counts the crystal. */
static bool calibrate_from_cpuid(void)
{
	struct cpuid r;

	if (cpuid_get(0, 0).eax < 0x15)
		return false;
	r = cpuid_get(0x15, 0);
	if (!r.eax || !r.ebx || !r.ecx)
		return false;
	tsc_hz = (u64)r.ecx * r.ebx / r.eax;
	apic_hz = r.ecx;
	tsc_source = "CPUID";
	return true;
}

static void clock_use_tsc(void)
{
	tsc_per_ns = ns_to_counter(tsc_hz);
	apic_per_ns = ns_to_counter(apic_hz);
	clocks[0] =
		(struct arch_clock){.counter_base = clock_entry_tsc, .mult = counter_to_ns(tsc_hz)};
	atomic_store_release(&clock_now, &clocks[0]);
}

/* Go over to the reference; time goes on where it is. */
static void clock_use_reference(u64 ns)
{
	atomic_store(&wide_last, reference->read());
	clocks[1] = (struct arch_clock){
		.ref = reference,
		.counter_base = atomic_load(&wide_last),
		.ns_base = ns,
		.mult = counter_to_ns(reference->hz),
	};
	atomic_store_release(&clock_now, &clocks[1]);
}

static bool clock_is_tsc(void)
{
	return !atomic_load_acquire(&clock_now)->ref;
}

/* arch_clock_init - see arch/timer.h. */
void arch_clock_init(void)
{
	bool steady = cpu_features.tsc_invariant || cpu_features.hypervisor;

	reference = reference_find();
	if (!calibrate_from_cpuid()) {
		if (!reference)
			panic("no clock: neither HPET, PM timer nor PIT counts");
		calibrate();
	}
	clock_use_tsc();
	if (!steady)
		clock_distrust_tsc("its rate may vary");
}

/* clock_distrust_tsc - use the reference instead, if it can be read at any time. Boot CPU; other CPUs may
 * read the clock meanwhile. */
void clock_distrust_tsc(const char *why)
{
	if (!clock_is_tsc())
		return;
	if (!reference || !reference->is_clock) {
		printk("clock: TSC is doubtful (%s), but there is nothing better\n", why);
		return;
	}
	printk("clock: TSC not used: %s\n", why);
	clock_use_reference(arch_clock_ns());
}

/* arch_clock_describe - see arch/timer.h. */
void arch_clock_describe(void)
{
	printk("clock: %s; TSC %lu.%03lu MHz by %s, APIC timer %lu.%03lu MHz\n",
	       clock_is_tsc() ? "TSC" : clock_now->ref->name, tsc_hz / 1000000,
	       tsc_hz / 1000 % 1000, tsc_source, apic_hz / 1000000, apic_hz / 1000 % 1000);
}

/* clock_ns_to_tsc - see internal.h, as for the following. */
u64 clock_ns_to_tsc(u64 ns)
{
	return (u64)((unsigned __int128)ns * tsc_per_ns >> 32);
}

u64 clock_tsc_hz(void)
{
	return tsc_hz;
}

u64 clock_ns_to_apic(u64 ns)
{
	return (u64)((unsigned __int128)ns * apic_per_ns >> 32);
}

u64 clock_max_sleep(void)
{
	const struct arch_clock *c = atomic_load_acquire(&clock_now);

	if (!c->ref || c->ref->mask > ~0u)
		return ~0ul;
	return c->ref->mask / 2 * NSEC_PER_SEC / c->ref->hz;
}
