/* SPDX-License-Identifier: MIT */
/*
 * task_stat.c - what ps and top read: stat, statm and status of a process or thread (proc(5)).
 *
 * All three show one struct task_facts, collected lock by lock; nothing of it is a snapshot of one moment.
 */
#include <uapi/errno.h>
#include <uapi/resource.h>
#include <uapi/time.h>
#include "drivers/tty.h"
#include "fs/proc/internal.h"
#include "kernel/cred.h"
#include "kernel/smp.h"
#include "kernel/time.h"
#include "lib/string.h"
#include "mm/vma/space.h"

#define NSEC_PER_TICK (NSEC_PER_SEC / USER_HZ)

struct task_facts {
	struct process *proc;
	struct user_thread *user; /* NULL: none is left */
	struct space *space;      /* NULL: none any more */
	const struct cred *cred;
	bool may_look;
	struct inspect_kin kin;
	u32 nr; /* that the directory was made for */
	u64 tty;
	int foreground; /* group of the terminal, -1: there is none */
	char name[16];
	char state;
	struct usage usage;
	u32 nr_threads, exit_signal, exit_status;
	sigset pending, shared_pending, blocked, ignored, caught;
};

/* --- collecting --------------------------------------------------------------------------------------- */

static void collect_signals(struct task_facts *t)
{
	struct process *p = t->proc;

	t->shared_pending = p->signals.pending.set;
	t->ignored = p->signals.ignored;
	t->caught = p->signals.caught;
	if (t->user) {
		t->pending = t->user->sig.pending.set;
		t->blocked = t->user->sig.blocked;
	}
}

static void collect_locked(struct task_facts *t)
{
	struct process *p = t->proc;

	t->nr_threads = p->nr_threads;
	t->exit_signal = p->exit_signal;
	t->exit_status = p->exit_status;
	memcpy(t->name, t->user ? t->user->thread->name : p->dead_name, sizeof(t->name));
	t->name[sizeof(t->name) - 1] = 0;
	collect_signals(t);
}

static int facts_get(struct inode *inode, struct task_facts *t)
{
	struct process *p = proc_process(inode);

	if (!p)
		return -ESRCH;
	memset(t, 0, sizeof(*t));
	t->proc = p;
	t->nr = proc_inode(inode)->pid->nr;
	t->user = proc_thread(inode, p);
	t->space = process_space(p);
	t->cred = process_cred(p);
	t->may_look = inspect_allowed(p);
	inspect_kin(p, &t->kin);
	tty_describe(p, &t->tty, &t->foreground);
	t->state = t->kin.zombie ? 'Z' : inspect_state(p, t->user);
	if (proc_inode(inode)->single && t->user)
		usage_add_thread(&t->usage, t->user->thread);
	else
		inspect_usage(p, &t->usage);
	spin_lock(&p->lock);
	collect_locked(t);
	spin_unlock(&p->lock);
	return 0;
}

static void facts_put(struct task_facts *t)
{
	if (t->space)
		space_put(t->space);
	if (t->user)
		user_thread_put(t->user);
	cred_put(t->cred);
	process_put(t->proc);
}

/* --- stat --------------------------------------------------------------------------------------------- */

static u64 ticks(const struct uapi_timeval *tv)
{
	return (u64)tv->tv_sec * USER_HZ + (u64)tv->tv_usec / (1000000 / USER_HZ);
}

static void show_times(struct text *t, const struct task_facts *f)
{
	struct uapi_rusage self, children;

	usage_to_rusage(&f->usage, &self);
	usage_to_rusage(&f->kin.children, &children);
	text_printf(t, " %ld %ld %ld %ld", self.ru_minflt, children.ru_minflt, self.ru_majflt,
		    children.ru_majflt);
	text_printf(t, " %lu %lu %lu %lu", ticks(&self.ru_utime), ticks(&self.ru_stime),
		    ticks(&children.ru_utime), ticks(&children.ru_stime));
}

/* show_addresses - fields 23 to 30; where things are is not for everybody. */
static void show_addresses(struct text *t, const struct task_facts *f)
{
	static const struct space_program none;
	const struct space_program *at = f->space && f->may_look ? &f->space->program : &none;
	u64 size = f->space ? READ_ONCE(f->space->total_pages) * PAGE_SIZE : 0;

	text_printf(t, " %lu %lu %lu", size, f->space ? space_rss(f->space) : 0,
		    process_limit(f->proc, RLIMIT_RSS));
	/* As on Linux, who may not look sees 1 for the code of a process that has some. */
	if (f->space && !f->may_look)
		text_puts(t, " 1 1");
	else
		text_printf(t, " %lu %lu", at->code_start, at->code_end);
	text_printf(t, " %lu 0 0", at->stack);
}

