/* SPDX-License-Identifier: MIT */
/* vdso.c - the library that the kernel maps into every program: found by its symbols, and never at odds with the
 * system calls. */
#include "ktap.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/time.h>

#ifdef __x86_64__
#define VERSION "LINUX_2.6"
#define NAME(x) "__vdso_" x
#else
#define VERSION "LINUX_2.6.39"
#define NAME(x) "__kernel_" x
#endif

#define VVAR_BEFORE 4096

/* --- finding functions as a C library does ----------------------------------------------------------- */

struct image {
	uintptr_t base;
	const Elf64_Sym *symbols;
	const char *strings;
	const Elf64_Word *hash;
	const Elf64_Versym *versyms;
	const Elf64_Verdef *verdef;
};

static uintptr_t vdso_base(void)
{
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);

	ASSERT(base != 0);
	ASSERT(base % 4096 == 0);
	return base;
}

static const Elf64_Phdr *find_segment(uintptr_t base, Elf64_Word type)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(base + e->e_phoff);

	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == type)
			return &p[i];
	return NULL;
}

static struct image parse(void)
{
	struct image v = {.base = vdso_base()};
	const Elf64_Phdr *load = find_segment(v.base, PT_LOAD);
	const Elf64_Phdr *dynamic = find_segment(v.base, PT_DYNAMIC);

	ASSERT(load && dynamic);
	uintptr_t shift = v.base + load->p_offset - load->p_vaddr;

	for (const Elf64_Dyn *d = (const Elf64_Dyn *)(v.base + dynamic->p_offset); d->d_tag; d++) {
		const void *p = (const void *)(shift + d->d_un.d_ptr);

		switch (d->d_tag) {
		case DT_SYMTAB:
			v.symbols = p;
			break;
		case DT_STRTAB:
			v.strings = p;
			break;
		case DT_HASH:
			v.hash = p;
			break;
		case DT_VERSYM:
			v.versyms = p;
			break;
		case DT_VERDEF:
			v.verdef = p;
			break;
		}
	}
	ASSERT(v.symbols && v.strings && v.hash && v.versyms && v.verdef);
	return v;
}

static const char *version_name(const struct image *v, unsigned index)
{
	const Elf64_Verdef *d = v->verdef;

	for (;;) {
		if ((d->vd_ndx & 0x7fff) == index) {
			const Elf64_Verdaux *aux = (const void *)((const char *)d + d->vd_aux);

			return v->strings + aux->vda_name;
		}
		if (!d->vd_next)
			return "";
		d = (const void *)((const char *)d + d->vd_next);
	}
}

static void *find(const char *name)
{
	struct image v = parse();

	for (Elf64_Word i = 0; i < v.hash[1]; i++) {
		const Elf64_Sym *s = &v.symbols[i];

		if (ELF64_ST_TYPE(s->st_info) > STT_FUNC || !s->st_shndx ||
		    strcmp(v.strings + s->st_name, name))
			continue;
		if (!strcmp(version_name(&v, v.versyms[i] & 0x7fff), VERSION))
			return (void *)(v.base + s->st_value);
	}
	return NULL;
}

typedef int (*clock_fn)(clockid_t, struct timespec *);

static clock_fn find_gettime(void)
{
	clock_fn fn = (clock_fn)find(NAME("clock_gettime"));

	ASSERT(fn != NULL);
	return fn;
}

/* --- claims ------------------------------------------------------------------------------------------ */

TEST(image_is_a_shared_library)
{
	uintptr_t base = vdso_base();
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *load = find_segment(base, PT_LOAD);

	ASSERT_EQ(memcmp(e->e_ident, ELFMAG, SELFMAG), 0);
	EXPECT_EQ(e->e_type, ET_DYN);
	ASSERT(load != NULL);
	EXPECT_EQ(load->p_flags, PF_R | PF_X);
	EXPECT_EQ(load->p_vaddr, 0);
#ifdef __x86_64__
	EXPECT(find_segment(base, PT_GNU_EH_FRAME) != NULL);
#endif
}

TEST(functions_have_their_names_and_version)
{
	EXPECT(find(NAME("clock_gettime")) != NULL);
	EXPECT(find(NAME("clock_getres")) != NULL);
	EXPECT(find(NAME("gettimeofday")) != NULL);
#ifdef __x86_64__
	EXPECT(find(NAME("time")) != NULL);
	EXPECT(find(NAME("getcpu")) != NULL);
#else
	EXPECT(find(NAME("rt_sigreturn")) != NULL);
#endif
	EXPECT(find(NAME("no_such_function")) == NULL);
}

