/* SPDX-License-Identifier: MIT */
/* shm.h - System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). Read next: shm.c. */
#pragma once

/* shm_init - the directory that segments pretend to lie in. Boot, after vfs_init. */
void shm_init(void);
