/* SPDX-License-Identifier: MIT */
/*
 * exec.c - execve(2): collect the strings, find the file, make the program ready, change over.
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
#include "kernel/user_timers.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

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

#define SCRIPT_DEPTH_MAX 5 /* scripts whose interpreter is a script */

/* caller_directory - with a reference; the boot thread has none of its own. */
static struct dentry *caller_directory(void)
{
	if (current->proc)
		return fs_context_cwd(current_process->fs);
	dentry_get(vfs_root);
	return vfs_root;
}

static int read_head(struct file *file, struct exec_head *head)
{
	ssize_t n = file_read_kernel(file, head->bytes, sizeof(head->bytes), 0);

	head->len = (size_t)MAX(n, 0);
	return (int)MIN(n, 0);
}

/* find_program - open the file; of a script, in its place, the interpreter. */
static int find_program(const struct exec_name *name, struct exec_args *a, struct file **out,
			struct exec_head *head)
{
	char interp[SCRIPT_HEAD];
	const char *script = name->closing ? NULL : name->known_as;
	int err =
		file_open_program(name->start, name->path, name->no_follow ? 0 : WALK_FOLLOW, out);

	for (unsigned depth = 0; !err; depth++) {
		struct dentry *cwd;

		err = depth > SCRIPT_DEPTH_MAX ? -ELOOP : read_head(*out, head);
		if (!err)
			err = exec_script_expand(head, script, a, interp);
		if (!err)
			return 0;
		file_put(*out);
		if (err < 0)
			return err;
		cwd = caller_directory();
		err = file_open_program(cwd, interp, WALK_FOLLOW, out);
		dentry_put(cwd);
		script = interp;
	}
	return err;
}

static int build_space(struct exec_program *x, const struct exec_head *head,
		       const struct exec_args *a, struct process *p)
{
	struct space_limits limits;
	int err = space_create(&x->space);

	if (err)
		return err;
	process_limits_for_space(p, &limits);
	space_set_limits(x->space, &limits);
	err = elf_load(x->file, head, x->space, &x->image);
	if (!err)
		err = exec_build_stack(x, a, p);
	x->space->brk_start = x->space->brk = x->image.brk;
	return err;
}

int exec_load(const struct exec_name *name, struct exec_args *a, struct process *p,
	      struct exec_program *out)
{
	struct exec_head head;
	int err;

	*out = (struct exec_program){0};
	err = find_program(name, a, &out->file, &head);
	if (err)
		return err;
	out->cred = cred_for_exec(out->file->inode, &out->secure);
	err = out->cred ? build_space(out, &head, a, p) : -ENOMEM;
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

static void set_thread_name(const struct exec_name *name, const struct file *file)
{
	const char *path = name->by_descriptor ? file->dentry->name : name->known_as;
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
	posix_timers_delete_all(p);
	u->sleep_deadline = 0;
}

/* replace_program - nothing here fails. */
static void replace_program(struct exec_program *x, const struct exec_name *name)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	struct space *old = current->space;
	struct file *old_exe;

	if (x->secure)
		u->parent_death_signal = 0;
	cred_commit(x->cred);
	p->dumpable = x->cred->euid == x->cred->uid && x->cred->egid == x->cred->gid;
	user_thread_leave_space(u);
	process_note_maxrss(p);
	process_use_space(x->space);
	space_put(old);
	spin_lock(&p->lock);
	old_exe = p->exe;
	p->exe = x->file;
	spin_unlock(&p->lock);
	if (old_exe)
		file_put(old_exe);
	reset_signals(u, p);
	files_close_on_exec(p->files);
	set_thread_name(name, x->file);
	mutex_lock(&process_tree_lock);
	p->execed = true;
	p->exit_signal = SIGCHLD;
	mutex_unlock(&process_tree_lock);
	arch_thread_reset_fp(current);
	frame_init_user(arch_thread_frame(current), x->image.entry, x->sp);
	trace(TRACE_EXEC, user_pid(p), x->image.entry, x->sp, 0);
}

