/* SPDX-License-Identifier: MIT */
/*
 * cred.c - user and group ids, capabilities, and what they permit: files, signals, set-user-ID programs. Calls
 * are made raw where the C library would speak for all threads.
 */
#include "gate.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define ALL_CAPS ((1ull << 41) - 1)

struct ids {
	uid_t real, effective, saved;
};

static struct ids uids(void)
{
	struct ids i;

	ASSERT_EQ(getresuid(&i.real, &i.effective, &i.saved), 0);
	return i;
}

#define EXPECT_UIDS(r, e, s)                 \
	({                                   \
		struct ids now = uids();     \
		EXPECT_EQ(now.real, r);      \
		EXPECT_EQ(now.effective, e); \
		EXPECT_EQ(now.saved, s);     \
	})

struct caps {
	uint64_t effective, permitted, inheritable;
};

static struct caps caps_get(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	ASSERT_EQ(syscall(SYS_capget, &head, d), 0);
	return (struct caps){d[0].effective | (uint64_t)d[1].effective << 32,
			     d[0].permitted | (uint64_t)d[1].permitted << 32,
			     d[0].inheritable | (uint64_t)d[1].inheritable << 32};
}

static int caps_set(struct caps c)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {
		{(uint32_t)c.effective, (uint32_t)c.permitted, (uint32_t)c.inheritable},
		{(uint32_t)(c.effective >> 32), (uint32_t)(c.permitted >> 32),
		 (uint32_t)(c.inheritable >> 32)}};

	return (int)syscall(SYS_capset, &head, d);
}

/* --- user ids ----------------------------------------------------------------------------------- */

TEST(the_superuser_sets_any_user_id_and_cannot_come_back)
{
	EXPECT_UIDS(0, 0, 0);
	EXPECT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_UIDS(1000, 1000, 1000);
	EXPECT_ERRNO(syscall(SYS_setuid, 0), EPERM);
	EXPECT_ERRNO(syscall(SYS_setresuid, 0, -1, -1), EPERM);
	EXPECT_ERRNO(syscall(SYS_setreuid, -1, 0), EPERM);
	EXPECT_EQ(caps_get().permitted, 0);
}

TEST(a_saved_user_id_is_the_way_back)
{
	EXPECT_EQ(syscall(SYS_setresuid, 1000, 1001, 0), 0);
	EXPECT_UIDS(1000, 1001, 0);
	EXPECT_EQ(caps_get().effective, 0);
	EXPECT_EQ(caps_get().permitted, ALL_CAPS);
	EXPECT_ERRNO(syscall(SYS_setuid, 1001), EPERM);
	EXPECT_EQ(syscall(SYS_setuid, 0), 0);
	EXPECT_UIDS(1000, 0, 0);
	EXPECT_EQ(caps_get().effective, ALL_CAPS);
}

TEST(setreuid_saves_the_new_effective_id)
{
	EXPECT_EQ(syscall(SYS_setreuid, 1000, -1), 0);
	EXPECT_UIDS(1000, 0, 0);
	EXPECT_EQ(syscall(SYS_setreuid, -1, 1000), 0);
	EXPECT_UIDS(1000, 1000, 0);
	EXPECT_EQ(syscall(SYS_setreuid, 1000, 0), 0);
	EXPECT_UIDS(1000, 0, 0);
	EXPECT_EQ(syscall(SYS_setreuid, 1000, 1000), 0);
	EXPECT_UIDS(1000, 1000, 1000);
}

TEST(minus_one_is_no_user_id)
{
	EXPECT_ERRNO(syscall(SYS_setuid, -1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setgid, -1), EINVAL);
	EXPECT_EQ(syscall(SYS_setresuid, -1, -1, -1), 0);
	EXPECT_UIDS(0, 0, 0);
}

TEST(setfsuid_returns_the_old_one_whatever_happens)
{
	EXPECT_EQ(setfsuid(1000), 0);
	EXPECT_EQ(setfsuid((uid_t)-1), 1000);
	EXPECT_EQ(caps_get().effective & (1u << CAP_DAC_OVERRIDE), 0);
	EXPECT(caps_get().effective & (1u << CAP_KILL));
	EXPECT_EQ(setfsuid(0), 1000);
	EXPECT_EQ(caps_get().effective, ALL_CAPS);
	EXPECT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_EQ(setfsuid(1001), 1000);
	EXPECT_EQ(setfsuid(1001), 1000);
}

