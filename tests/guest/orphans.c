/* SPDX-License-Identifier: MIT */
/*
 * orphans.c - who is the parent of whom, and what the parent is told: subreapers, the signal at a parent's death,
 * ignored children, waitid's options, groups and sessions.
 */
#include "gate.h"
#include <pthread.h>
#include <sys/prctl.h>

static int wait_status(pid_t pid)
{
	int status = -1;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	while (pid == 0)
		pause();
	return pid;
}

/* --- who is the parent -------------------------------------------------------------------------- */

TEST(orphans_go_to_the_nearest_subreaper)
{
	struct gate g = gate_make();
	pid_t middle, orphan;
	int status;

	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	middle = fork();
	if (middle == 0) {
		pid_t self = getpid(), child = fork();

		if (child == 0) {
			while (getppid() == self)
				ktap_sleep_ns(1000000);
			gate_send(&g, (uint64_t)getppid());
			_exit(9);
		}
		_exit(0);
	}
	EXPECT_EQ(wait_status(middle), 0);
	EXPECT_EQ(gate_receive(&g), getpid());
	orphan = wait(&status);
	EXPECT(orphan > 0 && orphan != middle);
	EXPECT_EQ(status, 9 << 8);
}

TEST(being_a_subreaper_is_not_inherited)
{
	int value = -1;
	pid_t pid;

	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_GET_CHILD_SUBREAPER, &value);
		_exit(value);
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(a_zombie_inherited_by_a_subreaper_can_be_waited_for)
{
	pid_t middle;

	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	middle = fork();
	if (middle == 0) {
		pid_t child = fork();
		siginfo_t info;

		if (child == 0)
			_exit(33);
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
		_exit(0);
	}
	EXPECT_EQ(wait_status(middle), 0);
	int status;
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(status, 33 << 8);
}

/* --- death of the parent ------------------------------------------------------------------------ */

TEST(a_child_can_ask_for_a_signal_when_its_parent_dies)
{
	struct gate g = gate_make();
	pid_t middle, child;
	int status;

	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	middle = fork();
	if (middle == 0) {
		child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			gate_send(&g, (uint64_t)getpid());
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	child = (pid_t)gate_receive(&g);
	kill(middle, SIGKILL);
	EXPECT_EQ(wait_status(middle), SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, SIGUSR1);
}

static void *fork_asking(void *out)
{
	struct gate *g = out;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		gate_send(g, 1);
		for (;;)
			pause();
	}
	gate_receive(g);
	return (void *)(intptr_t)pid;
}

TEST(the_parent_whose_death_counts_is_the_thread)
{
	struct gate g = gate_make();
	void *result;
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, fork_asking, &g), 0);
	pthread_join(t, &result);
	EXPECT_EQ(wait_status((pid_t)(intptr_t)result), SIGUSR2);
}

static void *fork_and_wait(void *unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0)
		_exit(1);
	EXPECT_EQ(waitpid(pid, NULL, __WNOTHREAD), pid);
	return NULL;
}

TEST(wnothread_sees_only_children_of_the_thread)
{
	pid_t pid = sleeper();
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, fork_and_wait, NULL), 0);
	pthread_join(t, NULL);
	EXPECT_EQ(waitpid(-1, NULL, __WNOTHREAD | WNOHANG), 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(-1, NULL, __WNOTHREAD), pid);
}

/* --- children nobody wants ---------------------------------------------------------------------- */

static volatile int chld_count;

static void count_chld(int sig)
{
	(void)sig;
	chld_count++;
}

TEST(ignoring_sigchld_leaves_no_zombies)
{
	sigset_t set, pending;

	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (fork() == 0)
		_exit(0);
	EXPECT_ERRNO(wait(NULL), ECHILD);
	sigpending(&pending);
	EXPECT(!sigismember(&pending, SIGCHLD));
}

