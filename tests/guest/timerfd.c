/* SPDX-License-Identifier: MIT */
/* timerfd.c - timers behind descriptors. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define MS 1000000ull

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET 2
#endif

static struct timespec ts(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

static int new_timer(int clock, int flags)
{
	int fd = timerfd_create(clock, flags);

	ASSERT(fd >= 0);
	return fd;
}

static int set(int fd, int flags, uint64_t value, uint64_t period)
{
	struct itimerspec s = {.it_value = ts(value), .it_interval = ts(period)};

	return timerfd_settime(fd, flags, &s, NULL);
}

static uint64_t ticks(int fd)
{
	uint64_t n = 0;

	ASSERT_EQ(read(fd, &n, sizeof(n)), sizeof(n));
	return n;
}

static uint64_t now_of(int clock)
{
	struct timespec t;

	ASSERT_EQ(clock_gettime(clock, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

TEST(fires_once_and_not_early)
{
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

	for (int i = 0; i < 3; i++) {
		int fd = new_timer(clocks[i], 0);
		uint64_t start = ktap_now_ns();
		struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

		ASSERT_EQ(set(fd, 0, 20 * MS, 0), 0);
		EXPECT_EQ(poll(&p, 1, 0), 0);
		EXPECT_EQ(poll(&p, 1, -1), 1);
		EXPECT_EQ(p.revents, POLLIN);
		EXPECT(ktap_now_ns() - start >= 20 * MS);
		EXPECT_EQ(ticks(fd), 1);
		EXPECT_EQ(poll(&p, 1, 30), 0);
	}
}

TEST(a_read_waits_for_the_first_tick)
{
	int fd = new_timer(CLOCK_MONOTONIC, 0);
	uint64_t start = ktap_now_ns();

	ASSERT_EQ(set(fd, 0, 15 * MS, 5 * MS), 0);
	EXPECT(ticks(fd) >= 1);
	EXPECT(ktap_now_ns() - start >= 15 * MS);
	for (int i = 0; i < 5; i++)
		EXPECT(ticks(fd) >= 1);
	EXPECT(ktap_now_ns() - start >= 40 * MS);
}

TEST(missed_ticks_are_counted)
{
	int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t start = ktap_now_ns(), n, after;

	ASSERT_EQ(set(fd, 0, 1 * MS, 1 * MS), 0);
	ktap_sleep_ns(50 * MS);
	n = ticks(fd);
	after = ktap_now_ns();
	EXPECT(n >= 50);
	EXPECT(n <= (after - start) / MS);
	ktap_sleep_ns(10 * MS);
	n += ticks(fd);
	EXPECT(n >= 60);
	EXPECT(n <= (ktap_now_ns() - start) / MS);
}

TEST(absurdly_short_periods_are_only_counted)
{
	int fd = new_timer(CLOCK_MONOTONIC, 0);
	uint64_t start = ktap_now_ns(), n = 0;

	ASSERT_EQ(set(fd, 0, 1, 1), 0);
	for (int i = 0; i < 20; i++)
		n += ticks(fd);
	EXPECT(n <= ktap_now_ns() - start);
	EXPECT(n > 20);
	ktap_sleep_ns(20 * MS);
	EXPECT(ticks(fd) > 20 * MS);
}

TEST(absolute_times)
{
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};

	for (int i = 0; i < 2; i++) {
		int fd = new_timer(clocks[i], 0);
		uint64_t end = now_of(clocks[i]) + 20 * MS;

		ASSERT_EQ(set(fd, TFD_TIMER_ABSTIME, end, 0), 0);
		EXPECT_EQ(ticks(fd), 1);
		EXPECT(now_of(clocks[i]) >= end);
		/* One in the past has come; its periods are counted from there. */
		ASSERT_EQ(set(fd, TFD_TIMER_ABSTIME, end - 10 * MS, 1 * MS), 0);
		EXPECT(ticks(fd) >= 10);
	}
}

