/* SPDX-License-Identifier: MIT */
/*
 * fork.c - clone(2) in all its forms: new threads, new processes.
 *
 * The order is check, acquire, commit. Everything that can fail is in create_child and the functions
 * it calls; add_child then makes the child known, and from there on nothing fails. The one thing that
 * can still refuse is that we ourselves are being killed or replaced by exec.
 *
 * All threads of a process share memory, files, working directory and signal dispositions, so CLONE_THREAD needs
 * CLONE_FS and CLONE_FILES too, and CLONE_SIGHAND needs CLONE_THREAD. Any C library does that. Memory, files and
 * working directory may be shared between processes, each for itself.
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/sched.h>
#include "fs/file.h"
#include "kernel/cred.h"
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/user_timers.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

/* A parent that waits for its vfork child. Shared by both, because the parent may be killed. */
struct vfork_wait {
	u32 refs;  /* [a] */
	bool done; /* [a] */
	struct waitq queue;
};

/* What is being built. References are the struct's own until add_child. */
struct clone_job {
	struct uapi_clone_args args;
	struct pid *pid;
	struct thread *thread;
	struct space *space;
	struct process *proc; /* a new one, or the current one */
	struct user_thread *user;
	struct vfork_wait *vfork; /* the parent's reference */
	u32 wanted_tid;           /* 0: any */
	int pidfd;                /* -1: none */
};

static struct vfork_wait *vfork_create(void)
{
	struct vfork_wait *v = kmalloc(sizeof(*v), PA_ZERO);

	if (v) {
		refcount_init(&v->refs);
		waitq_init(&v->queue);
	}
	return v;
}

static void vfork_put(struct vfork_wait *v)
{
	if (v && refcount_put(&v->refs))
		kfree(v);
}

void user_thread_release_vfork(struct user_thread *u)
{
	struct vfork_wait *v = u->vfork;

	if (!v)
		return;
	u->vfork = NULL;
	atomic_store_release(&v->done, true);
	waitq_wake_all(&v->queue);
	vfork_put(v);
}

/* --- check ------------------------------------------------------------------------------------------- */

/* What a kernel without namespaces knows. Several of these mean nothing: there is no tracing, and no undo list of
 * semaphores or I/O context to share. */
#define CLONE_SUPPORTED                                                                   \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PIDFD | CLONE_PTRACE | \
	 CLONE_VFORK | CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |       \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_UNTRACED |   \
	 CLONE_CHILD_SETTID | CLONE_IO | CLONE_CLEAR_SIGHAND)
#define CLONE_WITH_THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_FS | CLONE_FILES)

static int check_flags(const struct uapi_clone_args *a)
{
	u64 f = a->flags;

	if (f & ~CLONE_SUPPORTED)
		return -EINVAL;
	if ((f & CLONE_THREAD) && (f & CLONE_WITH_THREAD) != CLONE_WITH_THREAD)
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_THREAD))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_PARENT) && !current_process->parent)
		return -EINVAL; /* init would get siblings that nobody waits for */
	if ((f & CLONE_PIDFD) && (f & CLONE_DETACHED))
		return -EINVAL;
	return 0;
}

/* check_limits - may there be one more thread, of this user and at all? */
static int check_limits(void)
{
	const struct cred *c = cred_now();
	u64 limit = process_limit(current_process, RLIMIT_NPROC);

	if (c->uid && !cred_has(c, CAP_SYS_RESOURCE) && !cred_has(c, CAP_SYS_ADMIN) &&
	    atomic_load(&c->account->threads) >= limit)
		return -EAGAIN;
	return user_thread_count() < user_thread_max() ? 0 : -EAGAIN;
}

/* --- acquire ----------------------------------------------------------------------------------------- */

