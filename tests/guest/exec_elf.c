/* SPDX-License-Identifier: MIT */
/*
 * exec_elf.c - what execve accepts, what it refuses, and what a new program finds on its stack.
 *
 * The images of /data/elf are made by tests/guest/make-data, which also says what must become of each;
 * every one is a claim of its own. For the rest this program runs itself again, told by the
 * environment variable MODE what to look at.
 */
#include "gate.h"
#include "memory.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#define SELF "/tests/exec_elf"

extern char **environ;
extern void _start(void);

/* --- images ------------------------------------------------------------------------------------- */

struct image {
	char path[64];
	char expected[16];
};

static struct image images[192];
static struct ktap_test image_tests[192];
static char image_names[192][64];

#define REFUSED 0x80 /* the child's exit status says so, with the errno below it */

static void run_image(void *arg)
{
	const struct image *image = arg;
	char *argv[] = {(char *)image->path, NULL}, *envp[] = {NULL};
	bool late;
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		execve(image->path, argv, envp);
		_exit(REFUSED | errno);
	}
	int status = ktap_wait(pid, 4, &late), code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	bool refused = code > REFUSED, killed = WIFSIGNALED(status);
	const char *e = image->expected;

	if (!strcmp(e, "runs"))
		EXPECT_EQ(code, 42);
	else if (!strcmp(e, "ENOEXEC"))
		EXPECT_EQ(code, REFUSED | ENOEXEC);
	else if (!strcmp(e, "refused"))
		EXPECT(refused);
	else if (!strcmp(e, "ends"))
		EXPECT(refused || (killed && !late));
	else if (strcmp(e, "any"))
		ASSERT(!"a known expectation");
	if (ktap_failed)
		ktap_print("# expected %s, wait status 0x%x%s\n", e, status,
			   late ? ", killed late" : "");
}

static void add_image(const char *name, const char *expected, unsigned n)
{
	snprintf(images[n].path, sizeof(images[n].path), "/data/elf/%s", name);
	snprintf(images[n].expected, sizeof(images[n].expected), "%s", expected);
	snprintf(image_names[n], sizeof(image_names[n]), "image_%s", name);
	image_tests[n] = (struct ktap_test){
		.name = image_names[n], .run = run_image, .arg = &images[n], .seconds = 10};
	ktap_add(&image_tests[n]);
}

static void add_images(void)
{
	static char list[8192];
	int fd = open("/data/elf/list", O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);
	unsigned n = 0;

	ASSERT(size > 0);
	for (char *name = strtok(list, " \n"); name && n < 192; name = strtok(NULL, " \n"))
		add_image(name, strtok(NULL, " \n"), n++);
	close(fd);
}

/* --- running this program again ----------------------------------------------------------------- */

static char *mode_environment(const char *mode)
{
	static char text[64];

	snprintf(text, sizeof(text), "MODE=%s", mode);
	return text;
}

static int run_self(const char *mode, char **argv)
{
	char *envp[] = {mode_environment(mode), "SECOND=value with spaces", "EMPTY=", NULL};
	bool late;
	pid_t pid = fork();

	ASSERT(pid >= 0);
	if (pid == 0) {
		execve(SELF, argv, envp);
		_exit(REFUSED | errno);
	}
	return ktap_wait(pid, 20, &late);
}

/* One function per mode: what the new program checks. */
static void check_arguments(int argc, char **argv)
{
	ASSERT_EQ(argc, 4);
	EXPECT(!strcmp(argv[0], "any name") && !strcmp(argv[1], "one") && !strcmp(argv[2], "") &&
	       !strcmp(argv[3], "three") && !argv[4]);
	EXPECT(!strcmp(getenv("SECOND"), "value with spaces"));
	EXPECT(!strcmp(getenv("EMPTY"), ""));
	EXPECT(environ[3] == NULL);
}

static void check_no_arguments(int argc, char **argv)
{
	EXPECT_EQ(argc, 1); /* Linux adds an empty name */
	EXPECT(argv[0] && !argv[0][0] && !argv[1]);
}