TEST(nocldwait_leaves_no_zombies_but_signals)
{
	struct sigaction sa = {.sa_handler = count_chld, .sa_flags = SA_NOCLDWAIT};

	sigaction(SIGCHLD, &sa, NULL);
	if (fork() == 0)
		_exit(0);
	while (wait(NULL) < 0 && errno == EINTR)
		;
	EXPECT_EQ(errno, ECHILD);
	EXPECT_EQ(chld_count, 1);
}

TEST(nocldstop_is_about_stops_only)
{
	struct sigaction sa = {.sa_handler = count_chld, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
	pid_t pid;
	int status;

	sigaction(SIGCHLD, &sa, NULL);
	pid = sleeper();
	kill(pid, SIGSTOP);
	EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT(WIFSTOPPED(status));
	EXPECT_EQ(chld_count, 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(chld_count, 1);
}

/* --- waitid ------------------------------------------------------------------------------------- */

TEST(wnowait_leaves_the_report_in_place)
{
	siginfo_t info;
	pid_t pid = sleeper();

	kill(pid, SIGSTOP);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
		EXPECT_EQ(info.si_code, CLD_STOPPED);
		EXPECT_EQ(info.si_status, SIGSTOP);
	}
	EXPECT_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	info.si_pid = 77;
	EXPECT_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG), 0);
	EXPECT_EQ(info.si_pid, 0);
	kill(pid, SIGCONT);
	EXPECT_EQ(waitid(P_ALL, 0, &info, WCONTINUED), 0);
	EXPECT_EQ(info.si_code, CLD_CONTINUED);
	EXPECT_EQ(info.si_status, SIGCONT);
	kill(pid, SIGKILL);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED | WNOWAIT), 0);
		EXPECT_EQ(info.si_pid, pid);
	}
	EXPECT_EQ(waitid(P_PGID, 0, &info, WEXITED), 0);
	EXPECT_EQ(info.si_code, CLD_KILLED);
	EXPECT_EQ(info.si_status, SIGKILL);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

TEST(waitid_needs_something_to_wait_for)
{
	siginfo_t info;

	EXPECT_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WNOHANG), EINVAL);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x100), EINVAL);
	EXPECT_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(wait4(-1, NULL, WEXITED, NULL), EINVAL);
}

/* --- groups and sessions ------------------------------------------------------------------------ */

TEST(setpgid_rules)
{
	struct gate g = gate_make();
	pid_t child, leader;

	EXPECT_ERRNO(setpgid(0, -1), EINVAL);
	EXPECT_ERRNO(setpgid(-1, 0), EINVAL);
	EXPECT_ERRNO(setpgid(-1, 1), ESRCH);
	EXPECT_ERRNO(setpgid(1, 1), ESRCH);
	EXPECT_ERRNO(setpgid(0x3fffffff, 0), ESRCH);
	child = sleeper();
	EXPECT_ERRNO(setpgid(child, 0x3fffffff), EPERM);
	EXPECT_EQ(setpgid(child, 0), 0);
	EXPECT_EQ(getpgid(child), child);
	EXPECT_EQ(setpgid(child, getpgrp()), 0);
	leader = fork();
	if (leader == 0) {
		EXPECT(setsid() == getpid());
		EXPECT_ERRNO(setsid(), EPERM);
		EXPECT_ERRNO(setpgid(0, 0), EPERM);
		gate_send(&g, 1);
		for (;;)
			pause();
	}
	gate_receive(&g);
	EXPECT_ERRNO(setpgid(leader, 0), EPERM); /* another session */
	EXPECT_ERRNO(setpgid(child, leader), EPERM);
	kill(child, SIGKILL);
	kill(leader, SIGKILL);
	wait(NULL);
	wait(NULL);
}

TEST(a_group_leader_cannot_start_a_session)
{
	setpgid(0, 0);
	EXPECT_ERRNO(setsid(), EPERM);
	pid_t pid = fork();
	if (pid == 0)
		_exit(setsid() != getpid());
	EXPECT_EQ(wait_status(pid), 0);
}

TEST_MAIN()
