/* SPDX-License-Identifier: MIT */
/*
 * syscall_errors.c - whatever a program passes, a system call answers with the right errno and never with
 * a crash: unknown numbers, pointers to everywhere, descriptors and flags that do not exist.
 *
 * Calls are made with syscall(2), past the libc, which would check or crash first.
 */
#include "memory.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Addresses that user space may not use. What lies there differs; that it is refused does not. */
static unsigned long bad_addresses[16];
static size_t nr_bad;

/* Those where the kernel may read but not write: read-only pages. */
static unsigned long read_only_address;

static int pipe_fd[2], file_fd;

static void setup(void)
{
	static const unsigned long fixed[] = {
		0,
		8,
		USER_END,
		0x0000800000000000ul, /* x86_64: not canonical */
		0x8000000000000000ul,
		0xffff000000000000ul,
		0xffff800000000000ul,
		0xffff888000000000ul,
		0xffffffff80000000ul,
		0xfffffffffffff000ul,
		0xfffffffffffffff8ul,
	};
	uint8_t *p = map_anon(3 * PAGE), *ro = map_at(NULL, PAGE, PROT_READ, 0);

	ASSERT_EQ(munmap(p, PAGE), 0);
	ASSERT_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	nr_bad = 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		bad_addresses[nr_bad++] = fixed[i];
	bad_addresses[nr_bad++] = (unsigned long)p;        /* unmapped */
	bad_addresses[nr_bad++] = (unsigned long)p + PAGE; /* no access */
	bad_addresses[nr_bad++] = (unsigned long)p + PAGE + 8;
	read_only_address = (unsigned long)ro;
	ASSERT_EQ(pipe2(pipe_fd, 0), 0);
	file_fd = open("/data/pattern", O_RDONLY);
	ASSERT(file_fd >= 0);
}

#define FOR_BAD(a)                                  \
	for (unsigned long a, bad_i = (setup(), 0); \
	     bad_i < nr_bad && (a = bad_addresses[bad_i], true); bad_i++)

