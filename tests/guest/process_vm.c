/* SPDX-License-Identifier: MIT */
/*
 * process_vm.c - memory of other processes: process_vm_readv, process_vm_writev, and what /proc/PID/mem may do that they
 * may not.
 */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/uio.h>

#include "proc.h"

#define PAGE 4096ul

static unsigned char *map(size_t pages, int prot, int flags)
{
	unsigned char *p = mmap(NULL, pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED);
	return p;
}

static long vm_read(pid_t pid, void *to, const void *from, size_t n)
{
	struct iovec l = {to, n}, r = {(void *)from, n};

	return process_vm_readv(pid, &l, 1, &r, 1, 0);
}

static long vm_write(pid_t pid, const void *from, void *to, size_t n)
{
	struct iovec l = {(void *)from, n}, r = {to, n};

	return process_vm_writev(pid, &l, 1, &r, 1, 0);
}

/* A child that does something, says so, and goes on when told to. */
struct child {
	pid_t pid;
	int ready[2], go[2];
};

static void start(struct child *c, void (*first)(void *), void (*then)(void *), void *arg)
{
	char byte = 0;

	ASSERT(!pipe(c->ready) && !pipe(c->go));
	c->pid = fork();
	if (!c->pid) {
		first(arg);
		if (write(c->ready[1], &byte, 1) != 1 || read(c->go[0], &byte, 1) != 1)
			_exit(2);
		if (then)
			then(arg);
		_exit(ktap_failed);
	}
	ASSERT(read(c->ready[0], &byte, 1) == 1);
}

static void finish(struct child *c)
{
	bool late;

	EXPECT_EQ(write(c->go[1], "", 1), 1);
	EXPECT_EQ(ktap_wait(c->pid, KTAP_SECONDS, &late), 0);
}

static void nothing(void *p)
{
	(void)p;
}

/* --- data ---------------------------------------------------------------------------------------------- */

static void fill_pages(void *p)
{
	for (size_t i = 0; i < 16 * PAGE; i++)
		((unsigned char *)p)[i] = (unsigned char)(i * 7 + i / PAGE);
}

static void expect_message(void *p)
{
	EXPECT(!memcmp((char *)p + PAGE - 3, "across", 6));
	EXPECT_EQ(((unsigned char *)p)[PAGE - 4], (unsigned char)((PAGE - 4) * 7));
	EXPECT_EQ(ktap_load((char *)p + 9 * PAGE), 0x5a);
}

TEST(another_process_is_read_and_written)
{
	unsigned char *p = map(16, PROT_READ | PROT_WRITE, MAP_PRIVATE), *copy = malloc(16 * PAGE);
	struct child c;

	p[0] = 0x33; /* ours until the child writes; the rest is still zero here */
	start(&c, fill_pages, expect_message, p);
	EXPECT_EQ(vm_read(c.pid, copy, p, 16 * PAGE), 16 * PAGE);
	for (size_t i = 0; i < 16 * PAGE; i++)
		if (copy[i] != (unsigned char)(i * 7 + i / PAGE)) {
			EXPECT_EQ(i, 0);
			break;
		}
	EXPECT_EQ(vm_write(c.pid, "across", p + PAGE - 3, 6), 6);
	EXPECT_EQ(vm_write(c.pid, "\x5a", p + 9 * PAGE, 1), 1);
	EXPECT_EQ(p[0], 0x33);
	EXPECT_EQ(p[PAGE], 0);
	finish(&c);
}

TEST(lists_of_buffers_need_not_match)
{
	unsigned char *p = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE), out[64] = {0};
	struct iovec l[4] = {{out, 5}, {NULL, 0}, {out + 5, 20}, {out + 30, 10}};
	struct iovec r[5] = {{p + PAGE - 7, 14}, {NULL, 0}, {p, 1}, {p + 2 * PAGE, 4}, {p + 8, 90}};

	for (unsigned i = 0; i < 4 * PAGE; i++)
		p[i] = (unsigned char)(i % 251);
	EXPECT_EQ(process_vm_readv(getpid(), l, 4, r, 5, 0), 35);
	for (unsigned i = 0; i < 14; i++)
		EXPECT_EQ(out[i], (PAGE - 7 + i) % 251);
	EXPECT_EQ(out[14], p[0]);
	EXPECT(!memcmp(out + 15, p + 2 * PAGE, 4));
	EXPECT(!memcmp(out + 19, p + 8, 6));
	EXPECT(!memcmp(out + 30, p + 14, 10));
	EXPECT_EQ(out[25], 0);
	EXPECT_EQ(process_vm_writev(getpid(), l, 1, r + 3, 1, 0), 4);
	EXPECT(!memcmp(p + 2 * PAGE, out, 4));
}

