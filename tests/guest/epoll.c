/* SPDX-License-Identifier: MIT */
/* epoll.c - watching many files: level and edge, one shot, nesting, closing, and threads that compete. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#define MS 1000000ull

static int new_epoll(void)
{
	int ep = epoll_create1(0);

	ASSERT(ep >= 0);
	return ep;
}

static int ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return epoll_ctl(ep, op, fd, &e);
}

static void add(int ep, int fd, uint32_t events)
{
	ASSERT_EQ(ctl(ep, EPOLL_CTL_ADD, fd, events, (uint64_t)fd), 0);
}

static void put(int fd, uint64_t v)
{
	ASSERT_EQ(write(fd, &v, sizeof(v)), sizeof(v));
}

static uint64_t get(int fd)
{
	uint64_t v = 0;

	ASSERT_EQ(read(fd, &v, sizeof(v)), sizeof(v));
	return v;
}

/* The events of the only one that is ready; 0: none. */
static uint32_t one_event(int ep, int timeout)
{
	struct epoll_event e[4] = {{0}};
	int n = epoll_wait(ep, e, 4, timeout);

	ASSERT(n >= 0 && n <= 1);
	return n ? e[0].events : 0;
}

TEST(level_is_told_until_it_is_gone)
{
	int ep = new_epoll(), fd = eventfd(0, 0);

	add(ep, fd, EPOLLIN);
	EXPECT_EQ(one_event(ep, 0), 0);
	put(fd, 1);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(one_event(ep, -1), EPOLLIN);
	get(fd);
	EXPECT_EQ(one_event(ep, 0), 0);
	put(fd, 1);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
}

TEST(edge_is_told_once)
{
	int ep = new_epoll(), fd = eventfd(0, 0);

	put(fd, 1);
	add(ep, fd, EPOLLIN | EPOLLET);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN); /* it was ready when it was added */
	EXPECT_EQ(one_event(ep, 0), 0);
	put(fd, 1);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
	EXPECT_EQ(one_event(ep, 0), 0);
	put(fd, 1);
	put(fd, 1);
	get(fd);
	EXPECT_EQ(one_event(ep, 0), 0); /* gone before anybody looked */
}

TEST(reading_is_no_edge_for_readers)
{
	int ep = new_epoll(), fd = eventfd(0, EFD_SEMAPHORE);

	add(ep, fd, EPOLLIN | EPOLLET);
	put(fd, 5);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
	get(fd);
	EXPECT_EQ(one_event(ep, 0), 0);
}

TEST(one_shot_waits_to_be_set_again)
{
	int ep = new_epoll(), fd = eventfd(0, 0);

	add(ep, fd, EPOLLIN | EPOLLONESHOT);
	put(fd, 1);
	EXPECT_EQ(one_event(ep, -1), EPOLLIN);
	EXPECT_EQ(one_event(ep, 0), 0);
	put(fd, 1);
	EXPECT_EQ(one_event(ep, 0), 0);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 7), 0);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
	EXPECT_EQ(one_event(ep, 0), 0);
}

TEST(interest_can_be_changed)
{
	int ep = new_epoll(), fd = eventfd(1, 0);
	struct epoll_event e;

	add(ep, fd, EPOLLIN | EPOLLET);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLET, 99), 0);
	EXPECT_EQ(epoll_wait(ep, &e, 1, 0), 1); /* a change asks again */
	EXPECT_EQ(e.events, EPOLLIN | EPOLLOUT);
	EXPECT_EQ(e.data.u64, 99);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_MOD, fd, 0, 1), 0);
	EXPECT_EQ(one_event(ep, 0), 0);
	put(fd, 1);
	EXPECT_EQ(one_event(ep, 0), 0);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN, 1), 0);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_DEL, fd, 0, 0), 0);
	EXPECT_EQ(one_event(ep, 0), 0);
	EXPECT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	EXPECT_EQ(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_DEL, fd, NULL), 0);
}

TEST(hangup_and_error_come_unasked)
{
	int ep = new_epoll(), a[2], b[2];

	ASSERT_EQ(pipe(a), 0);
	ASSERT_EQ(pipe(b), 0);
	add(ep, a[0], 0);
	EXPECT_EQ(one_event(ep, 0), 0);
	close(a[1]);
	EXPECT_EQ(one_event(ep, -1), EPOLLHUP);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_DEL, a[0], 0, 0), 0);
	add(ep, b[1], EPOLLET);
	EXPECT_EQ(one_event(ep, 0), 0);
	close(b[0]);
	EXPECT_EQ(one_event(ep, -1), EPOLLERR);
}

