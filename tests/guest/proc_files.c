/* SPDX-License-Identifier: MIT */
/*
 * proc_files.c - /proc/PID: memory, and links that lead to what is mapped or open.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/auxv.h>

#include "proc.h"

/* --- maps --------------------------------------------------------------------------------------------------- */

struct map_line {
	unsigned long start, end, offset, inode;
	unsigned major, minor;
	char perms[8], name[256];
};

/* find_map - the line of maps whose range holds addr; false: none. */
static bool find_map(const void *addr, struct map_line *m)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		m->name[0] = 0;
		if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %255[^\n]", &m->start, &m->end,
			   m->perms, &m->offset, &m->major, &m->minor, &m->inode, m->name) < 7)
			break;
		found = (unsigned long)addr >= m->start && (unsigned long)addr < m->end;
	}
	if (f)
		fclose(f);
	return found;
}

static int named_file(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd >= 0 && ftruncate(fd, (off_t)size))
		return -1;
	return fd;
}

TEST(maps_names_and_rights)
{
	char *volatile heap = malloc(1000);
	struct map_line m;
	int local;

	ASSERT(find_map(&find_map, &m));
	EXPECT(!strcmp(m.perms, "r-xp"));
	EXPECT(strstr(m.name, "proc_files") && m.name[0] == '/');
	ASSERT(find_map(&local, &m));
	EXPECT(!strcmp(m.name, "[stack]"));
	EXPECT(!strncmp(m.perms, "rw", 2));
	ASSERT(find_map(heap, &m));
	EXPECT(!strcmp(m.name, "[heap]"));
	char *p = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(find_map(p, &m));
	EXPECT(!strcmp(m.perms, "---p") && !m.name[0] && !m.inode);
	mprotect(p, 4096, PROT_READ);
	ASSERT(find_map(p, &m));
	EXPECT(!strcmp(m.perms, "r--p"));
	EXPECT_EQ(m.end - m.start, 4096);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(find_map(p, &m));
	EXPECT(!strcmp(m.perms, "rw-s") && !strcmp(m.name, "/dev/zero (deleted)"));
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);

	if (vdso) {
		ASSERT(find_map((void *)vdso, &m));
		EXPECT(!strcmp(m.name, "[vdso]"));
	}
}

TEST(maps_of_files)
{
	struct map_line m;
	struct stat st;
	int fd = named_file("/tmp/map me\\x\ny", 16384);
	char *p;

	ASSERT(fd >= 0 && fstat(fd, &st) == 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	ASSERT(p != MAP_FAILED && find_map(p, &m));
	EXPECT_EQ(m.start, (unsigned long)p);
	EXPECT_EQ(m.end - m.start, 8192);
	EXPECT_EQ(m.offset, 4096);
	EXPECT_EQ(m.inode, st.st_ino);
	EXPECT_EQ(m.major << 8 | m.minor, st.st_dev);
	EXPECT(!strcmp(m.name, "/tmp/map me\\x\\012y"));
	unlink("/tmp/map me\\x\ny");
	ASSERT(find_map(p, &m));
	EXPECT(!strcmp(m.name, "/tmp/map me\\x\\012y (deleted)"));
	close(fd);
}

TEST(maps_line_format_is_aligned)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned lines = 0;
	unsigned long last_end = 0;

	ASSERT(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long start, end, offset, inode;
		unsigned major, minor;
		char r, w, x, s;
		int n = 0;

		ASSERT(sscanf(line, "%lx-%lx %c%c%c%c %lx %x:%x %lu %n", &start, &end, &r, &w, &x,
			      &s, &offset, &major, &minor, &inode, &n) == 10);
		EXPECT(start < end && start >= last_end && start % 4096 == 0);
		last_end = end;
		char *name = strpbrk(line + 25, "/[");

		if (name)
			EXPECT_EQ(name - line, 73);
		lines++;
	}
	fclose(f);
	EXPECT(lines >= 5);
}

