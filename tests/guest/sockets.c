/* SPDX-License-Identifier: MIT */
/*
 * sockets.c - UNIX sockets: pairs, names, what ends a connection, open files and credentials in messages.
 */
#include "ktap.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define PATH "/sockets-test"

static void pair(int type, int s[2])
{
	ASSERT_EQ(socketpair(AF_UNIX, type, 0, s), 0);
}

static short ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	ASSERT(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static socklen_t address(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (*name == '@') {
		memcpy(a->sun_path + 1, name + 1, strlen(name) - 1);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	}
	strcpy(a->sun_path, name);
	return sizeof(*a);
}

static int listener(int type, const char *name, int backlog)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, type, 0);

	ASSERT(fd >= 0);
	if (*name != '@')
		unlink(name);
	ASSERT_EQ(bind(fd, (void *)&a, address(&a, name)), 0);
	ASSERT_EQ(listen(fd, backlog), 0);
	return fd;
}

static int connect_name(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t len = address(&a, name);

	return connect(fd, (void *)&a, len);
}

/* --- data --------------------------------------------------------------------------------------- */

TEST(stream_has_no_boundaries)
{
	char buf[16] = {0};
	int s[2], n;

	pair(SOCK_STREAM, s);
	EXPECT_EQ(write(s[0], "abc", 3), 3);
	EXPECT_EQ(send(s[0], "defg", 4, 0), 4);
	EXPECT_EQ(ioctl(s[1], FIONREAD, &n), 0);
	EXPECT_EQ(n, 7);
	EXPECT_EQ(recv(s[1], buf, 5, MSG_PEEK), 5);
	EXPECT_EQ(recv(s[1], buf, 2, 0), 2);
	EXPECT_EQ(read(s[1], buf, sizeof(buf)), 5);
	EXPECT(!memcmp(buf, "cdefg", 5));
	EXPECT_ERRNO(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	EXPECT_EQ(write(s[1], "back", 4), 4);
	EXPECT_EQ(read(s[0], buf, sizeof(buf)), 4);
	EXPECT_ERRNO(lseek(s[0], 0, SEEK_SET), ESPIPE);
	EXPECT_ERRNO(pread(s[0], buf, 1, 0), ESPIPE);
}

TEST(datagrams_keep_their_boundaries)
{
	static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};

	for (int i = 0; i < 2; i++) {
		char buf[16] = {0};
		int s[2], n;

		pair(types[i], s);
		EXPECT_EQ(send(s[0], "abc", 3, 0), 3);
		EXPECT_EQ(send(s[0], "defghij", 7, 0), 7);
		EXPECT_EQ(send(s[0], "", 0, 0), 0);
		EXPECT_EQ(ioctl(s[1], FIONREAD, &n), 0);
		EXPECT_EQ(n, i ? 10 : 3);
		EXPECT_EQ(recv(s[1], buf, sizeof(buf), 0), 3);
		EXPECT_EQ(recv(s[1], buf, 2, MSG_PEEK | MSG_TRUNC), 7);
		struct iovec iov = {buf, 4};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
		EXPECT_EQ(recvmsg(s[1], &m, 0), 4);
		EXPECT_EQ(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
		EXPECT_EQ(recv(s[1], buf, sizeof(buf), 0), 0);
		EXPECT_ERRNO(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	}
}

TEST(full_stream_takes_no_more)
{
	static char buf[65536];
	int s[2];
	long total = 0, got = 0;
	ssize_t n;

	pair(SOCK_STREAM | SOCK_NONBLOCK, s);
	while ((n = write(s[0], buf, sizeof(buf))) > 0)
		total += n;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT(total >= 65536 && total < 4000000);
	EXPECT_EQ(ready(s[0]) & POLLOUT, 0);
	while ((n = read(s[1], buf, sizeof(buf))) > 0)
		got += n;
	EXPECT_EQ(got, total);
	EXPECT_EQ(ready(s[0]) & POLLOUT, POLLOUT);
}

TEST(much_data_passes_unchanged)
{
	static unsigned char buf[7001];
	int s[2], status;

	pair(SOCK_STREAM, s);
	if (!fork()) {
		unsigned char out[3001];

		close(s[0]);
		for (int i = 0; i < 300; i++) {
			memset(out, i, sizeof(out));
			for (size_t done = 0; done < sizeof(out);) {
				ssize_t n = write(s[1], out + done, sizeof(out) - done);

				if (n <= 0)
					_exit(1);
				done += (size_t)n;
			}
		}
		_exit(0);
	}
	close(s[1]);
	long total = 0;
	bool good = true;
	ssize_t n;
	while ((n = read(s[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++, total++)
			good = good && buf[i] == (unsigned char)(total / 3001);
	EXPECT_EQ(total, 300 * 3001);
	EXPECT(good);
	wait(&status);
	EXPECT_EQ(status, 0);
}

TEST(waitall_waits_for_all)
{
	char buf[16] = {0};
	int s[2];

	pair(SOCK_STREAM, s);
	if (!fork()) {
		ktap_sleep_ns(20000000);
		if (write(s[1], "abc", 3) != 3)
			_exit(1);
		ktap_sleep_ns(20000000);
		_exit(write(s[1], "defghi", 6) != 6);
	}
	EXPECT_EQ(recv(s[0], buf, 8, MSG_WAITALL), 8);
	EXPECT(!memcmp(buf, "abcdefgh", 8));
	wait(NULL);
}

/* --- ends --------------------------------------------------------------------------------------- */

TEST(closed_peer_is_noticed)
{
	char c;
	int s[2];

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM, s);
	EXPECT_EQ(write(s[1], "x", 1), 1);
	close(s[1]);
	EXPECT_EQ(ready(s[0]) & (POLLIN | POLLHUP | POLLRDHUP), POLLIN | POLLHUP | POLLRDHUP);
	EXPECT_EQ(read(s[0], &c, 1), 1);
	EXPECT_EQ(read(s[0], &c, 1), 0);
	EXPECT_ERRNO(write(s[0], "x", 1), EPIPE);
	close(s[0]);
	pair(SOCK_STREAM, s);
	EXPECT_EQ(write(s[0], "x", 1), 1);
	close(s[1]);
	EXPECT_ERRNO(read(s[0], &c, 1), ECONNRESET);
	EXPECT_EQ(read(s[0], &c, 1), 0);
	close(s[0]);
	pair(SOCK_STREAM, s);
	close(s[1]);
	signal(SIGPIPE, SIG_DFL);
	EXPECT_ERRNO(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	if (!fork())
		_exit(send(s[0], "x", 1, 0) == 1);
	int status;
	wait(&status);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	pair(SOCK_DGRAM, s);
	close(s[1]);
	EXPECT_ERRNO(send(s[0], "x", 1, 0), ECONNREFUSED);
}

TEST(shutdown_closes_one_direction)
{
	char c;
	int s[2];

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM, s);
	EXPECT_EQ(shutdown(s[0], SHUT_WR), 0);
	EXPECT_EQ(read(s[1], &c, 1), 0);
	EXPECT_ERRNO(write(s[0], "x", 1), EPIPE);
	EXPECT_EQ(write(s[1], "x", 1), 1);
	EXPECT_EQ(read(s[0], &c, 1), 1);
	EXPECT_EQ(ready(s[1]) & (POLLIN | POLLRDHUP | POLLHUP), POLLIN | POLLRDHUP);
	EXPECT_EQ(shutdown(s[0], SHUT_RD), 0);
	EXPECT_ERRNO(write(s[1], "x", 1), EPIPE);
	EXPECT_EQ(ready(s[1]) & POLLHUP, POLLHUP);
	EXPECT_ERRNO(shutdown(s[0], 7), EINVAL);
	int lone = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_EQ(shutdown(lone, SHUT_RD), 0);
	EXPECT_ERRNO(shutdown(0, SHUT_RD), ENOTSOCK);
}

/* --- names -------------------------------------------------------------------------------------- */

TEST(connections_are_made_by_name)
{
	static const char *const names[] = {PATH, "@sockets-test"};

	for (int i = 0; i < 2; i++) {
		struct sockaddr_un a;
		socklen_t len = sizeof(a);
		char buf[8];
		int l = listener(SOCK_STREAM, names[i], 5), c = socket(AF_UNIX, SOCK_STREAM, 0);

		EXPECT_EQ(ready(l) & POLLIN, 0);
		ASSERT_EQ(connect_name(c, names[i]), 0);
		EXPECT_EQ(ready(l) & POLLIN, POLLIN);
		EXPECT_EQ(write(c, "early", 5), 5);
		int s = accept4(l, (void *)&a, &len, SOCK_CLOEXEC);
		ASSERT(s >= 0);
		EXPECT_EQ(len, sizeof(sa_family_t));
		EXPECT_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
		EXPECT_EQ(read(s, buf, 8), 5);
		len = sizeof(a);
		EXPECT_EQ(getpeername(c, (void *)&a, &len), 0);
		EXPECT_EQ(len, i ? offsetof(struct sockaddr_un, sun_path) + strlen(names[i])
				 : offsetof(struct sockaddr_un, sun_path) + sizeof(PATH));
		EXPECT(!strcmp(a.sun_path + i, names[i] + i));
		EXPECT_ERRNO(connect_name(c, names[i]), EISCONN);
		struct ucred u;
		len = sizeof(u);
		EXPECT_EQ(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len), 0);
		EXPECT_EQ(u.pid, getpid());
		int on = 0;
		len = sizeof(on);
		EXPECT_EQ(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
		EXPECT_EQ(on, 1);
		close(l);
		int other = socket(AF_UNIX, SOCK_STREAM, 0);
		EXPECT_ERRNO(connect_name(other, names[i]), ECONNREFUSED);
		EXPECT_EQ(write(s, "still", 5), 5);
		EXPECT_EQ(read(c, buf, 8), 5);
		close(c);
		close(s);
	}
	struct stat st;
	EXPECT_EQ(stat(PATH, &st), 0);
	EXPECT(S_ISSOCK(st.st_mode));
	EXPECT_ERRNO(open(PATH, O_RDWR), ENXIO);
	unlink(PATH);
}

TEST(wrong_addresses_are_refused)
{
	struct sockaddr_un a;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);
	char c;

	unlink(PATH);
	EXPECT_ERRNO(connect_name(s, PATH), ENOENT);
	close(open(PATH, O_CREAT | O_RDWR, 0600));
	EXPECT_ERRNO(connect_name(s, PATH), ECONNREFUSED);
	EXPECT_ERRNO(bind(s, (void *)&a, address(&a, PATH)), EADDRINUSE);
	unlink(PATH);
	EXPECT_ERRNO(connect_name(s, "@nobody"), ECONNREFUSED);
	EXPECT_ERRNO(listen(s, 1), EINVAL);
	EXPECT_ERRNO(accept(s, NULL, NULL), EINVAL);
	EXPECT_ERRNO(write(s, "x", 1), ENOTCONN);
	EXPECT_ERRNO(read(s, &c, 1), EINVAL);
	EXPECT_ERRNO(write(d, "x", 1), ENOTCONN);
	EXPECT_ERRNO(listen(d, 1), EOPNOTSUPP);
	int l = listener(SOCK_STREAM, PATH, 1);
	EXPECT_ERRNO(connect_name(d, PATH), EPROTOTYPE);
	EXPECT_ERRNO(bind(l, (void *)&a, address(&a, "@again")), EINVAL);
	EXPECT_ERRNO(bind(s, (void *)&a, 1), EINVAL);
	EXPECT_ERRNO(bind(s, (void *)&a, 500), EINVAL);
	EXPECT_ERRNO(connect_name(0, PATH), ENOTSOCK);
	EXPECT_ERRNO(connect_name(-1, PATH), EBADF);
	EXPECT_ERRNO(socket(AF_UNIX, 77, 0), EINVAL);
	EXPECT_ERRNO(socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
	EXPECT_ERRNO(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT);
	EXPECT_ERRNO(socket(200, SOCK_STREAM, 0), EAFNOSUPPORT);
	ASSERT_EQ(chmod(PATH, 0600), 0);
	ASSERT_EQ(setuid(1000), 0);
	EXPECT_ERRNO(connect_name(s, PATH), EACCES);
}

TEST(full_backlog_makes_wait)
{
	int l = listener(SOCK_STREAM, "@backlog", 0), a = socket(AF_UNIX, SOCK_STREAM, 0);
	int b = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ASSERT_EQ(connect_name(a, "@backlog"), 0);
	EXPECT_ERRNO(connect_name(b, "@backlog"), EAGAIN);
	pid_t pid = fork();
	if (!pid) {
		int c = socket(AF_UNIX, SOCK_STREAM, 0);

		_exit(connect_name(c, "@backlog") != 0);
	}
	ktap_sleep_ns(30000000);
	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	EXPECT(accept(l, NULL, NULL) >= 0);
	int status;
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

TEST(datagrams_carry_the_address_of_the_sender)
{
	struct sockaddr_un a, from;
	socklen_t len = sizeof(from);
	char buf[8];
	int to = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_DGRAM, 0);

	ASSERT_EQ(bind(to, (void *)&a, address(&a, "@receiver")), 0);
	ASSERT_EQ(bind(s, (void *)&a, address(&a, "@sender")), 0);
	socklen_t alen = address(&a, "@receiver");
	EXPECT_EQ(sendto(s, "hello", 5, 0, (void *)&a, alen), 5);
	EXPECT_EQ(recvfrom(to, buf, 8, 0, (void *)&from, &len), 5);
	EXPECT_EQ(len, offsetof(struct sockaddr_un, sun_path) + 7);
	EXPECT(!memcmp(from.sun_path + 1, "sender", 6));
	EXPECT_EQ(sendto(to, "answer", 6, 0, (void *)&from, len), 6);
	EXPECT_EQ(recv(s, buf, 8, 0), 6);
	ASSERT_EQ(connect(s, (void *)&a, alen), 0);
	EXPECT_EQ(send(s, "x", 1, 0), 1);
	a.sun_family = AF_UNSPEC;
	ASSERT_EQ(connect(s, (void *)&a, sizeof(a)), 0);
	EXPECT_ERRNO(send(s, "x", 1, 0), ENOTCONN);
	int any = socket(AF_UNIX, SOCK_DGRAM, 0);
	sa_family_t family = AF_UNIX;
	ASSERT_EQ(bind(any, (void *)&family, sizeof(family)), 0);
	len = sizeof(from);
	EXPECT_EQ(getsockname(any, (void *)&from, &len), 0);
	EXPECT_EQ(len, offsetof(struct sockaddr_un, sun_path) + 6);
}

/* --- open files in messages --------------------------------------------------------------------- */

union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int) * 8) + CMSG_SPACE(sizeof(struct ucred))];
};

