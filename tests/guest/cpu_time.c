/* SPDX-License-Identifier: MIT */
/* cpu_time.c - how long a program has run, split into its own code and the kernel's on its behalf. */
#include "ktap.h"
#include <sys/resource.h>
#include <sys/times.h>

#define WORK_NS 300000000u /* of CPU time */

static uint64_t to_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000u + (uint64_t)tv.tv_usec * 1000;
}

static uint64_t cpu_now(void)
{
	struct timespec ts;

	ASSERT_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct split {
	uint64_t user, system;
};

static struct split usage(int who)
{
	struct rusage r;

	ASSERT_EQ(getrusage(who, &r), 0);
	return (struct split){to_ns(r.ru_utime), to_ns(r.ru_stime)};
}

static void compute(void)
{
	uint64_t end = cpu_now() + WORK_NS;

	while (cpu_now() < end)
		for (volatile int i = 0; i < 1000000; i++)
			;
}

static void make_the_kernel_work(void)
{
	static char buffer[1 << 16];
	uint64_t end = cpu_now() + WORK_NS;

	while (cpu_now() < end)
		ASSERT(syscall(SYS_getrandom, buffer, sizeof(buffer), 0) > 0);
}

TEST_SECONDS(computing_is_user_time, 60)
{
	compute();
	struct split s = usage(RUSAGE_SELF);

	EXPECT(s.user > 2 * s.system);
}

TEST_SECONDS(random_numbers_are_system_time, 60)
{
	make_the_kernel_work();
	struct split s = usage(RUSAGE_SELF);

	EXPECT(s.system > 2 * s.user);
}

TEST_SECONDS(both_together_are_all, 60)
{
	uint64_t before, after;

	make_the_kernel_work();
	before = cpu_now();
	struct split s = usage(RUSAGE_SELF);
	after = cpu_now();
	EXPECT(s.user + s.system + 2000 >= before);
	EXPECT(s.user + s.system <= after);
}

TEST_SECONDS(neither_goes_back, 60)
{
	uint64_t end = cpu_now() + WORK_NS;
	struct split last = {0, 0};

	while (cpu_now() < end) {
		struct split s = usage(RUSAGE_SELF);

		ASSERT(s.user >= last.user && s.system >= last.system);
		last = s;
		if (last.user % 3)
			getppid();
	}
}

TEST_SECONDS(children_that_were_waited_for_count, 60)
{
	pid_t pid = fork();

	if (pid == 0) {
		make_the_kernel_work();
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	struct split s = usage(RUSAGE_CHILDREN);
	struct tms t;

	EXPECT(s.user + s.system >= WORK_NS);
	EXPECT(s.system > 2 * s.user);
	ASSERT(times(&t) != (clock_t)-1);
	EXPECT(t.tms_cstime > 2 * t.tms_cutime);
	EXPECT((t.tms_cstime + t.tms_cutime + 2) * 10000000ul >= WORK_NS);
}

TEST_MAIN()
