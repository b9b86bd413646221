/* SPDX-License-Identifier: MIT */
/* signalfd.c - signals that are read. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define MS 1000000ull

static sigset_t block(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	ASSERT_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	return set;
}

static int new_fd(int a, int b, int flags)
{
	sigset_t set = block(a, b);
	int fd = signalfd(-1, &set, flags);

	ASSERT(fd >= 0);
	return fd;
}

static struct signalfd_siginfo get(int fd)
{
	struct signalfd_siginfo i;

	ASSERT_EQ(sizeof(i), 128);
	ASSERT_EQ(read(fd, &i, sizeof(i)), sizeof(i));
	return i;
}

static short ready(int fd, int timeout)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	ASSERT(poll(&p, 1, timeout) >= 0);
	return p.revents;
}

TEST(a_blocked_signal_can_be_read)
{
	int fd = new_fd(SIGUSR1, 0, SFD_NONBLOCK);
	struct signalfd_siginfo i;
	sigset_t pending;

	EXPECT_ERRNO(read(fd, &i, sizeof(i)), EAGAIN);
	EXPECT_EQ(ready(fd, 0), 0);
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(ready(fd, 0), POLLIN);
	i = get(fd);
	EXPECT_EQ(i.ssi_signo, SIGUSR1);
	EXPECT_EQ(i.ssi_code, SI_USER);
	EXPECT_EQ(i.ssi_pid, getpid());
	EXPECT_EQ(i.ssi_uid, getuid());
	EXPECT_EQ(ready(fd, 0), 0);
	sigpending(&pending);
	EXPECT(!sigismember(&pending, SIGUSR1));
}

TEST(only_signals_of_the_set)
{
	int fd = new_fd(SIGUSR1, 0, SFD_NONBLOCK);
	struct signalfd_siginfo i;

	block(SIGUSR2, 0);
	raise(SIGUSR2);
	EXPECT_EQ(ready(fd, 0), 0);
	EXPECT_ERRNO(read(fd, &i, sizeof(i)), EAGAIN);
	sigset_t both = block(SIGUSR1, SIGUSR2);
	EXPECT_EQ(signalfd(fd, &both, 0), fd);
	EXPECT_EQ(ready(fd, 0), POLLIN);
	EXPECT_EQ(get(fd).ssi_signo, SIGUSR2);
}

TEST(several_at_once)
{
	int fd = new_fd(SIGUSR1, SIGUSR2, SFD_NONBLOCK);
	struct signalfd_siginfo i[4];

	raise(SIGUSR2);
	raise(SIGUSR1);
	EXPECT_EQ(read(fd, i, sizeof(i)), 2 * sizeof(i[0]));
	EXPECT_EQ(i[0].ssi_signo, SIGUSR1);
	EXPECT_EQ(i[1].ssi_signo, SIGUSR2);
	EXPECT_EQ(i[0].ssi_code, SI_TKILL);
}

TEST(queued_values)
{
	int fd = new_fd(SIGRTMIN, 0, SFD_NONBLOCK);

	for (int v = 1; v < 4; v++)
		ASSERT_EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = v}), 0);
	for (int v = 1; v < 4; v++) {
		struct signalfd_siginfo i = get(fd);

		EXPECT_EQ(i.ssi_signo, SIGRTMIN);
		EXPECT_EQ(i.ssi_code, SI_QUEUE);
		EXPECT_EQ(i.ssi_int, v);
		EXPECT_EQ(i.ssi_ptr & 0xffffffff, (uint64_t)v);
	}
}

TEST(a_child_that_ended)
{
	int fd = new_fd(SIGCHLD, 0, 0);
	pid_t pid = fork();

	if (!pid)
		_exit(7);
	struct signalfd_siginfo i = get(fd);
	EXPECT_EQ(i.ssi_signo, SIGCHLD);
	EXPECT_EQ(i.ssi_code, CLD_EXITED);
	EXPECT_EQ(i.ssi_pid, pid);
	EXPECT_EQ(i.ssi_status, 7);
	waitpid(pid, NULL, 0);
}

static void *send_later(void *arg)
{
	ktap_sleep_ns(20 * MS);
	kill(getpid(), *(int *)arg);
	return NULL;
}

TEST(a_read_waits)
{
	int fd = new_fd(SIGUSR1, 0, 0), sig = SIGUSR1;
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, send_later, &sig), 0);
	EXPECT_EQ(get(fd).ssi_signo, SIGUSR1);
	pthread_join(t, NULL);
}

TEST(poll_and_epoll_wait)
{
	int fd = new_fd(SIGUSR1, 0, 0), sig = SIGUSR1, ep = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN};
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, send_later, &sig), 0);
	EXPECT_EQ(ready(fd, -1), POLLIN);
	pthread_join(t, NULL);
	get(fd);
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 0);
	ASSERT_EQ(pthread_create(&t, NULL, send_later, &sig), 0);
	EXPECT_EQ(epoll_wait(ep, &e, 1, -1), 1);
	pthread_join(t, NULL);
	get(fd);
}

TEST(each_process_reads_its_own)
{
	int fd = new_fd(SIGUSR1, 0, SFD_NONBLOCK), status;
	pid_t pid;

	raise(SIGUSR1);
	pid = fork();
	if (!pid) {
		struct signalfd_siginfo i;

		_exit(read(fd, &i, sizeof(i)) != -1 || errno != EAGAIN || ready(fd, 0) != 0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(get(fd).ssi_signo, SIGUSR1);
}

static void *read_own(void *arg)
{
	struct signalfd_siginfo i;

	return (void *)(uintptr_t)(read(*(int *)arg, &i, sizeof(i)) != -1 || errno != EAGAIN);
}

TEST(signals_of_one_thread_are_for_that_thread)
{
	int fd = new_fd(SIGUSR1, 0, SFD_NONBLOCK);
	pthread_t t;
	void *failed;

	raise(SIGUSR1); /* to this thread */
	ASSERT_EQ(pthread_create(&t, NULL, read_own, &fd), 0);
	pthread_join(t, &failed);
	EXPECT(!failed);
	EXPECT_EQ(get(fd).ssi_signo, SIGUSR1);
}

