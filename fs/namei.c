/* SPDX-License-Identifier: MIT */
/*
 * namei.c - from a path to a dentry.
 *
 * The walk holds one reference, on where it is, and locks one directory at a time. Symbolic links are
 * expanded in place: the rest of the path is appended to the link's target in a second buffer, so there is
 * no recursion; 40 links in one walk are a loop.
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/file.h"
#include "fs/vfs.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define WALK_MAX_LINKS 40

struct walk {
	struct dentry *root; /* of the process, referenced */
	struct dentry *at;   /* referenced */
	const char *rest;    /* of the path */
	char *buf;           /* expanded links; NULL: none yet */
	unsigned flags;      /* WALK_* */
	unsigned links;
	bool jumped; /* at is where a link led that is more than its text, and no name follows */
};

struct dentry *process_root(void)
{
	if (current->proc)
		return fs_context_root(current_process->fs);
	dentry_get(vfs_root);
	return vfs_root;
}

static void move_to(struct walk *w, struct dentry *d)
{
	dentry_put(w->at);
	w->at = d;
}

/* is_scoped - the walk must not leave the tree below where it starts. */
static bool is_scoped(const struct walk *w)
{
	return w->flags & (WALK_BENEATH | WALK_IN_ROOT);
}

static int walk_begin(struct walk *w, struct dentry *at, const char *path, unsigned flags)
{
	*w = (struct walk){.rest = path, .flags = flags};
	if (*path == '/' && (flags & WALK_BENEATH))
		return -EXDEV;
	if (is_scoped(w)) {
		dentry_get(at);
		w->root = at;
	} else {
		w->root = process_root();
	}
	w->at = *path == '/' ? w->root : at;
	dentry_get(w->at);
	return 0;
}

static void walk_end(struct walk *w)
{
	dentry_put(w->root);
	kfree(w->buf);
}

/* next_component - skip slashes; the length of the name at w->rest, 0 at the end. */
static size_t next_component(struct walk *w)
{
	const char *end;

	while (*w->rest == '/')
		w->rest++;
	for (end = w->rest; *end && *end != '/'; end++)
		;
	return (size_t)(end - w->rest);
}

/* only_slashes - nothing but slashes from here: what came before was the last component. */
static bool only_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return !*s;
}

static int check_directory(const struct dentry *d)
{
	if (!S_ISDIR(d->inode->mode))
		return -ENOTDIR;
	return vfs_permission(d->inode, X_OK, false);
}

/* lies_below - needs vfs_rename_lock. */
static bool lies_below(struct dentry *d, const struct dentry *root)
{
	for (struct dentry *up;; d = up) {
		if (d == root)
			return true;
		up = mount_parent(d, root);
		if (up == d)
			return false;
	}
}

/* cross - onto what is mounted on d, whose reference passes. */
static int cross(struct walk *w, struct dentry *d)
{
	struct super *s = d->super;

	d = mount_cross(d);
	move_to(w, d);
	return d->super != s && (w->flags & WALK_NO_XDEV) ? -EXDEV : 0;
}

/* go_up - "..": not above the root. Parents change only under vfs_rename_lock; who must stay below where
 * the walk began looks whether that is still so. */
static int go_up(struct walk *w)
{
	struct dentry *parent;
	bool outside;

	if (w->at == w->root)
		return w->flags & WALK_BENEATH ? -EXDEV : 0;
	mutex_lock(&vfs_rename_lock);
	parent = mount_parent(w->at, w->root);
	outside = (is_scoped(w) && !lies_below(parent, w->root)) ||
		  ((w->flags & WALK_NO_XDEV) && parent->super != w->at->super);
	dentry_get(parent);
	mutex_unlock(&vfs_rename_lock);
	if (!outside)
		return cross(w, parent);
	dentry_put(parent);
	return -EXDEV;
}

int vfs_readlink(struct dentry *link, char *buf, size_t size)
{
	const char *target = link->inode->target;
	size_t n;

	if (!target)
		return link->inode->ops->readlink(link, buf, size);
	n = MIN(strlen(target), size);
	memcpy(buf, target, n);
	return (int)n;
}

