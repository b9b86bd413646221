/* SPDX-License-Identifier: MIT */
/*
 * openat.c - ways to open: names alone, files without names, restricted walks; and what belongs to a file
 * besides its content: mode, owner, times, and who may change them. Needs to be root.
 */
#include "ktap.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DIR "/openat-test"

#ifndef RENAME_EXCHANGE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static void remove_tree(int at, const char *name)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "link", "hard", "x", "y"};
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (fd >= 0) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			remove_tree(fd, names[i]);
		close(fd);
	}
	if (unlinkat(at, name, 0))
		unlinkat(at, name, AT_REMOVEDIR);
}

static void enter(void)
{
	umask(022);
	remove_tree(AT_FDCWD, DIR);
	ASSERT_EQ(mkdir(DIR, 0755), 0);
	ASSERT_EQ(chdir(DIR), 0);
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	ASSERT(fd >= 0);
	ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ASSERT_EQ(close(fd), 0);
}

static struct stat stat_of(const char *name)
{
	struct stat s;

	memset(&s, 0, sizeof(s));
	ASSERT_EQ(lstat(name, &s), 0);
	return s;
}

/* --- names alone -------------------------------------------------------------------------------- */

TEST(path_descriptor_stands_for_a_name)
{
	struct stat s;
	char buf[16];

	enter();
	put("a", "hello");
	ASSERT_EQ(chmod("a", 0), 0);
	int fd = open("a", O_PATH | O_RDWR);
	ASSERT(fd >= 0);
	EXPECT_ERRNO(read(fd, buf, 1), EBADF);
	EXPECT_ERRNO(write(fd, buf, 1), EBADF);
	EXPECT_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
	EXPECT_ERRNO(fchmod(fd, 0600), EBADF);
	EXPECT_ERRNO(fchown(fd, 0, 0), EBADF);
	EXPECT_ERRNO(ftruncate(fd, 0), EBADF);
	EXPECT_ERRNO(fsync(fd), EBADF);
	EXPECT_ERRNO((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), EBADF);
	EXPECT_ERRNO(fcntl(fd, F_SETFL, O_NONBLOCK), EBADF);
	EXPECT_EQ(fcntl(fd, F_GETFL) & (O_PATH | O_ACCMODE), O_PATH);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	ASSERT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_size, 5);
	int other = dup(fd);
	EXPECT(other >= 0);
	EXPECT_ERRNO(read(other, buf, 1), EBADF);
	EXPECT_ERRNO(fchdir(fd), ENOTDIR);
	EXPECT_EQ(fstatat(fd, "", &s, AT_EMPTY_PATH), 0);
	EXPECT_EQ(syscall(SYS_fchmodat2, fd, "", 0640, AT_EMPTY_PATH), 0);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 0640);
	EXPECT_EQ(fchownat(fd, "", 1, 2, AT_EMPTY_PATH), 0);
	EXPECT_EQ(stat_of("a").st_gid, 2);
	EXPECT_ERRNO(open("a", O_PATH | O_DIRECTORY), ENOTDIR);
	EXPECT_ERRNO(open("none", O_PATH), ENOENT);
	EXPECT((fd = open("none", O_PATH | O_CREAT, 0600)) < 0);
}