TEST(whoever_waited_may_be_gone)
{
	int fd = new_fd(SIGUSR1, 0, SFD_NONBLOCK), ep = epoll_create1(0), status;
	struct epoll_event e = {.events = EPOLLIN};
	pid_t pid = fork();

	if (!pid) {
		ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), EEXIST);
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, fd, &e), 0);
}

TEST(bad_uses)
{
	int fd = new_fd(SIGUSR1, 0, SFD_NONBLOCK | SFD_CLOEXEC), file = open("/init", O_RDONLY);
	sigset_t set;
	char small[127];

	sigemptyset(&set);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(read(fd, small, sizeof(small)), EINVAL);
	EXPECT_ERRNO(write(fd, small, 8), EINVAL);
	EXPECT_ERRNO(signalfd(file, &set, 0), EINVAL);
	EXPECT_ERRNO(signalfd(999, &set, 0), EBADF);
	EXPECT_ERRNO(signalfd(-1, &set, 1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_signalfd4, -1, 8, 8, 0), EFAULT);
}

TEST(kill_and_stop_cannot_be_read)
{
	sigset_t set;
	int status, fd;
	pid_t pid;

	sigfillset(&set);
	fd = signalfd(-1, &set, 0);
	ASSERT(fd >= 0);
	sigprocmask(SIG_SETMASK, &set, NULL);
	pid = fork();
	if (!pid) {
		struct signalfd_siginfo i;

		while (read(fd, &i, sizeof(i)) == sizeof(i))
			;
		_exit(1);
	}
	kill(pid, SIGTERM);
	ktap_sleep_ns(10 * MS);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, SIGKILL);
}

TEST_MAIN()
