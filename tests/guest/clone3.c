/* SPDX-License-Identifier: MIT */
/*
 * clone3.c - which arguments of clone and clone3 are accepted, what processes may share without being threads of one
 * process, chosen numbers, and pidfds.
 */
#include "gate.h"
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define PIDFD_THREAD O_EXCL

struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

static long clone3(struct args *a, size_t size)
{
	return syscall(SYS_clone3, a, size);
}

/* try - clone3 in a child of its own, whose child in turn ends at once; 0 or the errno. */
static int try_size(struct args a, size_t size)
{
	pid_t helper = fork();
	int status;

	ASSERT(helper >= 0);
	if (helper == 0) {
		long pid = clone3(&a, size);

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid((pid_t)pid, NULL, __WALL);
		_exit(pid < 0 ? errno : 0);
	}
	ASSERT_EQ(waitpid(helper, &status, 0), helper);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try(struct args a)
{
	return try_size(a, sizeof(a));
}

TEST(clone3_sizes)
{
	struct {
		struct args a;
		uint64_t more[8];
	} big = {.a = {.exit_signal = SIGCHLD}};
	struct args plain = {.exit_signal = SIGCHLD};

	EXPECT_EQ(try_size(plain, 64), 0);
	EXPECT_EQ(try_size(plain, 80), 0);
	EXPECT_EQ(try_size(plain, 88), 0);
	EXPECT_EQ(try_size(plain, 72), 0);
	EXPECT_EQ(try_size(plain, 63), EINVAL);
	EXPECT_EQ(try_size(plain, 0), EINVAL);
	EXPECT_EQ(try_size(plain, 4097), E2BIG);
	pid_t pid = (pid_t)clone3(&big.a, sizeof(big));
	if (pid == 0)
		_exit(0);
	EXPECT(pid > 0);
	wait(NULL);
	big.more[3] = 1;
	EXPECT_ERRNO(clone3(&big.a, sizeof(big)), E2BIG);
	EXPECT_ERRNO(clone3((void *)8, 64), EFAULT);
	EXPECT_ERRNO(clone3(NULL, 64), EFAULT);
}

TEST(clone3_flags)
{
	EXPECT_EQ(try((struct args){.flags = CLONE_SIGHAND}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = CLONE_THREAD}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = CLONE_THREAD | CLONE_SIGHAND}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = CLONE_DETACHED}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = SIGCHLD}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = 1ull << 40}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = CLONE_NEWNS | CLONE_FS}), EINVAL);
	EXPECT_EQ(try((struct args){.flags = CLONE_VM | CLONE_SIGHAND | 0x100000000ull}), EINVAL);
	EXPECT_EQ(try((struct args){.exit_signal = 65}), EINVAL);
	EXPECT_EQ(try((struct args){.exit_signal = 0x100}), EINVAL);
	EXPECT_EQ(try((struct args){.exit_signal = ~0ull}), EINVAL);
	EXPECT_EQ(try((struct args){.exit_signal = SIGUSR1, .flags = CLONE_PARENT}), EINVAL);
	EXPECT_EQ(try((struct args){.exit_signal = 0}), 0);
	EXPECT_EQ(try((struct args){.exit_signal = SIGCHLD, .flags = CLONE_FS | CLONE_FILES}), 0);
	EXPECT_EQ(try((struct args){.exit_signal = SIGCHLD, .flags = 0x100000000ull}), 0);
	EXPECT_EQ(try((struct args){.exit_signal = SIGCHLD, .flags = CLONE_SETTLS, .tls = ~0ull}),
#ifdef __x86_64__
		  EPERM);
#else
		  0);
#endif
}

TEST(clone3_stacks)
{
	static char stack[16384];

	EXPECT_EQ(try((struct args){.exit_signal = SIGCHLD, .stack = (uintptr_t)stack}), EINVAL);
	EXPECT_EQ(try((struct args){.exit_signal = SIGCHLD, .stack_size = 4096}), EINVAL);
	EXPECT_EQ(
		try((struct args){.exit_signal = SIGCHLD, .stack = ~0xfffull, .stack_size = 8192}),
		EINVAL);
}

TEST(clone3_into_a_cgroup_needs_one)
{
	EXPECT_EQ(try((struct args){
			  .exit_signal = SIGCHLD, .flags = 0x200000000ull, .cgroup = 1u << 31}),
		  EINVAL);
	EXPECT_EQ(try_size((struct args){.exit_signal = SIGCHLD, .flags = 0x200000000ull}, 80),
		  EINVAL);
	EXPECT_EQ(
		try((struct args){.exit_signal = SIGCHLD, .flags = 0x200000000ull, .cgroup = 1000}),
		EBADF);
}

