/* SPDX-License-Identifier: MIT */
/*
 * init.c - the first process.
 *
 * It is put together from outside, by the boot thread: program, standard files on the console, the
 * words of the command line. When no program can be started there is nothing left to do: panic.
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <quire/assert.h>
#include <uapi/errno.h>
#include "boot/boot_info.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/exec.h"
#include "kernel/futex.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "lib/string.h"
#include "mm/vma/space.h"

static const char *const init_paths[] = {"/init", "/sbin/init", "/etc/init", "/bin/init",
					 "/bin/sh"};

/* --- what init is told ------------------------------------------------------------------------------- */

/* next_word - cut the next blank-separated word off *text; NULL at the end. */
static char *next_word(char **text)
{
	char *word = *text, *end;

	while (*word == ' ')
		word++;
	if (!*word)
		return NULL;
	end = strchr(word, ' ');
	*text = end ? end + 1 : word + strlen(word);
	if (end)
		*end = 0;
	return word;
}

static bool is_variable(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals && equals != word && !memchr(word, '.', (size_t)(equals - word));
}

/* add_words - words of the command line as arguments (behind "--") or environment (name=value before
 * it). The text is cut up. */
static int add_words(struct exec_args *a, char *text, bool variables)
{
	bool behind = false;
	int err = 0;
	char *word;

	while (!err && (word = next_word(&text))) {
		if (!behind && !strcmp(word, "--")) {
			behind = true;
		} else if (behind && !variables) {
			a->argc++;
			err = exec_args_add(a, word);
		} else if (!behind && variables && is_variable(word)) {
			a->envc++;
			err = exec_args_add(a, word);
		}
	}
	return err;
}

static int init_args(struct exec_args *a, const char *path)
{
	static char text[BOOT_CMDLINE_SIZE];
	int err;

	exec_args_init(a, MIB(8));
	a->argc = 1;
	err = exec_args_add(a, path);
	strlcpy(text, boot_info.cmdline, sizeof(text));
	if (!err)
		err = add_words(a, text, false);
	a->env_offset = a->len;
	a->envc = 2;
	if (!err)
		err = exec_args_add(a, "HOME=/");
	if (!err)
		err = exec_args_add(a, "TERM=linux");
	strlcpy(text, boot_info.cmdline, sizeof(text));
	if (!err)
		err = add_words(a, text, true);
	a->path_offset = a->len;
	if (!err)
		err = exec_args_add(a, path);
	return err;
}

/* --- the process ------------------------------------------------------------------------------------- */

static void must(int err, const char *what)
{
	if (err)
		panic("cannot start the first process: %s: error %d", what, err);
}

/* open_console - descriptors 0, 1 and 2. Without a console init runs, mute. */
static void open_console(struct process *p)
{
	struct file *file;
	int err = file_open_path("/dev/console", O_RDWR, 0, &file);

	if (err) {
		printk("init: cannot open /dev/console: error %d\n", err);
		return;
	}
	for (int fd = 0; fd < 3; fd++) {
		file_get(file);
		must(files_set(p->files, fd, file), "standard files");
	}
	file_put(file);
}

static struct process *create_init(struct pid **pid)
{
	struct process *p;

	must(pid_alloc(0, pid), "number");
	p = process_create(NULL, *pid);
	must(p ? 0 : -ENOMEM, "process");
	p->files = files_create();
	p->fs = fs_context_create();
	must(p->files && p->fs ? 0 : -ENOMEM, "files");
	p->signals.unkillable = true;
	mutex_lock(&process_tree_lock);
	process_set_group(p, *pid);
	pid_get(*pid);
	p->session = *pid;
	mutex_unlock(&process_tree_lock);
	process_init = p;
	return p;
}

static int try_load(const char *path, struct process *p, struct exec_program *out)
{
	struct exec_name name = {.start = vfs_root, .path = path, .known_as = path};
	struct exec_args args;
	int err = init_args(&args, path);

	if (!err)
		err = exec_load(&name, &args, p, out);
	exec_args_free(&args);
	if (err && err != -ENOENT)
		printk("init: cannot run %s: error %d\n", path, err);
	return err;
}

/* load_program - the one the command line names, or the first of the usual ones that can be loaded. */
static const char *load_program(struct process *p, struct exec_program *out)
{
	static char path[256];

	if (boot_cmdline_get("rdinit", path, sizeof(path)) ||
	    boot_cmdline_get("init", path, sizeof(path))) {
		int err = try_load(path, p, out);

		if (!err)
			return path;
		if (err == -ENOENT)
			printk("init: there is no %s\n", path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(init_paths); i++)
		if (!try_load(init_paths[i], p, out))
			return init_paths[i];
	vfs_list_root();
	panic("no init found: no initramfs with a program /init was given, or it cannot be run");
}

static void start(struct process *p, struct pid *pid, struct exec_program *x, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct user_thread *u;
	struct thread *t;

	must(thread_alloc(&t, slash ? slash + 1 : path), "thread");
	arch_thread_init_user(t, NULL);
	frame_init_user(arch_thread_frame(t), x->image.entry, x->sp);
	thread_get(t);
	u = user_thread_create(p, t, pid);
	must(u ? 0 : -ENOMEM, "thread");
	signal_init_thread(u, NULL);
	p->exe = x->file;
	cred_put(x->cred); /* the thread has what the kernel has */
	t->proc = p;
	t->user = u;
	t->space = x->space;
	t->as = &x->space->as;
	list_add_tail(&u->link, &p->threads);
	p->nr_threads = 1;
	pid_set_process(pid, p);
	pid_set_thread(pid, u);
	printk("init: running %s\n", path);
	thread_wake(t);
	thread_put(t);
}

void process_start_init(void)
{
	struct exec_program program;
	struct process *p;
	struct pid *pid;
	const char *path;

	process_subsystem_init();
	futex_init();
	random_init();
	p = create_init(&pid);
	open_console(p);
	path = load_program(p, &program);
	start(p, pid, &program, path);
}
