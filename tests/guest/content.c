/* SPDX-License-Identifier: MIT */
/*
 * content.c - the content of files as a whole: holes, space allocated in advance, reading and writing at
 * positions, copying inside the kernel, and what descriptors do in bulk.
 */
#include "ktap.h"
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define DIR  "/content-test"
#define PAGE 4096

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void enter(void)
{
	if (mkdir(DIR, 0755))
		ASSERT_EQ(errno, EEXIST);
	ASSERT_EQ(chdir(DIR), 0);
	while (umount2(DIR "/m", MNT_DETACH) == 0)
		;
	unlink("a");
	unlink("b");
	unlink("link");
	rmdir("m");
}

static int open_new(const char *name)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);

	ASSERT(fd >= 0);
	return fd;
}

static off_t size_of(int fd)
{
	struct stat s;

	ASSERT_EQ(fstat(fd, &s), 0);
	return s.st_size;
}

static long blocks_of(int fd)
{
	struct stat s;

	ASSERT_EQ(fstat(fd, &s), 0);
	return (long)s.st_blocks;
}

/* --- holes -------------------------------------------------------------------------------------- */

TEST(holes_are_found)
{
	enter();
	int fd = open_new("a");
	ASSERT_EQ(pwrite(fd, "x", 1, 2 * PAGE), 1);
	ASSERT_EQ(pwrite(fd, "x", 1, 3 * PAGE + 7), 1);
	ASSERT_EQ(ftruncate(fd, 8 * PAGE + 1), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_DATA), 2 * PAGE);
	EXPECT_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	EXPECT_EQ(lseek(fd, 2 * PAGE + 5, SEEK_DATA), 2 * PAGE + 5);
	EXPECT_EQ(lseek(fd, 2 * PAGE + 5, SEEK_HOLE), 4 * PAGE);
	EXPECT_ERRNO(lseek(fd, 4 * PAGE, SEEK_DATA), ENXIO);
	EXPECT_EQ(lseek(fd, 8 * PAGE, SEEK_HOLE), 8 * PAGE);
	EXPECT_ERRNO(lseek(fd, 8 * PAGE + 1, SEEK_HOLE), ENXIO);
	EXPECT_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
	ASSERT_EQ(pwrite(fd, "x", 1, 8 * PAGE), 1);
	EXPECT_EQ(lseek(fd, 8 * PAGE, SEEK_HOLE), 8 * PAGE + 1);
}

TEST(punched_hole_reads_as_zeroes)
{
	static char buf[6 * PAGE];

	enter();
	int fd = open_new("a");
	memset(buf, 'x', sizeof(buf));
	ASSERT_EQ(write(fd, buf, sizeof(buf)), (ssize_t)sizeof(buf));
	char *shared = mmap(NULL, sizeof(buf), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, sizeof(buf), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT(shared != MAP_FAILED && private != MAP_FAILED);
	EXPECT_EQ(shared[2 * PAGE], 'x');
	private[3 * PAGE] = 'p';
	EXPECT_EQ(private[2 * PAGE], 'x');
	ASSERT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE + 10, 3 * PAGE),
		  0);
	EXPECT_EQ(size_of(fd), 6 * PAGE);
	EXPECT_EQ(blocks_of(fd), 4 * PAGE / 512);
	ASSERT_EQ(pread(fd, buf, sizeof(buf), 0), (ssize_t)sizeof(buf));
	EXPECT_EQ(buf[PAGE + 9], 'x');
	EXPECT_EQ(buf[PAGE + 10], 0);
	EXPECT_EQ(buf[4 * PAGE + 9], 0);
	EXPECT_EQ(buf[4 * PAGE + 10], 'x');
	EXPECT_EQ(shared[2 * PAGE], 0);
	EXPECT_EQ(private[2 * PAGE], 0);
	EXPECT_EQ(private[3 * PAGE], 'p');
	shared[2 * PAGE] = 'n';
	EXPECT_EQ(pread(fd, buf, 1, 2 * PAGE), 1);
	EXPECT_EQ(buf[0], 'n');
	EXPECT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
}

TEST(space_is_allocated_in_advance)
{
	enter();
	int fd = open_new("a");
	ASSERT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE), 0);
	EXPECT_EQ(size_of(fd), 0);
	EXPECT_EQ(blocks_of(fd), 3 * PAGE / 512);
	ASSERT_EQ(fallocate(fd, 0, PAGE, 4 * PAGE + 1), 0);
	EXPECT_EQ(size_of(fd), 5 * PAGE + 1);
	EXPECT_EQ(blocks_of(fd), 6 * PAGE / 512);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	EXPECT_EQ(blocks_of(fd), 0);
	EXPECT_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
	EXPECT_ERRNO(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP);
	int ro = open("a", O_RDONLY), pipes[2];
	EXPECT_ERRNO(fallocate(ro, 0, 0, 1), EBADF);
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_ERRNO(fallocate(pipes[1], 0, 0, 1), ESPIPE);
}

