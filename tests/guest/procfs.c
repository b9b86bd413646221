/* SPDX-License-Identifier: MIT */
/*
 * procfs.c - /proc: formats field by field, agreement with system calls, links that lead to files, permissions,
 * and readers that race with fork, exec and exit.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "ktap.h"

static char text[65536];

__attribute__((constructor(101))) static void mount_proc(void)
{
	mkdir("/proc", 0555);
	mkdir("/tmp", 0777);
	if (access("/proc/self", F_OK))
		mount("proc", "/proc", "proc", 0, NULL);
}

/* slurp - the whole of a file, terminated; its length, or -errno. */
static ssize_t slurp_into(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	n = n < 0 ? -errno : (ssize_t)len;
	buf[len] = 0;
	close(fd);
	return n;
}

static ssize_t slurp(const char *path)
{
	return slurp_into(path, text, sizeof(text));
}

/* line_of - the value behind "Name:" at the start of a line, NULL when there is none. */
static const char *line_of(const char *name)
{
	size_t n = strlen(name);

	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (!strncmp(s, name, n) && s[n] == ':')
			return s + n + 1;
	}
	return NULL;
}

static long number_of(const char *name)
{
	const char *s = line_of(name);

	return s ? strtol(s, NULL, 0) : -1;
}

static bool write_file(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, s, strlen(s)) == (ssize_t)strlen(s);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* --- the file system ----------------------------------------------------------------------------------- */

TEST(proc_is_proc)
{
	struct statfs st;
	struct stat s;

	ASSERT(statfs("/proc", &st) == 0);
	EXPECT_EQ(st.f_type, 0x9fa0);
	ASSERT(stat("/proc", &s) == 0);
	EXPECT(S_ISDIR(s.st_mode));
	EXPECT_EQ(s.st_mode & 07777, 0555);
	EXPECT_ERRNO(mkdir("/proc/x", 0777), ENOENT);
	EXPECT_ERRNO(open("/proc/x", O_CREAT | O_RDWR, 0777), ENOENT);
	EXPECT_ERRNO(open("/proc/99999999", O_RDONLY), ENOENT);
	EXPECT_ERRNO(open("/proc/01", O_RDONLY), ENOENT);
}

TEST(self_is_us)
{
	char link[64], expected[64];
	ssize_t n = readlink("/proc/self", link, sizeof(link) - 1);

	ASSERT(n > 0);
	link[n] = 0;
	EXPECT_EQ(atoi(link), getpid());
	n = readlink("/proc/thread-self", link, sizeof(link) - 1);
	ASSERT(n > 0);
	link[n] = 0;
	snprintf(expected, sizeof(expected), "%d/task/%d", getpid(), (int)syscall(SYS_gettid));
	EXPECT(!strcmp(link, expected));
}

TEST(directory_lists_us_and_files)
{
	bool found_self = false, found_pid = false, found_meminfo = false;
	DIR *d = opendir("/proc");
	struct dirent *e;
	int last = 0;

	ASSERT(d);
	while ((e = readdir(d))) {
		int pid = atoi(e->d_name);

		found_self |= !strcmp(e->d_name, "self") && e->d_type == DT_LNK;
		found_meminfo |= !strcmp(e->d_name, "meminfo") && e->d_type == DT_REG;
		if (pid) {
			EXPECT(pid > last);
			EXPECT_EQ(e->d_type, DT_DIR);
			last = pid;
			found_pid |= pid == getpid();
		}
	}
	closedir(d);
	EXPECT(found_self && found_pid && found_meminfo);
}

TEST(every_file_of_ours_can_be_read)
{
	DIR *d = opendir("/proc/self");
	struct dirent *e;
	char path[300];
	unsigned files = 0;

	ASSERT(d);
	while ((e = readdir(d))) {
		if (e->d_type != DT_REG || !strcmp(e->d_name, "mem") ||
		    !strcmp(e->d_name, "clear_refs"))
			continue;
		snprintf(path, sizeof(path), "/proc/self/%s", e->d_name);
		ssize_t n = slurp(path);

		if (n < 0 && n != -EACCES && n != -EINVAL && n != -EPERM)
			ktap_note("%s: error %zd", path, n);
		files += n >= 0;
	}
	closedir(d);
	EXPECT(files >= 15);
}

/* --- reading and seeking --------------------------------------------------------------------------------- */

