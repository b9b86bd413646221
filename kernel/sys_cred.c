/* SPDX-License-Identifier: MIT */
/*
 * sys_cred.c - system calls that ask for and change user ids, group ids and capabilities.
 *
 * Each change has the same shape: a copy, a check of each id against the old ones, the commit.
 */
#include <uapi/errno.h>
#include "kernel/cred.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define NO_CHANGE  ((u32)-1)
#define GROUPS_MAX 65536

long sys_getuid(void)
{
	return cred_now()->uid;
}

long sys_geteuid(void)
{
	return cred_now()->euid;
}

long sys_getgid(void)
{
	return cred_now()->gid;
}

long sys_getegid(void)
{
	return cred_now()->egid;
}

/* put_three - the results of getresuid and getresgid. */
static long put_three(vaddr_t a, vaddr_t b, vaddr_t c, const u32 ids[3])
{
	if (put_user_u32(a, ids[0]) || put_user_u32(b, ids[1]) || put_user_u32(c, ids[2]))
		return -EFAULT;
	return 0;
}

long sys_getresuid(vaddr_t uid, vaddr_t euid, vaddr_t suid)
{
	const struct cred *c = cred_now();

	return put_three(uid, euid, suid, (u32[]){c->uid, c->euid, c->suid});
}

long sys_getresgid(vaddr_t gid, vaddr_t egid, vaddr_t sgid)
{
	const struct cred *c = cred_now();

	return put_three(gid, egid, sgid, (u32[]){c->gid, c->egid, c->sgid});
}

/* --- user ids ---------------------------------------------------------------------------------------- */

static bool may_set_uid(void)
{
	return cred_capable(CAP_SETUID);
}

static bool is_one_of(u32 id, u32 a, u32 b, u32 c)
{
	return id == a || id == b || id == c;
}

/* commit_uids - the copy goes to the current thread, or away when the check failed. */
static long commit_uids(struct cred *c, int err)
{
	if (!err && c->uid != cred_now()->uid)
		err = cred_set_uid(c, c->uid);
	if (err) {
		cred_put(c);
		return err;
	}
	c->fsuid = c->euid;
	cred_fix_uids(c, cred_now());
	cred_commit(c);
	return 0;
}

long sys_setuid(u32 uid)
{
	const struct cred *old = cred_now();
	struct cred *c;
	int err = 0;

	if (uid == NO_CHANGE)
		return -EINVAL;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (may_set_uid())
		c->uid = c->suid = uid;
	else if (uid != old->uid && uid != old->suid)
		err = -EPERM;
	c->euid = uid;
	return commit_uids(c, err);
}

static int check_setreuid(const struct cred *old, u32 uid, u32 euid)
{
	if (may_set_uid())
		return 0;
	if (uid != NO_CHANGE && !is_one_of(uid, old->uid, old->euid, old->uid))
		return -EPERM;
	if (euid != NO_CHANGE && !is_one_of(euid, old->uid, old->euid, old->suid))
		return -EPERM;
	return 0;
}

long sys_setreuid(u32 uid, u32 euid)
{
	const struct cred *old = cred_now();
	struct cred *c = cred_copy(old);

	if (!c)
		return -ENOMEM;
	if (uid != NO_CHANGE)
		c->uid = uid;
	if (euid != NO_CHANGE)
		c->euid = euid;
	if (uid != NO_CHANGE || (euid != NO_CHANGE && euid != old->uid))
		c->suid = c->euid;
	return commit_uids(c, check_setreuid(old, uid, euid));
}

static bool is_known_uid(u32 id, const struct cred *c)
{
	return id == NO_CHANGE || is_one_of(id, c->uid, c->euid, c->suid);
}

long sys_setresuid(u32 uid, u32 euid, u32 suid)
{
	const struct cred *old = cred_now();
	struct cred *c = cred_copy(old);
	bool ok;

	if (!c)
		return -ENOMEM;
	ok = may_set_uid() ||
	     (is_known_uid(uid, old) && is_known_uid(euid, old) && is_known_uid(suid, old));
	if (uid != NO_CHANGE)
		c->uid = uid;
	if (euid != NO_CHANGE)
		c->euid = euid;
	if (suid != NO_CHANGE)
		c->suid = suid;
	return commit_uids(c, ok ? 0 : -EPERM);
}

