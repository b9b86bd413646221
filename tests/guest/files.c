/* SPDX-License-Identifier: MIT */
/*
 * files.c - names, links, directories, positions, descriptors and pipes on the root file system, which is
 * a memory file system on every kernel this runs on.
 */
#include "gate.h"
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#define DIR "/files-test"

static void remove_all(void)
{
	static const char *const names[] = {"a", "b", "c", "link", "hard", "d/x", "d/e", "d", "e"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		unlink(names[i]);
		rmdir(names[i]);
	}
}

/* Every claim works in a fresh directory. */
static void enter(void)
{
	if (mkdir(DIR, 0755))
		ASSERT_EQ(errno, EEXIST);
	ASSERT_EQ(chdir(DIR), 0);
	remove_all();
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	ASSERT(fd >= 0);
	ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ASSERT_EQ(close(fd), 0);
}

static bool holds(const char *name, const char *text)
{
	char buf[256];
	int fd = open(name, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf));

	close(fd);
	return n == (ssize_t)strlen(text) && !memcmp(buf, text, (size_t)n);
}

static struct stat stat_of(const char *name)
{
	struct stat s;

	memset(&s, 0, sizeof(s));
	ASSERT_EQ(lstat(name, &s), 0);
	return s;
}

/* --- names -------------------------------------------------------------------------------------- */