static void show_layout(struct text *t, const struct task_facts *f)
{
	const struct space *s = f->may_look ? f->space : NULL;

	if (s)
		text_printf(t, " %lu %lu %lu %lu %lu %lu %lu", s->program.data_start,
			    s->program.data_end, s->brk_start, s->arg_start, s->arg_end,
			    s->env_start, s->env_end);
	else
		text_puts(t, " 0 0 0 0 0 0 0");
}

static int stat_show(struct file *file, struct text *t)
{
	const u64 classic = 0x7fffffff;
	struct task_facts f;
	const struct thread *th;
	int err = facts_get(file->inode, &f);

	if (err)
		return err;
	th = f.user ? f.user->thread : NULL;
	text_printf(t, "%u (%s) %c %u %u %u %lu %d %u", f.nr, f.name, f.state, f.kin.parent,
		    f.kin.group, f.kin.session, f.tty, f.foreground, f.proc->execed ? 0u : 0x40u);
	show_times(t, &f);
	text_printf(t, " %d %d %u 0 %lu", th ? 20 + th->nice : 20, th ? th->nice : 0, f.nr_threads,
		    f.proc->start_ns / NSEC_PER_TICK);
	show_addresses(t, &f);
	text_printf(t, " %lu %lu %lu %lu %d 0 0 %d %u 0 %u 0 0 0", f.pending & classic,
		    f.blocked & classic, f.ignored & classic, f.caught & classic,
		    f.may_look && (f.state == 'S' || f.state == 'D'), (int)f.exit_signal,
		    th ? READ_ONCE(th->cpu) : 0, f.user ? READ_ONCE(f.user->sched_policy) : 0u);
	show_layout(t, &f);
	text_printf(t, " %u\n", f.may_look ? f.exit_status : 0);
	facts_put(&f);
	return 0;
}

const struct text_ops proc_stat_ops = {.show = stat_show};

/* --- statm -------------------------------------------------------------------------------------------- */

static u64 code_pages(const struct space *s)
{
	return (ALIGN_UP(s->program.code_end, PAGE_SIZE) -
		ALIGN_DOWN(s->program.code_start, PAGE_SIZE)) >>
	       PAGE_SHIFT;
}

static int statm_show(struct file *file, struct text *t)
{
	struct process *p = proc_process(file->inode);
	struct space *s;

	if (!p)
		return -ESRCH;
	s = process_space(p);
	process_put(p);
	if (!s) {
		text_puts(t, "0 0 0 0 0 0 0\n");
		return 0;
	}
	text_printf(t, "%lu %lu %ld %lu 0 %lu 0\n", READ_ONCE(s->total_pages), space_rss(s),
		    MAX(READ_ONCE(s->rss[RSS_FILE]), 0), code_pages(s),
		    READ_ONCE(s->data_pages) + READ_ONCE(s->stack_pages));
	space_put(s);
	return 0;
}

const struct text_ops proc_statm_ops = {.show = statm_show};

/* --- status ------------------------------------------------------------------------------------------- */