/* setfsuid and setfsgid return the old id, whatever happens. */
long sys_setfsuid(u32 uid)
{
	const struct cred *old = cred_now();
	u32 before = old->fsuid;
	struct cred *c;

	if (uid == NO_CHANGE || uid == before)
		return before;
	if (!may_set_uid() && !is_one_of(uid, old->uid, old->euid, old->suid))
		return before;
	c = cred_copy(old);
	if (c) {
		c->fsuid = uid;
		cred_fix_fsuid(c, old);
		cred_commit(c);
	}
	return before;
}

/* --- group ids --------------------------------------------------------------------------------------- */

static bool may_set_gid(void)
{
	return cred_capable(CAP_SETGID);
}

static long commit_gids(struct cred *c, int err)
{
	if (err) {
		cred_put(c);
		return err;
	}
	c->fsgid = c->egid;
	cred_commit(c);
	return 0;
}

long sys_setgid(u32 gid)
{
	const struct cred *old = cred_now();
	struct cred *c;
	int err = 0;

	if (gid == NO_CHANGE)
		return -EINVAL;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (may_set_gid())
		c->gid = c->sgid = gid;
	else if (gid != old->gid && gid != old->sgid)
		err = -EPERM;
	c->egid = gid;
	return commit_gids(c, err);
}

static int check_setregid(const struct cred *old, u32 gid, u32 egid)
{
	if (may_set_gid())
		return 0;
	if (gid != NO_CHANGE && !is_one_of(gid, old->gid, old->egid, old->gid))
		return -EPERM;
	if (egid != NO_CHANGE && !is_one_of(egid, old->gid, old->egid, old->sgid))
		return -EPERM;
	return 0;
}

long sys_setregid(u32 gid, u32 egid)
{
	const struct cred *old = cred_now();
	struct cred *c = cred_copy(old);

	if (!c)
		return -ENOMEM;
	if (gid != NO_CHANGE)
		c->gid = gid;
	if (egid != NO_CHANGE)
		c->egid = egid;
	if (gid != NO_CHANGE || (egid != NO_CHANGE && egid != old->gid))
		c->sgid = c->egid;
	return commit_gids(c, check_setregid(old, gid, egid));
}

static bool is_known_gid(u32 id, const struct cred *c)
{
	return id == NO_CHANGE || is_one_of(id, c->gid, c->egid, c->sgid);
}

long sys_setresgid(u32 gid, u32 egid, u32 sgid)
{
	const struct cred *old = cred_now();
	struct cred *c = cred_copy(old);
	bool ok;

	if (!c)
		return -ENOMEM;
	ok = may_set_gid() ||
	     (is_known_gid(gid, old) && is_known_gid(egid, old) && is_known_gid(sgid, old));
	if (gid != NO_CHANGE)
		c->gid = gid;
	if (egid != NO_CHANGE)
		c->egid = egid;
	if (sgid != NO_CHANGE)
		c->sgid = sgid;
	return commit_gids(c, ok ? 0 : -EPERM);
}

long sys_setfsgid(u32 gid)
{
	const struct cred *old = cred_now();
	u32 before = old->fsgid;
	struct cred *c;

	if (gid == NO_CHANGE || gid == before)
		return before;
	if (!may_set_gid() && !is_one_of(gid, old->gid, old->egid, old->sgid))
		return before;
	c = cred_copy(old);
	if (c) {
		c->fsgid = gid;
		cred_commit(c);
	}
	return before;
}

/* --- supplementary groups ---------------------------------------------------------------------------- */

long sys_getgroups(int size, vaddr_t out)
{
	const struct cred_groups *g = cred_now()->groups;
	u32 count = g ? g->count : 0;

	if (size < 0)
		return -EINVAL;
	if (!size)
		return count;
	if ((u32)size < count)
		return -EINVAL;
	return count && copy_to_user(out, g->gid, count * sizeof(u32)) ? -EFAULT : (long)count;
}

static void sift_down(u32 *v, u32 at, u32 n)
{
	for (;;) {
		u32 child = 2 * at + 1, t;

		if (child >= n)
			return;
		if (child + 1 < n && v[child + 1] > v[child])
			child++;
		if (v[at] >= v[child])
			return;
		t = v[at];
		v[at] = v[child];
		v[child] = t;
		at = child;
	}
}

/* sort_ids - a heap, because the ids come in any order that user space likes. */
static void sort_ids(u32 *v, u32 n)
{
	for (u32 i = n / 2; i-- > 0;)
		sift_down(v, i, n);
	for (u32 end = n; end-- > 1;) {
		u32 t = v[0];

		v[0] = v[end];
		v[end] = t;
		sift_down(v, 0, end);
	}
}