TEST(made_files_are_found_again)
{
	enter();
	put("a", "hello");
	EXPECT(holds("a", "hello"));
	EXPECT(holds(DIR "/a", "hello"));
	EXPECT(holds("./../files-test//./a", "hello"));
	EXPECT_ERRNO(open("b", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("a", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	EXPECT_ERRNO(open("a/x", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("a/", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
	EXPECT_ERRNO(open("b/", O_CREAT | O_RDWR, 0600), EISDIR);
}

TEST(modes_obey_the_mask)
{
	enter();
	umask(027);
	put("a", "x");
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 0640);
	ASSERT_EQ(mkdir("d", 0777), 0);
	EXPECT_EQ(stat_of("d").st_mode, S_IFDIR | 0750);
	EXPECT_EQ(umask(022), 027);
	ASSERT_EQ(chmod("a", 04711), 0);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 04711);
}

TEST(directories_are_made_and_removed)
{
	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	EXPECT_ERRNO(mkdir("d", 0755), EEXIST);
	EXPECT_ERRNO(mkdir("no/such", 0755), ENOENT);
	ASSERT_EQ(mkdir("d/e/", 0755), 0);
	EXPECT_EQ(stat_of("d").st_nlink, 3);
	EXPECT_ERRNO(rmdir("d"), ENOTEMPTY);
	EXPECT_ERRNO(unlink("d"), EISDIR);
	EXPECT_ERRNO(rmdir("d/e/."), EINVAL);
	EXPECT_ERRNO(rmdir("d/e/.."), ENOTEMPTY);
	ASSERT_EQ(rmdir("d/e"), 0);
	EXPECT_EQ(stat_of("d").st_nlink, 2);
	put("a", "x");
	EXPECT_ERRNO(rmdir("a"), ENOTDIR);
	ASSERT_EQ(rmdir("d"), 0);
	EXPECT_ERRNO(rmdir("/"), EBUSY);
}

TEST(removed_file_lives_while_it_is_open)
{
	struct stat s;
	char buf[8];

	enter();
	put("a", "still");
	int fd = open("a", O_RDWR);
	ASSERT_EQ(unlink("a"), 0);
	EXPECT_ERRNO(unlink("a"), ENOENT);
	EXPECT_EQ(pread(fd, buf, 8, 0), 5);
	ASSERT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_nlink, 0);
	close(fd);
}

TEST(hard_links_are_one_file)
{
	enter();
	put("a", "one");
	ASSERT_EQ(link("a", "hard"), 0);
	EXPECT_EQ(stat_of("a").st_nlink, 2);
	EXPECT_EQ(stat_of("a").st_ino, stat_of("hard").st_ino);
	put("hard", "two");
	EXPECT(holds("a", "two"));
	ASSERT_EQ(unlink("a"), 0);
	EXPECT(holds("hard", "two"));
	EXPECT_EQ(stat_of("hard").st_nlink, 1);
	EXPECT_ERRNO(link("hard", "hard"), EEXIST);
	EXPECT_ERRNO(link(".", "x"), EPERM);
}

TEST(symbolic_links_lead_elsewhere)
{
	char buf[16];

	enter();
	put("a", "target");
	ASSERT_EQ(symlink("a", "link"), 0);
	EXPECT(holds("link", "target"));
	EXPECT_EQ(readlink("link", buf, sizeof(buf)), 1);
	EXPECT_EQ(readlink("a", buf, sizeof(buf)), -1);
	EXPECT_EQ(stat_of("link").st_mode & S_IFMT, S_IFLNK);
	EXPECT_EQ(stat_of("link").st_size, 1);
	EXPECT_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	ASSERT_EQ(unlink("link"), 0);
	ASSERT_EQ(mkdir("d", 0755), 0);
	put("d/x", "inside");
	ASSERT_EQ(symlink(DIR "/d", "link"), 0);
	EXPECT(holds("link/x", "inside"));
	EXPECT(holds("link/../a", "target"));
	ASSERT_EQ(unlink("link"), 0);
	ASSERT_EQ(symlink("link", "link"), 0);
	EXPECT_ERRNO(open("link", O_RDONLY), ELOOP);
	ASSERT_EQ(unlink("link"), 0);
	/* A link to nowhere: the file is made where it points. */
	ASSERT_EQ(symlink("b", "link"), 0);
	put("link", "made");
	EXPECT(holds("b", "made"));
}

TEST(rename_moves_and_replaces)
{
	enter();
	put("a", "one");
	put("b", "two");
	ASSERT_EQ(rename("a", "c"), 0);
	EXPECT(holds("c", "one"));
	EXPECT_ERRNO(open("a", O_RDONLY), ENOENT);
	ASSERT_EQ(rename("c", "b"), 0);
	EXPECT(holds("b", "one"));
	EXPECT_ERRNO(rename("a", "b"), ENOENT);
	ASSERT_EQ(rename("b", "b"), 0);
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(mkdir("e", 0755), 0);
	ASSERT_EQ(rename("b", "d/x"), 0);
	EXPECT(holds("d/x", "one"));
	EXPECT_ERRNO(rename("d", "d/e"), EINVAL);
	EXPECT_ERRNO(rename("e", "d"), ENOTEMPTY);
	EXPECT_ERRNO(rename("d/x", "e"), EISDIR);
	EXPECT_ERRNO(rename("e", "d/x"), ENOTDIR);
	ASSERT_EQ(rename("e", "d/e"), 0);
	EXPECT_EQ(stat_of("d").st_nlink, 3);
	ASSERT_EQ(chdir("d/e"), 0);
	char cwd[64];
	EXPECT(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, DIR "/d/e"));
	ASSERT_EQ(rename(DIR "/d/e", DIR "/e"), 0);
	EXPECT(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, DIR "/e"));
	ASSERT_EQ(rmdir(DIR "/e"), 0);
	EXPECT_ERRNO(open("x", O_CREAT | O_WRONLY, 0600), ENOENT);
	ASSERT_EQ(chdir(DIR), 0);
}

TEST(directory_lists_every_name_once)
{
	char name[16];
	bool seen[100] = {false};
	int others = 0;

	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		put(name, "");
	}
	struct dirent *e;
	void *d = opendir("d");
	ASSERT(d != NULL);
	while ((e = readdir(d))) {
		int n = atoi(e->d_name);

		if (e->d_name[0] == '.') {
			others++;
		} else {
			EXPECT(!seen[n]);
			seen[n] = true;
			EXPECT_EQ(e->d_type, DT_REG);
		}
	}
	EXPECT_EQ(others, 2);
	rewinddir(d);
	EXPECT(readdir(d) != NULL);
	closedir(d);
	for (int i = 0; i < 100; i++) {
		EXPECT(seen[i]);
		snprintf(name, sizeof(name), "d/%d", i);
		ASSERT_EQ(unlink(name), 0);
	}
	ASSERT_EQ(rmdir("d"), 0);
}

static void *churn(void *arg)
{
	char from[16], to[16];
	long n = (long)arg;

	for (int i = 0; i < 200; i++) {
		snprintf(from, sizeof(from), "d/%ld", n);
		snprintf(to, sizeof(to), "e/%ld", (n + i) % 4);
		close(open(from, O_CREAT | O_RDWR, 0600));
		rename(from, to);
		rename(to, from);
		unlink(to);
	}
	return NULL;
}

TEST(names_survive_threads_that_change_them)
{
	pthread_t t[4];
	char name[16];

	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(mkdir("e", 0755), 0);
	for (long i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, churn, (void *)i), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		unlink(name);
		snprintf(name, sizeof(name), "e/%d", i);
		unlink(name);
	}
	EXPECT_EQ(rmdir("d"), 0);
	EXPECT_EQ(rmdir("e"), 0);
}

/* --- content ------------------------------------------------------------------------------------ */

