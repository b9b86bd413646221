/* SPDX-License-Identifier: MIT */
/*
 * mmap_file_private.c - private mappings of a file of the initramfs: they show the file, end where it
 * ends, and keep what is written to them to themselves.
 *
 * The file is /data/pattern, 10000 bytes, made by tests/guest/make-data; byte i is pattern(i).
 */
#include "memory.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define FILE_SIZE 10000ul
#define FILE_SPAN (3 * PAGE) /* 10000 bytes: two full pages and a partial one */

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static int open_pattern(void)
{
	int fd = open("/data/pattern", O_RDONLY);

	ASSERT(fd >= 0);
	return fd;
}

static uint8_t *map_pattern(size_t length, int prot, off_t offset)
{
	int fd = open_pattern();
	uint8_t *p = mmap(NULL, length, prot, MAP_PRIVATE, fd, offset);

	ASSERT(p != MAP_FAILED);
	close(fd); /* a mapping does not need it */
	return p;
}

static size_t count_wrong_bytes(const volatile uint8_t *p, size_t from, size_t to)
{
	size_t wrong = 0;

	for (size_t i = from; i < to; i++)
		wrong += p[i - from] != pattern(i);
	return wrong;
}

TEST(read_returns_the_file)
{
	uint8_t buf[FILE_SIZE + 100];
	int fd = open_pattern();
	struct stat st;

	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, FILE_SIZE);
	EXPECT(S_ISREG(st.st_mode));
	EXPECT_EQ(read(fd, buf, sizeof(buf)), FILE_SIZE);
	EXPECT_EQ(count_wrong_bytes(buf, 0, FILE_SIZE), 0);
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 0);
	EXPECT_EQ(lseek(fd, 4090, SEEK_SET), 4090);
	EXPECT_EQ(read(fd, buf, 20), 20);
	EXPECT_EQ(count_wrong_bytes(buf, 4090, 4110), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 4110);
	EXPECT_EQ(lseek(fd, -10, SEEK_END), FILE_SIZE - 10);
	EXPECT_EQ(read(fd, buf, 100), 10);
	EXPECT_EQ(pread(fd, buf, 100, 5000), 100);
	EXPECT_EQ(count_wrong_bytes(buf, 5000, 5100), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), FILE_SIZE);
	EXPECT_EQ(pread(fd, buf, 100, FILE_SIZE), 0);
}

TEST(readv_scatters_the_file)
{
	uint8_t a[3], b[5000], c[7];
	struct iovec iov[] = {{a, sizeof(a)}, {NULL, 0}, {b, sizeof(b)}, {c, sizeof(c)}};

	EXPECT_EQ(readv(open_pattern(), iov, 4), 5010);
	EXPECT_EQ(count_wrong_bytes(a, 0, 3), 0);
	EXPECT_EQ(count_wrong_bytes(b, 3, 5003), 0);
	EXPECT_EQ(count_wrong_bytes(c, 5003, 5010), 0);
}

TEST(mapping_shows_the_file_and_zeroes_behind_it)
{
	uint8_t *p = map_pattern(FILE_SIZE, PROT_READ, 0);

	EXPECT_EQ(count_wrong_bytes(p, 0, FILE_SIZE), 0);
	EXPECT(is_zero(p + FILE_SIZE, FILE_SPAN - FILE_SIZE));
}

TEST(offset_selects_the_page)
{
	uint8_t *p = map_pattern(PAGE, PROT_READ, PAGE), *q = map_pattern(100, PROT_READ, 2 * PAGE);

	EXPECT_EQ(count_wrong_bytes(p, PAGE, 2 * PAGE), 0);
	EXPECT_EQ(count_wrong_bytes(q, 2 * PAGE, FILE_SIZE), 0);
	EXPECT(is_zero(q + (FILE_SIZE - 2 * PAGE), 3 * PAGE - FILE_SIZE));
}

TEST(access_beyond_the_last_page_is_sigbus)
{
	uint8_t *p = map_pattern(FILE_SPAN + 2 * PAGE, RW, 0);
	uint8_t *beyond = map_pattern(PAGE, RW, 16 * PAGE);

	EXPECT_DEATH(ktap_do_load, p + FILE_SPAN, SIGBUS);
	EXPECT_DEATH(ktap_do_store, p + FILE_SPAN + PAGE, SIGBUS);
	EXPECT_DEATH(ktap_do_load, beyond, SIGBUS);
	EXPECT_EQ(ktap_load(p), pattern(0));
}

TEST(writes_do_not_reach_the_file)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0), *other = map_pattern(FILE_SPAN, RW, 0);
	uint8_t buf[FILE_SIZE];

	memset(p, 0xee, FILE_SPAN);
	EXPECT_EQ(count_wrong_bytes(other, 0, FILE_SIZE), 0);
	EXPECT(is_zero(other + FILE_SIZE, FILE_SPAN - FILE_SIZE));
	EXPECT_EQ(pread(open_pattern(), buf, FILE_SIZE, 0), FILE_SIZE);
	EXPECT_EQ(count_wrong_bytes(buf, 0, FILE_SIZE), 0);
	EXPECT_EQ(ktap_load(p + FILE_SPAN - 1), 0xee);
}

