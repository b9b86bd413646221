/* SPDX-License-Identifier: MIT */
/*
 * super.c - file systems as objects: the kinds there are, the references that keep one alive.
 *
 * A super lives on two counts. users counts the references to its names that come from outside its own
 * tree: open files, working directories, walks, and being mounted. When the last goes, nobody can get in
 * any more and the tree is taken down (inode.c). refs keeps the struct itself, for inodes that are in use
 * without a name.
 *
 * Read next: mount.c.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/vfs.h"
#include "lib/atomic.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/slab.h"

#define MAX_TYPES 16

/* Written at boot, before anybody can mount. */
static const struct fs_type *types[MAX_TYPES];
static unsigned nr_types;

void fs_type_register(const struct fs_type *type)
{
	assert(nr_types < MAX_TYPES);
	types[nr_types++] = type;
}

const struct fs_type *fs_type_at(unsigned n)
{
	return n < nr_types ? types[n] : NULL;
}

const struct fs_type *fs_type_find(const char *name)
{
	for (unsigned i = 0; i < nr_types; i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

/* --- references -------------------------------------------------------------------------------------- */

void super_get(struct super *s)
{
	refcount_get(&s->refs);
}

void super_put(struct super *s)
{
	if (!refcount_put(&s->refs))
		return;
	if (s->ops && s->ops->release)
		s->ops->release(s);
	dentry_name_free(s->source);
	kfree(s);
}

int super_create(const struct fs_type *type, const char *source, u32 flags, const char *options,
		 struct super **out)
{
	static u64 next_dev = 0x10; /* [a] as on Linux: a minor number that nothing else has */
	struct super *s = kmalloc(sizeof(*s), PA_ZERO);
	int err;

	if (!s)
		return -ENOMEM;
	refcount_init(&s->refs);
	list_init(&s->link);
	s->type = type;
	s->flags = flags;
	s->dev = DEV_MAKE(0, atomic_inc_return(&next_dev));
	s->source = dentry_name_copy(source, strlen(source));
	err = s->source ? type->mount(s, options) : -ENOMEM;
	if (err) {
		if (s->root)
			dentry_put(s->root);
		else
			super_put(s);
		return err;
	}
	assert(s->users == 1 && s->root->super == s);
	*out = s;
	return 0;
}

/* --- questions --------------------------------------------------------------------------------------- */

int super_want_write(const struct inode *inode)
{
	return super_has_flag(inode, MS_RDONLY) ? -EROFS : 0;
}

static s64 nameless_magic(const struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFIFO:
		return PIPEFS_MAGIC;
	case S_IFSOCK:
		return SOCKFS_MAGIC;
	default:
		return ANON_INODE_MAGIC;
	}
}

int statfs_memory(struct uapi_statfs *st, s64 magic)
{
	st->f_type = magic;
	st->f_bsize = PAGE_SIZE;
	return 0;
}

static s64 flags_for_statfs(u32 flags)
{
	s64 st = ST_VALID | (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));

	st |= flags & (MS_NOATIME | MS_NODIRATIME);
	return flags & MS_RELATIME ? st | ST_RELATIME : st;
}

int super_statfs(const struct inode *inode, struct uapi_statfs *st)
{
	struct super *s = inode->super;
	int err;

	memset(st, 0, sizeof(*st));
	st->f_namelen = NAME_MAX;
	if (!s)
		err = statfs_memory(st, nameless_magic(inode));
	else
		err = s->ops->statfs(s, st);
	st->f_frsize = st->f_bsize;
	st->f_fsid[0] = s ? (u32)s->dev : 0;
	st->f_flags = flags_for_statfs(s ? READ_ONCE(s->flags) : 0);
	return err;
}
