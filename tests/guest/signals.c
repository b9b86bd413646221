/* SPDX-License-Identifier: MIT */
/*
 * signals.c - handlers, masks, stacks, queues, and stopping and continuing: what process.c, which handles
 * nothing, leaves out.
 */
#include "gate.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/uio.h>
#include <ucontext.h>

static volatile sig_atomic_t count, last_signal, last_code;
static volatile pid_t last_pid;
static void *volatile last_address;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last_signal = sig;
	last_code = info->si_code;
	last_pid = info->si_pid;
	last_address = info->si_addr;
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

	ASSERT_EQ(sigaction(sig, &a, NULL), 0);
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void mask(int how, int sig)
{
	sigset_t set = set_of(sig);

	ASSERT_EQ(sigprocmask(how, &set, NULL), 0);
}

/* --- actions ------------------------------------------------------------------------------------ */

#define UNSUPPORTED 0x400 /* the bit that never means anything */

TEST(flags_that_mean_nothing_are_not_kept)
{
	struct {
		uint64_t handler, flags, restorer, mask;
	} act = {1, SA_RESTART | SA_NODEFER | UNSUPPORTED | 1ull << 24 | 1ull << 40, 0, ~0ull};

	ASSERT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, &act, NULL, 8), 0);
	ASSERT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &act, 8), 0);
	EXPECT_EQ(act.flags, SA_RESTART | SA_NODEFER);
	EXPECT_EQ(act.mask, ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1)));
}

/* --- handlers ----------------------------------------------------------------------------------- */

TEST(handler_runs_and_returns)
{
	handle(SIGUSR1, note, 0);
	ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_signal, SIGUSR1);
	EXPECT_EQ(last_code, SI_USER);
	EXPECT_EQ(last_pid, getpid());
	ASSERT_EQ(raise(SIGUSR1), 0);
	EXPECT_EQ(count, 2);
	EXPECT_EQ(last_code, SI_TKILL);
}

TEST(two_signals_run_both_handlers)
{
	handle(SIGUSR1, note, 0);
	handle(SIGUSR2, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	mask(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR2);
	raise(SIGUSR1);
	EXPECT_EQ(count, 0);
	sigset_t none;
	sigemptyset(&none);
	ASSERT_EQ(sigprocmask(SIG_SETMASK, &none, NULL), 0);
	EXPECT_EQ(count, 2);
}

static sigset_t mask_seen;

static void note_mask(int sig, siginfo_t *info, void *context)
{
	note(sig, info, context);
	sigprocmask(SIG_BLOCK, NULL, &mask_seen);
}

TEST(signal_and_action_mask_are_blocked_in_the_handler)
{
	struct sigaction a = {.sa_sigaction = note_mask, .sa_flags = SA_SIGINFO};

	sigaddset(&a.sa_mask, SIGUSR2);
	ASSERT_EQ(sigaction(SIGUSR1, &a, NULL), 0);
	raise(SIGUSR1);
	EXPECT(sigismember(&mask_seen, SIGUSR1));
	EXPECT(sigismember(&mask_seen, SIGUSR2));
	EXPECT(!sigismember(&mask_seen, SIGHUP));
	sigprocmask(SIG_BLOCK, NULL, &mask_seen);
	EXPECT(!sigismember(&mask_seen, SIGUSR1));
	EXPECT(!sigismember(&mask_seen, SIGUSR2));
}

static void raise_itself(int sig, siginfo_t *info, void *context)
{
	note(sig, info, context);
	if (count < 5)
		raise(sig);
}

TEST(nodefer_lets_a_handler_interrupt_itself)
{
	handle(SIGUSR1, raise_itself, SA_NODEFER);
	raise(SIGUSR1);
	EXPECT_EQ(count, 5);
}

TEST(resethand_handles_once)
{
	struct sigaction now;

	handle(SIGCHLD, note, (int)SA_RESETHAND);
	raise(SIGCHLD);
	raise(SIGCHLD); /* ignored by default */
	EXPECT_EQ(count, 1);
	ASSERT_EQ(sigaction(SIGCHLD, NULL, &now), 0);
	EXPECT(now.sa_handler == SIG_DFL);
}

static void set_registers(int sig, siginfo_t *info, void *context)
{
	volatile double x = 1.0;

	for (int i = 0; i < 1000; i++)
		x = x * 1.0001 + 0.5;
	note(sig, info, context);
}

TEST(registers_survive_a_handler)
{
	volatile double start = 2.5;
	double a = start, b = start * 2, c = start * 3;

	handle(SIGUSR1, set_registers, 0);
	for (int i = 0; i < 50; i++) {
		a += 1;
		b += 2;
		c += 3;
		kill(getpid(), SIGUSR1);
	}
	EXPECT_EQ(count, 50);
	EXPECT(a == 52.5 && b == 105 && c == 157.5);
}

static sigjmp_buf back;

static void leave(int sig, siginfo_t *info, void *context)
{
	note(sig, info, context);
	siglongjmp(back, 1);
}

TEST(fault_handler_sees_the_address_and_may_leave)
{
	uint8_t *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(SIGSEGV, leave, 0);
	if (!sigsetjmp(back, 1))
		*(volatile uint8_t *)(p + 5) = 1;
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last_code, SEGV_ACCERR);
	EXPECT(last_address == p + 5);
	ASSERT_EQ(munmap(p, 4096), 0);
	if (!sigsetjmp(back, 1))
		*(volatile uint8_t *)p = 1;
	EXPECT_EQ(count, 2);
	EXPECT_EQ(last_code, SEGV_MAPERR);
}

