/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - mounting, unmounting and moving of file systems, what their flags forbid, and the limits of
 * a memory file system. Needs to be root.
 */
#include "ktap.h"
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#define DIR "/mounts-test"

static void enter(void)
{
	if (mkdir(DIR, 0755))
		ASSERT_EQ(errno, EEXIST);
	ASSERT_EQ(chdir(DIR), 0);
	while (umount2(DIR "/m", MNT_DETACH) == 0)
		;
	while (umount2(DIR "/n", MNT_DETACH) == 0)
		;
	rmdir("m");
	rmdir("n");
	ASSERT_EQ(mkdir("m", 0755), 0);
	ASSERT_EQ(mkdir("n", 0755), 0);
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	ASSERT(fd >= 0);
	ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ASSERT_EQ(close(fd), 0);
}

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

static dev_t dev_of(const char *name)
{
	struct stat s;

	ASSERT_EQ(stat(name, &s), 0);
	return s.st_dev;
}

TEST(mounted_tree_covers_the_directory)
{
	enter();
	put("m/below", "x");
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	EXPECT(!exists("m/below"));
	EXPECT(dev_of("m") != dev_of("."));
	put("m/above", "y");
	EXPECT(exists("m/./above"));
	EXPECT(exists("m/../m/above"));
	ASSERT_EQ(chdir("m"), 0);
	EXPECT_EQ(dev_of(".."), dev_of(DIR));
	EXPECT(exists("../n"));
	char buf[64];
	EXPECT(getcwd(buf, sizeof(buf)) && !strcmp(buf, DIR "/m"));
	EXPECT_ERRNO(umount(DIR "/m"), EBUSY);
	ASSERT_EQ(chdir(DIR), 0);
	ASSERT_EQ(umount("m"), 0);
	EXPECT(exists("m/below"));
	EXPECT(!exists("m/above"));
	EXPECT_ERRNO(umount("m"), EINVAL);
	ASSERT_EQ(unlink("m/below"), 0);
}

TEST(mounts_stack_in_one_place)
{
	enter();
	ASSERT_EQ(mount("one", "m", "tmpfs", 0, NULL), 0);
	put("m/one", "1");
	ASSERT_EQ(mount("two", "m", "tmpfs", 0, NULL), 0);
	put("m/two", "2");
	EXPECT(!exists("m/one"));
	ASSERT_EQ(mkdir("m/in", 0755), 0);
	ASSERT_EQ(mount("three", "m/in", "tmpfs", 0, NULL), 0);
	EXPECT_EQ(dev_of("m/in/.."), dev_of("m"));
	EXPECT_ERRNO(umount("m"), EBUSY);
	ASSERT_EQ(umount("m/in"), 0);
	ASSERT_EQ(umount("m"), 0);
	EXPECT(exists("m/one"));
	ASSERT_EQ(umount("m"), 0);
	EXPECT(!exists("m/one"));
}

TEST(mount_points_stay)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	EXPECT_ERRNO(rmdir("m"), EBUSY);
	EXPECT_ERRNO(rename("m", "o"), EBUSY);
	EXPECT_ERRNO(rename("n", "m"), EBUSY);
	put("n/file", "x");
	EXPECT_ERRNO(rename("n/file", "m/file"), EXDEV);
	EXPECT_ERRNO(link("n/file", "m/file"), EXDEV);
	unlink("n/file");
	ASSERT_EQ(umount("m"), 0);
	ASSERT_EQ(rmdir("m"), 0);
}

TEST(open_file_keeps_the_file_system_busy)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	put("m/file", "hello");
	int fd = open("m/file", O_RDONLY);
	ASSERT(fd >= 0);
	EXPECT_ERRNO(umount("m"), EBUSY);
	ASSERT_EQ(close(fd), 0);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd = open("m/file", O_RDONLY), 0);
	ASSERT(p != MAP_FAILED);
	close(fd);
	EXPECT_ERRNO(umount("m"), EBUSY);
	munmap(p, 4096);
	ASSERT_EQ(umount("m"), 0);
}

TEST(detached_tree_lives_as_long_as_it_is_used)
{
	char buf[64];

	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	ASSERT_EQ(mkdir("m/d", 0755), 0);
	put("m/d/file", "hello");
	ASSERT_EQ(mount("inner", "m/d", "tmpfs", 0, NULL), 0);
	int dir = open("m", O_RDONLY | O_DIRECTORY), fd;
	ASSERT_EQ(umount2("m", MNT_DETACH), 0);
	EXPECT(!exists("m/d"));
	fd = openat(dir, "d/file", O_RDWR);
	ASSERT(fd >= 0);
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 5);
	ASSERT_EQ(fchdir(dir), 0);
	close(dir);
	EXPECT(exists("d/file"));
	EXPECT(syscall(SYS_getcwd, buf, sizeof(buf)) > 0 && !strncmp(buf, "(unreachable)", 13));
	EXPECT_EQ(chdir(".."), 0);
	EXPECT(exists("d"));
	ASSERT_EQ(chdir(DIR), 0);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(write(fd, "more", 4), 4);
	close(fd);
	EXPECT(!memcmp(p, "hellomore", 9));
}