TEST(errors_of_ctl)
{
	int ep = new_epoll(), fd = eventfd(0, 0), dir = open("/", O_RDONLY);
	int file = open("/init", O_RDONLY);
	struct epoll_event e = {.events = EPOLLIN};

	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, file, &e), EPERM);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, dir, &e), EPERM);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &e), EBADF);
	EXPECT_ERRNO(epoll_ctl(999, EPOLL_CTL_ADD, fd, &e), EBADF);
	EXPECT_ERRNO(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &e), EINVAL);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e), ENOENT);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fd, &e), ENOENT);
	EXPECT_ERRNO(epoll_ctl(ep, 77, fd, &e), EINVAL);
	EXPECT_ERRNO(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fd, (void *)8), EFAULT);
	add(ep, fd, EPOLLIN);
	EXPECT_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), EEXIST);
	EXPECT_ERRNO(epoll_create1(1), EINVAL);
#ifdef SYS_epoll_create
	EXPECT_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
	EXPECT(syscall(SYS_epoll_create, 1) >= 0);
#endif
	EXPECT_EQ(fcntl(epoll_create1(EPOLL_CLOEXEC), F_GETFD), FD_CLOEXEC);
}

TEST(errors_of_wait)
{
	int ep = new_epoll(), fd = eventfd(1, 0);
	struct epoll_event e;
	struct timespec negative = {-1, 0};
	sigset_t set;

	sigemptyset(&set);
	add(ep, fd, EPOLLIN);
	EXPECT_ERRNO(epoll_wait(ep, &e, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_epoll_pwait, ep, &e, -1, 0, NULL, 8), EINVAL);
	EXPECT_ERRNO(epoll_wait(fd, &e, 1, 0), EINVAL);
	EXPECT_ERRNO(epoll_wait(999, &e, 1, 0), EBADF);
	EXPECT_ERRNO(syscall(SYS_epoll_pwait, ep, (void *)8, 1, 0, NULL, 8), EFAULT);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN); /* and is not lost by that */
	EXPECT_ERRNO(syscall(SYS_epoll_pwait, ep, &e, 1, 0, &set, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_epoll_pwait2, ep, &e, 1, &negative, NULL, 8), EINVAL);
	char c;
	EXPECT_ERRNO(read(ep, &c, 1), EINVAL);
}

TEST(an_edge_survives_a_bad_address)
{
	int ep = new_epoll(), fd = eventfd(1, 0);

	add(ep, fd, EPOLLIN | EPOLLET);
	EXPECT_ERRNO(syscall(SYS_epoll_pwait, ep, (void *)8, 1, 0, NULL, 8), EFAULT);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
	EXPECT_EQ(one_event(ep, 0), 0);
}

TEST(timeouts)
{
	int ep = new_epoll();
	struct epoll_event e;
	struct timespec ts = {0, 3 * MS};
	uint64_t start = ktap_now_ns();

	EXPECT_EQ(epoll_wait(ep, &e, 1, 20), 0);
	EXPECT(ktap_now_ns() - start >= 20 * MS);
	start = ktap_now_ns();
	EXPECT_EQ(syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 8), 0);
	EXPECT(ktap_now_ns() - start >= 3 * MS);
}

/* --- many files -------------------------------------------------------------------------------------- */

TEST(everybody_gets_a_turn)
{
	enum { N = 40 };
	int ep = new_epoll(), fds[N], seen[200] = {0};

	for (int i = 0; i < N; i++) {
		fds[i] = eventfd(1, 0);
		add(ep, fds[i], EPOLLIN);
	}
	for (int round = 0; round < N / 4; round++) {
		struct epoll_event e[4];

		ASSERT_EQ(epoll_wait(ep, e, 4, 0), 4);
		for (int i = 0; i < 4; i++)
			seen[e[i].data.u64]++;
	}
	for (int i = 0; i < N; i++)
		EXPECT_EQ(seen[fds[i]], 1);
}

TEST(only_those_that_are_ready)
{
	enum { N = 500 };
	struct rlimit r = {1024, 4096};
	static int fds[N];
	static struct epoll_event e[N];
	int ep = new_epoll(), n;

	setrlimit(RLIMIT_NOFILE, &r);
	for (int i = 0; i < N; i++) {
		fds[i] = eventfd(0, 0);
		ASSERT(fds[i] >= 0);
		add(ep, fds[i], EPOLLIN | EPOLLET);
	}
	for (int i = 0; i < N; i += 7)
		put(fds[i], (uint64_t)i + 1);
	n = epoll_wait(ep, e, N, -1);
	EXPECT_EQ(n, (N + 6) / 7);
	for (int i = 0; i < n; i++)
		EXPECT_EQ((get((int)e[i].data.u64) - 1) % 7, 0);
	EXPECT_EQ(epoll_wait(ep, e, N, 0), 0);
}

