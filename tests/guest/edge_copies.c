/* SPDX-License-Identifier: MIT */
/*
 * edge_copies.c - buffers that end at the last accessible byte before a hole: what fits is transferred, and counted.
 */
#include "memory.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

/* Below and above the sizes from which on a kernel may copy in another way. */
static const size_t sizes[] = {1, 3, 7, 8, 11, 16, 56, 128, 504, 512, 520, 1000, 2040, 4088, 4096};

/* before_hole - n writable bytes, all ones, with nothing behind them. */
static uint8_t *before_hole(size_t n)
{
	uint8_t *p = map_anon(2 * PAGE);

	ASSERT_EQ(munmap(p + PAGE, PAGE), 0);
	memset(p, 1, PAGE);
	return p + PAGE - n;
}

static size_t count(const uint8_t *p, size_t n, uint8_t value)
{
	size_t same = 0;

	for (size_t i = 0; i < n; i++)
		same += p[i] == value;
	return same;
}

static bool is_quire(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.version, "Quire");
}

/* read_zeroes - from /dev/zero, with n bytes up to a hole. What Linux clears by words on aarch64 may end, and be
 * counted, up to 7 bytes early; what is counted must be zero, and Quire counts all. */
static void read_zeroes(int zero, uint8_t *p, size_t n)
{
	ssize_t got = read(zero, p, n + 600);
	size_t least = is_quire() ? n : n & ~7ul;

	if (got < 0)
		EXPECT(errno == EFAULT && least == 0);
	got = got < 0 ? 0 : got;
	EXPECT((size_t)got >= least);
	EXPECT((size_t)got <= n);
	EXPECT_EQ(count(p, (size_t)got, 0), (size_t)got);
}

TEST(zeroes_up_to_a_hole)
{
	int fd;

	mkdir("/dev", 0755);
	mknod("/dev/zero", S_IFCHR | 0666, makedev(1, 5));
	fd = open("/dev/zero", O_RDONLY);
	ASSERT(fd >= 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = before_hole(sizes[i]);

		read_zeroes(fd, p, sizes[i]);
		EXPECT_EQ(count(p - (PAGE - sizes[i]), PAGE - sizes[i], 1), PAGE - sizes[i]);
	}
	EXPECT_ERRNO(read(fd, before_hole(0), 700), EFAULT);
}

TEST(file_content_up_to_a_hole)
{
	int fd = open("edge_copies.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint8_t content[8192];

	ASSERT(fd >= 0);
	memset(content, 7, sizeof(content));
	ASSERT_EQ(write(fd, content, sizeof(content)), (ssize_t)sizeof(content));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = before_hole(sizes[i]);

		EXPECT_EQ(pread(fd, p, sizes[i] + 600, 0), (ssize_t)sizes[i]);
		EXPECT_EQ(count(p, sizes[i], 7), sizes[i]);
		EXPECT_EQ(count(p - (PAGE - sizes[i]), PAGE - sizes[i], 1), PAGE - sizes[i]);
	}
	EXPECT_ERRNO(pread(fd, before_hole(0), 700, 0), EFAULT);
	unlink("edge_copies.file");
}

/* Beginnings and ends of every alignment, around the sizes above. */
TEST(every_byte_arrives_at_any_alignment)
{
	int fd = open("edge_copies.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	static uint8_t in[2048], out[2048];

	ASSERT(fd >= 0);
	for (size_t n = 500; n < 660; n++) {
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)(i * 7 + n);
		memset(out, 0, sizeof(out));
		ASSERT_EQ(pwrite(fd, in + n % 17, n, 0), (ssize_t)n);
		ASSERT_EQ(pread(fd, out + n % 13, n, 0), (ssize_t)n);
		EXPECT(!memcmp(out + n % 13, in + n % 17, n));
		EXPECT_EQ(out[n % 13 + n], 0);
	}
	unlink("edge_copies.file");
}

/* Pages that are there already and others that come with the transfer, in one buffer. */
TEST(pages_that_are_not_there_yet)
{
	enum { PAGES = 20, AT = 333, SIZE = PAGES * PAGE - 1000 };
	int fd = open("edge_copies.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int zero = open("/dev/zero", O_RDONLY);
	uint8_t *in = map_anon(PAGES * PAGE), *out = map_anon(PAGES * PAGE);

	ASSERT(fd >= 0 && zero >= 0);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		if (i / PAGE % 3)
			in[i] = (uint8_t)(i * 7 + i / PAGE);
	for (size_t i = 0; i < PAGES; i += 2)
		memset(out + i * PAGE, 9, PAGE);
	ASSERT_EQ(pwrite(fd, in + AT, SIZE, 0), SIZE);
	ASSERT_EQ(pread(fd, out + 2 * AT, SIZE, 0), SIZE);
	EXPECT(!memcmp(out + 2 * AT, in + AT, SIZE));
	EXPECT_EQ(count(out, 2 * AT, 9), 2 * AT);
	EXPECT_EQ(out[2 * AT + SIZE], 0);

	ASSERT_EQ(munmap(in, PAGES * PAGE), 0);
	in = map_anon(PAGES * PAGE);
	for (size_t i = 0; i < PAGES; i += 3)
		memset(in + i * PAGE, 9, PAGE);
	ASSERT_EQ(read(zero, in + AT, SIZE), SIZE);
	EXPECT_EQ(count(in, AT, 9), AT);
	EXPECT_EQ(count(in + AT, SIZE, 0), SIZE);
	unlink("edge_copies.file");
}

/* A long transfer ends at the first byte that is not accessible. */
TEST(long_transfers_up_to_a_hole)
{
	enum { PAGES = 9, SIZE = PAGES * PAGE };
	int fd = open("edge_copies.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int zero = open("/dev/zero", O_RDONLY);
	uint8_t *p = map_anon(SIZE + PAGE);

	ASSERT(fd >= 0 && zero >= 0);
	ASSERT_EQ(munmap(p + SIZE, PAGE), 0);
	memset(p, 5, SIZE);
	ASSERT_EQ(pwrite(fd, p, SIZE, 0), SIZE);
	ASSERT_EQ(ftruncate(fd, SIZE + 5000), 0);
	for (size_t at = 0; at < 2 * PAGE; at += 409) {
		ssize_t n = (ssize_t)(SIZE - at);

		memset(p, 1, SIZE);
		read_zeroes(zero, p + at, (size_t)n);
		EXPECT_EQ(count(p, at, 1), at);
		memset(p, 1, SIZE);
		EXPECT_EQ(pread(fd, p + at, SIZE + 1, 0), n);
		EXPECT_EQ(count(p, at, 1), at);
		EXPECT_EQ(count(p + at, (size_t)n, 5), (size_t)n);
	}
	unlink("edge_copies.file");
}

TEST_MAIN()
