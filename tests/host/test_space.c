/* SPDX-License-Identifier: MIT */
/*
 * test_space.c - whole address spaces against a model that is nothing but arrays of bytes: mappings of
 * anonymous memory and of an object, mprotect, MADV_DONTNEED, fork trees, copy on write, with
 * accesses simulated as a CPU makes them (look at the entry, fault if it forbids, look again).
 */
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/vma/vma.h"
#include "tests/host/sim_space.h"

#define PAGES     160
#define MAX_PROCS 6

struct mpage {
	bool mapped, file;
	u8 prot;
	u32 content; /* first word of the page */
	u32 index;   /* page of the object */
};

static struct proc {
	struct space *space;
	struct mpage pages[PAGES];
} procs[MAX_PROCS];

static bool failing;

static vaddr_t addr(unsigned i)
{
	return BASE + i * PAGE_SIZE;
}

/* --- operations on both ------------------------------------------------------------------------------ */

static enum fault_result expected_fault(const struct mpage *m, bool write)
{
	if (!m->mapped)
		return FAULT_SEGV_MAPERR;
	if (write ? !(m->prot & PROT_WRITE) : !m->prot)
		return FAULT_SEGV_ACCERR;
	if (m->file && m->index >= OBJ_PAGES)
		return FAULT_BUS;
	return FAULT_DONE;
}

static void access_page(struct proc *p, unsigned i, bool write)
{
	struct mpage *m = &p->pages[i];
	u32 value = (u32)rng(), word = value;
	enum fault_result r = touch(p->space, addr(i), write, &word);

	if (failing && r == FAULT_OOM)
		return;
	ASSERT_EQ(r, expected_fault(m, write));
	if (r != FAULT_DONE)
		return;
	if (write)
		m->content = value;
	ASSERT_EQ(word, m->content);
}

static void fresh(struct mpage *m)
{
	m->content = m->file ? object_content(m->index) : 0;
}

/* Any rights, most often those that let something happen. */
static unsigned random_prot(void)
{
	return rng_one_in(2) ? PROT_READ | PROT_WRITE : rng_below(8);
}

static void map_range(struct proc *p, unsigned lo, unsigned n, bool file)
{
	unsigned prot = random_prot(), first = rng_below(OBJ_PAGES + 4);
	struct map_request r = {
		.addr = addr(lo),
		.len = n * PAGE_SIZE - rng_below(PAGE_SIZE),
		.prot = prot,
		.flags = MAP_PRIVATE | MAP_FIXED,
		.obj = file ? object : NULL,
		.pgoff = file ? first : 0,
	};
	vaddr_t at;
	int err = space_map(p->space, &r, &at);

	if (failing && err == -12)
		return;
	ASSERT_EQ(err, 0);
	ASSERT_EQ(at, addr(lo));
	for (unsigned i = lo; i < lo + n; i++) {
		struct mpage *m = &p->pages[i];

		*m = (struct mpage){
			.mapped = true, .file = file, .prot = (u8)prot, .index = first + i - lo};
		fresh(m);
	}
}

static void unmap_range(struct proc *p, unsigned lo, unsigned n)
{
	int err = space_unmap(p->space, addr(lo), n * PAGE_SIZE);

	if (failing && err == -12)
		return;
	ASSERT_EQ(err, 0);
	memset(&p->pages[lo], 0, n * sizeof(struct mpage));
}

static void protect_range(struct proc *p, unsigned lo, unsigned n)
{
	unsigned prot = random_prot(), i;
	int err = space_protect(p->space, addr(lo), n * PAGE_SIZE, prot);

	for (i = lo; i < lo + n && p->pages[i].mapped; i++)
		;
	if (failing && err == -12 && i == lo + n)
		return; /* nothing was done */
	ASSERT_EQ(err, i == lo + n ? 0 : -12);
	if (failing && err)
		return; /* cannot tell a hole from no memory: the next map makes them equal */
	while (i-- > lo)
		p->pages[i].prot = (u8)prot;
}

static void discard_range(struct proc *p, unsigned lo, unsigned n)
{
	int err = space_discard(p->space, addr(lo), n * PAGE_SIZE, false);
	bool hole = false;

	for (unsigned i = lo; i < lo + n; i++) {
		hole |= !p->pages[i].mapped;
		fresh(&p->pages[i]);
		if (!p->pages[i].mapped)
			p->pages[i].content = 0;
	}
	ASSERT_EQ(err, hole ? -12 : 0);
}

static void fork_proc(struct proc *p)
{
	struct proc *child = &procs[rng_below(MAX_PROCS)];
	int err;

	if (child->space)
		return;
	err = space_fork(p->space, &child->space);
	if (failing && err == -12) {
		child->space = NULL;
		return;
	}
	ASSERT_EQ(err, 0);
	memcpy(child->pages, p->pages, sizeof(p->pages));
}

static void exit_proc(struct proc *p)
{
	space_put(p->space);
	p->space = NULL;
}