static void check_many_arguments(int argc, char **argv)
{
	EXPECT_EQ(argc, 5000);
	for (int i = 0; i < argc; i++)
		ASSERT_EQ(atoi(argv[i]), i * 7);
}

static void check_long_argument(int argc, char **argv)
{
	EXPECT_EQ(argc, 2);
	EXPECT_EQ(strlen(argv[1]), 131071);
	EXPECT_EQ(strspn(argv[1], "x"), 131071);
}

static void check_descriptors(int argc, char **argv)
{
	ASSERT_EQ(argc, 4);
	EXPECT_EQ(write(atoi(argv[1]), "x", 1), 1);
	EXPECT_ERRNO(write(atoi(argv[2]), "x", 1), EBADF);
	EXPECT_ERRNO(write(atoi(argv[3]), "x", 1), EBADF);
}

static void check_signals(int argc, char **argv)
{
	sigset_t set;

	(void)argc;
	(void)argv;
	EXPECT(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
	EXPECT(signal(SIGUSR2, SIG_DFL) == SIG_DFL);
	EXPECT_EQ(sigprocmask(SIG_SETMASK, NULL, &set), 0);
	EXPECT(sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGHUP) == 0);
}

static void check_auxv(int argc, char **argv)
{
	const Elf64_Phdr *phdr = (void *)getauxval(AT_PHDR);
	const uint8_t *random = (void *)getauxval(AT_RANDOM);
	unsigned long loads = 0;

	(void)argc;
	(void)argv;
	EXPECT_EQ(getauxval(AT_PAGESZ), 4096);
	EXPECT_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	EXPECT_EQ(getauxval(AT_ENTRY), (unsigned long)_start);
	EXPECT_EQ(getauxval(AT_SECURE), 0);
	EXPECT_EQ(getauxval(AT_UID) | getauxval(AT_EUID) | getauxval(AT_GID) | getauxval(AT_EGID),
		  0);
	EXPECT_EQ(getauxval(AT_CLKTCK), 100);
	EXPECT(getauxval(AT_HWCAP) != 0);
	EXPECT(!strcmp((char *)getauxval(AT_EXECFN), SELF));
	ASSERT(phdr && random);
	EXPECT(!is_zero(random, 16));
	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		loads += phdr[i].p_type == PT_LOAD;
	EXPECT(loads >= 2);
}

static void check_stack(int argc, char **argv)
{
	unsigned long *strings_end = (unsigned long *)getauxval(AT_EXECFN);

	EXPECT_EQ((uintptr_t)(argv - 1) % 16, 0); /* the stack pointer at entry, where argc is */
	EXPECT_EQ(*(long *)(argv - 1), argc);
	EXPECT((char *)strings_end > argv[0]);
	ktap_store(__builtin_frame_address(0), 0);
	EXPECT_DEATH(ktap_do_load, USER_END, SIGSEGV);
}

static const struct mode {
	const char *name;
	void (*check)(int argc, char **argv);
} modes[] = {
	{"arguments", check_arguments},
	{"no_arguments", check_no_arguments},
	{"many_arguments", check_many_arguments},
	{"long_argument", check_long_argument},
	{"descriptors", check_descriptors},
	{"signals", check_signals},
	{"auxv", check_auxv},
	{"stack", check_stack},
};

TEST(arguments_and_environment_arrive)
{
	char *argv[] = {"any name", "one", "", "three", NULL};

	EXPECT_EQ(run_self("arguments", argv), 0);
}

TEST(empty_argument_vector_gets_a_name)
{
	char *argv[] = {NULL};

	EXPECT_EQ(run_self("no_arguments", argv), 0);
	EXPECT_EQ(run_self("no_arguments", NULL), 0);
}

TEST(five_thousand_arguments_arrive)
{
	static char text[5000][8];
	static char *argv[5001];

	for (int i = 0; i < 5000; i++) {
		snprintf(text[i], sizeof(text[i]), "%d", i * 7);
		argv[i] = text[i];
	}
	EXPECT_EQ(run_self("many_arguments", argv), 0);
}