static ssize_t send_files(int s, const int *fds, unsigned n)
{
	union control c;
	struct iovec iov = {(char *)"f", 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * n);
	return sendmsg(s, &m, 0);
}

/* receive_files - how many came; room for `room` of them. */
static int receive_files(int s, int *fds, unsigned room, int flags, int *out_flags)
{
	union control c;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = room ? CMSG_LEN(sizeof(int) * room) : 0};

	if (recvmsg(s, &m, flags) != 1)
		return -1;
	*out_flags = m.msg_flags;
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	if (!h || h->cmsg_type != SCM_RIGHTS)
		return 0;
	int n = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(h), sizeof(int) * (size_t)n);
	return n;
}

TEST(open_files_travel)
{
	int s[2], p[2], got[8], flags;
	char c = 0;

	pair(SOCK_STREAM, s);
	ASSERT_EQ(pipe(p), 0);
	EXPECT_EQ(send_files(s[0], p, 2), 1);
	close(p[0]);
	close(p[1]);
	EXPECT_EQ(receive_files(s[1], got, 8, MSG_CMSG_CLOEXEC, &flags), 2);
	EXPECT_EQ(flags & MSG_CTRUNC, 0);
	EXPECT_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(write(got[1], "x", 1), 1);
	EXPECT_EQ(read(got[0], &c, 1), 1);
	EXPECT_EQ(c, 'x');
	int three[3] = {0, 1, 2}, bad = 999;
	EXPECT_EQ(send_files(s[0], three, 3), 1);
	EXPECT_EQ(receive_files(s[1], got, 1, 0, &flags), 1);
	EXPECT_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	EXPECT_EQ(send_files(s[0], three, 3), 1);
	EXPECT_EQ(receive_files(s[1], got, 0, 0, &flags), 0);
	EXPECT_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	EXPECT_ERRNO(send_files(s[0], &bad, 1), EBADF);
	EXPECT_EQ(write(s[0], "before", 6), 6);
	EXPECT_EQ(send_files(s[0], three, 1), 1);
	EXPECT_EQ(write(s[0], "after", 5), 5);
	char buf[32];
	EXPECT_EQ(read(s[1], buf, sizeof(buf)), 7);
	EXPECT_EQ(read(s[1], buf, sizeof(buf)), 5);
}

