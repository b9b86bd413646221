/* SPDX-License-Identifier: MIT */
/*
 * gate.h - one process waits until another says go, through a pipe: the only ordering that claims about
 * fork need. A gate passes values, too, one byte or one word at a time.
 */
#pragma once

#include "ktap.h"
#include <fcntl.h>

struct gate {
	int fd[2];
};

static inline struct gate gate_make(void)
{
	struct gate g;

	ASSERT(pipe2(g.fd, 0) == 0);
	return g;
}

static inline void gate_send(struct gate *g, uint64_t value)
{
	ASSERT_EQ(write(g->fd[1], &value, sizeof(value)), sizeof(value));
}

static inline uint64_t gate_receive(struct gate *g)
{
	uint64_t value = 0;

	ASSERT_EQ(read(g->fd[0], &value, sizeof(value)), sizeof(value));
	return value;
}

static inline void gate_close(struct gate *g)
{
	close(g->fd[0]);
	close(g->fd[1]);
}