static uint8_t *protected_page;

static void open_page(int sig, siginfo_t *info, void *context)
{
	note(sig, info, context);
	mprotect(protected_page, 4096, PROT_READ | PROT_WRITE);
}

TEST(fault_handler_may_mend_and_return)
{
	protected_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	handle(SIGSEGV, open_page, 0);
	*(volatile uint8_t *)(protected_page + 9) = 77;
	EXPECT_EQ(count, 1);
	EXPECT_EQ(protected_page[9], 77);
}

/* --- stacks ------------------------------------------------------------------------------------- */

static uint8_t other_stack[65536];
static volatile bool was_on_other_stack;

static void note_stack(int sig, siginfo_t *info, void *context)
{
	uint8_t here;

	was_on_other_stack = &here >= other_stack && &here < other_stack + sizeof(other_stack);
	note(sig, info, context);
}

TEST(handler_may_run_on_another_stack)
{
	stack_t ss = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)}, old;

	ASSERT_EQ(sigaltstack(&ss, NULL), 0);
	ASSERT_EQ(sigaltstack(NULL, &old), 0);
	EXPECT(old.ss_sp == other_stack && old.ss_size == sizeof(other_stack) && old.ss_flags == 0);
	handle(SIGUSR1, note_stack, 0);
	raise(SIGUSR1);
	EXPECT(!was_on_other_stack);
	handle(SIGUSR1, note_stack, SA_ONSTACK);
	raise(SIGUSR1);
	EXPECT(was_on_other_stack);
	ss.ss_size = 100;
	EXPECT_ERRNO(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_flags = 77;
	EXPECT_ERRNO(sigaltstack(&ss, NULL), EINVAL);
}

static void use_up_stack(int sig, siginfo_t *info, void *context)
{
	note_stack(sig, info, context);
	_exit(was_on_other_stack && sig == SIGSEGV ? 33 : 1);
}

static int recurse(int n)
{
	volatile uint8_t big[4096];

	big[n % 4096] = (uint8_t)n;
	return n < 0 ? 0 : recurse(n + 1) + big[n % 4096];
}

TEST(stack_overflow_can_be_handled_on_another_stack)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		stack_t ss = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};

		sigaltstack(&ss, NULL);
		handle(SIGSEGV, use_up_stack, SA_ONSTACK);
		_exit(recurse(0) ? 2 : 3);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

TEST(no_room_for_a_frame_is_fatal)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		stack_t ss = {.ss_size = 65536};

		ss.ss_sp = mmap(NULL, ss.ss_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		sigaltstack(&ss, NULL);
		handle(SIGUSR1, note, SA_ONSTACK);
		raise(SIGUSR1);
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* --- pending signals ---------------------------------------------------------------------------- */

TEST(classic_signals_are_pending_once)
{
	sigset_t pending;

	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	for (int i = 0; i < 5; i++)
		kill(getpid(), SIGUSR1);
	ASSERT_EQ(sigpending(&pending), 0);
	EXPECT(sigismember(&pending, SIGUSR1));
	EXPECT(!sigismember(&pending, SIGUSR2));
	mask(SIG_UNBLOCK, SIGUSR1);
	EXPECT_EQ(count, 1);
	ASSERT_EQ(sigpending(&pending), 0);
	EXPECT(!sigismember(&pending, SIGUSR1));
}

TEST(real_time_signals_queue)
{
	handle(SIGRTMIN + 3, note, 0);
	mask(SIG_BLOCK, SIGRTMIN + 3);
	for (int i = 0; i < 5; i++)
		kill(getpid(), SIGRTMIN + 3);
	mask(SIG_UNBLOCK, SIGRTMIN + 3);
	EXPECT_EQ(count, 5);
}

TEST(ignoring_forgets_what_is_pending)
{
	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR1, note, 0);
	mask(SIG_UNBLOCK, SIGUSR1);
	EXPECT_EQ(count, 0);
}