static int groups_from_user(u32 count, vaddr_t in, struct cred_groups **out)
{
	struct cred_groups *g = cred_groups_create(count);
	int err = 0;

	if (!g)
		return -ENOMEM;
	if (count && copy_from_user(g->gid, in, count * sizeof(u32)))
		err = -EFAULT;
	for (u32 i = 0; !err && i < count; i++)
		if (g->gid[i] == NO_CHANGE)
			err = -EINVAL;
	if (err) {
		cred_groups_put(g);
		return err;
	}
	sort_ids(g->gid, count);
	*out = g;
	return 0;
}

long sys_setgroups(int count, vaddr_t in)
{
	struct cred_groups *g;
	struct cred *c;
	int err;

	if (!may_set_gid())
		return -EPERM;
	if ((u32)count > GROUPS_MAX)
		return -EINVAL;
	err = groups_from_user((u32)count, in, &g);
	if (err)
		return err;
	c = cred_copy(cred_now());
	if (!c) {
		cred_groups_put(g);
		return -ENOMEM;
	}
	cred_set_groups(c, g);
	cred_commit(c);
	return 0;
}

/* --- capabilities ------------------------------------------------------------------------------------ */

/* cap_words - how many struct uapi_cap_data this version has, 0 for an unknown one. */
static unsigned cap_words(u32 version)
{
	switch (version) {
	case CAPABILITY_VERSION_1:
		return 1;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		return 2;
	default:
		return 0;
	}
}

/* read_cap_header - *words 0 together with result 0: the version is unknown and user space was told ours. */
static int read_cap_header(vaddr_t uhead, struct uapi_cap_header *head, unsigned *words)
{
	if (copy_from_user(head, uhead, sizeof(*head)))
		return -EFAULT;
	*words = cap_words(head->version);
	if (!*words && put_user_u32(uhead, CAPABILITY_VERSION_3))
		return -EFAULT;
	return 0;
}

static const struct cred *cred_of_tid(s32 tid)
{
	struct user_thread *u;
	const struct cred *c;

	if (!tid || (u32)tid == user_tid(current_user))
		return cred_get(cred_now());
	u = thread_find((u32)tid);
	if (!u)
		return NULL;
	c = process_cred(u->proc);
	user_thread_put(u);
	return c;
}

long sys_capget(vaddr_t uhead, vaddr_t udata)
{
	struct uapi_cap_data data[2];
	struct uapi_cap_header head;
	const struct cred *c;
	unsigned words;
	int err = read_cap_header(uhead, &head, &words);

	if (err || (!words && !udata))
		return err;
	if (!words || head.pid < 0)
		return -EINVAL;
	c = cred_of_tid(head.pid);
	if (!c)
		return -ESRCH;
	for (unsigned i = 0; i < 2; i++)
		data[i] = (struct uapi_cap_data){(u32)(c->effective >> 32 * i),
						 (u32)(c->permitted >> 32 * i),
						 (u32)(c->inheritable >> 32 * i)};
	cred_put(c);
	return udata ? copy_to_user(udata, data, words * sizeof(data[0])) : 0;
}

/* check_capset - capabilities(7), "Programmatically adjusting capability sets". */
static int check_capset(const struct cred *c, const struct cred *old)
{
	if (!cred_has(old, CAP_SETPCAP) && (c->inheritable & ~(old->inheritable | old->permitted)))
		return -EPERM;
	if (c->inheritable & ~(old->inheritable | old->bounding))
		return -EPERM;
	if (c->permitted & ~old->permitted)
		return -EPERM;
	return c->effective & ~c->permitted ? -EPERM : 0;
}

long sys_capset(vaddr_t uhead, vaddr_t udata)
{
	struct uapi_cap_data data[2] = {{0}};
	struct uapi_cap_header head;
	struct cred *c;
	unsigned words;
	int err = read_cap_header(uhead, &head, &words);

	if (err)
		return err;
	if (!words)
		return -EINVAL;
	if (head.pid && (u32)head.pid != user_tid(current_user))
		return -EPERM;
	if (copy_from_user(data, udata, words * sizeof(data[0])))
		return -EFAULT;
	c = cred_copy(cred_now());
	if (!c)
		return -ENOMEM;
	c->effective = (data[0].effective | (u64)data[1].effective << 32) & CAP_ALL;
	c->permitted = (data[0].permitted | (u64)data[1].permitted << 32) & CAP_ALL;
	c->inheritable = (data[0].inheritable | (u64)data[1].inheritable << 32) & CAP_ALL;
	err = check_capset(c, cred_now());
	if (err) {
		cred_put(c);
		return err;
	}
	c->ambient &= c->permitted & c->inheritable;
	cred_commit(c);
	return 0;
}
