/* SPDX-License-Identifier: MIT */
/*
 * tmpfs.c - the memory file system: every name is in the tree of dentries, every file's content in a memory
 * object, so there is hardly anything left to do here.
 *
 * Reading takes no lock: it may see a write that is under way in part, but never memory that is not the
 * file's. Writers and truncation exclude each other by the inode's lock. User memory is copied to and from
 * pages that are referenced, not locked.
 *
 * A mounted one counts its pages and inodes, each against a limit that mount options set; by default half of
 * the machine's memory. The counts are atomic and the pages are counted where they are made and freed,
 * in the object.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mount.h>
#include <uapi/resource.h>
#include "fs/file.h"
#include "fs/pipe.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define FILE_SIZE_MAX ((u64)INT64_MAX)

struct tmpfs {
	u64 max_pages, max_inodes;   /* changed by remount, read lockless; UINT64_MAX: no limit */
	u64 used_pages, used_inodes; /* [a] */
	u32 mode, uid, gid;          /* [i] of the root directory */
	s64 magic;                   /* [i] f_type of statfs(2) */
};

static const struct inode_ops tmpfs_inode_ops;
static const struct file_ops tmpfs_file_ops;

/* --- content ----------------------------------------------------------------------------------------- */

static ALWAYS_INLINE ssize_t read_page(struct object *obj, struct uio *uio, u64 pos, size_t n)
{
	struct page *page = object_find_page(obj, pos >> PAGE_SHIFT);
	size_t done;

	if (!page)
		return (ssize_t)uio_put_zeroes(uio, n);
	done = uio_put(uio, (char *)page_to_virt(page) + (pos & ~PAGE_MASK), n);
	page_put(page);
	return (ssize_t)done;
}

static bool is_sealed(struct object *obj, u32 seals)
{
	return unlikely(atomic_load(&obj->seals) & seals);
}