TEST(write_after_read_copies_the_whole_page)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0);

	EXPECT_EQ(ktap_load(p + 5000), pattern(5000));
	ktap_store(p + 5000, 1);
	EXPECT_EQ(ktap_load(p + 5000), 1);
	EXPECT_EQ(count_wrong_bytes(p, 0, 5000), 0);
	EXPECT_EQ(count_wrong_bytes(p + 5001, 5001, FILE_SIZE), 0);
}

TEST(write_without_read_sees_the_file_around_it)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0);

	ktap_store(p + 100, 1);
	EXPECT_EQ(count_wrong_bytes(p, 0, 100), 0);
	EXPECT_EQ(count_wrong_bytes(p + 101, 101, PAGE), 0);
}

TEST(protection_of_file_pages)
{
	uint8_t *p = map_pattern(FILE_SPAN, PROT_READ, 0);

	EXPECT_STORE_DIES(p);
	ktap_load(p);
	EXPECT_STORE_DIES(p);
	ASSERT_EQ(mprotect(p, PAGE, RW), 0); /* private: the file need not be writable */
	ktap_store(p, 9);
	ASSERT_EQ(mprotect(p, FILE_SPAN, PROT_NONE), 0);
	EXPECT_LOAD_DIES(p);
	EXPECT_LOAD_DIES(p + PAGE);
	ASSERT_EQ(mprotect(p, FILE_SPAN, PROT_READ), 0);
	EXPECT_EQ(ktap_load(p), 9);
	EXPECT_EQ(count_wrong_bytes(p + 1, 1, FILE_SIZE), 0);
}

TEST(dontneed_brings_the_file_back)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0);

	memset(p, 0xee, FILE_SPAN);
	EXPECT_EQ(madvise(p, FILE_SPAN, MADV_DONTNEED), 0);
	EXPECT_EQ(count_wrong_bytes(p, 0, FILE_SIZE), 0);
	EXPECT(is_zero(p + FILE_SIZE, FILE_SPAN - FILE_SIZE));
}

static void overwrite(void *p)
{
	EXPECT_EQ(ktap_load(p), 0xaa);
	EXPECT_EQ(count_wrong_bytes((uint8_t *)p + PAGE, PAGE, FILE_SIZE), 0);
	memset(p, 0xbb, FILE_SPAN);
}

TEST(fork_keeps_private_copies_apart)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0);

	ktap_store(p, 0xaa);
	ktap_load(p + PAGE);
	EXPECT_CHILD_OK(overwrite, p);
	EXPECT_EQ(ktap_load(p), 0xaa);
	EXPECT_EQ(count_wrong_bytes(p + 1, 1, FILE_SIZE), 0);
}

TEST(fixed_file_mapping_over_memory_and_back)
{
	uint8_t *p = map_anon(4 * PAGE);
	int fd = open_pattern();

	fill_pages(p, 4, 1);
	EXPECT(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, PAGE) == p + PAGE);
	EXPECT_EQ(count_wrong_bytes(p + PAGE, PAGE, 2 * PAGE), 0);
	EXPECT_EQ(count_wrong_pages(p, 1, 1), 0);
	EXPECT(map_at(p + PAGE, PAGE, RW, MAP_FIXED) == p + PAGE);
	EXPECT(is_zero(p + PAGE, PAGE));
}

TEST(split_file_mappings_keep_their_offsets)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0);

	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_LOAD_DIES(p + PAGE);
	EXPECT_EQ(count_wrong_bytes(p, 0, PAGE), 0);
	EXPECT_EQ(count_wrong_bytes(p + 2 * PAGE, 2 * PAGE, FILE_SIZE), 0);
	ASSERT_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
	EXPECT_EQ(count_wrong_bytes(p + 2 * PAGE, 2 * PAGE, FILE_SIZE), 0);
}

TEST(kernel_access_beyond_the_end_is_efault)
{
	uint8_t *p = map_pattern(FILE_SPAN + PAGE, RW, 0);
	int fd[2];

	ASSERT_EQ(pipe2(fd, 0), 0);
	EXPECT_ERRNO(write(fd[1], p + FILE_SPAN, 10), EFAULT);
	EXPECT_ERRNO(pread(open_pattern(), p + FILE_SPAN, 10, 0), EFAULT);
	EXPECT_EQ(write(fd[1], p, 10), 10);
	EXPECT_EQ(read(fd[0], p + PAGE, 10), 10);
	EXPECT_EQ(count_wrong_bytes(p + PAGE, 0, 10), 0);
}

TEST(a_file_read_into_its_own_mapping)
{
	uint8_t *p = map_pattern(FILE_SPAN, RW, 0);

	EXPECT_EQ(pread(open_pattern(), p + 1, FILE_SIZE - 1, 0), FILE_SIZE - 1);
	EXPECT_EQ(count_wrong_bytes(p + 1, 0, FILE_SIZE - 1), 0);
}

TEST(errors)
{
	int fd = open_pattern(), dir = open("/data", O_RDONLY | O_DIRECTORY), pipe_fd[2];

	ASSERT_EQ(pipe2(pipe_fd, 0), 0);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, 0, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, 0, fd, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1ul << 63), EOVERFLOW);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, pipe_fd[0], 0), ENODEV);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, pipe_fd[1], 0), EACCES);
	ASSERT(dir >= 0);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
	close(fd);
	EXPECT_ERRNO(syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
}

TEST_MAIN()