TEST(child_inherits_handlers_and_mask_but_nothing_pending)
{
	int status;

	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	pid_t pid = fork();
	if (pid == 0) {
		mask(SIG_UNBLOCK, SIGUSR1);
		if (count)
			_exit(1);
		mask(SIG_BLOCK, SIGUSR1);
		raise(SIGUSR1);
		if (count)
			_exit(2);
		mask(SIG_UNBLOCK, SIGUSR1);
		_exit(count == 1 ? 0 : 3);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	mask(SIG_UNBLOCK, SIGUSR1);
	EXPECT_EQ(count, 1);
}

static void *take_signal(void *gate)
{
	mask(SIG_UNBLOCK, SIGUSR1);
	gate_send(gate, 1);
	while (!count)
		ktap_sleep_ns(1000000);
	return NULL;
}

TEST(process_signal_goes_to_a_thread_that_does_not_block_it)
{
	struct gate g = gate_make();
	pthread_t t;

	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	ASSERT_EQ(pthread_create(&t, NULL, take_signal, &g), 0);
	gate_receive(&g);
	kill(getpid(), SIGUSR1);
	pthread_join(t, NULL);
	EXPECT_EQ(count, 1);
}

/* --- interrupted system calls ------------------------------------------------------------------- */

/* A child that signals its parent a moment later, then writes into the gate. */
static pid_t signal_soon(int sig, struct gate *g)
{
	pid_t parent = getpid(), pid = fork();

	ASSERT(pid >= 0);
	if (pid)
		return pid;
	ktap_sleep_ns(50000000);
	kill(parent, sig);
	ktap_sleep_ns(50000000);
	gate_send(g, 1234);
	_exit(0);
}

TEST(handler_interrupts_a_blocked_read)
{
	struct gate g = gate_make();
	uint64_t value;

	handle(SIGUSR1, note, 0);
	signal_soon(SIGUSR1, &g);
	EXPECT_ERRNO(read(g.fd[0], &value, sizeof(value)), EINTR);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(gate_receive(&g), 1234);
	EXPECT(wait(NULL) > 0);
}

TEST(restart_flag_makes_the_read_go_on)
{
	struct gate g = gate_make();

	handle(SIGUSR1, note, SA_RESTART);
	signal_soon(SIGUSR1, &g);
	EXPECT_EQ(gate_receive(&g), 1234);
	EXPECT_EQ(count, 1);
	EXPECT(wait(NULL) > 0);
}

TEST(wait_is_restarted_as_well)
{
	struct gate g = gate_make();
	int status;

	handle(SIGUSR1, note, SA_RESTART);
	pid_t pid = signal_soon(SIGUSR1, &g);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(count, 1);
}

TEST(sleep_tells_what_remains)
{
	struct timespec ask = {5, 0}, left = {0, 0};
	struct gate g = gate_make();

	handle(SIGUSR1, note, SA_RESTART); /* sleeps are not restarted, whatever the flag */
	signal_soon(SIGUSR1, &g);
	EXPECT_ERRNO(nanosleep(&ask, &left), EINTR);
	EXPECT(left.tv_sec >= 1 && left.tv_sec < 5);
	EXPECT(wait(NULL) > 0);
}

TEST(suspend_waits_with_another_mask)
{
	struct gate g = gate_make();
	sigset_t none, now;

	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	signal_soon(SIGUSR1, &g);
	sigemptyset(&none);
	EXPECT_ERRNO(sigsuspend(&none), EINTR);
	EXPECT_EQ(count, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR1));
	EXPECT(wait(NULL) > 0);
}

/* --- stop and continue -------------------------------------------------------------------------- */

static pid_t fork_counter(volatile uint64_t *shared)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	while (pid == 0) {
		(*shared)++;
		ktap_sleep_ns(1000000);
	}
	return pid;
}