#define EXPECT_EFAULT(address, ...)                                                             \
	({                                                                                      \
		errno = 0;                                                                      \
		long efault_r = syscall(__VA_ARGS__);                                           \
		KTAP_CHECK(efault_r == -1 && errno == EFAULT, false,                            \
			   "address %#lx: %s returned %ld, errno %d", (unsigned long)(address), \
			   #__VA_ARGS__, efault_r, errno);                                      \
	})

TEST(unknown_numbers)
{
	static const long numbers[] = {463,   500,        511, 512,  1000,   4096,
				       65536, 0x7fffffff, -1,  -100, INT_MIN};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		EXPECT_ERRNO(syscall(numbers[i], 0, 0, 0, 0, 0, 0), ENOSYS);
}

TEST(upper_half_of_the_number_is_ignored)
{
	EXPECT_EQ(syscall(SYS_getpid | 1l << 32), getpid());
	EXPECT_EQ(syscall((long)(SYS_getpid | 1ul << 63)), getpid());
}

/* --- pointers ----------------------------------------------------------------------------------- */

TEST(bad_buffers_of_read_and_write)
{
	FOR_BAD(a)
	{
		EXPECT_EFAULT(a, SYS_read, file_fd, a, 100);
		EXPECT_EFAULT(a, SYS_pread64, file_fd, a, 100, 0);
		EXPECT_EFAULT(a, SYS_write, pipe_fd[1], a, 100);
		ASSERT_EQ(write(pipe_fd[1], "12345678", 8), 8);
		EXPECT_EFAULT(a, SYS_read, pipe_fd[0], a, 8);
	}
	EXPECT_EFAULT(read_only_address, SYS_read, file_fd, read_only_address, 100);
	EXPECT_EQ(write(pipe_fd[1], (void *)read_only_address, 100), 100);
}

TEST(bad_vectors)
{
	char byte;

	FOR_BAD(a)
	{
		struct iovec iov[2] = {{(void *)a, 10}, {&byte, 1}};

		EXPECT_EFAULT(a, SYS_readv, file_fd, a, 1);
		EXPECT_EFAULT(a, SYS_writev, pipe_fd[1], a, 1);
		EXPECT_EFAULT(a, SYS_readv, file_fd, iov, 2);
		EXPECT_EFAULT(a, SYS_writev, pipe_fd[1], iov, 2);
	}
}

TEST(bad_paths)
{
	char *argv[] = {"x", NULL};
	struct stat st;

	FOR_BAD(a)
	{
		EXPECT_EFAULT(a, SYS_openat, AT_FDCWD, a, O_RDONLY, 0);
		EXPECT_EFAULT(a, SYS_newfstatat, AT_FDCWD, a, &st, 0);
		EXPECT_EFAULT(a, SYS_execve, a, argv, argv + 1);
	}
}

TEST(bad_exec_vectors)
{
	FOR_BAD(a)
	{
		char *with_bad[] = {"x", (char *)a, NULL}, *good[] = {"x", NULL};

		if (!a)
			continue; /* null means empty */
		EXPECT_EFAULT(a, SYS_execve, "/tests/hello", a, good);
		EXPECT_EFAULT(a, SYS_execve, "/tests/hello", good, a);
		EXPECT_EFAULT(a, SYS_execve, "/tests/hello", with_bad, good);
		EXPECT_EFAULT(a, SYS_execve, "/tests/hello", good, with_bad);
	}
}

TEST(bad_results)
{
	FOR_BAD(a)
	{
		EXPECT_EFAULT(a, SYS_fstat, file_fd, a);
		EXPECT_EFAULT(a, SYS_newfstatat, AT_FDCWD, "/data/pattern", a, 0);
		EXPECT_EFAULT(a, SYS_uname, a);
		EXPECT_EFAULT(a, SYS_sysinfo, a);
		EXPECT_EFAULT(a, SYS_clock_gettime, CLOCK_MONOTONIC, a);
		EXPECT_EFAULT(a, SYS_getrandom, a, 16, 0);
		EXPECT_EFAULT(a, SYS_pipe2, a, 0);
		EXPECT_EFAULT(a, SYS_sched_getaffinity, 0, 128, a);
		if (a) {
			EXPECT_EFAULT(a, SYS_getcpu, a, NULL, NULL);
			EXPECT_EFAULT(a, SYS_getcpu, NULL, a, NULL);
			EXPECT_EFAULT(a, SYS_prlimit64, 0, RLIMIT_STACK, NULL, a);
			EXPECT_EFAULT(a, SYS_rt_sigprocmask, SIG_BLOCK, NULL, a, 8);
			EXPECT_EFAULT(a, SYS_rt_sigaction, SIGTERM, NULL, a, 8);
		}
	}
	EXPECT_EFAULT(read_only_address, SYS_uname, read_only_address);
	EXPECT_EFAULT(read_only_address, SYS_fstat, file_fd, read_only_address);
}

TEST(bad_arguments_in_memory)
{
	FOR_BAD(a)
	{
		EXPECT_EFAULT(a, SYS_nanosleep, a, NULL);
		EXPECT_EFAULT(a, SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, a, NULL);
		EXPECT_EFAULT(a, SYS_sched_setaffinity, 0, 128, a);
		EXPECT_EFAULT(a, SYS_clone3, a, 88);
		if (a) {
			EXPECT_EFAULT(a, SYS_prlimit64, 0, RLIMIT_STACK, a, NULL);
			EXPECT_EFAULT(a, SYS_rt_sigprocmask, SIG_BLOCK, a, NULL, 8);
			EXPECT_EFAULT(a, SYS_rt_sigaction, SIGTERM, a, NULL, 8);
		}
		if (a % 4 == 0)
			EXPECT_EFAULT(a, SYS_futex, a, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	}
}

TEST(bad_wait_status_still_reaps)
{
	FOR_BAD(a)
	{
		if (!a)
			continue;
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		EXPECT_EFAULT(a, SYS_wait4, pid, a, 0, NULL);
		EXPECT_ERRNO(waitpid(pid, NULL, 0), ECHILD);
	}
}

/* The kernel clears this word when the thread ends; if it cannot, that is nobody's problem. */
TEST(bad_clear_tid_address_is_ignored)
{
	FOR_BAD(a)
	{
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			syscall(SYS_set_tid_address, a);
			_exit(3);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 3 << 8);
	}
}

TEST(bad_robust_list_is_ignored)
{
	FOR_BAD(a)
	{
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			EXPECT_EQ(syscall(SYS_set_robust_list, a, 24), 0);
			_exit(3);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_EQ(status, 3 << 8);
	}
	EXPECT_ERRNO(syscall(SYS_set_robust_list, 0, 23), EINVAL);
}

TEST(lengths_that_wrap_around)
{
	char buf[16];

	setup();
	EXPECT_ERRNO(syscall(SYS_read, file_fd, buf, -1ul), EFAULT);
	EXPECT_ERRNO(syscall(SYS_read, file_fd, buf, -(unsigned long)buf), EFAULT);
	EXPECT_ERRNO(syscall(SYS_write, pipe_fd[1], buf, -1ul), EFAULT);
	EXPECT_ERRNO(syscall(SYS_read, file_fd, -PAGE, 2 * PAGE), EFAULT);
	EXPECT_ERRNO(syscall(SYS_read, file_fd, USER_END - PAGE, 1ul << 40), EFAULT);
}

TEST(length_zero_touches_nothing)
{
	setup();
	EXPECT_EQ(syscall(SYS_read, file_fd, 8, 0), 0);
	EXPECT_EQ(syscall(SYS_write, pipe_fd[1], 8, 0), 0);
	EXPECT_EQ(syscall(SYS_readv, file_fd, 8, 0), 0);
	EXPECT_EQ(syscall(SYS_getrandom, 8, 0, 0), 0);
}

/* What was copied before the bad page counts; if nothing counts, the answer is EFAULT. */
TEST(buffers_that_end_in_nowhere)
{
	setup();
	uint8_t *p = map_anon(2 * PAGE);
	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);

	long n = syscall(SYS_read, file_fd, p + PAGE - 50, 100);
	EXPECT((n == -1 && errno == EFAULT) || (n > 0 && n <= 50));
	for (long i = 0; i < n; i++)
		EXPECT_EQ(p[PAGE - 50 + i], (uint8_t)(i * 7));
	n = syscall(SYS_write, pipe_fd[1], p + PAGE - 50, 100);
	EXPECT((n == -1 && errno == EFAULT) || (n > 0 && n <= 50));
	/* A path or vector must be wholly readable up to its end, not further. */
	memcpy(p + PAGE - 14, "/data/pattern", 14);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, p + PAGE - 14, O_RDONLY, 0);
	EXPECT(fd >= 0);
	memcpy(p + PAGE - 13, "/data/pattern", 13);
	EXPECT_ERRNO(syscall(SYS_openat, AT_FDCWD, p + PAGE - 13, O_RDONLY, 0), EFAULT);
}

