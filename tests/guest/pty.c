/* SPDX-License-Identifier: MIT */
/*
 * pty.c - pseudo terminals as pairs of files: making and naming them, data both ways, what each end sees of the
 * other's end, packet mode, devpts.
 */
#include "terminal.h"
#include "gate.h"
#include <dirent.h>
#include <sys/vfs.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

/* --- making and naming -------------------------------------------------------------------------- */

TEST(the_slave_has_a_name_and_a_number)
{
	struct terminal t = terminal_open();
	struct stat st;
	unsigned dev = 0;

	ASSERT_EQ(fstat(t.slave, &st), 0);
	EXPECT(S_ISCHR(st.st_mode));
	EXPECT_EQ(st.st_mode & 07777, 0620);
	EXPECT_EQ(major(st.st_rdev), 136);
	ASSERT_EQ(ioctl(t.slave, TIOCGDEV, &dev), 0);
	EXPECT_EQ(dev, st.st_rdev);
	ASSERT_EQ(ioctl(t.master, TIOCGDEV, &dev), 0);
	EXPECT_EQ(dev, st.st_rdev);
	EXPECT_EQ(st.st_nlink, 1);
}

TEST(a_locked_slave_cannot_be_opened)
{
	int master = master_open(0), on = -1;
	char name[32];

	slave_name(master, name, sizeof(name));
	ASSERT_EQ(ioctl(master, TIOCGPTLCK, &on), 0);
	EXPECT_EQ(on, 1);
	EXPECT_ERRNO(open(name, O_RDWR | O_NOCTTY), EIO);
	EXPECT_ERRNO(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
	unlock(master);
	int slave = open(name, O_RDWR | O_NOCTTY);
	EXPECT(slave >= 0);
}

TEST(the_peer_opens_without_a_name)
{
	int master = master_open(0);

	unlock(master);
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT(slave >= 0);
	EXPECT_EQ(fcntl(slave, F_GETFD), FD_CLOEXEC);
	struct terminal t = {.master = master, .slave = slave};
	type(&t, "hello\n");
	EXPECT_LINE(&t, "hello\n");
}

TEST(numbers_are_used_again)
{
	int first = master_open(0);
	unsigned a, b;

	ASSERT_EQ(ioctl(first, TIOCGPTN, &a), 0);
	close(first);
	int second = master_open(0);
	ASSERT_EQ(ioctl(second, TIOCGPTN, &b), 0);
	EXPECT_EQ(a, b);
}

TEST(there_can_be_many)
{
	enum { MANY = 200 };
	static int master[MANY], slave[MANY];
	char name[32], c;

	for (int i = 0; i < MANY; i++) {
		master[i] = master_open(0);
		unlock(master[i]);
		slave_name(master[i], name, sizeof(name));
		slave[i] = open(name, O_RDWR | O_NOCTTY);
		ASSERT(slave[i] >= 0);
	}
	for (int i = 0; i < MANY; i++) {
		c = (char)i;
		make_raw(slave[i], 1, 0);
		ASSERT_EQ(write(master[i], &c, 1), 1);
	}
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(read(slave[i], &c, 1), 1);
		ASSERT_EQ(c, (char)i);
	}
}

static int names_in(const char *path, const char *wanted)
{
	DIR *dir = opendir(path);
	int found = 0;

	ASSERT(dir != NULL);
	for (struct dirent *e; (e = readdir(dir));)
		found += !strcmp(e->d_name, wanted);
	closedir(dir);
	return found;
}

TEST(names_come_and_go_with_the_master)
{
	struct terminal t = terminal_open();

	EXPECT_EQ(names_in("/dev/pts", t.name + strlen("/dev/pts/")), 1);
	EXPECT_EQ(names_in("/dev/pts", "ptmx"), 1);
	close(t.master);
	EXPECT_EQ(names_in("/dev/pts", t.name + strlen("/dev/pts/")), 0);
	EXPECT_ERRNO(open(t.name, O_RDWR | O_NOCTTY), ENOENT);
}

