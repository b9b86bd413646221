/* SPDX-License-Identifier: MIT */
/* shm.c - System V shared memory: shmget, shmat, shmdt, shmctl. */
#include "memory.h"
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define KEY  0x51756972
#define SIZE (3 * PAGE)

static int make(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);

	ASSERT(id >= 0);
	return id;
}

static volatile uint8_t *attach(int id)
{
	void *p = shmat(id, NULL, 0);

	ASSERT(p != (void *)-1);
	return p;
}

static struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds;

	ASSERT_EQ(shmctl(id, IPC_STAT, &ds), 0);
	return ds;
}

static void remove_segment(int id)
{
	EXPECT_EQ(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(two_attachments_show_the_same_memory)
{
	int id = make(SIZE);
	volatile uint8_t *p = attach(id), *q = attach(id);

	EXPECT(p != q);
	EXPECT_EQ(p[SIZE - 1], 0);
	p[PAGE] = 7;
	EXPECT_EQ(q[PAGE], 7);
	EXPECT_EQ(stat_of(id).shm_nattch, 2);
	EXPECT_EQ(shmdt((void *)p), 0);
	EXPECT_EQ(stat_of(id).shm_nattch, 1);
	EXPECT_LOAD_DIES((void *)p);
	EXPECT_EQ(q[PAGE], 7);
	EXPECT_EQ(shmdt((void *)q), 0);
	p = attach(id);
	EXPECT_EQ(p[PAGE], 7); /* kept while nobody was attached */
	remove_segment(id);
}

static void write_and_exit(void *p)
{
	*(volatile uint8_t *)p = 42;
}

TEST(children_inherit_and_count)
{
	int id = make(PAGE), pipes[2];
	volatile uint8_t *p = attach(id);
	char c;

	EXPECT_CHILD_OK(write_and_exit, (void *)p);
	EXPECT_EQ(p[0], 42);
	EXPECT_EQ(stat_of(id).shm_nattch, 1);
	ASSERT_EQ(pipe(pipes), 0);
	pid_t pid = fork();

	if (pid == 0) {
		close(pipes[1]);
		_exit(read(pipes[0], &c, 1) != 0);
	}
	EXPECT_EQ(stat_of(id).shm_nattch, 2);
	close(pipes[1]);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(stat_of(id).shm_nattch, 1);
	EXPECT_EQ(stat_of(id).shm_lpid, pid);
	remove_segment(id);
}

TEST(keys_find_segments)
{
	EXPECT_ERRNO(shmget(KEY, SIZE, 0600), ENOENT);
	int id = shmget(KEY, SIZE, IPC_CREAT | 0600);

	ASSERT(id >= 0);
	EXPECT_EQ(shmget(KEY, SIZE, 0600), id);
	EXPECT_EQ(shmget(KEY, 0, 0), id);
	EXPECT_EQ(shmget(KEY, PAGE, IPC_CREAT | 0600), id);
	EXPECT_ERRNO(shmget(KEY, SIZE + 1, 0600), EINVAL);
	EXPECT_ERRNO(shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	EXPECT_EQ(stat_of(id).shm_perm.__key, KEY);
	remove_segment(id);
	EXPECT_ERRNO(shmget(KEY, SIZE, 0600), ENOENT);
	EXPECT_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
}

TEST(removed_segments_live_until_the_last_detach)
{
	int id = shmget(KEY, SIZE, IPC_CREAT | 0600);
	volatile uint8_t *p = attach(id);
	struct shmid_ds ds;

	p[1] = 9;
	remove_segment(id);
	EXPECT_EQ(p[1], 9);
	EXPECT(stat_of(id).shm_perm.mode & 01000);
	EXPECT_EQ(stat_of(id).shm_perm.__key, IPC_PRIVATE);
	EXPECT_ERRNO(shmget(KEY, SIZE, 0600), ENOENT);
	volatile uint8_t *q = attach(id); /* by number it can still be had */

	EXPECT_EQ(q[1], 9);
	EXPECT_EQ(shmdt((void *)p), 0);
	EXPECT_EQ(shmdt((void *)q), 0);
	EXPECT_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
	EXPECT_ERRNO((long)shmat(id, NULL, 0), EINVAL);
}

TEST(read_only_attachments_stay_so)
{
	int id = make(PAGE);
	uint8_t *p = shmat(id, NULL, SHM_RDONLY);

	ASSERT(p != (void *)-1);
	EXPECT_EQ(ktap_load(p), 0);
	EXPECT_STORE_DIES(p);
	EXPECT_ERRNO(mprotect(p, PAGE, RW), EACCES);
	remove_segment(id);
}

TEST(addresses_are_obeyed)
{
	int id = make(SIZE);
	uint8_t *room = reserve(16 * PAGE);

	EXPECT_ERRNO((long)shmat(id, room, 0), EINVAL); /* there is something */
	EXPECT_ERRNO((long)shmat(id, NULL, SHM_REMAP), EINVAL);
	EXPECT_EQ(shmat(id, room, SHM_REMAP), room);
	EXPECT_EQ(shmdt(room), 0);
	EXPECT_ERRNO((long)shmat(id, room + 8, 0), EINVAL);
	EXPECT_EQ(shmat(id, room + 8, SHM_RND), room);
	EXPECT_ERRNO(shmdt(room + PAGE), EINVAL);
	EXPECT_ERRNO(shmdt(room + 1), EINVAL);
	EXPECT_EQ(shmdt(room), 0);
	EXPECT_ERRNO(shmdt(room), EINVAL);
	remove_segment(id);
}

TEST(what_is_left_of_an_attachment_is_detached)
{
	int id = make(SIZE);
	uint8_t *p = shmat(id, NULL, 0);

	ASSERT(p != (void *)-1);
	EXPECT_EQ(munmap(p + PAGE, PAGE), 0);
	EXPECT_EQ(stat_of(id).shm_nattch, 2); /* two pieces */
	uint8_t *other = mmap(p + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	ktap_store(other, 5);
	EXPECT_EQ(shmdt(p), 0);
	EXPECT_EQ(stat_of(id).shm_nattch, 0);
	EXPECT_EQ(ktap_load(other), 5);
	EXPECT_LOAD_DIES(p);
	EXPECT_LOAD_DIES(p + 2 * PAGE);
	remove_segment(id);
}

TEST(sizes_and_arguments_are_checked)
{
	struct shmid_ds ds;
	int id = make(100);

	EXPECT_EQ(stat_of(id).shm_segsz, 100);
	EXPECT_EQ(attach(id)[PAGE - 1], 0);
	EXPECT_ERRNO(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL);
	EXPECT_ERRNO(shmget(IPC_PRIVATE, ~0ul, IPC_CREAT | 0600), EINVAL);
	EXPECT_ERRNO((long)shmat(-1, NULL, 0), EINVAL);
	EXPECT_ERRNO(shmctl(-1, IPC_STAT, &ds), EINVAL);
	EXPECT_ERRNO(shmctl(id, 99, &ds), EINVAL);
	EXPECT_ERRNO(shmctl(id, IPC_STAT, (void *)8), EFAULT);
	EXPECT_ERRNO(shmctl(id, IPC_SET, (void *)8), EFAULT);
	remove_segment(id);
}

static void as_somebody_else(void *segment)
{
	int id = (int)(intptr_t)segment;
	struct shmid_ds ds;

	ASSERT_EQ(setresgid(2000, 2000, 2000), 0);
	ASSERT_EQ(setresuid(2000, 2000, 2000), 0);
	EXPECT(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
	EXPECT_EQ(shmctl(id, IPC_STAT, &ds), 0);
	EXPECT_ERRNO((long)shmat(id, NULL, 0), EACCES);
	EXPECT_ERRNO(shmget(KEY, 0, 0600), EACCES);
	EXPECT_EQ(shmget(KEY, 0, 0400), id);
	EXPECT_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
	EXPECT_ERRNO(shmctl(id, IPC_SET, &ds), EPERM);
}

TEST(others_have_what_the_mode_gives_them)
{
	int id = shmget(KEY, PAGE, IPC_CREAT | 0604);

	ASSERT(id >= 0);
	EXPECT_CHILD_OK(as_somebody_else, (void *)(intptr_t)id);
	struct shmid_ds ds = stat_of(id);

	ds.shm_perm.mode = 0600;
	ds.shm_perm.uid = 2000;
	EXPECT_EQ(shmctl(id, IPC_SET, &ds), 0);
	EXPECT_EQ(stat_of(id).shm_perm.mode & 0777, 0600);
	EXPECT_EQ(stat_of(id).shm_perm.uid, 2000);
	EXPECT_EQ(stat_of(id).shm_perm.cuid, 0);
	remove_segment(id);
}

TEST_MAIN()