/* change_over - a table of files shared with another process (vfork) is not ours to close things in:
 * the copy is made while failing is still possible. */
static int change_over(struct exec_program *x, const struct exec_name *name)
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

		spin_lock(&p->lock);
		p->files = own;
		spin_unlock(&p->lock);
		own = shared;
	}
	if (own)
		files_put(own);
	if (!err)
		replace_program(x, name);
	return err;
}

/* check_user - a change of user that led beyond RLIMIT_NPROC is punished here, if it still does. */
static int check_user(void)
{
	struct user_thread *u = current_user;
	u64 limit = process_limit(current_process, RLIMIT_NPROC);

	if (u->nproc_exceeded && atomic_load(&u->cred->account->threads) > limit)
		return -EAGAIN;
	u->nproc_exceeded = false;
	return 0;
}

static int do_execve(const struct exec_name *name, vaddr_t argv, vaddr_t envp)
{
	struct process *p = current_process;
	struct exec_program program;
	struct exec_args args;
	int err = check_user();

	if (err)
		return err;
	exec_args_init(&args, process_limit(p, RLIMIT_STACK));
	err = collect(&args, name->known_as, argv, envp);
	if (!err)
		err = exec_load(name, &args, p, &program);
	exec_args_free(&args);
	if (err)
		return err;
	err = change_over(&program, name);
	if (err)
		exec_drop(&program);
	return err;
}

long sys_execve(vaddr_t upath, vaddr_t argv, vaddr_t envp)
{
	return sys_execveat(AT_FDCWD, upath, argv, envp, 0);
}

/* name_by_descriptor - what a program is called that was found through dirfd. NULL: memory. */
static char *name_by_descriptor(int dirfd, const char *path)
{
	size_t size = strlen(path) + 32;
	char *buf = kmalloc(size, 0);

	if (buf)
		snprintf(buf, size, *path ? "/dev/fd/%d/%s" : "/dev/fd/%d", dirfd, path);
	return buf;
}

/* start_of_name - where path begins; with "" the file behind the descriptor itself. */
static int start_of_name(int dirfd, const char *path, struct dentry **out)
{
	struct file *f;
	int err = 0;

	if (*path || dirfd == AT_FDCWD)
		return path_start(dirfd, path, out);
	f = fd_get_any(dirfd);
	if (!f)
		return -EBADF;
	if (!f->dentry) {
		err = -EACCES;
	} else {
		dentry_get(f->dentry);
		*out = f->dentry;
	}
	file_put(f);
	return err;
}

static long execveat(int dirfd, const char *path, vaddr_t argv, vaddr_t envp, bool no_follow)
{
	struct exec_name name = {.path = path, .known_as = path, .no_follow = no_follow};
	char *by_descriptor = NULL;
	long err = start_of_name(dirfd, path, &name.start);

	if (err)
		return err;
	if (dirfd != AT_FDCWD && *path != '/') {
		name.known_as = by_descriptor = name_by_descriptor(dirfd, path);
		name.by_descriptor = !*path;
		name.closing = fd_cloexec(dirfd);
	}
	err = name.known_as ? do_execve(&name, argv, envp) : -ENOMEM;
	kfree(by_descriptor);
	dentry_put(name.start);
	return err;
}

long sys_execveat(int dirfd, vaddr_t upath, vaddr_t argv, vaddr_t envp, int flags)
{
	char *path;
	long err;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	err = path_from_user(upath, &path);
	if (err)
		return err;
	if (!*path && !(flags & AT_EMPTY_PATH))
		err = -ENOENT;
	else
		err = execveat(dirfd, path, argv, envp, flags & AT_SYMLINK_NOFOLLOW);
	path_free(path);
	if (!err)
		arch_enter_user(); /* in the new program */
	return err;
}
