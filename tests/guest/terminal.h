/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - a pseudo terminal whose master the claim has in its hand: it types, and sees the screen.
 *
 * Where Linux passes what was typed on in a thread of its own, nothing says when it has arrived. So claims wait for
 * effects: a line that can be read, bytes on the screen; what must not appear is shown by what comes after it.
 */
#pragma once

#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

struct terminal {
	int master, slave;
	char name[32];
};

/* terminal_prepare - a devpts at /dev/pts, once for all claims. */
static inline void terminal_prepare(void)
{
	mkdir("/dev", 0755);
	mkdir("/dev/pts", 0755);
	if (access("/dev/pts/ptmx", F_OK) < 0)
		ASSERT_EQ(mount("devpts", "/dev/pts", "devpts", 0, "mode=620,ptmxmode=666"), 0);
	if (mknod("/dev/tty", S_IFCHR | 0666, makedev(5, 0)) < 0)
		ASSERT_EQ(errno, EEXIST);
}

static inline int master_open(int flags)
{
	terminal_prepare();
	int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | flags);

	ASSERT(fd >= 0);
	return fd;
}

static inline void slave_name(int master, char *name, size_t size)
{
	unsigned number = 0;

	ASSERT_EQ(ioctl(master, TIOCGPTN, &number), 0);
	snprintf(name, size, "/dev/pts/%u", number);
}

static inline void unlock(int master)
{
	int off = 0;

	ASSERT_EQ(ioctl(master, TIOCSPTLCK, &off), 0);
}

/* terminal_open - both ends; the slave does not become anybody's controlling terminal. */
static inline struct terminal terminal_open(void)
{
	struct terminal t = {.master = master_open(0)};

	unlock(t.master);
	slave_name(t.master, t.name, sizeof(t.name));
	t.slave = open(t.name, O_RDWR | O_NOCTTY);
	ASSERT(t.slave >= 0);
	return t;
}

/* --- settings ----------------------------------------------------------------------------------- */

static inline struct termios settings(int fd)
{
	struct termios s;

	ASSERT_EQ(tcgetattr(fd, &s), 0);
	return s;
}

static inline void set(int fd, const struct termios *s)
{
	ASSERT_EQ(tcsetattr(fd, TCSANOW, s), 0);
}

static inline void change_local(int fd, tcflag_t off, tcflag_t on)
{
	struct termios s = settings(fd);

	s.c_lflag = (s.c_lflag & ~off) | on;
	set(fd, &s);
}

static inline void change_input(int fd, tcflag_t off, tcflag_t on)
{
	struct termios s = settings(fd);

	s.c_iflag = (s.c_iflag & ~off) | on;
	set(fd, &s);
}

static inline void change_output(int fd, tcflag_t off, tcflag_t on)
{
	struct termios s = settings(fd);

	s.c_oflag = (s.c_oflag & ~off) | on;
	set(fd, &s);
}

static inline void make_raw(int fd, int vmin, int vtime)
{
	struct termios s = settings(fd);

	s.c_iflag = 0;
	s.c_oflag = 0;
	s.c_lflag = 0;
	s.c_cc[VMIN] = (cc_t)vmin;
	s.c_cc[VTIME] = (cc_t)vtime;
	set(fd, &s);
}

/* --- typing and seeing -------------------------------------------------------------------------- */

static inline void type_bytes(const struct terminal *t, const void *bytes, size_t n)
{
	ASSERT_EQ(write(t->master, bytes, n), n);
}

static inline void type(const struct terminal *t, const char *text)
{
	type_bytes(t, text, strlen(text));
}

static inline bool becomes_ready(int fd, short events)
{
	struct pollfd p = {fd, events, 0};

	return poll(&p, 1, 10000) == 1 && (p.revents & events);
}

/* read_up_to - n bytes, or what there is of them when nothing more comes. */
static inline size_t read_up_to(int fd, char *buf, size_t n)
{
	size_t done = 0;

	while (done < n && becomes_ready(fd, POLLIN)) {
		ssize_t got = read(fd, buf + done, n - done);

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

static inline void show(const char *what, const char *bytes, size_t n)
{
	char text[400];
	size_t at = 0;

	for (size_t i = 0; i < n && at < sizeof(text) - 5; i++) {
		if (bytes[i] > ' ' && bytes[i] < 0x7f)
			text[at++] = bytes[i];
		else
			at += (size_t)snprintf(text + at, 5, "\\x%02x", (unsigned char)bytes[i]);
	}
	text[at] = 0;
	ktap_print("# %s: %s\n", what, text);
}

static inline bool same_bytes(const char *got, size_t n, const char *want, size_t want_n)
{
	if (n == want_n && !memcmp(got, want, n))
		return true;
	show("got", got, n);
	show("expected", want, want_n);
	return false;
}

/* EXPECT_SCREEN - exactly these bytes arrive at the master next. EXPECT_LINE - one read of the slave gives
 * exactly these. */
#define EXPECT_SCREEN(t, want)                                                          \
	({                                                                              \
		char ktap_buf[8192];                                                    \
		size_t ktap_n = read_up_to((t)->master, ktap_buf, sizeof(want) - 1);    \
		KTAP_CHECK(same_bytes(ktap_buf, ktap_n, want, sizeof(want) - 1), false, \
			   "screen: %s", #want);                                        \
	})
#define EXPECT_LINE(t, want)                                                                     \
	({                                                                                       \
		char ktap_buf[8192];                                                             \
		ssize_t ktap_n = read((t)->slave, ktap_buf, sizeof(ktap_buf));                   \
		KTAP_CHECK(ktap_n >= 0 &&                                                        \
				   same_bytes(ktap_buf, (size_t)ktap_n, want, sizeof(want) - 1), \
			   false, "read: %s", #want);                                            \
	})
