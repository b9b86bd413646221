/* SPDX-License-Identifier: MIT */
/* poll.c - poll, ppoll, select and pselect: what is ready, what is waited for, and for how long. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/select.h>

#define MS 1000000ull

static void make_pipe(int fds[2])
{
	ASSERT_EQ(pipe(fds), 0);
}

static short poll_one(int fd, short events, int timeout)
{
	struct pollfd p = {.fd = fd, .events = events, .revents = 0x7fff};

	ASSERT(poll(&p, 1, timeout) >= 0);
	return p.revents;
}

static void fill(int fd)
{
	static char page[4096];

	ASSERT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, page, sizeof(page)) > 0)
		;
	while (write(fd, page, 1) > 0)
		;
	ASSERT_EQ(errno, EAGAIN);
}

TEST(empty_pipe_can_be_written_not_read)
{
	int fds[2];

	make_pipe(fds);
	EXPECT_EQ(poll_one(fds[0], POLLIN, 0), 0);
	EXPECT_EQ(poll_one(fds[1], POLLOUT, 0), POLLOUT);
	EXPECT_EQ(poll_one(fds[1], POLLOUT | POLLWRNORM, 0), POLLOUT | POLLWRNORM);
}

TEST(pipe_with_data_can_be_read_again_and_again)
{
	int fds[2];

	make_pipe(fds);
	ASSERT_EQ(write(fds[1], "x", 1), 1);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(poll_one(fds[0], POLLIN | POLLRDNORM, -1), POLLIN | POLLRDNORM);
	EXPECT_EQ(poll_one(fds[0], 0, 0), 0);
}

TEST(full_pipe_cannot_be_written)
{
	int fds[2];
	char page[4096];

	make_pipe(fds);
	fill(fds[1]);
	EXPECT_EQ(poll_one(fds[1], POLLOUT, 0), 0);
	ASSERT_EQ(read(fds[0], page, sizeof(page)), sizeof(page));
	EXPECT_EQ(poll_one(fds[1], POLLOUT, 0), POLLOUT);
}

TEST(closed_ends_are_reported_unasked)
{
	int a[2], b[2];

	make_pipe(a);
	make_pipe(b);
	ASSERT_EQ(write(a[1], "x", 1), 1);
	close(a[1]);
	close(b[0]);
	EXPECT_EQ(poll_one(a[0], 0, -1), POLLHUP);
	EXPECT_EQ(poll_one(a[0], POLLIN, -1), POLLIN | POLLHUP);
	EXPECT_EQ(poll_one(b[1], 0, -1), POLLERR);
	EXPECT_EQ(poll_one(b[1], POLLOUT, -1), POLLOUT | POLLERR);
}

TEST(descriptors_that_are_none)
{
	struct pollfd p[3] = {{.fd = -1, .events = POLLIN, .revents = 99},
			      {.fd = 999, .events = POLLIN, .revents = 99},
			      {.fd = -1000, .events = POLLOUT, .revents = 99}};

	EXPECT_EQ(poll(p, 3, -1), 1);
	EXPECT_EQ(p[0].revents, 0);
	EXPECT_EQ(p[1].revents, POLLNVAL);
	EXPECT_EQ(p[2].revents, 0);
	EXPECT_EQ(poll(p, 1, 5), 0);
}

TEST(files_and_directories_are_always_ready)
{
	int dir = open("/", O_RDONLY), file = open("/init", O_RDONLY);

	ASSERT(dir >= 0 && file >= 0);
	EXPECT_EQ(poll_one(dir, POLLIN | POLLOUT, -1), POLLIN | POLLOUT);
	EXPECT_EQ(poll_one(file, POLLIN | POLLOUT | POLLPRI, -1), POLLIN | POLLOUT);
}

TEST(timeout_is_never_cut_short)
{
	int fds[2];

	make_pipe(fds);
	for (int ms = 1; ms < 60; ms *= 3) {
		uint64_t start = ktap_now_ns();

		EXPECT_EQ(poll_one(fds[0], POLLIN, ms), 0);
		EXPECT(ktap_now_ns() - start >= (uint64_t)ms * MS);
	}
	uint64_t start = ktap_now_ns();
	struct timespec ts = {0, 3 * MS};
	struct pollfd p = {.fd = fds[0], .events = POLLIN};
	EXPECT_EQ(syscall(SYS_ppoll, &p, 1, &ts, NULL, 8), 0);
	EXPECT(ktap_now_ns() - start >= 3 * MS);
	EXPECT_EQ(ts.tv_sec, 0);
	EXPECT_EQ(ts.tv_nsec, 0);
}

TEST(nothing_to_wait_for_is_a_sleep)
{
	uint64_t start = ktap_now_ns();
	struct timeval tv = {0, 20000};

	EXPECT_EQ(poll(NULL, 0, 20), 0);
	EXPECT(ktap_now_ns() - start >= 20 * MS);
	start = ktap_now_ns();
	EXPECT_EQ(select(0, NULL, NULL, NULL, &tv), 0);
	EXPECT(ktap_now_ns() - start >= 20 * MS);
}

TEST(time_left_is_told)
{
	int fds[2];
	struct timespec ts = {100, 5};
	struct timeval tv = {100, 5};
	struct pollfd p;
	fd_set set;

	make_pipe(fds);
	p = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	EXPECT_EQ(syscall(SYS_ppoll, &p, 1, &ts, NULL, 8), 1);
	EXPECT(ts.tv_sec == 99 || ts.tv_sec == 100);
	EXPECT(ts.tv_sec == 99 || ts.tv_nsec <= 5);
	FD_ZERO(&set);
	FD_SET(fds[1], &set);
	EXPECT_EQ(select(fds[1] + 1, NULL, &set, NULL, &tv), 1);
	EXPECT(tv.tv_sec == 99 || tv.tv_sec == 100);
}

/* --- waiting ----------------------------------------------------------------------------------------- */