TEST(nobody_makes_names_in_devpts)
{
	terminal_prepare();
	EXPECT_EQ(open("/dev/pts/file", O_CREAT | O_RDWR, 0600), -1);
	EXPECT_EQ(mkdir("/dev/pts/dir", 0700), -1);
	EXPECT_EQ(mknod("/dev/pts/node", S_IFCHR | 0600, makedev(1, 3)), -1);
}

TEST(each_mount_has_its_own_terminals)
{
	struct terminal t = terminal_open();
	struct statfs fs;
	unsigned number = 99;

	mkdir("/pts2", 0755);
	ASSERT_EQ(mount("devpts", "/pts2", "devpts", 0, "newinstance,ptmxmode=0666,mode=600"), 0);
	ASSERT_EQ(statfs("/pts2", &fs), 0);
	EXPECT_EQ(fs.f_type, 0x1cd1);
	int master = open("/pts2/ptmx", O_RDWR | O_NOCTTY);
	ASSERT(master >= 0);
	ASSERT_EQ(ioctl(master, TIOCGPTN, &number), 0);
	EXPECT_EQ(number, 0);
	EXPECT_EQ(names_in("/pts2", "0"), 1);
	EXPECT_ERRNO(umount("/pts2"), EBUSY);
	close(master);
	EXPECT_EQ(umount("/pts2"), 0);
	close(t.master);
}

TEST(ptmx_uses_the_pts_beside_it)
{
	terminal_prepare();
	if (mknod("/dev/ptmx", S_IFCHR | 0666, makedev(5, 2)) < 0)
		ASSERT_EQ(errno, EEXIST);
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	ASSERT(master >= 0);
	char name[32];
	slave_name(master, name, sizeof(name));
	EXPECT_EQ(access(name, F_OK), 0);
	mkdir("/nopts", 0755);
	if (mknod("/nopts/ptmx", S_IFCHR | 0666, makedev(5, 2)) < 0)
		ASSERT_EQ(errno, EEXIST);
	EXPECT_ERRNO(open("/nopts/ptmx", O_RDWR | O_NOCTTY), ENOENT);
	mkdir("/nopts/pts", 0755);
	EXPECT_ERRNO(open("/nopts/ptmx", O_RDWR | O_NOCTTY), ENODEV);
}

TEST(bad_options_are_einval)
{
	mkdir("/pts3", 0755);
	EXPECT_ERRNO(mount("devpts", "/pts3", "devpts", 0, "color=red"), EINVAL);
	EXPECT_ERRNO(mount("devpts", "/pts3", "devpts", 0, "mode=abc"), EINVAL);
}

/* --- the other end ------------------------------------------------------------------------------ */

TEST(the_end_of_the_master_hangs_the_slave_up)
{
	struct terminal t = terminal_open();
	struct pollfd p = {t.slave, POLLIN | POLLOUT, 0};
	struct termios s;
	char c;

	type(&t, "unread\n");
	ASSERT(becomes_ready(t.slave, POLLIN));
	close(t.master);
	EXPECT_EQ(read(t.slave, &c, 1), 0);
	EXPECT_ERRNO(write(t.slave, "x", 1), EIO);
	EXPECT_ERRNO(tcgetattr(t.slave, &s), EIO);
	EXPECT_ERRNO(tcsetpgrp(t.slave, getpgrp()), ENOTTY);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents & (POLLIN | POLLOUT | POLLERR | POLLHUP),
		  POLLIN | POLLOUT | POLLERR | POLLHUP);
}

static void close_master(const struct terminal *t, struct gate *g)
{
	gate_receive(g);
	ktap_sleep_ns(50000000); /* the reader is most likely asleep by then; either way it ends */
	close(t->master);
}