TEST(sockets_in_each_others_queues_do_not_stay)
{
	/* If they stayed, the pipe's writer in them would, and its reader would never see the end. */
	int p[2];
	char c;

	ASSERT_EQ(pipe(p), 0);
	for (int i = 0; i < 3; i++) {
		int s[2];

		pair(SOCK_DGRAM, s);
		int both[3] = {s[0], s[1], p[1]};
		EXPECT_EQ(send_files(s[0], both, 3), 1);
		EXPECT_EQ(send_files(s[1], both, 3), 1);
		close(s[0]);
		close(s[1]);
	}
	close(p[1]);
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	close(other); /* makes somebody look */
	alarm(10);
	EXPECT_EQ(read(p[0], &c, 1), 0);
}

TEST_SECONDS(long_chain_of_sockets_ends, 60)
{
	int p[2], last = -1;
	char c;

	ASSERT_EQ(pipe(p), 0);
	for (int i = 0; i < 300; i++) {
		int s[2], carried[2] = {p[1], last};

		pair(SOCK_STREAM, s);
		ASSERT_EQ(send_files(s[0], carried, i ? 2 : 1), 1);
		close(s[0]);
		if (last >= 0)
			close(last);
		last = s[1];
	}
	close(p[1]);
	close(last);
	alarm(50);
	EXPECT_EQ(read(p[0], &c, 1), 0);
}

