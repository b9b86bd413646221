/* SPDX-License-Identifier: MIT */
/*
 * process.c - birth, death and burial: fork, vfork, clone, exit and wait4 in their variants, orphans, and
 * what signals do to a process that handles none of them.
 */
#include "gate.h"
#include <pthread.h>
#include <sys/resource.h>

static pid_t fork_exit(int status)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0)
		_exit(status);
	return pid;
}

/* A child that sleeps until killed. */
static pid_t fork_sleeper(void)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	while (pid == 0)
		ktap_sleep_ns(1000000000);
	return pid;
}

static int wait_status(pid_t pid)
{
	int status = -1;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

/* --- exit and wait ------------------------------------------------------------------------------ */

TEST(exit_status_is_the_low_byte)
{
	EXPECT_EQ(wait_status(fork_exit(0)), 0);
	EXPECT_EQ(wait_status(fork_exit(1)), 1 << 8);
	EXPECT_EQ(wait_status(fork_exit(255)), 255 << 8);
	EXPECT_EQ(wait_status(fork_exit(256)), 0);
	EXPECT_EQ(wait_status(fork_exit(-1)), 255 << 8);
}

TEST(wait_for_any_child_reaps_each_once)
{
	pid_t pids[10];
	unsigned seen = 0;

	for (int i = 0; i < 10; i++)
		pids[i] = fork_exit(i);
	for (int n = 0; n < 10; n++) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		for (int i = 0; i < 10; i++)
			if (pids[i] == pid) {
				EXPECT_EQ(WEXITSTATUS(status), i);
				seen |= 1u << i;
			}
	}
	EXPECT_EQ(seen, 0x3ff);
	EXPECT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
}

TEST(wait_can_choose_a_child)
{
	pid_t first = fork_exit(1), second = fork_exit(2);

	EXPECT_EQ(wait_status(second), 2 << 8);
	EXPECT_EQ(wait_status(first), 1 << 8);
	EXPECT_ERRNO(waitpid(first, NULL, 0), ECHILD);
}

TEST(wait_nohang_returns_at_once)
{
	pid_t pid = fork_sleeper();

	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	EXPECT_EQ(waitpid(-1, NULL, WNOHANG), 0);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(wait_status(pid), SIGKILL);
	EXPECT_ERRNO(waitpid(pid, NULL, WNOHANG), ECHILD);
}

TEST(wait_blocks_until_the_child_ends)
{
	uint64_t before = ktap_now_ns();
	pid_t pid = fork();

	if (pid == 0) {
		ktap_sleep_ns(100000000);
		_exit(3);
	}
	EXPECT_EQ(wait_status(pid), 3 << 8);
	EXPECT(ktap_now_ns() - before >= 100000000);
}

TEST(wait4_takes_null_status_and_fills_rusage)
{
	struct rusage usage;
	pid_t pid = fork_exit(0);

	EXPECT_EQ(wait4(pid, NULL, 0, NULL), pid);
	memset(&usage, 0xff, sizeof(usage));
	pid = fork_exit(0);
	EXPECT_EQ(wait4(pid, NULL, 0, &usage), pid);
	EXPECT(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100);
}

TEST(wait_errors)
{
	EXPECT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	EXPECT_ERRNO(waitpid(getpid(), NULL, 0), ECHILD);
	EXPECT_ERRNO(waitpid(1, NULL, 0), ECHILD);
	EXPECT_ERRNO(waitpid(-1, NULL, 0x10000000), EINVAL);
}

TEST_SECONDS(four_hundred_children_leave_nothing_behind, 60)
{
	for (int i = 0; i < 400; i++)
		ASSERT_EQ(wait_status(fork_exit(i)), (i & 255) << 8);
}

TEST(zombies_keep_their_status_until_reaped)
{
	pid_t pids[50];

	for (int i = 0; i < 50; i++)
		pids[i] = fork_exit(i);
	ktap_sleep_ns(20000000);
	EXPECT_EQ(kill(pids[7], 0), 0); /* still a process */
	for (int i = 49; i >= 0; i--)
		EXPECT_EQ(wait_status(pids[i]), i << 8);
	EXPECT_ERRNO(kill(pids[7], 0), ESRCH);
}

