/* SPDX-License-Identifier: MIT */
/* pipes.c - pipes: atomic writes, packets, sizes, what closing an end does; and named pipes. */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define FIFO "/pipes-test"

static void nothing(int sig)
{
	(void)sig;
}

static void make_fifo(void)
{
	unlink(FIFO);
	ASSERT_EQ(mkfifo(FIFO, 0600), 0);
}

static short ready(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	ASSERT(poll(&p, 1, 0) >= 0);
	return p.revents;
}

/* --- anonymous ---------------------------------------------------------------------------------- */

TEST(small_writes_share_a_page)
{
	char buf[64];
	int p[2], n = 0;

	ASSERT_EQ(pipe2(p, O_NONBLOCK), 0);
	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(write(p[1], "0123456789", 10), 10);
	EXPECT_EQ(ioctl(p[0], FIONREAD, &n), 0);
	EXPECT_EQ(n, 10000);
	for (int i = 0; i < 625; i++) {
		ASSERT_EQ(read(p[0], buf, 16), 16);
		EXPECT_EQ(buf[0], "0123456789"[i * 16 % 10]);
	}
	EXPECT_ERRNO(read(p[0], buf, 1), EAGAIN);
}

TEST(pipe_size_can_be_set)
{
	static char buf[70000];
	int p[2];

	ASSERT_EQ(pipe2(p, O_NONBLOCK), 0);
	EXPECT_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	EXPECT_EQ(write(p[1], buf, sizeof(buf)), 65536);
	EXPECT_ERRNO(write(p[1], buf, 1), EAGAIN);
	EXPECT_ERRNO(fcntl(p[0], F_SETPIPE_SZ, 4096), EBUSY);
	EXPECT_EQ(fcntl(p[0], F_SETPIPE_SZ, 70000), 131072);
	EXPECT_EQ(fcntl(p[1], F_GETPIPE_SZ), 131072);
	EXPECT_EQ(write(p[1], buf, sizeof(buf)), 65536);
	EXPECT_EQ(read(p[0], buf, sizeof(buf)), (ssize_t)sizeof(buf));
	EXPECT_EQ(read(p[0], buf, sizeof(buf)), 131072 - (ssize_t)sizeof(buf));
	EXPECT_EQ(fcntl(p[0], F_SETPIPE_SZ, 0), 4096);
	EXPECT_EQ(write(p[1], buf, 5000), 4096);
	EXPECT_ERRNO(fcntl(p[0], F_SETPIPE_SZ, (1u << 31) + 1), EINVAL);
	EXPECT_ERRNO(fcntl(0, F_GETPIPE_SZ), EBADF);
	EXPECT_ERRNO(pipe2(p, 0x4), EINVAL);
	EXPECT_ERRNO(lseek(p[0], 0, SEEK_SET), ESPIPE);
}

TEST(write_up_to_pipe_buf_is_whole)
{
	static char buf[65536];
	int p[2];

	ASSERT_EQ(pipe2(p, O_NONBLOCK), 0);
	ASSERT_EQ(write(p[1], buf, sizeof(buf)), (ssize_t)sizeof(buf));
	ASSERT_EQ(read(p[0], buf, 4000), 4000);
	EXPECT_ERRNO(write(p[1], buf, 4096), EAGAIN);
	EXPECT_EQ(ready(p[1], POLLOUT), 0);
	ASSERT_EQ(read(p[0], buf, 96), 96);
	EXPECT_EQ(ready(p[1], POLLOUT), POLLOUT);
	EXPECT_EQ(write(p[1], buf, 4096), 4096);
}

