/* SPDX-License-Identifier: MIT */
/* memfd.c - memory files without a name, and each seal against each way of changing one. */
#define _GNU_SOURCE
#include <sys/uio.h>

#include "proc.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC        16u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#define PAGE 4096ul

static int sealable(size_t size)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC | MFD_EXEC);

	ASSERT(fd >= 0);
	ASSERT(!ftruncate(fd, (off_t)size));
	return fd;
}

static int seal(int fd, int seals)
{
	return fcntl(fd, F_ADD_SEALS, seals);
}

static unsigned char *map(int fd, int prot, int flags)
{
	return mmap(NULL, PAGE, prot, flags, fd, 0);
}

TEST(a_file_without_a_place)
{
	int fd = memfd_create("some name", 0), other;
	char link[64] = "", path[64];
	unsigned char *p;
	struct stat st;

	ASSERT(fd >= 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT(readlink(path, link, sizeof(link) - 1) > 0);
	EXPECT(!strcmp(link, "/memfd:some name (deleted)"));
	ASSERT(!fstat(fd, &st));
	EXPECT_EQ(st.st_mode, S_IFREG | 0777);
	EXPECT_EQ(st.st_nlink, 0);
	EXPECT_EQ(st.st_size, 0);
	EXPECT_EQ(write(fd, "hello", 5), 5);
	p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT(p != MAP_FAILED);
	EXPECT(!memcmp(p, "hello", 5));
	p[0] = 'j';
	ASSERT(slurp("/proc/self/maps") > 0);
	EXPECT(strstr(text, "/memfd:some name (deleted)"));
	other = open(path, O_RDWR);
	ASSERT(other >= 0);
	EXPECT_EQ(pread(other, text, 10, 0), 5);
	EXPECT(!memcmp(text, "jello", 5));
	close(fd);
	close(other);
	EXPECT_EQ(p[4], 'o');
}

TEST(flags_and_names)
{
	char name[260];
	int fd;

	memset(name, 'n', sizeof(name));
	name[250] = 0;
	EXPECT_ERRNO(memfd_create(name, 0), EINVAL);
	name[249] = 0;
	EXPECT((fd = memfd_create(name, MFD_CLOEXEC)) >= 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT(memfd_create("", 0) >= 0);
	EXPECT(memfd_create("a/b", 0) >= 0);
	EXPECT_ERRNO(memfd_create("x", 0x20), EINVAL);
	EXPECT_ERRNO(memfd_create("x", 0x80000000u), EINVAL);
	EXPECT_ERRNO(memfd_create("x", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
	EXPECT_ERRNO(memfd_create((char *)16, 0), EFAULT);
	EXPECT_ERRNO(memfd_create((char *)16, 0x20), EINVAL);
}

TEST(what_can_be_sealed)
{
	int fd = memfd_create("x", 0), file, p[2];
	char path[64];

	EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	EXPECT_ERRNO(seal(fd, F_SEAL_WRITE), EPERM);
	fd = sealable(0);
	EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
	EXPECT_ERRNO(seal(fd, 0x40), EINVAL);
	EXPECT_EQ(seal(fd, 0), 0);
	EXPECT_EQ(seal(fd, F_SEAL_GROW), 0);
	EXPECT_EQ(seal(fd, F_SEAL_SHRINK), 0);
	EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	file = open(path, O_RDONLY);
	EXPECT_EQ(fcntl(file, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
	EXPECT_ERRNO(seal(file, F_SEAL_SEAL), EPERM);
	EXPECT_EQ(seal(fd, F_SEAL_SEAL), 0);
	EXPECT_ERRNO(seal(fd, F_SEAL_WRITE), EPERM);
	ASSERT(!pipe(p));
	EXPECT_ERRNO(seal(p[1], F_SEAL_WRITE), EINVAL);
	EXPECT_ERRNO(fcntl(p[0], F_GET_SEALS), EINVAL);
	EXPECT_ERRNO(seal(-1, 0), EBADF);
}

TEST(size_seals)
{
	int fd = sealable(2 * PAGE);
	char buf[64] = "";

	EXPECT_EQ(seal(fd, F_SEAL_SHRINK), 0);
	EXPECT_ERRNO(ftruncate(fd, PAGE), EPERM);
	EXPECT_EQ(ftruncate(fd, 2 * PAGE), 0);
	EXPECT_EQ(ftruncate(fd, 3 * PAGE), 0);
	EXPECT_EQ(seal(fd, F_SEAL_GROW), 0);
	EXPECT_ERRNO(ftruncate(fd, 4 * PAGE), EPERM);
	EXPECT_ERRNO(fallocate(fd, 0, 0, 4 * PAGE), EPERM);
	EXPECT_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), EPERM);
	EXPECT_EQ(fallocate(fd, 0, 0, 3 * PAGE), 0);
	EXPECT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0);
	EXPECT_ERRNO(pwrite(fd, buf, 64, 3 * PAGE), EPERM);
	EXPECT_ERRNO(pwrite(fd, buf, 64, 3 * PAGE - 32), EPERM);
	EXPECT_EQ(pwrite(fd, buf, 64, 3 * PAGE - 64), 64);
}

TEST(write_seals)
{
	static const int kinds[] = {F_SEAL_WRITE, F_SEAL_FUTURE_WRITE};
	char byte = 1;

	for (int i = 0; i < 2; i++) {
		int fd = sealable(PAGE);
		unsigned char *p;

		EXPECT_EQ(pwrite(fd, "abc", 3, 0), 3);
		EXPECT_EQ(seal(fd, kinds[i]), 0);
		EXPECT_ERRNO(pwrite(fd, &byte, 1, 0), EPERM);
		EXPECT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
			     EPERM);
		EXPECT_EQ(ftruncate(fd, 2 * PAGE), 0);
		EXPECT_EQ((long)map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -1);
		EXPECT_EQ(errno, EPERM);
		p = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		ASSERT(p != MAP_FAILED);
		p[0] = 'x';
		EXPECT_EQ(pread(fd, &byte, 1, 0), 1);
		EXPECT_EQ(byte, 'a');
	}
}

TEST(a_sealed_file_is_mapped_for_reading)
{
	int fd = sealable(PAGE);
	unsigned char *p;

	EXPECT_EQ(seal(fd, F_SEAL_FUTURE_WRITE), 0);
	p = map(fd, PROT_READ, MAP_SHARED);
	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(ktap_load(p), 0);
	EXPECT_ERRNO(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
	EXPECT_EQ(seal(fd, F_SEAL_WRITE), 0);
}

TEST(what_is_mapped_for_writing_cannot_be_sealed)
{
	int fd = sealable(PAGE);
	unsigned char *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);

	ASSERT(p != MAP_FAILED);
	EXPECT_ERRNO(seal(fd, F_SEAL_WRITE), EBUSY);
	EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0);
	EXPECT_EQ(seal(fd, F_SEAL_FUTURE_WRITE), 0);
	p[0] = 3; /* a mapping that there was stays */
	EXPECT_ERRNO(seal(fd, F_SEAL_WRITE), EBUSY);
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_ERRNO(seal(fd, F_SEAL_WRITE), EBUSY); /* it could be made writable again */
	munmap(p, PAGE);
	p = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	EXPECT_EQ(seal(fd, F_SEAL_WRITE), 0);
	EXPECT_EQ(ktap_load(p), 3);
}

TEST(a_childs_mapping_counts)
{
	int fd = sealable(PAGE), go[2];
	unsigned char *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	char byte = 0;
	pid_t pid;

	ASSERT(p != MAP_FAILED && !pipe(go));
	pid = fork();
	if (!pid)
		_exit(read(go[0], &byte, 1) != 1);
	munmap(p, PAGE);
	EXPECT_ERRNO(seal(fd, F_SEAL_WRITE), EBUSY);
	EXPECT_EQ(write(go[1], &byte, 1), 1);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(seal(fd, F_SEAL_WRITE), 0);
}

TEST(exec_seals)
{
	int fd = memfd_create("x", MFD_NOEXEC_SEAL);
	struct stat st;

	ASSERT(fd >= 0 && !fstat(fd, &st));
	EXPECT_EQ(st.st_mode, S_IFREG | 0666);
	EXPECT_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
	EXPECT_ERRNO(fchmod(fd, 0777), EPERM);
	EXPECT_EQ(fchmod(fd, 0600), 0);
	EXPECT_EQ(seal(fd, F_SEAL_SEAL), 0);
	EXPECT_EQ(write(fd, "x", 1), 1);
	fd = sealable(PAGE);
	EXPECT_EQ(seal(fd, F_SEAL_EXEC), 0); /* what can be executed does not change */
	EXPECT_EQ(fcntl(fd, F_GET_SEALS), 0x3e);
	EXPECT_ERRNO(fchmod(fd, 0666), EPERM);
	EXPECT_ERRNO(write(fd, "x", 1), EPERM);
}

static void map_and_unmap(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 2000; i++) {
		volatile unsigned char *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);

		if (p == MAP_FAILED)
			_exit(errno == EPERM ? 0 : 2);
		p[1] = 1;
		if (p[0]) /* sealed since, so nobody can be writing */
			_exit(3);
		munmap((void *)p, PAGE);
	}
}

TEST(sealing_races_with_mapping)
{
	int fd = sealable(PAGE), status;
	pid_t pid = fork();

	if (!pid) {
		map_and_unmap(&fd);
		_exit(0);
	}
	while (seal(fd, F_SEAL_WRITE))
		if (!EXPECT_EQ(errno, EBUSY))
			break;
	EXPECT_EQ((long)map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -1);
	waitpid(pid, &status, 0);
	EXPECT_EQ(status, 0);
}

TEST_MAIN()
