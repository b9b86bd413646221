/* SPDX-License-Identifier: MIT */
/* locks.c - locks on files: records of fcntl, those of open file descriptions, and flock. */
#include "ktap.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define FILE_NAME "/locks-test"

static int open_file(void)
{
	int fd = open(FILE_NAME, O_CREAT | O_RDWR, 0600);

	ASSERT(fd >= 0);
	return fd;
}

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = {.l_type = (short)type, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &fl);
}

/* seen - what another process sees in its way at one byte: the type, or F_UNLCK. */
static int seen(off_t at, struct flock *out)
{
	int pipes[2];

	ASSERT_EQ(pipe(pipes), 0);
	if (!fork()) {
		struct flock fl = {.l_type = F_WRLCK, .l_start = at, .l_len = 1};
		int fd = open_file();

		if (fcntl(fd, F_GETLK, &fl) || write(pipes[1], &fl, sizeof(fl)) != sizeof(fl))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(read(pipes[0], out, sizeof(*out)), (ssize_t)sizeof(*out));
	close(pipes[0]);
	close(pipes[1]);
	wait(NULL);
	return out->l_type;
}

TEST(records_are_split_and_joined)
{
	struct flock f;
	int fd = open_file();

	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 20), 0);
	EXPECT_EQ(seen(9, &f), F_UNLCK);
	EXPECT_EQ(seen(10, &f), F_WRLCK);
	EXPECT_EQ(f.l_start, 10);
	EXPECT_EQ(f.l_len, 20);
	EXPECT_EQ(f.l_pid, getpid());
	EXPECT_EQ(f.l_whence, SEEK_SET);
	ASSERT_EQ(lock(fd, F_SETLK, F_RDLCK, 15, 5), 0);
	EXPECT_EQ(seen(12, &f), F_WRLCK);
	EXPECT_EQ(f.l_len, 5);
	EXPECT_EQ(seen(16, &f), F_RDLCK);
	EXPECT_EQ(seen(25, &f), F_WRLCK);
	EXPECT_EQ(f.l_start, 20);
	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 15, 5), 0);
	EXPECT_EQ(seen(25, &f), F_WRLCK);
	EXPECT_EQ(f.l_start, 10);
	EXPECT_EQ(f.l_len, 20);
	ASSERT_EQ(lock(fd, F_SETLK, F_UNLCK, 12, 2), 0);
	EXPECT_EQ(seen(12, &f), F_UNLCK);
	EXPECT_EQ(seen(14, &f), F_WRLCK);
	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 100, 0), 0);
	EXPECT_EQ(seen(1l << 60, &f), F_WRLCK);
	EXPECT_EQ(f.l_len, 0);
	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 50, -10), 0);
	EXPECT_EQ(seen(45, &f), F_WRLCK);
	EXPECT_EQ(f.l_start, 40);
	EXPECT_EQ(f.l_len, 10);
}

TEST(wrong_ranges_are_refused)
{
	int fd = open_file(), ro = open(FILE_NAME, O_RDONLY);
	struct flock f = {.l_type = F_WRLCK, .l_whence = 7};

	EXPECT_ERRNO(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
	EXPECT_ERRNO(lock(fd, F_SETLK, F_WRLCK, 5, -6), EINVAL);
	EXPECT_ERRNO(lock(fd, F_SETLK, 9, 0, 1), EINVAL);
	EXPECT_ERRNO(lock(fd, F_SETLK, F_WRLCK, INT64_MAX, 2), EOVERFLOW);
	EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, INT64_MAX, 1), 0);
	EXPECT_ERRNO(lock(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
	EXPECT_EQ(lock(ro, F_SETLK, F_RDLCK, 0, 1), 0);
	EXPECT_ERRNO(fcntl(fd, F_SETLK, &f), EINVAL);
	EXPECT_ERRNO(fcntl(fd, F_SETLK, NULL), EFAULT);
	EXPECT_ERRNO(fcntl(fd, F_GETLK, &(struct flock){.l_type = 9}), EINVAL);
}

TEST(readers_share_and_writers_do_not)
{
	int fd = open_file();

	ASSERT_EQ(lock(fd, F_SETLK, F_RDLCK, 0, 10), 0);
	if (!fork()) {
		int other = open_file();

		EXPECT_EQ(lock(other, F_SETLK, F_RDLCK, 0, 10), 0);
		EXPECT_ERRNO(lock(other, F_SETLK, F_WRLCK, 9, 1), EAGAIN);
		EXPECT_EQ(lock(other, F_SETLK, F_WRLCK, 10, 1), 0);
		_exit(ktap_failed);
	}
	int status;
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 20), 0);
}