TEST(ids_are_what_they_should_be)
{
	pid_t me = getpid();
	struct gate g = gate_make();
	pid_t pid = fork();

	if (pid == 0) {
		gate_send(&g, (uint64_t)getppid() << 32 | (uint32_t)getpid());
		_exit(syscall(SYS_gettid) != getpid());
	}
	EXPECT_EQ(gate_receive(&g), (uint64_t)me << 32 | (uint32_t)pid);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(syscall(SYS_gettid), me);
}

TEST(orphans_belong_to_init)
{
	struct gate g = gate_make();
	pid_t middle = fork();

	if (middle == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			while (getppid() == me)
				ktap_sleep_ns(1000000);
			gate_send(&g, (uint64_t)getppid());
			_exit(0);
		}
		_exit(0);
	}
	EXPECT_EQ(wait_status(middle), 0);
	EXPECT_EQ(gate_receive(&g), 1);
	EXPECT_ERRNO(waitpid(-1, NULL, 0), ECHILD);
}

/* --- vfork and clone ---------------------------------------------------------------------------- */

static volatile int shared_word;

TEST(vfork_shares_memory_and_suspends_the_parent)
{
	pid_t pid = vfork();

	if (pid == 0) {
		ktap_sleep_ns(20000000);
		shared_word = 55;
		_exit(9);
	}
	EXPECT_EQ(shared_word, 55);
	EXPECT_EQ(wait_status(pid), 9 << 8);
}

TEST(vfork_and_exec)
{
	static char *argv[] = {"/tests/hello", NULL}, *envp[] = {"HOME=/", NULL};
	int null_pipe[2];

	ASSERT_EQ(pipe2(null_pipe, 0), 0);
	pid_t pid = vfork();
	if (pid == 0) {
		dup3(null_pipe[1], 1, 0); /* its KTAP is not ours */
		execve(argv[0], argv, envp);
		_exit(127);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT(write(1, "", 0) == 0); /* the parent's descriptors are as they were */
}

static long raw_clone(unsigned long flags)
{
	return syscall(SYS_clone, flags, 0ul, 0ul, 0ul, 0ul);
}

TEST(impossible_clone_flags_are_refused)
{
	EXPECT_ERRNO(raw_clone(CLONE_THREAD), EINVAL);
	EXPECT_ERRNO(raw_clone(CLONE_THREAD | CLONE_VM), EINVAL);
	EXPECT_ERRNO(raw_clone(CLONE_SIGHAND), EINVAL);
	EXPECT_ERRNO(raw_clone(CLONE_FS | CLONE_NEWNS), EINVAL);
	EXPECT_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
}

TEST(clone3_checks_its_argument)
{
	uint64_t args[16] = {0};

	args[4] = SIGCHLD;
	EXPECT_ERRNO(syscall(SYS_clone3, args, 63), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clone3, args, 8192), E2BIG);
	args[15] = 1; /* a later version's field, in use: not understood */
	EXPECT_ERRNO(syscall(SYS_clone3, args, 128), E2BIG);
	args[15] = 0;
	args[4] = 65; /* exit signal */
	EXPECT_ERRNO(syscall(SYS_clone3, args, 88), EINVAL);
	args[4] = SIGCHLD;
	pid_t pid = (pid_t)syscall(SYS_clone3, args, 88);
	if (pid == 0)
		_exit(4);
	EXPECT_EQ(wait_status(pid), 4 << 8);
}

/* --- threads and the process they are in -------------------------------------------------------- */

static void *sleep_for_ever(void *arg)
{
	for (;;)
		ktap_sleep_ns(1000000000);
	return arg;
}

static void *spin_for_ever(void *arg)
{
	for (;;)
		shared_word++;
	return arg;
}

static void start_threads(void)
{
	pthread_t t;

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(pthread_create(&t, NULL, sleep_for_ever, NULL), 0);
		ASSERT_EQ(pthread_create(&t, NULL, spin_for_ever, NULL), 0);
	}
}

