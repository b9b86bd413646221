/* SPDX-License-Identifier: MIT */
/*
 * procfs.c - /proc as a file system, and what it tells of the whole machine.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "proc.h"

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
	EXPECT_ERRNO(unlink("/proc/meminfo"), EPERM);
	EXPECT_ERRNO(rename("/proc/stat", "/proc/meminfo"), EPERM);
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

/* --- mounts ----------------------------------------------------------------------------------- */

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

TEST_MAIN()
