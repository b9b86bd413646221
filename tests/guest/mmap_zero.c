/* SPDX-License-Identifier: MIT */
/*
 * mmap_zero.c - mappings of /dev/zero, the old way to get memory: private or shared, each is its own.
 */
#include "memory.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int open_device(const char *path, unsigned minor, int flags)
{
	mkdir("/dev", 0755);
	mknod(path, S_IFCHR | 0666, makedev(1, minor));
	int fd = open(path, flags);

	ASSERT(fd >= 0);
	return fd;
}

static uint8_t *map_zero(size_t length, int flags, off_t offset)
{
	int fd = open_device("/dev/zero", 5, O_RDWR);
	uint8_t *p = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, offset);

	ASSERT(p != MAP_FAILED);
	close(fd);
	return p;
}

TEST(private_is_zero_and_keeps_what_is_written)
{
	volatile uint8_t *p = map_zero(4 * PAGE, MAP_PRIVATE, 0),
			 *q = map_zero(4 * PAGE, MAP_PRIVATE, 0);

	EXPECT_EQ(p[0], 0);
	EXPECT_EQ(p[4 * PAGE - 1], 0);
	p[PAGE] = 7;
	p[0] = 8;
	EXPECT_EQ(p[PAGE], 7);
	EXPECT_EQ(q[PAGE], 0);
	EXPECT_EQ(q[0], 0);
}

TEST(read_only_descriptor_allows_private_writes)
{
	int fd = open_device("/dev/zero", 5, O_RDONLY);
	volatile uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	ASSERT(p != MAP_FAILED);
	p[5] = 9;
	EXPECT_EQ(p[5], 9);
	EXPECT_ERRNO((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
}

static void write_first_byte(void *p)
{
	*(volatile uint8_t *)p = 42;
}

TEST(shared_is_shared_with_children_only)
{
	volatile uint8_t *p = map_zero(PAGE, MAP_SHARED, 0), *q = map_zero(PAGE, MAP_SHARED, 0);

	EXPECT_CHILD_OK(write_first_byte, (void *)p);
	EXPECT_EQ(p[0], 42);
	EXPECT_EQ(q[0], 0);
}

TEST(private_copy_belongs_to_the_child)
{
	volatile uint8_t *p = map_zero(PAGE, MAP_PRIVATE, 0);

	p[1] = 3;
	EXPECT_CHILD_OK(write_first_byte, (void *)p);
	EXPECT_EQ(p[0], 0);
	EXPECT_EQ(p[1], 3);
}

TEST(any_offset_will_do)
{
	volatile uint8_t *p = map_zero(2 * PAGE, MAP_PRIVATE, (off_t)1 << 40);

	EXPECT_EQ(p[2 * PAGE - 1], 0);
	p[0] = 1;
	EXPECT_EQ(p[0], 1);
}

TEST(null_and_full_cannot_be_mapped)
{
	int null = open_device("/dev/null", 3, O_RDWR), full = open_device("/dev/full", 7, O_RDWR);

	EXPECT_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0), ENODEV);
	EXPECT_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, full, 0), ENODEV);
}

TEST_MAIN()