TEST(group_ids_follow_the_same_rules)
{
	gid_t r, e, s;

	EXPECT_EQ(syscall(SYS_setresgid, 10, 11, 12), 0);
	EXPECT_EQ(getresgid(&r, &e, &s), 0);
	EXPECT(r == 10 && e == 11 && s == 12);
	EXPECT_EQ(setfsgid(11), 11);
	EXPECT_EQ(syscall(SYS_setregid, -1, 13), 0);
	EXPECT_EQ(getresgid(&r, &e, &s), 0);
	EXPECT(r == 10 && e == 13 && s == 13);
	EXPECT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_ERRNO(syscall(SYS_setgid, 14), EPERM);
	EXPECT_EQ(syscall(SYS_setgid, 10), 0);
	EXPECT_EQ(getegid(), 10);
	EXPECT_EQ(syscall(SYS_setgid, 13), 0);
	EXPECT_ERRNO(syscall(SYS_setgroups, 0, NULL), EPERM);
}

TEST(supplementary_groups_are_kept_in_full)
{
	gid_t in[200], out[200];

	for (int i = 0; i < 200; i++)
		in[i] = (gid_t)(1000 + (i * 37) % 200);
	EXPECT_EQ(syscall(SYS_setgroups, 200, in), 0);
	EXPECT_EQ(syscall(SYS_getgroups, 0, NULL), 200);
	EXPECT_ERRNO(syscall(SYS_getgroups, 199, out), EINVAL);
	EXPECT_ERRNO(syscall(SYS_getgroups, -1, out), EINVAL);
	EXPECT_EQ(syscall(SYS_getgroups, 200, out), 200);
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(out[i], 1000 + i);
	EXPECT_ERRNO(syscall(SYS_setgroups, 65537, in), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setgroups, 1, (void *)8), EFAULT);
	EXPECT_EQ(syscall(SYS_setgroups, 0, NULL), 0);
	EXPECT_EQ(syscall(SYS_getgroups, 0, NULL), 0);
}

static void *change_own_uid(void *unused)
{
	(void)unused;
	EXPECT_EQ(syscall(SYS_setresuid, 1000, 1000, 1000), 0);
	EXPECT_EQ(syscall(SYS_getuid), 1000);
	return NULL;
}

TEST(ids_belong_to_the_thread)
{
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, change_own_uid, NULL), 0);
	ASSERT_EQ(pthread_join(t, NULL), 0);
	EXPECT_EQ(syscall(SYS_getuid), 0);
	EXPECT_EQ(setuid(1000), 0);
	EXPECT_UIDS(1000, 1000, 1000);
}

/* --- files -------------------------------------------------------------------------------------- */

static void make_file(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	ASSERT(fd >= 0);
	ASSERT_EQ(syscall(SYS_fchown, fd, uid, gid), 0);
	ASSERT_EQ(fchmod(fd, mode), 0);
	close(fd);
}

TEST(modes_are_checked_against_owner_group_and_others)
{
	/* The files get their owners by who makes them. */
	umask(0);
	mkdir("/tmp", 0777);
	ASSERT_EQ(mkdir("/tmp/cred", 0777), 0);
	ASSERT_EQ(syscall(SYS_setgroups, 1, &(gid_t){77}), 0);
	setfsgid(77);
	setfsuid(1000);
	ASSERT_EQ(close(open("/tmp/cred/owned", O_CREAT | O_WRONLY, 0040)), 0);
	ASSERT_EQ(close(open("/tmp/cred/group", O_CREAT | O_WRONLY, 0604)), 0);
	setfsuid(0);
	setfsgid(0);
	EXPECT_EQ(access("/tmp/cred/owned", R_OK | W_OK), 0);
	EXPECT_ERRNO(access("/tmp/cred/owned", X_OK), EACCES);
	ASSERT_EQ(syscall(SYS_setresuid, 1000, 1000, 0), 0);
	EXPECT_ERRNO(open("/tmp/cred/owned", O_RDONLY), EACCES);
	EXPECT_EQ(access("/tmp/cred/group", R_OK | W_OK), 0);
	ASSERT_EQ(syscall(SYS_setresuid, 0, 0, 0), 0);
	ASSERT_EQ(syscall(SYS_setresuid, 1001, 1001, 0), 0);
	EXPECT_EQ(close(open("/tmp/cred/owned", O_RDONLY)), 0);
	EXPECT_ERRNO(open("/tmp/cred/group", O_RDONLY), EACCES);
	EXPECT_ERRNO(chmod("/tmp/cred/group", 0777), EPERM);
	ASSERT_EQ(syscall(SYS_setresuid, 0, 0, 0), 0);
	EXPECT_EQ(unlink("/tmp/cred/owned") | unlink("/tmp/cred/group") | rmdir("/tmp/cred"), 0);
}

