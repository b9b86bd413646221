/* SPDX-License-Identifier: MIT */
/* sysfs.c - /sys: CPUs, devices and the links that lead to them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "proc.h"

__attribute__((constructor(102))) static void mount_sys(void)
{
	mkdir("/sys", 0555);
	if (access("/sys/class", F_OK))
		mount("sysfs", "/sys", "sysfs", 0, NULL);
}

TEST(sys_is_sysfs)
{
	struct statfs st;

	ASSERT(statfs("/sys", &st) == 0);
	EXPECT_EQ(st.f_type, 0x62656572);
	ASSERT(slurp("/proc/mounts") > 0);
	EXPECT(strstr(text, " /sys sysfs rw"));
	EXPECT_ERRNO(mkdir("/sys/x", 0755), EPERM);
	EXPECT_ERRNO(open("/sys/no", O_RDONLY), ENOENT);
	EXPECT_ERRNO(unlink("/sys/devices/system/cpu/online"), EPERM);
	EXPECT_ERRNO(rmdir("/sys/devices"), EPERM);
	EXPECT_ERRNO(rename("/sys/devices", "/sys/x"), EPERM);
}

/* The CPUs there are, one way and the other. */
TEST(cpus_agree)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	char path[64], expected[32];

	if (n > 1)
		snprintf(expected, sizeof(expected), "0-%ld\n", n - 1);
	else
		snprintf(expected, sizeof(expected), "0\n");
	ASSERT(slurp("/sys/devices/system/cpu/online") > 0);
	EXPECT(!strcmp(text, expected));
	ASSERT(slurp("/sys/devices/system/cpu/present") > 0);
	EXPECT(!strncmp(text, "0", 1));
	ASSERT(slurp("/sys/devices/system/cpu/possible") > 0);
	EXPECT(!strncmp(text, "0", 1));
	for (long cpu = 0; cpu < n; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld", cpu);
		EXPECT_EQ(access(path, X_OK), 0);
	}
	EXPECT(sysconf(_SC_NPROCESSORS_CONF) >= n);
}

TEST(devices_have_their_numbers)
{
	char link[PATH_MAX], *real;
	unsigned major, minor;

	ASSERT(slurp("/sys/class/mem/null/dev") > 0);
	EXPECT(!strcmp(text, "1:3\n"));
	ASSERT(slurp("/sys/class/mem/zero/uevent") > 0);
	EXPECT(!strncmp(text, "MAJOR=1\nMINOR=5\nDEVNAME=zero\n", 29));
	ASSERT(slurp("/sys/class/tty/console/dev") > 0);
	ASSERT(sscanf(text, "%u:%u\n", &major, &minor) == 2);
	EXPECT(major == 5 && minor == 1);
	real = realpath("/sys/dev/char/1:3", link);
	ASSERT(real);
	EXPECT(!strcmp(real, "/sys/devices/virtual/mem/null"));
	real = realpath("/sys/class/tty/tty", link);
	ASSERT(real);
	EXPECT(!strcmp(real, "/sys/devices/virtual/tty/tty"));
	real = realpath("/sys/class/mem/null/subsystem", link);
	ASSERT(real);
	EXPECT(!strcmp(real, "/sys/class/mem"));
}

/* What shells look for to find the terminal that /dev/console is. */
TEST(active_console_is_a_device)
{
	char path[128];
	unsigned major, minor;
	char *last;

	ASSERT(slurp("/sys/class/tty/console/active") > 0);
	EXPECT_EQ(text[strlen(text) - 1], '\n');
	text[strlen(text) - 1] = 0;
	last = strrchr(text, ' ');
	last = last ? last + 1 : text;
	EXPECT(!strncmp(last, "tty", 3));
	snprintf(path, sizeof(path), "/sys/class/tty/%.40s/dev", last);
	ASSERT(slurp(path) > 0);
	ASSERT(sscanf(text, "%u:%u\n", &major, &minor) == 2);
	EXPECT(major == 4 || major == 204);
}

TEST(directories_can_be_listed)
{
	static const char *const dirs[] = {"/sys",
					   "/sys/class",
					   "/sys/class/tty",
					   "/sys/dev/char",
					   "/sys/devices/system/cpu",
					   "/sys/block"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		DIR *d = opendir(dirs[i]);
		unsigned n = 0;

		ASSERT(d);
		while (readdir(d))
			n++;
		closedir(d);
		EXPECT(n >= 2);
	}
}

TEST(values_cannot_be_written)
{
	EXPECT(!write_file("/sys/devices/system/cpu/present", "0"));
	EXPECT(!write_file("/sys/class/mem/null/dev", "0"));
}

TEST_MAIN()
