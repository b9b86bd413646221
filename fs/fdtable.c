/* SPDX-License-Identifier: MIT */
/*
 * fdtable.c - descriptors: small numbers for open files.
 *
 * Readers find the table and the file without a lock, inside an RCU reader, and take a reference unless
 * the file is on its way out. Changes hold the table's mutex. The arrays grow by being replaced; the old
 * ones are freed after a grace period.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/lock.h"
#include "kernel/process.h"
#include "lib/bitmap.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

static struct fd_array *array_alloc(u32 capacity)
{
	size_t words = BITMAP_WORDS(capacity);
	struct fd_array *a =
		kmalloc(sizeof(*a) + capacity * sizeof(struct file *) + words * 16, PA_ZERO);

	if (!a)
		return NULL;
	a->capacity = capacity;
	a->used = (u64 *)(a->files + capacity);
	a->cloexec = a->used + words;
	return a;
}

static void array_free_later(struct rcu_head *head)
{
	kfree(container_of(head, struct fd_array, rcu));
}

/* files_alloc - a table with the array inside it. flags: 0, then that is yet to be filled, or PA_ZERO. */
static struct files *files_alloc(unsigned flags)
{
	struct files *t = kmalloc(sizeof(*t) + FD_INLINE * sizeof(struct file *), flags);

	if (!t)
		return NULL;
	refcount_init(&t->refs);
	t->is_own = true;
	mutex_init(&t->lock, RANK_FILES);
	t->inline_array.capacity = FD_INLINE;
	t->inline_array.used = &t->inline_used;
	t->inline_array.cloexec = &t->inline_cloexec;
	t->array = &t->inline_array;
	return t;
}

struct files *files_create(void)
{
	return files_alloc(PA_ZERO);
}

void files_get(struct files *t)
{
	refcount_get(&t->refs);
	files_note_sharing(t);
}

void files_note_sharing(struct files *t)
{
	WRITE_ONCE(t->is_own, false);
}

bool files_is_shared(const struct files *t)
{
	return refcount_read(&t->refs) > 1;
}

/* close_file - a descriptor is gone, and with it the process's locks on the file, whichever descriptor they were
 * taken by (fcntl(2)). */
static void close_file(struct files *t, struct file *f)
{
	if (f->inode)
		lock_release(f->inode, t);
	file_put(f);
}

void files_put(struct files *t)
{
	struct fd_array *a = t->array;

	if (!refcount_put(&t->refs))
		return;
	for (u32 fd = 0; (fd = (u32)bitmap_next(a->used, a->capacity, fd)) < a->capacity; fd++)
		if (a->files[fd])
			close_file(t, a->files[fd]);
	if (a != &t->inline_array)
		kfree(a);
	kfree(t);
}

/* array_fill - dst, which is large enough, becomes a copy of src. */
static void array_fill(struct fd_array *dst, const struct fd_array *src, u32 n)
{
	memcpy(dst->files, src->files, n * sizeof(struct file *));
	memcpy(dst->used, src->used, n / 8);
	memcpy(dst->cloexec, src->cloexec, n / 8);
}

/* grow - room for descriptor fd. Lock held. */
static int grow(struct files *t, u32 fd)
{
	struct fd_array *old = t->array, *bigger;
	u32 capacity = old->capacity;

	if (fd < capacity)
		return 0;
	while (capacity <= fd)
		capacity *= 2;
	bigger = array_alloc(capacity);
	if (!bigger)
		return -ENOMEM;
	array_fill(bigger, old, old->capacity);
	rcu_assign(t->array, bigger);
	if (old != &t->inline_array)
		rcu_call(&old->rcu, array_free_later);
	return 0;
}

struct files *files_copy(struct files *from)
{
	struct files *t = files_alloc(0);
	struct fd_array *a;
	u32 n;