TEST(access_asks_with_the_real_ids)
{
	umask(0);
	mkdir("/tmp", 0777);
	ASSERT_EQ(close(open("/tmp/real", O_CREAT | O_WRONLY, 0600)), 0);
	ASSERT_EQ(syscall(SYS_setresuid, 1000, 0, 0), 0);
	EXPECT_ERRNO(access("/tmp/real", R_OK), EACCES);
	EXPECT_EQ(faccessat(AT_FDCWD, "/tmp/real", R_OK, AT_EACCESS), 0);
	EXPECT_EQ(close(open("/tmp/real", O_RDONLY)), 0);
	EXPECT_EQ(unlink("/tmp/real"), 0);
}

/* --- capabilities ------------------------------------------------------------------------------- */

TEST(capget_knows_its_versions)
{
	struct __user_cap_header_struct head = {0x12345678, 0};
	struct __user_cap_data_struct d[2];

	EXPECT_EQ(syscall(SYS_capget, &head, NULL), 0);
	EXPECT_EQ(head.version, _LINUX_CAPABILITY_VERSION_3);
	head.version = 1;
	EXPECT_ERRNO(syscall(SYS_capget, &head, d), EINVAL);
	EXPECT_EQ(head.version, _LINUX_CAPABILITY_VERSION_3);
	head.pid = -1;
	EXPECT_ERRNO(syscall(SYS_capget, &head, d), EINVAL);
	head.pid = 0x3fffffff;
	EXPECT_ERRNO(syscall(SYS_capget, &head, d), ESRCH);
	head.pid = 1;
	EXPECT_EQ(syscall(SYS_capget, &head, d), 0);
	EXPECT_ERRNO(syscall(SYS_capset, &head, d), EPERM);
	EXPECT_ERRNO(syscall(SYS_capget, (void *)8, d), EFAULT);
}

TEST(dropped_capabilities_stay_dropped)
{
	struct caps c = caps_get();

	EXPECT_EQ(c.permitted, ALL_CAPS);
	c.permitted &= ~(1ull << CAP_SYS_BOOT);
	EXPECT_ERRNO(caps_set(c), EPERM); /* effective, but no longer permitted */
	c.effective &= ~(1ull << CAP_SYS_BOOT);
	EXPECT_EQ(caps_set(c), 0);
	EXPECT_ERRNO(syscall(SYS_reboot, 0xfee1dead, 0x28121969, 0, 0), EPERM);
	c.permitted = c.effective = ALL_CAPS;
	EXPECT_ERRNO(caps_set(c), EPERM);
}

TEST(keepcaps_keeps_the_permitted_set)
{
	EXPECT_EQ(prctl(PR_GET_KEEPCAPS), 0);
	EXPECT_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	EXPECT_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
	EXPECT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_EQ(caps_get().permitted, ALL_CAPS);
	EXPECT_EQ(caps_get().effective, 0);
}

TEST(securebits_can_be_locked)
{
	EXPECT_EQ(prctl(PR_GET_SECUREBITS), 0);
	EXPECT_EQ(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED),
		  0);
	EXPECT_ERRNO(prctl(PR_SET_SECUREBITS, 0), EPERM);
	EXPECT_EQ(syscall(SYS_setuid, 1000), 0);
	EXPECT_EQ(caps_get().effective, ALL_CAPS);
}

TEST(bounding_and_ambient_sets)
{
	struct caps c = caps_get();

	EXPECT_EQ(prctl(PR_CAPBSET_READ, CAP_KILL), 1);
	EXPECT_EQ(prctl(PR_CAPBSET_DROP, CAP_KILL), 0);
	EXPECT_EQ(prctl(PR_CAPBSET_READ, CAP_KILL), 0);
	EXPECT_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
	EXPECT_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
	c.inheritable = 1u << CAP_CHOWN;
	EXPECT_EQ(caps_set(c), 0);
	EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), 0);
	EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1);
	EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0), 0);
	EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
	EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
	EXPECT_ERRNO(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0), EINVAL);
}

/* --- signals ------------------------------------------------------------------------------------ */

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

TEST(signals_need_the_same_user)
{
	pid_t same = sleeper(1000), other = sleeper(1001);

	ASSERT_EQ(syscall(SYS_setresuid, 1000, 1000, 0), 0);
	EXPECT_EQ(kill(same, 0), 0);
	EXPECT_ERRNO(kill(other, 0), EPERM);
	EXPECT_ERRNO(kill(other, SIGKILL), EPERM);
	EXPECT_EQ(kill(other, SIGCONT), 0); /* same session */
	EXPECT_ERRNO(kill(1, SIGTERM), EPERM);
	ASSERT_EQ(syscall(SYS_setuid, 0), 0);
	EXPECT_EQ(kill(same, SIGKILL), 0);
	EXPECT_EQ(kill(other, SIGKILL), 0);
	EXPECT(wait(NULL) > 0);
	EXPECT(wait(NULL) > 0);
}

/* --- prctl -------------------------------------------------------------------------------------- */