static void show_kib(struct text *t, const char *name, u64 pages)
{
	text_printf(t, "%s:\t%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

/* executable_pages - of all that is mapped for execution and not for writing. */
static u64 executable_pages(struct space *s)
{
	struct space_mapping m[16];
	vaddr_t from = 0;
	u64 pages = 0;
	unsigned n;

	while ((n = space_list(s, from, m, ARRAY_SIZE(m)))) {
		from = m[n - 1].end;
		for (unsigned i = 0; i < n; i++) {
			if ((m[i].flags & (VM_EXEC | VM_WRITE)) == VM_EXEC)
				pages += (m[i].end - m[i].start) >> PAGE_SHIFT;
			space_mapping_put(&m[i]);
		}
	}
	return pages;
}

static void show_memory(struct text *t, struct space *s)
{
	u64 code = code_pages(s), all = executable_pages(s);

	show_kib(t, "VmPeak", MAX(READ_ONCE(s->peak_pages), READ_ONCE(s->total_pages)));
	show_kib(t, "VmSize", READ_ONCE(s->total_pages));
	show_kib(t, "VmLck", READ_ONCE(s->locked_pages));
	show_kib(t, "VmPin", 0);
	show_kib(t, "VmHWM", space_peak_rss(s));
	show_kib(t, "VmRSS", space_rss(s));
	show_kib(t, "RssAnon", (u64)MAX(READ_ONCE(s->rss[RSS_ANON]), 0));
	show_kib(t, "RssFile", (u64)MAX(READ_ONCE(s->rss[RSS_FILE]), 0));
	show_kib(t, "RssShmem", 0);
	show_kib(t, "VmData", READ_ONCE(s->data_pages));
	show_kib(t, "VmStk", READ_ONCE(s->stack_pages));
	show_kib(t, "VmExe", code);
	show_kib(t, "VmLib", all > code ? all - code : 0);
	show_kib(t, "VmPTE", READ_ONCE(s->as.nr_tables));
	show_kib(t, "VmSwap", (u64)MAX(READ_ONCE(s->rss[RSS_SWAP]), 0));
	show_kib(t, "HugetlbPages", 0);
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 'Z':
		return "zombie";
	default:
		return "dead";
	}
}

static void show_identity(struct text *t, const struct task_facts *f)
{
	const struct cred *c = f->cred;
	int umask = inspect_umask(f->proc);

	text_puts(t, "Name:\t");
	for (const char *s = f->name; *s; s++)
		if (*s == '\n')
			text_puts(t, "\\n");
		else
			text_printf(t, *s == '\\' ? "\\%c" : "%c", *s);
	if (umask >= 0)
		text_printf(t, "\nUmask:\t%04o", (unsigned)umask);
	text_printf(t,
		    "\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
		    f->state, state_name(f->state), user_pid(f->proc), f->nr, f->kin.parent);
	text_printf(t, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
	text_printf(t, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->fsgid);
	text_printf(t, "FDSize:\t%u\nGroups:\t", inspect_fd_table_size(f->proc));
	for (u32 i = 0; c->groups && i < c->groups->count; i++)
		text_printf(t, "%s%u", i ? " " : "", c->groups->gid[i]);
	text_printf(t, " \nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\nKthread:\t0\n",
		    user_pid(f->proc), f->nr, f->kin.group, f->kin.session);
}

static void show_signals(struct text *t, const struct task_facts *f)
{
	text_printf(t, "Threads:\t%u\nSigQ:\t%u/%lu\n", f->nr_threads,
		    READ_ONCE(f->proc->signals.queued), process_limit(f->proc, RLIMIT_SIGPENDING));
	text_printf(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", f->pending, f->shared_pending);
	text_printf(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", f->blocked,
		    f->ignored, f->caught);
}

static void show_rights(struct text *t, const struct cred *c)
{
	text_printf(t, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", c->inheritable,
		    c->permitted, c->effective);
	text_printf(t, "CapBnd:\t%016lx\nCapAmb:\t%016lx\n", c->bounding, c->ambient);
	text_printf(t, "NoNewPrivs:\t%u\nSeccomp:\t0\nSeccomp_filters:\t0\n", c->no_new_privs);
}

/* show_cpus - a set of CPUs, as a number in groups of 32 bits and as a list of ranges. */
static void show_cpus(struct text *t, const struct cpumask *m)
{
	unsigned groups = DIV_ROUND_UP(nr_cpus, 32);
	int top_digits = (int)((nr_cpus - 1) % 32 / 4 + 1);

	text_puts(t, "Cpus_allowed:\t");
	for (unsigned g = groups; g-- > 0;) {
		u32 bits = (u32)(m->bits[g / 2] >> (g % 2 * 32));

		if (g == nr_cpus / 32)
			bits &= (1u << nr_cpus % 32) - 1;
		text_printf(t, "%0*x%s", g == groups - 1 ? top_digits : 8, bits, g ? "," : "\n");
	}
	text_puts(t, "Cpus_allowed_list:\t");
	text_cpu_list(t, m, nr_cpus);
	text_puts(t, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static int status_show(struct file *file, struct text *t)
{
	struct task_facts f;
	int err = facts_get(file->inode, &f);

	if (err)
		return err;
	show_identity(t, &f);
	if (f.space)
		show_memory(t, f.space);
	text_puts(t, "CoreDumping:\t0\nTHP_enabled:\t0\n");
	show_signals(t, &f);
	show_rights(t, f.cred);
	show_cpus(t, f.user ? &f.user->thread->affinity : &cpus_online);
	text_printf(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		    f.usage.nvcsw, f.usage.nivcsw);
	facts_put(&f);
	return 0;
}

const struct text_ops proc_status_ops = {.show = status_show};