	if (!t)
		return NULL;
	mutex_lock(&from->lock);
	a = from->array;
	n = a->capacity;
	while (n > FD_INLINE && bitmap_next(a->used, n, n / 2) == n)
		n /= 2;
	if (n > FD_INLINE)
		t->array = array_alloc(n);
	if (!t->array) {
		mutex_unlock(&from->lock);
		kfree(t);
		return NULL;
	}
	array_fill(t->array, a, n);
	for (u32 fd = 0; (fd = (u32)bitmap_next(a->used, n, fd)) < n; fd++)
		if (t->array->files[fd])
			file_get(t->array->files[fd]);
		else
			bitmap_clear(t->array->used, fd);
	mutex_unlock(&from->lock);
	return t;
}

/* clear_entry - the file at fd, whose reference passes to the caller. Lock held. */
static struct file *clear_entry(struct fd_array *a, u32 fd)
{
	struct file *f = a->files[fd];

	rcu_assign(a->files[fd], NULL);
	bitmap_clear(a->used, fd);
	bitmap_clear(a->cloexec, fd);
	return f;
}

static void set_entry(struct fd_array *a, u32 fd, struct file *f, bool cloexec)
{
	bitmap_set(a->used, fd);
	if (cloexec)
		bitmap_set(a->cloexec, fd);
	else
		bitmap_clear(a->cloexec, fd);
	rcu_assign(a->files[fd], f);
}

void files_close_on_exec(struct files *t)
{
	struct fd_array *a = t->array;

	for (u32 fd = 0; (fd = (u32)bitmap_next(a->cloexec, a->capacity, fd)) < a->capacity; fd++) {
		struct file *f;

		mutex_lock(&t->lock);
		f = clear_entry(a, fd);
		mutex_unlock(&t->lock);
		if (f)
			close_file(t, f);
	}
}

/* --- the current process's table --------------------------------------------------------------------- */

/* get - flags: a file with one of these is none. */
static inline struct file *get(struct files *t, int fd, u32 flags)
{
	struct fd_array *a;
	struct file *f = NULL;

	rcu_read_lock();
	a = rcu_dereference(t->array);
	if ((u32)fd < a->capacity)
		f = rcu_dereference(a->files[fd]);
	if (f && ((READ_ONCE(f->flags) & flags) || !refcount_try_get(&f->refs)))
		f = NULL;
	rcu_read_unlock();
	return f;
}

struct file *fd_get(int fd)
{
	return get(current_process->files, fd, O_PATH);
}

struct file *fd_get_any(int fd)
{
	return get(current_process->files, fd, 0);
}

struct file *files_find(struct files *t, int fd)
{
	return get(t, fd, 0);
}

struct file *fd_borrow(int fd, bool *counted)
{
	struct files *t = current_process->files;
	struct file *f;

	if (unlikely(!t->is_own) && READ_ONCE(current_process->nr_threads) == 1 &&
	    refcount_read(&t->refs) == 1)
		WRITE_ONCE(t->is_own, true);
	f = fd_own(fd);
	*counted = unlikely(!f);
	if (*counted)
		return fd_get(fd);
	return unlikely(f->flags & O_PATH) ? NULL : f;
}

/* --- other people's tables --------------------------------------------------------------------------- */

bool files_cloexec(const struct files *t, u32 fd)
{
	struct fd_array *a;
	bool on;

	rcu_read_lock();
	a = rcu_dereference(t->array);
	on = fd < a->capacity && bitmap_test(a->cloexec, fd);
	rcu_read_unlock();
	return on;
}

u32 files_next(const struct files *t, u32 from)
{
	struct fd_array *a;

	rcu_read_lock();
	a = rcu_dereference(t->array);
	while (from < a->capacity && !READ_ONCE(a->files[from]))
		from++;
	if (from >= a->capacity)
		from = UINT32_MAX;
	rcu_read_unlock();
	return from;
}

u32 files_size(const struct files *t)
{
	u32 n;

	rcu_read_lock();
	n = rcu_dereference(t->array)->capacity;
	rcu_read_unlock();
	return n;
}