static uint64_t to_ns(struct timespec ts)
{
	ASSERT(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static const clockid_t clocks[] = {CLOCK_REALTIME,
				   CLOCK_MONOTONIC,
				   CLOCK_MONOTONIC_RAW,
				   CLOCK_REALTIME_COARSE,
				   CLOCK_MONOTONIC_COARSE,
				   CLOCK_BOOTTIME,
				   CLOCK_TAI};
#define NR_CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

static void check_order(clock_fn gettime, clockid_t clock)
{
	struct timespec a, b, c;

	ASSERT_EQ(syscall(SYS_clock_gettime, clock, &a), 0);
	ASSERT_EQ(gettime(clock, &b), 0);
	ASSERT_EQ(syscall(SYS_clock_gettime, clock, &c), 0);
	EXPECT(to_ns(a) <= to_ns(b));
	EXPECT(to_ns(b) <= to_ns(c));
}

TEST(clocks_agree_with_the_system_calls)
{
	clock_fn gettime = find_gettime();

	for (int round = 0; round < 500 && !ktap_failed; round++)
		for (unsigned i = 0; i < NR_CLOCKS; i++)
			check_order(gettime, clocks[i]);
}

TEST(cpu_time_is_read_by_the_kernel)
{
	clock_fn gettime = find_gettime();

	for (int i = 0; i < 100; i++) {
		check_order(gettime, CLOCK_PROCESS_CPUTIME_ID);
		check_order(gettime, CLOCK_THREAD_CPUTIME_ID);
	}
}

TEST(resolutions_are_those_of_the_system_call)
{
	clock_fn getres = (clock_fn)find(NAME("clock_getres"));

	for (unsigned i = 0; i < NR_CLOCKS; i++) {
		struct timespec a = {-1, -1}, b = {-1, -1};

		EXPECT_EQ(syscall(SYS_clock_getres, clocks[i], &a), 0);
		EXPECT_EQ(getres(clocks[i], &b), 0);
		EXPECT_EQ(a.tv_sec, b.tv_sec);
		EXPECT_EQ(a.tv_nsec, b.tv_nsec);
		EXPECT_EQ(getres(clocks[i], NULL), 0);
	}
}

TEST(unknown_clocks_are_refused)
{
	clock_fn gettime = find_gettime(), getres = (clock_fn)find(NAME("clock_getres"));
	static const clockid_t bad[] = {12, 31, 32, 999, 0x7fffffff};
	struct timespec ts;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(gettime(bad[i], &ts), -EINVAL);
		EXPECT_EQ(getres(bad[i], &ts), -EINVAL);
	}
}

TEST(time_of_day_lies_between_two_readings)
{
	int (*gettimeofday_fn)(struct timeval *, struct timezone *) = find(NAME("gettimeofday"));
	struct timezone tz = {-1, -1};
	struct timespec a, b;
	struct timeval tv;

	for (int i = 0; i < 500; i++) {
		syscall(SYS_clock_gettime, CLOCK_REALTIME, &a);
		ASSERT_EQ(gettimeofday_fn(&tv, &tz), 0);
		syscall(SYS_clock_gettime, CLOCK_REALTIME, &b);
		uint64_t us = (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;

		ASSERT(to_ns(a) / 1000 <= us && us <= to_ns(b) / 1000);
	}
	EXPECT_EQ(tz.tz_minuteswest, 0);
	EXPECT_EQ(gettimeofday_fn(NULL, NULL), 0);
}

TEST(a_new_wall_clock_time_is_seen_at_once)
{
	clock_fn gettime = find_gettime();
	struct timespec before, now, seen;

	ASSERT_EQ(gettime(CLOCK_REALTIME, &before), 0);
	now = before;
	now.tv_sec += 5000;
	ASSERT_EQ(syscall(SYS_clock_settime, CLOCK_REALTIME, &now), 0);
	gettime(CLOCK_REALTIME, &seen);
	EXPECT(to_ns(seen) >= to_ns(now));
	EXPECT(to_ns(seen) < to_ns(now) + 60000000000u);
	check_order(gettime, CLOCK_REALTIME);
	check_order(gettime, CLOCK_TAI);
	check_order(gettime, CLOCK_MONOTONIC);
	ASSERT_EQ(syscall(SYS_clock_settime, CLOCK_REALTIME, &before), 0);
	gettime(CLOCK_REALTIME, &seen);
	EXPECT(to_ns(seen) < to_ns(now));
}

#ifdef __x86_64__
TEST(seconds_are_those_of_the_wall_clock)
{
	time_t (*time_fn)(time_t *) = find(NAME("time"));
	time_t a = syscall(SYS_time, NULL), stored = 0, b = time_fn(&stored), c = time_fn(NULL);

	EXPECT(a <= b && b <= c);
	EXPECT_EQ(b, stored);
}

TEST_SECONDS(cpu_number_follows_the_thread, 60)
{
	int (*getcpu_fn)(unsigned *, unsigned *, void *) = find(NAME("getcpu"));
	long nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned cpu, node, asked;

	for (long i = 0; i < nr_cpus * 3; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)(i % nr_cpus), &set);
		ASSERT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
		cpu = node = asked = 99;
		ASSERT_EQ(getcpu_fn(&cpu, &node, NULL), 0);
		EXPECT_EQ(cpu, i % nr_cpus);
		EXPECT_EQ(syscall(SYS_getcpu, &asked, NULL, NULL), 0);
		EXPECT_EQ(cpu, asked);
		EXPECT_EQ(node, 0);
	}
	EXPECT_EQ(getcpu_fn(NULL, NULL, NULL), 0);
}
#endif

