/* SPDX-License-Identifier: MIT */
/* oom.c - programs that want more memory than there is: the largest dies, the rest lives. */
#include "gate.h"
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define CHUNK (4ul << 20)

static void touch(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 4096)
		p[i] = 1;
}

static char *chunk(void)
{
	return mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void eat_everything(void)
{
	for (;;) {
		char *p = chunk();

		if (p == MAP_FAILED)
			_exit(1);
		touch(p, CHUNK);
	}
}

static pid_t hog(void)
{
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0)
		eat_everything();
	return pid;
}

/* keeper - a process with n chunks of memory that says afterwards whether it has kept them. */
static pid_t keeper(struct gate *go, size_t n, const char *adj)
{
	struct gate ready = gate_make();
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		char *p[64];
		int bad = 0;

		if (adj) {
			int fd = open("/proc/self/oom_score_adj", O_WRONLY);

			if (fd < 0 || write(fd, adj, strlen(adj)) < 0)
				bad = 2;
			close(fd);
		}
		for (size_t i = 0; i < n; i++) {
			p[i] = chunk();
			memset(p[i], (int)i + 1, CHUNK);
		}
		gate_send(&ready, 1);
		gate_receive(go);
		for (size_t i = 0; i < n; i++)
			for (size_t at = 0; at < CHUNK; at += 512)
				bad |= p[i][at] != (char)(i + 1);
		_exit(bad);
	}
	gate_receive(&ready);
	gate_close(&ready);
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

TEST_SECONDS(the_hog_dies_and_others_live, 60)
{
	struct gate go = gate_make();
	pid_t other = keeper(&go, 2, NULL);

	EXPECT_EQ(status_of(hog()), SIGKILL);
	gate_send(&go, 1);
	EXPECT_EQ(status_of(other), 0);
}

TEST_SECONDS(hogs_that_are_a_family_die_one_by_one, 90)
{
	struct gate go = gate_make();
	pid_t other = keeper(&go, 2, NULL), pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = hog();
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(status_of(pids[i]), SIGKILL);
	gate_send(&go, 1);
	EXPECT_EQ(status_of(other), 0);
}

/* Nothing but page tables: each page that is read is the one of zeroes. */
static void read_far_apart(void)
{
	volatile char *p = mmap(NULL, 1ul << 40, PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	madvise((void *)p, 1ul << 40, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < 1ul << 40; at += 2ul << 20)
		(void)p[at];
	_exit(2);
}

TEST_SECONDS(page_tables_count_as_memory, 90)
{
	struct gate go = gate_make();
	pid_t other = keeper(&go, 2, NULL), pid = fork();

	if (pid == 0)
		read_far_apart();
	EXPECT_EQ(status_of(pid), SIGKILL);
	gate_send(&go, 1);
	EXPECT_EQ(status_of(other), 0);
}

TEST_SECONDS(who_fills_a_mapping_can_be_killed, 60)
{
	pid_t pid = fork();

	if (pid == 0) {
		mmap(NULL, 64ul << 30, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
		for (;;)
			pause();
	}
	ktap_sleep_ns(300000000);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(status_of(pid), SIGKILL);
}

static void *thread_eats(void *unused)
{
	(void)unused;
	eat_everything();
	return NULL;
}

TEST_SECONDS(a_hog_may_have_threads, 60)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t t;

		for (int i = 0; i < 3; i++)
			pthread_create(&t, NULL, thread_eats, NULL);
		eat_everything();
	}
	EXPECT_EQ(status_of(pid), SIGKILL);
}

static void read_everything(void)
{
	int file = open("/tests/oom", O_RDONLY);

	for (;;) {
		char *p = chunk();

		if (p == MAP_FAILED || file < 0)
			_exit(1);
		for (size_t done = 0; done < CHUNK;) {
			ssize_t n = pread(file, p + done, 4096, 0);

			if (n <= 0)
				_exit(2);
			done += (size_t)n;
		}
	}
}

TEST_SECONDS(memory_that_the_kernel_fills_counts_as_well, 60)
{
	pid_t pid = fork();

	if (pid == 0)
		read_everything();
	EXPECT_EQ(status_of(pid), SIGKILL);
}

static int share_memory(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return 0;
}

TEST_SECONDS(who_shares_the_memory_dies_as_well, 60)
{
	static char stack[16384];
	struct gate g = gate_make();
	pid_t pid, sharer;

	pid = fork();
	if (pid == 0) {
		sharer = clone(share_memory, stack + sizeof(stack),
			       CLONE_VM | CLONE_PARENT | SIGCHLD, NULL);
		gate_send(&g, (uint64_t)sharer);
		eat_everything();
	}
	sharer = (pid_t)gate_receive(&g);
	EXPECT_EQ(status_of(pid), SIGKILL);
	EXPECT_EQ(status_of(sharer), SIGKILL);
}

TEST_SECONDS(oom_score_adj_chooses_another, 60)
{
	struct gate go = gate_make();
	pid_t spared, chosen;

	mkdir("/proc", 0755);
	if (access("/proc/self/oom_score_adj", W_OK) && mount("proc", "/proc", "proc", 0, NULL))
		SKIP("no /proc");
	spared = keeper(&go, 16, "-1000");
	chosen = keeper(&go, 1, "1000");
	pid_t eater = hog();
	EXPECT_EQ(status_of(chosen), SIGKILL);
	EXPECT_EQ(status_of(eater), SIGKILL);
	gate_send(&go, 1);
	EXPECT_EQ(status_of(spared), 0);
}

TEST_MAIN()
