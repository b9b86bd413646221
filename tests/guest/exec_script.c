/* SPDX-License-Identifier: MIT */
/*
 * exec_script.c - execve of scripts, execveat, and what a program may and may not be.
 *
 * This program is its own interpreter: told by its second argument or a script it prints its arguments, one
 * a line, into a pipe that descriptor 9 is.
 */
#include "gate.h"
#include <sys/prctl.h>
#include <sys/stat.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define DIR     "/tmp/exec_script"
#define ARGS_FD 9

static const char *self;
static char listing[8192];

static void write_file(const char *path, const char *text, size_t n, mode_t mode)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);

	ASSERT(fd >= 0);
	ASSERT_EQ(write(fd, text, n), n);
	ASSERT_EQ(fchmod(fd, mode), 0);
	close(fd);
}

/* script - DIR/name with this first line (%s: this program). */
static void script(const char *name, const char *first_line)
{
	char path[128], text[1024];

	snprintf(path, sizeof(path), DIR "/%s", name);
	snprintf(text, sizeof(text), first_line, self);
	write_file(path, text, strlen(text), 0755);
}

/* run - execveat in a child; the errno it failed with, or 0 and the arguments in listing. */
static int run(int dirfd, const char *path, int flags)
{
	static char *const argv[] = {"zero", "one", "two", NULL}, *const envp[] = {"LIST=1", NULL};
	int fds[2], status, failed = 0;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	ASSERT_EQ(pipe2(fds, 0), 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], ARGS_FD);
		close(fds[1]);
		close(fds[0]);
		if (flags == -1)
			execve(path, argv, envp);
		else
			syscall(SYS_execveat, dirfd, path, argv, envp, flags);
		_exit(errno);
	}
	close(fds[1]);
	while ((got = read(fds[0], listing + n, sizeof(listing) - 1 - n)) > 0)
		n += (size_t)got;
	listing[n] = 0;
	close(fds[0]);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT(WIFEXITED(status));
	failed = WEXITSTATUS(status);
	return failed;
}

#define EXPECT_ARGS(...)                                                            \
	({                                                                          \
		const char *wanted[] = {__VA_ARGS__};                               \
		char all[2048] = "";                                                \
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {   \
			strcat(all, wanted[i]);                                     \
			strcat(all, "\n");                                          \
		}                                                                   \
		KTAP_CHECK(!strcmp(all, listing), false, "arguments: %s", listing); \
	})

TEST(a_script_is_run_by_its_interpreter)
{
	script("plain", "#!%s\n");
	EXPECT_EQ(run(-1, DIR "/plain", -1), 0);
	EXPECT_ARGS("comm plain", self, DIR "/plain", "one", "two");
}

TEST(a_script_has_one_argument_with_blanks)
{
	script("blanks", "#! \t %s  -a b\tc \t\nrest\n");
	EXPECT_EQ(run(-1, DIR "/blanks", -1), 0);
	EXPECT_ARGS("comm blanks", self, "-a b\tc", DIR "/blanks", "one", "two");
}

TEST(the_first_line_may_be_all_there_is)
{
	script("short", "#!%s x");
	EXPECT_EQ(run(-1, DIR "/short", -1), 0);
	EXPECT_ARGS("comm short", self, "x", DIR "/short", "one", "two");
}

TEST(the_interpreter_is_found_from_the_working_directory)
{
	ASSERT_EQ(chdir("/tests"), 0);
	script("relative", "#!exec_script\n");
	EXPECT_EQ(run(-1, DIR "/relative", -1), 0);
	EXPECT_ARGS("comm relative", "exec_script", DIR "/relative", "one", "two");
	ASSERT_EQ(chdir(DIR), 0);
	EXPECT_EQ(run(-1, "relative", -1), ENOENT);
}

TEST(only_so_much_of_the_first_line_counts)
{
	char line[600] = "#!", *at = line + 2;

	memset(at, ' ', 200);
	strcpy(at + 200, self);
	strcat(line, " ");
	memset(line + strlen(line), 'a', 300);
	write_file(DIR "/long", line, 500, 0755);
	EXPECT_EQ(run(-1, DIR "/long", -1), 0);
	EXPECT_EQ(strlen(listing), strlen("comm long\n") + strlen(self) + 1 +
					   (255 - 202 - strlen(self) - 1) + 1 +
					   strlen(DIR "/long\none\ntwo\n"));
	memset(line + 2, '/', 300);
	write_file(DIR "/long", line, 500, 0755);
	EXPECT_EQ(run(-1, DIR "/long", -1), ENOEXEC);
	for (int n = 253; n <= 257; n++) { /* a name that ends at the edge */
		memset(line, '/', sizeof(line));
		memcpy(line, "#!", 2);
		line[n] = '\n';
		write_file(DIR "/long", line, 500, 0755);
		EXPECT_EQ(run(-1, DIR "/long", -1), n < 256 ? EACCES : ENOEXEC);
	}
}

TEST(scripts_without_an_interpreter_are_no_programs)
{
	script("empty", "#!\n");
	EXPECT_EQ(run(-1, DIR "/empty", -1), ENOEXEC);
	script("empty", "#!  \t\n");
	EXPECT_EQ(run(-1, DIR "/empty", -1), ENOEXEC);
	script("empty", "#! "); /* the name is "", which is the working directory */
	EXPECT_EQ(run(-1, DIR "/empty", -1), EACCES);
	script("empty", "#!/does/not/exist\n");
	EXPECT_EQ(run(-1, DIR "/empty", -1), ENOENT);
	script("empty", "#!/\n");
	EXPECT_EQ(run(-1, DIR "/empty", -1), EACCES);
	script("empty", "");
	EXPECT_EQ(run(-1, DIR "/empty", -1), ENOEXEC);
	script("empty", "#");
	EXPECT_EQ(run(-1, DIR "/empty", -1), ENOEXEC);
}