/* --- credentials, options ----------------------------------------------------------------------- */

TEST(credentials_travel)
{
	union control c;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)};
	int s[2], on = 1;

	pair(SOCK_STREAM, s);
	ASSERT_EQ(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	pid_t pid = fork();
	if (!pid) {
		if (setgid(7) || setuid(5))
			_exit(1);
		_exit(write(s[0], "x", 1) != 1);
	}
	ASSERT_EQ(recvmsg(s[1], &m, 0), 1);
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	ASSERT(h && h->cmsg_type == SCM_CREDENTIALS);
	struct ucred u;
	memcpy(&u, CMSG_DATA(h), sizeof(u));
	EXPECT_EQ(u.pid, pid);
	EXPECT_EQ(u.uid, 5);
	EXPECT_EQ(u.gid, 7);
	wait(NULL);
	ASSERT_EQ(setuid(1000), 0);
	m.msg_controllen = CMSG_SPACE(sizeof(u));
	h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	h->cmsg_len = CMSG_LEN(sizeof(u));
	u = (struct ucred){getpid(), 0, getgid()};
	memcpy(CMSG_DATA(h), &u, sizeof(u));
	EXPECT_ERRNO(sendmsg(s[0], &m, 0), EPERM);
	u.uid = 1000;
	memcpy(CMSG_DATA(h), &u, sizeof(u));
	EXPECT_EQ(sendmsg(s[0], &m, 0), 1);
}

