/* SPDX-License-Identifier: MIT */
/* device.c - the table of character devices, and those that need no driver: null, zero, full, random. */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"
#include "mm/obj/object.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

/* --- null, zero, full, random ------------------------------------------------------------------------ */

static ssize_t read_nothing(struct file *f, struct uio *uio, u64 *pos)
{
	(void)f;
	(void)uio;
	(void)pos;
	return 0;
}

static ssize_t write_anywhere(struct file *f, struct uio *uio, u64 *pos)
{
	ssize_t n = (ssize_t)uio->left;

	(void)f;
	(void)pos;
	uio->left = 0;
	return n;
}

static ssize_t write_full(struct file *f, struct uio *uio, u64 *pos)
{
	(void)f;
	(void)uio;
	(void)pos;
	return -ENOSPC;
}

#define ZERO_PIECE KIB(64)

/* in_pieces - fill the buffers piece by piece, so that a huge request can be killed. */
static inline ssize_t in_pieces(struct uio *uio, size_t (*put)(struct uio *))
{
	bool empty = !uio->left;
	size_t done = 0, n;

	do {
		n = put(uio);
		done += n;
	} while (uio->left && n && !signal_fatal(current));
	return done || empty ? (ssize_t)done : -EFAULT;
}

static size_t put_zeroes(struct uio *uio)
{
	return uio_put_zeroes(uio, MIN(uio->left, ZERO_PIECE));
}

static size_t put_random(struct uio *uio)
{
	u8 buf[256];

	random_bytes(buf, sizeof(buf));
	return uio_put(uio, buf, sizeof(buf));
}

static NOINLINE ssize_t read_zero_pieces(struct uio *uio)
{
	return in_pieces(uio, put_zeroes);
}

/* What fits one buffer is the end of the transfer: the list needs no bookkeeping. */
static ssize_t read_zero(struct file *f, struct uio *uio, u64 *pos)
{
	size_t wanted = uio->left, done;

	(void)f;
	(void)pos;
	if (unlikely(wanted > ZERO_PIECE))
		return read_zero_pieces(uio);
	lock_assert_user_access();
	if (likely(uio_fits(uio, wanted)))
		done = wanted - arch_clear_user(uio->at, wanted);
	else
		done = uio_put_zero_pieces(uio, wanted);
	return likely(done) || !wanted ? (ssize_t)done : -EFAULT;
}

static void name_get(void *dentry)
{
	dentry_get(dentry);
}

static void name_put(void *dentry)
{
	dentry_put(dentry);
}

/* Private or shared, each mapping of /dev/zero is fresh memory that carries the device's name. */
static int map_zero(struct file *f, struct map_request *r)
{
	static const struct object_ops ops = {
		.release = object_free, .name_get = name_get, .name_put = name_put};
	u64 start = r->pgoff << PAGE_SHIFT, len = ALIGN_UP(r->len, PAGE_SIZE);

	if (start + len < start)
		return -EOVERFLOW;
	r->obj = object_create(start + len, &ops);
	if (!r->obj)
		return -ENOMEM;
	r->name = f->dentry;
	if (r->name)
		name_get(r->name);
	return 0;
}

static ssize_t read_random(struct file *f, struct uio *uio, u64 *pos)
{
	(void)f;
	(void)pos;
	return in_pieces(uio, put_random);
}

static s64 seek_nowhere(struct file *f, s64 offset, int whence)
{
	(void)f;
	(void)offset;
	(void)whence;
	return 0;
}

/* --- table ------------------------------------------------------------------------------------------- */

static const struct file_ops null_ops = {.read = read_nothing,
					 .write = write_anywhere,
					 .seek = seek_nowhere,
					 .ignores_position = true};
static const struct file_ops zero_ops = {.read = read_zero,
					 .write = write_anywhere,
					 .seek = seek_nowhere,
					 .map = map_zero,
					 .ignores_position = true};
static const struct file_ops full_ops = {
	.read = read_zero, .write = write_full, .seek = seek_nowhere, .ignores_position = true};
static const struct file_ops random_ops = {.read = read_random,
					   .write = write_anywhere,
					   .seek = seek_nowhere,
					   .ignores_position = true};

/* Registered devices stay for ever, so the list is read without a lock. */
struct device {
	u64 rdev;
	u32 mode;
	const char *name;
	const struct file_ops *ops;
	struct device *next; /* [devices_lock] to change */
};

static struct spinlock devices_lock = SPINLOCK_INIT(RANK_PROCESS);
static struct device *devices;

const struct file_ops *device_find(u64 rdev)
{
	for (struct device *d = atomic_load_acquire(&devices); d; d = atomic_load_acquire(&d->next))
		if (d->rdev == rdev)
			return d->ops;
	return NULL;
}

int device_register(const char *name, u64 rdev, u32 mode, const struct file_ops *ops)
{
	struct device *d = kmalloc(sizeof(*d), 0), **at = &devices;
	int err = 0;

	if (!d)
		return -ENOMEM;
	*d = (struct device){.rdev = rdev, .mode = mode, .name = name, .ops = ops};
	spin_lock(&devices_lock);
	for (; *at && !err; at = &(*at)->next)
		if ((*at)->rdev == rdev)
			err = -EEXIST;
	if (!err)
		atomic_store_release(at, d);
	spin_unlock(&devices_lock);
	if (err)
		kfree(d);
	return err;
}

int device_for_each(int (*fn)(const char *name, u64 rdev, u32 mode, void *arg), void *arg)
{
	int err = 0;

	for (struct device *d = atomic_load_acquire(&devices); d && !err;
	     d = atomic_load_acquire(&d->next))
		err = fn(d->name, d->rdev, d->mode, arg);
	return err;
}

void device_init(void)
{
	static const struct {
		const char *name;
		u64 rdev;
		u32 mode;
		const struct file_ops *ops;
	} known[] = {
		{"null", DEV_MAKE(1, 3), 0666, &null_ops},
		{"zero", DEV_MAKE(1, 5), 0666, &zero_ops},
		{"full", DEV_MAKE(1, 7), 0666, &full_ops},
		{"random", DEV_MAKE(1, 8), 0666, &random_ops},
		{"urandom", DEV_MAKE(1, 9), 0666, &random_ops},
		{"kmsg", DEV_MAKE(1, 11), 0644, &kmsg_ops},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (device_register(known[i].name, known[i].rdev, known[i].mode, known[i].ops))
			panic("no memory for /dev/%s", known[i].name);
}
