/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - every thread has its own vector registers and floating-point modes: they survive switches at
 * system calls and at interrupts, go to a forked child, and are fresh after exec.
 */
#include "memory.h"
#include "fpu_regs.h"
#include <pthread.h>

#define THREADS 12

static void fill_registers(uint8_t *in, unsigned seed)
{
	for (size_t i = 0; i < FPU_BYTES; i++)
		in[i] = (uint8_t)(seed * 37 + i * 11 + (i >> 4) + 1);
}

/* How many bytes of the registers changed. Without wide registers only half of each is there. */
static size_t count_changed(const uint8_t *in, const uint8_t *out)
{
	size_t wrong = 0, step = fpu_has_wide_registers() ? 1 : 2;

	for (size_t block = 0; block < FPU_BYTES / 16; block += step)
		for (size_t i = block * 16; i < block * 16 + 16; i++)
			wrong += in[i] != out[i];
	return wrong;
}

struct job {
	unsigned seed;
	long nr, a0, a1, count;
};

static void *keep_registers(void *arg)
{
	struct job *job = arg;
	uint8_t in[FPU_BYTES], out[FPU_BYTES];
	size_t wrong = 0;

	for (unsigned round = 0; round < 20; round++) {
		fill_registers(in, job->seed + round * 100);
		memset(out, 0, sizeof(out));
		fpu_regs_through_syscall(in, out, job->nr, job->a0, job->a1, 0, 0, 0, job->count);
		wrong += count_changed(in, out);
	}
	return (void *)wrong;
}

static void run_jobs(struct job model)
{
	struct job jobs[THREADS];
	pthread_t t[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		jobs[i] = model;
		jobs[i].seed = i;
		ASSERT_EQ(pthread_create(&t[i], NULL, keep_registers, &jobs[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(t[i], &wrong);
		EXPECT_EQ((uintptr_t)wrong, 0);
	}
}

TEST_SECONDS(registers_survive_yield, 60)
{
	run_jobs((struct job){.nr = SYS_sched_yield, .count = 50});
}

TEST_SECONDS(registers_survive_sleep, 60)
{
	struct timespec ts = {0, 300000};

	run_jobs((struct job){.nr = SYS_nanosleep, .a0 = (long)&ts, .count = 2});
}

TEST_SECONDS(registers_survive_interrupts, 60)
{
	run_jobs((struct job){.nr = -1, .count = 400000});
}

static void one_call(long nr, long a0, long a1, long a2, long a3, long a4)
{
	uint8_t in[FPU_BYTES], out[FPU_BYTES];

	fill_registers(in, (unsigned)nr);
	fpu_regs_through_syscall(in, out, nr, a0, a1, a2, a3, a4, 1);
	EXPECT_EQ(count_changed(in, out), 0);
}

/* The kernel may use wide registers itself to clear and copy pages. */
TEST(registers_survive_the_kernels_own_work)
{
	uint8_t *p = map_anon(64 * PAGE);
	int fd[2];

	ASSERT_EQ(pipe2(fd, 0), 0);
	one_call(SYS_write, fd[1], (long)p, 3000, 0, 0);
	one_call(SYS_read, fd[0], (long)(p + 32 * PAGE), 3000, 0, 0);
	one_call(SYS_madvise, (long)p, 64 * PAGE, MADV_DONTNEED, 0, 0);
	one_call(SYS_munmap, (long)p, 64 * PAGE, 0, 0, 0);
}

/* --- signal frames ------------------------------------------------------------------------------ */

static uint8_t *stack_end;

/* drop_pages_above - what lies above the page that the handler runs on has to be brought in again. */
static void drop_pages_above(int sig)
{
	uint8_t here;
	uint8_t *next = (uint8_t *)(((uintptr_t)&here | (PAGE - 1)) + 1);

	(void)sig;
	if (next < stack_end)
		madvise(next, (size_t)(stack_end - next), MADV_DONTNEED);
}

TEST(registers_survive_in_frames_on_pages_that_are_not_there)
{
	struct sigaction sa = {.sa_handler = drop_pages_above, .sa_flags = SA_ONSTACK};

	ASSERT_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	for (size_t shift = 0; shift < PAGE; shift += 112) {
		uint8_t *stack = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		stack_t ss = {.ss_sp = stack, .ss_size = 16 * PAGE - shift};

		ASSERT(stack != MAP_FAILED);
		stack_end = stack + 16 * PAGE;
		ASSERT_EQ(sigaltstack(&ss, NULL), 0);
		one_call(SYS_kill, getpid(), SIGUSR1, 0, 0, 0);
		ss.ss_flags = SS_DISABLE;
		ASSERT_EQ(sigaltstack(&ss, NULL), 0);
		munmap(stack, 16 * PAGE);
	}
}

static void fork_in_registers(void *unused)
{
	uint8_t in[FPU_BYTES], out[FPU_BYTES];
	int status;

	(void)unused;
	fill_registers(in, 5);
	pid_t pid = (pid_t)fpu_regs_through_syscall(in, out, SYS_clone, SIGCHLD, 0, 0, 0, 0, 1);
	if (pid == 0)
		_exit(count_changed(in, out) != 0);
	EXPECT_EQ(count_changed(in, out), 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST(fork_copies_the_registers)
{
	EXPECT_CHILD_OK(fork_in_registers, NULL);
}

static void *keep_control(void *arg)
{
	uintptr_t wrong = 0;

	fpu_set_control((unsigned)(uintptr_t)arg);
	struct fpu_control mine = fpu_get_control();
	for (int i = 0; i < 100; i++) {
		sched_yield();
		struct fpu_control now = fpu_get_control();
		wrong += now.a != mine.a || now.b != mine.b;
	}
	return (void *)wrong;
}

TEST(rounding_modes_are_per_thread)
{
	pthread_t t[THREADS];
	struct fpu_control before = fpu_get_control();

	for (uintptr_t i = 0; i < THREADS; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, keep_control, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(t[i], &wrong);
		EXPECT_EQ((uintptr_t)wrong, 0);
	}
	EXPECT(fpu_get_control().a == before.a && fpu_get_control().b == before.b);
}

TEST(exec_starts_with_fresh_modes)
{
	static char *argv[] = {"/tests/fpu", "check-fresh", NULL}, *envp[] = {NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fpu_set_control(3);
		execve(argv[0], argv, envp);
		_exit(127);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "check-fresh"))
		return !fpu_control_is_fresh(fpu_get_control());
	return ktap_run_all();
}
