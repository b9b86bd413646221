/* SPDX-License-Identifier: MIT */
/*
 * exec.c - execve(2): collect the strings, make the program ready, change over.
 *
 * The point of no return is process_kill_other_threads: before it every failure leaves the old program
 * as it was, after it nothing can fail.
 */
#include "kernel/exec.h"

#include <arch/thread.h>
#include <arch/trap.h>
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/trace.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"
#include "mm/vma/space.h"

#define ARG_STRING_MAX    KIB(128) /* one string with its NUL */
#define ARGS_LIMIT_MAX    MIB(6)
#define ARGS_LIMIT_MIN    KIB(128)
#define EXEC_BUFFER_SMALL KIB(32)

/* --- strings ----------------------------------------------------------------------------------------- */

void exec_args_init(struct exec_args *a, u64 stack_limit)
{
	memset(a, 0, sizeof(*a));
	a->limit = MAX(MIN(stack_limit / 4, ARGS_LIMIT_MAX), ARGS_LIMIT_MIN);
}

/* Most programs are started with a page of strings: those do without a mapping of their own. */
void *exec_buffer_alloc(size_t size)
{
	return size <= EXEC_BUFFER_SMALL ? kmalloc(size, 0) : vmalloc(size);
}

void exec_buffer_free(void *buf, size_t size)
{
	if (size <= EXEC_BUFFER_SMALL)
		kfree(buf);
	else
		vfree(buf);
}

void exec_args_free(struct exec_args *a)
{
	exec_buffer_free(a->data, a->capacity);
	a->data = NULL;
	a->capacity = 0;
}

/* reserve - room for n more bytes; the pointers that will refer to the strings count as well. */
static int reserve(struct exec_args *a, size_t n)
{
	size_t need = a->len + n;
	size_t capacity = MAX(a->capacity, PAGE_SIZE);
	char *data;

	if (need + (a->argc + a->envc) * sizeof(u64) > a->limit)
		return -E2BIG;
	if (need <= a->capacity)
		return 0;
	while (capacity < need)
		capacity *= 2;
	data = exec_buffer_alloc(capacity);
	if (!data)
		return -ENOMEM;
	if (a->len)
		memcpy(data, a->data, a->len);
	exec_buffer_free(a->data, a->capacity);
	a->data = data;
	a->capacity = capacity;
	return 0;
}

int exec_args_add(struct exec_args *a, const char *s)
{
	size_t n = strlen(s) + 1;
	int err = reserve(a, n);

	if (err)
		return err;
	memcpy(a->data + a->len, s, n);
	a->len += n;
	return 0;
}

/* add_user_string - try with the room there is; when it does not fit make more. */
static int add_user_string(struct exec_args *a, vaddr_t s)
{
	for (size_t room = 256; room <= ARG_STRING_MAX; room *= 2) {
		int err = reserve(a, MIN(room, MAX(a->limit - a->len, 1)));
		ssize_t n;

		if (err)
			return err;
		n = strncpy_from_user(a->data + a->len, s, MIN(a->capacity - a->len, room));
		if (n >= 0) {
			a->len += (size_t)n + 1;
			return 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
	}
	return -E2BIG;
}

int exec_args_add_user(struct exec_args *a, vaddr_t array, u32 *count)
{
	for (;; array += sizeof(u64)) {
		u64 s;
		int err;

		if (!array || get_user_u64(array, &s))
			return array ? -EFAULT : 0;
		if (!s)
			return 0;
		(*count)++;
		err = add_user_string(a, s);
		if (err)
			return err;
		if (signal_fatal(current))
			return -EINTR;
	}
}

/* collect - all strings of execve(2). */
static int collect(struct exec_args *a, const char *path, vaddr_t argv, vaddr_t envp)
{
	int err = exec_args_add_user(a, argv, &a->argc);

	if (!err && !a->argc) { /* programs rely on argv[0] */
		a->argc = 1;
		err = exec_args_add(a, "");
	}
	a->env_offset = a->len;
	if (!err)
		err = exec_args_add_user(a, envp, &a->envc);
	a->path_offset = a->len;
	if (!err)
		err = exec_args_add(a, path);
	return err;
}

/* --- making ready ------------------------------------------------------------------------------------ */

static int open_program(const char *path, struct file **out)
{
	int err = file_open_path(path, O_RDONLY, 0, out);

	if (err)
		return err;
	if (S_ISREG((*out)->inode->mode))
		err = vfs_permission((*out)->inode, X_OK, false);
	else
		err = -EACCES;
	if (err)
		file_put(*out);
	return err;
}

static int build_space(struct exec_program *x, const struct exec_args *a, struct process *p)
{
	struct space_limits limits;
	int err = space_create(&x->space);

	if (err)
		return err;
	process_limits_for_space(p, &limits);
	space_set_limits(x->space, &limits);
	err = elf_load(x->file, x->space, &x->image);
	if (!err)
		err = exec_build_stack(x, a, p);
	x->space->brk_start = x->space->brk = x->image.brk;
	return err;
}

int exec_load(const char *path, const struct exec_args *a, struct process *p,
	      struct exec_program *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = open_program(path, &out->file);
	if (err)
		return err;
	out->cred = cred_for_exec(out->file->inode, &out->secure);
	err = out->cred ? build_space(out, a, p) : -ENOMEM;
	if (err)
		exec_drop(out);
	return err;
}

void exec_drop(struct exec_program *x)
{
	if (x->space)
		space_put(x->space);
	if (x->file)
		file_put(x->file);
	if (x->cred)
		cred_put(x->cred);
	memset(x, 0, sizeof(*x));
}

/* --- changing over ----------------------------------------------------------------------------------- */

static void set_thread_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	strlcpy(current->name, slash ? slash + 1 : path, sizeof(current->name));
}

