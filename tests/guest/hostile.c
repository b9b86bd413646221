/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - programs that mean harm: every system call with every kind of bad argument, and programs that multiply
 * without end. The claims are that each such program ends, normally or by a signal, and that the kernel lives.
 *
 * The sweep goes over all numbers, known or not. For each a process of its own, whose standard descriptors lead
 * to a file, makes some 150 calls: all arguments the same bad value, and one bad value among plausible ones. Signals
 * interrupt calls that wait; what cannot be interrupted is killed after a second, which must work.
 */
#include "memory.h"
#include "gate.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define LAST_NUMBER 470
#define DIR         "/tmp/hostile"
#define NOBODY      60000

/* --- the sweep ---------------------------------------------------------------------------------- */

/* Not part of it: what ends or doubles the process that sweeps, and (for the superuser) what would end or confuse
 * the others. */
static const int never[] = {
	SYS_exit, SYS_exit_group, SYS_clone, SYS_clone3, SYS_rt_sigreturn,
#ifdef __x86_64__
	SYS_fork, SYS_vfork,
#endif
};

static const int never_as_root[] = {
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_reboot,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_vhangup,
	SYS_setpriority,
	SYS_kexec_load,
	SYS_init_module,
	SYS_delete_module,
	SYS_finit_module,
	SYS_syslog,
	SYS_umount2,
};

static bool is_in(int nr, const int *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == nr)
			return true;
	return false;
}

#define IS_IN(nr, list) is_in(nr, list, sizeof(list) / sizeof((list)[0]))

static unsigned long bad[16], buffer, file;
static size_t nr_bad;

static void prepare(void)
{
	uint8_t *p = map_anon(4 * PAGE), *ro = map_at(NULL, PAGE, PROT_READ, 0);
	unsigned long values[] = {
		0,
		8,
		(unsigned long)p,        /* unmapped */
		(unsigned long)p + PAGE, /* no access */
		(unsigned long)ro,
		(unsigned long)p + 2 * PAGE - 4, /* runs out of it at the front */
		(unsigned long)p + 3 * PAGE + 1, /* misaligned */
		USER_END - 8,
		0x0000800000000000ul,
		0xffff800000001000ul,
		0xffffffff80000000ul,
		0x7ffffffffffffffful,
		0x8000000000000000ul,
		~0ul,
	};

	munmap(p, PAGE);
	mprotect(p + PAGE, PAGE, PROT_NONE);
	nr_bad = sizeof(values) / sizeof(values[0]);
	memcpy(bad, values, sizeof(values));
	buffer = (unsigned long)p + 2 * PAGE;
	strcpy((char *)buffer, DIR "/name");
	file = (unsigned long)open(DIR "/file", O_CREAT | O_RDWR, 0600);
	int nowhere = open(DIR "/nowhere", O_CREAT | O_RDWR, 0600);

	if (nowhere < 0)
		_exit(1);
	for (int fd = 0; fd < 100; fd++) {
		if (fd < 3)
			dup2(nowhere, fd);
		else if (fd != (int)file)
			close(fd); /* the console may have more descriptors than these */
	}
}

static void nothing(int sig)
{
	(void)sig;
}

static void sweep_number(int nr)
{
	for (size_t v = 0; v < nr_bad; v++)
		syscall(nr, bad[v], bad[v], bad[v], bad[v], bad[v], bad[v]);
	for (int where = 0; where < 6; where++)
		for (size_t v = 0; v < nr_bad; v++) {
			unsigned long pointers[6] = {buffer, buffer, buffer,
						     buffer, buffer, buffer};
			unsigned long mixed[6] = {file, buffer, 64, 0, 0, 0};

			pointers[where] = bad[v];
			mixed[where] = bad[v];
			syscall(nr, pointers[0], pointers[1], pointers[2], pointers[3], pointers[4],
				pointers[5]);
			syscall(nr, mixed[0], mixed[1], mixed[2], mixed[3], mixed[4], mixed[5]);
		}
}

/* await - interrupt it now and then; after a second it has to go. */
static void await(pid_t pid, int nr)
{
	uint64_t end = ktap_now_ns() + 1000000000, give_up = end + 15000000000;
	bool killed = false;

	while (waitpid(pid, NULL, WNOHANG) != pid) {
		uint64_t now = ktap_now_ns();

		if (now > give_up) {
			KTAP_CHECK(false, true, "call %d cannot be killed", nr);
		} else if (now > end && !killed) {
			kill(pid, SIGKILL);
			killed = true;
		} else {
			kill(pid, SIGUSR1);
		}
		ktap_sleep_ns(1000000);
	}
}