struct later {
	int fd;
	const char *bytes; /* NULL: close */
	unsigned ms;
};

static void *act_later(void *arg)
{
	struct later *l = arg;

	ktap_sleep_ns(l->ms * MS);
	if (!l->bytes)
		close(l->fd);
	else if (write(l->fd, l->bytes, strlen(l->bytes)) < 0)
		ktap_note("write failed");
	return NULL;
}

TEST(data_that_arrives_ends_the_wait)
{
	int fds[2];
	pthread_t t;

	make_pipe(fds);
	struct later l = {fds[1], "hello", 20};
	ASSERT_EQ(pthread_create(&t, NULL, act_later, &l), 0);
	EXPECT_EQ(poll_one(fds[0], POLLIN, -1), POLLIN);
	pthread_join(t, NULL);
}

TEST(hangup_ends_the_wait)
{
	int fds[2];
	pthread_t t;

	make_pipe(fds);
	struct later l = {fds[1], NULL, 20};
	ASSERT_EQ(pthread_create(&t, NULL, act_later, &l), 0);
	EXPECT_EQ(poll_one(fds[0], POLLIN, 100000), POLLHUP);
	pthread_join(t, NULL);
}

TEST(one_of_three_hundred_pipes)
{
	enum { N = 300 };
	static struct pollfd p[N];
	static int fds[N][2];
	pthread_t t;

	struct rlimit r = {1024, 4096};
	setrlimit(RLIMIT_NOFILE, &r);
	for (int i = 0; i < N; i++) {
		make_pipe(fds[i]);
		p[i] = (struct pollfd){.fd = fds[i][0], .events = POLLIN};
	}
	for (int round = 0; round < 3; round++) {
		int which = round * 149;
		struct later l = {fds[which][1], "x", 10};
		char c;

		ASSERT_EQ(pthread_create(&t, NULL, act_later, &l), 0);
		ASSERT_EQ(poll(p, N, -1), 1);
		pthread_join(t, NULL);
		for (int i = 0; i < N; i++)
			ASSERT_EQ(p[i].revents, i == which ? POLLIN : 0);
		ASSERT_EQ(read(fds[which][0], &c, 1), 1);
	}
}

TEST(same_descriptor_many_times)
{
	enum { N = 20 };
	struct pollfd p[N];
	int fds[2];
	pthread_t t;

	make_pipe(fds);
	for (int i = 0; i < N; i++)
		p[i] = (struct pollfd){.fd = fds[0], .events = i % 2 ? POLLIN : 0};
	struct later l = {fds[1], "x", 10};
	ASSERT_EQ(pthread_create(&t, NULL, act_later, &l), 0);
	EXPECT_EQ(poll(p, N, -1), N / 2);
	pthread_join(t, NULL);
}