TEST(a_sleeping_reader_wakes_when_the_master_ends)
{
	struct terminal t = terminal_open();
	struct gate g = gate_make();
	char c;
	pid_t pid = fork();

	if (pid == 0) {
		close(t.slave);
		close_master(&t, &g);
		_exit(0);
	}
	close(t.master);
	gate_send(&g, 1);
	ssize_t n = read(t.slave, &c, 1);
	EXPECT(n == 0 || (n < 0 && errno == EIO));
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(the_end_of_the_slave_is_eio_after_its_last_words)
{
	struct terminal t = terminal_open();
	struct pollfd p = {t.master, POLLIN, 0};
	char c;

	ASSERT_EQ(write(t.slave, "bye", 3), 3);
	close(t.slave);
	EXPECT_SCREEN(&t, "bye");
	EXPECT_ERRNO(read(t.master, &c, 1), EIO);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT(p.revents & POLLHUP);
	t.slave = open(t.name, O_RDWR | O_NOCTTY);
	ASSERT(t.slave >= 0);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	ASSERT_EQ(fcntl(t.master, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(read(t.master, &c, 1), EAGAIN);
	ASSERT_EQ(write(t.slave, "back", 4), 4);
	EXPECT_SCREEN(&t, "back");
}

TEST(before_the_slave_is_open_the_master_waits)
{
	int master = master_open(O_NONBLOCK);
	struct pollfd p = {master, POLLIN | POLLOUT, 0};
	char c;

	EXPECT_ERRNO(read(master, &c, 1), EAGAIN);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents, POLLOUT);
}

TEST(poll_tells_what_is_ready)
{
	struct terminal t = terminal_open();
	struct pollfd p[2] = {{t.master, POLLIN | POLLOUT, 0}, {t.slave, POLLIN | POLLOUT, 0}};

	EXPECT_EQ(poll(p, 2, 0), 2);
	EXPECT_EQ(p[0].revents, POLLOUT);
	EXPECT_EQ(p[1].revents, POLLOUT);
	type(&t, "x\n");
	ASSERT(becomes_ready(t.slave, POLLIN));
	ASSERT(becomes_ready(t.master, POLLIN)); /* the echo */
	EXPECT_EQ(poll(p, 2, 0), 2);
	EXPECT_EQ(p[0].revents, POLLIN | POLLOUT);
	EXPECT_EQ(p[1].revents, POLLIN | POLLOUT);
}

/* --- much data ---------------------------------------------------------------------------------- */

#define MUCH 200000

static void send_much(int fd)
{
	unsigned char buf[777];
	size_t sent = 0;

	while (sent < MUCH) {
		size_t n = MUCH - sent < sizeof(buf) ? MUCH - sent : sizeof(buf);

		for (size_t i = 0; i < n; i++)
			buf[i] = (unsigned char)((sent + i) * 7 % 251);
		ASSERT_EQ(write(fd, buf, n), n);
		sent += n;
	}
}

static void receive_much(int fd)
{
	unsigned char buf[1000];
	size_t got = 0;

	while (got < MUCH) {
		ssize_t n = read(fd, buf, sizeof(buf));

		ASSERT(n > 0);
		for (ssize_t i = 0; i < n; i++)
			ASSERT_EQ(buf[i], (got + (size_t)i) * 7 % 251);
		got += (size_t)n;
	}
}

TEST(much_data_goes_to_the_master)
{
	struct terminal t = terminal_open();

	make_raw(t.slave, 1, 0);
	pid_t pid = fork();
	if (pid == 0) {
		send_much(t.slave);
		_exit(0);
	}
	receive_much(t.master);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(much_data_goes_to_the_slave)
{
	struct terminal t = terminal_open();

	make_raw(t.slave, 1, 0);
	pid_t pid = fork();
	if (pid == 0) {
		send_much(t.master);
		_exit(0);
	}
	receive_much(t.slave);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(much_data_goes_both_ways_at_once)
{
	struct terminal t = terminal_open();
	pid_t pid[3];

	make_raw(t.slave, 1, 0);
	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			if (i == 0)
				send_much(t.slave);
			else if (i == 1)
				send_much(t.master);
			else
				receive_much(t.slave);
			_exit(ktap_failed);
		}
	}
	receive_much(t.master);
	for (int i = 0; i < 3; i++) {
		int status = -1;

		EXPECT_EQ(waitpid(pid[i], &status, 0), pid[i]);
		EXPECT_EQ(status, 0);
	}
}

/* --- size --------------------------------------------------------------------------------------- */

TEST(both_ends_share_one_size)
{
	struct terminal t = terminal_open();
	struct winsize w = {9, 9, 9, 9};

	ASSERT_EQ(ioctl(t.slave, TIOCGWINSZ, &w), 0);
	EXPECT_EQ(w.ws_row, 0);
	EXPECT_EQ(w.ws_col, 0);
	w = (struct winsize){25, 80, 640, 400};
	ASSERT_EQ(ioctl(t.master, TIOCSWINSZ, &w), 0);
	memset(&w, 0, sizeof(w));
	ASSERT_EQ(ioctl(t.slave, TIOCGWINSZ, &w), 0);
	EXPECT_EQ(w.ws_row, 25);
	EXPECT_EQ(w.ws_col, 80);
	EXPECT_EQ(w.ws_xpixel, 640);
	EXPECT_EQ(w.ws_ypixel, 400);
}

/* --- packet mode -------------------------------------------------------------------------------- */

static void set_packets(int master, int on)
{
	ASSERT_EQ(ioctl(master, TIOCPKT, &on), 0);
}

/* EXPECT_PACKET - one read of the master gives exactly these bytes. */
#define EXPECT_PACKET(t, want)                                                                   \
	({                                                                                       \
		char ktap_buf[100];                                                              \
		ASSERT(becomes_ready((t)->master, POLLIN));                                      \
		ssize_t ktap_n = read((t)->master, ktap_buf, sizeof(ktap_buf));                  \
		KTAP_CHECK(ktap_n > 0 &&                                                         \
				   same_bytes(ktap_buf, (size_t)ktap_n, want, sizeof(want) - 1), \
			   false, "packet: %s", #want);                                          \
	})

TEST(packets_begin_with_a_zero_byte)
{
	struct terminal t = terminal_open();
	int on = -1;

	set_packets(t.master, 1);
	ASSERT_EQ(ioctl(t.master, TIOCGPKT, &on), 0);
	EXPECT_EQ(on, 1);
	ASSERT_EQ(write(t.slave, "abc", 3), 3);
	EXPECT_PACKET(&t, "\0abc");
	set_packets(t.master, 0);
	ASSERT_EQ(write(t.slave, "abc", 3), 3);
	EXPECT_PACKET(&t, "abc");
}

TEST(packets_tell_of_stops_and_starts)
{
	struct terminal t = terminal_open();

	set_packets(t.master, 1);
	ASSERT_EQ(tcflow(t.slave, TCOOFF), 0);
	EXPECT_PACKET(&t, "\4"); /* TIOCPKT_STOP */
	ASSERT_EQ(tcflow(t.slave, TCOON), 0);
	EXPECT_PACKET(&t, "\10"); /* TIOCPKT_START */
}

TEST(packets_tell_who_does_flow_control)
{
	struct terminal t = terminal_open();

	set_packets(t.master, 1);
	change_input(t.slave, IXON, 0);
	EXPECT_PACKET(&t, "\20"); /* TIOCPKT_NOSTOP */
	change_input(t.slave, 0, IXON);
	EXPECT_PACKET(&t, "\40"); /* TIOCPKT_DOSTOP */
}

TEST(packets_tell_of_flushes)
{
	struct terminal t = terminal_open();
	struct pollfd p = {t.master, POLLPRI, 0};

	set_packets(t.master, 1);
	ASSERT_EQ(tcflush(t.slave, TCIFLUSH), 0);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT(p.revents & POLLPRI);
	EXPECT_PACKET(&t, "\1"); /* TIOCPKT_FLUSHREAD */
	ASSERT_EQ(tcflush(t.slave, TCOFLUSH), 0);
	EXPECT_PACKET(&t, "\2"); /* TIOCPKT_FLUSHWRITE */
}

TEST_MAIN()
