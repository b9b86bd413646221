/* SPDX-License-Identifier: MIT */
/*
 * exec.h - replacing a process's program.
 *
 * A new program is made ready beside the old one: a fresh address space is filled through the interface that
 * any space offers (nothing here needs it to be loaded), and only when it is complete does the
 * process change over. So a bad program file or a shortage of memory is an error that execve reports, and
 * the old program goes on.
 *
 * Read next: exec.c (the change-over), exec_args.c (strings), exec_script.c (#!), exec_stack.c (what the program
 * finds on its stack), elf.c (the program file).
 */
#pragma once

#include <quire/compiler.h>
#include <quire/types.h>

struct cred;
struct exec_args;
struct exec_program;
struct file;
struct process;
struct space;

/* What elf_load found out: user addresses. */
struct elf_image {
	vaddr_t entry;
	vaddr_t phdr; /* where the program headers are mapped; 0: nowhere */
	u16 phnum;
	bool exec_stack;
	vaddr_t brk; /* page-aligned, behind the highest segment */
	vaddr_t code_start, code_end, data_start, data_end; /* for /proc: as Linux computes them */
};

/* How a program file begins: read once, it tells scripts from programs and holds most programs' headers. */
#define EXEC_HEAD 768 /* the ELF header and a dozen program headers */
struct exec_head {
	size_t len; /* less than EXEC_HEAD: the whole file */
	u8 bytes[EXEC_HEAD] ALIGNED(8);
};

/* elf_load - check a program file, which begins with this head, and map it into an empty space.
 *  locks: none   sleeps: yes
 *  fails: -ENOEXEC (not a program for this machine, damaged, or in need of an interpreter), -ENOMEM,
 *  -EIO, what space_map says; the space must then be dropped */
int elf_load(struct file *, const struct exec_head *, struct space *, struct elf_image *out);

/* The strings that a program is started with, copied one after the other, each with its NUL: argv, envp,
 * then the path it is known by. */
struct exec_args {
	char *data;
	size_t len, capacity; /* bytes */
	size_t limit;         /* of len and the pointers to the strings together */
	u32 argc, envc;
	size_t env_offset, path_offset;
};

/* exec_args_init - limits as the current stack limit implies (a quarter of it, at most 6 MiB).
 * exec_args_free - harmless after any failure. */
void exec_args_init(struct exec_args *, u64 stack_limit);
void exec_args_free(struct exec_args *);
/* exec_args_add - a string at the end. exec_args_add_user - a NULL-terminated array of user strings.
 *  0, -E2BIG, -ENOMEM, -EFAULT */
int exec_args_add(struct exec_args *, const char *s);
int exec_args_add_user(struct exec_args *, vaddr_t array, u32 *count);
/* exec_args_replace_first - n strings in place of the first argument. 0, -E2BIG, -ENOMEM */
int exec_args_replace_first(struct exec_args *, const char *const *strings, unsigned n);

/* exec_script_expand - if the file that begins so is a script, the name of its interpreter, and the arguments become the
 * interpreter's (execve(2), "Interpreter scripts").
 *  interp: SCRIPT_HEAD bytes, not changed when it is none
 *  script: the path of the script; NULL: it has none
 *  returns: 1 for a script; 0 for something else; -ENOEXEC (no interpreter in the first line), -ENOENT (script
 *  is NULL), -E2BIG, -ENOMEM */
#define SCRIPT_HEAD 256 /* so much of the first line counts */
int exec_script_expand(const struct exec_head *, const char *script, struct exec_args *,
		       char *interp);

/* exec_buffer_alloc, exec_buffer_free - memory of any size for strings and pointers. NULL: short. Sleeps. */
void *exec_buffer_alloc(size_t size);
void exec_buffer_free(void *buf, size_t size);

/* exec_layout_random - what decides where the parts of a program lie: 0 where the user wants the same places each time
 * (personality(2), ADDR_NO_RANDOMIZE). */
u64 exec_layout_random(void);

/* exec_build_stack - map the stack of a program that is otherwise complete and put strings, auxiliary vector and
 * pointers on it; sets its sp. 0, -ENOMEM, -E2BIG */
int exec_build_stack(struct exec_program *, const struct exec_args *, const struct process *);

/* A program ready to run. */
struct exec_program {
	struct file *file;
	struct space *space;
	struct elf_image image;
	vaddr_t sp;              /* that it starts with */
	const struct cred *cred; /* that it runs with */
	bool secure;             /* it has rights that its caller lacks: AT_SECURE */
};

/* Where the program is to be found, and what it is called. */
struct exec_name {
	struct dentry *
		start; /* the directory that path starts from; the program itself when path is "" */
	const char *path;
	const char *known_as; /* the path that leads there from the working directory */
	bool no_follow;       /* not through a symbolic link in the last place */
	bool by_descriptor; /* no path was given: the thread is named after the file that is run */
	bool closing;       /* known_as leads nowhere after exec: no use for scripts */
};

/* exec_load - open the file and make its program ready for process p; scripts (#!) change the arguments. 0 or
 * what execve gives. *out holds references until it is committed or dropped. */
int exec_load(const struct exec_name *, struct exec_args *, struct process *p,
	      struct exec_program *out);
void exec_drop(struct exec_program *);
