/* SPDX-License-Identifier: MIT */
/*
 * rows_switch.c - two that hand a token to each other. An operation is a round trip: two messages, two switches
 * from one to the other and back.
 */
#include "bench.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- pipes ------------------------------------------------------------------------------------------ */

static int to_peer[2], from_peer[2];
static long message;
static char buffer[4096];

/* Bytes as they come: a message is not larger than what a pipe passes in one piece. */
static void echo(void)
{
	while (sys(SYS_read, to_peer[0], buffer, message) == message)
		sys(SYS_write, from_peer[1], buffer, message);
}

static void *echo_thread(void *unused)
{
	echo();
	return unused;
}

static int make_pipes(long bytes)
{
	message = bytes;
	return pipe(to_peer) || pipe(from_peer) ? -errno : 0;
}

static int pipes_1(void)
{
	return make_pipes(1) ?: peer_fork(echo);
}

static int pipes_512(void)
{
	return make_pipes(512) ?: peer_fork(echo);
}

static int pipes_4096(void)
{
	return make_pipes(4096) ?: peer_fork(echo);
}

static int pipes_thread(void)
{
	pthread_t thread;

	return make_pipes(1) ?: -pthread_create(&thread, NULL, echo_thread, NULL);
}

static inline void pipe_pingpong(unsigned ops)
{
	long bytes = message, r = 0;
	static char mine[4096];

	for (unsigned i = 0; i < ops; i++) {
		sys(SYS_write, to_peer[1], mine, bytes);
		r = sys(SYS_read, from_peer[0], mine, bytes);
	}
	expect(r == bytes);
}

ROW(MAIN, pipe_pingpong, 1000, pipes_1)
{
	pipe_pingpong(ops);
}

ROW(VARIANT, pipe_pingpong_512, 1000, pipes_512)
{
	pipe_pingpong(ops);
}

ROW(VARIANT, pipe_pingpong_4096, 1000, pipes_4096)
{
	pipe_pingpong(ops);
}

ROW(VARIANT, pipe_pingpong_thread, 1000, pipes_thread)
{
	pipe_pingpong(ops);
}

/* --- futexes ---------------------------------------------------------------------------------------- */

/* The word says whose turn it is: 0 the row's, 1 the peer's. */
static uint32_t private_word, *shared_word;

static inline void turn_pass(uint32_t *word, uint32_t to, long flags)
{
	__atomic_store_n(word, to, __ATOMIC_SEQ_CST);
	sys6(SYS_futex, (long)word, FUTEX_WAKE | flags, 1, 0, 0, 0);
}

static inline void turn_wait(uint32_t *word, uint32_t mine, long flags)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != mine)
		sys6(SYS_futex, (long)word, FUTEX_WAIT | flags, !mine, 0, 0, 0);
}

static inline void futex_peer(uint32_t *word, long flags)
{
	for (;;) {
		turn_wait(word, 1, flags);
		turn_pass(word, 0, flags);
	}
}

static inline void futex_pingpong(unsigned ops, uint32_t *word, long flags)
{
	for (unsigned i = 0; i < ops; i++) {
		turn_pass(word, 1, flags);
		turn_wait(word, 0, flags);
	}
}

static void *futex_thread(void *unused)
{
	futex_peer(&private_word, FUTEX_PRIVATE_FLAG);
	return unused;
}

static int start_thread(void)
{
	pthread_t thread;

	return -pthread_create(&thread, NULL, futex_thread, NULL);
}

ROW(MAIN, futex_pingpong, 1000, start_thread)
{
	futex_pingpong(ops, &private_word, FUTEX_PRIVATE_FLAG);
}

static void futex_process(void)
{
	futex_peer(shared_word, 0);
}

static int start_process(void)
{
	shared_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared_word == MAP_FAILED ? -errno : peer_fork(futex_process);
}

ROW(VARIANT, futex_pingpong_process, 1000, start_process)
{
	futex_pingpong(ops, shared_word, 0);
}

/* --- taking turns -------------------------------------------------------------------------------------- */

static void yield_forever(void)
{
	for (;;)
		sys(SYS_sched_yield);
}

static int start_yielding(void)
{
	return peer_fork(yield_forever);
}

ROW(OTHER, yield_with_other, 1000, start_yielding)
{
	for (unsigned i = 0; i < ops; i++)
		sys(SYS_sched_yield);
}