static void exit_with_threads(void *arg)
{
	start_threads();
	_exit((int)(uintptr_t)arg);
}

static void wait_with_threads(void *arg)
{
	start_threads();
	gate_send(arg, 1);
	sleep_for_ever(NULL);
}

static void *exit_process(void *arg)
{
	_exit((int)(uintptr_t)arg);
}

static void exit_from_thread(void *arg)
{
	pthread_t t;

	start_threads();
	pthread_create(&t, NULL, exit_process, arg);
	sleep_for_ever(NULL);
}

static void crash_in_thread(void *arg)
{
	pthread_t t;

	start_threads();
	pthread_create(&t, NULL, (void *(*)(void *))(void *)ktap_do_store, arg);
	sleep_for_ever(NULL);
}

TEST(exit_group_ends_every_thread)
{
	EXPECT_EQ(ktap_fork_run(exit_with_threads, (void *)5), 5 << 8);
	EXPECT_EQ(ktap_fork_run(exit_from_thread, (void *)6), 6 << 8);
}

TEST(fatal_fault_ends_every_thread)
{
	EXPECT_DEATH(crash_in_thread, NULL, SIGSEGV);
}

TEST(kill_ends_every_thread)
{
	struct gate g = gate_make();
	pid_t pid = fork();

	if (pid == 0)
		wait_with_threads(&g);
	gate_receive(&g);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(wait_status(pid), SIGKILL);
}

static void *end_process_later(void *arg)
{
	ktap_sleep_ns(50000000);
	_exit((int)(uintptr_t)arg);
}

static void end_first_thread(void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, end_process_later, arg);
	syscall(SYS_exit, 0);
}

TEST(process_outlives_its_first_thread)
{
	EXPECT_EQ(ktap_fork_run(end_first_thread, (void *)8), 8 << 8);
}

static void *exec_hello(void *arg)
{
	char *argv[] = {"/tests/hello", NULL}, *envp[] = {"HOME=/", NULL};

	execve(argv[0], argv, envp);
	_exit(126);
	return arg;
}

static void exec_in_thread(void *arg)
{
	struct gate sink = gate_make();
	pthread_t t;

	dup3(sink.fd[1], 1, 0);
	start_threads();
	if (arg)
		exec_hello(NULL);
	pthread_create(&t, NULL, exec_hello, NULL);
	sleep_for_ever(NULL);
}

TEST(exec_ends_the_other_threads)
{
	EXPECT_EQ(ktap_fork_run(exec_in_thread, (void *)1), 0);
	EXPECT_EQ(ktap_fork_run(exec_in_thread, NULL), 0);
}

/* --- signals without handlers ------------------------------------------------------------------- */

TEST(default_action_of_most_signals_is_death)
{
	static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
				     SIGBUS,  SIGFPE,  SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
				     SIGPIPE, SIGALRM, SIGTERM, SIGSYS,  40,      64};

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		pid_t pid = fork_sleeper();

		EXPECT_EQ(kill(pid, deadly[i]), 0);
		int status = wait_status(pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != deadly[i])
			KTAP_CHECK(false, false, "signal %d: status 0x%x", deadly[i], status);
	}
}

TEST(default_action_of_some_signals_is_nothing)
{
	EXPECT_EQ(kill(getpid(), SIGCHLD), 0);
	EXPECT_EQ(kill(getpid(), SIGURG), 0);
	EXPECT_EQ(kill(getpid(), SIGWINCH), 0);
	EXPECT_EQ(kill(getpid(), SIGCONT), 0);
	EXPECT_EQ(kill(getpid(), 0), 0);
}

static void kill_self(void *signal)
{
	kill(getpid(), (int)(uintptr_t)signal);
	_exit(77); /* a signal to oneself arrives before kill returns */
}

static void tgkill_self(void *signal)
{
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), (int)(uintptr_t)signal);
	_exit(77);
}