TEST(read_only_file_system_does_not_change)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	put("m/file", "x");
	int fd = open("m/file", O_WRONLY);
	EXPECT_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	ASSERT_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	EXPECT_ERRNO(open("m/file", O_WRONLY), EROFS);
	EXPECT_ERRNO(open("m/file", O_RDONLY | O_TRUNC), EROFS);
	EXPECT_ERRNO(open("m/other", O_CREAT | O_RDWR, 0600), EROFS);
	EXPECT_ERRNO(mkdir("m/d", 0755), EROFS);
	EXPECT_ERRNO(mkdir("m/file", 0755), EEXIST);
	EXPECT_ERRNO(unlink("m/file"), EROFS);
	EXPECT_ERRNO(rename("m/file", "m/new"), EROFS);
	EXPECT_ERRNO(link("m/file", "m/new"), EROFS);
	EXPECT_ERRNO(symlink("x", "m/new"), EROFS);
	EXPECT_ERRNO(chmod("m/file", 0600), EROFS);
	EXPECT_ERRNO(truncate("m/file", 0), EROFS);
	EXPECT_ERRNO(access("m/file", W_OK), EROFS);
	EXPECT_EQ(access("m/file", R_OK), 0);
	struct statfs st;
	ASSERT_EQ(statfs("m", &st), 0);
	EXPECT(st.f_flags & ST_RDONLY);
	ASSERT_EQ(mount(NULL, "m", NULL, MS_REMOUNT, NULL), 0);
	EXPECT_EQ(unlink("m/file"), 0);
	ASSERT_EQ(umount("m"), 0);
}

TEST(flags_forbid_programs_and_devices)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", MS_NOEXEC | MS_NODEV | MS_NOSUID, NULL), 0);
	put("m/file", "x");
	ASSERT_EQ(chmod("m/file", 0755), 0);
	EXPECT_ERRNO(access("m/file", X_OK), EACCES);
	EXPECT_ERRNO(execl("m/file", "file", NULL), EACCES);
	int fd = open("m/file", O_RDONLY);
	EXPECT_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), EPERM);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT(p != MAP_FAILED);
	EXPECT_ERRNO(mprotect(p, 4096, PROT_READ | PROT_EXEC), EACCES);
	munmap(p, 4096);
	close(fd);
	ASSERT_EQ(mknod("m/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	EXPECT_ERRNO(open("m/null", O_RDWR), EACCES);
	ASSERT_EQ(mount(NULL, "m", NULL, MS_REMOUNT, NULL), 0);
	EXPECT((fd = open("m/null", O_RDWR)) >= 0);
	close(fd);
	ASSERT_EQ(umount("m"), 0);
}

/* What /proc/self/fd leads to may lie in no file system at all. */
TEST(nothing_is_mounted_on_a_pipe)
{
	char path[32];
	int fd[2];

	enter();
	mkdir("/proc", 0755);
	if (access("/proc/self", F_OK) && mount("proc", "/proc", "proc", 0, NULL))
		SKIP("no /proc here");
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	ASSERT_EQ(pipe(fd), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	EXPECT_EQ(mount("m", path, NULL, MS_MOVE, NULL), -1);
	EXPECT_EQ(mount("me", path, "tmpfs", 0, NULL), -1);
	EXPECT_ERRNO(mount(NULL, path, NULL, MS_REMOUNT, NULL), EINVAL);
	EXPECT_ERRNO(mount(NULL, path, NULL, MS_PRIVATE, NULL), EINVAL);
	EXPECT_ERRNO(umount(path), EINVAL);
	ASSERT_EQ(umount("m"), 0);
}

TEST(size_limit_is_kept)
{
	struct statfs st;
	char block[4096];

	enter();
	memset(block, 'x', sizeof(block));
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, "size=64k,mode=750,uid=3,gid=4,nr_inodes=5"), 0);
	struct stat s;
	ASSERT_EQ(stat("m", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFDIR | 0750);
	EXPECT_EQ(s.st_uid, 3);
	EXPECT_EQ(s.st_gid, 4);
	ASSERT_EQ(statfs("m", &st), 0);
	EXPECT_EQ(st.f_type, 0x01021994);
	EXPECT_EQ(st.f_blocks * (unsigned long)st.f_bsize, 65536);
	EXPECT_EQ(st.f_bfree, 16);
	EXPECT_EQ(st.f_namelen, 255);
	EXPECT_EQ(st.f_files, 5);
	int fd = open("m/file", O_CREAT | O_RDWR, 0600);
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	EXPECT_ERRNO(write(fd, block, sizeof(block)), ENOSPC);
	ASSERT_EQ(fstatfs(fd, &st), 0);
	EXPECT_EQ(st.f_bavail, 0);
	ASSERT_EQ(ftruncate(fd, 8192), 0);
	EXPECT_EQ(pwrite(fd, block, sizeof(block), 65536), (ssize_t)sizeof(block));
	EXPECT_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT, "size=8k"), EINVAL);
	ASSERT_EQ(mount(NULL, "m", NULL, MS_REMOUNT, "size=12k"), 0);
	EXPECT_ERRNO(pwrite(fd, block, sizeof(block), 32768), ENOSPC);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 32768);
	ASSERT(p != MAP_FAILED);
	EXPECT_DEATH(ktap_do_store, p, SIGBUS);
	munmap(p, 4096);
	close(fd);
	ASSERT_EQ(umount("m"), 0);
}