/* --- descriptors and flags ---------------------------------------------------------------------- */

TEST(bad_descriptors)
{
	static const int bad[] = {-1, 77, 1023, 1024, 1 << 20, INT_MAX, INT_MIN};
	char buf[8];
	struct iovec iov = {buf, 8};
	struct stat st;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_ERRNO(syscall(SYS_read, bad[i], buf, 8), EBADF);
		EXPECT_ERRNO(syscall(SYS_write, bad[i], buf, 8), EBADF);
		EXPECT_ERRNO(syscall(SYS_readv, bad[i], &iov, 1), EBADF);
		EXPECT_ERRNO(syscall(SYS_writev, bad[i], &iov, 1), EBADF);
		EXPECT_ERRNO(syscall(SYS_pread64, bad[i], buf, 8, 0), EBADF);
		EXPECT_ERRNO(syscall(SYS_lseek, bad[i], 0, SEEK_SET), EBADF);
		EXPECT_ERRNO(syscall(SYS_fstat, bad[i], &st), EBADF);
		EXPECT_ERRNO(syscall(SYS_close, bad[i]), EBADF);
		EXPECT_ERRNO(syscall(SYS_dup, bad[i]), EBADF);
		EXPECT_ERRNO(syscall(SYS_dup3, bad[i], 5, 0), EBADF);
	}
}

TEST(descriptors_open_the_wrong_way)
{
	char buf[8];

	setup();
	EXPECT_ERRNO(write(file_fd, buf, 8), EBADF);
	EXPECT_ERRNO(read(pipe_fd[1], buf, 8), EBADF);
	EXPECT_ERRNO(write(pipe_fd[0], buf, 8), EBADF);
	EXPECT_ERRNO(lseek(pipe_fd[0], 0, SEEK_SET), ESPIPE);
	EXPECT_ERRNO(pread(pipe_fd[0], buf, 8, 0), ESPIPE);
	int dir = open("/data", O_RDONLY);
	ASSERT(dir >= 0);
	EXPECT_ERRNO(read(dir, buf, 8), EISDIR);
}

