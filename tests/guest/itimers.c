/* SPDX-License-Identifier: MIT */
/* itimers.c - timers that end in a signal: alarm, setitimer, timer_create; limits of CPU time. */
#include "ktap.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>

#define MS 1000000ull

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t count;
static volatile int last_code, last_value, last_overrun, last_timer;
static volatile long total;
static volatile pid_t last_thread;

static void note(int sig, siginfo_t *i, void *context)
{
	(void)sig;
	(void)context;
	count++;
	last_code = i->si_code;
	last_value = i->si_value.sival_int;
	last_overrun = i->si_overrun;
	last_timer = i->si_timerid;
	last_thread = (pid_t)syscall(SYS_gettid);
	total += i->si_overrun + 1;
}

static void handle(int sig)
{
	struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};

	ASSERT_EQ(sigaction(sig, &a, NULL), 0);
}

/* Until n signals were handled; false after ten seconds. */
static bool wait_for(int n)
{
	uint64_t end = ktap_now_ns() + 10000 * MS;

	while (count < n && ktap_now_ns() < end)
		ktap_sleep_ns(1 * MS);
	return count >= n;
}

static bool burn_until(int n)
{
	uint64_t end = ktap_now_ns() + 10000 * MS;

	while (count < n)
		if (ktap_now_ns() > end)
			return false;
	return true;
}

static struct itimerval itv(long value_us, long period_us)
{
	return (struct itimerval){{period_us / 1000000, period_us % 1000000},
				  {value_us / 1000000, value_us % 1000000}};
}

static struct itimerspec its(uint64_t value, uint64_t period)
{
	return (struct itimerspec){{(time_t)(period / 1000000000u), (long)(period % 1000000000u)},
				   {(time_t)(value / 1000000000u), (long)(value % 1000000000u)}};
}

/* --- of the process ---------------------------------------------------------------------------------- */

TEST(real_timer_rings_once)
{
	struct itimerval v = itv(20000, 0), old;
	uint64_t start = ktap_now_ns();

	handle(SIGALRM);
	ASSERT_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
	EXPECT(wait_for(1));
	EXPECT(ktap_now_ns() - start >= 20 * MS);
	EXPECT_EQ(last_code, SI_KERNEL);
	ktap_sleep_ns(50 * MS);
	EXPECT_EQ(count, 1);
	ASSERT_EQ(getitimer(ITIMER_REAL, &old), 0);
	EXPECT_EQ(old.it_value.tv_sec | old.it_value.tv_usec, 0);
}

TEST(real_timer_rings_again_and_again)
{
	struct itimerval v = itv(5000, 3000), off = itv(0, 0), old;
	uint64_t start = ktap_now_ns();

	handle(SIGALRM);
	ASSERT_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
	EXPECT(wait_for(5));
	EXPECT(ktap_now_ns() - start >= 17 * MS);
	ASSERT_EQ(setitimer(ITIMER_REAL, &off, &old), 0);
	EXPECT_EQ(old.it_interval.tv_usec, 3000);
	int n = count;
	ktap_sleep_ns(20 * MS);
	EXPECT(count <= n + 1);
}

TEST(time_left_is_told)
{
	struct itimerval v = itv(100000000, 7000000), old;

	ASSERT_EQ(setitimer(ITIMER_REAL, &v, &old), 0);
	EXPECT_EQ(old.it_value.tv_sec | old.it_value.tv_usec, 0);
	ASSERT_EQ(getitimer(ITIMER_REAL, &old), 0);
	EXPECT(old.it_value.tv_sec >= 80 && old.it_value.tv_sec < 100);
	EXPECT_EQ(old.it_interval.tv_sec, 7);
	ASSERT_EQ(setitimer(ITIMER_REAL, NULL, &old), 0);
	EXPECT(old.it_value.tv_sec >= 80);
	ASSERT_EQ(getitimer(ITIMER_REAL, &old), 0);
	EXPECT_EQ(old.it_value.tv_sec | old.it_value.tv_usec, 0);
}