static void sweep(int first, int last, uid_t uid)
{
	mkdir("/tmp", 0777);
	mkdir(DIR, 0777);
	signal(SIGUSR1, SIG_IGN); /* until the child is ready for it */
	for (int nr = first; nr <= last; nr++) {
		pid_t pid;

		if (IS_IN(nr, never) || (!uid && IS_IN(nr, never_as_root)))
			continue;
		pid = fork();
		ASSERT(pid >= 0);
		if (pid == 0) {
			struct sigaction sa = {.sa_handler = nothing};
			struct rlimit small = {16 << 20, 16 << 20};

			setpgid(0, 0);
			prepare();
			setrlimit(RLIMIT_FSIZE, &small);
			setrlimit(RLIMIT_AS, &(struct rlimit){256 << 20, 256 << 20});
			if (uid)
				syscall(SYS_setresuid, uid, uid, uid);
			sigaction(SIGUSR1, &sa, NULL);
			sweep_number(nr);
			_exit(0);
		}
		await(pid, nr);
	}
	EXPECT_EQ(getuid(), 0);
}

TEST_SECONDS(bad_arguments_as_anybody_first_part, 300)
{
	sweep(0, 150, NOBODY);
}

TEST_SECONDS(bad_arguments_as_anybody_second_part, 300)
{
	sweep(151, LAST_NUMBER, NOBODY);
}

TEST_SECONDS(bad_arguments_as_root_first_part, 300)
{
	sweep(0, 150, 0);
}

TEST_SECONDS(bad_arguments_as_root_second_part, 300)
{
	sweep(151, LAST_NUMBER, 0);
}

TEST(pointers_to_clone3_and_execve)
{
	uint8_t *p = map_at(NULL, PAGE, PROT_NONE, 0);
	unsigned long places[] = {0, 8, (unsigned long)p, USER_END - 8, 0xffff800000001000ul, ~7ul};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		EXPECT_ERRNO(syscall(SYS_clone3, places[i], 88), EFAULT);
		EXPECT_ERRNO(syscall(SYS_execve, places[i], 0, 0), EFAULT);
		if (places[i])
			EXPECT_ERRNO(syscall(SYS_execve, "/tests/hostile", places[i], 0), EFAULT);
	}
}

/* --- multiplying -------------------------------------------------------------------------------- */

static void wait_for_all(void)
{
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

/* fork_bomb - every process forks until it cannot, then waits to be killed. In a group of its own. */
static void fork_bomb(struct gate *full, uid_t uid)
{
	setpgid(0, 0);
	if (uid)
		syscall(SYS_setresuid, uid, uid, uid);
	for (;;) {
		pid_t pid = fork();

		if (pid < 0) {
			gate_send(full, (uint64_t)errno);
			for (;;)
				pause();
		}
	}
}

static void run_bomb(uid_t uid, unsigned long limit)
{
	struct gate full = gate_make();
	struct rlimit r = {limit, limit};
	pid_t bomb = fork();

	if (bomb == 0) {
		setrlimit(RLIMIT_NPROC, &r);
		fork_bomb(&full, uid);
	}
	uint64_t why = gate_receive(&full);
	EXPECT(why == EAGAIN || why == ENOMEM);
	/* It multiplies while it is killed: as often as it takes. */
	for (int i = 0; i < 100 && (kill(-bomb, SIGKILL) == 0 || i < 3); i++)
		ktap_sleep_ns(20000000);
	wait_for_all();
	pid_t pid = fork();
	EXPECT(pid > 0);
	if (pid == 0)
		_exit(0);
	wait_for_all();
	gate_close(&full);
}

TEST_SECONDS(a_fork_bomb_stops_at_the_users_limit, 60)
{
	run_bomb(NOBODY + 1, 100);
}

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void thread_bomb(void *unused)
{
	pthread_attr_t attr;
	pthread_t t;
	int made = 0;

	(void)unused;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	while (!pthread_create(&t, &attr, sleep_for_ever, NULL))
		made++;
	_exit(made > 50 ? 0 : 1);
}

TEST_SECONDS(a_thread_bomb_stops, 60)
{
	EXPECT_CHILD_OK(thread_bomb, NULL);
}

static void deep_pipes(void *unused)
{
	static char data[65536];
	struct rlimit r = {4096, 4096};
	int made = 0, fds[2];

	(void)unused;
	setrlimit(RLIMIT_NOFILE, &r);
	while (made < 400 && !pipe2(fds, O_NONBLOCK)) {
		while (write(fds[1], data, sizeof(data)) > 0)
			;
		made++;
	}
	_exit(made > 50 ? 0 : 1);
}

TEST_SECONDS(full_pipes_can_be_had_and_go_again, 60)
{
	int status = ktap_fork_run(deep_pipes, NULL);

	EXPECT(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

TEST_SECONDS(fork_bombs_of_the_superuser_stop_as_well, 120)
{
	struct utsname u;

	/* Linux counts on memory to stop it, and then kills whom it likes. */
	if (uname(&u) || strcmp(u.version, "Quire"))
		SKIP("only a kernel with room for all threads it allows");
	run_bomb(0, 100000);
}

TEST_MAIN()