TEST(allocation_beyond_the_limit_changes_nothing)
{
	enter();
	ASSERT_EQ(mkdir("m", 0755), 0);
	ASSERT_EQ(mount("m", "m", "tmpfs", 0, "size=32k"), 0);
	int fd = open_new("m/a");
	EXPECT_ERRNO(fallocate(fd, 0, 0, 12 * PAGE), ENOSPC);
	EXPECT_EQ(size_of(fd), 0);
	EXPECT_EQ(blocks_of(fd), 0);
	EXPECT_EQ(fallocate(fd, 0, 0, 8 * PAGE), 0);
	close(fd);
	EXPECT_EQ(umount("m"), 0);
}

TEST(size_limit_of_the_process_is_kept)
{
	struct rlimit limit = {PAGE, PAGE};
	char buf[100] = {0};

	enter();
	int fd = open_new("a");
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	EXPECT_EQ(pwrite(fd, buf, 100, PAGE - 50), 50);
	EXPECT_ERRNO(pwrite(fd, buf, 1, PAGE), EFBIG);
	EXPECT_ERRNO(ftruncate(fd, PAGE + 1), EFBIG);
	EXPECT_EQ(ftruncate(fd, PAGE), 0);
	signal(SIGXFSZ, SIG_DFL);
	if (!fork()) {
		pwrite(fd, buf, 1, PAGE);
		_exit(0);
	}
	int status;
	wait(&status);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

/* --- vectors at positions ----------------------------------------------------------------------- */

TEST(vectors_go_to_positions)
{
	char x[4] = "abc", y[4] = "def", in[8] = {0};
	struct iovec w[2] = {{x, 3}, {y, 3}}, r = {in, 7};

	enter();
	int fd = open_new("a");
	EXPECT_EQ(pwritev(fd, w, 2, 10), 6);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
	EXPECT_EQ(preadv(fd, &r, 1, 11), 5);
	EXPECT(!strcmp(in, "bcdef"));
	EXPECT_EQ(pwritev2(fd, w, 1, -1, 0), 3);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 3);
	EXPECT_EQ(pwritev2(fd, w, 2, 0, RWF_APPEND), 6);
	EXPECT_EQ(size_of(fd), 22);
	EXPECT_EQ(preadv2(fd, &r, 1, 16, RWF_HIPRI), 6);
	EXPECT_EQ(pwritev2(fd, w, 2, 0, RWF_DSYNC | RWF_SYNC), 6);
	EXPECT_ERRNO(preadv(fd, &r, 1, -1), EINVAL);
	EXPECT_ERRNO(preadv2(fd, &r, 1, 0, 0x8000), EOPNOTSUPP);
	EXPECT_EQ(preadv2(fd, &r, 1, 0, RWF_APPEND), 7);
	int pipes[2];
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_ERRNO(preadv(pipes[0], &r, 1, 0), ESPIPE);
}

/* --- copying ------------------------------------------------------------------------------------ */

TEST(sendfile_copies_between_descriptors)
{
	static char in[50000], out[50000];
	off_t at = 5;
	int pipes[2];

	enter();
	int a = open_new("a"), b = open_new("b");
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 7);
	ASSERT_EQ(write(a, in, sizeof(in)), (ssize_t)sizeof(in));
	ASSERT_EQ(lseek(a, 0, SEEK_SET), 0);
	EXPECT_EQ(sendfile(b, a, NULL, 1 << 20), (ssize_t)sizeof(in));
	EXPECT_EQ(sendfile(b, a, NULL, 1 << 20), 0);
	EXPECT_EQ(pread(b, out, sizeof(out), 0), (ssize_t)sizeof(out));
	EXPECT(!memcmp(in, out, sizeof(in)));
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_EQ(sendfile(pipes[1], a, &at, 100), 100);
	EXPECT_EQ(at, 105);
	EXPECT_EQ(lseek(a, 0, SEEK_CUR), (off_t)sizeof(in));
	EXPECT_EQ(read(pipes[0], out, 200), 100);
	EXPECT(!memcmp(out, in + 5, 100));
	EXPECT_ERRNO(sendfile(b, pipes[0], &at, 1), ESPIPE);
	EXPECT_ERRNO(sendfile(pipes[0], a, NULL, 1), EBADF);
	int append = open("b", O_WRONLY | O_APPEND);
	EXPECT_ERRNO(sendfile(append, a, NULL, 1), EINVAL);
	EXPECT_ERRNO(sendfile(b, -1, NULL, 1), EBADF);
}