TEST(what_was_moved_before_a_hole_counts)
{
	unsigned char *p = map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE), out[3 * PAGE];
	struct iovec l = {out, sizeof(out)}, r[2] = {{p, 100}, {p + PAGE - 10, 50}};

	munmap(p + PAGE, PAGE);
	EXPECT_EQ(vm_read(getpid(), out, p, 3 * PAGE), PAGE);
	EXPECT_EQ(vm_write(getpid(), out, p + 100, PAGE), PAGE - 100);
	EXPECT_EQ(process_vm_readv(getpid(), &l, 1, r, 2, 0), 110);
	EXPECT_ERRNO(process_vm_readv(getpid(), &l, 1, &(struct iovec){p + PAGE, 8}, 1, 0), EFAULT);
	EXPECT_ERRNO(vm_read(getpid(), out, (void *)~0xffful, 8), EFAULT);
	EXPECT_ERRNO(vm_read(getpid(), out, (void *)(1ul << 62), 8), EFAULT);
	l = (struct iovec){p + PAGE - 6, 50}; /* our own side ends */
	EXPECT_EQ(process_vm_readv(getpid(), &l, 1, &(struct iovec){out, 50}, 1, 0), 6);
	l.iov_base = p + PAGE;
	EXPECT_ERRNO(process_vm_readv(getpid(), &l, 1, &(struct iovec){out, 50}, 1, 0), EFAULT);
}

static long call(long nr, pid_t pid, void *l, long nl, void *r, long nr_remote, long flags)
{
	return syscall(nr, pid, l, nl, r, nr_remote, flags);
}

TEST(errors_in_their_order)
{
	static const long both[] = {SYS_process_vm_readv, SYS_process_vm_writev};
	char a[8], b[8];
	struct iovec l = {a, 8}, r = {b, 8}, none = {a, 0}, negative = {a, (size_t)-5};
	void *bad = (void *)16;
	pid_t gone = fork();

	if (!gone)
		_exit(0);
	waitpid(gone, NULL, 0);
	for (int i = 0; i < 2; i++) {
		long nr = both[i];

		EXPECT_ERRNO(call(nr, gone, bad, 1, bad, 1, 1), EINVAL);
		EXPECT_ERRNO(call(nr, gone, bad, 1025, bad, 1, 0), EINVAL);
		EXPECT_ERRNO(call(nr, gone, bad, 1, &r, 1, 0), EFAULT);
		EXPECT_ERRNO(call(nr, gone, &negative, 1, &r, 1, 0), EINVAL);
		EXPECT_EQ(call(nr, gone, &none, 1, bad, 1, 0), 0);
		EXPECT_EQ(call(nr, gone, bad, 0, bad, 2000, 0), 0);
		EXPECT_ERRNO(call(nr, gone, &l, 1, bad, 1025, 0), EINVAL);
		EXPECT_ERRNO(call(nr, gone, &l, 1, bad, 1, 0), EFAULT);
		EXPECT_ERRNO(call(nr, gone, &l, 1, &negative, 1, 0), EINVAL);
		EXPECT_EQ(call(nr, gone, &l, 1, &none, 1, 0), 0);
		EXPECT_EQ(call(nr, gone, &l, 1, bad, 0, 0), 0);
		EXPECT_ERRNO(call(nr, gone, &l, 1, &r, 1, 0), ESRCH);
		EXPECT_ERRNO(call(nr, 0, &l, 1, &r, 1, 0), ESRCH);
		EXPECT_ERRNO(call(nr, -1, &l, 1, &r, 1, 0), ESRCH);
		EXPECT_EQ(call(nr, getpid(), &l, 1, &r, 1, 0), 8);
	}
}

