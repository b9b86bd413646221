/* SPDX-License-Identifier: MIT */
/*
 * machine.c - a quick look at the machine as user space sees it, for boots on many machines: every CPU
 * runs programs, and a good part of the memory can be used. It prints
 *	# machine: cpus=N memory=N MiB
 * which the boot tests compare with what the emulator was given.
 */
#include "memory.h"
#include <sys/sysinfo.h>

static unsigned long megabytes(unsigned long units, unsigned int unit)
{
	return units * unit >> 20;
}

TEST(describe)
{
	struct sysinfo info;
	cpu_set_t set;

	ASSERT_EQ(sysinfo(&info), 0);
	ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	ktap_print("# machine: cpus=%d memory=%lu MiB free=%lu MiB\n", CPU_COUNT(&set),
		   megabytes(info.totalram, info.mem_unit), megabytes(info.freeram, info.mem_unit));
	EXPECT(info.freeram <= info.totalram);
	EXPECT(info.procs >= 1);
}

TEST(every_cpu_runs_programs)
{
	cpu_set_t all, one;

	ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		unsigned now = ~0u;

		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		ASSERT_EQ(syscall(SYS_getcpu, &now, NULL, NULL), 0);
		EXPECT_EQ(now, cpu);
		EXPECT_STORE_DIES(NULL);
	}
}

TEST_SECONDS(much_of_the_memory_can_be_used, 60)
{
	struct sysinfo info;

	ASSERT_EQ(sysinfo(&info), 0);
	size_t pages = info.freeram * info.mem_unit / PAGE / 4 * 3;
	if (pages > 65536)
		pages = 65536; /* 256 MiB take long enough */
	uint8_t *p = map_anon(pages * PAGE);
	fill_pages(p, pages, 3);
	EXPECT_EQ(count_wrong_pages(p, pages, 3), 0);
}

TEST_MAIN()
