/* SPDX-License-Identifier: MIT */
/*
 * unix_names.c - the names of UNIX sockets.
 *
 * A bound path is an inode of type socket in a file system; its private_data is the socket, without a
 * reference, taken back when the socket is closed. Abstract names are a list. What either leads to is looked up
 * and referenced under unix_names_lock.
 */
#include <uapi/errno.h>
#include "fs/file.h"
#include "fs/unix.h"
#include "kernel/cred.h"
#include "kernel/process.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/string.h"

static struct list_head abstract_names = LIST_INIT(abstract_names);

void unix_forget_name(struct unix_sock *s)
{
	struct dentry *d;

	mutex_lock(&unix_names_lock);
	list_del(&s->name_link);
	d = s->name.dentry;
	s->name.dentry = NULL;
	if (d)
		d->inode->private_data = NULL;
	mutex_unlock(&unix_names_lock);
	if (d)
		dentry_put(d);
}

/* check_address - a path becomes terminated, in *out. *len: of the address that others see. */
static int check_address(const struct uapi_sockaddr_un *addr, u32 *len,
			 struct uapi_sockaddr_un *out)
{
	u32 path_len = *len - (u32)offsetof(struct uapi_sockaddr_un, sun_path);

	if (*len <= offsetof(struct uapi_sockaddr_un, sun_path) || *len > sizeof(*addr) ||
	    addr->sun_family != AF_UNIX)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	memcpy(out, addr, *len);
	if (addr->sun_path[0])
		*len = (u32)(offsetof(struct uapi_sockaddr_un, sun_path) +
			     strnlen(addr->sun_path, path_len) + 1);
	return 0;
}

static struct unix_sock *find_abstract(const struct uapi_sockaddr_un *addr, u32 len)
{
	struct unix_sock *s;

	list_for_each (s, &abstract_names, name_link)
		if (s->name.len == len && !memcmp(&s->name.addr, addr, len))
			return s;
	return NULL;
}

/* path_text - sun_path with a NUL behind it in any case. */
static void path_text(const struct uapi_sockaddr_un *addr, char text[UNIX_PATH_MAX + 1])
{
	memcpy(text, addr->sun_path, UNIX_PATH_MAX);
	text[UNIX_PATH_MAX] = 0;
}

static int make_node(const struct uapi_sockaddr_un *addr, struct dentry **out)
{
	struct vfs_new what = {
		.mode = S_IFSOCK | (0777 & ~current_process->fs->umask),
		.uid = cred_now()->fsuid,
		.gid = cred_now()->fsgid,
	};
	struct dentry *cwd = fs_context_cwd(current_process->fs), *dir;
	char text[UNIX_PATH_MAX + 1];
	struct last_name last;
	int err;

	path_text(addr, text);
	err = vfs_lookup_parent(cwd, text, 0, &dir, &last);
	dentry_put(cwd);
	if (err)
		return err;
	if (last.special || last.wants_dir)
		err = -EADDRINUSE;
	else
		err = vfs_create(dir, last.name, last.len, &what, out);
	dentry_put(dir);
	return err == -EEXIST ? -EADDRINUSE : err;
}

static int bind_path(struct unix_sock *s, const struct uapi_sockaddr_un *addr, u32 len)
{
	struct dentry *d;
	int err = make_node(addr, &d);

	if (err)
		return err;
	mutex_lock(&unix_names_lock);
	if (s->name.len) {
		err = -EINVAL;
	} else {
		d->inode->private_data = s;
		s->name = (struct unix_name){.len = len, .addr = *addr, .dentry = d};
	}
	mutex_unlock(&unix_names_lock);
	if (err)
		dentry_put(d);
	return err;
}

static int bind_abstract(struct unix_sock *s, const struct uapi_sockaddr_un *addr, u32 len)
{
	int err = 0;

	mutex_lock(&unix_names_lock);
	if (s->name.len) {
		err = -EINVAL;
	} else if (find_abstract(addr, len)) {
		err = -EADDRINUSE;
	} else {
		s->name = (struct unix_name){.len = len, .addr = *addr};
		list_add_tail(&s->name_link, &abstract_names);
	}
	mutex_unlock(&unix_names_lock);
	return err;
}

/* bind_any - an abstract name of five digits that nobody else has. */
static int bind_any(struct unix_sock *s)
{
	struct uapi_sockaddr_un addr = {.sun_family = AF_UNIX};
	u32 len = (u32)offsetof(struct uapi_sockaddr_un, sun_path) + 6;
	static u32 next; /* [a] */
	int err;

	do {
		snprintf(addr.sun_path + 1, 6, "%05x", atomic_inc_return(&next) & 0xfffff);
		err = bind_abstract(s, &addr, len);
	} while (err == -EADDRINUSE);
	return err;
}

int unix_bind(struct unix_sock *s, const struct uapi_sockaddr_un *addr, u32 len)
{
	struct uapi_sockaddr_un name;
	int err;

	if (len == sizeof(addr->sun_family) && addr->sun_family == AF_UNIX)
		return s->name.len ? -EINVAL : bind_any(s);
	err = check_address(addr, &len, &name);
	if (err)
		return err;
	if (s->name.len)
		return -EINVAL;
	return name.sun_path[0] ? bind_path(s, &name, len) : bind_abstract(s, &name, len);
}

u32 unix_copy_name(struct unix_sock *s, struct uapi_sockaddr_un *out)
{
	u32 len;

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	mutex_lock(&unix_names_lock);
	len = s->name.len;
	if (len)
		*out = s->name.addr;
	mutex_unlock(&unix_names_lock);
	return len ? len : (u32)sizeof(out->sun_family);
}

static int find_path(const struct uapi_sockaddr_un *addr, struct unix_sock **out)
{
	struct dentry *cwd = fs_context_cwd(current_process->fs), *d;
	char text[UNIX_PATH_MAX + 1];
	int err;

	path_text(addr, text);
	err = vfs_lookup(cwd, text, WALK_FOLLOW, &d);
	dentry_put(cwd);
	if (err)
		return err;
	err = vfs_permission(d->inode, W_OK, false);
	if (!err && !S_ISSOCK(d->inode->mode))
		err = -ECONNREFUSED;
	if (!err) {
		mutex_lock(&unix_names_lock);
		*out = d->inode->private_data;
		if (*out)
			unix_get(*out);
		else
			err = -ECONNREFUSED;
		mutex_unlock(&unix_names_lock);
	}
	dentry_put(d);
	return err;
}

int unix_find(const struct uapi_sockaddr_un *addr, u32 len, u32 type, struct unix_sock **out)
{
	struct uapi_sockaddr_un name;
	int err = check_address(addr, &len, &name);

	if (err)
		return err;
	if (name.sun_path[0]) {
		err = find_path(&name, out);
	} else {
		mutex_lock(&unix_names_lock);
		*out = find_abstract(&name, len);
		if (*out)
			unix_get(*out);
		else
			err = -ECONNREFUSED;
		mutex_unlock(&unix_names_lock);
	}
	if (!err && (*out)->type != type) {
		unix_put(*out);
		err = -EPROTOTYPE;
	}
	return err;
}