TEST(a_zombie_has_no_memory)
{
	char byte = 0;
	siginfo_t info;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	ASSERT(!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	EXPECT_ERRNO(vm_read(pid, &byte, &info, 1), ESRCH);
	waitpid(pid, NULL, 0);
}

TEST(rights_of_the_mapping_count)
{
	unsigned char *ro = map(1, PROT_READ, MAP_PRIVATE), *none = map(1, PROT_NONE, MAP_PRIVATE);
	unsigned char *rw = map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE), byte = 1;

	rw[0] = 9;
	EXPECT_EQ(vm_read(getpid(), &byte, ro, 1), 1);
	EXPECT_EQ(byte, 0);
	EXPECT_ERRNO(vm_write(getpid(), &byte, ro, 1), EFAULT);
	EXPECT_ERRNO(vm_read(getpid(), &byte, none, 1), EFAULT);
	EXPECT_ERRNO(vm_write(getpid(), &byte, none, 1), EFAULT);
	mprotect(rw, PAGE, PROT_NONE);
	EXPECT_ERRNO(vm_read(getpid(), &byte, rw, 1), EFAULT);
	mprotect(rw, PAGE, PROT_READ);
	EXPECT_ERRNO(vm_write(getpid(), &byte, rw, 1), EFAULT);
	EXPECT_EQ(vm_read(getpid(), &byte, rw, 1), 1);
	EXPECT_EQ(byte, 9);
}

/* --- copies ---------------------------------------------------------------------------------------------- */

static void expect_child_value(void *p)
{
	EXPECT_EQ(ktap_load(p), 2);
	EXPECT_EQ(ktap_load((char *)p + PAGE), 2);
}

TEST(a_write_breaks_what_fork_shares)
{
	unsigned char *p = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *s = map(1, PROT_READ | PROT_WRITE, MAP_SHARED), two = 2;
	struct child c;

	p[0] = 1; /* the second page stays untouched */
	start(&c, nothing, expect_child_value, p);
	EXPECT_EQ(vm_write(c.pid, &two, p, 1), 1);
	EXPECT_EQ(vm_write(c.pid, &two, p + PAGE, 1), 1);
	EXPECT_EQ(vm_write(c.pid, &two, s, 1), 1);
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(s[0], 2);
	finish(&c);
}

/* --- who may ------------------------------------------------------------------------------------------------ */

static unsigned char target = 77;