/* A text of many windows is complete and in order. */
TEST(maps_with_thousands_of_lines)
{
	const unsigned count = 3000;
	char *p = mmap(NULL, count * 8192ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned found = 0;
	char line[512];
	FILE *f;

	ASSERT(p != MAP_FAILED);
	for (unsigned i = 0; i < count; i++)
		ASSERT(mprotect(p + i * 8192ul, 4096, PROT_NONE) == 0);
	f = fopen("/proc/self/maps", "r");
	ASSERT(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long start = strtoul(line, NULL, 16);

		if (start >= (unsigned long)p && start < (unsigned long)p + count * 8192ul) {
			EXPECT_EQ(start, (unsigned long)p + found * 4096ul);
			found++;
		}
	}
	fclose(f);
	EXPECT(found >= 2 * count - 1);
}

TEST(smaps_counts_pages)
{
	char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char head[64], *at;

	ASSERT(p != MAP_FAILED);
	mprotect(p + 32768, 32768, PROT_READ); /* a mapping of its own */
	for (int i = 0; i < 5; i++)
		p[i * 4096] = 1;
	ASSERT(slurp("/proc/self/smaps") > 0);
	snprintf(head, sizeof(head), "%lx-%lx", (unsigned long)p, (unsigned long)p + 32768);
	at = strstr(text, head);
	ASSERT(at);
	memmove(text, at, strlen(at) + 1);
	EXPECT_EQ(number_of("Size"), 32);
	EXPECT_EQ(number_of("Rss"), 20);
	EXPECT_EQ(number_of("Pss"), 20);
	EXPECT_EQ(number_of("Private_Dirty"), 20);
	EXPECT_EQ(number_of("Anonymous"), 20);
	EXPECT_EQ(number_of("Swap"), 0);
	ASSERT(line_of("VmFlags"));
	EXPECT(!strncmp(line_of("VmFlags"), " rd wr mr mw me ", 16));
}

/* --- map_files ------------------------------------------------------------------------------------------------ */

TEST(map_files_link_to_what_is_mapped)
{
	int fd = named_file("/tmp/mapped", 8192), again;
	char path[128], target[64];
	ssize_t n;
	char *p;

	ASSERT(fd >= 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT(p != MAP_FAILED);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)p,
		 (unsigned long)p + 8192);
	n = readlink(path, target, sizeof(target) - 1);
	ASSERT(n > 0);
	target[n] = 0;
	EXPECT(!strcmp(target, "/tmp/mapped"));
	again = open(path, O_RDONLY);
	EXPECT(again >= 0);
	p[3] = 'q';
	EXPECT(pread(again, target, 1, 3) == 1 && target[0] == 'q');
	close(again);
	snprintf(path, sizeof(path), "/proc/self/map_files/ %lx-%lx", (unsigned long)p,
		 (unsigned long)p + 8192);
	EXPECT_ERRNO(readlink(path, target, sizeof(target)), ENOENT);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)p,
		 (unsigned long)p + 4096);
	EXPECT_ERRNO(readlink(path, target, sizeof(target)), ENOENT);
	snprintf(path, sizeof(path), "/proc/self/map_files/0%lx-%lx", (unsigned long)p,
		 (unsigned long)p + 8192);
	EXPECT_ERRNO(readlink(path, target, sizeof(target)), ENOENT);
	munmap(p, 8192);
	close(fd);
}

/* --- fd --------------------------------------------------------------------------------------------------------- */