TEST(descriptor_closed_during_the_wait_shows_at_its_end)
{
	int fds[2], copy;
	pthread_t t;

	make_pipe(fds);
	copy = dup(fds[1]);
	struct later close_reader = {fds[0], NULL, 10};
	ASSERT_EQ(pthread_create(&t, NULL, act_later, &close_reader), 0);
	struct pollfd p = {.fd = fds[0], .events = POLLIN};
	uint64_t start = ktap_now_ns();
	EXPECT_EQ(poll(&p, 1, 50), 1);
	EXPECT(ktap_now_ns() - start >= 50 * MS);
	EXPECT_EQ(p.revents, POLLNVAL);
	pthread_join(t, NULL);
	EXPECT_EQ(poll_one(fds[0], POLLIN, 0), POLLNVAL);
	close(copy);
}

struct race {
	int fds[2];
	unsigned rounds;
};

static void *writer(void *arg)
{
	struct race *r = arg;

	for (unsigned i = 0; i < r->rounds; i++)
		if (write(r->fds[1], "x", 1) != 1)
			return (void *)1;
	return NULL;
}

TEST_SECONDS(no_wake_up_is_lost, 60)
{
	struct race r = {.rounds = 3000};
	unsigned got = 0;
	pthread_t t;

	make_pipe(r.fds);
	ASSERT_EQ(fcntl(r.fds[0], F_SETFL, O_NONBLOCK), 0);
	ASSERT_EQ(pthread_create(&t, NULL, writer, &r), 0);
	while (got < r.rounds) {
		char buf[64];
		ssize_t n;

		ASSERT_EQ(poll_one(r.fds[0], POLLIN, -1), POLLIN);
		while ((n = read(r.fds[0], buf, sizeof(buf))) > 0)
			got += (unsigned)n;
		ASSERT_EQ(errno, EAGAIN);
	}
	pthread_join(t, NULL);
}

struct scan_race {
	int fd;
	unsigned go; /* round that the writer is to write in */
	bool stop;
};

static void *write_after_a_while(void *arg)
{
	struct scan_race *r = arg;

	for (unsigned round = 1; !__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE); round++) {
		while (__atomic_load_n(&r->go, __ATOMIC_ACQUIRE) < round)
			if (__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE))
				return NULL;
		for (volatile unsigned i = 0; i < round % 97 * 50; i++)
			;
		if (write(r->fd, "x", 1) != 1)
			return (void *)1;
	}
	return NULL;
}

TEST_SECONDS(file_that_becomes_ready_during_the_scan, 60)
{
	enum { N = 300, ROUNDS = 400 };
	static struct pollfd p[N];
	struct rlimit limit = {1024, 4096};
	int busy[2], quiet[2];
	pthread_t t;

	setrlimit(RLIMIT_NOFILE, &limit);
	make_pipe(busy);
	make_pipe(quiet);
	for (int i = 0; i < N; i++)
		p[i] = (struct pollfd){.fd = i ? quiet[0] : busy[0], .events = POLLIN};
	struct scan_race r = {.fd = busy[1]};
	ASSERT_EQ(pthread_create(&t, NULL, write_after_a_while, &r), 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		char c;

		__atomic_store_n(&r.go, round, __ATOMIC_RELEASE);
		ASSERT_EQ(poll(p, N, -1), 1);
		ASSERT_EQ(p[0].revents, POLLIN);
		ASSERT_EQ(read(busy[0], &c, 1), 1);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
}

static void *ping(void *arg)
{
	int *fds = arg;
	char c;

	for (int i = 0; i < 500; i++) {
		struct pollfd p = {.fd = fds[0], .events = POLLIN};

		if (poll(&p, 1, -1) != 1 || read(fds[0], &c, 1) != 1 || write(fds[1], &c, 1) != 1)
			return (void *)1;
	}
	return NULL;
}

TEST_SECONDS(two_threads_poll_for_each_other, 60)
{
	int a[2], b[2];
	pthread_t t[2];
	void *failed;

	make_pipe(a);
	make_pipe(b);
	int one[2] = {a[0], b[1]}, two[2] = {b[0], a[1]};
	ASSERT_EQ(pthread_create(&t[0], NULL, ping, one), 0);
	ASSERT_EQ(pthread_create(&t[1], NULL, ping, two), 0);
	ASSERT_EQ(write(a[1], "x", 1), 1);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &failed);
		EXPECT(!failed);
	}
}