TEST(packets_are_kept_apart)
{
	char buf[5000];
	int p[2];

	ASSERT_EQ(pipe2(p, O_NONBLOCK | O_DIRECT), 0);
	EXPECT_EQ(write(p[1], "one", 3), 3);
	EXPECT_EQ(write(p[1], "twotwo", 6), 6);
	EXPECT_EQ(read(p[0], buf, sizeof(buf)), 3);
	EXPECT_EQ(read(p[0], buf, 2), 2);
	EXPECT_ERRNO(read(p[0], buf, 2), EAGAIN);
	EXPECT_EQ(write(p[1], buf, 5000), 5000);
	EXPECT_EQ(read(p[0], buf, sizeof(buf)), 4096);
	EXPECT_EQ(read(p[0], buf, sizeof(buf)), 904);
	EXPECT_EQ(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
	EXPECT_EQ(write(p[1], "one", 3), 3);
	EXPECT_EQ(write(p[1], "two", 3), 3);
	EXPECT_EQ(read(p[0], buf, sizeof(buf)), 6);
}

TEST(closed_ends_are_noticed)
{
	char c;
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(pipe(p), 0);
	EXPECT_EQ(write(p[1], "x", 1), 1);
	close(p[1]);
	EXPECT_EQ(ready(p[0], POLLIN), POLLIN | POLLHUP);
	EXPECT_EQ(read(p[0], &c, 1), 1);
	EXPECT_EQ(ready(p[0], POLLIN), POLLHUP);
	EXPECT_EQ(read(p[0], &c, 1), 0);
	close(p[0]);
	ASSERT_EQ(pipe(p), 0);
	close(p[0]);
	EXPECT_EQ(ready(p[1], POLLOUT), POLLOUT | POLLERR);
	EXPECT_EQ(write(p[1], "", 0), 0);
	EXPECT_ERRNO(write(p[1], "x", 1), EPIPE);
	EXPECT_ERRNO(read(p[1], &c, 1), EBADF);
	signal(SIGPIPE, SIG_DFL);
	pid_t pid = fork();
	if (!pid)
		_exit(write(p[1], "x", 1) == 1);
	int status;
	waitpid(pid, &status, 0);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

TEST(much_data_passes_unchanged)
{
	static unsigned char buf[10007];
	int p[2], status;
	unsigned long sum = 0, want = 0;

	ASSERT_EQ(pipe(p), 0);
	if (!fork()) {
		unsigned char out[3001];

		close(p[0]);
		for (unsigned long i = 0; i < 200; i++) {
			for (size_t k = 0; k < sizeof(out); k++)
				out[k] = (unsigned char)(i + k);
			for (size_t done = 0; done < sizeof(out);) {
				ssize_t n = write(p[1], out + done, sizeof(out) - done);

				if (n <= 0)
					_exit(1);
				done += (size_t)n;
			}
		}
		_exit(0);
	}
	close(p[1]);
	ssize_t n;
	unsigned long total = 0;
	while ((n = read(p[0], buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i] * (unsigned long)((total + (unsigned long)i) % 251);
		total += (unsigned long)n;
	}
	EXPECT_EQ(total, 200 * 3001);
	for (unsigned long i = 0; i < 200; i++)
		for (unsigned long k = 0; k < 3001; k++)
			want += (unsigned char)(i + k) * ((i * 3001 + k) % 251);
	EXPECT_EQ(sum, want);
	wait(&status);
	EXPECT_EQ(status, 0);
}

/* --- named -------------------------------------------------------------------------------------- */

TEST(opening_waits_for_the_other_side)
{
	char buf[8] = {0};
	int status;

	make_fifo();
	pid_t pid = fork();
	if (!pid) {
		int fd = open(FIFO, O_WRONLY);

		_exit(fd < 0 || write(fd, "hello", 5) != 5);
	}
	ktap_sleep_ns(20000000);
	int fd = open(FIFO, O_RDONLY);
	ASSERT(fd >= 0);
	EXPECT_EQ(read(fd, buf, 5), 5);
	EXPECT(!strcmp(buf, "hello"));
	EXPECT_EQ(read(fd, buf, 5), 0);
	waitpid(pid, &status, 0);
	EXPECT_EQ(status, 0);
	struct stat s;
	ASSERT_EQ(fstat(fd, &s), 0);
	EXPECT(S_ISFIFO(s.st_mode));
}

TEST(named_pipe_without_waiting)
{
	char buf[8];

	make_fifo();
	EXPECT_ERRNO(open(FIFO, O_WRONLY | O_NONBLOCK), ENXIO);
	int rd = open(FIFO, O_RDONLY | O_NONBLOCK);
	ASSERT(rd >= 0);
	EXPECT_EQ(read(rd, buf, 1), 0);
	EXPECT_EQ(ready(rd, POLLIN), 0);
	int wr = open(FIFO, O_WRONLY | O_NONBLOCK);
	ASSERT(wr >= 0);
	EXPECT_ERRNO(read(rd, buf, 1), EAGAIN);
	EXPECT_EQ(write(wr, "x", 1), 1);
	EXPECT_EQ(ready(rd, POLLIN), POLLIN);
	close(wr);
	EXPECT_EQ(ready(rd, POLLIN), POLLIN | POLLHUP);
	EXPECT_EQ(read(rd, buf, 8), 1);
	EXPECT_EQ(read(rd, buf, 8), 0);
	close(rd);
	int both = open(FIFO, O_RDWR);
	ASSERT(both >= 0);
	EXPECT_EQ(write(both, "ab", 2), 2);
	EXPECT_EQ(read(both, buf, 8), 2);
	EXPECT_EQ(write(both, "lost", 4), 4);
	close(both);
	rd = open(FIFO, O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(read(rd, buf, 8), 0);
	EXPECT_EQ(fcntl(rd, F_GETPIPE_SZ), 65536);
	EXPECT_ERRNO(open(FIFO, O_RDONLY | O_DIRECTORY), ENOTDIR);
}

TEST(waiting_open_is_interrupted)
{
	struct sigaction act = {.sa_handler = nothing};
	int status;

	make_fifo();
	pid_t pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &act, NULL);
		EXPECT_ERRNO(open(FIFO, O_RDONLY), EINTR);
		_exit(ktap_failed);
	}
	do {
		ktap_sleep_ns(20000000);
		kill(pid, SIGUSR1);
	} while (!waitpid(pid, &status, WNOHANG));
	EXPECT(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGUSR1);
	EXPECT_ERRNO(open(FIFO, O_WRONLY | O_NONBLOCK), ENXIO);
}

TEST_MAIN()