TEST(fd_links_say_what_is_open)
{
	int fd = named_file("/tmp/linked", 0), fds[2];
	char path[64], target[128];
	struct stat st;
	ssize_t n;

	ASSERT(fd >= 0 && pipe(fds) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	ASSERT(n > 0);
	target[n] = 0;
	EXPECT(!strcmp(target, "/tmp/linked"));
	ASSERT(lstat(path, &st) == 0);
	EXPECT(S_ISLNK(st.st_mode));
	EXPECT_EQ(st.st_mode & 0777, 0700);
	unlink("/tmp/linked");
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	EXPECT(!strcmp(target, "/tmp/linked (deleted)"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	ASSERT(fstat(fds[0], &st) == 0);
	snprintf(text, sizeof(text), "pipe:[%lu]", (unsigned long)st.st_ino);
	EXPECT(!strcmp(target, text));
	ASSERT(lstat(path, &st) == 0);
	EXPECT_EQ(st.st_mode & 0777, 0500);
	ASSERT(stat(path, &st) == 0);
	EXPECT(S_ISFIFO(st.st_mode));
	EXPECT_ERRNO(readlink("/proc/self/fd/1000", target, sizeof(target)), ENOENT);
}

TEST(opening_a_link_opens_the_file_itself)
{
	int fd = named_file("/tmp/reopened", 0), again;
	char path[64], buf[8] = {0};

	ASSERT(fd >= 0 && write(fd, "abc", 3) == 3);
	unlink("/tmp/reopened");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	ASSERT(again >= 0);
	EXPECT_EQ(read(again, buf, sizeof(buf)), 3);
	EXPECT(!strcmp(buf, "abc"));
	EXPECT_ERRNO(write(again, "x", 1), EBADF);
	again = open(path, O_RDWR | O_TRUNC);
	ASSERT(again >= 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 0);
	EXPECT_ERRNO(open(path, O_RDONLY | O_NOFOLLOW), ELOOP);
}

TEST(a_pipe_can_be_opened_again)
{
	char path[64], c = 0;
	int fds[2], writer;

	ASSERT(pipe(fds) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	writer = open(path, O_WRONLY);
	ASSERT(writer >= 0);
	EXPECT_EQ(write(writer, "z", 1), 1);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(c, 'z');
	close(fds[1]);
	EXPECT_EQ(write(writer, "y", 1), 1);
	close(writer);
	EXPECT_EQ(read(fds[0], &c, 1), 1);
	EXPECT_EQ(read(fds[0], &c, 1), 0);
}

TEST(fd_directory_lists_open_descriptors)
{
	bool seen[64] = {0};
	struct dirent *e;
	DIR *d = opendir("/proc/self/fd");
	int dup_at = dup2(0, 40);

	ASSERT(d && dup_at == 40);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) < 64) {
			seen[atoi(e->d_name)] = true;
			EXPECT_EQ(e->d_type, DT_LNK);
		}
	EXPECT(seen[0] && seen[1] && seen[2] && seen[40] && seen[dirfd(d)] && !seen[41]);
	closedir(d);
}

TEST(fdinfo_tells_position_and_flags)
{
	int fd = named_file("/tmp/fdinfo", 100);
	char path[64];
	unsigned flags;

	ASSERT(fd >= 0);
	lseek(fd, 42, SEEK_SET);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ASSERT(slurp(path) > 0);
	EXPECT_EQ(number_of("pos"), 42);
	ASSERT(line_of("flags") && sscanf(line_of("flags"), "%o", &flags) == 1);
	EXPECT_EQ(flags & O_ACCMODE, O_RDWR);
	EXPECT(flags & O_CLOEXEC);
	EXPECT(number_of("mnt_id") > 0);
	EXPECT_EQ(slurp("/proc/self/fdinfo/999"), -ENOENT);
}

TEST(exe_cwd_root_lead_there)
{
	char target[256], cwd[256];
	struct stat a, b;
	ssize_t n = readlink("/proc/self/exe", target, sizeof(target) - 1);

	ASSERT(n > 0);
	target[n] = 0;
	EXPECT(strstr(target, "proc_files"));
	ASSERT(stat("/proc/self/exe", &a) == 0 && stat(target, &b) == 0);
	EXPECT(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	ASSERT(chdir("/tmp") == 0 && getcwd(cwd, sizeof(cwd)));
	n = readlink("/proc/self/cwd", target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	EXPECT(!strcmp(target, cwd));
	close(named_file("/tmp/beside", 0));
	EXPECT_EQ(access("/proc/self/cwd/beside", F_OK), 0);
	EXPECT_EQ(access("/proc/self/cwd/../tmp/beside", F_OK), 0);
	n = readlink("/proc/self/root", target, sizeof(target) - 1);
	EXPECT(n == 1 && target[0] == '/');
}

/* --- mem ---------------------------------------------------------------------------------------------------------- */

TEST(mem_reads_and_writes_memory)
{
	int fd = open("/proc/self/mem", O_RDWR);
	char here[64] = "in the stack", buf[64];
	char *hole = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(fd >= 0);
	EXPECT_EQ(pread(fd, buf, 13, (off_t)(uintptr_t)here), 13);
	EXPECT(!strcmp(buf, here));
	EXPECT_EQ(pwrite(fd, "IN", 2, (off_t)(uintptr_t)here), 2);
	EXPECT(!strcmp(here, "IN the stack"));
	munmap(hole + 4096, 4096);
	EXPECT_EQ(pread(fd, buf, 64, (off_t)(uintptr_t)hole + 4096 - 16), 16);
	EXPECT_ERRNO(pread(fd, buf, 64, (off_t)(uintptr_t)hole + 4096), EIO);
	EXPECT_ERRNO(pread(fd, buf, 1, 0), EIO);
	EXPECT_EQ(lseek(fd, (off_t)(uintptr_t)here, SEEK_SET), (off_t)(uintptr_t)here);
	EXPECT_EQ(read(fd, buf, 2), 2);
	EXPECT(!memcmp(buf, "IN", 2));
	close(fd);
}

TEST(mem_of_a_child)
{
	static volatile int shared_by_fork = 1234;
	char path[64];
	int fd, value = 0, status;
	pid_t pid = fork();

	if (!pid) {
		while (shared_by_fork == 1234)
			usleep(1000);
		_exit(shared_by_fork != 4321);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	ASSERT(fd >= 0);
	EXPECT_EQ(pread(fd, &value, 4, (off_t)(uintptr_t)&shared_by_fork), 4);
	EXPECT_EQ(value, 1234);
	value = 4321;
	EXPECT_EQ(pwrite(fd, &value, 4, (off_t)(uintptr_t)&shared_by_fork), 4);
	ASSERT(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(shared_by_fork, 1234);
	EXPECT_EQ(pread(fd, &value, 4, (off_t)(uintptr_t)&shared_by_fork), 0);
	close(fd);
}

TEST_MAIN()
