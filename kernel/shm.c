/* SPDX-License-Identifier: MIT */
/*
 * shm.c - System V shared memory.
 *
 * A segment is a memory object with a number, an owner and, if it is not private, a key. It is attached as a shared
 * mapping of the object that carries a name: a dentry /SYSVkey that is in no tree, which is what /proc/PID/maps
 * shows. The references of mappings on that name are the count of attachments, so fork, munmap, exec and exit
 * keep it right without knowing of it. (Somebody who looks at the maps counts while he does.)
 *
 * Lifetime: the dentry holds the inode inside the segment, the inode the object. The list of segments holds one
 * reference on the dentry, each attachment another. A removed segment leaves the list with its last
 * attachment.
 *
 * Lock: shm_lock (RANK_PROCESS) for the list and all fields but the constant ones. The list is searched from
 * its beginning; programs have few segments.
 */
#include "kernel/shm.h"

#include <quire/assert.h>
#include <uapi/capability.h>
#include <uapi/errno.h>
#include <uapi/mman.h>
#include <uapi/shm.h>
#include <uapi/stat.h>
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uaccess.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/obj/object.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"
#include "mm/vma/space.h"

#define SHM_SEGMENTS_MAX 4096
#define SHM_DEV          1
#define SHM_SIZE_MAX     (UINT64_MAX - (1ul << 24))

struct shm_segment {
	struct inode inode; /* obj [i]: the memory. Its mode and owner are not used */
	struct dentry *name;
	struct list_head link;
	s32 id;   /* [i] */
	u64 size; /* [i] bytes, as asked for */
	s32 cpid; /* [i] */
	s32 lpid;
	s32 key; /* IPC_PRIVATE as soon as it is removed */
	u32 mode, uid, gid;
	u32 cuid, cgid; /* [i] */
	s64 atime, dtime, ctime;
	u64 nattch;
	bool removed;
};

static struct spinlock shm_lock = SPINLOCK_INIT(RANK_PROCESS);
static struct list_head segments = {&segments, &segments};
static u32 nr_segments;
static u64 total_pages; /* [a] of all segments that have not been freed */
static s32 next_id;
static struct dentry *directory;

static s64 seconds_now(void)
{
	return (s64)(vfs_now() / NSEC_PER_SEC);
}

static s32 caller_pid(void)
{
	return current->proc ? (s32)user_pid(current_process) : 0;
}

static u64 pages_of(const struct shm_segment *s)
{
	return ALIGN_UP(s->size, PAGE_SIZE) >> PAGE_SHIFT;
}

/* --- life -------------------------------------------------------------------------------------------- */

static struct shm_segment *segment_of(const struct dentry *d)
{
	return container_of(d->inode, struct shm_segment, inode);
}

static void segment_free(struct inode *inode)
{
	struct shm_segment *s = container_of(inode, struct shm_segment, inode);

	atomic_sub(&total_pages, pages_of(s));
	object_put(s->inode.obj);
	kfree(s);
}

static void nothing_to_free(struct inode *inode)
{
	(void)inode;
}

static const struct inode_ops segment_inode_ops = {.free = segment_free};
static const struct inode_ops directory_ops = {.free = nothing_to_free};

/* unlist_if_unused - a removed segment without attachments leaves the list. True: the caller owes the dentry the
 * list's reference. shm_lock held. */
static bool unlist_if_unused(struct shm_segment *s)
{
	assert_held(&shm_lock);
	if (!s->removed || s->nattch)
		return false;
	list_del(&s->link);
	nr_segments--;
	return true;
}

static void attach_get(void *name)
{
	struct shm_segment *s = segment_of(name);

	dentry_get(name);
	spin_lock(&shm_lock);
	s->nattch++;
	spin_unlock(&shm_lock);
}

static void attach_put(struct dentry *name)
{
	struct shm_segment *s = segment_of(name);
	bool unlisted;

	spin_lock(&shm_lock);
	s->nattch--;
	unlisted = unlist_if_unused(s);
	spin_unlock(&shm_lock);
	if (unlisted)
		dentry_put(name);
	dentry_put(name);
}

/* A mapping goes: that is what the times of detaching mean. */
static void mapping_put(void *name)
{
	struct shm_segment *s = segment_of(name);

	spin_lock(&shm_lock);
	s->dtime = seconds_now();
	s->lpid = caller_pid();
	spin_unlock(&shm_lock);
	attach_put(name);
}