TEST(neither_code_nor_data_can_be_written)
{
	uintptr_t base = vdso_base();

	EXPECT_STORE_DIES(base);
	EXPECT_STORE_DIES(base + 0x400);
	EXPECT_STORE_DIES(base - VVAR_BEFORE);
	EXPECT_ERRNO(mprotect((void *)(base - VVAR_BEFORE), 4096, PROT_READ | PROT_WRITE), EACCES);
}

/* Linux does not let the mapping be cut, and it may be larger than what the headers tell. */
#define VDSO_MAX_PAGES 8

static void write_own_copy(void *base)
{
	size_t pages = 1;

	while (mprotect(base, pages * 4096, PROT_READ | PROT_WRITE) && pages < VDSO_MAX_PAGES)
		pages++;
	ASSERT(pages < VDSO_MAX_PAGES);
	ktap_store((char *)base + 9, 0x5a); /* a byte of the header that nobody reads */
	EXPECT_EQ(ktap_load((char *)base + 9), 0x5a);
}

TEST(a_breakpoint_is_seen_by_its_process_only)
{
	uintptr_t base = vdso_base();

	EXPECT_CHILD_OK(write_own_copy, base);
	EXPECT_EQ(ktap_load((char *)base + 9), 0);
}

static void read_clock(void *fn)
{
	for (int i = 0; i < 50; i++)
		check_order((clock_fn)fn, CLOCK_MONOTONIC);
}

TEST(a_forked_child_has_it_too)
{
	EXPECT_CHILD_OK(read_clock, find_gettime());
}

TEST(it_can_be_unmapped)
{
	uintptr_t base = vdso_base();

	/* The C library would go on using it: from here on, nothing that asks for the time. */
	size_t pages = 1;

	while (munmap((void *)base, pages * 4096) && pages < VDSO_MAX_PAGES)
		pages++;
	EXPECT(pages < VDSO_MAX_PAGES);
	EXPECT_ERRNO(mprotect((void *)base, pages * 4096, PROT_READ), ENOMEM);
}

#ifdef __aarch64__
static void *volatile returns_to;

static void note_return_address(int sig)
{
	returns_to = __builtin_return_address(0);
	(void)sig;
}

TEST(handlers_without_a_restorer_return_through_it)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action = {.handler = note_return_address};

	ASSERT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8), 0);
	for (int i = 0; i < 3; i++) {
		returns_to = NULL;
		EXPECT_EQ(raise(SIGUSR1), 0);
		EXPECT(returns_to == find(NAME("rt_sigreturn")));
	}
}
#endif

/* Executed again with an argument, the program tells where its vDSO is. */
static uintptr_t base_in_new_program(void)
{
	int fds[2];
	uintptr_t base = 0;

	ASSERT_EQ(pipe(fds), 0);
	pid_t pid = fork();

	if (pid == 0) {
		char fd[8];

		snprintf(fd, sizeof(fd), "%d", fds[1]);
		execl("/tests/vdso", "vdso", fd, NULL);
		_exit(127);
	}
	close(fds[1]);
	EXPECT_EQ(read(fds[0], &base, sizeof(base)), sizeof(base));
	close(fds[0]);
	int status;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	return base;
}

TEST(each_program_has_it_at_another_place)
{
	uintptr_t first = base_in_new_program();
	int same = 0;

	for (int i = 0; i < 5; i++)
		same += base_in_new_program() == first;
	EXPECT(same < 3);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return ktap_run_all();
	uintptr_t base = vdso_base();

	for (int i = 0; i < 50; i++)
		check_order(find_gettime(), CLOCK_MONOTONIC);
	if (write(atoi(argv[1]), &base, sizeof(base)) != sizeof(base))
		return 1;
	return ktap_failed;
}