/* jump - the link leads to something without a path. */
static int jump(struct walk *w, struct dentry *link, const char *rest)
{
	struct dentry *to;
	int err;

	if (w->flags & WALK_NO_MAGICLINKS)
		return -ELOOP;
	err = link->inode->ops->follow(link, &to);
	if (err)
		return err;
	if (is_scoped(w) || ((w->flags & WALK_NO_XDEV) && to->super != link->super)) {
		dentry_put(to);
		return -EXDEV;
	}
	move_to(w, to);
	w->rest = rest;
	w->jumped = true;
	return 0;
}

/* restart - a link's text begins with a slash. */
static int restart(struct walk *w)
{
	if ((w->flags & WALK_BENEATH) ||
	    ((w->flags & WALK_NO_XDEV) && w->root->super != w->at->super))
		return -EXDEV;
	dentry_get(w->root);
	move_to(w, w->root);
	return 0;
}

/* expand - the link stood at the beginning of w->rest, len characters long: put its target there. */
static int expand(struct walk *w, struct dentry *link, size_t len)
{
	const char *rest = w->rest + len;
	size_t rest_len = strlen(rest), room = PATH_MAX;
	char *buf;
	int n;

	if (++w->links > WALK_MAX_LINKS || super_has_flag(link->inode, MS_NOSYMFOLLOW) ||
	    (w->flags & WALK_NO_SYMLINKS))
		return -ELOOP;
	if (link->inode->ops->follow)
		return jump(w, link, rest);
	if (rest_len >= PATH_MAX)
		return -ENAMETOOLONG;
	if (link->inode->target)
		room = strlen(link->inode->target);
	buf = kmalloc(room + rest_len + 1, 0);
	if (!buf)
		return -ENOMEM;
	n = vfs_readlink(link, buf, room);
	if (n <= 0 || (size_t)n + rest_len >= PATH_MAX) {
		kfree(buf);
		return n < 0 ? n : n ? -ENAMETOOLONG : -ENOENT;
	}
	memcpy(buf + n, rest, rest_len + 1);
	kfree(w->buf);
	w->buf = buf;
	w->rest = buf;
	return *buf == '/' ? restart(w) : 0;
}

int vfs_find_child(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	mutex_lock(&dir->inode->lock);
	*out = dentry_find(dir, name, len);
	mutex_unlock(&dir->inode->lock);
	if (!*out && dir->inode->ops->lookup)
		return dir->inode->ops->lookup(dir, name, len, out);
	return *out ? 0 : -ENOENT;
}

/* step - over one component. */
static int step(struct walk *w, size_t len, unsigned flags)
{
	bool last = only_slashes(w->rest + len);
	struct dentry *child;
	int err = check_directory(w->at);

	if (err)
		return err;
	w->jumped = false;
	if (len <= 2 && !memcmp(w->rest, "..", len)) {
		err = len == 2 ? go_up(w) : 0;
		w->rest += len;
		return err;
	}
	err = vfs_find_child(w->at, w->rest, len, &child);
	if (err)
		return err;
	/* A slash behind a link means what the link leads to. */
	if (S_ISLNK(child->inode->mode) && (!last || (flags & WALK_FOLLOW) || w->rest[len])) {
		err = expand(w, child, len);
		dentry_put(child);
		return err;
	}
	err = cross(w, child);
	if (!err && w->rest[len] && !S_ISDIR(w->at->inode->mode))
		err = -ENOTDIR;
	w->rest += len;
	return err;
}

int vfs_lookup(struct dentry *at, const char *path, unsigned flags, struct dentry **out)
{
	struct walk w;
	size_t len;
	int err;

	if (!*path)
		return -ENOENT;
	err = walk_begin(&w, at, path, flags);
	if (err)
		return err;
	while (!err && (len = next_component(&w)))
		err = step(&w, len, flags);
	if (!err && (flags & WALK_DIRECTORY) && !S_ISDIR(w.at->inode->mode))
		err = -ENOTDIR;
	walk_end(&w);
	if (err)
		dentry_put(w.at);
	else
		*out = w.at;
	return err;
}