static const struct object_ops segment_object_ops = {
	.release = object_free, .name_get = attach_get, .name_put = mapping_put};

void shm_init(void)
{
	static struct inode inode;

	inode_init(&inode, S_IFDIR | 0700, &directory_ops, NULL);
	directory = dentry_alloc_root(&inode);
	if (!directory)
		panic("no memory for shared memory segments");
}

static struct dentry *make_name(struct shm_segment *s)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "SYSV%08x", (u32)s->key);
	struct dentry *d = dentry_alloc(directory, text, (size_t)n);

	if (d) {
		d->inode = &s->inode;
		d->unlinked = true;
	}
	return d;
}

static int segment_alloc(s32 key, u64 size, u32 mode, struct shm_segment **out)
{
	const struct cred *c = cred_now();
	struct shm_segment *s = kmalloc(sizeof(*s), 0);

	if (!s)
		return -ENOMEM;
	*s = (struct shm_segment){
		.size = size,
		.cpid = caller_pid(),
		.key = key,
		.mode = mode,
		.uid = c->euid,
		.gid = c->egid,
		.cuid = c->euid,
		.cgid = c->egid,
		.ctime = seconds_now(),
	};
	inode_init(&s->inode, S_IFREG | mode, &segment_inode_ops, NULL);
	s->inode.dev = SHM_DEV;
	s->inode.obj = object_create(size, &segment_object_ops);
	s->name = s->inode.obj ? make_name(s) : NULL;
	if (!s->name) {
		if (s->inode.obj)
			object_put(s->inode.obj);
		kfree(s);
		return -ENOMEM;
	}
	atomic_add(&total_pages, pages_of(s));
	*out = s;
	return 0;
}

/* --- finding ----------------------------------------------------------------------------------------- */

static struct shm_segment *find_id(s32 id)
{
	struct shm_segment *s;

	assert_held(&shm_lock);
	list_for_each (s, &segments, link)
		if (s->id == id)
			return s;
	return NULL;
}

static struct shm_segment *find_key(s32 key)
{
	struct shm_segment *s;

	assert_held(&shm_lock);
	list_for_each (s, &segments, link)
		if (key != IPC_PRIVATE && s->key == key)
			return s;
	return NULL;
}

static struct shm_segment *find_index(s32 index)
{
	struct shm_segment *s;

	assert_held(&shm_lock);
	list_for_each (s, &segments, link)
		if (index-- == 0)
			return s;
	return NULL;
}

static bool is_owner(const struct shm_segment *s)
{
	u32 euid = cred_now()->euid;

	return euid == s->uid || euid == s->cuid;
}

/* permitted - may the caller have the access that the nine lowest bits of `flags` ask for, for anybody? */
static bool permitted(const struct shm_segment *s, u32 flags)
{
	u32 wanted = (flags >> 6 | flags >> 3 | flags) & 7, granted = s->mode;

	if (is_owner(s))
		granted >>= 6;
	else if (cred_in_group(s->gid) || cred_in_group(s->cgid))
		granted >>= 3;
	return !(wanted & ~granted) || cred_capable(CAP_IPC_OWNER);
}

/* --- shmget ------------------------------------------------------------------------------------------ */

/* get_listed - the segment with this key: its number, or why the caller cannot have it; -ENOENT: there is none. */
static int get_listed(s32 key, u64 size, int flags)
{
	struct shm_segment *s = find_key(key);

	if (!s)
		return -ENOENT;
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (size > s->size)
		return -EINVAL;
	return permitted(s, (u32)flags) ? s->id : -EACCES;
}

/* list_new - give it a number, unless somebody made one with its key meanwhile. */
static int list_new(struct shm_segment *s, int flags)
{
	int id = -ENOSPC;

	spin_lock(&shm_lock);
	if (nr_segments < SHM_SEGMENTS_MAX)
		id = get_listed(s->key, s->size, flags);
	if (id == -ENOENT) {
		while (find_id(next_id))
			next_id = (next_id + 1) & INT32_MAX;
		s->id = id = next_id;
		next_id = (next_id + 1) & INT32_MAX;
		s->inode.ino = (u64)id;
		list_add_tail(&s->link, &segments);
		nr_segments++;
		s = NULL;
	}
	spin_unlock(&shm_lock);
	if (s)
		dentry_put(s->name);
	return id;
}

