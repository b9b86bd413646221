/* SPDX-License-Identifier: MIT */
/*
 * races.c - what two threads of a program may do to the same thing at the same moment. The kernel survives it, and what
 * one of them then finds is what one order of the two calls would have left.
 *
 * Most claims only see on several CPUs, and best on a debug kernel, what they look for.
 */
#include "ktap.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#define MS     1000000ull
#define SECOND 1000000000ull
#define TIMERS 48
#define PAGE   4096ul

static _Atomic bool stop;
static _Atomic unsigned turn, done;

static void start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	ASSERT_EQ(pthread_create(t, NULL, fn, arg), 0);
}

/* --- timers ------------------------------------------------------------------------------------------ */

/* An ignored signal makes the kernel arm the timer again by itself. */
TEST_SECONDS(timers_deleted_while_they_fire_are_gone, 60)
{
	struct itimerspec often = {{0, 1}, {0, 1}};
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	uint64_t end = ktap_now_ns() + 3 * SECOND;
	timer_t t[TIMERS];

	signal(SIGUSR1, SIG_IGN);
	for (unsigned round = 0; ktap_now_ns() < end; round++) {
		for (unsigned i = 0; i < TIMERS; i++) {
			ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &e, &t[i]), 0);
			ASSERT_EQ(timer_settime(t[i], 0, &often, NULL), 0);
		}
		for (uint64_t until = ktap_now_ns() + round % 8 * MS; ktap_now_ns() < until;)
			;
		for (unsigned i = 0; i < TIMERS; i++)
			EXPECT_EQ(timer_delete(t[i]), 0);
	}
	ktap_sleep_ns(20 * MS);
}

/* --- sockets ----------------------------------------------------------------------------------------- */

static void *send_bytes(void *arg)
{
	int fd = *(int *)arg;

	while (!stop)
		send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return NULL;
}

/* Data sent to the end that a connection was to have goes with it when the listener has no room. */
TEST_SECONDS(sending_while_a_connection_is_refused, 60)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0refused"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd[2];
	uint64_t end = ktap_now_ns() + 3 * SECOND;
	pthread_t t[2];

	ASSERT_EQ(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	ASSERT_EQ(listen(listener, 0), 0);
	for (unsigned i = 0; i < 2; i++)
		fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ASSERT_EQ(connect(fd[0], (struct sockaddr *)&name, sizeof(name)), 0);
	for (unsigned i = 0; i < 2; i++)
		start(&t[i], send_bytes, &fd[1]);
	while (ktap_now_ns() < end)
		EXPECT_ERRNO(connect(fd[1], (struct sockaddr *)&name, sizeof(name)), EAGAIN);
	stop = true;
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

static int carrier[2];
static _Atomic unsigned mixed, received;

/* Each message has a number, and a file with the same number in it. */
static void *receive_numbers(void *arg)
{
	(void)arg;
	for (;;) {
		uint64_t number = 0, inside = 0;
		char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
		struct msghdr m = {.msg_iov = &(struct iovec){&number, sizeof(number)},
				   .msg_iovlen = 1,
				   .msg_control = room,
				   .msg_controllen = sizeof(room)};
		int fd = -1;

		if (recvmsg(carrier[1], &m, 0) <= 0)
			return NULL;
		if (m.msg_controllen >= CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA((struct cmsghdr *)room), sizeof(fd));
		if (read(fd, &inside, sizeof(inside)) != sizeof(inside) || inside != number)
			mixed++;
		received++;
		close(fd);
	}
}

static void send_number(uint64_t number)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = {.h = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr m = {.msg_iov = &(struct iovec){&number, sizeof(number)},
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c)};
	int fd = eventfd((unsigned)number, EFD_NONBLOCK);

	ASSERT(fd >= 0);
	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	ASSERT_EQ(sendmsg(carrier[0], &m, 0), sizeof(number));
	close(fd);
}

TEST_SECONDS(files_come_with_the_data_they_were_sent_with, 60)
{
	uint64_t end = ktap_now_ns() + 3 * SECOND, n = 0;
	pthread_t t[3];

	ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, carrier), 0);
	for (unsigned i = 0; i < 3; i++)
		start(&t[i], receive_numbers, NULL);
	while (ktap_now_ns() < end)
		send_number(++n);
	close(carrier[0]);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(mixed, 0);
	EXPECT_EQ(received, n);
}