static void reset_signals(struct user_thread *u, struct process *p)
{
	spin_lock(&p->lock);
	signal_reset_handlers(p, true);
	u->sig.altstack = (struct uapi_sigaltstack){.ss_flags = SS_DISABLE};
	spin_unlock(&p->lock);
	u->set_child_tid = 0;
	u->robust_list = 0;
	u->sleep_deadline = 0;
}

/* replace_program - nothing here fails. */
static void replace_program(struct exec_program *x, const char *path)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	struct space *old = current->space;
	struct file *old_exe = p->exe;

	if (x->secure)
		u->parent_death_signal = 0;
	cred_commit(x->cred);
	p->dumpable = x->cred->euid == x->cred->uid && x->cred->egid == x->cred->gid;
	user_thread_leave_space(u);
	process_note_maxrss(p);
	process_use_space(x->space);
	space_put(old);
	p->exe = x->file;
	if (old_exe)
		file_put(old_exe);
	reset_signals(u, p);
	files_close_on_exec(p->files);
	set_thread_name(path);
	mutex_lock(&process_tree_lock);
	p->execed = true;
	mutex_unlock(&process_tree_lock);
	arch_thread_reset_fp(current);
	frame_init_user(arch_thread_frame(current), x->image.entry, x->sp);
	trace(TRACE_EXEC, user_pid(p), x->image.entry, x->sp, 0);
}

/* change_over - a table of files shared with another process (vfork) is not ours to close things in:
 * the copy is made while failing is still possible. */
static int change_over(struct exec_program *x, const char *path)
{
	struct process *p = current_process;
	struct files *own = NULL;
	int err;

	if (files_is_shared(p->files)) {
		own = files_copy(p->files);
		if (!own)
			return -ENOMEM;
	}
	err = process_kill_other_threads();
	if (!err && own) {
		struct files *shared = p->files;

		p->files = own;
		own = shared;
	}
	if (own)
		files_put(own);
	if (!err)
		replace_program(x, path);
	return err;
}

static int do_execve(const char *path, vaddr_t argv, vaddr_t envp)
{
	struct process *p = current_process;
	struct exec_program program;
	struct exec_args args;
	int err;

	if (current_user->nproc_exceeded) {
		if (atomic_load(&cred_now()->account->threads) > process_limit(p, RLIMIT_NPROC))
			return -EAGAIN;
		current_user->nproc_exceeded = false;
	}
	exec_args_init(&args, process_limit(p, RLIMIT_STACK));
	err = collect(&args, path, argv, envp);
	if (!err)
		err = exec_load(path, &args, p, &program);
	exec_args_free(&args);
	if (err)
		return err;
	err = change_over(&program, path);
	if (err)
		exec_drop(&program);
	return err;
}

long sys_execve(vaddr_t upath, vaddr_t argv, vaddr_t envp)
{
	char *path;
	long err = path_from_user(upath, &path);

	if (err)
		return err;
	err = do_execve(path, argv, envp);
	path_free(path);
	return err;
}
