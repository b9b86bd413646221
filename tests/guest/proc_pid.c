/* SPDX-License-Identifier: MIT */
/*
 * proc_pid.c - /proc/PID: formats field by field, agreement with system calls, permissions,
 * and readers that race with fork, exec and exit.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "proc.h"

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
	EXPECT(!strcmp(f.comm, "proc_pid"));
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
	EXPECT(!strncmp(line_of("Name"), "\tproc_pid\n", 10));
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

TEST(the_most_memory_is_remembered_whatever_takes_it_away)
{
	const size_t size = 8 << 20;
	int status, before;
	pid_t pid;
	char *p;

	ASSERT(slurp("/proc/self/status") > 0);
	before = (int)number_of("VmRSS");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(p != MAP_FAILED);
	madvise(p, size, MADV_NOHUGEPAGE);
	pid = fork();
	if (!pid) {
		long all;

		ASSERT(slurp("/proc/self/status") > 0);
		all = number_of("VmSize");
		munmap(p, size);
		ASSERT(slurp("/proc/self/status") > 0);
		_exit(number_of("VmPeak") < all);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	memset(p, 1, size);
	ASSERT_EQ(madvise(p, size, MADV_DONTNEED), 0);
	ASSERT(slurp("/proc/self/status") > 0);
	EXPECT(number_of("VmRSS") < before + 4096);
	EXPECT(number_of("VmHWM") >= before + 8000);
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
