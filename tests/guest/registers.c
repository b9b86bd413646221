/* SPDX-License-Identifier: MIT */
/*
 * registers.c - what a system call may change of the general registers: its result, and on x86_64 rcx and r11. However it is
 * left: at once, after a sleep, made again, interrupted, through a handler, or in a child.
 */
#include "ktap.h"
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>

#ifdef __x86_64__

/* registers_through - make the call with the registers `in`, and store all of them to `out` (rsp is neither). In order: rax,
 * rsi, rdx, rbx, rdi, rbp, r8 .. r15, rcx; flags. */
__asm__(".text\n"
	".globl registers_through\n"
	"registers_through:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	push %rsi\n"
	"	pushq 15*8(%rdi); popfq\n"
	"	mov 0*8(%rdi), %rax; mov 1*8(%rdi), %rsi; mov 2*8(%rdi), %rdx; mov 3*8(%rdi), %rbx\n"
	"	mov 5*8(%rdi), %rbp; mov 6*8(%rdi), %r8; mov 7*8(%rdi), %r9; mov 8*8(%rdi), %r10\n"
	"	mov 9*8(%rdi), %r11; mov 10*8(%rdi), %r12; mov 11*8(%rdi), %r13; mov 12*8(%rdi), %r14\n"
	"	mov 13*8(%rdi), %r15; mov 14*8(%rdi), %rcx; mov 4*8(%rdi), %rdi\n"
	"	syscall\n"
	".globl registers_after\n"
	"registers_after:\n"
	"	pushfq; push %rcx; push %r15; push %r14; push %r13; push %r12; push %r11; push %r10\n"
	"	push %r9; push %r8; push %rbp; push %rdi; push %rbx; push %rdx; push %rsi; push %rax\n"
	"	cld\n"
	"	mov 16*8(%rsp), %rdi; mov %rsp, %rsi; mov $16, %ecx; rep movsq\n"
	"	mov (%rsp), %rax\n"
	"	add $17*8, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");
#define NR_REGS 16

static const char *const names[NR_REGS] = {"rax", "rsi", "rdx", "rbx",  "rdi", "rbp",
					   "r8",  "r9",  "r10", "r11",  "r12", "r13",
					   "r14", "r15", "rcx", "flags"};
static const int arg_at[6] = {4, 1, 2, 8, 6, 7};
#define NR_AT     0
#define RESULT_AT 0
#define FLAGS_AT  15
#define FLAGS_A   0x247ul    /* CF, PF, ZF */
#define FLAGS_B   0x204e93ul /* CF, AF, SF, DF, OF, NT, ID */

extern const char registers_after[];

#else

__asm__(".text\n"
	".globl registers_through\n"
	"registers_through:\n"
	"	stp x29, x30, [sp, #-112]!\n"
	"	stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]\n"
	"	stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]; stp x1, x18, [sp, #96]\n"
	"	ldr x1, [x0, #31*8]; msr nzcv, x1\n"
	"	ldp x2, x3, [x0, #16]; ldp x4, x5, [x0, #32]; ldp x6, x7, [x0, #48]\n"
	"	ldp x8, x9, [x0, #64]; ldp x10, x11, [x0, #80]; ldp x12, x13, [x0, #96]\n"
	"	ldp x14, x15, [x0, #112]; ldp x16, x17, [x0, #128]; ldp x18, x19, [x0, #144]\n"
	"	ldp x20, x21, [x0, #160]; ldp x22, x23, [x0, #176]; ldp x24, x25, [x0, #192]\n"
	"	ldp x26, x27, [x0, #208]; ldp x28, x29, [x0, #224]; ldr x30, [x0, #240]\n"
	"	ldp x0, x1, [x0]\n"
	"	svc #0\n"
	"	stp x0, x1, [sp, #-16]!\n"
	"	ldr x1, [sp, #112]\n"
	"	stp x2, x3, [x1, #16]; stp x4, x5, [x1, #32]; stp x6, x7, [x1, #48]\n"
	"	stp x8, x9, [x1, #64]; stp x10, x11, [x1, #80]; stp x12, x13, [x1, #96]\n"
	"	stp x14, x15, [x1, #112]; stp x16, x17, [x1, #128]; stp x18, x19, [x1, #144]\n"
	"	stp x20, x21, [x1, #160]; stp x22, x23, [x1, #176]; stp x24, x25, [x1, #192]\n"
	"	stp x26, x27, [x1, #208]; stp x28, x29, [x1, #224]; str x30, [x1, #240]\n"
	"	mrs x2, nzcv; str x2, [x1, #31*8]\n"
	"	ldp x2, x3, [sp], #16\n"
	"	stp x2, x3, [x1]\n"
	"	mov x0, x2\n"
	"	ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]\n"
	"	ldp x25, x26, [sp, #64]; ldp x27, x28, [sp, #80]; ldp x1, x18, [sp, #96]\n"
	"	ldp x29, x30, [sp], #112\n"
	"	ret\n");
