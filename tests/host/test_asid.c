/* SPDX-License-Identifier: MIT */
/*
 * test_asid.c - address space identifiers of aarch64, with few numbers so that generations are short.
 *
 * Each simulated CPU has a model of its TLB: which space the entries under each number belong to. The
 * claim is that a CPU never runs a space under a number whose entries are another space's, and that one
 * space has the same number on all CPUs that run it (else a broadcast flush would miss some).
 */
#include <pthread.h>
#include "arch/aarch64/asid.h"
#include "kernel/percpu.h"
#include "lib/atomic.h"
#include "tests/host/harness.h"
#include "tests/host/sim.h"

#define CPUS   4u
#define SPACES 60u
#define BITS   4u
#define ROUNDS 20000

struct machine {
	u64 ids[SPACES];                /* [a] as struct arch_as */
	unsigned tlb[CPUS][1u << BITS]; /* space + 1; each CPU its own */
	unsigned running[CPUS];         /* [lock] space + 1 */
	unsigned number[CPUS];          /* [lock] */
	u64 flushes[CPUS], collisions;
	bool serialise;
	pthread_mutex_t lock;
};

static unsigned next_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(*state >> 33);
}

/* What arch_as_switch does, with the TLB in place of the hardware's. */
static unsigned run_space(struct machine *m, unsigned cpu, unsigned space)
{
	bool flush;
	unsigned number = (unsigned)(asid_assign(&m->ids[space], &flush) & ASID_MASK);

	if (flush) {
		memset(m->tlb[cpu], 0, sizeof(m->tlb[cpu]));
		m->flushes[cpu]++;
	}
	if (!number || number >= 1u << BITS ||
	    (m->tlb[cpu][number] && m->tlb[cpu][number] != space + 1))
		atomic_inc(&m->collisions);
	m->tlb[cpu][number % (1u << BITS)] = space + 1;
	return number;
}

static void check_others(struct machine *m, unsigned cpu, unsigned space, unsigned number)
{
	m->running[cpu] = space + 1;
	m->number[cpu] = number;
	for (unsigned c = 0; c < CPUS; c++)
		if (m->running[c] && (m->running[c] == space + 1) != (m->number[c] == number))
			m->collisions++;
}

static void worker(unsigned cpu, void *arg)
{
	struct machine *m = arg;
	u64 state = cpu + 1;

	for (int i = 0; i < ROUNDS; i++) {
		/* Half of the time one of a few spaces, which then run on several CPUs at once. */
		unsigned r = next_random(&state);
		unsigned space = r & 1 ? (r >> 1) % SPACES : (r >> 1) % 5;

		if (m->serialise)
			pthread_mutex_lock(&m->lock);
		unsigned number = run_space(m, cpu, space);
		if (m->serialise) {
			check_others(m, cpu, space, number);
			pthread_mutex_unlock(&m->lock);
		}
	}
}

static void run_machine(bool serialise)
{
	static struct machine m;

	memset(&m, 0, sizeof(m));
	m.serialise = serialise;
	pthread_mutex_init(&m.lock, NULL);
	sim_start(CPUS);
	asid_init(BITS);
	sim_run(CPUS, worker, &m);
	EXPECT_EQ(m.collisions, 0);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		EXPECT(m.flushes[cpu] > 100);
}

TEST(one_space_has_one_number_and_numbers_are_never_shared)
{
	run_machine(true);
}

TEST(tlbs_hold_no_foreign_entries_while_cpus_race)
{
	run_machine(false);
}

TEST(switching_between_few_spaces_keeps_their_numbers)
{
	u64 ids[3] = {0};
	bool flush;

	sim_start(1);
	asid_init(BITS);
	for (unsigned i = 0; i < 6; i++) /* twice: a generation may end on the way */
		asid_assign(&ids[i % 3], &flush);
	for (unsigned i = 0; i < 30; i++) {
		u64 before = ids[i % 3];

		EXPECT_EQ(asid_assign(&ids[i % 3], &flush), before);
		EXPECT(!flush);
	}
}
