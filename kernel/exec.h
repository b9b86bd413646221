/* SPDX-License-Identifier: MIT */
/*
 * exec.h - replacing a process's program.
 *
 * Read next: exec.c (strings, stack, the point of no return), elf.c (the program file).
 */
#pragma once

#include <quire/types.h>

struct file;
struct space;
struct trap_frame;

/* exec_kernel - run a program given by kernel strings (NULL-terminated arrays) in the current process:
 * for init. 0, or the error that execve would give. */
int exec_kernel(const char *path, const char *const *argv, const char *const *envp);

/* What elf_load found out: user addresses. */
struct elf_image {
	vaddr_t entry;
	vaddr_t phdr; /* where the program headers are mapped; 0: nowhere */
	u16 phnum;
	bool exec_stack;
	vaddr_t brk; /* first address behind the highest segment */
};

/* elf_load - check a program file and map it into an empty space.
 *  locks: none   sleeps: yes
 *  fails: -ENOEXEC (not a program for this machine, or damaged), -EINVAL, -ENOMEM, -EIO; the space is then
 *  in an undefined state and must be dropped */
int elf_load(struct file *, struct space *, struct elf_image *out);