TEST(alarm_rounds_what_is_left)
{
	EXPECT_EQ(alarm(100), 0);
	EXPECT_EQ(alarm(1000), 100);
	EXPECT_EQ(alarm(0), 1000);
	EXPECT_EQ(alarm(0), 0);
}

TEST(alarm_ends_a_wait)
{
	struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	struct itimerval v = itv(20000, 0);
	int fds[2];
	char c;

	sigaction(SIGALRM, &a, NULL);
	ASSERT_EQ(pipe(fds), 0);
	ASSERT_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
	EXPECT_ERRNO(read(fds[0], &c, 1), EINTR);
	EXPECT_EQ(count, 1);
}

static void die_of_alarm(void *arg)
{
	struct itimerval v = itv(10000, 0);

	(void)arg;
	setitimer(ITIMER_REAL, &v, NULL);
	for (;;)
		pause();
}

TEST(an_alarm_kills)
{
	EXPECT_DEATH(die_of_alarm, NULL, SIGALRM);
}

TEST(a_child_has_no_timers)
{
	struct itimerval v = itv(100000000, 0), got;
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	int status;
	timer_t t;

	ASSERT_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
	ASSERT_EQ(setitimer(ITIMER_PROF, &v, NULL), 0);
	ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
	pid_t pid = fork();
	if (!pid) {
		struct itimerspec s;

		getitimer(ITIMER_REAL, &got);
		if (got.it_value.tv_sec)
			_exit(1);
		getitimer(ITIMER_PROF, &got);
		if (got.it_value.tv_sec)
			_exit(2);
		_exit(timer_gettime(t, &s) == 0 ? 3 : 0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST(bad_times_are_refused)
{
	struct itimerval v = itv(0, 0);

	EXPECT_ERRNO(syscall(SYS_setitimer, 3, &v, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_getitimer, 3, &v), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setitimer, 0, 8, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_getitimer, 0, 8), EFAULT);
	v.it_value.tv_usec = 1000000;
	EXPECT_ERRNO(setitimer(ITIMER_REAL, &v, NULL), EINVAL);
	v = itv(0, 0);
	v.it_interval.tv_sec = -1;
	EXPECT_ERRNO(setitimer(ITIMER_REAL, &v, NULL), EINVAL);
}

/* --- CPU time ---------------------------------------------------------------------------------------- */

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

TEST(profiling_timer_counts_cpu_time)
{
	struct itimerval v = itv(30000, 20000);
	uint64_t start = cpu_ns();

	handle(SIGPROF);
	ASSERT_EQ(setitimer(ITIMER_PROF, &v, NULL), 0);
	ktap_sleep_ns(100 * MS);
	EXPECT_EQ(count, 0); /* asleep no time was used */
	EXPECT(burn_until(3));
	EXPECT(cpu_ns() - start >= 60 * MS);
}

TEST(virtual_timer_counts_work)
{
	struct itimerval v = itv(20000, 0), got;

	handle(SIGVTALRM);
	ASSERT_EQ(setitimer(ITIMER_VIRTUAL, &v, NULL), 0);
	ASSERT_EQ(getitimer(ITIMER_VIRTUAL, &got), 0);
	EXPECT(got.it_value.tv_usec > 0 && got.it_value.tv_usec <= 24000);
	volatile unsigned long work = 0;
	for (unsigned long i = 0; !count && i < 4000000000ul; i++)
		work += i;
	EXPECT_EQ(count, 1);
}

static void *burn(void *arg)
{
	(void)arg;
	while (count < 2)
		;
	return NULL;
}

TEST(cpu_time_of_all_threads_counts)
{
	struct itimerval v = itv(20000, 20000);
	pthread_t t[3];

	handle(SIGPROF);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&t[i], NULL, burn, NULL), 0);
	ASSERT_EQ(setitimer(ITIMER_PROF, &v, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EXPECT(count >= 2);
}

static void use_too_much(void *arg)
{
	struct rlimit r = {1, (rlim_t)(uintptr_t)arg};
	struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

	if ((uintptr_t)arg == 2)
		sigaction(SIGXCPU, &a, NULL);
	if (setrlimit(RLIMIT_CPU, &r))
		_exit(9);
	for (;;)
		if (cpu_ns() > 8000 * MS)
			_exit(8);
}

TEST_SECONDS(too_much_cpu_time_is_fatal, 60)
{
	EXPECT_DEATH(use_too_much, 100, SIGXCPU);
	EXPECT_DEATH(use_too_much, 2, SIGKILL);
}

/* --- timer_create ------------------------------------------------------------------------------------ */

static timer_t new_timer(int clock, int sig, int value)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig};
	timer_t t;

	e.sigev_value.sival_int = value;
	ASSERT_EQ(timer_create(clock, &e, &t), 0);
	return t;
}