/* --- chosen numbers ----------------------------------------------------------------------------- */

TEST(clone3_gives_the_number_that_was_asked_for)
{
	pid_t want = 31007, self = getpid(), pid;
	struct args a = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&want, .set_tid_size = 1};

	pid = (pid_t)clone3(&a, sizeof(a));
	if (pid == 0)
		_exit(getpid() != want);
	EXPECT_EQ(pid, want);
	int status;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	a.set_tid = (uintptr_t)&self;
	EXPECT_EQ(try(a), EEXIST);
	a.set_tid = 8;
	EXPECT_EQ(try(a), EFAULT);
	a.set_tid = (uintptr_t)&want;
	for (int i = 0; i < 3; i++) {
		want = (pid_t[]){0, -1, 32768 * 256}[i];
		EXPECT_EQ(try(a), EINVAL);
	}
	want = 31007;
	a.set_tid_size = 2;
	EXPECT_EQ(try(a), EINVAL);
	a.set_tid_size = 33;
	EXPECT_EQ(try(a), EINVAL);
	a.set_tid_size = 0;
	EXPECT_EQ(try(a), EINVAL);
	a.set_tid = 0, a.set_tid_size = 1;
	EXPECT_EQ(try(a), EINVAL);
	a.set_tid = (uintptr_t)&want;
	ASSERT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_EQ(try(a), EPERM);
}

/* --- sharing ------------------------------------------------------------------------------------ */

static volatile int shared_word;
static char child_stack[4][65536] __attribute__((aligned(16)));

