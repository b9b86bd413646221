/* SPDX-License-Identifier: MIT */
/*
 * bench.c - process 1 of the benchmark: runs the rows and prints instructions per operation.
 *
 * The emulator runs with icount: its clock advances by 1 ns with each instruction, so CLOCK_MONOTONIC counts
 * instructions. Kernels calibrate their clocks, and are off by some parts in a thousand; so the first thing
 * measured is a run of no-ops, of which the number is known, and all figures are scaled by it. Three seconds of
 * sleep before that let the kernel finish what boot left in its queues.
 *
 * Per row: warm-up, then the minimum of three batches. Lines for the runner:
 *
 *	clock 100 no-ops read 100.34
 *	row main sys_null 326.412 of 60000    instructions per operation, operations between the marks
 *	row other poll_pipe lacks 38      the kernel does not have it (errno)
 *	row main fork_exit failed WHY
 *	bench done
 *
 * ROWS=name,main,.. in the environment (the kernel's command line) chooses rows by name or kind.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES       3
#define SETTLE_SECS   3
#define NOPS          100
#define MAX_PEERS     8
#define SKEW_PERMILLE 20 /* a clock that is further off than this is not the emulator's */

static const char *const kind_names[] = {[MAIN] = "main", [VARIANT] = "variant", [OTHER] = "other"};
static struct row *rows, **rows_end = &rows, *current;
static pid_t peers[MAX_PEERS];
static unsigned nr_peers;
static uint64_t nops_ps = NOPS * 1000; /* what the clock says for 100 no-ops, in thousandths */
static uint64_t loop_ps;  /* one turn of the empty loop, in thousandths of an instruction */
static uint64_t clock_ns; /* between two looks at the clock */

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 1)
		n = sizeof(line) - 1;
	if (write(1, line, (size_t)n) < 0)
		_exit(1);
}

void row_add(struct row *row)
{
	*rows_end = row;
	rows_end = &row->next;
}

static void peers_end(void)
{
	for (unsigned i = 0; i < nr_peers; i++) {
		kill(peers[i], SIGKILL);
		waitpid(peers[i], NULL, 0);
	}
	nr_peers = 0;
}

void expect_true(bool condition, const char *what)
{
	if (condition)
		return;
	say("row %s %s failed expected %s\n", current ? kind_names[current->kind] : "main",
	    current ? current->name : "clock", what);
	peers_end();
	_exit(2);
}

int peer_fork(void (*fn)(void))
{
	pid_t pid = nr_peers < MAX_PEERS ? fork() : -1;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		fn();
		_exit(0);
	}
	peers[nr_peers++] = pid;
	return 0;
}

char *pages_map(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(p != MAP_FAILED);
	madvise(p, bytes, MADV_NOHUGEPAGE); /* a kernel without huge pages may refuse */
	return p;
}

void pages_touch(char *p, size_t bytes, size_t stride)
{
	for (size_t at = 0; at < bytes; at += stride)
		*(volatile char *)(p + at) = 1;
}

/* --- the clock ------------------------------------------------------------------------------------ */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The profiling plugin counts between these two, found by their names in the symbol table. */
__attribute__((noinline, noclone)) void mark_begin(void)
{
	__asm__ volatile("nop" ::: "memory");
}

__attribute__((noinline, noclone)) void mark_end(void)
{
	__asm__ volatile("nop; nop" ::: "memory");
}

static uint64_t batch_ns(void (*run)(unsigned ops), unsigned ops, bool marked)
{
	uint64_t begin = now_ns(), end;

	if (marked)
		mark_begin();
	run(ops);
	if (marked)
		mark_end();
	end = now_ns();
	return end - begin > clock_ns ? end - begin - clock_ns : 0;
}

/* Thousandths of a nanosecond per operation, loop included. */
static uint64_t measure(void (*run)(unsigned ops), unsigned ops, bool marked)
{
	uint64_t best = UINT64_MAX;

	run(ops);
	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t ns = batch_ns(run, ops, marked);

		if (ns < best)
			best = ns;
	}
	return best * 1000 / ops;
}

static void run_nothing(unsigned ops)
{
	(void)ops;
}

static void run_empty(unsigned ops)
{
	for (unsigned i = 0; i < ops; i++)
		__asm__ volatile("" ::: "memory");
}

static void run_nops(unsigned ops)
{
	for (unsigned i = 0; i < ops; i++)
		__asm__ volatile(".rept 100\n\tnop\n\t.endr" ::: "memory");
}

static void clock_check(void)
{
	clock_ns = measure(run_nothing, 1, false) / 1000;
	uint64_t empty = measure(run_empty, 100000, false);
	uint64_t full = measure(run_nops, 10000, false);

	nops_ps = full - empty;
	loop_ps = empty * NOPS * 1000 / nops_ps;
	say("clock %d no-ops read %u.%03u\n", NOPS, (unsigned)(nops_ps / 1000),
	    (unsigned)(nops_ps % 1000));
	expect(nops_ps > NOPS * (1000 - SKEW_PERMILLE) && nops_ps < NOPS * (1000 + SKEW_PERMILLE));
}

/* --- the rows ------------------------------------------------------------------------------------- */

static void row_measure(struct row *row)
{
	const char *kind = kind_names[row->kind];
	int error = row->setup ? row->setup() : 0;

	if (error < 0) {
		say("row %s %s lacks %d\n", kind, row->name, -error);
	} else {
		uint64_t ps = measure(row->run, row->ops, true) * NOPS * 1000 / nops_ps;

		ps = ps > loop_ps ? ps - loop_ps : 0;
		say("row %s %s %llu.%03u of %u\n", kind, row->name, (unsigned long long)(ps / 1000),
		    (unsigned)(ps % 1000), BATCHES * row->ops);
	}
	peers_end();
}

static void row_run(struct row *row)
{
	int status = 0;
	pid_t got, pid = fork();

	if (pid == 0) {
		current = row;
		row_measure(row);
		_exit(0);
	}
	do
		got = waitpid(-1, &status, 0);
	while (pid > 0 && got != pid && (got > 0 || errno == EINTR));
	if (pid < 0 || WIFSIGNALED(status))
		say("row %s %s failed ended by signal %d\n", kind_names[row->kind], row->name,
		    pid < 0 ? 0 : WTERMSIG(status));
}

/* Is `word` one of those in the list, between commas? */
static bool listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, word, length) && (p[length] == ',' || !p[length]))
			return true;
	}
	return false;
}

static void files_make(void)
{
	mkdir("/dev", 0755);
	mknod("/dev/zero", S_IFCHR | 0666, makedev(1, 5));
	mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3));
	mkdir("/tmp", 0755);
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("ROWS");

	if (argc > 1 && !strcmp(argv[1], "exit")) /* as the program that a row executes */
		return 0;
	files_make();
	sleep(SETTLE_SECS);
	clock_check();
	for (struct row *row = rows; row; row = row->next)
		if (!wanted || listed(wanted, row->name) || listed(wanted, kind_names[row->kind]))
			row_run(row);
	say("bench done\n");
	reboot(RB_POWER_OFF);
	return 1;
}