TEST(path_descriptor_of_a_link_is_the_link)
{
	char buf[16] = {0};
	struct stat s;

	enter();
	ASSERT_EQ(symlink("target", "link"), 0);
	EXPECT_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	EXPECT_ERRNO(open("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
	int fd = open("link", O_PATH | O_NOFOLLOW);
	ASSERT(fd >= 0);
	ASSERT_EQ(fstat(fd, &s), 0);
	EXPECT(S_ISLNK(s.st_mode));
	EXPECT_EQ(readlinkat(fd, "", buf, sizeof(buf)), 6);
	EXPECT(!memcmp(buf, "target", 6));
	put("a", "x");
	int file = open("a", O_RDONLY);
	EXPECT_ERRNO(readlinkat(file, "", buf, sizeof(buf)), ENOENT);
}

TEST(path_descriptor_is_a_starting_point)
{
	enter();
	ASSERT_EQ(mkdir("d", 0711), 0);
	put("d/a", "hello");
	int dir = open("d", O_PATH);
	ASSERT(dir >= 0);
	int fd = openat(dir, "a", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_EQ(fchdir(dir), 0);
	EXPECT_EQ(access("a", R_OK), 0);
	EXPECT_ERRNO(openat(fd, "a", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(openat(-1, "a", O_RDONLY), EBADF);
	EXPECT((fd = openat(-1, DIR "/d/a", O_RDONLY)) >= 0);
}

/* --- files without names ------------------------------------------------------------------------ */

TEST(nameless_file_gets_a_name_later)
{
	struct stat s;
	char proc[64];

	enter();
	int fd = open(".", O_TMPFILE | O_RDWR, 0666);
	ASSERT(fd >= 0);
	EXPECT_EQ(write(fd, "hello", 5), 5);
	ASSERT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_nlink, 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 0644);
	if (linkat(fd, "", AT_FDCWD, "a", AT_EMPTY_PATH))
		EXPECT_EQ(errno, 0);
	EXPECT_EQ(stat_of("a").st_nlink, 1);
	EXPECT_EQ(stat_of("a").st_ino, s.st_ino);
	EXPECT_EQ(linkat(fd, "", AT_FDCWD, "b", AT_EMPTY_PATH), 0);
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	ASSERT(fd >= 0);
	EXPECT_ERRNO(linkat(fd, "", AT_FDCWD, "c", AT_EMPTY_PATH), ENOENT);
	close(fd);
	EXPECT_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	EXPECT_ERRNO(open(".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600), EINVAL);
	EXPECT_ERRNO(open("a", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	EXPECT_ERRNO(open("none", O_TMPFILE | O_RDWR, 0600), ENOENT);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (access(proc, F_OK) == 0)
		EXPECT_EQ(linkat(AT_FDCWD, proc, AT_FDCWD, "c", AT_SYMLINK_FOLLOW), 0);
	EXPECT_ERRNO(linkat(fd, "", AT_FDCWD, "d", 0x800), EINVAL);
}

/* --- flags -------------------------------------------------------------------------------------- */

TEST(open_flags_that_contradict_are_refused)
{
	enter();
	put("a", "x");
	ASSERT_EQ(mkdir("d", 0755), 0);
	EXPECT_ERRNO(open("d", O_CREAT | O_DIRECTORY, 0600), EINVAL);
	EXPECT_ERRNO(open("d", O_CREAT, 0600), EISDIR);
	EXPECT_ERRNO(open("d", O_WRONLY), EISDIR);
	EXPECT_ERRNO(open("d", O_RDONLY | O_TRUNC), EISDIR);
	EXPECT_ERRNO(open("d/", O_CREAT | O_WRONLY, 0600), EISDIR);
	EXPECT_ERRNO(open("", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("a/", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("d", O_RDONLY | O_DIRECT), EINVAL);
	int fd = open("a", O_RDONLY | O_DIRECT);
	EXPECT(fd >= 0);
	close(fd);
	ASSERT_EQ(mknod("f", S_IFSOCK | 0600, 0), 0);
	EXPECT_ERRNO(open("f", O_RDONLY), ENXIO);
	EXPECT((fd = open("f", O_PATH)) >= 0);
	close(fd);
	ASSERT_EQ(mknod("e", S_IFCHR | 0600, makedev(240, 77)), 0);
	EXPECT_ERRNO(open("e", O_RDONLY), ENXIO);
}

TEST(appending_goes_to_the_end)
{
	char buf[16] = {0};

	enter();
	put("a", "one");
	int fd = open("a", O_RDWR | O_APPEND);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQ(write(fd, "two", 3), 3);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 6);
	EXPECT_EQ(pwrite(fd, "3", 1, 0), 1);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), 7);
	EXPECT(!strcmp(buf, "onetwo3"));
	EXPECT_EQ(fcntl(fd, F_SETFL, 0), 0);
	EXPECT_EQ(pwrite(fd, "X", 1, 0), 1);
	EXPECT_EQ(pread(fd, buf, sizeof(buf), 0), 7);
	EXPECT(!strcmp(buf, "Xnetwo3"));
}

TEST(noatime_is_for_the_owner)
{
	enter();
	put("a", "x");
	int fd = open("a", O_RDONLY | O_NOATIME);
	EXPECT(fd >= 0);
	close(fd);
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(open("a", O_RDONLY | O_NOATIME), EPERM);
	fd = open("a", O_RDONLY);
	EXPECT_ERRNO(fcntl(fd, F_SETFL, O_NOATIME), EPERM);
}

TEST(running_program_is_not_written_to)
{
	static char buf[65536];
	int in = open("/tests/hello", O_RDONLY), p[2];
	ssize_t n;

	if (in < 0)
		SKIP("no program to copy");
	enter();
	int out = open("x", O_CREAT | O_WRONLY, 0755);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		ASSERT_EQ(write(out, buf, (size_t)n), n);
	EXPECT_ERRNO(execl("x", "x", NULL), ETXTBSY);
	close(out);
	ASSERT_EQ(pipe(p), 0);
	pid_t pid = fork();
	if (!pid) { /* its output goes where nobody reads, so it waits in the middle of running */
		dup2(p[1], 1);
		fcntl(p[1], F_SETPIPE_SZ, 4096);
		if (write(p[1], buf, 4096) == 4096)
			execl("x", "x", NULL);
		_exit(1);
	}
	int err = 0;
	for (int i = 0; i < 200 && err != ETXTBSY; i++) {
		ktap_sleep_ns(10000000);
		out = open("x", O_WRONLY);
		err = out < 0 ? errno : 0;
		close(out);
	}
	EXPECT_EQ(err, ETXTBSY);
	EXPECT_ERRNO(truncate("x", 0), ETXTBSY);
	EXPECT_ERRNO(open("x", O_RDONLY | O_TRUNC), ETXTBSY);
	EXPECT_EQ(chmod("x", 0700), 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT((out = open("x", O_WRONLY | O_TRUNC)) >= 0);
}

TEST(ioctls_of_any_descriptor)
{
	int p[2], on = 1, off = 0;
	char c;

	ASSERT_EQ(pipe(p), 0);
	EXPECT_EQ(ioctl(p[0], FIONBIO, &on), 0);
	EXPECT_EQ(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	EXPECT_ERRNO(read(p[0], &c, 1), EAGAIN);
	EXPECT_EQ(ioctl(p[0], FIONBIO, &off), 0);
	EXPECT_EQ(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0);
	EXPECT_EQ(ioctl(p[0], FIOCLEX), 0);
	EXPECT_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(ioctl(p[0], FIONCLEX), 0);
	EXPECT_EQ(fcntl(p[0], F_GETFD), 0);
	EXPECT_ERRNO(ioctl(p[0], 0x12345678, &on), ENOTTY);
}

/* --- restricted walks --------------------------------------------------------------------------- */

static int open_how(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

TEST(walk_stays_where_it_is_told)
{
	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(mkdir("d/e", 0755), 0);
	put("d/a", "inside");
	put("a", "outside");
	ASSERT_EQ(symlink("../a", "d/link"), 0);
	ASSERT_EQ(symlink("/a", "d/x"), 0);
	ASSERT_EQ(symlink("a", "d/y"), 0);
	int dir = open("d", O_PATH), fd;
	EXPECT_ERRNO(open_how(dir, "../a", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	EXPECT_ERRNO(open_how(dir, "link", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	EXPECT_ERRNO(open_how(dir, "x", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	EXPECT_ERRNO(open_how(dir, "/a", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	EXPECT((fd = open_how(dir, "e/../a", O_RDONLY, RESOLVE_BENEATH)) >= 0);
	close(fd);
	struct stat inside = stat_of("d/a"), s;
	static const char *const same[] = {"../a", "../../a", "/a", "link", "x", "y", "e/../../a"};
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		fd = open_how(dir, same[i], O_RDONLY, RESOLVE_IN_ROOT);
		ASSERT(fd >= 0);
		ASSERT_EQ(fstat(fd, &s), 0);
		EXPECT_EQ(s.st_ino, inside.st_ino);
		close(fd);
	}
	EXPECT_ERRNO(open_how(dir, "y", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	EXPECT((fd = open_how(dir, "a", O_RDONLY, RESOLVE_NO_SYMLINKS)) >= 0);
	close(fd);
	EXPECT((fd = open_how(dir, "y", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS)) >= 0);
	close(fd);
	ASSERT_EQ(mount("m", "d/e", "tmpfs", 0, NULL), 0);
	EXPECT_ERRNO(open_how(dir, "e", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	EXPECT((fd = open_how(dir, "e", O_RDONLY, RESOLVE_BENEATH)) >= 0);
	EXPECT_ERRNO(open_how(fd, "..", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	close(fd);
	umount2("d/e", MNT_DETACH);
}

TEST(openat2_refuses_what_it_does_not_know)
{
	struct open_how how = {.flags = O_RDONLY};
	struct {
		struct open_how how;
		uint64_t more;
	} large = {.how = {.flags = O_RDONLY}};

	enter();
	put("a", "x");
	EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &how, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &how, 8192), E2BIG);
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, "a", &large, sizeof(large));
	EXPECT(fd >= 0);
	large.more = 1;
	EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &large, sizeof(large)), E2BIG);
	EXPECT_ERRNO(open_how(AT_FDCWD, "a", 1ull << 40, 0), EINVAL);
	EXPECT_ERRNO(open_how(AT_FDCWD, "a", O_RDONLY, 0x100), EINVAL);
	EXPECT_ERRNO(open_how(AT_FDCWD, "a", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
	EXPECT_ERRNO(open_how(AT_FDCWD, "a", O_PATH | O_RDWR, 0), EINVAL);
	how.mode = 0600;
	EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof(how)), EINVAL);
	how.flags = O_CREAT | O_RDWR;
	how.mode = 010600;
	EXPECT_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof(how)), EINVAL);
	how.mode = 0600;
	EXPECT((fd = (int)syscall(SYS_openat2, AT_FDCWD, "b", &how, sizeof(how))) >= 0);
}

/* --- slashes behind names ----------------------------------------------------------------------- */

TEST(slash_behind_a_name_wants_a_directory)
{
	enter();
	put("a", "x");
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(symlink("a", "link"), 0);
	EXPECT_ERRNO(unlink("a/"), ENOTDIR);
	EXPECT_ERRNO(unlink("d/"), EISDIR);
	EXPECT_ERRNO(unlink("none/"), ENOENT);
	EXPECT_ERRNO(unlink("link/"), ENOTDIR);
	EXPECT_ERRNO(symlink("x", "none/"), ENOENT);
	EXPECT_ERRNO(symlink("x", "a/"), EEXIST);
	EXPECT_ERRNO(mknod("none/", S_IFIFO | 0600, 0), ENOENT);
	EXPECT_ERRNO(link("a", "none/"), ENOENT);
	EXPECT_ERRNO(link("a", "d/"), EEXIST);
	EXPECT_ERRNO(rename("a", "none/"), ENOTDIR);
	EXPECT_ERRNO(rename("a/", "none"), ENOTDIR);
	EXPECT_EQ(rename("d", "none/"), 0);
	EXPECT_EQ(mkdir("d/", 0755), 0);
	EXPECT_EQ(rmdir("none/"), 0);
}

/* --- mode and owner ----------------------------------------------------------------------------- */

TEST(chown_clears_setid_bits)
{
	enter();
	put("a", "x");
	ASSERT_EQ(chmod("a", 06755), 0);
	ASSERT_EQ(chown("a", 1, 2), 0);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 0755);
	EXPECT_EQ(stat_of("a").st_uid, 1);
	ASSERT_EQ(chown("a", -1, 3), 0);
	EXPECT_EQ(stat_of("a").st_uid, 1);
	EXPECT_EQ(stat_of("a").st_gid, 3);
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(chmod("d", 06755), 0);
	ASSERT_EQ(chown("d", 1, 2), 0);
	EXPECT_EQ(stat_of("d").st_mode, S_IFDIR | 06755);
	ASSERT_EQ(symlink("a", "link"), 0);
	ASSERT_EQ(lchown("link", 7, 8), 0);
	EXPECT_EQ(stat_of("link").st_uid, 7);
	EXPECT_EQ(stat_of("a").st_uid, 1);
	EXPECT_ERRNO(fchownat(AT_FDCWD, "a", 0, 0, 0x4000), EINVAL);
	EXPECT_ERRNO(chown("none", 0, 0), ENOENT);
	EXPECT_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, "link", 0600, AT_SYMLINK_NOFOLLOW),
		     EOPNOTSUPP);
}

TEST(files_cannot_be_given_away)
{
	gid_t groups[] = {20, 30};

	enter();
	put("a", "x");
	put("b", "x");
	ASSERT_EQ(chown("a", 1000, 10), 0);
	ASSERT_EQ(chmod("a", 04755), 0);
	ASSERT_EQ(setgroups(2, groups), 0);
	ASSERT_EQ(setgid(10), 0);
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(chown("a", 1001, -1), EPERM);
	EXPECT_ERRNO(chown("a", -1, 40), EPERM);
	EXPECT_ERRNO(chown("b", 1000, -1), EPERM);
	EXPECT_ERRNO(chmod("b", 0777), EPERM);
	EXPECT_EQ(chown("a", 1000, 20), 0);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 0755);
	EXPECT_EQ(chmod("a", 02755), 0);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 02755);
	int fd = open("a", O_WRONLY);
	EXPECT_EQ(write(fd, "y", 1), 1);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 0755);
	EXPECT_EQ(fchmod(fd, 04755), 0);
	EXPECT_EQ(ftruncate(fd, 0), 0);
	EXPECT_EQ(stat_of("a").st_mode, S_IFREG | 0755);
}

TEST(directory_hands_its_group_down)
{
	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(chown("d", 0, 50), 0);
	ASSERT_EQ(chmod("d", 02777), 0);
	put("d/a", "x");
	ASSERT_EQ(mkdir("d/e", 0755), 0);
	EXPECT_EQ(stat_of("d/a").st_gid, 50);
	EXPECT_EQ(stat_of("d/a").st_mode, S_IFREG | 0644);
	EXPECT_EQ(stat_of("d/e").st_gid, 50);
	EXPECT_EQ(stat_of("d/e").st_mode, S_IFDIR | 02755);
	ASSERT_EQ(setgid(10), 0);
	ASSERT_EQ(setuid(1000), 0);
	int fd = open("d/b", O_CREAT | O_RDWR, 02755);
	EXPECT(fd >= 0);
	EXPECT_EQ(stat_of("d/b").st_mode, S_IFREG | 0755);
}

TEST(sticky_directory_protects_the_files_of_others)
{
	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(chmod("d", 01777), 0);
	put("d/a", "x");
	put("d/b", "x");
	ASSERT_EQ(chown("d/b", 1000, 1000), 0);
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(unlink("d/a"), EPERM);
	EXPECT_ERRNO(rename("d/a", "d/c"), EPERM);
	EXPECT_ERRNO(rename("d/b", "d/a"), EPERM);
	EXPECT_EQ(rename("d/b", "d/c"), 0);
	EXPECT_EQ(unlink("d/c"), 0);
}

/* --- times -------------------------------------------------------------------------------------- */

TEST(times_are_set_and_kept)
{
	struct timespec t[2] = {{1000, 5}, {2000, 6}};

	enter();
	put("a", "x");
	ASSERT_EQ(utimensat(AT_FDCWD, "a", t, 0), 0);
	EXPECT_EQ(stat_of("a").st_atim.tv_sec, 1000);
	EXPECT_EQ(stat_of("a").st_atim.tv_nsec, 5);
	EXPECT_EQ(stat_of("a").st_mtim.tv_sec, 2000);
	EXPECT_EQ(stat_of("a").st_mtim.tv_nsec, 6);
	EXPECT(stat_of("a").st_ctim.tv_sec != 2000);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_nsec = UTIME_NOW;
	ASSERT_EQ(utimensat(AT_FDCWD, "a", t, 0), 0);
	EXPECT_EQ(stat_of("a").st_atim.tv_sec, 1000);
	EXPECT(stat_of("a").st_mtim.tv_sec != 2000);
	t[1].tv_nsec = UTIME_OMIT;
	EXPECT_EQ(utimensat(AT_FDCWD, "none", t, 0), 0);
	t[1].tv_nsec = 1000000000;
	EXPECT_ERRNO(utimensat(AT_FDCWD, "a", t, 0), EINVAL);
	EXPECT_ERRNO(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	EXPECT_ERRNO(utimensat(AT_FDCWD, "a", NULL, 0x4000), EINVAL);
	int fd = open("a", O_RDONLY);
	t[0].tv_nsec = t[1].tv_nsec = 7;
	EXPECT_EQ(futimens(fd, t), 0);
	EXPECT_EQ(stat_of("a").st_mtim.tv_nsec, 7);
	ASSERT_EQ(symlink("a", "link"), 0);
	t[1].tv_sec = 3000;
	EXPECT_EQ(utimensat(AT_FDCWD, "link", t, AT_SYMLINK_NOFOLLOW), 0);
	EXPECT_EQ(stat_of("link").st_mtim.tv_sec, 3000);
	EXPECT_EQ(stat_of("a").st_mtim.tv_sec, 2000);
}

TEST(times_of_others_are_theirs)
{
	struct timespec t[2] = {{1000, 5}, {2000, 6}};

	enter();
	put("a", "x");
	put("b", "x");
	ASSERT_EQ(chmod("b", 0666), 0);
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(utimensat(AT_FDCWD, "a", t, 0), EPERM);
	EXPECT_ERRNO(utimensat(AT_FDCWD, "a", NULL, 0), EACCES);
	EXPECT_ERRNO(utimensat(AT_FDCWD, "b", t, 0), EPERM);
	EXPECT_EQ(utimensat(AT_FDCWD, "b", NULL, 0), 0);
}

TEST(reading_moves_the_access_time)
{
	struct timespec old[2] = {{1000, 0}, {2000, 0}};
	char c;

	enter();
	put("a", "x");
	ASSERT_EQ(utimensat(AT_FDCWD, "a", old, 0), 0);
	int fd = open("a", O_RDONLY | O_NOATIME);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(stat_of("a").st_atim.tv_sec, 1000);
	close(fd);
	fd = open("a", O_RDONLY);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT(stat_of("a").st_atim.tv_sec > 2000);
}

/* --- statx -------------------------------------------------------------------------------------- */

TEST(statx_tells_what_stat_tells)
{
	struct statx x;

	enter();
	put("a", "hello");
	struct stat s = stat_of("a");
	ASSERT_EQ(statx(AT_FDCWD, "a", 0, STATX_ALL, &x), 0);
	EXPECT_EQ(x.stx_ino, s.st_ino);
	EXPECT_EQ(x.stx_mode, s.st_mode);
	EXPECT_EQ(x.stx_size, 5);
	EXPECT_EQ(x.stx_nlink, 1);
	EXPECT_EQ(makedev(x.stx_dev_major, x.stx_dev_minor), s.st_dev);
	EXPECT_EQ(x.stx_mtime.tv_sec, s.st_mtim.tv_sec);
	EXPECT_EQ(x.stx_mask & (STATX_BASIC_STATS | STATX_BTIME), STATX_BASIC_STATS | STATX_BTIME);
	EXPECT(x.stx_btime.tv_sec > 0 && x.stx_btime.tv_sec <= x.stx_mtime.tv_sec);
	ASSERT_EQ(mknod("e", S_IFCHR | 0600, makedev(300, 1000)), 0);
	ASSERT_EQ(statx(AT_FDCWD, "e", 0, STATX_ALL, &x), 0);
	EXPECT_EQ(x.stx_rdev_major, 300);
	EXPECT_EQ(x.stx_rdev_minor, 1000);
	int fd = open("a", O_PATH);
	ASSERT_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &x), 0);
	EXPECT_EQ(x.stx_size, 5);
	EXPECT_ERRNO(statx(fd, "", 0, STATX_ALL, &x), ENOENT);
	EXPECT_ERRNO(statx(AT_FDCWD, "a", 0, 0x80000000u, &x), EINVAL);
	EXPECT_ERRNO(statx(AT_FDCWD, "a", AT_STATX_SYNC_TYPE, STATX_ALL, &x), EINVAL);
	EXPECT_ERRNO(statx(AT_FDCWD, "none", 0, STATX_ALL, &x), ENOENT);
}

/* --- rename ------------------------------------------------------------------------------------- */

static int rename2(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

TEST(names_are_exchanged)
{
	enter();
	ASSERT_EQ(mkdir("d", 0755), 0);
	ASSERT_EQ(mkdir("e", 0755), 0);
	ASSERT_EQ(mkdir("d/b", 0755), 0);
	put("e/a", "file");
	put("d/b/c", "inner");
	ASSERT_EQ(rename2("d/b", "e/a", RENAME_EXCHANGE), 0);
	EXPECT(S_ISREG(stat_of("d/b").st_mode));
	EXPECT(S_ISDIR(stat_of("e/a").st_mode));
	EXPECT_EQ(access("e/a/c", F_OK), 0);
	EXPECT_EQ(access("e/a/../../d", F_OK), 0);
	EXPECT_EQ(stat_of("d").st_nlink, 2);
	EXPECT_EQ(stat_of("e").st_nlink, 3);
	EXPECT_ERRNO(rename2("d/b", "none", RENAME_EXCHANGE), ENOENT);
	EXPECT_ERRNO(rename2("e", "e/a", RENAME_EXCHANGE), EINVAL);
	EXPECT_ERRNO(rename2("e/a", "e", RENAME_EXCHANGE), EINVAL);
	EXPECT_ERRNO(rename2("d", "e", RENAME_NOREPLACE), EEXIST);
	EXPECT_ERRNO(rename2("d", "e", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	EXPECT_ERRNO(rename2("d", "e", 0x100), EINVAL);
	EXPECT_EQ(rename2("d/b", "d/x", RENAME_NOREPLACE), 0);
	EXPECT_EQ(rename2("d/x", "d/x", RENAME_EXCHANGE), 0);
}

TEST_MAIN()