TEST(reading_piecewise_gives_the_same_text)
{
	static char whole[4096], pieces[4096];
	ssize_t n = slurp_into("/proc/self/limits", whole, sizeof(whole)), len = 0, got;
	int fd = open("/proc/self/limits", O_RDONLY);

	ASSERT(n > 100 && fd >= 0);
	while ((got = read(fd, pieces + len, 7)) > 0)
		len += got;
	EXPECT_EQ(len, n);
	EXPECT(!memcmp(whole, pieces, (size_t)n));
	EXPECT_EQ(pread(fd, pieces, 10, 5), 10);
	EXPECT(!memcmp(whole + 5, pieces, 10));
	EXPECT_EQ(lseek(fd, 20, SEEK_SET), 20);
	EXPECT_EQ(read(fd, pieces, 10), 10);
	EXPECT(!memcmp(whole + 20, pieces, 10));
	EXPECT_EQ(lseek(fd, -10, SEEK_CUR), 20);
	EXPECT_EQ(pread(fd, pieces, 10, 100000), 0);
	EXPECT_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	EXPECT_ERRNO(write(fd, "x", 1), EBADF);
	close(fd);
}

TEST(rewinding_asks_again)
{
	char buf[64];
	int fd = open("/proc/self/comm", O_RDONLY);

	ASSERT(fd >= 0);
	prctl(PR_SET_NAME, "first");
	ASSERT(read(fd, buf, sizeof(buf)) == 6);
	EXPECT(!memcmp(buf, "first\n", 6));
	prctl(PR_SET_NAME, "second");
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 0);
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(read(fd, buf, sizeof(buf)), 7);
	EXPECT(!memcmp(buf, "second\n", 7));
	close(fd);
}

/* --- stat, status, statm ---------------------------------------------------------------------------------- */

struct stat_fields {
	int pid;
	char comm[32], state;
	long long field[53]; /* from 4 on, numbered as in proc(5) */
};

static bool parse_stat(const char *path, struct stat_fields *f)
{
	ssize_t n = slurp(path);
	char *open_paren = n > 0 ? strchr(text, '(') : NULL;
	char *close_paren = n > 0 ? strrchr(text, ')') : NULL;
	char *s;

	if (!open_paren || !close_paren)
		return false;
	f->pid = atoi(text);
	*close_paren = 0;
	snprintf(f->comm, sizeof(f->comm), "%s", open_paren + 1);
	f->state = close_paren[2];
	s = close_paren + 3;
	for (int i = 4; i <= 52; i++) {
		char *end;

		f->field[i] = (long long)strtoull(s, &end, 10);
		if (end == s || *s != ' ')
			return false;
		s = end;
	}
	return *s == '\n' && !s[1];
}

TEST(stat_has_52_fields_that_are_true)
{
	struct stat_fields f;
	struct sysinfo si;
	struct rusage ru;

	prctl(PR_SET_NAME, "a (b) c");
	ASSERT(parse_stat("/proc/self/stat", &f));
	EXPECT_EQ(f.pid, getpid());
	EXPECT(!strcmp(f.comm, "a (b) c"));
	EXPECT_EQ(f.state, 'R');
	EXPECT_EQ(f.field[4], getppid());
	EXPECT_EQ(f.field[5], getpgrp());
	EXPECT_EQ(f.field[6], getsid(0));
	EXPECT_EQ(f.field[18], 20);
	EXPECT_EQ(f.field[19], 0);
	EXPECT_EQ(f.field[20], 1);
	EXPECT_EQ(f.field[38], SIGCHLD);
	EXPECT(f.field[39] >= 0 && f.field[39] < 64);
	sysinfo(&si);
	EXPECT(f.field[22] / 100 <= si.uptime + 1);
	getrusage(RUSAGE_SELF, &ru);
	EXPECT(f.field[14] / 100 <= ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + 1);
	EXPECT(f.field[23] > 4096 && f.field[23] % 4096 == 0);
	EXPECT(f.field[24] > 0 && f.field[24] * 4096 <= f.field[23]);
	EXPECT((long long)(uintptr_t)&parse_stat >= f.field[26] &&
	       (long long)(uintptr_t)&parse_stat < f.field[27]);
	EXPECT((long long)(uintptr_t)&f < f.field[28]);
	EXPECT((long long)(uintptr_t)&text >= f.field[45]);
	EXPECT(f.field[48] < f.field[49] && f.field[49] <= f.field[50]);
	EXPECT(f.field[47] <= (long long)(uintptr_t)sbrk(0));
}