long sys_shmget(s32 key, u64 size, int flags)
{
	struct shm_segment *s;
	int id;

	spin_lock(&shm_lock);
	id = get_listed(key, size, flags);
	spin_unlock(&shm_lock);
	if (id != -ENOENT)
		return id;
	if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return -ENOENT;
	if (!size || size > SHM_SIZE_MAX || flags & SHM_HUGETLB) /* no huge page sizes exist */
		return -EINVAL;
	if (size >> PAGE_SHIFT > page_count_total())
		return -ENOMEM;
	id = segment_alloc(key, size, (u32)flags & 0777, &s);
	return id ? id : list_new(s, flags);
}

/* --- shmat, shmdt ------------------------------------------------------------------------------------ */

/* begin_attach - the segment counts as attached until the mapping stands: attach_put. 0, -EINVAL, -EACCES. */
static int begin_attach(s32 id, u32 access, struct dentry **out)
{
	struct shm_segment *s;
	int err = 0;

	spin_lock(&shm_lock);
	s = find_id(id);
	if (!s)
		err = -EINVAL;
	else if (!permitted(s, access))
		err = -EACCES;
	if (!err) {
		*out = s->name;
		dentry_get(s->name);
		s->nattch++;
	}
	spin_unlock(&shm_lock);
	return err;
}

