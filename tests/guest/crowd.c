/* SPDX-License-Identifier: MIT */
/*
 * crowd.c - many processes and threads that open, wait for, hang up, inspect and kill each other at random. Nothing is
 * claimed but that all of them can be got rid of, and the kernel is still there.
 */
#include "terminal.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define SECONDS 5
#define FILES   12

static int files[FILES];
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned next(unsigned *seed)
{
	return *seed = *seed * 1664525 + 1013904223, *seed >> 8;
}

static int open_something(unsigned *seed)
{
	sigset_t set;
	int fd[2];

	switch (next(seed) % 9) {
	case 0:
		return epoll_create1(EPOLL_CLOEXEC);
	case 1:
		return eventfd(0, EFD_NONBLOCK);
	case 2:
		return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	case 3:
		sigfillset(&set);
		return signalfd(-1, &set, SFD_NONBLOCK);
	case 4:
		return open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	case 5:
		return open("/proc/self/status", O_RDONLY);
	case 6:
		if (pipe2(fd, O_NONBLOCK) < 0)
			return -1;
		break;
	default:
		if (socketpair(AF_UNIX, next(seed) % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, fd) < 0)
			return -1;
	}
	if (next(seed) % 2)
		close(fd[next(seed) % 2]);
	else
		dup2(fd[1], fd[0]);
	return fd[0];
}

static int pick(unsigned *seed)
{
	return files[next(seed) % FILES];
}

static void replace_one(unsigned *seed)
{
	unsigned i = next(seed) % FILES;
	int fd = open_something(seed), old;

	pthread_mutex_lock(&files_lock);
	old = files[i];
	files[i] = fd;
	pthread_mutex_unlock(&files_lock);
	if (old > 2)
		close(old);
}

static void use_one(unsigned *seed)
{
	struct itimerspec it = {{0, 100000}, {0, 100000}};
	struct epoll_event e = {.events = next(seed)}, out[4];
	struct pollfd p[3] = {
		{pick(seed), POLLIN, 0}, {pick(seed), POLLOUT, 0}, {pick(seed), 0xff, 0}};
	char buf[64] = "12345678", name[32];
	unsigned number;
	int zero = 0;

	switch (next(seed) % 10) {
	case 0:
		epoll_ctl(pick(seed), 1 + (int)(next(seed) % 3), pick(seed), &e);
		break;
	case 1:
		epoll_wait(pick(seed), out, 4, (int)(next(seed) % 3));
		break;
	case 2:
		poll(p, 3, (int)(next(seed) % 3));
		break;
	case 3:
		timerfd_settime(pick(seed), 0, &it, NULL);
		break;
	case 4: {
		int fd = pick(seed), slave;

		if (ioctl(fd, TIOCGPTN, &number) == 0) {
			ioctl(fd, TIOCSPTLCK, &zero);
			snprintf(name, sizeof(name), "/dev/pts/%u", number);
			slave = open(name, O_RDWR | O_NONBLOCK | (next(seed) % 2 ? O_NOCTTY : 0));
			if (slave > 2) {
				pthread_mutex_lock(&files_lock);
				fd = files[0];
				files[0] = slave;
				pthread_mutex_unlock(&files_lock);
				if (fd > 2)
					close(fd);
			}
		}
		break;
	}
	case 5:
	case 6: {
		ssize_t ignored = write(pick(seed), buf, 8);

		(void)ignored;
		break;
	}
	case 7: {
		struct msghdr m = {.msg_iov = &(struct iovec){buf, 8}, .msg_iovlen = 1};
		union {
			struct cmsghdr h;
			char room[CMSG_SPACE(sizeof(int) * 2)];
		} c = {.h = {CMSG_LEN(sizeof(int) * 2), SOL_SOCKET, SCM_RIGHTS}};
		int send[2] = {pick(seed), pick(seed)};

		memcpy(CMSG_DATA(&c.h), send, sizeof(send));
		m.msg_control = &c;
		m.msg_controllen = sizeof(c);
		sendmsg(pick(seed), &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		m.msg_controllen = sizeof(c);
		if (recvmsg(pick(seed), &m, MSG_DONTWAIT) >= 0 &&
		    m.msg_controllen >= CMSG_LEN(sizeof(int))) {
			memcpy(send, CMSG_DATA(&c.h), sizeof(send));
			close(send[0]);
			if (m.msg_controllen >= CMSG_LEN(sizeof(send)))
				close(send[1]);
		}
		break;
	}
	default: {
		ssize_t ignored;
		int fd = pick(seed);

		fcntl(fd, F_SETFL, O_NONBLOCK);
		ignored = read(fd, buf, sizeof(buf));
		(void)ignored;
	}
	}
}

static void *play(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (;;) {
		if (next(&seed) % 4 == 0)
			replace_one(&seed);
		else
			use_one(&seed);
	}
	return NULL;
}

static void be_a_player(unsigned seed)
{
	pthread_t t;

	for (unsigned i = 0; i < FILES; i++)
		files[i] = -1;
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && next(&seed) % 2)
			signal(sig, SIG_IGN);
	if (next(&seed) % 2)
		setsid();
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&t, NULL, play, (void *)(uintptr_t)next(&seed));
	play((void *)(uintptr_t)next(&seed));
}

static void look_at(pid_t pid)
{
	static const char *const names[] = {"maps", "smaps",   "stat",    "status",  "fd",
					    "task", "cmdline", "environ", "fdinfo/3"};
	char path[64], buf[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		syscall(SYS_getdents64, fd, buf, sizeof(buf));
		close(fd);
	}
}

TEST_SECONDS(a_crowd_can_be_sent_away, 90)
{
	uint64_t end = ktap_now_ns() + SECONDS * 1000000000ull;
	unsigned seed = (unsigned)ktap_now_ns();
	pid_t pids[3] = {0};

	terminal_prepare();
	mkdir("/proc", 0755);
	if (access("/proc/self", F_OK))
		mount("proc", "/proc", "proc", 0, NULL);
	while (ktap_now_ns() < end) {
		unsigned i = next(&seed) % 3;

		if (pids[i]) {
			look_at(pids[i]);
			kill(pids[i], SIGKILL);
			look_at(pids[i]);
			ASSERT_EQ(waitpid(pids[i], NULL, 0), pids[i]);
		}
		pids[i] = fork();
		if (pids[i] == 0)
			be_a_player(next(&seed));
		ktap_sleep_ns(20000000);
	}
	for (unsigned i = 0; i < 3; i++) {
		if (!pids[i])
			continue;
		kill(pids[i], SIGKILL);
		ASSERT_EQ(waitpid(pids[i], NULL, 0), pids[i]);
	}
}

TEST_MAIN()