TEST(copy_file_range_copies_within_a_file_system)
{
	char out[16] = {0};
	off_t from = 2, to = 1;

	enter();
	int a = open_new("a"), b = open_new("b"), pipes[2];
	ASSERT_EQ(write(a, "0123456789", 10), 10);
	EXPECT_EQ(copy_file_range(a, &from, b, &to, 4, 0), 4);
	EXPECT_EQ(from, 6);
	EXPECT_EQ(to, 5);
	EXPECT_EQ(pread(b, out, sizeof(out), 0), 5);
	EXPECT(!memcmp(out, "\0002345", 5));
	from = 0;
	to = 2;
	EXPECT_ERRNO(copy_file_range(a, &from, a, &to, 4, 0), EINVAL);
	EXPECT_ERRNO(copy_file_range(a, &from, b, &to, 4, 1), EINVAL);
	to = 10;
	EXPECT_EQ(copy_file_range(a, &from, a, &to, 4, 0), 4);
	EXPECT_EQ(size_of(a), 14);
	EXPECT_EQ(copy_file_range(a, NULL, b, NULL, 4, 0), 4);
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_ERRNO(copy_file_range(pipes[0], NULL, b, NULL, 4, 0), EINVAL);
	int ro = open("b", O_RDONLY), append = open("b", O_WRONLY | O_APPEND);
	EXPECT_ERRNO(copy_file_range(a, NULL, ro, NULL, 4, 0), EBADF);
	EXPECT_ERRNO(copy_file_range(a, NULL, append, NULL, 4, 0), EBADF);
}

/* --- synchronisation, advice, attributes -------------------------------------------------------- */

TEST(synchronising_checks_its_arguments)
{
	int pipes[2];

	enter();
	int fd = open_new("a");
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(fdatasync(fd), 0);
	EXPECT_EQ(syncfs(fd), 0);
	EXPECT_EQ(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
	EXPECT_ERRNO(fsync(pipes[0]), EINVAL);
	EXPECT_ERRNO(fsync(-1), EBADF);
	EXPECT_ERRNO(sync_file_range(fd, -1, 0, 0), EINVAL);
	EXPECT_ERRNO(sync_file_range(pipes[0], 0, 0, 0), ESPIPE);
	EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
	EXPECT_EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
	EXPECT_EQ(posix_fadvise(pipes[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	EXPECT_EQ(readahead(fd, 0, 4096), 0);
	EXPECT_ERRNO(readahead(pipes[0], 0, 4096), EINVAL);
	EXPECT_ERRNO(truncate(".", 0), EISDIR);
	EXPECT_ERRNO(truncate("none", 0), ENOENT);
	EXPECT_ERRNO(truncate("a", -1), EINVAL);
	int ro = open("a", O_RDONLY);
	EXPECT_ERRNO(ftruncate(ro, 0), EINVAL);
	EXPECT_ERRNO(ftruncate(pipes[1], 0), EINVAL);
}

TEST(unknown_attributes_are_not_there)
{
	char buf[16];

	enter();
	int fd = open_new("a");
	EXPECT(getxattr("a", "user.none", buf, sizeof(buf)) < 0 &&
	       (errno == EOPNOTSUPP || errno == ENODATA));
	EXPECT(fremovexattr(fd, "user.none") < 0 && (errno == EOPNOTSUPP || errno == ENODATA));
	EXPECT_ERRNO(getxattr("none", "user.x", buf, sizeof(buf)), ENOENT);
	EXPECT_ERRNO(getxattr("a", "", buf, sizeof(buf)), ERANGE);
	EXPECT_ERRNO(setxattr("a", "user.x", "v", 1, 0x100), EINVAL);
	EXPECT_ERRNO(setxattr("a", "bad", "v", 1, 0), EOPNOTSUPP);
	EXPECT_EQ(listxattr("a", NULL, 0), 0);
	EXPECT_ERRNO(flistxattr(-1, NULL, 0), EBADF);
}

/* --- descriptors in bulk ------------------------------------------------------------------------ */

TEST(ranges_of_descriptors_are_closed)
{
	enter();
	int fd = open_new("a");
	for (int i = 20; i < 30; i++)
		ASSERT_EQ(dup2(fd, i), i);
	ASSERT_EQ(dup2(fd, 200), 200);
	EXPECT_EQ(syscall(SYS_close_range, 22, 25, 0), 0);
	EXPECT_EQ(fcntl(21, F_GETFD), 0);
	EXPECT_ERRNO(fcntl(22, F_GETFD), EBADF);
	EXPECT_ERRNO(fcntl(25, F_GETFD), EBADF);
	EXPECT_EQ(fcntl(26, F_GETFD), 0);
	EXPECT_EQ(syscall(SYS_close_range, 26, 27, 4), 0);
	EXPECT_EQ(fcntl(26, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(28, F_GETFD), 0);
	EXPECT_ERRNO(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_close_range, 4, 5, 0x100), EINVAL);
	EXPECT_EQ(syscall(SYS_close_range, 20, ~0u, 2), 0);
	EXPECT_ERRNO(fcntl(200, F_GETFD), EBADF);
	EXPECT_EQ(dup(fd) >= 0, 1);
}

TEST_MAIN()