TEST(five_scripts_may_interpret_each_other)
{
	char name[16], line[64];

	script("s0", "#!%s\n");
	for (int i = 1; i < 6; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(line, sizeof(line), "#!" DIR "/s%d\n", i - 1);
		script(name, line);
	}
	EXPECT_EQ(run(-1, DIR "/s4", -1), 0);
	EXPECT_ARGS("comm s4", self, DIR "/s0", DIR "/s1", DIR "/s2", DIR "/s3", DIR "/s4", "one",
		    "two");
	EXPECT_EQ(run(-1, DIR "/s5", -1), ELOOP);
	script("self", "#!" DIR "/self\n");
	EXPECT_EQ(run(-1, DIR "/self", -1), ELOOP);
}

TEST(what_is_not_executable_is_refused)
{
	write_file(DIR "/text", "hello\n", 6, 0755);
	EXPECT_EQ(run(-1, DIR "/text", -1), ENOEXEC);
	write_file(DIR "/text", "#!/x\n", 5, 0644);
	EXPECT_EQ(run(-1, DIR "/text", -1), EACCES);
	EXPECT_EQ(run(-1, DIR, -1), EACCES);
	EXPECT_EQ(run(-1, DIR "/none", -1), ENOENT);
	EXPECT_EQ(run(-1, "", -1), ENOENT);
	EXPECT_EQ(run(-1, DIR "/text/x", -1), ENOTDIR);
	EXPECT_EQ(run(-1, (void *)8, -1), EFAULT);
}

static int copy_of_self(void)
{
	static char buf[1 << 16];
	int in = open(self, O_RDONLY),
	    out = open(DIR "/unreadable", O_CREAT | O_TRUNC | O_WRONLY, 0700);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			return -1;
	fchmod(out, 0111);
	close(out);
	return close(in);
}

TEST(a_program_need_not_be_readable)
{
	ASSERT_EQ(copy_of_self(), 0);
	ASSERT_EQ(chmod("/tmp", 0755) | chmod(DIR, 0755), 0);
	ASSERT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_ERRNO(open(DIR "/unreadable", O_RDONLY), EACCES);
	EXPECT_EQ(run(-1, DIR "/unreadable", -1), 0);
	EXPECT_ARGS("comm unreadable", "zero", "one", "two");
}

/* --- execveat ----------------------------------------------------------------------------------- */

TEST(execveat_starts_at_a_directory_or_is_one_file)
{
	int dir = open("/tests", O_RDONLY | O_DIRECTORY), file = open(self, O_RDONLY);

	ASSERT(dir >= 0 && file >= 0);
	EXPECT_EQ(run(dir, "exec_script", 0), 0);
	EXPECT_ARGS("comm exec_script", "zero", "one", "two");
	EXPECT_EQ(run(file, "", AT_EMPTY_PATH), 0);
	EXPECT_ARGS("comm exec_script", "zero", "one", "two");
	EXPECT_EQ(run(AT_FDCWD, self, 0), 0);
	EXPECT_EQ(run(-1, self, 0), 0);
	EXPECT_EQ(run(file, "", 0), ENOENT);
	EXPECT_EQ(run(-1, "", AT_EMPTY_PATH), EBADF);
	EXPECT_EQ(run(-1, "x", 0), EBADF);
	EXPECT_EQ(run(file, "x", 0), ENOTDIR);
	EXPECT_EQ(run(dir, "", AT_EMPTY_PATH), EACCES);
	EXPECT_EQ(run(dir, "exec_script", 0x8000), EINVAL);
}

TEST(execveat_may_refuse_symbolic_links)
{
	ASSERT_EQ(symlink(self, DIR "/link"), 0);
	EXPECT_EQ(run(AT_FDCWD, DIR "/link", AT_SYMLINK_NOFOLLOW), ELOOP);
	EXPECT_EQ(run(AT_FDCWD, DIR "/link", 0), 0);
	EXPECT_ARGS("comm link", "zero", "one", "two");
}

TEST(a_script_that_exec_closes_cannot_be_read)
{
	int fd;

	script("closing", "#!%s\n");
	fd = open(DIR "/closing", O_RDONLY | O_CLOEXEC);
	ASSERT(fd >= 0);
	EXPECT_EQ(run(fd, "", AT_EMPTY_PATH), ENOENT);
	close(fd);
	fd = open(DIR "/closing", O_RDONLY);
	EXPECT_EQ(run(fd, "", AT_EMPTY_PATH), 0);
	char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	EXPECT_ARGS("comm exec_script", self, path, "one", "two");
}

static int list_arguments(int argc, char **argv)
{
	char name[20], line[512];

	prctl(PR_GET_NAME, name);
	dprintf(ARGS_FD, "comm %s\n", name);
	for (int i = 0; i < argc; i++) {
		snprintf(line, sizeof(line), "%s\n", argv[i]);
		if (write(ARGS_FD, line, strlen(line)) < 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (getenv("LIST"))
		return list_arguments(argc, argv);
	self = "/tests/exec_script";
	mkdir("/tmp", 0755);
	mkdir(DIR, 0755);
	return ktap_run_all();
}
