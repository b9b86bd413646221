/* SPDX-License-Identifier: MIT */
/* eventfd.c - counters behind descriptors. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#define MS 1000000ull

static uint64_t get(int fd)
{
	uint64_t v = 0;

	ASSERT_EQ(read(fd, &v, sizeof(v)), sizeof(v));
	return v;
}

static void put(int fd, uint64_t v)
{
	ASSERT_EQ(write(fd, &v, sizeof(v)), sizeof(v));
}

static short ready(int fd, int timeout)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	ASSERT(poll(&p, 1, timeout) >= 0);
	return p.revents;
}

TEST(a_read_takes_everything)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	uint64_t v;

	ASSERT(fd >= 0);
	EXPECT_EQ(get(fd), 3);
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
	put(fd, 5);
	put(fd, 7);
	put(fd, 0);
	EXPECT_EQ(get(fd), 12);
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
}

TEST(a_semaphore_gives_one_at_a_time)
{
	int fd = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
	uint64_t v;

	EXPECT_EQ(get(fd), 1);
	EXPECT_EQ(get(fd), 1);
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
	put(fd, 1);
	EXPECT_EQ(get(fd), 1);
}

TEST(counter_has_an_end)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t all = UINT64_MAX, one = 1;

	EXPECT_ERRNO(write(fd, &all, 8), EINVAL);
	put(fd, UINT64_MAX - 1);
	EXPECT_EQ(ready(fd, 0), POLLIN);
	EXPECT_ERRNO(write(fd, &one, 8), EAGAIN);
	put(fd, 0);
	EXPECT_EQ(get(fd), UINT64_MAX - 1);
	EXPECT_EQ(ready(fd, 0), POLLOUT);
	put(fd, UINT64_MAX - 2);
	EXPECT_EQ(ready(fd, 0), POLLIN | POLLOUT);
}

TEST(bad_uses)
{
	int fd = eventfd(1, EFD_NONBLOCK);
	uint32_t small = 0;
	uint64_t big[2] = {9, 9};

	EXPECT_ERRNO(read(fd, &small, 4), EINVAL);
	EXPECT_ERRNO(write(fd, &small, 4), EINVAL);
	EXPECT_EQ(read(fd, big, 16), 8);
	EXPECT_EQ(big[0], 1);
	EXPECT_EQ(big[1], 9);
	EXPECT_ERRNO(write(fd, big, 16), EINVAL);
	put(fd, 1);
	EXPECT_ERRNO(syscall(SYS_write, fd, 8, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_read, fd, 8, 8), EFAULT);
	EXPECT_EQ(lseek(fd, 5, SEEK_SET), 0);
	EXPECT_ERRNO(pread(fd, big, 8, 0), ESPIPE);
	EXPECT_ERRNO(eventfd(0, 0x10), EINVAL);
	EXPECT_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), ENODEV);
}

TEST(descriptor_flags)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	EXPECT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	uint64_t v;
	EXPECT_ERRNO(read(fd, &v, 8), EAGAIN);
}

static void *read_one(void *arg)
{
	return (void *)(uintptr_t)get(*(int *)arg);
}

TEST(readers_wait_for_a_number)
{
	int fd = eventfd(0, 0);
	pthread_t t;
	void *v;

	ASSERT_EQ(pthread_create(&t, NULL, read_one, &fd), 0);
	ktap_sleep_ns(10 * MS);
	put(fd, 0); /* nothing to read */
	ktap_sleep_ns(5 * MS);
	put(fd, 42);
	pthread_join(t, &v);
	EXPECT_EQ((uintptr_t)v, 42);
}

TEST(a_semaphore_wakes_as_many_readers_as_it_counts)
{
	enum { N = 6 };
	int fd = eventfd(0, EFD_SEMAPHORE);
	pthread_t t[N];

	for (int i = 0; i < N; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, read_one, &fd), 0);
	ktap_sleep_ns(10 * MS);
	put(fd, 2);
	put(fd, N - 2);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(ready(fd, 0), POLLOUT);
}

static void *write_most(void *arg)
{
	put(*(int *)arg, UINT64_MAX - 10);
	return NULL;
}

TEST(writers_wait_for_room)
{
	int fd = eventfd(0, 0);
	pthread_t t;

	put(fd, 100);
	ASSERT_EQ(pthread_create(&t, NULL, write_most, &fd), 0);
	ktap_sleep_ns(10 * MS);
	EXPECT_EQ(get(fd), 100);
	pthread_join(t, NULL);
	EXPECT_EQ(get(fd), UINT64_MAX - 10);
}

TEST(poll_waits_for_both_directions)
{
	int fd = eventfd(0, 0), full = eventfd(0, 0);
	pthread_t t;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	put(full, UINT64_MAX - 1);
	EXPECT_EQ(poll(&p, 1, 1), 0);
	EXPECT_EQ(ready(fd, -1), POLLOUT);
	p = (struct pollfd){.fd = full, .events = POLLOUT};
	EXPECT_EQ(poll(&p, 1, 1), 0);
	ASSERT_EQ(pthread_create(&t, NULL, read_one, &full), 0);
	EXPECT_EQ(poll(&p, 1, -1), 1);
	pthread_join(t, NULL);
}

struct crowd {
	int fd;
	unsigned rounds;
	uint64_t sum;
};

static void *add_ones(void *arg)
{
	struct crowd *c = arg;

	for (unsigned i = 0; i < c->rounds; i++)
		put(c->fd, 1);
	return NULL;
}

static void *take_some(void *arg)
{
	struct crowd *c = arg;

	for (;;) {
		uint64_t v = get(c->fd);
		uint64_t sum = __atomic_add_fetch(&c->sum, v & 0xffffffff, __ATOMIC_SEQ_CST);

		if (sum >= c->rounds * 4 || v >> 32) {
			put(c->fd, 1ull << 32); /* let the next one end as well */
			return NULL;
		}
	}
}

static void many_at_once(int flags)
{
	struct crowd c = {.fd = eventfd(0, flags), .rounds = 500};
	pthread_t w[4], r[3];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&w[i], NULL, add_ones, &c), 0);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&r[i], NULL, take_some, &c), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(w[i], NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(r[i], NULL);
	EXPECT_EQ(c.sum, c.rounds * 4);
}

TEST_SECONDS(nothing_is_lost_between_threads, 60)
{
	many_at_once(0);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST(a_signal_ends_the_wait)
{
	struct sigaction a = {.sa_handler = on_signal};
	int fd = eventfd(0, 0);
	uint64_t v;
	pid_t parent = getpid(), pid;

	sigaction(SIGUSR1, &a, NULL);
	pid = fork();
	if (!pid) {
		ktap_sleep_ns(20 * MS);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	EXPECT_ERRNO(read(fd, &v, 8), EINTR);
	waitpid(pid, NULL, 0);
}

TEST(children_share_the_counter)
{
	int fd = eventfd(0, 0);
	pid_t pid = fork();

	if (!pid) {
		put(fd, 11);
		_exit(0);
	}
	EXPECT_EQ(get(fd), 11);
	waitpid(pid, NULL, 0);
}

TEST_MAIN()