TEST(one_argument_may_have_128_kib)
{
	static char text[131073];
	char *argv[] = {"x", text, NULL};

	memset(text, 'x', 131071); /* with its end 131072 */
	EXPECT_EQ(run_self("long_argument", argv), 0);
	text[131071] = 'x';
	EXPECT_EQ(run_self("long_argument", argv), (REFUSED | E2BIG) << 8);
}

TEST(arguments_may_use_a_quarter_of_the_stack)
{
	static char text[100000];
	static char *argv[40];

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 30; i++)
		argv[i] = text;
	EXPECT_EQ(run_self("none", argv), (REFUSED | E2BIG) << 8); /* 3 MB of an 8 MiB stack */
	argv[10] = NULL;
	EXPECT_EQ(run_self("none", argv), 99 << 8);
}

TEST(open_files_stay_open_unless_marked)
{
	struct gate open_gate = gate_make();
	int marked[2];
	char text[3][8], *argv[] = {"x", text[0], text[1], text[2], NULL};

	ASSERT_EQ(pipe2(marked, O_CLOEXEC), 0);
	int copy = dup3(open_gate.fd[1], 50, O_CLOEXEC);
	snprintf(text[0], 8, "%d", open_gate.fd[1]);
	snprintf(text[1], 8, "%d", marked[1]);
	snprintf(text[2], 8, "%d", copy);
	EXPECT_EQ(run_self("descriptors", argv), 0);
	EXPECT_EQ(write(marked[1], "x", 1), 1);
}

TEST(ignored_and_blocked_signals_stay_so)
{
	sigset_t set;
	char *argv[] = {"x", NULL};

	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	EXPECT_EQ(run_self("signals", argv), 0);
}

TEST(auxiliary_vector_is_right)
{
	char *argv[] = {"x", NULL};

	EXPECT_EQ(run_self("auxv", argv), 0);
}

TEST(stack_is_laid_out_as_the_abi_says)
{
	char *odd[] = {"x", NULL}, *even[] = {"xy", "z", NULL};

	EXPECT_EQ(run_self("stack", odd), 0);
	EXPECT_EQ(run_self("stack", even), 0);
}

TEST(position_independent_program_runs)
{
	struct gate sink = gate_make();
	char *argv[] = {"hello-pie", NULL}, *envp[] = {"HOME=/", NULL};
	bool late;
	pid_t pid = fork();

	if (pid == 0) {
		dup3(sink.fd[1], 1, 0);
		execve("/tests/hello-pie", argv, envp);
		_exit(REFUSED | errno);
	}
	EXPECT_EQ(ktap_wait(pid, 10, &late), 0);
}

TEST(exec_errors_leave_the_caller_as_it_was)
{
	char *argv[] = {"x", NULL}, *envp[] = {NULL};
	uint8_t *p = map_anon(PAGE);

	ktap_store(p, 5);
	EXPECT_ERRNO(execve("/no/such/program", argv, envp), ENOENT);
	EXPECT_ERRNO(execve("", argv, envp), ENOENT);
	EXPECT_ERRNO(execve("/data", argv, envp), EACCES);
	EXPECT_ERRNO(execve("/data/pattern", argv, envp), EACCES);
	EXPECT_ERRNO(execve("/data/pattern/x", argv, envp), ENOTDIR);
	EXPECT_ERRNO(execve("/data/text", argv, envp), ENOEXEC);
	EXPECT_EQ(ktap_load(p), 5);
}

TEST_SECONDS(a_hundred_execs_return_their_memory, 60)
{
	char *argv[] = {"x", NULL};

	for (int i = 0; i < 100; i++)
		ASSERT_EQ(run_self("none", argv), 99 << 8);
}

int main(int argc, char **argv)
{
	const char *mode = getenv("MODE");

	if (!mode) {
		add_images();
		return ktap_run_all();
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(mode, modes[i].name)) {
			modes[i].check(argc, argv);
			return ktap_failed;
		}
	return 99;
}