/* share_or_copy - files and working directory of a new process. */
static int share_or_copy(struct process *child, u64 flags)
{
	struct process *parent = current_process;

	if (flags & CLONE_FS) {
		fs_context_get(parent->fs);
		child->fs = parent->fs;
	} else {
		child->fs = fs_context_copy(parent->fs);
	}
	if (flags & CLONE_FILES) {
		files_get(parent->files);
		child->files = parent->files;
	} else {
		child->files = files_copy(parent->files);
	}
	if (parent->exe) {
		file_get(parent->exe);
		child->exe = parent->exe;
	}
	return child->fs && child->files ? 0 : -ENOMEM;
}

static int create_process(struct clone_job *job)
{
	struct process *p;

	if (job->args.flags & CLONE_THREAD) {
		job->proc = current_process;
		return 0;
	}
	p = job->proc = process_create(current_process, job->pid);
	if (!p)
		return -ENOMEM;
	if (job->args.flags & CLONE_CLEAR_SIGHAND)
		signal_reset_handlers(p, true);
	p->exit_signal = (u32)job->args.exit_signal;
	return share_or_copy(p, job->args.flags);
}

static int create_space(struct clone_job *job)
{
	if (!(job->args.flags & CLONE_VM))
		return space_fork(current->space, &job->space);
	space_get(current->space);
	job->space = current->space;
	return 0;
}

/* prepare_registers - the child returns from the same system call, with result 0. */
static int prepare_registers(struct clone_job *job)
{
	const struct uapi_clone_args *a = &job->args;
	struct thread *t = job->thread;

	arch_thread_init_user(t, arch_thread_frame(current));
	if (a->stack)
		frame_set_sp(arch_thread_frame(t), a->stack + a->stack_size);
	if ((a->flags & CLONE_SETTLS) && !arch_tls_is_valid(a->tls))
		return -EPERM;
	if (a->flags & CLONE_SETTLS)
		arch_thread_set_tls(t, a->tls);
	return 0;
}

/* inherit_scheduling - the thread itself has our niceness already. */
static void inherit_scheduling(struct user_thread *u, const struct user_thread *from)
{
	u->timer_slack_ns = from->timer_slack_ns;
	u->sched_policy = from->sched_policy;
	if (!from->sched_reset)
		return;
	u->sched_policy = SCHED_OTHER;
	sched_set_nice(u->thread, MAX(u->thread->nice, 0), false);
}

