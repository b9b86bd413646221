/* SPDX-License-Identifier: MIT */
/*
 * sigwait.c - waiting for signals and sending them with particulars: rt_sigtimedwait, rt_sigqueueinfo, queue limits,
 * and the particulars of faults.
 */
#include "gate.h"
#include <pthread.h>
#include <sys/resource.h>

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void block(int sig)
{
	sigset_t set = set_of(sig);

	ASSERT_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

static int wait_for(int sig, siginfo_t *info, long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
	sigset_t set = set_of(sig);

	return (int)syscall(SYS_rt_sigtimedwait, &set, info, ms < 0 ? NULL : &ts, 8);
}

TEST(a_pending_signal_is_taken)
{
	siginfo_t info;

	block(SIGUSR1);
	EXPECT_ERRNO(wait_for(SIGUSR1, &info, 0), EAGAIN);
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(wait_for(SIGUSR1, &info, 0), SIGUSR1);
	EXPECT_EQ(info.si_signo, SIGUSR1);
	EXPECT_EQ(info.si_code, SI_USER);
	EXPECT_EQ(info.si_pid, getpid());
	EXPECT_ERRNO(wait_for(SIGUSR1, NULL, 0), EAGAIN);
}

TEST(waiting_ends_when_the_signal_comes)
{
	siginfo_t info;
	pid_t pid, self = getpid();

	block(SIGUSR1);
	pid = fork();
	if (pid == 0) {
		ktap_sleep_ns(50000000);
		kill(self, SIGUSR1);
		_exit(0);
	}
	EXPECT_EQ(wait_for(SIGUSR1, &info, -1), SIGUSR1);
	EXPECT_EQ(info.si_pid, pid);
	wait(NULL);
}

TEST(waiting_takes_its_time)
{
	uint64_t before = ktap_now_ns();

	block(SIGUSR1);
	EXPECT_ERRNO(wait_for(SIGUSR1, NULL, 30), EAGAIN);
	EXPECT(ktap_now_ns() - before >= 30000000);
}

TEST(ignored_signals_can_be_waited_for_when_blocked)
{
	pid_t pid, self = getpid();

	signal(SIGUSR1, SIG_IGN);
	block(SIGUSR1);
	block(SIGCHLD);
	pid = fork();
	if (pid == 0) {
		ktap_sleep_ns(50000000);
		kill(self, SIGUSR1);
		_exit(0);
	}
	EXPECT_EQ(wait_for(SIGUSR1, NULL, -1), SIGUSR1);
	EXPECT_EQ(wait_for(SIGCHLD, NULL, -1), SIGCHLD);
}

static volatile int ran;

static void note(int sig)
{
	ran = sig;
}

TEST(another_signal_ends_the_wait_with_eintr)
{
	pid_t pid, self = getpid();
	struct sigaction sa = {.sa_handler = note, .sa_flags = SA_RESTART};

	sigaction(SIGUSR2, &sa, NULL);
	block(SIGUSR1);
	pid = fork();
	if (pid == 0) {
		ktap_sleep_ns(50000000);
		kill(self, SIGUSR2);
		_exit(0);
	}
	EXPECT_ERRNO(wait_for(SIGUSR1, NULL, -1), EINTR);
	EXPECT_EQ(ran, SIGUSR2);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

static void *thread_waits(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)wait_for(SIGUSR1, NULL, -1);
}

TEST(a_waiting_thread_takes_the_signal_of_the_process)
{
	pthread_t t;
	void *result;

	block(SIGUSR1);
	ASSERT_EQ(pthread_create(&t, NULL, thread_waits, NULL), 0);
	ktap_sleep_ns(50000000);
	kill(getpid(), SIGUSR1);
	pthread_join(t, &result);
	EXPECT_EQ((intptr_t)result, SIGUSR1);
}

TEST(sigtimedwait_errors)
{
	struct timespec bad = {0, 1000000000}, neg = {-1, 0};
	sigset_t set = set_of(SIGUSR1);

	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, 8, NULL, NULL, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, 8, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &neg, 8), EINVAL);
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	bad.tv_nsec = 0;
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, 8, &bad, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_restart_syscall), EINTR);
}

/* --- with particulars --------------------------------------------------------------------------- */

TEST(queued_signals_carry_a_value)
{
	union sigval v = {.sival_int = 77};
	siginfo_t info = {.si_code = SI_QUEUE};

	block(SIGRTMIN + 3);
	EXPECT_EQ(sigqueue(getpid(), SIGRTMIN + 3, v), 0);
	v.sival_int = 78;
	EXPECT_EQ(sigqueue(getpid(), SIGRTMIN + 3, v), 0);
	for (int i = 77; i < 79; i++) {
		EXPECT_EQ(wait_for(SIGRTMIN + 3, &info, 0), SIGRTMIN + 3);
		EXPECT_EQ(info.si_value.sival_int, i);
		EXPECT_EQ(info.si_code, SI_QUEUE);
	}
	memset(&info, 0, sizeof(info));
	info.si_code = -33;
	info.si_errno = 5;
	EXPECT_EQ(
		syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGRTMIN + 3, &info),
		0);
	EXPECT_EQ(wait_for(SIGRTMIN + 3, &info, 0), SIGRTMIN + 3);
	EXPECT_EQ(info.si_code, -33);
	EXPECT_EQ(info.si_errno, 5);
	EXPECT_EQ(info.si_signo, SIGRTMIN + 3);
}