TEST(inode_limit_is_kept)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, "nr_inodes=3"), 0);
	ASSERT_EQ(mkdir("m/a", 0700), 0);
	put("m/b", "x");
	EXPECT_ERRNO(mkdir("m/c", 0700), ENOSPC);
	EXPECT_ERRNO(open("m/c", O_CREAT | O_RDWR, 0600), ENOSPC);
	ASSERT_EQ(rmdir("m/a"), 0);
	put("m/c", "x");
	ASSERT_EQ(umount("m"), 0);
}

TEST(mount_moves)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	put("m/file", "x");
	ASSERT_EQ(mkdir("m/d", 0755), 0);
	if (mount("m", "n", NULL, MS_MOVE, NULL)) {
		EXPECT_EQ(errno, EINVAL); /* below a shared mount */
		umount("m");
		SKIP("mounts are shared here");
	}
	EXPECT(exists("n/file"));
	EXPECT(!exists("m/file"));
	EXPECT_ERRNO(mount("n", "n/d", NULL, MS_MOVE, NULL), ELOOP);
	EXPECT_ERRNO(mount("n/d", "m", NULL, MS_MOVE, NULL), EINVAL);
	ASSERT_EQ(umount("n"), 0);
}

TEST(wrong_calls_say_so)
{
	enter();
	put("file", "x");
	EXPECT_ERRNO(mount("me", "m", "nofs", 0, NULL), ENODEV);
	EXPECT_ERRNO(mount("me", "none", "tmpfs", 0, NULL), ENOENT);
	EXPECT_ERRNO(mount("me", "file", "tmpfs", 0, NULL), ENOTDIR);
	EXPECT_ERRNO(mount("me", "m", NULL, 0, NULL), EINVAL);
	EXPECT_ERRNO(mount("me", "m", "tmpfs", 0, "size=lots"), EINVAL);
	EXPECT_ERRNO(mount("me", "m", "tmpfs", 0, "strange=1"), EINVAL);
	EXPECT_ERRNO(mount("me", (char *)1, "tmpfs", 0, NULL), EFAULT);
	EXPECT_ERRNO(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EINVAL);
	EXPECT_ERRNO(mount(NULL, "m", NULL, MS_PRIVATE, NULL), EINVAL);
	EXPECT_EQ(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	EXPECT_ERRNO(umount("none"), ENOENT);
	EXPECT_ERRNO(umount("n"), EINVAL);
	EXPECT_ERRNO(umount2("m", 0x100), EINVAL);
	struct statfs st;
	EXPECT_ERRNO(statfs("none", &st), ENOENT);
	EXPECT_ERRNO(fstatfs(-1, &st), EBADF);
	unlink("file");
}

TEST(mounting_needs_the_capability)
{
	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(mount("me", "n", "tmpfs", 0, NULL), EPERM);
	EXPECT_ERRNO(umount("m"), EPERM);
	EXPECT_ERRNO(chroot("m"), EPERM);
}

TEST(chroot_is_the_end_of_the_world)
{
	char buf[64];

	enter();
	ASSERT_EQ(mount("me", "m", "tmpfs", 0, NULL), 0);
	ASSERT_EQ(mkdir("m/d", 0755), 0);
	ASSERT_EQ(symlink("/d", "m/link"), 0);
	ASSERT_EQ(chdir("m"), 0);
	ASSERT_EQ(chroot("."), 0);
	EXPECT(exists("/d"));
	EXPECT(exists("/link/../../../d"));
	EXPECT(!exists(DIR));
	EXPECT_EQ(chdir("link"), 0);
	EXPECT(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/d"));
	ASSERT_EQ(chroot("/d"), 0);
	ASSERT_EQ(chdir("/.."), 0);
	EXPECT(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/"));
	EXPECT(!exists("/d"));
	EXPECT_ERRNO(chroot("/none"), ENOENT);
}

TEST(devices_appear_by_themselves)
{
	struct stat s;
	char c;

	enter();
	if (mount("dev", "m", "devtmpfs", 0, NULL)) {
		ASSERT_EQ(errno, ENODEV);
		SKIP("no devtmpfs");
	}
	ASSERT_EQ(stat("m/null", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFCHR | 0666);
	EXPECT_EQ(s.st_rdev, makedev(1, 3));
	int fd = open("m/zero", O_RDWR);
	ASSERT(fd >= 0);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(c, 0);
	close(fd);
	fd = open("m/full", O_RDWR);
	EXPECT_ERRNO(write(fd, "x", 1), ENOSPC);
	close(fd);
	ASSERT_EQ(umount("m"), 0);
}

TEST_MAIN()