TEST(holes_read_as_zeroes)
{
	char buf[100];

	enter();
	int fd = open("a", O_CREAT | O_RDWR, 0600);
	ASSERT_EQ(pwrite(fd, "end", 3, 1000000), 3);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 1000003);
	ASSERT_EQ(pread(fd, buf, 100, 500000), 100);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(buf[i], 0);
	EXPECT_EQ(pread(fd, buf, 100, 1000001), 2);
	EXPECT_EQ(pread(fd, buf, 100, 1000003), 0);
	EXPECT_EQ(pread(fd, buf, 100, 1ul << 40), 0);
	close(fd);
}

TEST(truncation_cuts_and_clears)
{
	char buf[16];

	enter();
	put("a", "0123456789");
	int fd = open("a", O_RDWR);
	ASSERT_EQ(ftruncate(fd, 4), 0);
	ASSERT_EQ(ftruncate(fd, 8), 0);
	EXPECT_EQ(pread(fd, buf, 16, 0), 8);
	EXPECT(!memcmp(buf, "0123\0\0\0\0", 8));
	ASSERT_EQ(truncate("a", 0), 0);
	EXPECT_EQ(stat_of("a").st_size, 0);
	EXPECT_ERRNO(ftruncate(fd, -1), EINVAL);
	EXPECT_ERRNO(truncate(".", 0), EISDIR);
	close(fd);
	fd = open("a", O_RDONLY);
	EXPECT_ERRNO(ftruncate(fd, 0), EINVAL);
	close(fd);
}

TEST(append_goes_to_the_end)
{
	enter();
	put("a", "one");
	int x = open("a", O_WRONLY | O_APPEND), y = open("a", O_WRONLY | O_APPEND);
	ASSERT_EQ(write(x, "two", 3), 3);
	ASSERT_EQ(write(y, "three", 5), 5);
	EXPECT_EQ(lseek(y, 0, SEEK_CUR), 11);
	EXPECT(holds("a", "onetwothree"));
	close(x);
	close(y);
}

TEST(vectors_are_one_transfer)
{
	struct iovec out[3] = {{(void *)"ab", 2}, {NULL, 0}, {(void *)"cde", 3}};
	char p[3], q[10];
	struct iovec in[2] = {{p, 3}, {q, 10}};

	enter();
	int fd = open("a", O_CREAT | O_RDWR, 0600);
	ASSERT_EQ(writev(fd, out, 3), 5);
	ASSERT_EQ(lseek(fd, 0, SEEK_SET), 0);
	ASSERT_EQ(readv(fd, in, 2), 5);
	EXPECT(!memcmp(p, "abc", 3) && !memcmp(q, "de", 2));
	close(fd);
}

static void *write_turns(void *fd)
{
	for (int i = 0; i < 500; i++)
		if (write(*(int *)fd, "0123456789", 10) != 10)
			return (void *)1;
	return NULL;
}

TEST(shared_position_loses_no_write)
{
	pthread_t t[4];
	void *failed;

	enter();
	int fd = open("a", O_CREAT | O_RDWR, 0600);
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, write_turns, &fd), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &failed);
		EXPECT(!failed);
	}
	EXPECT_EQ(stat_of("a").st_size, 20000);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 20000);
	close(fd);
}

TEST(limit_on_file_size)
{
	enter();
	int fd = open("a", O_CREAT | O_RDWR, 0600);
	EXPECT_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	EXPECT_ERRNO(lseek(fd, 0, 99), EINVAL);
	EXPECT_EQ(lseek(fd, LONG_MAX, SEEK_SET), LONG_MAX);
	EXPECT_ERRNO(write(fd, "x", 1), EINVAL); /* it would end beyond the largest offset */
	EXPECT_ERRNO(pread(fd, &fd, 1, LONG_MAX), EINVAL);
	close(fd);
}

/* --- descriptors -------------------------------------------------------------------------------- */

TEST(copies_share_position_and_flags)
{
	enter();
	put("a", "0123456789");
	int fd = open("a", O_RDONLY), copy = dup(fd);
	ASSERT_EQ(lseek(fd, 7, SEEK_SET), 7);
	EXPECT_EQ(lseek(copy, 0, SEEK_CUR), 7);
	EXPECT_EQ(dup2(fd, 100), 100);
	EXPECT_EQ(lseek(100, 0, SEEK_CUR), 7);
	EXPECT_EQ(dup2(fd, fd), fd);
	EXPECT_ERRNO(dup3(fd, fd, 0), EINVAL);
	EXPECT_EQ(fcntl(fd, F_DUPFD, 50), 50);
	EXPECT_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 50), 51);
	EXPECT_EQ(fcntl(50, F_GETFD), 0);
	EXPECT_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	ASSERT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	EXPECT(fcntl(copy, F_GETFL) & O_NONBLOCK);
	close(fd);
	EXPECT_ERRNO(lseek(fd, 0, SEEK_CUR), EBADF);
	EXPECT_EQ(lseek(copy, 0, SEEK_CUR), 7);
}

