/* SPDX-License-Identifier: MIT */
/* epoll.h - the part of epoll that open files take part in. Read next: epoll.c. */
#pragma once

struct file;

/* epoll_forget_file - the last reference to a file is gone: whoever watches it stops. Before the file is
 * released. Sleeps; no lock is held. */
void epoll_forget_file(struct file *);

void epoll_init(void); /* boot */