TEST(closing_any_descriptor_releases_the_records)
{
	struct flock f;
	int fd = open_file(), other = open_file();

	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	EXPECT_EQ(seen(5, &f), F_WRLCK);
	close(other);
	EXPECT_EQ(seen(5, &f), F_UNLCK);
	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	ASSERT_EQ(dup2(0, fd), fd);
	EXPECT_EQ(seen(5, &f), F_UNLCK);
}

TEST(waiting_for_a_record_ends_with_its_release)
{
	int fd = open_file(), pipes[2];
	char c;

	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	if (!fork()) {
		int other = open_file();

		if (write(pipes[1], "r", 1) != 1 || lock(other, F_SETLKW, F_WRLCK, 5, 1))
			_exit(1);
		_exit(write(pipes[1], "g", 1) != 1);
	}
	EXPECT_EQ(read(pipes[0], &c, 1), 1);
	EXPECT_EQ(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
	ktap_sleep_ns(30000000);
	EXPECT_ERRNO(read(pipes[0], &c, 1), EAGAIN);
	ASSERT_EQ(lock(fd, F_SETLK, F_UNLCK, 5, 1), 0);
	int status;
	wait(&status);
	EXPECT_EQ(status, 0);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(waiting_for_a_record_is_interrupted)
{
	int fd = open_file();
	struct sigaction act = {.sa_handler = nothing};

	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	pid_t pid = fork();
	if (!pid) {
		int other = open_file();

		sigaction(SIGALRM, &act, NULL);
		EXPECT_ERRNO(lock(other, F_SETLKW, F_WRLCK, 5, 1), EINTR);
		EXPECT_ERRNO(flock(other, 77), EINVAL);
		_exit(ktap_failed);
	}
	int status;
	do {
		ktap_sleep_ns(20000000);
		kill(pid, SIGALRM);
	} while (!waitpid(pid, &status, WNOHANG));
	EXPECT(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGALRM);
}

TEST(deadlock_is_noticed)
{
	int fd = open_file(), pipes[2];
	char c;

	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	pid_t pid = fork();
	if (!pid) {
		int other = open_file();

		if (lock(other, F_SETLK, F_WRLCK, 1, 1) || write(pipes[1], "r", 1) != 1)
			_exit(1);
		_exit(lock(other, F_SETLKW, F_WRLCK, 0, 1) != 0);
	}
	EXPECT_EQ(read(pipes[0], &c, 1), 1);
	int got;
	for (int i = 0; i < 100; i++) { /* until the child waits */
		struct flock fl = {.l_type = F_WRLCK, .l_start = 1, .l_len = 1};

		ktap_sleep_ns(20000000);
		EXPECT_EQ(fcntl(fd, F_GETLK, &fl), 0);
		EXPECT_EQ(fl.l_pid, pid);
		alarm(10);
		got = lock(fd, F_SETLKW, F_WRLCK, 1, 1);
		if (got && errno == EDEADLK)
			break;
	}
	EXPECT(got == -1 && errno == EDEADLK);
	ASSERT_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	int status;
	wait(&status);
	EXPECT_EQ(status, 0);
}

TEST(open_descriptions_have_locks_of_their_own)
{
	int a = open_file(), b = open_file();
	struct flock fl = {.l_type = F_RDLCK, .l_pid = 1};

	EXPECT_ERRNO(fcntl(a, F_OFD_SETLK, &fl), EINVAL);
	ASSERT_EQ(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	EXPECT_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
	EXPECT_ERRNO(lock(b, F_SETLK, F_RDLCK, 5, 1), EAGAIN);
	fl.l_pid = 0;
	EXPECT_EQ(fcntl(b, F_OFD_GETLK, &fl), 0);
	EXPECT_EQ(fl.l_type, F_WRLCK);
	EXPECT_EQ(fl.l_pid, -1);
	int c = dup(a);
	close(a);
	EXPECT_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
	close(c);
	EXPECT_EQ(lock(b, F_OFD_SETLK, F_WRLCK, 5, 1), 0);
}

TEST(whole_file_locks_belong_to_the_open_file)
{
	int a = open_file(), b = open_file(), c = dup(a);

	ASSERT_EQ(flock(a, LOCK_SH), 0);
	EXPECT_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
	EXPECT_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	EXPECT_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
	EXPECT_EQ(lock(b, F_SETLK, F_WRLCK, 0, 1), 0);
	close(a);
	EXPECT_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	EXPECT_EQ(flock(c, LOCK_UN), 0);
	EXPECT_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
	EXPECT_ERRNO(flock(b, 0), EINVAL);
	EXPECT_ERRNO(flock(-1, LOCK_SH), EBADF);
	pid_t pid = fork();
	if (!pid) {
		int d = open_file();

		_exit(flock(d, LOCK_EX) != 0);
	}
	ktap_sleep_ns(30000000);
	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	EXPECT_EQ(flock(b, LOCK_UN), 0);
	int status;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST_MAIN()