TEST(state_of_others)
{
	struct stat_fields f;
	char path[64];
	int status;
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 1000; i++) {
		ASSERT(parse_stat(path, &f));
		if (f.state == 'S')
			break;
		ktap_sleep_ns(1000000);
	}
	EXPECT_EQ(f.state, 'S');
	kill(pid, SIGSTOP);
	ASSERT(waitpid(pid, &status, WUNTRACED) == pid);
	ASSERT(parse_stat(path, &f));
	EXPECT_EQ(f.state, 'T');
	EXPECT_EQ(f.field[4], getpid());
	kill(pid, SIGKILL);
	siginfo_t info;

	ASSERT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	ASSERT(parse_stat(path, &f));
	EXPECT_EQ(f.state, 'Z');
	EXPECT(!strcmp(f.comm, "procfs"));
	EXPECT_EQ(f.field[23], 0);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	EXPECT_EQ(slurp(path), 0);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	EXPECT_EQ(slurp(path), 0);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	EXPECT_ERRNO(readlink(path, text, sizeof(text)), ENOENT);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	ASSERT(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(slurp(path), -ENOENT);
}

TEST(status_agrees_with_calls)
{
	unsigned real, effective, saved, fs;
	sigset_t set;

	umask(027);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGHUP, SIG_IGN);
	ASSERT(slurp("/proc/self/status") > 0);
	ASSERT(line_of("Name"));
	EXPECT(!strncmp(line_of("Name"), "\tprocfs\n", 8));
	EXPECT(!strncmp(line_of("Umask"), "\t0027\n", 6));
	EXPECT(!strncmp(line_of("State"), "\tR (running)\n", 13));
	EXPECT_EQ(number_of("Tgid"), getpid());
	EXPECT_EQ(number_of("Pid"), getpid());
	EXPECT_EQ(number_of("PPid"), getppid());
	EXPECT_EQ(number_of("TracerPid"), 0);
	EXPECT_EQ(number_of("Threads"), 1);
	EXPECT(number_of("FDSize") >= 3);
	ASSERT(sscanf(line_of("Uid"), "%u %u %u %u", &real, &effective, &saved, &fs) == 4);
	EXPECT(real == getuid() && effective == geteuid());
	EXPECT_EQ(strtoull(line_of("SigBlk"), NULL, 16), 1ull << (SIGUSR1 - 1));
	EXPECT(strtoull(line_of("SigIgn"), NULL, 16) & 1ull << (SIGHUP - 1));
	EXPECT_EQ(strtoull(line_of("SigPnd"), NULL, 16) | strtoull(line_of("ShdPnd"), NULL, 16),
		  1ull << (SIGUSR1 - 1));
	EXPECT(strtoull(line_of("CapEff"), NULL, 16) & 1);
	EXPECT_EQ(number_of("NoNewPrivs"), 0);
	EXPECT_EQ(number_of("Seccomp"), 0);
	EXPECT(line_of("Cpus_allowed") && line_of("Cpus_allowed_list") && line_of("VmSwap"));
	EXPECT(line_of("voluntary_ctxt_switches") && line_of("nonvoluntary_ctxt_switches"));
}

TEST(memory_numbers_follow_mappings)
{
	const size_t size = 8 << 20;
	long before, rss, data, peak;
	char *p;

	ASSERT(slurp("/proc/self/status") > 0);
	before = number_of("VmSize");
	rss = number_of("VmRSS");
	data = number_of("VmData");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(p != MAP_FAILED);
	madvise(p, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size / 2; i += 4096)
		p[i] = 1;
	ASSERT(slurp("/proc/self/status") > 0);
	EXPECT_EQ(number_of("VmSize"), before + (long)(size >> 10));
	EXPECT_EQ(number_of("VmData"), data + (long)(size >> 10));
	EXPECT(number_of("VmRSS") >= rss + 4000 && number_of("VmRSS") <= rss + 4600);
	EXPECT_EQ(number_of("VmRSS"),
		  number_of("RssAnon") + number_of("RssFile") + number_of("RssShmem"));
	EXPECT(number_of("VmPTE") > 0 && number_of("VmStk") > 0 && number_of("VmExe") > 0);
	munmap(p, size);
	ASSERT(slurp("/proc/self/status") > 0);
	EXPECT_EQ(number_of("VmSize"), before);
	peak = number_of("VmPeak");
	EXPECT(peak >= before + (long)(size >> 10));
	EXPECT(number_of("VmHWM") >= rss + 4000);
	EXPECT(number_of("VmRSS") < rss + 600);

	long pages, resident, shared, code, lib, dirty;

	ASSERT(slurp("/proc/self/statm") > 0);
	ASSERT(sscanf(text, "%ld %ld %ld %ld %ld %ld", &pages, &resident, &shared, &code, &lib,
		      &dirty) == 6);
	EXPECT_EQ(pages * 4, before);
	EXPECT(resident > 0 && resident < pages && shared >= 0 && code > 0);
}