TEST(a_timer_says_who_it_is)
{
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

	handle(SIGUSR1);
	for (int i = 0; i < 3; i++) {
		timer_t t = new_timer(clocks[i], SIGUSR1, 1000 + i);
		struct itimerspec s = its(10 * MS, 0);
		uint64_t start = ktap_now_ns();

		ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
		EXPECT(wait_for(i + 1));
		EXPECT(ktap_now_ns() - start >= 10 * MS);
		EXPECT_EQ(last_code, SI_TIMER);
		EXPECT_EQ(last_value, 1000 + i);
		EXPECT_EQ(last_overrun, 0);
		EXPECT_EQ(timer_getoverrun(t), 0);
		EXPECT_EQ(timer_delete(t), 0);
	}
}

TEST(without_an_event_it_is_sigalrm)
{
	struct itimerspec s = its(5 * MS, 0);
	int id = -1;

	handle(SIGALRM);
	ASSERT_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
	ASSERT_EQ(syscall(SYS_timer_settime, id, 0, &s, NULL), 0);
	EXPECT(wait_for(1));
	EXPECT_EQ(last_value, id);
	EXPECT_EQ(last_timer, id);
}

TEST(periods_that_were_missed_are_overruns)
{
	timer_t t = new_timer(CLOCK_MONOTONIC, SIGUSR1, 0);
	struct itimerspec s = its(2 * MS, 1 * MS), off = its(0, 0);
	sigset_t set;
	uint64_t start;

	handle(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	start = ktap_now_ns();
	ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
	ktap_sleep_ns(60 * MS);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	EXPECT(count >= 1);
	EXPECT(total >= 58);
	EXPECT((uint64_t)total <= (ktap_now_ns() - start) / MS);
	timer_settime(t, 0, &off, NULL);
	EXPECT(timer_getoverrun(t) >= 0);
}

TEST(absolute_time_and_time_left)
{
	timer_t t = new_timer(CLOCK_MONOTONIC, SIGUSR1, 0);
	uint64_t end = ktap_now_ns() + 20 * MS;
	struct itimerspec s = its(end, 0), old;

	handle(SIGUSR1);
	ASSERT_EQ(timer_settime(t, TIMER_ABSTIME, &s, NULL), 0);
	EXPECT(wait_for(1));
	EXPECT(ktap_now_ns() >= end);
	ASSERT_EQ(timer_settime(t, TIMER_ABSTIME, &s, NULL), 0); /* in the past: at once */
	EXPECT(wait_for(2));
	s = its(100000 * MS, 3000 * MS);
	ASSERT_EQ(timer_settime(t, 0, &s, &old), 0);
	EXPECT_EQ(old.it_value.tv_sec | old.it_value.tv_nsec, 0);
	ASSERT_EQ(timer_gettime(t, &old), 0);
	EXPECT(old.it_value.tv_sec >= 80 && old.it_value.tv_sec < 100);
	EXPECT_EQ(old.it_interval.tv_sec, 3);
}

static void *thread_with_timer(void *arg)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct itimerspec s = its(10 * MS, 0);
	timer_t t;

	e.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &e, &t) || timer_settime(t, 0, &s, NULL))
		return (void *)1;
	wait_for(1);
	(void)arg;
	return (void *)(uintptr_t)(last_thread != e.sigev_notify_thread_id);
}