#define NR_REGS   32

static const char *const names[NR_REGS] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
					   "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
					   "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
					   "x24", "x25", "x26", "x27", "x28", "x29", "x30", "nzcv"};
static const int arg_at[6] = {0, 1, 2, 3, 4, 5};
#define NR_AT     8
#define RESULT_AT 0
#define FLAGS_AT  31
#define FLAGS_A   0x60000000ul
#define FLAGS_B   0x90000000ul

#endif

long registers_through(const uint64_t *in, uint64_t *out);

static uint64_t pattern(unsigned n)
{
	return 0x1122334455667788ull * (2 * n + 1) ^ 0xa5a5a5a5ull << (n & 31);
}

static void prepare(uint64_t *in, long nr, const long *args, bool other_flags)
{
	for (unsigned i = 0; i < NR_REGS; i++)
		in[i] = pattern(i);
	in[FLAGS_AT] = other_flags ? FLAGS_B : FLAGS_A;
	for (unsigned i = 0; i < 6; i++)
		in[arg_at[i]] = (uint64_t)args[i];
	in[NR_AT] = (uint64_t)nr;
}

/* expected_after - what a register has to be, whatever the result is. */
static uint64_t expected_after(const uint64_t *in, unsigned n)
{
#ifdef __x86_64__
	if (n == 14)
		return (uintptr_t)registers_after;
	if (n == 9)
		return in[FLAGS_AT];
#endif
	return in[n];
}

static unsigned count_changed(const uint64_t *in, const uint64_t *out)
{
	unsigned changed = 0;

	for (unsigned i = 0; i < NR_REGS; i++) {
		if (i == RESULT_AT || out[i] == expected_after(in, i))
			continue;
		ktap_note("%s is %#llx, expected %#llx", names[i], (unsigned long long)out[i],
			  (unsigned long long)expected_after(in, i));
		changed++;
	}
	return changed;
}

/* kept - make the call; its result, after a look at all registers. */
#define KEPT(nr, ...) kept(nr, (const long[6]){__VA_ARGS__})
static long kept(long nr, const long *args)
{
	uint64_t in[NR_REGS], out[NR_REGS];

	prepare(in, nr, args, nr & 1);
	registers_through(in, out);
	EXPECT_EQ(count_changed(in, out), 0);
	return (long)out[RESULT_AT];
}

TEST(simple_calls)
{
	char buf[64];
	int fd[2];

	ASSERT_EQ(pipe(fd), 0);
	EXPECT_EQ(KEPT(SYS_getpid, 1, 2, 3, 4, 5, 6), getpid());
	EXPECT_EQ(KEPT(SYS_sched_yield, 0), 0);
	EXPECT_EQ(KEPT(SYS_close, -1), -EBADF);
	EXPECT_EQ(KEPT(SYS_write, fd[1], (long)buf, 64), 64);
	EXPECT_EQ(KEPT(SYS_read, fd[0], (long)buf, 64), 64);
	EXPECT_EQ(KEPT(SYS_write, fd[1], 8, 64, 1, 2, 3), -EFAULT);
}