u32 fd_capacity(void)
{
	return files_size(current_process->files);
}

/* --- changing the current process's table ------------------------------------------------------------- */

static u32 fd_limit(void)
{
	return (u32)MIN(process_limit(current_process, RLIMIT_NOFILE), FD_MAX);
}

int fd_install(struct file *f, int min, bool cloexec)
{
	struct files *t = current_process->files;
	u32 fd, limit = fd_limit();
	int err;

	mutex_lock(&t->lock);
	fd = (u32)MAX(bitmap_next_zero(t->array->used, t->array->capacity, (u32)min), (u32)min);
	err = fd < limit ? grow(t, fd) : -EMFILE;
	if (!err)
		set_entry(t->array, fd, f, cloexec);
	mutex_unlock(&t->lock);
	return err ? err : (int)fd;
}

int files_set(struct files *t, int fd, struct file *f)
{
	struct file *old = NULL;
	int err;

	mutex_lock(&t->lock);
	err = grow(t, (u32)fd);
	if (!err) {
		old = clear_entry(t->array, (u32)fd);
		set_entry(t->array, (u32)fd, f, false);
	}
	mutex_unlock(&t->lock);
	if (old)
		close_file(t, old);
	return err;
}

int fd_replace(int fd, struct file *f, bool cloexec)
{
	struct files *t = current_process->files;
	struct file *old = NULL;
	int err;

	if (fd < 0 || (u32)fd >= fd_limit())
		return -EBADF;
	mutex_lock(&t->lock);
	err = grow(t, (u32)fd);
	if (!err) {
		old = clear_entry(t->array, (u32)fd);
		set_entry(t->array, (u32)fd, f, cloexec);
	}
	mutex_unlock(&t->lock);
	if (old)
		close_file(t, old);
	return err;
}

int fd_close(int fd)
{
	struct files *t = current_process->files;
	struct file *f = NULL;

	mutex_lock(&t->lock);
	if ((u32)fd < t->array->capacity)
		f = clear_entry(t->array, (u32)fd);
	mutex_unlock(&t->lock);
	if (!f)
		return -EBADF;
	close_file(t, f);
	return 0;
}

/* take_next - close the first open one from *fd to last; NULL: there is none. Lock held. */
static struct file *take_next(struct fd_array *a, u32 *fd, u32 last)
{
	for (; (*fd = (u32)bitmap_next(a->used, a->capacity, *fd)) < a->capacity && *fd <= last;
	     ++*fd)
		if (a->files[*fd])
			return clear_entry(a, *fd);
	return NULL;
}

void fd_close_range(u32 first, u32 last, bool cloexec)
{
	struct files *t = current_process->files;
	struct fd_array *a;
	struct file *f;

	do {
		mutex_lock(&t->lock);
		a = t->array;
		f = NULL;
		if (cloexec) {
			for (u32 fd = first; fd < a->capacity && fd <= last; fd++)
				if (a->files[fd])
					bitmap_set(a->cloexec, fd);
		} else if (first < a->capacity) {
			f = take_next(a, &first, last);
		}
		mutex_unlock(&t->lock);
		if (f)
			close_file(t, f);
	} while (f);
}

bool fd_cloexec(int fd)
{
	struct files *t = current_process->files;
	bool on;

	mutex_lock(&t->lock);
	on = (u32)fd < t->array->capacity && bitmap_test(t->array->cloexec, (u32)fd);
	mutex_unlock(&t->lock);
	return on;
}

int fd_set_cloexec(int fd, bool on)
{
	struct files *t = current_process->files;
	int err = -EBADF;

	mutex_lock(&t->lock);
	if ((u32)fd < t->array->capacity && t->array->files[fd]) {
		set_entry(t->array, (u32)fd, t->array->files[fd], on);
		err = 0;
	}
	mutex_unlock(&t->lock);
	return err;
}