/* expand_last - if the last component is a symbolic link, go on with its target. *expanded tells. */
static int expand_last(struct walk *w, size_t len, bool *expanded)
{
	struct dentry *child;
	int err = check_directory(w->at);

	if (err || vfs_find_child(w->at, w->rest, len, &child))
		return err; /* what does not exist is no link */
	if (S_ISLNK(child->inode->mode)) {
		err = expand(w, child, len);
		*expanded = !err;
	}
	dentry_put(child);
	return err;
}

/* walk_to_last - up to the last component, whose length is left in *len; 0: there is none. */
static int walk_to_last(struct walk *w, unsigned flags, size_t *len)
{
	int err = 0;

	while (!err && (*len = next_component(w))) {
		bool last = only_slashes(w->rest + *len), expanded = false;

		if (!last)
			err = step(w, *len, WALK_FOLLOW);
		else if (flags & WALK_FOLLOW)
			err = expand_last(w, *len, &expanded);
		if (last && !expanded)
			break;
	}
	return err;
}

/* The name is copied out, because it may come from an expanded link. */
static void copy_last(const struct walk *w, size_t len, struct last_name *last)
{
	last->len = len;
	last->special = len <= 2 && !memcmp(w->rest, "..", len);
	last->is_dot = len == 1 && last->special;
	last->wants_dir = w->rest[len] == '/';
	last->jumped = !len && w->jumped;
	memcpy(last->name, w->rest, len);
	last->name[len] = 0;
}

int vfs_lookup_parent(struct dentry *at, const char *path, unsigned flags, struct dentry **dir,
		      struct last_name *last)
{
	struct walk w;
	size_t len;
	int err;

	if (!*path)
		return -ENOENT;
	err = walk_begin(&w, at, path, flags);
	if (err)
		return err;
	err = walk_to_last(&w, flags, &len);
	if (!err && (len || !w.jumped))
		err = check_directory(w.at);
	if (!err && len > NAME_MAX)
		err = -ENAMETOOLONG;
	if (!err)
		copy_last(&w, len, last);
	walk_end(&w);
	if (err)
		dentry_put(w.at);
	else
		*dir = w.at;
	return err;
}

/* overrides - what the owner's wishes do not stop. Nobody executes what nobody may execute. */
static bool overrides(u64 caps, u32 mode, unsigned want)
{
	bool reads = !(want & W_OK) && (S_ISDIR(mode) || !(want & X_OK));

	if ((caps & BIT(CAP_DAC_OVERRIDE)) && (!(want & X_OK) || S_ISDIR(mode) || (mode & 0111)))
		return true;
	return reads && (caps & BIT(CAP_DAC_READ_SEARCH));
}

/* check_mount_flags - what nobody may do in this file system. Devices and pipes can be written to anywhere. */
static int check_mount_flags(const struct inode *inode, u32 mode, unsigned want)
{
	bool stored = S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);

	if ((want & W_OK) && stored && super_want_write(inode))
		return -EROFS;
	if ((want & X_OK) && S_ISREG(mode) && super_has_flag(inode, MS_NOEXEC))
		return -EACCES;
	return 0;
}

int vfs_permission(const struct inode *inode, unsigned want, bool real_ids)
{
	const struct cred *c = cred_now();
	u32 uid = real_ids ? c->uid : c->fsuid, gid = real_ids ? c->gid : c->fsgid;
	u32 mode = READ_ONCE(inode->mode), bits;
	u64 caps = c->effective;
	int err = check_mount_flags(inode, mode, want);

	if (err)
		return err;
	if (real_ids && !(c->securebits & SECBIT_NO_SETUID_FIXUP))
		caps = uid ? 0 : c->permitted;
	if (uid == inode->uid)
		bits = mode >> 6;
	else if (gid == inode->gid || cred_has_group(c, inode->gid))
		bits = mode >> 3;
	else
		bits = mode;
	return !(want & ~bits & 7) || overrides(caps, mode, want) ? 0 : -EACCES;
}