TEST(numbers_without_a_call)
{
	static const long numbers[] = {400, 1000, 5000, -1, 0x7fffffff, 0x80000000};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		EXPECT_EQ(KEPT(numbers[i], 1, 2, 3, 4, 5, 6), -ENOSYS);
}

/* --- sleep ---------------------------------------------------------------------------------------------- */

static pid_t write_later(int fd, int before_sig, int times)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid_t parent = getppid();

		for (int i = 0; i < times; i++) {
			ktap_sleep_ns(20000000);
			kill(parent, before_sig);
		}
		ktap_sleep_ns(20000000);
		if (write(fd, "x", 1) != 1)
			_exit(1);
		_exit(0);
	}
	return pid;
}

TEST(after_a_sleep)
{
	struct timespec ts = {0, 3000000};
	char c;
	int fd[2];

	ASSERT_EQ(pipe(fd), 0);
	EXPECT_EQ(KEPT(SYS_nanosleep, (long)&ts, 0), 0);
	write_later(fd[1], 0, 1);
	EXPECT_EQ(KEPT(SYS_read, fd[0], (long)&c, 1, 7, 8, 9), 1);
	EXPECT_EQ(wait(NULL) > 0, 1);
}

static volatile int handled;

static void handle(int sig)
{
	(void)sig;
	handled++;
#ifdef __x86_64__
	__asm__ volatile("xor %%ebx, %%ebx; xor %%r12d, %%r12d; xor %%r13d, %%r13d; std; cld" ::
				 : "rbx", "r12", "r13", "r14", "r15", "cc");
#else
	__asm__ volatile("mov x19, #0; mov x20, #0; cmp x19, x20; mov x28, #0" ::
				 : "x19", "x20", "x21", "x28", "cc");
#endif
}

static void catch (int sig, int flags)
{
	struct sigaction sa = {.sa_handler = handle, .sa_flags = flags};

	ASSERT_EQ(sigaction(sig, &sa, NULL), 0);
}

TEST(a_call_made_again)
{
	char c;
	int fd[2];

	ASSERT_EQ(pipe(fd), 0);
	catch (SIGUSR1, SA_RESTART);
	write_later(fd[1], SIGUSR1, 3);
	EXPECT_EQ(KEPT(SYS_read, fd[0], (long)&c, 1, 7, 8, 9), 1);
	EXPECT(handled >= 1 && handled <= 3);
	EXPECT_EQ(wait(NULL) > 0, 1);
}

static void stop_and_go(pid_t target)
{
	for (int i = 0; i < 3; i++) {
		ktap_sleep_ns(20000000);
		kill(target, SIGSTOP);
		ktap_sleep_ns(20000000);
		kill(target, SIGCONT);
	}
}