TEST(time_left_is_told)
{
	int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec s, old;

	ASSERT_EQ(timerfd_gettime(fd, &s), 0);
	EXPECT_EQ(s.it_value.tv_sec | s.it_value.tv_nsec, 0);
	ASSERT_EQ(set(fd, 0, 100000 * MS, 7000 * MS), 0);
	ASSERT_EQ(timerfd_gettime(fd, &s), 0);
	EXPECT(s.it_value.tv_sec >= 80 && s.it_value.tv_sec < 100);
	EXPECT_EQ(s.it_interval.tv_sec, 7);
	s = (struct itimerspec){{0, 0}, {0, 0}};
	ASSERT_EQ(timerfd_settime(fd, 0, &s, &old), 0);
	EXPECT(old.it_value.tv_sec >= 80 && old.it_value.tv_sec < 100);
	EXPECT_EQ(old.it_interval.tv_sec, 7);
	ASSERT_EQ(timerfd_gettime(fd, &s), 0);
	EXPECT_EQ(s.it_value.tv_sec | s.it_value.tv_nsec, 0);
	uint64_t n;
	EXPECT_ERRNO(read(fd, &n, 8), EAGAIN);
}

TEST(asking_loses_no_ticks)
{
	int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec s;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ASSERT_EQ(set(fd, 0, 5 * MS, 100000 * MS), 0);
	ktap_sleep_ns(10 * MS);
	ASSERT_EQ(timerfd_gettime(fd, &s), 0);
	EXPECT(s.it_value.tv_sec >= 80);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(ticks(fd), 1);
	EXPECT_EQ(poll(&p, 1, 0), 0);
}

TEST(setting_forgets_what_was)
{
	int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t n;

	ASSERT_EQ(set(fd, 0, 1 * MS, 0), 0);
	ktap_sleep_ns(5 * MS);
	ASSERT_EQ(set(fd, 0, 100000 * MS, 0), 0);
	EXPECT_ERRNO(read(fd, &n, 8), EAGAIN);
	ASSERT_EQ(set(fd, 0, 1 * MS, 0), 0);
	ktap_sleep_ns(5 * MS);
	EXPECT_EQ(ticks(fd), 1);
}

TEST(bad_uses)
{
	int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK), file = open("/init", O_RDONLY);
	struct itimerspec s = {{0, 0}, {0, 1000000000}}, ok = {{0, 0}, {100, 0}};
	uint32_t small;

	EXPECT_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	EXPECT_ERRNO(timerfd_create(99, 0), EINVAL);
	EXPECT_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	EXPECT_ERRNO(timerfd_settime(fd, 0, &s, NULL), EINVAL);
	s = (struct itimerspec){{-1, 0}, {1, 0}};
	EXPECT_ERRNO(timerfd_settime(fd, 0, &s, NULL), EINVAL);
	EXPECT_ERRNO(timerfd_settime(fd, 4, &ok, NULL), EINVAL);
	EXPECT_ERRNO(timerfd_settime(file, 0, &ok, NULL), EINVAL);
	EXPECT_ERRNO(timerfd_settime(999, 0, &ok, NULL), EBADF);
	EXPECT_ERRNO(timerfd_gettime(file, &s), EINVAL);
	EXPECT_ERRNO(timerfd_gettime(999, &s), EBADF);
	EXPECT_ERRNO(syscall(SYS_timerfd_settime, fd, 0, 8, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_timerfd_gettime, fd, 8), EFAULT);
	EXPECT_ERRNO(read(fd, &small, 4), EINVAL);
	EXPECT_ERRNO(write(fd, &s, 8), EINVAL);
	EXPECT_EQ(fcntl(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), F_GETFD), FD_CLOEXEC);
}