TEST(options_are_kept)
{
	int s[2], v = 0;
	socklen_t len = sizeof(v);
	struct timeval tv = {0, 30000};
	char c;

	pair(SOCK_SEQPACKET, s);
	EXPECT_EQ(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &len), 0);
	EXPECT_EQ(v, SOCK_SEQPACKET);
	EXPECT_EQ(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &v, &len), 0);
	EXPECT_EQ(v, AF_UNIX);
	EXPECT_EQ(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &len), 0);
	EXPECT_EQ(v, 0);
	v = 10000;
	EXPECT_EQ(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)), 0);
	EXPECT_EQ(getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, &len), 0);
	EXPECT_EQ(v, 20000);
	EXPECT_ERRNO(setsockopt(s[0], SOL_SOCKET, 9999, &v, sizeof(v)), ENOPROTOOPT);
	EXPECT_ERRNO(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, 1), EINVAL);
	EXPECT_EQ(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	EXPECT_ERRNO(recv(s[0], &c, 1, 0), EAGAIN);
	static char big[300000];
	EXPECT_ERRNO(send(s[1], big, sizeof(big), 0), EMSGSIZE);
}

TEST(many_messages_in_one_call)
{
	char out[3][4] = {"a", "bb", "ccc"}, in[4][4];
	struct iovec ov[3], iv[4];
	struct mmsghdr o[3], i[4];
	int s[2];

	memset(o, 0, sizeof(o));
	memset(i, 0, sizeof(i));
	for (int k = 0; k < 4; k++) {
		if (k < 3) {
			ov[k] = (struct iovec){out[k], (size_t)k + 1};
			o[k].msg_hdr.msg_iov = &ov[k];
			o[k].msg_hdr.msg_iovlen = 1;
		}
		iv[k] = (struct iovec){in[k], 4};
		i[k].msg_hdr.msg_iov = &iv[k];
		i[k].msg_hdr.msg_iovlen = 1;
	}
	pair(SOCK_DGRAM, s);
	EXPECT_EQ(sendmmsg(s[0], o, 3, 0), 3);
	EXPECT_EQ(o[2].msg_len, 3);
	EXPECT_EQ(recvmmsg(s[1], i, 4, MSG_WAITFORONE, NULL), 3);
	EXPECT_EQ(i[1].msg_len, 2);
	EXPECT(!memcmp(in[1], "bb", 2));
	EXPECT_ERRNO(recvmmsg(s[1], i, 4, MSG_DONTWAIT, NULL), EAGAIN);
}

/* A path may do without its NUL; others are shown one, which lies behind the struct. */
TEST(a_path_that_fills_the_address_is_shown_with_its_end)
{
	struct {
		struct sockaddr_un addr;
		char more[16];
	} out;
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t len = sizeof(out);

	mkdir("/tmp", 0777);
	memset(name.sun_path, 'x', sizeof(name.sun_path));
	memcpy(name.sun_path, "/tmp/", 5);
	memset(&out, 0x5a, sizeof(out));
	ASSERT_EQ(bind(s, (struct sockaddr *)&name, sizeof(name)), 0);
	ASSERT_EQ(getsockname(s, (struct sockaddr *)&out, &len), 0);
	EXPECT_EQ(len, sizeof(name) + 1);
	EXPECT(!memcmp(&out, &name, sizeof(name)));
	EXPECT_EQ(((char *)&out)[sizeof(name)], 0);
	EXPECT_EQ(((char *)&out)[sizeof(name) + 1], 0x5a);
	memcpy(&out, name.sun_path, sizeof(name.sun_path));
	((char *)&out)[sizeof(name.sun_path)] = 0;
	EXPECT_EQ(unlink((char *)&out), 0);
	close(s);
}

TEST_MAIN()