TEST(a_call_made_again_without_a_handler)
{
	char c;
	int fd[2];
	pid_t pid;

	ASSERT_EQ(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(KEPT(SYS_read, fd[0], (long)&c, 1, 7, 8, 9), 1);
		_exit(ktap_failed);
	}
	stop_and_go(pid);
	ASSERT_EQ(write(fd[1], "x", 1), 1);
	int status = 1;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST(an_interrupted_call)
{
	char c;
	int fd[2];

	ASSERT_EQ(pipe(fd), 0);
	catch (SIGUSR1, 0);
	write_later(fd[1], SIGUSR1, 1);
	EXPECT_EQ(KEPT(SYS_read, fd[0], (long)&c, 1, 7, 8, 9), -EINTR);
	EXPECT_EQ(handled, 1);
	EXPECT_EQ(wait(NULL) > 0, 1);
}

/* --- handlers ------------------------------------------------------------------------------------------- */

TEST(signals_to_oneself)
{
	pid_t pid = getpid(), tid = (pid_t)syscall(SYS_gettid);
	siginfo_t info = {.si_code = SI_QUEUE};
	static const int flags[] = {0, SA_RESTART, SA_NODEFER, SA_SIGINFO, SA_ONSTACK};
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};

	ASSERT_EQ(sigaltstack(&ss, NULL), 0);
	for (unsigned i = 0; i < 5; i++) {
		catch (SIGUSR1, flags[i]);
		catch (SIGRTMIN, flags[i]);
		handled = 0;
		EXPECT_EQ(KEPT(SYS_kill, pid, SIGUSR1, 3, 4, 5, 6), 0);
		EXPECT_EQ(KEPT(SYS_tkill, tid, SIGUSR1, 3, 4, 5, 6), 0);
		EXPECT_EQ(KEPT(SYS_tgkill, pid, tid, SIGRTMIN, 4, 5, 6), 0);
		EXPECT_EQ(KEPT(SYS_rt_sigqueueinfo, pid, SIGRTMIN, (long)&info, 4, 5, 6), 0);
		EXPECT_EQ(KEPT(SYS_rt_tgsigqueueinfo, pid, tid, SIGUSR1, (long)&info, 5, 6), 0);
		EXPECT_EQ(handled, 5);
	}
	EXPECT_EQ(KEPT(SYS_kill, pid, 0), 0);
	EXPECT_EQ(KEPT(SYS_kill, pid, 65), -EINVAL);
	EXPECT_EQ(KEPT(SYS_kill, pid, -1), -EINVAL);
}

TEST(masks_that_let_signals_in)
{
	sigset_t set, old;
	struct timespec ts = {1, 0};
	uint64_t none = 0, usr1 = 1ull << (SIGUSR1 - 1);

	catch (SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(sigprocmask(SIG_SETMASK, &set, NULL), 0);
		handled = 0;
		EXPECT_EQ(KEPT(SYS_kill, getpid(), SIGUSR1), 0);
		EXPECT_EQ(handled, 0);
		if (i == 0)
			EXPECT_EQ(KEPT(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&usr1, 0, 8), 0);
		else if (i == 1)
			EXPECT_EQ(KEPT(SYS_rt_sigsuspend, (long)&none, 8), -EINTR);
		else
			EXPECT_EQ(KEPT(SYS_ppoll, 0, 0, (long)&ts, (long)&none, 8), -EINTR);
		EXPECT_EQ(handled, 1);
		ASSERT_EQ(sigprocmask(SIG_BLOCK, NULL, &old), 0);
		EXPECT_EQ(sigismember(&old, SIGUSR1), i != 0);
	}
}

/* A frame for SIGUSR1 does not fit its stack; the handler of SIGSEGV has another. */
#define TIGHT 1600 /* bytes of stack for kept() and for the frame, which takes more */

static char good_stack[65536];

static __attribute__((noinline)) void without_room(char *lowest)
{
	char here;
	volatile char *gap = __builtin_alloca((size_t)(&here - lowest) - TIGHT);

	gap[0] = 0;
	EXPECT_EQ(KEPT(SYS_tkill, syscall(SYS_gettid), SIGUSR1, 3, 4, 5, 6), 0);
	EXPECT_EQ(handled, 1);
}

static void *on_tight_stack(void *stack)
{
	stack_t ss = {.ss_sp = good_stack, .ss_size = sizeof(good_stack)};

	EXPECT_EQ(sigaltstack(&ss, NULL), 0);
	handled = 0;
	without_room((char *)stack + 16384);
	return NULL;
}

static volatile int faults;

static void count_fault(int sig)
{
	handle(sig);
	if (++faults > 1)
		_exit(7);
}