TEST(a_copy_of_a_descriptor_is_watched_by_itself)
{
	int ep = new_epoll(), fd = eventfd(0, 0), copy = dup(fd);
	struct epoll_event e[4];

	add(ep, fd, EPOLLIN);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 1000), 0);
	put(fd, 1);
	EXPECT_EQ(epoll_wait(ep, e, 4, 0), 2);
	/* Closing one leaves the open file, and so both. */
	close(fd);
	EXPECT_EQ(epoll_wait(ep, e, 4, 0), 2);
	EXPECT_ERRNO(ctl(ep, EPOLL_CTL_DEL, fd, 0, 0), EBADF);
	close(copy);
	EXPECT_EQ(epoll_wait(ep, e, 4, 0), 0);
}

TEST(closing_takes_it_out)
{
	int ep = new_epoll();

	for (int i = 0; i < 50; i++) {
		int fd = eventfd(1, 0);

		add(ep, fd, EPOLLIN);
		EXPECT_EQ(one_event(ep, 0), EPOLLIN);
		close(fd);
		EXPECT_EQ(one_event(ep, 0), 0);
	}
}

TEST(a_child_keeps_the_file_open)
{
	int ep = new_epoll(), fd = eventfd(0, 0), ask[2], status;
	char c;

	ASSERT_EQ(pipe(ask), 0);
	add(ep, fd, EPOLLIN);
	pid_t pid = fork();
	if (!pid) {
		close(ask[1]);
		if (read(ask[0], &c, 1) != 0)
			_exit(1);
		put(fd, 1);
		for (;;)
			pause();
	}
	close(fd);
	close(ask[1]);
	EXPECT_EQ(one_event(ep, 10000), EPOLLIN);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(one_event(ep, 0), 0);
}

/* --- epolls of epolls -------------------------------------------------------------------------------- */

TEST(an_epoll_can_be_polled)
{
	int ep = new_epoll(), fd = eventfd(0, 0);
	struct pollfd p = {.fd = ep, .events = POLLIN | POLLOUT};

	EXPECT_EQ(poll(&p, 1, 0), 0);
	add(ep, fd, EPOLLIN);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	put(fd, 1);
	EXPECT_EQ(poll(&p, 1, -1), 1);
	EXPECT_EQ(p.revents, POLLIN);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN); /* asking takes nothing away */
	get(fd);
	EXPECT_EQ(poll(&p, 1, 0), 0);
}

static void *put_later(void *arg)
{
	ktap_sleep_ns(10 * MS);
	put(*(int *)arg, 1);
	return NULL;
}

TEST(events_travel_up)
{
	int top = new_epoll(), middle = new_epoll(), bottom = new_epoll(), fd = eventfd(0, 0);
	pthread_t t;

	add(bottom, fd, EPOLLIN);
	add(middle, bottom, EPOLLIN);
	add(top, middle, EPOLLIN);
	ASSERT_EQ(pthread_create(&t, NULL, put_later, &fd), 0);
	EXPECT_EQ(one_event(top, -1), EPOLLIN);
	EXPECT_EQ(one_event(middle, 0), EPOLLIN);
	EXPECT_EQ(one_event(bottom, 0), EPOLLIN);
	pthread_join(t, NULL);
	get(fd);
	EXPECT_EQ(one_event(top, 0), 0);
	put(fd, 1);
	close(bottom);
	EXPECT_EQ(one_event(top, 0), 0);
}

TEST(edges_of_a_nested_epoll)
{
	int top = new_epoll(), bottom = new_epoll(), fd = eventfd(0, 0);

	add(bottom, fd, EPOLLIN);
	add(top, bottom, EPOLLIN | EPOLLET);
	put(fd, 1);
	EXPECT_EQ(one_event(top, 0), EPOLLIN);
	EXPECT_EQ(one_event(top, 0), 0);
	EXPECT_EQ(one_event(bottom, 0), EPOLLIN);
	EXPECT_EQ(one_event(top, 0), 0);
	put(fd, 1);
	EXPECT_EQ(one_event(top, 0), EPOLLIN);
}