TEST(many_pollers_all_learn)
{
	enum { N = 12 };
	int fds[2];

	make_pipe(fds);
	for (int i = 0; i < N; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(poll_one(fds[0], POLLIN, -1) == POLLIN ? 0 : 1);
		ASSERT(pid > 0);
	}
	ktap_sleep_ns(20 * MS);
	ASSERT_EQ(write(fds[1], "x", 1), 1);
	for (int i = 0; i < N; i++) {
		int status;

		ASSERT(wait(&status) > 0);
		EXPECT_EQ(status, 0);
	}
}

/* --- signals ----------------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;

static void note_signal(int sig)
{
	(void)sig;
	handled++;
}

static void handle(int sig, int flags)
{
	struct sigaction a = {.sa_handler = note_signal, .sa_flags = flags};

	ASSERT_EQ(sigaction(sig, &a, NULL), 0);
}

static pid_t signal_later(int sig, unsigned ms)
{
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		ktap_sleep_ns(ms * MS);
		kill(parent, sig);
		_exit(0);
	}
	return pid;
}

TEST(a_handler_ends_poll_even_with_restart)
{
	int fds[2];

	make_pipe(fds);
	handle(SIGUSR1, SA_RESTART);
	pid_t pid = signal_later(SIGUSR1, 20);
	struct pollfd p = {.fd = fds[0], .events = POLLIN, .revents = 77};
	EXPECT_ERRNO(poll(&p, 1, -1), EINTR);
	EXPECT_EQ(p.revents, 0);
	EXPECT_EQ(handled, 1);
	waitpid(pid, NULL, 0);
}

TEST(a_stop_does_not_end_poll)
{
	int fds[2], status;

	make_pipe(fds);
	pid_t pid = fork();
	if (!pid) {
		uint64_t start = ktap_now_ns();
		short got = poll_one(fds[0], POLLIN, 150);

		_exit(got || ktap_now_ns() - start < 150 * MS);
	}
	for (int i = 0; i < 3; i++) {
		ktap_sleep_ns(10 * MS);
		kill(pid, SIGSTOP);
		ASSERT_EQ(waitpid(pid, &status, WUNTRACED), pid);
		if (!WIFSTOPPED(status))
			break;
		ktap_sleep_ns(10 * MS);
		kill(pid, SIGCONT);
	}
	if (WIFSTOPPED(status))
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST(ppoll_unblocks_only_while_it_waits)
{
	sigset_t blocked, none, now;
	int fds[2];
	struct timespec zero = {0, 0};

	make_pipe(fds);
	handle(SIGUSR1, 0);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	ASSERT_EQ(sigprocmask(SIG_SETMASK, &blocked, NULL), 0);
	raise(SIGUSR1);
	EXPECT_EQ(handled, 0);
	struct pollfd p = {.fd = fds[0], .events = POLLIN};
	EXPECT_ERRNO(ppoll(&p, 1, NULL, &none), EINTR);
	EXPECT_EQ(handled, 1);
	ASSERT_EQ(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	EXPECT(sigismember(&now, SIGUSR1));

	/* Something is ready: the signal stays where it is. */
	raise(SIGUSR1);
	p = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	EXPECT_EQ(ppoll(&p, 1, &zero, &none), 1);
	ASSERT_EQ(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	EXPECT(sigismember(&now, SIGUSR1));
	EXPECT_EQ(handled, 1);
	EXPECT_ERRNO(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
	EXPECT_EQ(handled, 2);
}

TEST(mask_of_pselect_is_atomic_with_the_wait)
{
	sigset_t blocked, none;

	handle(SIGUSR1, 0);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	ASSERT_EQ(sigprocmask(SIG_SETMASK, &blocked, NULL), 0);
	for (int i = 0; i < 20; i++) {
		pid_t pid = signal_later(SIGUSR1, 0);

		EXPECT_ERRNO(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
		EXPECT_EQ(handled, i + 1);
		waitpid(pid, NULL, 0);
	}
}

/* --- select ------------------------------------------------------------------------------------------ */

TEST(select_answers_each_set)
{
	fd_set in, out, except;
	int fds[2];

	make_pipe(fds);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	FD_SET(fds[0], &except);
	EXPECT_EQ(select(fds[1] + 1, &in, &out, &except, NULL), 1);
	EXPECT(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out) && !FD_ISSET(fds[0], &except));

	ASSERT_EQ(write(fds[1], "x", 1), 1);
	FD_SET(fds[0], &in);
	EXPECT_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 2);
	EXPECT(FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &in, 1), 1);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	EXPECT_EQ(select(fds[0] + 1, &in, NULL, NULL, NULL), 1); /* end of file is readable */
}