TEST(nobody_pretends_to_be_the_kernel)
{
	siginfo_t info = {.si_code = SI_USER};

	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &info), EPERM);
	info.si_code = SI_TKILL;
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &info), EPERM);
	info.si_code = SI_QUEUE;
	EXPECT_EQ(syscall(SYS_rt_sigqueueinfo, 1, 0, &info), 0);
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, 0x3fffffff, 0, &info), ESRCH);
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 0, 1, SIGUSR1, &info), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 1, getpid(), 0, &info), ESRCH);
	signal(SIGUSR1, SIG_IGN);
	info.si_code = SI_USER;
	EXPECT_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info), 0);
}

TEST(the_queue_has_a_limit)
{
	struct rlimit limit = {10, 10};
	union sigval v = {0};
	int sent = 0;

	ASSERT_EQ(syscall(SYS_setuid, 5432), 0); /* somebody who has none queued yet */
	ASSERT_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	block(SIGRTMIN + 3);
	block(SIGUSR1);
	while (sent < 50 && !sigqueue(getpid(), SIGRTMIN + 3, v))
		sent++;
	EXPECT_EQ(sent, 10);
	EXPECT_EQ(errno, EAGAIN);
	/* What cannot be queued still arrives, once: classic signals, and whatever kill sends. */
	EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(wait_for(SIGUSR1, NULL, 0), SIGUSR1);
	EXPECT_EQ(kill(getpid(), SIGRTMIN + 3), 0);
}

static volatile int told_pid = -1;

static void note_sender(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told_pid = info->si_pid;
}

TEST(beyond_the_limit_only_kill_brings_particulars)
{
	struct sigaction sa = {.sa_sigaction = note_sender, .sa_flags = SA_SIGINFO};
	struct rlimit limit = {0, 0};

	ASSERT_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(told_pid, getpid());
	ASSERT_EQ(syscall(SYS_setuid, 5433), 0);
	ASSERT_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	told_pid = -1;
	ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(told_pid, getpid());
	ASSERT_EQ(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1), 0);
	EXPECT_EQ(told_pid, 0);
}

/* --- faults ------------------------------------------------------------------------------------- */

static int want_code;
static void *want_addr;

static void check_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	_exit(info->si_code != want_code ? 1 : info->si_addr != want_addr ? 2 : 0);
}

static void catch_fault(int sig, int code, void *addr)
{
	struct sigaction sa = {.sa_sigaction = check_fault, .sa_flags = SA_SIGINFO};

	want_code = code;
	want_addr = addr;
	sigaction(sig, &sa, NULL);
}

static void load_unmapped(void *p)
{
	catch_fault(SIGSEGV, SEGV_MAPERR, p);
	ktap_load(p);
	_exit(9);
}

static void store_readonly(void *unused)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	catch_fault(SIGSEGV, SEGV_ACCERR, (char *)p + 5);
	ktap_store((char *)p + 5, 1);
	_exit(9);
}

static void load_beyond_file(void *unused)
{
	int fd = open("/tests/sigwait", O_RDONLY);
	off_t end = (lseek(fd, 0, SEEK_END) + 8191) & ~4095;
	char *p = mmap(NULL, (size_t)end + 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	(void)unused;
	catch_fault(SIGBUS, BUS_ADRERR, p + end);
	ktap_load(p + end);
	_exit(9);
}

TEST(faults_tell_what_and_where)
{
	EXPECT_CHILD_OK(load_unmapped, 16);
	EXPECT_CHILD_OK(store_readonly, NULL);
	EXPECT_CHILD_OK(load_beyond_file, NULL);
}

static void breakpoint(void *unused)
{
	struct sigaction sa = {.sa_sigaction = check_fault, .sa_flags = SA_SIGINFO};

	(void)unused;
	sigaction(SIGTRAP, &sa, NULL);
#ifdef __x86_64__
	want_code = SI_KERNEL;
	want_addr = NULL;
	__asm__ volatile("int3");
#else
	long at;

	want_code = TRAP_BRKPT;
	__asm__ volatile("adr %0, 1f; str %0, %1; 1: brk #0"
			 : "=&r"(at), "=m"(want_addr)::"memory");
#endif
	_exit(9);
}

TEST(a_breakpoint_is_a_trap)
{
	EXPECT_CHILD_OK(breakpoint, NULL);
}

TEST_MAIN()
