/* SPDX-License-Identifier: MIT */
/* messages.c - kernel messages as programs see them: /dev/kmsg and syslog(2). Needs to be root. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NODE "/messages-test-kmsg"

static int open_kmsg(int flags)
{
	int fd;

	if (mknod(NODE, S_IFCHR | 0600, makedev(1, 11)))
		ASSERT_EQ(errno, EEXIST);
	fd = open(NODE, flags);
	ASSERT(fd >= 0);
	return fd;
}

TEST(written_line_is_read_back)
{
	char buf[1024];
	unsigned priority;
	unsigned long nr, us;
	int rd = open_kmsg(O_RDONLY | O_NONBLOCK), wr = open_kmsg(O_WRONLY), at = 0;

	ASSERT_EQ(lseek(rd, 0, SEEK_END), 0);
	EXPECT_EQ(write(wr, "<13>hello from a test\n", 22), 22);
	ssize_t n = read(rd, buf, sizeof(buf) - 1);
	ASSERT(n > 0);
	buf[n] = 0;
	EXPECT_EQ(sscanf(buf, "%u,%lu,%lu,%n", &priority, &nr, &us, &at), 3);
	EXPECT_EQ(priority, 13);
	EXPECT(strstr(buf, ";hello from a test\n"));
	EXPECT_EQ(write(wr, "plain\n", 6), 6);
	n = read(rd, buf, sizeof(buf) - 1);
	ASSERT(n > 0);
	EXPECT_EQ(atoi(buf), 12);
	EXPECT_ERRNO(read(rd, buf, sizeof(buf)), EAGAIN);
	EXPECT_EQ(write(wr, "again\n", 6), 6);
	EXPECT_ERRNO(read(rd, buf, 3), EINVAL);
	EXPECT_ERRNO(read(rd, buf, sizeof(buf)), EAGAIN); /* that line is lost */
	ASSERT_EQ(lseek(rd, 0, SEEK_SET), 0);
	n = read(rd, buf, sizeof(buf));
	EXPECT(n > 0 || errno == EPIPE);
}

TEST(waiting_reader_is_told_of_a_new_line)
{
	char buf[1024];
	int rd = open_kmsg(O_RDONLY), wr = open_kmsg(O_WRONLY);

	ASSERT_EQ(lseek(rd, 0, SEEK_END), 0);
	struct pollfd p = {.fd = rd, .events = POLLIN};
	EXPECT_EQ(poll(&p, 1, 0), 0);
	pid_t pid = fork();
	if (!pid) {
		ktap_sleep_ns(50000000);
		_exit(write(wr, "wake up\n", 8) != 8);
	}
	ssize_t n = read(rd, buf, sizeof(buf) - 1);
	ASSERT(n > 0);
	buf[n] = 0;
	EXPECT(strstr(buf, ";wake up\n"));
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	ASSERT_EQ(lseek(rd, 0, SEEK_SET), 0);
	EXPECT_EQ(poll(&p, 1, 10000), 1);
}

TEST(buffer_is_read_and_cleared)
{
	static char buf[1 << 20];
	int wr = open_kmsg(O_WRONLY), n;

	EXPECT(klogctl(10, NULL, 0) >= 4096);
	EXPECT_EQ(write(wr, "<14>before clearing\n", 20), 20);
	n = klogctl(3, buf, sizeof(buf) - 1);
	ASSERT(n > 0);
	buf[n] = 0;
	EXPECT(strstr(buf, "] before clearing\n"));
	EXPECT_EQ(buf[0], '<');
	EXPECT_EQ(klogctl(5, NULL, 0), 0);
	EXPECT_EQ(write(wr, "<14>after clearing\n", 19), 19);
	n = klogctl(4, buf, sizeof(buf) - 1);
	ASSERT(n > 0);
	buf[n] = 0;
	EXPECT(strstr(buf, "after clearing\n"));
	EXPECT(!strstr(buf, "before clearing\n"));
	EXPECT_EQ(klogctl(3, buf, 0), 0);
	EXPECT_ERRNO(klogctl(3, NULL, 10), EINVAL);
	EXPECT_ERRNO(klogctl(3, buf, -1), EINVAL);
	EXPECT_ERRNO(klogctl(77, NULL, 0), EINVAL);
	EXPECT_ERRNO(klogctl(8, NULL, 9), EINVAL);
	EXPECT_EQ(klogctl(2, buf, sizeof(buf)) > 0, 1);
}

TEST(clearing_needs_the_capability)
{
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(klogctl(5, NULL, 0), EPERM);
	EXPECT_ERRNO(klogctl(2, NULL, 0), EPERM);
	EXPECT_EQ(klogctl(10, NULL, 0) > 0 || errno == EPERM, 1);
}

TEST_MAIN()