/* may_write - do the seals allow n bytes at pos? With the inode's lock, so that none is added meanwhile. */
static bool may_write(struct object *obj, u64 pos, u64 n)
{
	if (is_sealed(obj, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return false;
	return !is_sealed(obj, F_SEAL_GROW) || (pos <= obj->size && n <= obj->size - pos);
}

static ALWAYS_INLINE ssize_t write_page(struct object *obj, struct uio *uio, u64 pos, size_t n)
{
	struct page *page;
	size_t done;
	int err = object_get_page(obj, pos >> PAGE_SHIFT, &page);

	if (err)
		return err;
	done = uio_get(uio, (char *)page_to_virt(page) + (pos & ~PAGE_MASK), n);
	page_set(page, PG_DIRTY);
	page_put(page);
	if (done)
		object_extend(obj, pos + done);
	return (ssize_t)done;
}

/* transfer - page by page up to limit. Bytes moved; the error only when there are none. */
static ALWAYS_INLINE ssize_t transfer(struct object *obj, struct uio *uio, u64 *pos, u64 limit,
				      ssize_t (*one)(struct object *, struct uio *, u64, size_t))
{
	u64 start = *pos, at = start;

	while (uio->left && at < limit) {
		size_t n = MIN(MIN(PAGE_SIZE - (at & ~PAGE_MASK), limit - at), uio->left);
		ssize_t done = one(obj, uio, at, n);

		if (done > 0)
			at += (u64)done;
		if (unlikely(done != (ssize_t)n)) {
			if (at == start)
				return done < 0 ? done : -EFAULT;
			break;
		}
		if (!uio->left || signal_fatal(current))
			break;
	}
	*pos = at;
	return (ssize_t)(at - start);
}

static ssize_t tmpfs_read(struct file *f, struct uio *uio, u64 *pos)
{
	struct object *obj = f->inode->obj;
	ssize_t n = transfer(obj, uio, pos, READ_ONCE(obj->size), read_page);

	if (n > 0)
		inode_accessed(f->inode, f->flags);
	return n;
}

/* size_limit - what a file may grow to; SIGXFSZ for who is already there and wants to grow further to `size`. */
static u64 size_limit(u64 size)
{
	u64 limit = current->proc ? process_limit(current_process, RLIMIT_FSIZE) : FILE_SIZE_MAX;

	if (limit < FILE_SIZE_MAX && size >= limit)
		signal_send_self(SIGXFSZ);
	return MIN(limit, FILE_SIZE_MAX);
}

static ssize_t tmpfs_write(struct file *f, struct uio *uio, u64 *pos)
{
	struct inode *inode = f->inode;
	u64 limit;
	ssize_t done;

	if (!uio->left)
		return 0;
	mutex_lock(&inode->lock);
	if (uio->append)
		*pos = inode->obj->size;
	limit = size_limit(*pos);
	if (*pos >= limit)
		done = -EFBIG;
	else if (!may_write(inode->obj, *pos, uio->left))
		done = -EPERM;
	else
		done = transfer(inode->obj, uio, pos, limit, write_page);
	if (done > 0) {
		inode_drop_setid(inode);
		inode->mtime = inode->ctime = vfs_now();
	}
	mutex_unlock(&inode->lock);
	return done;
}

/* seek_content - SEEK_DATA and SEEK_HOLE, page by page; the end of the file counts as a hole. */
static s64 seek_content(struct object *obj, s64 offset, int whence)
{
	u64 size = READ_ONCE(obj->size), index = (u64)offset >> PAGE_SHIFT, found;
	u64 end = DIV_ROUND_UP(size, PAGE_SIZE);

	if (offset < 0 || (u64)offset >= size)
		return -ENXIO;
	if (whence == SEEK_DATA)
		found = object_next_page(obj, index, end);
	else
		found = object_next_hole(obj, index, end);
	if (whence == SEEK_DATA && found == end)
		return -ENXIO;
	if (found == index)
		return offset;
	return (s64)MIN(found << PAGE_SHIFT, size);
}

static s64 tmpfs_seek(struct file *f, s64 offset, int whence)
{
	struct object *obj = f->inode->obj;
	s64 base = 0;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (s64)f->pos;
		break;
	case SEEK_END:
		base = (s64)READ_ONCE(obj->size);
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		offset = seek_content(obj, offset, whence);
		if (offset >= 0)
			f->pos = (u64)offset;
		return offset;
	default:
		return -EINVAL;
	}
	if (offset < 0 ? base + offset < 0 : offset > INT64_MAX - base)
		return offset < 0 ? -EINVAL : -EOVERFLOW;
	f->pos = (u64)(base + offset);
	return base + offset;
}

static int tmpfs_resize(struct inode *inode, u64 size)
{
	int err;

	assert_held(&inode->lock);
	if ((size < inode->obj->size && is_sealed(inode->obj, F_SEAL_SHRINK)) ||
	    (size > inode->obj->size && is_sealed(inode->obj, F_SEAL_GROW)))
		return -EPERM;
	if (size > inode->obj->size && size > size_limit(size - 1))
		return -EFBIG;
	err = object_set_size(inode->obj, size);
	if (!err) {
		inode_drop_setid(inode);
		inode->mtime = inode->ctime = vfs_now();
	}
	return err;
}

/* allocate_pages - all of first to before end, or none when it is clear from the start that they do not fit. */
static int allocate_pages(struct inode *inode, u64 first, u64 end)
{
	struct tmpfs *t = inode->super->private_data;
	u64 room = READ_ONCE(t->max_pages) - atomic_load(&t->used_pages), missing = 0;
	struct object *obj = inode->obj;
	struct page *page;
	int err;

	for (u64 i = first; (i = object_next_hole(obj, i, end)) < end && missing <= room;) {
		u64 next = object_next_page(obj, i, end);

		missing += next - i;
		i = next;
	}
	if (missing > room)
		return -ENOSPC;
	for (u64 i = first; (i = object_next_hole(obj, i, end)) < end; i++) {
		err = signal_fatal(current) ? -EINTR : object_get_page(obj, i, &page);
		if (err)
			return err;
		page_put(page);
	}
	return 0;
}

/* seals_forbid - what fallocate is about to do. Even where the size stays, nothing may be behind a sealed end. */
static bool seals_forbid(struct object *obj, int mode, u64 end)
{
	if (mode & FALLOC_FL_PUNCH_HOLE)
		return is_sealed(obj, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
	return end > obj->size && is_sealed(obj, F_SEAL_GROW);
}

static int tmpfs_allocate(struct file *f, int mode, u64 offset, u64 len)
{
	struct inode *inode = f->inode;
	u64 end = offset + len;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	if (seals_forbid(inode->obj, mode, end)) {
		err = -EPERM;
	} else if (mode & FALLOC_FL_PUNCH_HOLE) {
		object_punch(inode->obj, offset, end);
	} else {
		if (!(mode & FALLOC_FL_KEEP_SIZE) && end > inode->obj->size &&
		    end > size_limit(end - 1))
			err = -EFBIG;
		if (!err)
			err = allocate_pages(inode, offset >> PAGE_SHIFT,
					     DIV_ROUND_UP(end, PAGE_SIZE));
		if (!err && !(mode & FALLOC_FL_KEEP_SIZE))
			object_extend(inode->obj, end);
	}
	if (!err) {
		inode_drop_setid(inode);
		inode->mtime = inode->ctime = vfs_now();
	}
	mutex_unlock(&inode->lock);
	return err;
}

static const struct file_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.seek = tmpfs_seek,
	.allocate = tmpfs_allocate,
};

/* --- inodes ------------------------------------------------------------------------------------------ */

static void tmpfs_free(struct inode *inode)
{
	struct tmpfs *t = inode->super->private_data;

	atomic_dec(&t->used_inodes);
	if (inode->obj)
		object_put(inode->obj);
	kfree((void *)inode->target);
	kfree(inode);
}

static const struct file_ops *fops_for(const struct vfs_new *what)
{
	switch (what->mode & S_IFMT) {
	case S_IFREG:
		return &tmpfs_file_ops;
	case S_IFDIR:
		return &dir_file_ops;
	case S_IFIFO:
		return &fifo_file_ops;
	default:
		return NULL; /* devices are found by number when they are opened */
	}
}

static void name_get(void *dentry)
{
	dentry_get(dentry);
}

static void name_put(void *dentry)
{
	dentry_put(dentry);
}

static int charge(struct object *obj)
{
	struct super *s = obj->private_data;
	struct tmpfs *t = s->private_data;

	if (atomic_inc_return(&t->used_pages) <= READ_ONCE(t->max_pages))
		return 0;
	atomic_dec(&t->used_pages);
	return -ENOSPC;
}

static void uncharge(struct object *obj, u64 n)
{
	struct super *s = obj->private_data;
	struct tmpfs *t = s->private_data;

	atomic_sub(&t->used_pages, n);
}

/* A mapping may keep the object longer than its inode. */
static void release_object(struct object *obj)
{
	struct super *s = obj->private_data;

	object_free(obj);
	super_put(s);
}

static const struct object_ops tmpfs_object_ops = {
	.name = "tmpfs",
	.charge = charge,
	.uncharge = uncharge,
	.release = release_object,
	.name_get = name_get,
	.name_put = name_put,
};

static struct object *make_object(struct super *s)
{
	struct object *obj = object_create(0, &tmpfs_object_ops);

	if (!obj)
		return NULL;
	super_get(s);
	obj->private_data = s;
	obj->seals = OBJ_SEALABLE | F_SEAL_SEAL;
	return obj;
}

/* fill_inode - what only some kinds of files have. */
static int fill_inode(struct inode *inode, const struct vfs_new *what)
{
	switch (what->mode & S_IFMT) {
	case S_IFDIR:
		inode->nlink = 2;
		return 0;
	case S_IFREG:
		inode->obj = make_object(inode->super);
		return inode->obj ? 0 : -ENOMEM;
	case S_IFLNK:
		inode->target = dentry_name_copy(what->target, strlen(what->target));
		return inode->target ? 0 : -ENOMEM;
	default:
		return 0;
	}
}

static int inode_create(struct super *s, const struct vfs_new *what, struct inode **out)
{
	struct tmpfs *t = s->private_data;
	struct inode *inode;
	int err;

	if (atomic_inc_return(&t->used_inodes) > READ_ONCE(t->max_inodes)) {
		atomic_dec(&t->used_inodes);
		return -ENOSPC;
	}
	inode = kmalloc(sizeof(*inode), 0);
	if (!inode) {
		atomic_dec(&t->used_inodes);
		return -ENOMEM;
	}
	inode_init(inode, what->mode, &tmpfs_inode_ops, fops_for(what));
	inode_set_super(inode, s);
	inode->uid = what->uid;
	inode->gid = what->gid;
	inode->rdev = what->rdev;
	err = fill_inode(inode, what);
	if (err)
		inode_put(inode);
	else
		*out = inode;
	return err;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, const struct vfs_new *what)
{
	return inode_create(dir->super, what, &d->inode);
}

static const struct inode_ops tmpfs_inode_ops = {
	.create = tmpfs_create,
	.resize = tmpfs_resize,
	.free = tmpfs_free,
};

/* --- options ----------------------------------------------------------------------------------------- */

static u64 half_of_memory(void)
{
	return page_count_total() / 2;
}

/* parse_size - a number with a suffix k, m, g or, of the machine's memory, %; in bytes. */
static int parse_size(const char *text, u64 *bytes)
{
	char *end;
	u64 n = str_to_u64(text, &end, 0);
	unsigned shift = 0;

	if (end == text)
		return -EINVAL;
	switch (*end) {
	case 'g':
	case 'G':
		shift += 10; /* fall through */
	case 'm':
	case 'M':
		shift += 10; /* fall through */
	case 'k':
	case 'K':
		shift += 10;
		end++;
		break;
	case '%':
		n = n * page_count_total() / 100;
		shift = PAGE_SHIFT;
		end++;
	}
	if (*end || n << shift >> shift != n)
		return -EINVAL;
	*bytes = n << shift;
	return 0;
}

static int parse_id(const char *text, unsigned base, u64 max, u32 *out)
{
	char *end;
	u64 n = str_to_u64(text, &end, base);

	if (end == text || *end || n > max)
		return -EINVAL;
	*out = (u32)n;
	return 0;
}

/* set_option - one "name=value". */
static int set_option(struct tmpfs *t, const char *name, const char *value)
{
	u64 n;
	int err;

	if (!strcmp(name, "mode"))
		return parse_id(value, 8, 07777, &t->mode);
	if (!strcmp(name, "uid"))
		return parse_id(value, 10, UINT32_MAX - 1, &t->uid);
	if (!strcmp(name, "gid"))
		return parse_id(value, 10, UINT32_MAX - 1, &t->gid);
	err = parse_size(value, &n);
	if (err)
		return err;
	if (!strcmp(name, "size"))
		t->max_pages = n ? DIV_ROUND_UP(n, PAGE_SIZE) : UINT64_MAX;
	else if (!strcmp(name, "nr_blocks"))
		t->max_pages = n ? n : UINT64_MAX;
	else if (!strcmp(name, "nr_inodes"))
		t->max_inodes = n ? n : UINT64_MAX;
	else
		return -EINVAL;
	return 0;
}

/* parse_options - into t, which has the defaults. The text is cut up. */
static int parse_options(struct tmpfs *t, char *text)
{
	char *next, *value;
	int err = 0;

	for (; text && !err; text = next) {
		next = strchr(text, ',');
		if (next)
			*next++ = 0;
		value = strchr(text, '=');
		if (value) {
			*value++ = 0;
			err = set_option(t, text, value);
		} else if (*text) {
			err = -EINVAL;
		}
	}
	return err;
}

static int apply_options(struct tmpfs *t, const char *options)
{
	char *copy;
	int err;

	if (!options)
		return 0;
	copy = dentry_name_copy(options, strlen(options));
	if (!copy)
		return -ENOMEM;
	err = parse_options(t, copy);
	dentry_name_free(copy);
	return err;
}

/* --- mounting ---------------------------------------------------------------------------------------- */

static int tmpfs_statfs(struct super *s, struct uapi_statfs *st)
{
	const struct tmpfs *t = s->private_data;
	u64 pages = READ_ONCE(t->max_pages), inodes = READ_ONCE(t->max_inodes);
	u64 used = atomic_load(&t->used_pages), used_inodes = atomic_load(&t->used_inodes);

	statfs_memory(st, t->magic);
	if (pages != UINT64_MAX) {
		st->f_blocks = pages;
		st->f_bfree = st->f_bavail = pages - MIN(used, pages);
	}
	if (inodes != UINT64_MAX) {
		st->f_files = inodes;
		st->f_ffree = inodes - MIN(used_inodes, inodes);
	}
	return 0;
}

/* Only the limits can change, and not below what is used. */
static int tmpfs_remount(struct super *s, const char *options)
{
	struct tmpfs *t = s->private_data, wanted = *t;
	int err = apply_options(&wanted, options);

	if (err)
		return err;
	if (wanted.max_pages < atomic_load(&t->used_pages) ||
	    wanted.max_inodes < atomic_load(&t->used_inodes))
		return -EINVAL;
	WRITE_ONCE(t->max_pages, wanted.max_pages);
	WRITE_ONCE(t->max_inodes, wanted.max_inodes);
	return 0;
}

static void tmpfs_show_options(struct super *s, char *buf, size_t size)
{
	const struct tmpfs *t = s->private_data;
	size_t n = 0;

	*buf = 0;
	if (t->max_pages != UINT64_MAX && t->max_pages != half_of_memory())
		n += (size_t)snprintf(buf, size, ",size=%luk", t->max_pages << (PAGE_SHIFT - 10));
	if (n < size && t->max_inodes != UINT64_MAX && t->max_inodes != half_of_memory())
		n += (size_t)snprintf(buf + n, size - n, ",nr_inodes=%lu", t->max_inodes);
	if (n < size && t->mode != (S_ISVTX | 0777))
		n += (size_t)snprintf(buf + n, size - n, ",mode=%o", t->mode);
	if (n < size && t->uid)
		n += (size_t)snprintf(buf + n, size - n, ",uid=%u", t->uid);
	if (n < size && t->gid)
		snprintf(buf + n, size - n, ",gid=%u", t->gid);
}

static void tmpfs_release(struct super *s)
{
	kfree(s->private_data);
}

static const struct super_ops tmpfs_super_ops = {
	.statfs = tmpfs_statfs,
	.remount = tmpfs_remount,
	.show_options = tmpfs_show_options,
	.release = tmpfs_release,
};

static int mount_with(struct super *s, const struct tmpfs *defaults, const char *options)
{
	struct vfs_new what = {.mode = S_IFDIR};
	struct tmpfs *t = kmalloc(sizeof(*t), 0);
	struct inode *inode;
	int err;

	if (!t)
		return -ENOMEM;
	*t = *defaults;
	s->private_data = t;
	s->ops = &tmpfs_super_ops;
	err = apply_options(t, options);
	if (err)
		return err;
	what.mode |= t->mode;
	what.uid = t->uid;
	what.gid = t->gid;
	err = inode_create(s, &what, &inode);
	if (!err && !dentry_alloc_root(inode)) {
		inode_put(inode);
		err = -ENOMEM;
	}
	return err;
}

int tmpfs_mount_with_mode(struct super *s, const char *options, u32 mode)
{
	struct tmpfs t = {
		.max_pages = half_of_memory(),
		.max_inodes = half_of_memory(),
		.mode = mode,
		.uid = cred_now()->fsuid,
		.gid = cred_now()->fsgid,
		.magic = TMPFS_MAGIC,
	};

	return mount_with(s, &t, options);
}

static int tmpfs_mount(struct super *s, const char *options)
{
	return tmpfs_mount_with_mode(s, options, S_ISVTX | 0777);
}

/* ramfs is tmpfs without limits, which nobody but the superuser can mount. It has only one option. */
static int ramfs_mount(struct super *s, const char *options)
{
	struct tmpfs t = {
		.max_pages = UINT64_MAX,
		.max_inodes = UINT64_MAX,
		.mode = 0755,
		.magic = RAMFS_MAGIC,
	};

	return mount_with(s, &t, options);
}

static int rootfs_mount(struct super *s, const char *options)
{
	struct tmpfs t = {
		.max_pages = half_of_memory(),
		.max_inodes = half_of_memory(),
		.mode = 0755,
		.magic = TMPFS_MAGIC,
	};

	return mount_with(s, &t, options);
}

const struct fs_type tmpfs_type = {"tmpfs", tmpfs_mount};
const struct fs_type ramfs_type = {"ramfs", ramfs_mount};
static const struct fs_type rootfs_type = {"rootfs", rootfs_mount};

int tmpfs_make_root(struct dentry **out)
{
	struct super *s;
	int err = super_create(&rootfs_type, "rootfs", 0, NULL, &s);

	if (err)
		return err;
	mount_root(s);
	*out = s->root;
	return 0;
}