/* create_user_thread - the user side of job->thread, which it takes over together with a pid reference. */
static int create_user_thread(struct clone_job *job)
{
	const struct uapi_clone_args *a = &job->args;
	struct user_thread *u = user_thread_create(job->proc, job->thread, job->pid);

	if (!u)
		return -ENOMEM;
	thread_get(job->thread);
	pid_get(job->pid);
	job->user = u;
	signal_init_thread(u, current_user);
	inherit_scheduling(u, current_user);
	if ((a->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		u->sig.altstack = current_user->sig.altstack;
	if (a->flags & CLONE_CHILD_CLEARTID)
		u->clear_child_tid = a->child_tid;
	if (!(a->flags & CLONE_VFORK))
		return 0;
	job->vfork = vfork_create();
	if (!job->vfork)
		return -ENOMEM;
	refcount_get(&job->vfork->refs);
	u->vfork = job->vfork;
	return 0;
}

/* create_pidfd - in our own table, after the child's copy was made. It closes at exec. Until the child is known the
 * descriptor says that there is no such process. */
static int create_pidfd(struct clone_job *job)
{
	if (!(job->args.flags & CLONE_PIDFD))
		return 0;
	job->pidfd = pidfd_install(job->pid, job->args.flags & CLONE_THREAD ? PIDFD_THREAD : 0);
	if (job->pidfd < 0)
		return job->pidfd;
	return put_user_u32(job->args.pidfd, (u32)job->pidfd);
}

static int create_child(struct clone_job *job)
{
	int err = pid_alloc(job->wanted_tid, &job->pid);

	if (!err)
		err = create_process(job);
	if (!err)
		err = thread_alloc(&job->thread, current->name);
	if (!err)
		err = create_user_thread(job);
	if (!err)
		err = create_space(job);
	if (!err)
		err = prepare_registers(job);
	if (!err)
		err = create_pidfd(job);
	return err;
}

/* drop_child - undo create_child, however far it came. */
static void drop_child(struct clone_job *job)
{
	struct process *p = job->proc;

	if (job->pidfd >= 0)
		fd_close(job->pidfd);
	if (job->space)
		space_put(job->space);
	if (job->user) {
		vfork_put(job->user->vfork);
		user_thread_put(job->user);
	}
	vfork_put(job->vfork);
	if (job->thread)
		thread_put(job->thread);
	if (p && p != current_process) {
		process_release_resources(p);
		process_put(p);
	}
	if (job->pid)
		pid_put(job->pid);
}

/* --- commit ------------------------------------------------------------------------------------------ */

/* add_thread - into its process's list. Process lock held. */
static void add_thread(struct clone_job *job)
{
	struct process *p = job->proc;
	struct user_thread *u = job->user;

	list_add_tail(&u->link, &p->threads);
	if (p->nr_threads++)
		files_note_sharing(p->files);
	u->thread->proc = p;
	u->thread->user = u;
	u->thread->space = job->space;
	u->thread->as = &job->space->as;
	u->thread->cpu_timed = cpu_timers_wanted(p);
	if (p->signals.stop_signal)
		u->thread->work |= THREAD_WORK_SIGNAL;
}

/* add_to_own_process - unless we, and with us perhaps all threads, are being killed. */
static int add_to_own_process(struct clone_job *job)
{
	struct process *p = job->proc;
	int err = 0;

	spin_lock(&p->lock);
	if (atomic_load(&current_user->killed))
		err = -EINTR;
	else
		add_thread(job);
	spin_unlock(&p->lock);
	return err;
}

/* add_process - into the tree, with its parent's group and session. A signal that is already pending for
 * us may have been meant for the whole group: then the child must not escape it. */
static int add_process(struct clone_job *job)
{
	struct process *p = job->proc, *self = current_process;

	if (signal_pending(current))
		return -EINTR;
	if (job->args.flags & CLONE_PARENT) {
		p->parent = self->parent;
		p->parent_tid = self->parent_tid;
		p->exit_signal = self->exit_signal;
	} else {
		p->parent = self;
		p->parent_tid = user_tid(current_user);
		current_user->made_children = true;
	}
	p->parent_nr = user_pid(p->parent);
	list_add_tail(&p->sibling, &p->parent->children);
	process_set_group(p, self->group);
	pid_get(self->session);
	p->session = self->session;
	p->no_tty = self->no_tty;
	spin_lock(&p->lock);
	add_thread(job);
	spin_unlock(&p->lock);
	pid_set_process(job->pid, p);
	return 0;
}

static int add_child(struct clone_job *job)
{
	int err;

	if (job->proc == current_process) {
		err = add_to_own_process(job);
	} else {
		mutex_lock(&process_tree_lock);
		err = add_process(job);
		mutex_unlock(&process_tree_lock);
	}
	if (!err)
		pid_set_thread(job->pid, job->user);
	return err;
}

/* store_tids - tell user space; bad addresses are its own problem, as on Linux. */
static void store_tids(struct clone_job *job)
{
	const struct uapi_clone_args *a = &job->args;
	u32 tid = job->pid->nr;
	int ignored = 0;

	if (a->flags & CLONE_PARENT_SETTID)
		ignored |= put_user_u32(a->parent_tid, tid);
	if (a->flags & CLONE_CHILD_SETTID)
		ignored |= space_write(job->space, a->child_tid, &tid, sizeof(tid));
	(void)ignored;
}

/* wait_for_vfork - the child uses our memory, and often our stack, until it execs or exits. */
static void wait_for_vfork(struct vfork_wait *v)
{
	int ignored = wait_event(&v->queue, atomic_load_acquire(&v->done), WAIT_KILLABLE);

	(void)ignored;
	vfork_put(v);
}

static long do_clone(struct clone_job *job)
{
	struct vfork_wait *vfork;
	long tid;
	int err = check_flags(&job->args);

	if (!err)
		err = check_limits();
	if (err)
		return err;
	err = create_child(job);
	if (!err)
		err = add_child(job);
	if (err) {
		drop_child(job);
		return err == -EINTR ? -RESTART_NOINTR : err;
	}
	tid = job->pid->nr;
	vfork = job->vfork;
	store_tids(job);
	pid_put(job->pid);
	thread_wake(job->thread);
	thread_put(job->thread);
	if (vfork)
		wait_for_vfork(vfork);
	return tid;
}

/* --- system calls ------------------------------------------------------------------------------------ */

static long clone_legacy(u64 flags, vaddr_t stack, vaddr_t ptid, vaddr_t ctid, u64 tls)
{
	struct clone_job job = {
		.args =
			{
				.flags = (u32)flags & ~CSIGNAL,
				.exit_signal = flags & CSIGNAL,
				.stack = stack,
				.pidfd = ptid,
				.parent_tid = ptid,
				.child_tid = ctid,
				.tls = tls,
			},
		.pidfd = -1,
	};

	if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
		return -EINVAL; /* one place for two results */
	return do_clone(&job);
}

long sys_clone_ctid_tls(u64 flags, vaddr_t stack, vaddr_t ptid, vaddr_t ctid, u64 tls)
{
	return clone_legacy(flags, stack, ptid, ctid, tls);
}

long sys_clone_tls_ctid(u64 flags, vaddr_t stack, vaddr_t ptid, u64 tls, vaddr_t ctid)
{
	return clone_legacy(flags, stack, ptid, ctid, tls);
}

long sys_fork(void)
{
	return clone_legacy(SIGCHLD, 0, 0, 0, 0);
}

long sys_vfork(void)
{
	return clone_legacy(CLONE_VFORK | CLONE_VM | SIGCHLD, 0, 0, 0, 0);
}

#define SET_TID_MAX 32 /* nested namespaces that clone3 may give numbers for; there is one */

static bool stack_is_valid(const struct uapi_clone_args *a)
{
	if (!a->stack)
		return !a->stack_size;
	return a->stack_size && user_range_ok(a->stack, a->stack_size);
}

static int check_clone3(const struct uapi_clone_args *a, u64 size)
{
	if (a->set_tid_size > SET_TID_MAX || !a->set_tid != !a->set_tid_size)
		return -EINVAL;
	if (a->exit_signal & ~CSIGNAL || a->exit_signal > NSIG)
		return -EINVAL;
	if ((a->flags & CLONE_INTO_CGROUP) &&
	    (a->cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if (a->flags & (CLONE_DETACHED | CSIGNAL))
		return -EINVAL;
	if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
		return -EINVAL;
	if (!stack_is_valid(a))
		return -EINVAL;
	return a->flags & CLONE_INTO_CGROUP ? -EBADF : 0; /* no descriptor is a cgroup */
}

/* read_set_tid - the number that the child is to have. */
static int read_set_tid(struct clone_job *job)
{
	if (!job->args.set_tid_size)
		return 0;
	if (job->args.set_tid_size > 1)
		return -EINVAL;
	if (get_user_u32(job->args.set_tid, &job->wanted_tid))
		return -EFAULT;
	if (!job->wanted_tid || job->wanted_tid >= PID_MAX)
		return -EINVAL;
	return cred_capable(CAP_CHECKPOINT_RESTORE) || cred_capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

long sys_clone3(vaddr_t uargs, u64 size)
{
	struct clone_job job = {.pidfd = -1};
	int err;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&job.args, sizeof(job.args), uargs, size);
	if (!err)
		err = check_clone3(&job.args, size);
	if (!err)
		err = read_set_tid(&job);
	return err ? err : do_clone(&job);
}