TEST(descriptor_numbers)
{
	int fd = open("/data/pattern", O_RDONLY), copy;

	EXPECT_EQ(copy = dup(fd), fd + 1); /* the lowest free one */
	EXPECT_EQ(close(fd), 0);
	EXPECT_ERRNO(close(fd), EBADF);
	EXPECT_EQ(lseek(copy, 0, SEEK_END), 10000);
	EXPECT_EQ(open("/data/pattern", O_RDONLY), fd);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0); /* a second open has its own position */
	EXPECT_EQ(dup3(copy, 100, 0), 100);
	EXPECT_EQ(lseek(100, 5, SEEK_SET), 5);
	EXPECT_EQ(lseek(copy, 0, SEEK_CUR), 5); /* a duplicate has not */
	EXPECT_ERRNO(dup3(copy, copy, 0), EINVAL);
	EXPECT_ERRNO(dup3(copy, 101, 0x40000000), EINVAL);
	EXPECT_ERRNO(dup3(copy, -1, 0), EBADF);
}

TEST(too_many_descriptors)
{
	struct rlimit limit = {20, 20};
	int fd, n = 0;

	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((fd = dup(1)) >= 0 && n++ < 100)
		EXPECT(fd < 20);
	EXPECT_EQ(errno, EMFILE);
	EXPECT_ERRNO(open("/data/pattern", O_RDONLY), EMFILE);
	int p[2];
	EXPECT_ERRNO(pipe2(p, 0), EMFILE);
}

TEST(paths)
{
	static char longest[PATH_MAX + 10];
	int dir = open("/data", O_RDONLY | O_DIRECTORY);

	EXPECT_ERRNO(open("/no/such/file", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("/data/pattern/x", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("/data/pattern", O_RDONLY | O_DIRECTORY), ENOTDIR);
	EXPECT_ERRNO(open("/data", O_RDWR), EISDIR);
	EXPECT_ERRNO(openat(77, "pattern", O_RDONLY), EBADF);
	EXPECT_ERRNO(openat(file_fd = open("/data/pattern", O_RDONLY), "x", O_RDONLY), ENOTDIR);
	EXPECT(openat(dir, "pattern", O_RDONLY) >= 0);
	EXPECT(openat(77, "/data/pattern", O_RDONLY) >= 0);
	EXPECT(open("/data/../data/./pattern", O_RDONLY) >= 0);
	EXPECT(open("//data//pattern", O_RDONLY) >= 0);
	EXPECT(open("/../../data/pattern", O_RDONLY) >= 0);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	EXPECT_ERRNO(open(longest, O_RDONLY), ENAMETOOLONG);
	longest[300] = 0; /* one component longer than 255 */
	EXPECT_ERRNO(open(longest, O_RDONLY), ENAMETOOLONG);
}

TEST(offsets_and_vectors)
{
	char buf[8];
	struct iovec iov[3] = {{buf, 4}, {buf + 4, (size_t)-1}, {buf, SSIZE_MAX}};

	setup();
	EXPECT_ERRNO(lseek(file_fd, -1, SEEK_SET), EINVAL);
	EXPECT_ERRNO(lseek(file_fd, 0, 99), EINVAL);
	EXPECT_EQ(lseek(file_fd, 1l << 40, SEEK_SET), 1l << 40);
	EXPECT_EQ(read(file_fd, buf, 8), 0);
	EXPECT_ERRNO(pread(file_fd, buf, 8, -1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_readv, file_fd, iov, -1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_readv, file_fd, iov, 1025), EINVAL);
	EXPECT_ERRNO(syscall(SYS_readv, file_fd, iov, 2), EINVAL);
	EXPECT_ERRNO(syscall(SYS_writev, pipe_fd[1], iov, 2), EINVAL);
}

TEST(flags_of_other_calls)
{
	char buf[64];
	unsigned long set = 0;

	EXPECT_ERRNO(syscall(SYS_getrandom, buf, 8, 0x100), EINVAL);
	EXPECT_ERRNO(syscall(SYS_pipe2, pipe_fd, 0x40000000), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, 99, &set, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, SIGTERM, NULL, NULL, 16), EINVAL);
	EXPECT_ERRNO(syscall(SYS_reboot, 1, 2, 3, 4), EINVAL);
}

TEST(resource_limits)
{
	struct rlimit limit, twisted = {2000, 1000};

	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, &limit), EINVAL);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, -1, NULL, &limit), EINVAL);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_STACK, &twisted, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_STACK, NULL, &limit), ESRCH);
	EXPECT_EQ(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit), 0);
	EXPECT(limit.rlim_cur >= 1 << 20);
}

TEST(random_bytes_are_random)
{
	uint8_t a[64] = {0}, b[64] = {0};

	EXPECT_EQ(syscall(SYS_getrandom, a, sizeof(a), 0), sizeof(a));
	EXPECT_EQ(syscall(SYS_getrandom, b, sizeof(b), 1), sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
	EXPECT(!is_zero(a, 16) && !is_zero(a + 48, 16));
}

TEST_MAIN()