TEST(select_waits)
{
	fd_set in;
	int fds[2];
	pthread_t t;

	make_pipe(fds);
	struct later l = {fds[1], "x", 20};
	ASSERT_EQ(pthread_create(&t, NULL, act_later, &l), 0);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	EXPECT_EQ(select(fds[0] + 1, &in, NULL, NULL, NULL), 1);
	EXPECT(FD_ISSET(fds[0], &in));
	pthread_join(t, NULL);
}

TEST(select_looks_only_below_n)
{
	fd_set in;
	int fds[2];
	struct timeval tv = {0, 1000};

	make_pipe(fds);
	ASSERT_EQ(write(fds[1], "x", 1), 1);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	FD_SET(50, &in); /* closed, but beyond n */
	EXPECT_EQ(select(fds[0], &in, NULL, NULL, &tv), 0);
	EXPECT(!FD_ISSET(fds[0], &in));
	FD_SET(50, &in);
	EXPECT_ERRNO(select(51, &in, NULL, NULL, &tv), EBADF);
	EXPECT(FD_ISSET(50, &in));
}

TEST(select_on_high_descriptors)
{
	struct rlimit r = {2048, 4096};
	uint64_t set[32] = {0};
	int fds[2];

	if (setrlimit(RLIMIT_NOFILE, &r))
		SKIP("no room for descriptors");
	make_pipe(fds);
	ASSERT_EQ(dup2(fds[0], 2000), 2000);
	ASSERT_EQ(write(fds[1], "x", 1), 1);
	set[2000 / 64] |= 1ull << 2000 % 64;
	EXPECT_EQ(syscall(SYS_pselect6, 2001, set, NULL, NULL, NULL, NULL), 1);
	EXPECT_EQ(set[2000 / 64], 1ull << 2000 % 64);
	EXPECT_EQ(syscall(SYS_pselect6, 1000000, set, NULL, NULL, NULL, NULL), 1);
}

/* --- errors ------------------------------------------------------------------------------------------ */

TEST(bad_arguments)
{
	struct timespec negative = {-1, 0}, too_many = {0, 1000000000}, ok = {0, 0};
	struct pollfd p = {.fd = -1};
	sigset_t set;

	sigemptyset(&set);
	EXPECT_ERRNO(syscall(SYS_ppoll, (void *)8, 1, &ok, NULL, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_ppoll, &p, 1, (void *)8, NULL, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_ppoll, &p, 1, &negative, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ppoll, &p, 1, &too_many, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ppoll, &p, 1, &ok, &set, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ppoll, &p, 1, &ok, (void *)8, 8), EFAULT);
	EXPECT_EQ(syscall(SYS_ppoll, &p, 1, &ok, NULL, 4), 0);
	EXPECT_EQ(syscall(SYS_ppoll, (void *)8, 0, &ok, NULL, 8), 0);
	EXPECT_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_pselect6, 1, (void *)8, NULL, NULL, &ok, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_pselect6, 1, NULL, NULL, NULL, &ok, (void *)8), EFAULT);
#ifdef SYS_select
	struct timeval bad_tv = {0, -1};
	EXPECT_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, &bad_tv), EINVAL);
#endif
}

TEST(more_descriptors_than_the_limit)
{
	struct rlimit r = {16, 4096};
	struct timespec zero = {0, 0};
	static struct pollfd p[17];

	for (int i = 0; i < 17; i++)
		p[i].fd = -1;
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &r), 0);
	EXPECT_EQ(poll(p, 16, 0), 0);
	EXPECT_ERRNO(poll(p, 17, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ppoll, p, 0x7fffffff, &zero, NULL, 8), EINVAL);
}

TEST(answers_into_read_only_memory)
{
	struct pollfd *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	EXPECT_ERRNO(poll(p, 1, 0), EFAULT);
}

TEST_MAIN()