/* --- memory ------------------------------------------------------------------------------------------ */

static volatile char *_Atomic pages;

static void *touch_second_page(void *arg)
{
	unsigned next = 1;

	(void)arg;
	for (;; next++) {
		while (turn < next)
			if (stop)
				return NULL;
		for (volatile unsigned i = 0; i < next % 64; i++)
			;
		pages[PAGE] = 'x';
		done = next;
	}
}

/* A mapping is cut in two while its upper half is touched for the first time: that half is taken away completely. */
TEST_SECONDS(a_mapping_cut_while_it_is_touched_leaves_no_page, 60)
{
	uint64_t end = ktap_now_ns() + 4 * SECOND;
	pthread_t t;
	char *p;

	start(&t, touch_second_page, NULL);
	while (ktap_now_ns() < end) {
		p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
		ASSERT(p != MAP_FAILED);
		pages = p;
		turn++;
		for (volatile unsigned i = 0; i < turn / 64 % 64; i++)
			;
		ASSERT_EQ(mprotect(p, PAGE, PROT_READ), 0);
		while (done < turn)
			;
		ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
		ASSERT(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			    0) == p + PAGE);
		ASSERT_EQ(p[PAGE], 0);
		ASSERT_EQ(munmap(p, 2 * PAGE), 0);
	}
	stop = true;
	pthread_join(t, NULL);
}

/* --- names ------------------------------------------------------------------------------------------- */

static int directory;
static _Atomic bool created;

static void *create_inside(void *arg)
{
	unsigned next = 1;

	(void)arg;
	for (;; next++) {
		int fd;

		while (turn < next)
			if (stop)
				return NULL;
		for (volatile unsigned i = 0; i < next % 64; i++)
			;
		fd = openat(directory, "f", O_CREAT | O_EXCL | O_WRONLY, 0600);
		created = fd >= 0;
		if (fd >= 0)
			close(fd);
		done = next;
	}
}

/* Either the name is there first, and the directory is not empty, or the directory is gone first. */
TEST_SECONDS(a_directory_that_is_replaced_gets_no_more_names, 60)
{
	uint64_t end = ktap_now_ns() + 3 * SECOND;
	pthread_t t;

	mkdir("/tmp", 0777);
	mkdir("/tmp/races", 0777);
	ASSERT_EQ(chdir("/tmp/races"), 0);
	start(&t, create_inside, NULL);
	while (ktap_now_ns() < end) {
		bool replaced;

		ASSERT_EQ(mkdir("old", 0777), 0);
		ASSERT_EQ(mkdir("new", 0777), 0);
		directory = open("old", O_RDONLY | O_DIRECTORY);
		ASSERT(directory >= 0);
		turn++;
		for (volatile unsigned i = 0; i < turn / 64 % 64; i++)
			;
		replaced = rename("new", "old") == 0;
		while (done < turn)
			;
		ASSERT(!replaced || !created);
		if (created)
			unlinkat(directory, "f", 0);
		close(directory);
		rmdir("new");
		ASSERT_EQ(rmdir("old"), 0);
	}
	stop = true;
	pthread_join(t, NULL);
}

/* --- kernel messages --------------------------------------------------------------------------------- */

static void *open_and_close(void *arg)
{
	const char *path = arg;

	while (!stop) {
		int fd = open(path, O_RDONLY | O_NONBLOCK);

		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

TEST_SECONDS(many_readers_of_kernel_messages_come_and_go, 60)
{
	char path[] = "/dev/kmsg";
	pthread_t t[4];

	mkdir("/dev", 0755);
	if (access(path, R_OK) && mknod(path, S_IFCHR | 0600, makedev(1, 11)))
		SKIP("no /dev/kmsg here");
	for (unsigned i = 0; i < 4; i++)
		start(&t[i], open_and_close, path);
	ktap_sleep_ns(3 * SECOND);
	stop = true;
	for (unsigned i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

TEST_MAIN()