TEST(lowest_free_number_is_taken)
{
	int a = dup(0), b = dup(0), c = dup(0);

	EXPECT(a < b && b < c);
	close(b);
	EXPECT_EQ(dup(0), b);
	close(a);
	close(c);
	EXPECT_EQ(dup(0), a);
}

TEST(relative_to_a_directory)
{
	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	put("d/x", "inside");
	int d = open("d", O_RDONLY | O_DIRECTORY), fd = openat(d, "x", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(openat(fd, "x", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(openat(-1, "x", O_RDONLY), EBADF);
	EXPECT_EQ(openat(-1, DIR "/none", O_RDONLY), -1);
	EXPECT_ERRNO(read(d, &d, 1), EISDIR);
	EXPECT_ERRNO(open("d", O_WRONLY), EISDIR);
	close(fd);
	ASSERT_EQ(fchdir(d), 0);
	EXPECT(holds("x", "inside"));
	close(d);
}

/* --- pipes -------------------------------------------------------------------------------------- */

TEST(pipe_keeps_order_and_ends)
{
	struct gate g = gate_make();
	static char buf[200000];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(g.fd[0]);
		for (int i = 0; i < 200000; i++)
			buf[i] = (char)(i % 251);
		_exit(write(g.fd[1], buf, sizeof(buf)) == sizeof(buf) ? 0 : 1);
	}
	close(g.fd[1]);
	size_t done = 0;
	ssize_t n;
	bool right = true;
	while ((n = read(g.fd[0], buf, 777)) > 0)
		for (ssize_t i = 0; i < n; i++)
			right = right && buf[i] == (char)(done++ % 251);
	EXPECT(right);
	EXPECT_EQ(n, 0);
	EXPECT_EQ(done, sizeof(buf));
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void *write_records(void *fd)
{
	char record[100];

	memset(record, (int)(pthread_self() >> 12 & 63) + 32, sizeof(record));
	for (int i = 0; i < 500; i++)
		if (write(*(int *)fd, record, sizeof(record)) != sizeof(record))
			return (void *)1;
	return NULL;
}

TEST(small_writes_do_not_mix)
{
	struct gate g = gate_make();
	char record[100];
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, write_records, &g.fd[1]), 0);
	for (int i = 0; i < 2000; i++) {
		size_t done = 0;

		while (done < sizeof(record)) {
			ssize_t n = read(g.fd[0], record + done, sizeof(record) - done);
			ASSERT(n > 0);
			done += (size_t)n;
		}
		for (size_t j = 1; j < sizeof(record); j++)
			ASSERT_EQ(record[j], record[0]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

TEST(nonblocking_pipe_says_again)
{
	char buf[4096] = {0};
	int fd[2];

	ASSERT_EQ(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	EXPECT_EQ(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(read(fd[0], buf, 1), EAGAIN);
	size_t total = 0;
	ssize_t n;
	while ((n = write(fd[1], buf, sizeof(buf))) > 0)
		total += (size_t)n;
	EXPECT(n == -1 && errno == EAGAIN);
	EXPECT_EQ(total, 65536);
	EXPECT_EQ(read(fd[0], buf, 10), 10);
	EXPECT_ERRNO(lseek(fd[0], 0, SEEK_SET), ESPIPE);
	EXPECT_ERRNO(pread(fd[0], buf, 1, 0), ESPIPE);
	signal(SIGPIPE, SIG_IGN);
	close(fd[0]);
	EXPECT_ERRNO(write(fd[1], buf, 1), EPIPE);
}

/* --- devices ------------------------------------------------------------------------------------ */

TEST(null_swallows_and_zero_gives)
{
	char buf[64];

	enter();
	if (geteuid())
		SKIP("only the superuser can make device files");
	ASSERT(mknod("a", S_IFCHR | 0600, makedev(1, 3)) == 0);
	ASSERT(mknod("b", S_IFCHR | 0600, makedev(1, 5)) == 0);
	int fd = open("a", O_RDWR);
	EXPECT_EQ(write(fd, buf, 64), 64);
	EXPECT_EQ(read(fd, buf, 64), 0);
	close(fd);
	memset(buf, 1, sizeof(buf));
	fd = open("b", O_RDWR);
	EXPECT_EQ(read(fd, buf, 64), 64);
	EXPECT(buf[0] == 0 && buf[63] == 0);
	close(fd);
}

TEST_MAIN()