TEST(stopped_process_stands_still_until_continued)
{
	volatile uint64_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork_counter(shared);
	int status;

	ASSERT(shared != MAP_FAILED);
	kill(pid, SIGSTOP);
	ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* told once */
	uint64_t before = *shared;
	ktap_sleep_ns(100000000);
	EXPECT_EQ(*shared, before);
	kill(pid, SIGCONT);
	ASSERT_EQ(waitpid(pid, &status, WCONTINUED), pid);
	EXPECT(WIFCONTINUED(status));
	for (int i = 0; i < 1000 && *shared == before; i++)
		ktap_sleep_ns(1000000);
	EXPECT(*shared > before);
	kill(pid, SIGSTOP);
	ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	kill(pid, SIGKILL); /* works on the stopped as well */
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(parent_is_told_about_stops)
{
	handle(SIGCHLD, note, SA_RESTART);
	pid_t pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	for (int i = 0; i < 1000 && count < 1; i++)
		ktap_sleep_ns(1000000);
	EXPECT_EQ(last_code, CLD_STOPPED);
	EXPECT_EQ(last_pid, pid);
	siginfo_t info;
	ASSERT_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	EXPECT(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP && info.si_pid == pid);
	kill(pid, SIGCONT);
	ASSERT_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	EXPECT(info.si_code == CLD_EXITED && info.si_status == 0);
	ASSERT_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	EXPECT_ERRNO(waitid(P_PID, (id_t)pid, &info, WEXITED), ECHILD);
}

static void *count_up(void *counter)
{
	for (;;) {
		(*(volatile uint64_t *)counter)++;
		ktap_sleep_ns(1000000);
	}
	return NULL;
}

TEST(stop_stops_every_thread)
{
	volatile uint64_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pthread_t t[3];

		for (int i = 0; i < 3; i++)
			pthread_create(&t[i], NULL, count_up, (void *)(shared + i));
		count_up((void *)(shared + 3));
	}
	for (int i = 0; i < 4; i++)
		while (!shared[i])
			ktap_sleep_ns(1000000);
	kill(pid, SIGSTOP);
	ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	uint64_t before[4] = {shared[0], shared[1], shared[2], shared[3]};
	ktap_sleep_ns(100000000);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(shared[i], before[i]);
	kill(pid, SIGCONT);
	for (int i = 0; i < 4; i++)
		while (shared[i] == before[i])
			ktap_sleep_ns(1000000);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
}

TEST(stopped_sleep_ends_in_time)
{
	struct timespec ask = {0, 300000000};
	struct gate g = gate_make();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		gate_send(&g, 1);
		_exit(nanosleep(&ask, NULL) ? 1 : 0);
	}
	gate_receive(&g);
	ktap_sleep_ns(50000000);
	kill(pid, SIGSTOP);
	ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	kill(pid, SIGCONT);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0); /* not interrupted: the stop cannot be seen */
}

/* --- groups ------------------------------------------------------------------------------------- */

TEST(group_gets_a_signal_together)
{
	pid_t pids[3];
	int status;

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				pause();
		ASSERT_EQ(setpgid(pids[i], pids[0]), 0);
		EXPECT_EQ(getpgid(pids[i]), pids[0]);
	}
	EXPECT_EQ(waitpid(-pids[0], &status, WNOHANG), 0);
	ASSERT_EQ(kill(-pids[0], SIGTERM), 0);
	for (int i = 0; i < 3; i++) {
		EXPECT(waitpid(-pids[0], &status, 0) > 0);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	EXPECT_ERRNO(kill(-pids[0], SIGTERM), ESRCH);
	EXPECT_ERRNO(waitpid(-pids[0], &status, 0), ECHILD);
}

/* A parent in another group of the session is what makes a group stoppable from a terminal. */
TEST(terminal_stops_do_not_stop_orphaned_groups)
{
	int status;
	pid_t shell = fork();

	if (shell == 0) {
		setsid();
		pid_t pid = fork_counter(calloc(1, 8)), orphan;
		setpgid(pid, pid);
		kill(pid, SIGTSTP);
		if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
			_exit(1);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		orphan = fork_counter(
			calloc(1, 8)); /* in our own group, whose leader's parent is outside */
		kill(orphan, SIGTSTP);
		ktap_sleep_ns(50000000);
		if (waitpid(orphan, &status, WUNTRACED | WNOHANG))
			_exit(2);
		kill(orphan, SIGKILL);
		_exit(waitpid(orphan, &status, 0) == orphan ? 0 : 3);
	}
	ASSERT_EQ(waitpid(shell, &status, 0), shell);
	EXPECT_EQ(status, 0);
}

TEST(stopped_group_is_hung_up_when_its_keeper_dies)
{
	struct gate g = gate_make();
	int status;
	pid_t shell = fork();

	if (shell == 0) {
		setsid();
		pid_t pid = fork();
		if (pid == 0) {
			handle(SIGHUP, note, 0);
			raise(SIGSTOP);
			gate_send(&g, count ? 7 : 8);
			_exit(0);
		}
		setpgid(pid, pid);
		waitpid(pid, &status, WUNTRACED);
		_exit(0);
	}
	ASSERT_EQ(waitpid(shell, &status, 0), shell);
	EXPECT_EQ(gate_receive(&g), 7);
}

TEST(session_leaders_stay_what_they_are)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setsid() != getpid() || getsid(0) != getpid() || getpgid(0) != getpid())
			_exit(1);
		if (setsid() != -1 || errno != EPERM || setpgid(0, 0) != -1 || errno != EPERM)
			_exit(2);
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST_MAIN()