TEST(no_circles)
{
	int a = new_epoll(), b = new_epoll(), c = new_epoll();

	add(a, b, EPOLLIN);
	EXPECT_ERRNO(ctl(b, EPOLL_CTL_ADD, a, EPOLLIN, 0), ELOOP);
	add(b, c, EPOLLIN);
	EXPECT_ERRNO(ctl(c, EPOLL_CTL_ADD, a, EPOLLIN, 0), ELOOP);
	EXPECT_ERRNO(ctl(c, EPOLL_CTL_ADD, b, EPOLLIN, 0), ELOOP);
	EXPECT_EQ(ctl(a, EPOLL_CTL_DEL, b, 0, 0), 0);
	add(c, a, EPOLLIN);
	EXPECT_ERRNO(ctl(a, EPOLL_CTL_ADD, b, EPOLLIN, 0), ELOOP);
	add(a, eventfd(0, 0), EPOLLIN);
}

TEST(chains_are_short)
{
	int ep[12], n = 1;

	ep[0] = new_epoll();
	add(ep[0], eventfd(0, 0), EPOLLIN);
	for (; n < 12; n++) {
		ep[n] = new_epoll();
		if (ctl(ep[n], EPOLL_CTL_ADD, ep[n - 1], EPOLLIN, 0))
			break;
	}
	EXPECT(n == 5 || n == 6);
	EXPECT(errno == ELOOP || errno == EINVAL);
}

TEST(exclusive_has_rules)
{
	int ep = new_epoll(), other = new_epoll(), fd = eventfd(0, 0);

	EXPECT_ERRNO(ctl(ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE, 0), EINVAL);
	EXPECT_ERRNO(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE, 0),
		     EINVAL);
	EXPECT_ERRNO(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLPRI | EPOLLEXCLUSIVE, 0), EINVAL);
	add(ep, fd, EPOLLIN | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE);
	EXPECT_ERRNO(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN, 0), EINVAL);
	EXPECT_EQ(ctl(ep, EPOLL_CTL_DEL, fd, 0, 0), 0);
	add(ep, fd, EPOLLIN);
	EXPECT_ERRNO(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE, 0), EINVAL);
	put(fd, 1);
	EXPECT_EQ(one_event(ep, 0), EPOLLIN);
}

/* --- threads ----------------------------------------------------------------------------------------- */

struct crew {
	int ep, fd;
	unsigned woken, stop;
};

static void *wait_once(void *arg)
{
	struct crew *c = arg;
	struct epoll_event e;

	if (epoll_wait(c->ep, &e, 1, -1) == 1)
		__atomic_add_fetch(&c->woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(an_edge_wakes_one_waiter)
{
	enum { N = 4 };
	struct crew c = {.ep = new_epoll(), .fd = eventfd(0, 0)};
	pthread_t t[N];

	add(c.ep, c.fd, EPOLLIN | EPOLLET);
	for (int i = 0; i < N; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, wait_once, &c), 0);
	ktap_sleep_ns(30 * MS);
	for (unsigned i = 1; i <= N; i++) {
		put(c.fd, 1);
		for (int k = 0; k < 500 && __atomic_load_n(&c.woken, __ATOMIC_SEQ_CST) < i; k++)
			ktap_sleep_ns(1 * MS);
		ktap_sleep_ns(5 * MS);
		EXPECT_EQ(__atomic_load_n(&c.woken, __ATOMIC_SEQ_CST), i);
	}
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
}

TEST(exclusive_epolls_share_the_work)
{
	enum { N = 4 };
	struct crew c[N];
	pthread_t t[N];
	int fd = eventfd(0, 0);
	unsigned woken = 0;

	for (int i = 0; i < N; i++) {
		c[i] = (struct crew){.ep = new_epoll(), .fd = fd};
		add(c[i].ep, fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
		ASSERT_EQ(pthread_create(&t[i], NULL, wait_once, &c[i]), 0);
	}
	ktap_sleep_ns(30 * MS);
	put(fd, 1);
	ktap_sleep_ns(30 * MS);
	for (int i = 0; i < N; i++)
		woken += __atomic_load_n(&c[i].woken, __ATOMIC_SEQ_CST);
	EXPECT_EQ(woken, 1);
	for (int i = 0; i < N; i++)
		put(fd, 1);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
}

static void *drain(void *arg)
{
	struct crew *c = arg;
	uintptr_t got = 0;

	while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST)) {
		struct epoll_event e[4];
		int n = epoll_wait(c->ep, e, 4, 20);

		for (int i = 0; i < n; i++) {
			uint64_t v;

			if (read((int)e[i].data.u64, &v, 8) == 8)
				got += v;
			if (ctl(c->ep, EPOLL_CTL_MOD, (int)e[i].data.u64, EPOLLIN | EPOLLONESHOT,
				e[i].data.u64))
				return (void *)~0ul;
		}
	}
	return (void *)got;
}

