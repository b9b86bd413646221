/* SPDX-License-Identifier: MIT */
/*
 * pagemap.c - what the kernel tells of pages: pagemap word by word, kpageflags and kpagecount, smaps_rollup, clear_refs.
 */
#define _GNU_SOURCE
#include "proc.h"

#define PAGE      4096ul
#define EXCLUSIVE (1ull << 56)
#define FILE_PAGE (1ull << 61)
#define PRESENT   (1ull << 63)
#define FRAME     ((1ull << 55) - 1)
#define KINDS     (~FRAME & ~(1ull << 55)) /* all but the frame and soft-dirty */

#define KPF_MMAP (1ull << 11)
#define KPF_ANON (1ull << 12)
#define KPF_TAIL (1ull << 16)
#define KPF_HUGE (1ull << 22)

static uint64_t word_at(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY);
	uint64_t word = 0;

	ASSERT(fd >= 0);
	ASSERT_EQ(pread(fd, &word, 8, (off_t)(index * 8)), 8);
	close(fd);
	return word;
}

static uint64_t word_in(pid_t pid, const void *p)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	return word_at(path, (uintptr_t)p / PAGE);
}

static uint64_t word(const void *p)
{
	return word_in(getpid(), p);
}

static unsigned char *map(size_t pages, int prot, int flags)
{
	unsigned char *p = mmap(NULL, pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

TEST(words_say_what_is_mapped)
{
	unsigned char *p = map(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *s = map(2, PROT_READ | PROT_WRITE, MAP_SHARED);

	EXPECT_EQ(word(p) & (KINDS | FRAME), 0);
	ktap_load(p + PAGE);
	EXPECT_EQ(word(p + PAGE) & KINDS, PRESENT);
	p[2 * PAGE] = 1;
	EXPECT_EQ(word(p + 2 * PAGE) & KINDS, PRESENT | EXCLUSIVE);
	EXPECT((word(p + 2 * PAGE) & FRAME) != 0);
	EXPECT_EQ(word(s) & KINDS, 0);
	s[0] = 1;
	EXPECT_EQ(word(s) & KINDS, PRESENT | EXCLUSIVE | FILE_PAGE);
	mprotect(p, 8 * PAGE, PROT_NONE);
	EXPECT_EQ(word(p + 2 * PAGE) & KINDS, PRESENT | EXCLUSIVE);
	madvise(p, 8 * PAGE, MADV_DONTNEED);
	EXPECT_EQ(word(p + 2 * PAGE) & (KINDS | FRAME), 0);
	munmap(p, 8 * PAGE);
	EXPECT_EQ(word(p) & (KINDS | FRAME), 0);
}

TEST(sharing_shows_in_words_and_counts)
{
	unsigned char *p = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	int go[2], ready[2];
	char byte = 0;
	uint64_t frame;
	pid_t pid;

	p[0] = 1;
	frame = word(p) & FRAME;
	EXPECT_EQ(word_at("/proc/kpagecount", frame), 1);
	ASSERT(!pipe(go) && !pipe(ready));
	pid = fork();
	if (!pid) {
		ktap_store(p, 2);
		if (write(ready[1], &byte, 1) + read(go[0], &byte, 1) != 2)
			_exit(1);
		_exit(0);
	}
	ASSERT(read(ready[0], &byte, 1) == 1);
	EXPECT_EQ(word(p) & FRAME, frame);
	EXPECT_EQ(word(p) & KINDS, PRESENT | EXCLUSIVE);
	EXPECT((word_in(pid, p) & FRAME) != frame);
	EXPECT_EQ(write(go[1], &byte, 1), 1);
	waitpid(pid, NULL, 0);
	pid = fork();
	if (!pid) {
		if (write(ready[1], &byte, 1) + read(go[0], &byte, 1) != 2)
			_exit(1);
		_exit(0);
	}
	ASSERT(read(ready[0], &byte, 1) == 1);
	EXPECT_EQ(word(p) & KINDS, PRESENT);
	EXPECT_EQ(word_in(pid, p) & (KINDS | FRAME), PRESENT | frame);
	EXPECT_EQ(word_at("/proc/kpagecount", frame), 2);
	EXPECT_EQ(word_at("/proc/kpageflags", frame) & (KPF_MMAP | KPF_ANON), KPF_MMAP | KPF_ANON);
	EXPECT_EQ(word_at("/proc/kpageflags", frame) & (KPF_TAIL | KPF_HUGE), 0);
	EXPECT_EQ(write(go[1], &byte, 1), 1);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(word(p) & KINDS, PRESENT | EXCLUSIVE);
}

TEST(many_words_at_once)
{
	enum { PAGES = 1500 };
	unsigned char *p = map(PAGES + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	static uint64_t words[PAGES];
	int fd = open("/proc/self/pagemap", O_RDONLY);

	for (size_t i = 0; i < PAGES; i += 3)
		p[i * PAGE] = 1;
	EXPECT_EQ(pread(fd, words, sizeof(words), (off_t)((uintptr_t)p / PAGE * 8)), sizeof(words));
	for (size_t i = 0; i < PAGES; i++)
		if ((words[i] & KINDS) != (i % 3 ? 0 : PRESENT | EXCLUSIVE)) {
			EXPECT_EQ(words[i], i);
			break;
		}
	EXPECT_ERRNO(pread(fd, words, 7, 0), EINVAL);
	EXPECT_ERRNO(pread(fd, words, 8, 4), EINVAL);
	EXPECT_EQ(pread(fd, words, 0, 0), 0);
	EXPECT_EQ(pread(fd, words, 8, 1ll << 60), 0);
	munmap(p + PAGES * PAGE, PAGE);
	EXPECT_ERRNO(pread(fd, p + PAGES * PAGE, 8, 0), EFAULT);
	EXPECT_EQ(lseek(fd, 16, SEEK_SET), 16);
	EXPECT_EQ(read(fd, words, 24), 24);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 40);
	EXPECT_ERRNO(lseek(fd, 0, SEEK_END), EINVAL);
	fd = open("/proc/kpageflags", O_RDONLY);
	EXPECT_ERRNO(pread(fd, words, 8, 4), EINVAL);
	EXPECT_EQ(pread(fd, words, 8, 1ll << 60), 0);
}

static void look_as_user(void *p)
{
	char path[64];
	pid_t parent = getppid();

	ASSERT(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", parent);
	EXPECT_ERRNO(open(path, O_RDONLY), EACCES);
	EXPECT_ERRNO(open("/proc/kpagecount", O_RDONLY), EACCES);
	(void)p;
}

static int inherited;

static void look_through(void *p)
{
	uint64_t w = 0;

	ASSERT(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	EXPECT_EQ(pread(inherited, &w, 8, (off_t)((uintptr_t)p / PAGE * 8)), 8);
	EXPECT((w & FRAME) != 0); /* as the one who opened it may */
}

TEST(who_may_look)
{
	unsigned char *p = map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	p[0] = 1;
	inherited = open("/proc/self/pagemap", O_RDONLY);
	EXPECT_CHILD_OK(look_as_user, p);
	EXPECT_CHILD_OK(look_through, p);
}

static uint64_t sum_of(const char *name)
{
	size_t n = strlen(name);
	uint64_t sum = 0;

	for (const char *s = text; s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (!strncmp(s, name, n) && s[n] == ':')
			sum += strtoull(s + n + 1, NULL, 10);
	}
	return sum;
}

TEST(smaps_rollup_is_the_sum_of_smaps)
{
	static const char *const names[] = {
		"Rss",          "Pss_Dirty",    "Pss_Anon",      "Pss_File",      "Pss_Shmem",
		"Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Referenced",
		"Anonymous",    "KSM",          "LazyFree",      "AnonHugePages", "Swap",
		"SwapPss",      "Locked",
	};
	static char rollup[4096];
	unsigned char *p = map(20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	uint64_t rss, anonymous;

	memset(p, 1, 20 * PAGE);
	memset(text, 1, sizeof(text));
	/* Once for the code and buffers that come along. */
	ASSERT(slurp_into("/proc/self/smaps_rollup", rollup, sizeof(rollup)) > 0);
	ASSERT(slurp("/proc/self/smaps") > 0 && sum_of("Rss") > 0);
	ASSERT(slurp("/proc/self/smaps") > 0);
	rss = sum_of("Rss");
	anonymous = sum_of("Anonymous");
	EXPECT(anonymous >= 80);
	ASSERT(slurp("/proc/self/smaps_rollup") > 0);
	EXPECT_EQ(sum_of("Rss"), rss);
	EXPECT_EQ(sum_of("Anonymous"), anonymous);
	EXPECT(sum_of("Pss_Anon") + sum_of("Pss_File") + sum_of("Pss_Shmem") <= sum_of("Pss"));
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		EXPECT(line_of(names[i]));
	EXPECT(strstr(text, " ---p 00000000 00:00 0 "));
	EXPECT_EQ(strstr(text, "[rollup]\n") - text, 73);
}

static long referenced(const void *p)
{
	char head[32], *s;

	ASSERT(slurp("/proc/self/smaps") > 0);
	snprintf(head, sizeof(head), "%08lx-", (unsigned long)(uintptr_t)p);
	s = strstr(text, head);
	ASSERT(s);
	s = strstr(s, "Referenced:");
	ASSERT(s);
	return strtol(s + 11, NULL, 10);
}

TEST(clear_refs_forgets_uses)
{
	unsigned char *p = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *s = map(4, PROT_READ | PROT_WRITE, MAP_SHARED);

	memset(p, 1, 4 * PAGE);
	memset(s, 1, 4 * PAGE);
	mprotect(s + 3 * PAGE, PAGE, PROT_NONE); /* so that neither is joined with others */
	EXPECT_EQ(referenced(p), 16);
	EXPECT_EQ(referenced(s), 12);
	EXPECT(write_file("/proc/self/clear_refs", "3\n"));
	EXPECT_EQ(referenced(p), 16);
	EXPECT_EQ(referenced(s), 0);
	EXPECT(write_file("/proc/self/clear_refs", "2"));
	EXPECT_EQ(referenced(p), 0);
	EXPECT_EQ(ktap_load(p), 1);
	ktap_store(s, 2);
	EXPECT(write_file("/proc/self/clear_refs", "1"));
	EXPECT_EQ(referenced(s), 0);
	EXPECT_EQ(ktap_load(s), 2);
	errno = 0;
	EXPECT(!write_file("/proc/self/clear_refs", "0") && errno == EINVAL);
	EXPECT(!write_file("/proc/self/clear_refs", "6") && errno == EINVAL);
	EXPECT(!write_file("/proc/self/clear_refs", "x") && errno == EINVAL);
	EXPECT_ERRNO(open("/proc/self/clear_refs/", O_RDONLY), ENOTDIR);
}

TEST(clear_refs_resets_the_peak)
{
	unsigned char *p = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	memset(p, 1, 4096 * PAGE);
	munmap(p, 4096 * PAGE);
	ASSERT(slurp("/proc/self/status") > 0);
	EXPECT(number_of("VmHWM") >= 16384);
	EXPECT(write_file("/proc/self/clear_refs", "5"));
	ASSERT(slurp("/proc/self/status") > 0);
	EXPECT(number_of("VmHWM") < 16384);
}

TEST_MAIN()
