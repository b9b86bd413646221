/* SPDX-License-Identifier: MIT */
/*
 * devpts.h - numbers and names of pseudo terminals, for drivers/pty.c.
 *
 * Each mounted devpts counts its own terminals. A number is taken for as long as anybody has the terminal; its name
 * is there for as long as the master is open.
 */
#pragma once

#include <quire/types.h>

struct devpts_name;
struct file;
struct tty;

/* devpts_get_name - the lowest free number in the devpts that an open ptmx belongs to: its own, or
 * for a ptmx elsewhere the one mounted on "pts" beside it. Keeps that mounted (umount is EBUSY).
 *  returns: 0, -ENODEV or -ENOENT (there is none), -ENOSPC (numbers), -ENOMEM
 * devpts_put_name - the number is free again. Sleeps. */
int devpts_get_name(struct file *ptmx, struct devpts_name **out);
void devpts_put_name(struct devpts_name *);
u32 devpts_number(const struct devpts_name *);

/* devpts_link - the name appears, for a terminal that it takes a reference on. 0 or -ENOMEM. devpts_unlink - it is
 * gone. devpts_open - open the terminal by it, even where it cannot be seen. */
int devpts_link(struct devpts_name *, struct tty *);
void devpts_unlink(struct devpts_name *);
int devpts_open(struct devpts_name *, u32 flags, struct file **out);