TEST(signal_to_oneself_arrives_at_once)
{
	EXPECT_DEATH(kill_self, SIGTERM, SIGTERM);
	EXPECT_DEATH(tgkill_self, SIGUSR1, SIGUSR1);
}

static void spin(void *unused)
{
	spin_for_ever(unused);
}

TEST(a_loop_without_system_calls_can_be_killed)
{
	pid_t pid = fork();

	if (pid == 0)
		spin(NULL);
	ktap_sleep_ns(20000000);
	EXPECT_EQ(kill(pid, SIGTERM), 0);
	EXPECT_EQ(wait_status(pid), SIGTERM);
}

TEST(ignored_signals_do_nothing)
{
	ASSERT(signal(SIGTERM, SIG_IGN) != SIG_ERR);
	EXPECT_EQ(kill(getpid(), SIGTERM), 0);
	EXPECT(signal(SIGTERM, SIG_DFL) == SIG_IGN);
	EXPECT_DEATH(kill_self, SIGTERM, SIGTERM);
	EXPECT(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
	EXPECT(signal(SIGSTOP, SIG_IGN) == SIG_ERR && errno == EINVAL);
}

static void block_kill_and_unblock(void *unused)
{
	sigset_t set;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGTERM);
	ktap_sleep_ns(1000000);
	EXPECT_EQ(write(2, "", 0), 0); /* still here */
	ktap_print("# alive while blocked\n");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(78);
}

TEST(blocked_signals_wait)
{
	EXPECT_DEATH(block_kill_and_unblock, NULL, SIGTERM);
}

static void block_and_fault(void *unused)
{
	sigset_t set;

	(void)unused;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGSEGV, SIG_IGN);
	ktap_store(NULL, 1);
}

TEST(faults_kill_even_when_blocked_or_ignored)
{
	EXPECT_DEATH(block_and_fault, NULL, SIGSEGV);
}

TEST(sigkill_cannot_be_blocked)
{
	struct gate g = gate_make();
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t set;

		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		gate_send(&g, 1);
		sleep_for_ever(NULL);
	}
	gate_receive(&g);
	EXPECT_EQ(kill(pid, SIGTERM), 0);
	ktap_sleep_ns(5000000);
	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(wait_status(pid), SIGKILL);
}

TEST(kill_interrupts_a_blocked_read)
{
	struct gate g = gate_make();
	pid_t pid = fork();

	if (pid == 0) {
		gate_receive(&g);
		_exit(1);
	}
	ktap_sleep_ns(20000000);
	EXPECT_EQ(kill(pid, SIGTERM), 0);
	EXPECT_EQ(wait_status(pid), SIGTERM);
}

TEST(kill_errors)
{
	EXPECT_ERRNO(kill(getpid(), 65), EINVAL);
	EXPECT_ERRNO(kill(getpid(), -1), EINVAL);
	EXPECT_ERRNO(kill(0x3fffffff, SIGTERM), ESRCH);
	EXPECT_ERRNO(syscall(SYS_tgkill, getpid(), 0x3fffffff, SIGTERM), ESRCH);
	EXPECT_ERRNO(syscall(SYS_tgkill, 0x3fffffff, getpid(), SIGTERM), ESRCH);
	EXPECT_ERRNO(syscall(SYS_tgkill, 0, getpid(), SIGTERM), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tgkill, getpid(), -1, SIGTERM), EINVAL);
}

TEST(ignoring_sigchld_reaps_automatically)
{
	ASSERT(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	pid_t pid = fork_exit(3);
	EXPECT_ERRNO(waitpid(pid, NULL, 0), ECHILD);
}

TEST(writing_to_a_pipe_nobody_reads_kills)
{
	struct gate g = gate_make();

	close(g.fd[0]);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(write(g.fd[1], "x", 1), EPIPE);
	signal(SIGPIPE, SIG_DFL);
	pid_t pid = fork();
	if (pid == 0)
		_exit((int)write(g.fd[1], "x", 1) & 0x7f);
	EXPECT_EQ(wait_status(pid), SIGPIPE);
}

TEST_MAIN()