TEST(a_frame_that_does_not_fit)
{
	struct sigaction sa = {.sa_handler = count_fault, .sa_flags = SA_ONSTACK};
	size_t size = 262144;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t t;

	ASSERT(stack != MAP_FAILED);
	ASSERT_EQ(mprotect(stack, 16384, PROT_NONE), 0);
	catch (SIGUSR1, 0);
	ASSERT_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
	pthread_attr_init(&attr);
	ASSERT_EQ(pthread_attr_setstack(&attr, stack, size), 0);
	ASSERT_EQ(pthread_create(&t, &attr, on_tight_stack, stack), 0);
	pthread_join(t, NULL);
	EXPECT_EQ(faults, 1);
}

/* --- children ------------------------------------------------------------------------------------------- */

static void check_child(long nr, const long *args)
{
	uint64_t in[NR_REGS], out[NR_REGS];
	int status = 1;

	prepare(in, nr, args, true);
	long pid = registers_through(in, out);
	if (pid == 0)
		_exit(count_changed(in, out) != 0);
	ASSERT(pid > 0);
	EXPECT_EQ(waitpid((pid_t)pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST(both_sides_of_fork)
{
	struct {
		uint64_t flags, pidfd, ctid, ptid, signal, stack, size, tls;
	} args = {.signal = SIGCHLD};

	check_child(SYS_clone, (const long[6]){SIGCHLD, 0, 0, 0, 0, 77});
	check_child(435, (const long[6]){(long)&args, sizeof(args), 5, 6, 7, 8});
	EXPECT(KEPT(SYS_clone, CLONE_THREAD, 0, 0, 0, 0, 6) == -EINVAL);
#ifdef __x86_64__
	check_child(SYS_fork, (const long[6]){1, 2, 3, 4, 5, 6});
#endif
}

static const char *const bad_args[] = {NULL};

TEST(exec_that_fails)
{
	EXPECT_EQ(KEPT(SYS_execve, (long)"/nothing", (long)bad_args, (long)bad_args, 4, 5, 6),
		  -ENOENT);
	EXPECT_EQ(KEPT(SYS_execve, (long)"/init", 8, 8, 4, 5, 6) < 0, 1);
}

/* --- all at once ------------------------------------------------------------------------------------------ */

static void *storm(void *arg)
{
	uint64_t end = ktap_now_ns() + 4000000000ull;
	struct timespec ts;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	unsigned round = (unsigned)(uintptr_t)arg;
	int fd[2];
	char buf[8];

	EXPECT_EQ(pipe(fd), 0);
	for (; ktap_now_ns() < end && !ktap_failed; round++) {
		switch (round % 5) {
		case 0:
			KEPT(SYS_getpid, 1, 2, 3, 4, 5, 6);
			break;
		case 1:
			KEPT(SYS_tkill, tid, SIGUSR1, 3, 4, 5, 6);
			break;
		case 2:
			clock_gettime(CLOCK_MONOTONIC, &ts);
			ts.tv_nsec += ts.tv_nsec < 999900000 ? 100000 : 0;
			KEPT(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, (long)&ts, 4, 5);
			break;
		case 3:
			KEPT(SYS_write, fd[1], (long)buf, 8);
			KEPT(SYS_read, fd[0], (long)buf, 8, 4);
			break;
		case 4:
			if (round % 3 == 0)
				KEPT(SYS_kill, getpid(), SIGUSR2, 4);
			else
				KEPT(SYS_sched_yield, 3, 2, 1);
			break;
		}
	}
	return NULL;
}

TEST_SECONDS(many_threads_and_signals, 60)
{
	struct itimerval it = {{0, 700}, {0, 700}};
	pthread_t t[6];

	catch (SIGUSR1, SA_RESTART);
	catch (SIGUSR2, 0);
	catch (SIGALRM, SA_RESTART | SA_NODEFER);
	ASSERT_EQ(setitimer(ITIMER_REAL, &it, NULL), 0);
	for (unsigned i = 0; i < 6; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, storm, (void *)(uintptr_t)i), 0);
	for (unsigned i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
}

TEST_MAIN()
