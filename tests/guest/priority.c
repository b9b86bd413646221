/* SPDX-License-Identifier: MIT */
/* priority.c - niceness, scheduling policies, limits of other processes, names of the system, personality. */
#include "gate.h"
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/utsname.h>

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

/* Raw: the C library makes 20 - nice a niceness again. */
static long get_priority(int which, int who)
{
	return syscall(SYS_getpriority, which, who);
}

static long set_scheduler(pid_t pid, int policy, int priority)
{
	return syscall(SYS_sched_setscheduler, pid, policy, &priority);
}

static pid_t sleeper(uid_t uid)
{
	struct gate g = gate_make();
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		syscall(SYS_setuid, uid);
		gate_send(&g, 1);
		for (;;)
			pause();
	}
	gate_receive(&g);
	gate_close(&g);
	return pid;
}

TEST(niceness_is_kept_and_inherited)
{
	int status;

	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 20);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 15);
	pid_t pid = fork();
	if (pid == 0)
		_exit((int)get_priority(PRIO_PROCESS, 0));
	waitpid(pid, &status, 0);
	EXPECT_EQ(WEXITSTATUS(status), 15);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, -100), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 40);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 100), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 1);
	EXPECT_ERRNO(get_priority(3, 0), EINVAL);
	EXPECT_ERRNO(get_priority(-1, 0), EINVAL);
	EXPECT_ERRNO(get_priority(PRIO_PROCESS, 0x3fffffff), ESRCH);
	EXPECT_ERRNO(get_priority(PRIO_USER, 54321), ESRCH);
	EXPECT_ERRNO(setpriority(PRIO_PROCESS, 0x3fffffff, 0), ESRCH);
}

TEST(niceness_of_groups_and_users)
{
	pid_t a, b;

	setpgid(0, 0);
	a = sleeper(777);
	b = sleeper(777);
	EXPECT_EQ(setpriority(PRIO_USER, 777, 3), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, a), 17);
	EXPECT_EQ(get_priority(PRIO_PROCESS, b), 17);
	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 20);
	EXPECT_EQ(setpriority(PRIO_PROCESS, b, 10), 0);
	EXPECT_EQ(get_priority(PRIO_USER, 777), 17);
	EXPECT_EQ(setpriority(PRIO_PGRP, 0, 7), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, b), 13);
	EXPECT_EQ(get_priority(PRIO_PGRP, getpid()), 13);
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	wait(NULL);
	wait(NULL);
}

TEST(lower_niceness_needs_permission)
{
	pid_t other = sleeper(888);

	ASSERT_EQ(syscall(SYS_setresuid, 999, 999, 0), 0);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, 4), 0);
	EXPECT_ERRNO(setpriority(PRIO_PROCESS, 0, 3), EACCES);
	EXPECT_ERRNO(setpriority(PRIO_PROCESS, other, 10), EPERM);
	EXPECT_ERRNO(syscall(SYS_sched_setaffinity, other, 8, &(long){1}), EPERM);
	ASSERT_EQ(syscall(SYS_setuid, 0), 0);
	kill(other, SIGKILL);
	wait(NULL);
}

TEST(policies)
{
	int status;

	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	EXPECT_EQ(set_scheduler(0, SCHED_BATCH, 0), 0);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
	EXPECT_EQ(set_scheduler(0, SCHED_IDLE, 0), 0);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_IDLE);
	EXPECT_ERRNO(set_scheduler(0, SCHED_OTHER, 1), EINVAL);
	EXPECT_ERRNO(set_scheduler(0, SCHED_FIFO, 0), EINVAL);
	EXPECT_ERRNO(set_scheduler(0, SCHED_FIFO, 100), EINVAL);
	EXPECT_ERRNO(set_scheduler(0, 4, 0), EINVAL);
	EXPECT_ERRNO(set_scheduler(0, -1, 0), EINVAL);
	EXPECT_ERRNO(set_scheduler(-1, SCHED_OTHER, 0), EINVAL);
	EXPECT_ERRNO(set_scheduler(0x3fffffff, SCHED_OTHER, 0), ESRCH);
	EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getparam, -1, &status), EINVAL);
	EXPECT_EQ(syscall(SYS_sched_getparam, 0, &status), 0);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(syscall(SYS_sched_setparam, 0, &status), 0);
	EXPECT_EQ(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	EXPECT_EQ(syscall(SYS_sched_get_priority_min, SCHED_RR), 1);
	EXPECT_EQ(syscall(SYS_sched_get_priority_max, SCHED_IDLE), 0);
	EXPECT_ERRNO(syscall(SYS_sched_get_priority_max, 4), EINVAL);

	EXPECT_EQ(set_scheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0), 0);
	EXPECT_EQ(setpriority(PRIO_PROCESS, 0, -5), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(get_priority(PRIO_PROCESS, 0) != 20 ||
		      syscall(SYS_sched_getscheduler, 0) != SCHED_OTHER);
	waitpid(pid, &status, 0);
	EXPECT_EQ(status, 0);
	ASSERT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_ERRNO(set_scheduler(0, SCHED_FIFO, 1), EPERM);
	EXPECT_ERRNO(set_scheduler(0, SCHED_OTHER, 0), EPERM); /* loses the reset */
}