static int place(struct map_request *r, vaddr_t addr, int flags)
{
	if (!addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (!IS_ALIGNED(addr, PAGE_SIZE)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr = ALIGN_DOWN(addr, PAGE_SIZE);
		if (!addr && flags & SHM_REMAP)
			return -EINVAL;
	}
	r->addr = addr;
	r->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return space_check_fixed(addr, r->len);
}

long sys_shmat(s32 id, vaddr_t addr, int flags)
{
	bool read_only = flags & SHM_RDONLY;
	struct map_request r = {
		.prot = PROT_READ | (read_only ? 0 : PROT_WRITE) |
			(flags & SHM_EXEC ? PROT_EXEC : 0),
		.flags = MAP_SHARED,
		.may = read_only ? VM_MAYWRITE : 0,
	};
	struct shm_segment *s;
	struct dentry *name;
	vaddr_t at;
	int err = begin_attach(id, 0444 | (read_only ? 0 : 0222) | (flags & SHM_EXEC ? 0111 : 0),
			       &name);

	if (err)
		return err;
	s = segment_of(name);
	r.obj = s->inode.obj;
	r.name = name;
	r.len = ALIGN_UP(s->size, PAGE_SIZE);
	err = place(&r, addr, flags);
	if (!err)
		err = space_map(current->space, &r, &at);
	if (!err) {
		spin_lock(&shm_lock);
		s->atime = seconds_now();
		s->lpid = caller_pid();
		spin_unlock(&shm_lock);
	}
	attach_put(name);
	if (err)
		return err == -EEXIST ? -EINVAL : err;
	return (long)at;
}

/* is_part - does this mapping show a piece of a segment that was attached at `start`? */
static bool is_part(const struct space_mapping *m, vaddr_t start)
{
	return m->obj && m->obj->ops == &segment_object_ops &&
	       m->start - start == m->pgoff << PAGE_SHIFT;
}

/* shmdt - everything that is left of the attachment whose first page was at addr, which other mappings may have
 * cut into pieces. */
long sys_shmdt(vaddr_t addr)
{
	struct space_mapping m;
	struct object *obj = NULL;
	vaddr_t from = addr, end = USER_TOP;
	int err = 0;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	while (!err && from < end && space_list(current->space, from, &m, 1)) {
		if (is_part(&m, addr) && (!obj || m.obj == obj)) {
			if (!obj)
				end = addr + ALIGN_UP(READ_ONCE(m.obj->size), PAGE_SIZE);
			obj = m.obj; /* only compared */
			err = space_unmap(current->space, m.start, m.end - m.start);
		}
		from = m.end;
		space_mapping_put(&m);
	}
	return err ? err : obj ? 0 : -EINVAL;
}

/* --- shmctl ------------------------------------------------------------------------------------------ */

static void describe(const struct shm_segment *s, struct uapi_shmid_ds *ds)
{
	*ds = (struct uapi_shmid_ds){
		.perm = {.key = s->key,
			 .uid = s->uid,
			 .gid = s->gid,
			 .cuid = s->cuid,
			 .cgid = s->cgid,
			 .mode = s->mode | (s->removed ? SHM_DEST : 0)},
		.segsz = s->size,
		.atime = s->atime,
		.dtime = s->dtime,
		.ctime = s->ctime,
		.cpid = s->cpid,
		.lpid = s->lpid,
		.nattch = s->nattch,
	};
}

/* stat_segment - by number, or by position in the list, whose result is the number. */
static long stat_segment(s32 id, int cmd, vaddr_t buf)
{
	struct uapi_shmid_ds ds;
	struct shm_segment *s;
	long result = -EINVAL;

	spin_lock(&shm_lock);
	s = cmd == IPC_STAT ? find_id(id) : find_index(id);
	if (s && cmd != SHM_STAT_ANY && !permitted(s, 0444))
		result = -EACCES;
	else if (s)
		result = cmd == IPC_STAT ? 0 : s->id;
	if (result >= 0)
		describe(s, &ds);
	spin_unlock(&shm_lock);
	if (result >= 0 && copy_to_user(buf, &ds, sizeof(ds)))
		return -EFAULT;
	return result;
}

static void change_locked(struct shm_segment *s, int cmd, const struct uapi_ipc_perm *perm)
{
	switch (cmd) {
	case IPC_SET:
		s->uid = perm->uid;
		s->gid = perm->gid;
		s->mode = (s->mode & ~0777u) | (perm->mode & 0777);
		s->ctime = seconds_now();
		break;
	case SHM_LOCK: /* nothing is ever swapped out: the pages stay anyway */
		s->mode |= SHM_LOCKED;
		break;
	case SHM_UNLOCK:
		s->mode &= ~SHM_LOCKED;
		break;
	case IPC_RMID:
		s->removed = true;
		s->key = IPC_PRIVATE;
		break;
	}
}

static long change_segment(s32 id, int cmd, vaddr_t buf)
{
	int cap = cmd == SHM_LOCK || cmd == SHM_UNLOCK ? CAP_IPC_LOCK : CAP_SYS_ADMIN;
	struct uapi_shmid_ds ds = {0};
	struct shm_segment *s;
	bool unlisted = false;
	long err = 0;

	if (cmd == IPC_SET && copy_from_user(&ds, buf, sizeof(ds)))
		return -EFAULT;
	spin_lock(&shm_lock);
	s = find_id(id);
	if (!s) {
		err = -EINVAL;
	} else if (!is_owner(s) && !cred_capable(cap)) {
		err = -EPERM;
	} else {
		change_locked(s, cmd, &ds.perm);
		unlisted = unlist_if_unused(s);
	}
	spin_unlock(&shm_lock);
	if (unlisted)
		dentry_put(s->name);
	return err;
}

static long show_limits(vaddr_t buf)
{
	const struct uapi_shminfo limits = {.shmmax = SHM_SIZE_MAX,
					    .shmmin = 1,
					    .shmmni = SHM_SEGMENTS_MAX,
					    .shmseg = SHM_SEGMENTS_MAX,
					    .shmall = SHM_SIZE_MAX};
	u32 n = READ_ONCE(nr_segments);

	if (copy_to_user(buf, &limits, sizeof(limits)))
		return -EFAULT;
	return n ? (long)n - 1 : 0;
}

static long show_use(vaddr_t buf)
{
	struct uapi_shm_info info = {.tot = atomic_load(&total_pages)};
	struct shm_segment *s;
	u32 n;

	spin_lock(&shm_lock);
	n = nr_segments;
	list_for_each (s, &segments, link)
		info.rss += READ_ONCE(s->inode.obj->nr_pages);
	spin_unlock(&shm_lock);
	info.used_ids = (s32)n;
	if (copy_to_user(buf, &info, sizeof(info)))
		return -EFAULT;
	return n ? (long)n - 1 : 0;
}

long sys_shmctl(s32 id, int cmd, vaddr_t buf)
{
	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return show_limits(buf);
	case SHM_INFO:
		return show_use(buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return stat_segment(id, cmd, buf);
	case IPC_SET:
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		return change_segment(id, cmd, buf);
	default:
		return -EINVAL;
	}
}