static int run_shared(unsigned long flags, int (*fn)(void *), int n)
{
	int status;
	pid_t pid = clone(fn, child_stack[n] + sizeof(child_stack[n]), (int)flags, NULL);

	ASSERT(pid > 0);
	ASSERT_EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

static int change_things(void *unused)
{
	(void)unused;
	shared_word = 42;
	close(90);
	umask(0);
	return chdir("/tests") != 0;
}

TEST(each_thing_is_shared_alone)
{
	char cwd[64];

	ASSERT_EQ(chdir("/"), 0);
	umask(022);
	ASSERT_EQ(dup2(1, 90), 90);
	EXPECT_EQ(run_shared(SIGCHLD, change_things, 0), 0);
	EXPECT_EQ(shared_word, 0);
	EXPECT_EQ(fcntl(90, F_GETFD), 0);
	EXPECT(!strcmp(getcwd(cwd, sizeof(cwd)), "/"));
	EXPECT_EQ(run_shared(CLONE_VM | SIGCHLD, change_things, 0), 0);
	EXPECT_EQ(shared_word, 42);
	EXPECT_EQ(fcntl(90, F_GETFD), 0);
	EXPECT_EQ(run_shared(CLONE_FILES | SIGCHLD, change_things, 1), 0);
	EXPECT_ERRNO(fcntl(90, F_GETFD), EBADF);
	EXPECT(!strcmp(getcwd(cwd, sizeof(cwd)), "/"));
	EXPECT_EQ(run_shared(CLONE_FS | SIGCHLD, change_things, 2), 0);
	EXPECT(!strcmp(getcwd(cwd, sizeof(cwd)), "/tests"));
	EXPECT_EQ(umask(022), 0);
}

static int end_at_once(void *unused)
{
	(void)unused;
	return 7;
}

static volatile int got_usr1;

static void note_usr1(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	got_usr1 = info->si_code == CLD_EXITED && info->si_status == 7 ? info->si_pid : -1;
}

TEST(a_child_that_ends_with_another_signal_is_a_clone_child)
{
	struct sigaction sa = {.sa_sigaction = note_usr1, .sa_flags = SA_SIGINFO};
	int status;
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	pid = clone(end_at_once, child_stack[3] + sizeof(child_stack[3]), SIGUSR1, NULL);
	ASSERT(pid > 0);
	while (!got_usr1)
		ktap_sleep_ns(1000000);
	EXPECT_EQ(got_usr1, pid);
	EXPECT_ERRNO(waitpid(pid, &status, 0), ECHILD);
	EXPECT_EQ(waitpid(pid, &status, __WCLONE), pid);
	EXPECT_EQ(status, 7 << 8);
}

TEST(clear_sighand_leaves_no_handlers)
{
	struct sigaction sa = {.sa_handler = SIG_IGN}, now;
	struct args a = {.exit_signal = SIGCHLD, .flags = 0x100000000ull};
	int status;
	pid_t pid;

	sigaction(SIGUSR2, &sa, NULL);
	sa.sa_sigaction = note_usr1;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &sa, NULL);
	pid = (pid_t)clone3(&a, sizeof(a));
	if (pid == 0) {
		int bad = 0;

		sigaction(SIGUSR1, NULL, &now);
		bad |= now.sa_handler != SIG_DFL;
		sigaction(SIGUSR2, NULL, &now);
		_exit(bad | (now.sa_handler != SIG_IGN) << 1);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

/* --- pidfds ------------------------------------------------------------------------------------- */

static int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_send(int fd, int sig, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	while (pid == 0)
		pause();
	return pid;
}

TEST(pidfd_open_errors)
{
	EXPECT_ERRNO(pidfd_open(0, 0), EINVAL);
	EXPECT_ERRNO(pidfd_open(-1, 0), EINVAL);
	EXPECT_ERRNO(pidfd_open(getpid(), 1), EINVAL);
	EXPECT_ERRNO(pidfd_open(0x3fffffff, 0), ESRCH);
	int fd = pidfd_open(getpid(), 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	fd = pidfd_open(getpid(), O_NONBLOCK);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

TEST(a_pidfd_is_readable_when_the_process_has_ended)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	siginfo_t info;

	ASSERT(fd >= 0);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	EXPECT_EQ(p.revents, 0);
	EXPECT_EQ(pidfd_send(fd, SIGKILL, NULL, 0), 0);
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_EQ(p.revents, POLLIN);
	EXPECT_EQ(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(info.si_pid, pid);
	EXPECT_EQ(info.si_code, CLD_KILLED);
	EXPECT_EQ(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents, POLLIN | POLLHUP);
	EXPECT_ERRNO(pidfd_send(fd, 0, NULL, 0), ESRCH);
	EXPECT_ERRNO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
}

TEST(waitid_on_a_pidfd)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, O_NONBLOCK);
	siginfo_t info;

	EXPECT_ERRNO(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), EAGAIN);
	info.si_pid = 1;
	EXPECT_EQ(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG), 0);
	EXPECT_EQ(info.si_pid, 0);
	EXPECT_ERRNO(waitid(P_PIDFD, 0, &info, WEXITED), EBADF);
	EXPECT_ERRNO(waitid(P_PIDFD, 999, &info, WEXITED), EBADF);
	EXPECT_ERRNO(waitid(P_PIDFD, (id_t)-1, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(waitid((idtype_t)4, 0, &info, WEXITED), EINVAL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(pidfd_send_signal_checks)
{
	int fd = pidfd_open(getpid(), 0), init = pidfd_open(1, 0);
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};

	EXPECT_EQ(pidfd_send(fd, 0, NULL, 0), 0);
	EXPECT_ERRNO(pidfd_send(fd, 65, NULL, 0), EINVAL);
	EXPECT_ERRNO(pidfd_send(fd, 0, NULL, 8), EINVAL);
	EXPECT_ERRNO(pidfd_send(fd, 0, NULL, 3), EINVAL);
	EXPECT_ERRNO(pidfd_send(0, 0, NULL, 0), EBADF);
	EXPECT_ERRNO(pidfd_send(-1, 0, NULL, 0), EBADF);
	EXPECT_ERRNO(pidfd_send(fd, SIGUSR2, &info, 0), EINVAL);
	EXPECT_ERRNO(pidfd_send(fd, SIGUSR1, (void *)8, 0), EFAULT);
	info.si_code = SI_USER;
	EXPECT_ERRNO(pidfd_send(init, SIGUSR1, &info, 0), EPERM);
	signal(SIGUSR1, SIG_IGN);
	EXPECT_EQ(pidfd_send(fd, SIGUSR1, &info, 0), 0);
}

TEST(clone_makes_a_pidfd)
{
	int fd = -1, second = -1, status;
	struct args a = {.exit_signal = SIGCHLD, .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd};
	pid_t pid = (pid_t)clone3(&a, sizeof(a));
	siginfo_t info;

	if (pid == 0) /* the child does not have it */
		_exit(fcntl(3, F_GETFD) != -1 ? 1 : 5);
	ASSERT(pid > 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	EXPECT_EQ(info.si_pid, pid);
	EXPECT_EQ(info.si_status, 5);
	close(fd);

	a.pidfd = 8;
	EXPECT_EQ(try(a), EFAULT);
	EXPECT_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &second,
			     NULL, NULL),
		     EINVAL);
	EXPECT_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &second, NULL,
			     NULL),
		     EINVAL);
	pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &second, NULL, NULL);
	if (pid == 0)
		_exit(0);
	EXPECT_EQ(second, fd);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
}

