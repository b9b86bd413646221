/* SPDX-License-Identifier: MIT */
/*
 * sysctl.c - /proc/sys: numbers and names of the kernel's that can be read, and the few that can be changed.
 *
 * Only what is true of this kernel is here. A constant that a program may ask for is a file that cannot be written.
 */
#include <uapi/errno.h>
#include <uapi/capability.h>
#include "fs/proc/internal.h"
#include "kernel/random.h"
#include "kernel/uts.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/vma/vma.h"

/* --- constants ---------------------------------------------------------------------------------------------- */

struct constant {
	const char *name;
	u64 value;
};

static int constant_show(struct file *f, struct text *t)
{
	const struct constant *c = text_arg(f->inode);

	text_printf(t, "%lu\n", c->value);
	return 0;
}

static const struct text_ops constant_ops = {.show = constant_show};

static const struct constant kernel_constants[] = {
	{"pid_max", PID_MAX},       {"threads-max", PID_MAX},  {"ngroups_max", 65536},
	{"cap_last_cap", CAP_LAST}, {"randomize_va_space", 1}, {"overflowuid", 65534},
	{"overflowgid", 65534},
};
static const struct constant vm_constants[] = {
	{"overcommit_memory", 1},
	{"memfd_noexec", 0},
	{"mmap_min_addr", MMAP_MIN_ADDR},
	{"max_map_count", VMA_MAX_COUNT},
};
static const struct constant fs_constants[] = {
	{"nr_open", FD_MAX},
};

/* --- names of the system -------------------------------------------------------------------------------------- */

struct name_file {
	const char *name;
	size_t field; /* in struct uapi_utsname */
	bool fixed;
};

static const struct name_file name_files[] = {
	{"ostype", offsetof(struct uapi_utsname, sysname), true},
	{"osrelease", offsetof(struct uapi_utsname, release), true},
	{"version", offsetof(struct uapi_utsname, version), true},
	{"hostname", offsetof(struct uapi_utsname, nodename), false},
	{"domainname", offsetof(struct uapi_utsname, domainname), false},
};

static int name_show(struct file *f, struct text *t)
{
	const struct name_file *n = text_arg(f->inode);
	struct uapi_utsname uts;

	uts_get(&uts);
	text_printf(t, "%s\n", (const char *)&uts + n->field);
	return 0;
}

/* A line; what is too long is cut off. */
static ssize_t name_store(struct file *f, char *s, size_t n)
{
	const struct name_file *file = text_arg(f->inode);
	char *end = memchr(s, '\n', n);
	size_t len = end ? (size_t)(end - s) : strnlen(s, n);

	uts_set(file->field, s, MIN(len, (size_t)UTS_LEN - 1));
	return (ssize_t)n;
}

static const struct text_ops fixed_name_ops = {.show = name_show};
static const struct text_ops name_ops = {.show = name_show, .store = name_store};

/* --- random ----------------------------------------------------------------------------------------------------- */

/* show_uuid - version 4, variant 1 (RFC 4122). */
static void show_uuid(struct text *t, const u8 *b)
{
	text_printf(t, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n",
		    b[0], b[1], b[2], b[3], b[4], b[5], (b[6] & 0xf) | 0x40, b[7],
		    (b[8] & 0x3f) | 0x80, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static int uuid_show(struct file *f UNUSED, struct text *t)
{
	u8 bytes[16];

	random_bytes(bytes, sizeof(bytes));
	show_uuid(t, bytes);
	return 0;
}

/* The first who asks makes it; it stays the same until the machine is started again. */
static int boot_id_show(struct file *f UNUSED, struct text *t)
{
	static struct spinlock lock = SPINLOCK_INIT(RANK_PROCESS);
	static bool made;
	static u8 id[16];
	u8 bytes[16];

	random_bytes(bytes, sizeof(bytes));
	spin_lock(&lock);
	if (!made)
		memcpy(id, bytes, sizeof(id));
	made = true;
	memcpy(bytes, id, sizeof(bytes));
	spin_unlock(&lock);
	show_uuid(t, bytes);
	return 0;
}

/* The generator's key has 256 bits. */
static int entropy_show(struct file *f UNUSED, struct text *t)
{
	text_printf(t, "%u\n", random_is_seeded() ? 256u : 0);
	return 0;
}

static const struct text_ops uuid_ops = {.show = uuid_show};
static const struct text_ops boot_id_ops = {.show = boot_id_show};
static const struct text_ops entropy_ops = {.show = entropy_show};
static const struct constant poolsize = {"poolsize", 256};

/* --- the tree ---------------------------------------------------------------------------------------------------- */

static int add_constants(struct dentry *dir, const struct constant *c, size_t n)
{
	int err = dir ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++)
		err = text_file(dir, c[i].name, 0444, &constant_ops, &c[i]);
	return err;
}

static int add_names(struct dentry *dir)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(name_files) && !err; i++) {
		const struct name_file *n = &name_files[i];

		err = text_file(dir, n->name, n->fixed ? 0444 : 0644,
				n->fixed ? &fixed_name_ops : &name_ops, n);
	}
	return err;
}

static int add_random(struct dentry *dir)
{
	int err = dir ? text_file(dir, "uuid", 0444, &uuid_ops, NULL) : -ENOMEM;

	if (!err)
		err = text_file(dir, "boot_id", 0444, &boot_id_ops, NULL);
	if (!err)
		err = text_file(dir, "entropy_avail", 0444, &entropy_ops, NULL);
	return err ? err : add_constants(dir, &poolsize, 1);
}

int proc_add_sysctl(struct dentry *root)
{
	struct dentry *sys = text_dir(root, "sys");
	struct dentry *kernel = sys ? text_dir(sys, "kernel") : NULL;
	int err = kernel ? add_names(kernel) : -ENOMEM;

	if (!err)
		err = add_constants(kernel, kernel_constants, ARRAY_SIZE(kernel_constants));
	if (!err)
		err = add_random(text_dir(kernel, "random"));
	if (!err)
		err = add_constants(text_dir(sys, "vm"), vm_constants, ARRAY_SIZE(vm_constants));
	if (!err)
		err = add_constants(text_dir(sys, "fs"), fs_constants, ARRAY_SIZE(fs_constants));
	return err;
}