/* --- command line, environment, auxiliary vector ------------------------------------------------------------ */

TEST(cmdline_environ_auxv_of_a_fresh_program)
{
	char *argv[] = {"/proc/self/exe", "one", "", "two words", NULL};
	char *envp[] = {"PROCFS_ENV=1", "B=2", "STOP=1", NULL};
	int status, fds[2];
	pid_t pid;

	ASSERT(pipe(fds) == 0);
	pid = fork();
	if (!pid) {
		dup2(fds[0], 0);
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	for (int i = 0; i < 2000; i++) {
		if (slurp(path) > 0 && !strncmp(text, "PROCFS_ENV=1", 12))
			break;
		ktap_sleep_ns(1000000);
	}
	EXPECT_EQ(slurp(path), 24);
	EXPECT(!memcmp(text, "PROCFS_ENV=1\0B=2\0STOP=1\0", 24));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	EXPECT_EQ(slurp(path), 30);
	EXPECT(!memcmp(text, "/proc/self/exe\0one\0\0two words\0", 30));
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	EXPECT_EQ(slurp(path), 4);
	EXPECT(!strcmp(text, "exe\n"));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* The program that the claim above starts: waits to be killed, before any test runs. */
__attribute__((constructor(102))) static void be_the_fresh_program(void)
{
	if (getenv("STOP"))
		for (;;)
			pause();
}

TEST(auxv_is_what_the_program_got)
{
	unsigned long v[2];
	bool pagesz = false, entry = false;
	int fd = open("/proc/self/auxv", O_RDONLY);

	ASSERT(fd >= 0);
	while (read(fd, v, sizeof(v)) == sizeof(v) && v[0] != AT_NULL) {
		pagesz |= v[0] == AT_PAGESZ && v[1] == 4096;
		entry |= v[0] == AT_ENTRY && v[1] == getauxval(AT_ENTRY);
	}
	EXPECT(pagesz && entry);
	EXPECT_EQ(v[0], AT_NULL);
	close(fd);
}

TEST(comm_can_be_written_by_its_process)
{
	char name[17] = {0};
	int status;
	char path[64];

	ASSERT(write_file("/proc/self/comm", "written"));
	prctl(PR_GET_NAME, name);
	EXPECT(!strcmp(name, "written"));
	ASSERT(write_file("/proc/self/comm", "a name that is much too long"));
	prctl(PR_GET_NAME, name);
	EXPECT(!strcmp(name, "a name that is "));
	snprintf(path, sizeof(path), "/proc/%d/comm", getpid());
	if (!fork())
		_exit(write_file(path, "x") || errno != EINVAL);
	wait(&status);
	EXPECT_EQ(status, 0);
}

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
	EXPECT(strstr(m.name, "procfs") && m.name[0] == '/');
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
	if (writer < 0 && errno == ENXIO)
		SKIP("pipes cannot be opened again");
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
	EXPECT(strstr(target, "procfs"));
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

/* --- threads -------------------------------------------------------------------------------------------------------- */

static void *wait_for_end(void *tid)
{
	*(volatile pid_t *)tid = (pid_t)syscall(SYS_gettid);
	prctl(PR_SET_NAME, "worker");
	for (;;)
		pause();
	return NULL;
}

TEST(task_lists_threads)
{
	volatile pid_t tid = 0;
	char path[96];
	pthread_t thread;
	unsigned n = 0;
	struct dirent *e;
	bool found = false;

	ASSERT(pthread_create(&thread, NULL, wait_for_end, (void *)&tid) == 0);
	while (!tid)
		usleep(1000);
	DIR *d = opendir("/proc/self/task");

	ASSERT(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			n++;
			found |= atoi(e->d_name) == tid;
		}
	closedir(d);
	EXPECT_EQ(n, 2);
	EXPECT(found);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	for (int i = 0; i < 1000 && (slurp(path) <= 0 || strcmp(text, "worker\n")); i++)
		usleep(1000);
	EXPECT(!strcmp(text, "worker\n"));
	ASSERT(write_file(path, "renamed"));
	ASSERT(slurp(path) > 0);
	EXPECT(!strcmp(text, "renamed\n"));
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	ASSERT(slurp(path) > 0);
	EXPECT_EQ(number_of("Pid"), tid);
	EXPECT_EQ(number_of("Tgid"), getpid());
	EXPECT_EQ(number_of("Threads"), 2);
	/* Not listed, but found. */
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	ASSERT(slurp(path) > 0);
	EXPECT_EQ(number_of("Pid"), tid);
	EXPECT_EQ(slurp("/proc/self/task/1/status"), getpid() == 1 ? 0 : -ENOENT);
}

TEST(children_are_listed)
{
	char path[96];
	int status;
	pid_t a = fork();

	if (!a)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	ssize_t n = slurp(path);

	if (n == -ENOENT)
		SKIP("no children file");
	EXPECT(n > 0 && atoi(text) == a && text[n - 1] == ' ');
	kill(a, SIGKILL);
	waitpid(a, &status, 0);
	EXPECT_EQ(slurp(path), 0);
}

/* --- other files of a process ------------------------------------------------------------------------------------------ */

TEST(limits_agree_with_getrlimit)
{
	struct rlimit r = {.rlim_cur = 77, .rlim_max = 88};
	unsigned long soft, hard;
	char *at;

	ASSERT(setrlimit(RLIMIT_NOFILE, &r) == 0);
	ASSERT(slurp("/proc/self/limits") > 0);
	EXPECT(!strncmp(
		text,
		"Limit                     Soft Limit           Hard Limit           Units     \n",
		79));
	at = strstr(text, "Max open files            ");
	ASSERT(at && sscanf(at + 26, "%lu %lu", &soft, &hard) == 2);
	EXPECT(soft == 77 && hard == 88);
	EXPECT(strstr(text, "Max core file size        "));
	EXPECT(strstr(text, "unlimited            unlimited            seconds   \n"));
}

TEST(oom_score_adj_can_be_written)
{
	int status;

	ASSERT(write_file("/proc/self/oom_score_adj", "500\n"));
	ASSERT(slurp("/proc/self/oom_score_adj") > 0);
	EXPECT_EQ(atoi(text), 500);
	EXPECT(!write_file("/proc/self/oom_score_adj", "1001") && errno == EINVAL);
	EXPECT(!write_file("/proc/self/oom_score_adj", "x") && errno == EINVAL);
	ASSERT(slurp("/proc/self/oom_score") > 0);
	EXPECT(atoi(text) >= 900);
	if (!fork()) {
		bool inherited = slurp("/proc/self/oom_score_adj") > 0 && atoi(text) == 500;

		_exit(!inherited || setuid(65534) || write_file("/proc/self/oom_score_adj", "-1"));
	}
	wait(&status);
	EXPECT_EQ(status, 0);
}

TEST(mounts_show_proc)
{
	ASSERT(slurp("/proc/mounts") > 0);
	EXPECT(strstr(text, " /proc proc rw"));
	ASSERT(slurp("/proc/self/mountinfo") > 0);
	char *at = strstr(text, " /proc ");
	unsigned id, parent, major, minor;

	ASSERT(at);
	while (at > text && at[-1] != '\n')
		at--;
	EXPECT_EQ(sscanf(at, "%u %u %u:%u / /proc rw", &id, &parent, &major, &minor), 4);
	EXPECT(strstr(at, " - proc "));
	mkdir("/tmp/a b", 0755);
	if (mount("none", "/tmp/a b", "tmpfs", MS_NOSUID | MS_NOEXEC, NULL))
		SKIP("cannot mount tmpfs");
	ASSERT(slurp("/proc/self/mounts") > 0);
	EXPECT(strstr(text, "none /tmp/a\\040b tmpfs rw,nosuid,noexec,relatime"));
	umount("/tmp/a b");
	ASSERT(slurp("/proc/self/mounts") > 0);
	EXPECT(!strstr(text, "/tmp/a\\040b"));
}

/* --- the system --------------------------------------------------------------------------------------------------------- */

TEST(meminfo_adds_up)
{
	struct sysinfo si;
	long total, free_before, free_after, anon, anon_after;
	char *p;

	ASSERT(slurp("/proc/meminfo") > 0);
	EXPECT(!strncmp(text, "MemTotal:  ", 11));
	total = number_of("MemTotal");
	free_before = number_of("MemFree");
	anon = number_of("AnonPages");
	sysinfo(&si);
	EXPECT_EQ(total, si.totalram * si.mem_unit / 1024);
	EXPECT(free_before > 0 && free_before < total);
	EXPECT(number_of("MemAvailable") > 0 && number_of("MemAvailable") <= total);
	EXPECT(number_of("SwapTotal") >= 0 && number_of("Cached") > 0 && number_of("Shmem") >= 0);
	EXPECT(number_of("Slab") > 0 && number_of("KernelStack") > 0 &&
	       number_of("PageTables") > 0);
	EXPECT(number_of("CommitLimit") > 0 && number_of("Committed_AS") > 0);
	EXPECT_EQ(number_of("HugePages_Total"), 0);
	p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < 16 << 20; i += 4096)
		p[i] = 1;
	ASSERT(slurp("/proc/meminfo") > 0);
	free_after = number_of("MemFree");
	anon_after = number_of("AnonPages");
	/* What ended before us may still be freed meanwhile. */
	EXPECT(free_before - free_after > 8000);
	EXPECT(anon_after - anon > 15000 && anon_after - anon < 18000);
}

TEST(stat_of_the_system)
{
	unsigned long user, nice, system, idle, processes, again;
	char *at;

	ASSERT(slurp("/proc/stat") > 0);
	ASSERT(sscanf(text, "cpu  %lu %lu %lu %lu", &user, &nice, &system, &idle) == 4);
	EXPECT(strstr(text, "\ncpu0 "));
	EXPECT(strstr(text, "\nintr ") && strstr(text, "\nctxt ") && strstr(text, "\nbtime "));
	EXPECT(strstr(text, "\nprocs_running ") && strstr(text, "\nprocs_blocked "));
	at = strstr(text, "\nprocesses ");
	ASSERT(at && sscanf(at, " processes %lu", &processes) == 1);
	if (!fork())
		_exit(0);
	wait(NULL);
	ASSERT(slurp("/proc/stat") > 0);
	at = strstr(text, "\nprocesses ");
	ASSERT(at && sscanf(at, " processes %lu", &again) == 1);
	EXPECT(again > processes);
}

TEST(uptime_loadavg_version_cmdline)
{
	double up, idle, load[3];
	unsigned running, threads;
	int last;
	struct utsname uts;
	struct timespec ts;

	ASSERT(slurp("/proc/uptime") > 0);
	ASSERT(sscanf(text, "%lf %lf\n", &up, &idle) == 2);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	EXPECT(up > 0 && up <= (double)ts.tv_sec + 1 && idle >= 0);
	ASSERT(slurp("/proc/loadavg") > 0);
	ASSERT(sscanf(text, "%lf %lf %lf %u/%u %d\n", &load[0], &load[1], &load[2], &running,
		      &threads, &last) == 6);
	EXPECT(running >= 1 && threads >= running && last > 0);
	uname(&uts);
	ASSERT(slurp("/proc/version") > 0);
	EXPECT(!strncmp(text, "Linux version ", 14) &&
	       !strncmp(text + 14, uts.release, strlen(uts.release)));
	ASSERT(slurp("/proc/cmdline") > 0);
	EXPECT(strchr(text, '\n') == text + strlen(text) - 1);
	ASSERT(slurp("/proc/cpuinfo") > 0);
	EXPECT(!strncmp(text, "processor\t: 0\n", 14));
	ASSERT(slurp("/proc/filesystems") > 0);
	EXPECT(strstr(text, "nodev\tproc\n") && strstr(text, "nodev\ttmpfs\n"));
	ASSERT(slurp("/proc/devices") > 0);
	EXPECT(strstr(text, "Character devices:\n") && strstr(text, "  1 mem\n"));
}

TEST(sysctl_values)
{
	struct utsname uts;
	char first[64];

	uname(&uts);
	ASSERT(slurp("/proc/sys/kernel/ostype") > 0);
	EXPECT(!strcmp(text, "Linux\n"));
	ASSERT(slurp("/proc/sys/kernel/osrelease") > 0);
	EXPECT(!strncmp(text, uts.release, strlen(uts.release)));
	ASSERT(slurp("/proc/sys/kernel/pid_max") > 0);
	EXPECT(atoi(text) >= 32768);
	ASSERT(slurp("/proc/sys/kernel/ngroups_max") > 0);
	EXPECT_EQ(atoi(text), 65536);
	ASSERT(slurp("/proc/sys/kernel/cap_last_cap") > 0);
	EXPECT_EQ(atoi(text), 40);
	ASSERT(slurp("/proc/sys/vm/max_map_count") > 0);
	EXPECT(atoi(text) >= 65530);
	ASSERT(slurp("/proc/sys/kernel/random/boot_id") == 37);
	memcpy(first, text, 38);
	ASSERT(slurp("/proc/sys/kernel/random/boot_id") == 37);
	EXPECT(!strcmp(first, text));
	ASSERT(slurp("/proc/sys/kernel/random/uuid") == 37);
	EXPECT(strcmp(first, text) && text[14] == '4');
	EXPECT(open("/proc/sys/kernel/ostype", O_WRONLY) < 0 || geteuid() == 0);
}

TEST(hostname_can_be_written)
{
	struct utsname uts;
	char old[65];

	ASSERT(gethostname(old, sizeof(old)) == 0);
	ASSERT(write_file("/proc/sys/kernel/hostname", "written-here\n"));
	uname(&uts);
	EXPECT(!strcmp(uts.nodename, "written-here"));
	ASSERT(slurp("/proc/sys/kernel/hostname") > 0);
	EXPECT(!strcmp(text, "written-here\n"));
	ASSERT(sethostname("by-call", 7) == 0);
	ASSERT(slurp("/proc/sys/kernel/hostname") > 0);
	EXPECT(!strcmp(text, "by-call\n"));
	EXPECT_ERRNO(sethostname(old, 65), EINVAL);
	sethostname(old, strlen(old));
}

/* --- permissions --------------------------------------------------------------------------------------------------------- */

static void as_nobody(void *arg)
{
	char path[64], buf[64];
	pid_t parent = *(pid_t *)arg;
	struct stat st;

	ASSERT(setgid(65534) == 0 && setuid(65534) == 0);
	/* What is everybody's. */
	snprintf(path, sizeof(path), "/proc/%d/stat", parent);
	EXPECT(slurp(path) > 0);
	snprintf(path, sizeof(path), "/proc/%d/status", parent);
	EXPECT(slurp(path) > 0);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", parent);
	EXPECT(slurp(path) >= 0);
	/* What is not. */
	snprintf(path, sizeof(path), "/proc/%d/maps", parent);
	EXPECT_EQ(slurp(path), -EACCES);
	snprintf(path, sizeof(path), "/proc/%d/environ", parent);
	EXPECT_EQ(slurp(path), -EACCES);
	snprintf(path, sizeof(path), "/proc/%d/mem", parent);
	EXPECT_EQ(slurp(path), -EACCES);
	snprintf(path, sizeof(path), "/proc/%d/exe", parent);
	EXPECT_ERRNO(readlink(path, buf, sizeof(buf)), EACCES);
	snprintf(path, sizeof(path), "/proc/%d/fd", parent);
	EXPECT(!opendir(path) && errno == EACCES);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", parent);
	EXPECT_ERRNO(readlink(path, buf, sizeof(buf)), EACCES);
	snprintf(path, sizeof(path), "/proc/%d/comm", parent);
	EXPECT_ERRNO(open(path, O_WRONLY), EACCES);
	snprintf(path, sizeof(path), "/proc/%d", parent);
	ASSERT(stat(path, &st) == 0);
	EXPECT_EQ(st.st_uid, 0);
}

TEST(others_see_only_what_is_for_all)
{
	pid_t self = getpid();

	EXPECT_CHILD_OK(as_nobody, &self);
}

static void nobody_and_dumpable(void *arg)
{
	struct stat st;

	(void)arg;
	ASSERT(setgid(65534) == 0 && setuid(65534) == 0);
	/* A change of user makes undumpable: what is in our directory is root's. */
	ASSERT(stat("/proc/self/stat", &st) == 0);
	EXPECT_EQ(st.st_uid, 0);
	EXPECT_EQ(slurp("/proc/self/environ"), -EACCES);
	prctl(PR_SET_DUMPABLE, 1);
	ASSERT(stat("/proc/self/stat", &st) == 0);
	EXPECT_EQ(st.st_uid, 65534);
	EXPECT(slurp("/proc/self/environ") >= 0);
	EXPECT(slurp("/proc/self/maps") > 0);
	EXPECT_ERRNO(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
}

TEST(owner_follows_dumpable)
{
	EXPECT_CHILD_OK(nobody_and_dumpable, NULL);
}

/* A file opened before exec shows nothing of the program after it. */
TEST(maps_opened_before_exec_are_of_the_old_memory)
{
	char *argv[] = {"fresh", NULL}, *envp[] = {"STOP=1", NULL}, path[64];
	int fd, status;
	pid_t pid = fork();

	if (!pid) {
		raise(SIGSTOP);
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	ASSERT(waitpid(pid, &status, WUNTRACED) == pid);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY);
	ASSERT(fd >= 0);
	EXPECT(read(fd, text, 100) > 0);
	kill(pid, SIGCONT);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	for (int i = 0; i < 3000 && (slurp(path) < 0 || strcmp(text, "fresh")); i++)
		usleep(1000);
	EXPECT(!strcmp(text, "fresh"));
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(read(fd, text, 100), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* --- races ------------------------------------------------------------------------------------------------------------------ */

static volatile bool *stop_flag;

static void churn(void)
{
	while (!*stop_flag) {
		pid_t pid = fork();

		if (!pid) {
			char *argv[] = {"churn", NULL}, *envp[] = {"QUICK=1", NULL};

			execve("/proc/self/exe", argv, envp);
			_exit(1);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	_exit(0);
}

__attribute__((constructor(103))) static void be_quick(void)
{
	if (getenv("QUICK"))
		_exit(0);
}

static void read_everything(const char *dir)
{
	static const char *const files[] = {"stat",      "status",    "statm",  "cmdline", "maps",
					    "smaps",     "environ",   "limits", "comm",    "auxv",
					    "mountinfo", "oom_score", "cgroup"};
	char path[300], buf[256];
	DIR *d;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		slurp(path);
	}
	for (const char *const *l =
		     (const char *const[]){"exe", "cwd", "root", "fd/0", "fd/1", NULL};
	     *l; l++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *l);
		if (readlink(path, buf, sizeof(buf)) < 0)
			continue;
		int fd = open(path, O_RDONLY | O_NONBLOCK);

		if (fd >= 0)
			close(fd);
	}
	for (const char *const *l =
		     (const char *const[]){"fd", "task", "map_files", "fdinfo", NULL};
	     *l; l++) {
		snprintf(path, sizeof(path), "%s/%s", dir, *l);
		d = opendir(path);
		while (d && readdir(d))
			;
		if (d)
			closedir(d);
	}
}

TEST_SECONDS(readers_survive_fork_exec_exit, 60)
{
	uint64_t end = ktap_now_ns() + 3000000000ull;
	pid_t churners[3];
	unsigned rounds = 0;

	stop_flag = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++) {
		churners[i] = fork();
		if (!churners[i])
			churn();
	}
	while (ktap_now_ns() < end || rounds < 3) {
		DIR *d = opendir("/proc");
		struct dirent *e;
		char path[300];

		ASSERT(d);
		while ((e = readdir(d)))
			if (atoi(e->d_name) > 1 && atoi(e->d_name) != getpid()) {
				snprintf(path, sizeof(path), "/proc/%s", e->d_name);
				read_everything(path);
			}
		closedir(d);
		rounds++;
	}
	*stop_flag = true;
	for (int i = 0; i < 3; i++) {
		int status;

		ASSERT(waitpid(churners[i], &status, 0) == churners[i]);
		EXPECT_EQ(status, 0);
	}
	EXPECT(rounds > 0);
}

static void *short_life(void *arg)
{
	return arg;
}

TEST_SECONDS(task_directory_while_threads_come_and_go, 60)
{
	uint64_t end = ktap_now_ns() + 1500000000ull;
	char path[300];
	pid_t reader;
	int status;

	stop_flag = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof(path), "/proc/%d/task", getpid());
	reader = fork();
	if (!reader) {
		while (!*stop_flag) {
			DIR *d = opendir(path);
			struct dirent *e;

			while (d && (e = readdir(d)))
				if (e->d_name[0] != '.') {
					char dir[600];

					snprintf(dir, sizeof(dir), "%s/%s", path, e->d_name);
					read_everything(dir);
				}
			if (d)
				closedir(d);
		}
		_exit(0);
	}
	while (ktap_now_ns() < end) {
		pthread_t t[4];

		for (int i = 0; i < 4; i++)
			ASSERT(pthread_create(&t[i], NULL, short_life, NULL) == 0);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
	}
	*stop_flag = true;
	ASSERT(waitpid(reader, &status, 0) == reader);
	EXPECT_EQ(status, 0);
}

TEST_MAIN()