TEST(sched_attr_sizes)
{
	struct {
		struct attr a;
		uint64_t more[4];
	} big = {.a = {.size = sizeof(big), .nice = 3}};
	struct attr a = {.size = 48, .nice = 7};

	EXPECT_EQ(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 13);
	EXPECT_EQ(syscall(SYS_sched_setattr, 0, &big, 0), 0);
	EXPECT_EQ(get_priority(PRIO_PROCESS, 0), 17);
	big.more[1] = 1;
	EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &big, 0), E2BIG);
	EXPECT_EQ(big.a.size, 56);
	a.size = 47;
	EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	EXPECT_EQ(a.size, 56);
	EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, 8, 0), EFAULT);
	a.flags = 1ull << 40;
	EXPECT_ERRNO(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	memset(&a, 0, sizeof(a));
	EXPECT_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0), 0);
	EXPECT_EQ(a.size, 56);
	EXPECT_EQ(a.nice, 3);
	EXPECT_EQ(a.policy, SCHED_OTHER);
	EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &a, 47, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, &a, 4097, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getattr, 0, NULL, 56, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getattr, 0x3fffffff, &a, 56, 0), ESRCH);
}

TEST(limits_of_other_processes)
{
	struct rlimit limit = {100, 200}, old;
	pid_t mine = sleeper(0), other = sleeper(888);

	EXPECT_EQ(syscall(SYS_prlimit64, mine, RLIMIT_NOFILE, &limit, NULL), 0);
	EXPECT_EQ(syscall(SYS_prlimit64, mine, RLIMIT_NOFILE, NULL, &old), 0);
	EXPECT(old.rlim_cur == 100 && old.rlim_max == 200);
	ASSERT_EQ(syscall(SYS_setresuid, 999, 999, 0), 0);
	EXPECT_ERRNO(syscall(SYS_prlimit64, other, RLIMIT_NOFILE, NULL, &old), EPERM);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_NOFILE, NULL, &old), ESRCH);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, 99, NULL, &old), EINVAL);
	limit.rlim_cur = 300;
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL), EINVAL);
	limit.rlim_max = ~0ull;
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL), EPERM);
	ASSERT_EQ(syscall(SYS_setuid, 0), 0);
	kill(mine, SIGKILL);
	kill(other, SIGKILL);
	wait(NULL);
	wait(NULL);
}

TEST(the_names_of_the_system_can_be_changed)
{
	struct utsname before, u;
	char name[65];

	ASSERT_EQ(uname(&before), 0);
	EXPECT_EQ(sethostname("paper", 5), 0);
	EXPECT_EQ(setdomainname("mill", 4), 0);
	ASSERT_EQ(uname(&u), 0);
	EXPECT(!strcmp(u.nodename, "paper"));
	EXPECT(!strcmp(u.domainname, "mill"));
	memset(name, 'x', sizeof(name));
	EXPECT_EQ(sethostname(name, 64), 0);
	ASSERT_EQ(uname(&u), 0);
	EXPECT_EQ(strlen(u.nodename), 64);
	EXPECT_ERRNO(sethostname(name, 65), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sethostname, name, -1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sethostname, 8, 5), EFAULT);
	sethostname(before.nodename, strlen(before.nodename));
	setdomainname(before.domainname, strlen(before.domainname));
	ASSERT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_ERRNO(sethostname("y", 1), EPERM);
}

TEST(addresses_need_not_be_random)
{
	int status;

	EXPECT_EQ(personality(0xffffffff), 0);
	EXPECT_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	EXPECT_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	pid_t pid = fork();
	if (pid == 0)
		_exit(personality(0xffffffff) != ADDR_NO_RANDOMIZE);
	waitpid(pid, &status, 0);
	EXPECT_EQ(status, 0);
}

TEST(reboot_checks_before_it_acts)
{
	EXPECT_ERRNO(syscall(SYS_reboot, 0, 0x28121969, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_reboot, 0xfee1dead, 1, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0x12345678, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0xa1b2c3d4, 8), EFAULT);
	EXPECT_EQ(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0, 0), 0);
	ASSERT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_ERRNO(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0, 0), EPERM);
}

TEST_MAIN()