static void become_1000(void *p)
{
	(void)p;
	EXPECT(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	EXPECT(!prctl(PR_SET_DUMPABLE, 1));
}

static void become_undumpable(void *p)
{
	become_1000(p);
	prctl(PR_SET_DUMPABLE, 0);
}

static int try_as(uid_t real, uid_t effective, pid_t pid)
{
	unsigned char byte = 0;
	int status;
	pid_t child = fork();

	if (!child) {
		if (setresgid(real, effective, effective) || setresuid(real, effective, effective))
			_exit(255);
		errno = 0;
		_exit(vm_read(pid, &byte, &target, 1) == 1 && byte == 77 ? 0 : errno);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

TEST(the_real_user_decides)
{
	struct child c;

	start(&c, become_1000, NULL, NULL);
	EXPECT_EQ(try_as(0, 0, c.pid), 0);
	EXPECT_EQ(try_as(1000, 1000, c.pid), 0);
	EXPECT_EQ(try_as(1000, 2000, c.pid), 0);
	EXPECT_EQ(try_as(2000, 1000, c.pid), EPERM);
	EXPECT_EQ(try_as(2000, 2000, c.pid), EPERM);
	EXPECT_EQ(try_as(1000, 1000, getpid()), EPERM);
	finish(&c);
	start(&c, become_undumpable, NULL, NULL);
	EXPECT_EQ(try_as(1000, 1000, c.pid), EPERM);
	EXPECT_EQ(try_as(0, 0, c.pid), 0);
	finish(&c);
}

/* --- /proc/PID/mem -------------------------------------------------------------------------------------------- */

static int open_mem(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	ASSERT(fd >= 0);
	return fd;
}

static void expect_read_only(void *p)
{
	EXPECT_EQ(ktap_load(p), 5);
	EXPECT_EQ(ktap_load((char *)p + PAGE), 6);
	EXPECT_STORE_DIES(p);
	EXPECT_STORE_DIES((char *)p + PAGE);
	mprotect(p, PAGE, PROT_READ | PROT_WRITE);
	*(char *)p = 7;
	EXPECT_EQ(ktap_load(p), 7);
}

TEST(mem_writes_private_memory_that_is_read_only)
{
	unsigned char *p = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct child c;
	int fd;

	p[0] = 1;
	mprotect(p, 2 * PAGE, PROT_READ);
	ktap_load(p + PAGE);
	start(&c, nothing, expect_read_only, p);
	fd = open_mem(c.pid);
	EXPECT_EQ(pwrite(fd, "\5", 1, (off_t)(uintptr_t)p), 1);
	EXPECT_EQ(pwrite(fd, "\6", 1, (off_t)(uintptr_t)(p + PAGE)), 1);
	close(fd);
	EXPECT_EQ(ktap_load(p), 1);
	EXPECT_EQ(ktap_load(p + PAGE), 0);
	finish(&c);
}

TEST(mem_reads_what_has_no_rights)
{
	unsigned char *p = map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE), byte = 0;
	int fd = open_mem(getpid());

	p[0] = 4;
	mprotect(p, 2 * PAGE, PROT_NONE);
	EXPECT_EQ(pread(fd, &byte, 1, (off_t)(uintptr_t)p), 1);
	EXPECT_EQ(byte, 4);
	EXPECT_EQ(pread(fd, &byte, 1, (off_t)(uintptr_t)(p + PAGE)), 1);
	EXPECT_EQ(byte, 0);
	EXPECT_EQ(pwrite(fd, "\11", 1, (off_t)(uintptr_t)p), 1);
	EXPECT_EQ(pwrite(fd, "\12", 1, (off_t)(uintptr_t)(p + PAGE)), 1);
	EXPECT_LOAD_DIES(p);
	EXPECT_LOAD_DIES(p + PAGE);
	mprotect(p, 2 * PAGE, PROT_READ);
	EXPECT_EQ(ktap_load(p), 9);
	EXPECT_EQ(ktap_load(p + PAGE), 10);
	EXPECT_STORE_DIES(p);
}

TEST(mem_does_not_force_shared_memory)
{
	unsigned char *p = map(1, PROT_READ | PROT_WRITE, MAP_SHARED), byte = 3;
	int fd = open_mem(getpid());

	p[0] = 8;
	EXPECT_EQ(pwrite(fd, &byte, 1, (off_t)(uintptr_t)p), 1);
	mprotect(p, PAGE, PROT_READ);
	EXPECT_ERRNO(pwrite(fd, &byte, 1, (off_t)(uintptr_t)p), EIO);
	EXPECT_EQ(ktap_load(p), 3);
	mprotect(p, PAGE, PROT_NONE);
	EXPECT_EQ(pread(fd, &byte, 1, (off_t)(uintptr_t)p), 1);
	munmap(p, PAGE);
	EXPECT_ERRNO(pread(fd, &byte, 1, (off_t)(uintptr_t)p), EIO);
}

TEST(mem_copies_a_files_page_instead_of_writing_it)
{
	int file = open("/tmp/process_vm", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int fd = open_mem(getpid());
	unsigned char *p, byte = 0;

	ASSERT(file >= 0 && write(file, "abc", 3) == 3);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	ASSERT(p != MAP_FAILED);
	EXPECT_EQ(ktap_load(p + 1), 'b');
	EXPECT_EQ(pwrite(fd, "x", 1, (off_t)(uintptr_t)(p + 1)), 1);
	EXPECT_EQ(ktap_load(p + 1), 'x');
	EXPECT_EQ(ktap_load(p), 'a');
	EXPECT_EQ(pread(file, &byte, 1, 1), 1);
	EXPECT_EQ(byte, 'b');
	EXPECT_STORE_DIES(p);
	unlink("/tmp/process_vm");
}

#ifdef __x86_64__
static const unsigned char code_11[] = {0xb8, 11, 0, 0, 0, 0xc3}, /* mov $11, %eax; ret */
	code_12[] = {0xb8, 12, 0, 0, 0, 0xc3};
#else
static const uint32_t code_11[] = {0x52800160, 0xd65f03c0}, /* mov w0, #11; ret */
	code_12[] = {0x52800180, 0xd65f03c0};
#endif

TEST(code_written_through_mem_is_executed)
{
	unsigned char *p = map(1, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	int (*f)(void) = (int (*)(void))(uintptr_t)p, fd = open_mem(getpid());

	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(pwrite(fd, code_11, sizeof(code_11), (off_t)(uintptr_t)p),
			  sizeof(code_11));
		EXPECT_EQ(f(), 11);
		EXPECT_EQ(pwrite(fd, code_12, sizeof(code_12), (off_t)(uintptr_t)p),
			  sizeof(code_12));
		EXPECT_EQ(f(), 12);
	}
}

TEST_MAIN()