TEST(an_edge_for_each_read)
{
	int fd = new_timer(CLOCK_MONOTONIC, 0), ep = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};

	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	ASSERT_EQ(set(fd, 0, 2 * MS, 2 * MS), 0);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(epoll_wait(ep, &e, 1, 10000), 1);
		EXPECT(ticks(fd) >= 1);
	}
}

TEST(closing_an_armed_timer)
{
	for (int i = 0; i < 300; i++) {
		int fd = new_timer(CLOCK_MONOTONIC, 0);

		ASSERT_EQ(set(fd, 0, (uint64_t)(i % 30) * 10000 + 1, 1 + (uint64_t)i * 100), 0);
		if (i % 7 == 0)
			ktap_sleep_ns(100000);
		close(fd);
	}
}

static void *set_and_read(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 300; i++) {
		uint64_t n;

		if (set(fd, 0, (uint64_t)(i % 20) * 5000 + 1, (uint64_t)(i % 3) * 20000))
			return (void *)1;
		if (read(fd, &n, 8) < 0 && errno != EAGAIN)
			return (void *)1;
	}
	return NULL;
}

TEST_SECONDS(many_threads_on_one_timer, 60)
{
	int fd = new_timer(CLOCK_MONOTONIC, TFD_NONBLOCK);
	pthread_t t[4];
	void *failed;

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, set_and_read, &fd), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &failed);
		EXPECT(!failed);
	}
	ASSERT_EQ(set(fd, 0, 1 * MS, 0), 0);
	ktap_sleep_ns(5 * MS);
	EXPECT_EQ(ticks(fd), 1);
}

/* --- the clock is set -------------------------------------------------------------------------------- */

static void move_clock(int64_t seconds)
{
	struct timespec t;

	ASSERT_EQ(clock_gettime(CLOCK_REALTIME, &t), 0);
	t.tv_sec += seconds;
	if (clock_settime(CLOCK_REALTIME, &t))
		SKIP("the clock cannot be set");
}

static void *move_later(void *arg)
{
	ktap_sleep_ns(20 * MS);
	move_clock(*(int64_t *)arg);
	return NULL;
}

TEST(absolute_timers_follow_the_clock)
{
	int fd = new_timer(CLOCK_REALTIME, 0), other = new_timer(CLOCK_REALTIME, TFD_NONBLOCK);
	uint64_t start = ktap_now_ns(), n;
	int64_t by = 3600;
	pthread_t t;

	ASSERT_EQ(set(fd, TFD_TIMER_ABSTIME, now_of(CLOCK_REALTIME) + 3600000 * MS, 0), 0);
	ASSERT_EQ(set(other, 0, 1000000 * MS, 0), 0); /* a time span stays what it is */
	ASSERT_EQ(pthread_create(&t, NULL, move_later, &by), 0);
	EXPECT_EQ(ticks(fd), 1);
	EXPECT(ktap_now_ns() - start < 15000 * MS);
	EXPECT_ERRNO(read(other, &n, 8), EAGAIN);
	pthread_join(t, NULL);
	move_clock(-3600);
}

TEST(setting_the_clock_cancels_who_wants_it)
{
	int fd = new_timer(CLOCK_REALTIME, 0);
	int64_t by = 1;
	uint64_t n;
	pthread_t t;

	ASSERT_EQ(set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
		      now_of(CLOCK_REALTIME) + 3600000 * MS, 0),
		  0);
	ASSERT_EQ(pthread_create(&t, NULL, move_later, &by), 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	EXPECT_EQ(poll(&p, 1, 15000), 1);
	EXPECT_ERRNO(read(fd, &n, 8), ECANCELED);
	pthread_join(t, NULL);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	move_clock(-1);
	EXPECT_ERRNO(set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			 now_of(CLOCK_REALTIME) + 3600000 * MS, 0),
		     ECANCELED);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	EXPECT_EQ(set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 1, 0), 0);
	EXPECT_EQ(ticks(fd), 1);
}

TEST_MAIN()