static void *feed(void *arg)
{
	int *fds = arg;

	for (int i = 0; i < 1000; i++)
		put(fds[i % 8], 1);
	return NULL;
}

TEST_SECONDS(one_shot_work_is_shared_without_loss, 60)
{
	struct crew c = {.ep = new_epoll()};
	pthread_t r[3], w[2];
	int fds[8];
	uintptr_t sum = 0;
	void *got;

	for (int i = 0; i < 8; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		add(c.ep, fds[i], EPOLLIN | EPOLLONESHOT);
	}
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&r[i], NULL, drain, &c), 0);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&w[i], NULL, feed, fds), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(w[i], NULL);
	ktap_sleep_ns(200 * MS);
	__atomic_store_n(&c.stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 3; i++) {
		pthread_join(r[i], &got);
		sum += (uintptr_t)got;
	}
	for (int i = 0; i < 8; i++) {
		uint64_t v;

		EXPECT_ERRNO(read(fds[i], &v, 8), EAGAIN);
	}
	EXPECT_EQ(sum, 2000);
}

struct ping {
	int in, out;
};

static void *ping(void *arg)
{
	struct ping *p = arg;
	int ep = epoll_create1(0);

	if (ctl(ep, EPOLL_CTL_ADD, p->in, EPOLLIN | EPOLLET, 0))
		return (void *)1;
	for (int i = 0; i < 500; i++) {
		struct epoll_event e;

		if (epoll_wait(ep, &e, 1, -1) != 1 || get(p->in) != 1)
			return (void *)1;
		put(p->out, 1);
	}
	close(ep);
	return NULL;
}

TEST_SECONDS(no_edge_is_lost_between_two_threads, 60)
{
	int a = eventfd(0, 0), b = eventfd(0, 0);
	struct ping one = {a, b}, two = {b, a};
	pthread_t t[2];
	void *failed;

	ASSERT_EQ(pthread_create(&t[0], NULL, ping, &one), 0);
	ASSERT_EQ(pthread_create(&t[1], NULL, ping, &two), 0);
	put(a, 1);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &failed);
		EXPECT(!failed);
	}
}

static void *add_and_close(void *arg)
{
	struct crew *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST)) {
		int fd = eventfd(1, 0);

		ctl(c->ep, EPOLL_CTL_ADD, fd, EPOLLIN, (uint64_t)fd);
		close(fd);
	}
	return NULL;
}

static void *wake_much(void *arg)
{
	struct crew *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST))
		put(c->fd, 1);
	return NULL;
}

static void *wait_much(void *arg)
{
	struct crew *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST)) {
		struct epoll_event e[8];

		epoll_wait(c->ep, e, 8, 1);
	}
	return NULL;
}

static void *come_and_go(void *arg)
{
	struct crew *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST)) {
		int ep = epoll_create1(0), outer = epoll_create1(0);

		ctl(ep, EPOLL_CTL_ADD, c->fd, EPOLLIN | EPOLLET, 0);
		ctl(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 0);
		ctl(outer, EPOLL_CTL_ADD, c->ep, EPOLLIN, 0);
		close(ep);
		close(outer);
	}
	return NULL;
}

TEST_SECONDS(closing_races_with_everything, 60)
{
	struct crew c = {.ep = new_epoll(), .fd = eventfd(0, 0)};
	void *(*const roles[])(void *) = {add_and_close, wake_much,     wait_much,
					  come_and_go,   add_and_close, come_and_go};
	enum { N = sizeof(roles) / sizeof(roles[0]) };
	pthread_t t[N];

	add(c.ep, c.fd, EPOLLIN);
	for (int i = 0; i < N; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, roles[i], &c), 0);
	ktap_sleep_ns(700 * MS);
	__atomic_store_n(&c.stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
}

/* --- signals ----------------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;

static void note_signal(int sig)
{
	(void)sig;
	handled++;
}

TEST(pwait_unblocks_only_while_it_waits)
{
	struct sigaction a = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
	int ep = new_epoll(), fd = eventfd(0, 0);
	struct epoll_event e;
	sigset_t blocked, none, now;

	sigaction(SIGUSR1, &a, NULL);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	raise(SIGUSR1);
	add(ep, fd, EPOLLIN);
	EXPECT_ERRNO(epoll_pwait(ep, &e, 1, -1, &none), EINTR);
	EXPECT_EQ(handled, 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	put(fd, 1);
	EXPECT_EQ(epoll_pwait(ep, &e, 1, -1, &none), 1);
	EXPECT_EQ(handled, 1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR1));
}

TEST_MAIN()