TEST(prctl_keeps_what_it_is_told)
{
	int value = -1;

	EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);
	EXPECT_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	EXPECT_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
	EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
	EXPECT_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &value), 0);
	EXPECT_EQ(value, SIGUSR1);
	EXPECT_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 1234), 0);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1234);
	EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 0), 0);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 50000);
	EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	EXPECT_EQ(prctl(PR_GET_CHILD_SUBREAPER, &value), 0);
	EXPECT_EQ(value, 1);
	EXPECT_ERRNO(prctl(PR_GET_PDEATHSIG, 8), EFAULT);
	EXPECT_ERRNO(prctl(12345), EINVAL);
}

TEST(no_new_privs_is_for_good)
{
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
}

/* --- programs ----------------------------------------------------------------------------------- */

static char self_path[256];

/* copy_self - this program under another name, with owner and mode. */
static void copy_self(const char *to, uid_t uid, gid_t gid, mode_t mode)
{
	int in = open(self_path, O_RDONLY), out = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0700);
	char buf[4096];
	ssize_t n;

	ASSERT(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		ASSERT_EQ(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
	make_file(to, uid, gid, mode);
}

static void exec_reporting(void *path)
{
	syscall(SYS_setuid, 1000);
	execl(path, path, "--report", NULL);
	_exit(99);
}

/* The child says in its exit status what it found: bit 0: euid 0, bit 1: AT_SECURE, bit 2: permitted caps,
 * bit 3: egid 77, bit 4: dumpable. */
static int report(void)
{
	return (geteuid() == 0) | (getauxval(AT_SECURE) != 0) << 1 |
	       (caps_get().permitted != 0) << 2 | (getegid() == 77) << 3 |
	       (prctl(PR_GET_DUMPABLE) == 1) << 4;
}

static void exec_without_new_privs(void *path)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	exec_reporting(path);
}

static int exit_of(void (*fn)(void *), const char *path)
{
	int status = ktap_fork_run(fn, (void *)path);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(a_set_user_id_program_runs_with_its_owners_rights)
{
	mkdir("/tmp", 0777);
	copy_self("/tmp/suid", 0, 0, 04755);
	EXPECT_EQ(exit_of(exec_reporting, "/tmp/suid"), 1 | 2 | 4);
	EXPECT_EQ(exit_of(exec_without_new_privs, "/tmp/suid"), 16);
	make_file("/tmp/suid", 0, 77, 02755);
	EXPECT_EQ(exit_of(exec_reporting, "/tmp/suid"), 2 | 8);
	make_file("/tmp/suid", 0, 77, 02745);
	EXPECT_EQ(exit_of(exec_reporting, "/tmp/suid"), 16);
	make_file("/tmp/suid", 0, 0, 0755);
	EXPECT_EQ(exit_of(exec_reporting, "/tmp/suid"), 16);
	EXPECT_EQ(unlink("/tmp/suid"), 0);
}

TEST(a_set_user_id_program_has_no_rights_where_the_mount_says_so)
{
	mkdir("/tmp", 0777);
	mkdir("/tmp/nosuid", 0755);
	ASSERT_EQ(mount("none", "/tmp/nosuid", "tmpfs", MS_NOSUID, "mode=755"), 0);
	copy_self("/tmp/nosuid/suid", 0, 77, 06755);
	EXPECT_EQ(exit_of(exec_reporting, "/tmp/nosuid/suid"), 16);
	ASSERT_EQ(mount(NULL, "/tmp/nosuid", NULL, MS_REMOUNT, NULL), 0);
	EXPECT_EQ(exit_of(exec_reporting, "/tmp/nosuid/suid"), 1 | 2 | 4 | 8);
	ASSERT_EQ(umount("/tmp/nosuid"), 0);
}

static void set_uid_and_fork(void *limit)
{
	struct rlimit_pair {
		uint64_t cur, max;
	} r = {(uintptr_t)limit, (uintptr_t)limit};
	pid_t pid;
	int made = 0;

	ASSERT_EQ(syscall(SYS_prlimit64, 0, 6 /* NPROC */, &r, NULL), 0);
	ASSERT_EQ(syscall(SYS_setuid, 4321), 0);
	while ((pid = fork()) >= 0 && made < 20) {
		if (!pid)
			for (;;)
				pause();
		made++;
	}
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(made, (intptr_t)limit - 1);
	signal(SIGTERM, SIG_IGN);
	kill(-1, SIGTERM);
	while (wait(NULL) > 0)
		;
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		_exit(0);
	wait(NULL);
}

TEST(rlimit_nproc_counts_the_processes_of_a_user)
{
	EXPECT_CHILD_OK(set_uid_and_fork, 5);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return report();
	strncpy(self_path, argv[0], sizeof(self_path) - 1);
	return ktap_run_all();
}