TEST(pidfd_getfd_copies_a_descriptor)
{
	struct gate ready = gate_make();
	int fds[2], fd, copy;
	char c = 0;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		ASSERT_EQ(pipe2(fds, 0), 0);
		ASSERT_EQ(write(fds[1], "x", 1), 1);
		gate_send(&ready, (uint64_t)fds[0]);
		for (;;)
			pause();
	}
	fd = pidfd_open(pid, 0);
	int theirs = (int)gate_receive(&ready);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, theirs, 1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, 99, 0), EBADF);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, 0, theirs, 0), EBADF);
	copy = (int)syscall(SYS_pidfd_getfd, fd, theirs, 0);
	EXPECT(copy >= 0);
	EXPECT_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(read(copy, &c, 1), 1);
	EXPECT_EQ(c, 'x');
	ASSERT_EQ(syscall(SYS_setresuid, 1000, 1000, 0), 0);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, theirs, 0), EPERM);
	ASSERT_EQ(syscall(SYS_setuid, 0), 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT_ERRNO(syscall(SYS_pidfd_getfd, fd, theirs, 0), ESRCH);
}

/* As the system call has it. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

static struct action action_of(int sig)
{
	struct action a = {1, 2, 3, 4};

	EXPECT_EQ(syscall(SYS_rt_sigaction, sig, NULL, &a, 8), 0);
	return a;
}

static void set_action(int sig, void (*handler)(int))
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigaddset(&sa.sa_mask, SIGUSR2);
	ASSERT_EQ(sigaction(sig, &sa, NULL), 0);
}

static bool is_action(int sig, struct action want)
{
	struct action is = action_of(sig);

	return !memcmp(&is, &want, sizeof(is));
}

static void handle(int sig)
{
	(void)sig;
}

TEST(a_child_has_its_parents_actions_or_only_what_it_ignored)
{
	struct args clear = {.flags = 0x100000000ull, .exit_signal = SIGCHLD};
	struct action by_default, caught;
	int status;
	pid_t pid;

	set_action(SIGHUP, SIG_DFL);
	set_action(SIGUSR1, handle);
	set_action(SIGUSR2, SIG_IGN);
	by_default = action_of(SIGHUP);
	caught = action_of(SIGUSR1);
	EXPECT_EQ(by_default.handler, 0);
	EXPECT_EQ(by_default.flags & SA_RESTART, SA_RESTART);
	EXPECT_EQ(by_default.mask, 1u << (SIGUSR2 - 1));
	EXPECT_EQ(caught.handler, (uintptr_t)handle);
	pid = fork();
	if (pid == 0)
		_exit(!is_action(SIGHUP, by_default) || !is_action(SIGUSR1, caught) ||
		      !is_action(SIGTERM, (struct action){0}));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	pid = (pid_t)clone3(&clear, sizeof(clear));
	if (pid == 0)
		_exit(!is_action(SIGHUP, (struct action){0}) ||
		      !is_action(SIGUSR1, (struct action){0}) ||
		      !is_action(SIGUSR2, (struct action){.handler = 1}));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void *tell_tid(void *out)
{
	*(volatile pid_t *)out = (pid_t)syscall(SYS_gettid);
	ktap_sleep_ns(200000000);
	return NULL;
}

TEST(a_pidfd_may_mean_one_thread)
{
	volatile pid_t tid = 0;
	struct pollfd p;
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, tell_tid, (void *)&tid), 0);
	while (!tid)
		sched_yield();
	EXPECT_ERRNO(pidfd_open(tid, 0), EINVAL);
	p = (struct pollfd){.fd = pidfd_open(tid, PIDFD_THREAD), .events = POLLIN};
	EXPECT(p.fd >= 0);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	EXPECT_EQ(p.revents, 0);
	EXPECT_EQ(pidfd_send(p.fd, 0, NULL, 0), 0);
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_EQ(p.revents & POLLIN, POLLIN);
	pthread_join(t, NULL);
}

TEST_MAIN()