static unsigned alive(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_PROCS; i++)
		n += procs[i].space != NULL;
	return n;
}

static void random_op(struct proc *p)
{
	unsigned lo = rng_below(PAGES), n = 1 + rng_below(MIN(PAGES - lo, 24));

	switch (rng_below(16)) {
	case 0:
		map_range(p, lo, n, false);
		break;
	case 1:
		map_range(p, lo, n, true);
		break;
	case 2:
		unmap_range(p, lo, n);
		break;
	case 3:
		if (!failing)
			protect_range(p, lo, n);
		break;
	case 4:
		discard_range(p, lo, n);
		break;
	case 5:
		if (rng_one_in(3))
			fork_proc(p);
		break;
	case 6:
		if (rng_one_in(4) && alive() > 1)
			exit_proc(p);
		break;
	default:
		for (unsigned i = lo; i < lo + n; i++)
			access_page(p, i, rng_one_in(2));
	}
}

/* Every page of every process reads as the model says. */
static void check_everything(void)
{
	for (unsigned n = 0; n < MAX_PROCS; n++) {
		if (!procs[n].space)
			continue;
		vma_check_tree(&procs[n].space->vmas);
		for (unsigned i = 0; i < PAGES; i++)
			access_page(&procs[n], i, false);
	}
	ASSERT_EQ(sim_locks_held(), 0);
}

/* Slabs keep pages; user pages and tables must all have come back. */
static void finish(u64 anon_before)
{
	for (unsigned i = 0; i < MAX_PROCS; i++)
		if (procs[i].space)
			exit_proc(&procs[i]);
	object_put(object);
	for (unsigned i = 0; i < 4; i++)
		sim_quiescent();
	ASSERT_EQ(sim_rcu_pending(), 0);
	ASSERT_EQ(page_count_free() + slab_count_pages(), anon_before);
}

static void run_random(unsigned ops_count, unsigned fail_one_in)
{
	u64 before;

	start(1);
	memset(procs, 0, sizeof(procs));
	before = page_count_free() + slab_count_pages();
	ASSERT_EQ(space_create(&procs[0].space), 0);
	for (unsigned i = 0; i < ops_count; i++) {
		struct proc *p = &procs[rng_below(MAX_PROCS)];

		if (!p->space)
			continue;
		failing = fail_one_in && rng_one_in(fail_one_in);
		if (failing)
			alloc_fail_nth(1 + rng_below(6));
		random_op(p);
		alloc_fail_nth(0);
		failing = false;
		if (rng_one_in(32))
			sim_quiescent();
		if (rng_one_in(300))
			check_everything();
	}
	check_everything();
	finish(before);
}

TEST(spaces_behave_like_arrays_of_bytes)
{
	run_random(30000, 0);
}

TEST(running_out_of_memory_anywhere_changes_nothing_and_leaks_nothing)
{
	run_random(20000, 3);
}

/* --- threads ------------------------------------------------------------------------------------------- */

#define CPUS 4

static void race_worker(unsigned cpu, void *arg)
{
	struct space *s = arg;
	u64 state = cpu + 1;

	/* As every thread: fork waits for the faults of others only where there are others. */
	space_get(s);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned page = (state = state * 6364136223846793005ul + 1) >> 33 & 15;
		struct map_request r = {.addr = addr(page),
					.len = 2 * PAGE_SIZE,
					.prot = PROT_READ | PROT_WRITE,
					.flags = MAP_PRIVATE | MAP_FIXED};
		struct space *child;
		vaddr_t at;

		switch (state >> 50 & 15) {
		case 0:
			BUG_ON(space_map(s, &r, &at) != 0);
			break;
		case 1:
			BUG_ON(space_unmap(s, addr(page), PAGE_SIZE) != 0);
			break;
		case 2:
			space_protect(s, addr(page), PAGE_SIZE,
				      PROT_READ | (state >> 60 & PROT_WRITE));
			break;
		case 3:
			space_discard(s, addr(page), PAGE_SIZE, false);
			break;
		case 4:
			if (i % 8 == 0 && space_fork(s, &child) == 0)
				space_put(child);
			break;
		default:
			/* Whatever the hardware is said to have found. */
			mm_fault(s, addr(page),
				 (state >> 61 & 1 ? FAULT_WRITE : FAULT_READ) |
					 (state >> 59 & 1 ? FAULT_ABSENT : 0) |
					 (state >> 58 & 1 ? FAULT_PRESENT : 0));
		}
		if (i % 8 == 0)
			sim_quiescent();
	}
	space_put(s);
}

TEST(threads_that_map_protect_fork_and_fault_at_once_leave_the_accounts_right)
{
	struct space *s;

	start(CPUS);
	ASSERT_EQ(space_create(&s), 0);
	sim_run(CPUS, race_worker, s);
	vma_check_tree(&s->vmas);
	end(s); /* asserts that every account has returned to zero */
}