TEST(a_timer_for_one_thread)
{
	pthread_t t;
	void *failed;

	handle(SIGUSR1);
	ASSERT_EQ(pthread_create(&t, NULL, thread_with_timer, NULL), 0);
	pthread_join(t, &failed);
	EXPECT(!failed);
	EXPECT_EQ(count, 1);
}

static volatile int notified;
static void notify(union sigval v)
{
	__atomic_add_fetch(&notified, v.sival_int, __ATOMIC_SEQ_CST);
}

TEST(the_libc_can_call_functions)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify};
	struct itimerspec s = its(5 * MS, 5 * MS);
	timer_t t;

	e.sigev_value.sival_int = 10;
	ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
	ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
	for (int i = 0; i < 2000 && __atomic_load_n(&notified, __ATOMIC_SEQ_CST) < 30; i++)
		ktap_sleep_ns(5 * MS);
	EXPECT(notified >= 30);
	EXPECT_EQ(timer_delete(t), 0);
}

TEST(a_silent_timer_runs)
{
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	struct itimerspec s = its(5 * MS, 0);
	timer_t t;

	ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
	ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
	ktap_sleep_ns(20 * MS);
	ASSERT_EQ(timer_gettime(t, &s), 0);
	EXPECT_EQ(s.it_value.tv_sec | s.it_value.tv_nsec, 0);
	s = its(5 * MS, 100000 * MS);
	ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
	ktap_sleep_ns(20 * MS);
	ASSERT_EQ(timer_gettime(t, &s), 0);
	EXPECT(s.it_value.tv_sec >= 80);
}

TEST(a_signalfd_reads_timers)
{
	timer_t t = new_timer(CLOCK_MONOTONIC, SIGUSR1, 55);
	struct itimerspec s = its(5 * MS, 5 * MS);
	struct signalfd_siginfo i;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, 0);
	ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
	for (int n = 0; n < 3; n++) {
		ASSERT_EQ(read(fd, &i, sizeof(i)), sizeof(i));
		EXPECT_EQ(i.ssi_signo, SIGUSR1);
		EXPECT_EQ(i.ssi_code, SI_TIMER);
		EXPECT_EQ(i.ssi_int, 55);
	}
}

TEST(timers_of_the_past_are_gone)
{
	struct itimerspec s = its(1, 1);
	timer_t t;

	handle(SIGUSR1);
	for (int i = 0; i < 50; i++) {
		t = new_timer(CLOCK_MONOTONIC, SIGUSR1, 0);
		ASSERT_EQ(timer_settime(t, 0, &s, NULL), 0);
		if (i % 3 == 0)
			ktap_sleep_ns(300000);
		ASSERT_EQ(timer_delete(t), 0);
		EXPECT_ERRNO(timer_delete(t), EINVAL);
	}
	ktap_sleep_ns(5 * MS);
	int n = count;
	ktap_sleep_ns(20 * MS);
	EXPECT_EQ(count, n);
}

TEST(bad_timers)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	struct itimerspec s = {{0, 0}, {0, 1000000000}}, ok = its(1, 0);
	int id;

	EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	e.sigev_signo = 0;
	EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	e.sigev_notify = 99;
	EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	e = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	e.sigev_notify_thread_id = 1;
	EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &id), EFAULT);
	EXPECT_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8), EFAULT);
	ASSERT_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
	EXPECT_ERRNO(syscall(SYS_timer_settime, id, 0, &s, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_settime, id, 0, 8, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_timer_settime, id + 1, 0, &ok, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_gettime, id, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_timer_gettime, -1, &ok), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_getoverrun, 12345), EINVAL);
	EXPECT_ERRNO(syscall(SYS_timer_delete, -1), EINVAL);
	EXPECT_EQ(syscall(SYS_timer_delete, id), 0);
}

TEST_MAIN()
