/* SPDX-License-Identifier: MIT */
/*
 * cred.c - credentials as objects, accounts of users, and the rules for capabilities.
 *
 * Accounts hang in a small hash table under accounts_lock, which also covers dropping the last reference, so that
 * nobody finds an account that is about to go.
 */
#include "kernel/cred.h"

#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/mount.h>
#include "fs/vfs.h"
#include "kernel/process.h"
#include "lib/hash.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/phys/slab.h"

#define ACCOUNT_HASH_BITS 6

static struct spinlock accounts_lock = SPINLOCK_INIT(RANK_PROCESS);
static struct list_head accounts[1 << ACCOUNT_HASH_BITS]; /* [accounts_lock] */
static struct slab_cache *cred_cache;

static struct user_account root_account = {.refs = 1};
static struct cred root_cred = {
	.refs = 1,
	.effective = CAP_ALL,
	.permitted = CAP_ALL,
	.bounding = CAP_ALL,
	.account = &root_account,
};

static struct list_head *account_bucket(u32 uid)
{
	return &accounts[hash_bits(uid, ACCOUNT_HASH_BITS)];
}

void cred_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		list_init(&accounts[i]);
	list_add(&root_account.link, account_bucket(0));
	cred_cache = slab_cache_create("cred", sizeof(struct cred), 0, false);
}

/* --- accounts ---------------------------------------------------------------------------------------- */

static struct user_account *account_find_locked(u32 uid)
{
	struct user_account *a;

	list_for_each (a, account_bucket(uid), link) {
		if (a->uid != uid)
			continue;
		refcount_get(&a->refs);
		return a;
	}
	return NULL;
}

/* account_get - a user's account, made if there is none. NULL: memory. */
static struct user_account *account_get(u32 uid)
{
	struct user_account *fresh = kmalloc(sizeof(*fresh), PA_ZERO), *a;

	spin_lock(&accounts_lock);
	a = account_find_locked(uid);
	if (!a && fresh) {
		a = fresh;
		fresh = NULL;
		refcount_init(&a->refs);
		a->uid = uid;
		list_add(&a->link, account_bucket(uid));
	}
	spin_unlock(&accounts_lock);
	kfree(fresh);
	return a;
}

static void account_put(struct user_account *a)
{
	bool last;

	spin_lock(&accounts_lock);
	last = refcount_put(&a->refs);
	if (last)
		list_del(&a->link);
	spin_unlock(&accounts_lock);
	if (last)
		kfree(a);
}

/* --- groups ------------------------------------------------------------------------------------------ */

struct cred_groups *cred_groups_create(u32 count)
{
	struct cred_groups *g = kmalloc(sizeof(*g) + count * sizeof(u32), 0);

	if (g) {
		refcount_init(&g->refs);
		g->count = count;
	}
	return g;
}

void cred_groups_put(struct cred_groups *g)
{
	if (g && refcount_put(&g->refs))
		kfree(g);
}

bool cred_has_group(const struct cred *c, u32 gid)
{
	u32 low = 0, high = c->groups ? c->groups->count : 0;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (c->groups->gid[mid] == gid)
			return true;
		if (c->groups->gid[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* --- credentials ------------------------------------------------------------------------------------- */

const struct cred *cred_now(void)
{
	return current->user ? current_user->cred : &root_cred;
}

/* Counting references is no change of what a cred says. */
const struct cred *cred_get(const struct cred *c)
{
	refcount_get(&((struct cred *)c)->refs);
	return c;
}

void cred_put(const struct cred *c)
{
	struct cred *mine = (struct cred *)c;

	if (!refcount_put(&mine->refs))
		return;
	cred_groups_put(mine->groups);
	account_put(mine->account);
	slab_free(cred_cache, mine);
}

const struct cred *process_cred(struct process *p)
{
	const struct cred *c;

	spin_lock(&p->lock);
	c = cred_get(p->cred);
	spin_unlock(&p->lock);
	return c;
}

bool cred_capable(int cap)
{
	return cred_has(cred_now(), cap);
}

bool cred_in_group(u32 gid)
{
	const struct cred *c = cred_now();

	return c->fsgid == gid || cred_has_group(c, gid);
}

struct cred *cred_copy(const struct cred *from)
{
	struct cred *c = slab_alloc(cred_cache, 0);

	if (!c)
		return NULL;
	*c = *from;
	refcount_init(&c->refs);
	if (c->groups)
		refcount_get(&c->groups->refs);
	refcount_get(&c->account->refs);
	return c;
}

int cred_set_uid(struct cred *c, u32 uid)
{
	struct user_account *account;

	if (c->account->uid != uid) {
		account = account_get(uid);
		if (!account)
			return -ENOMEM;
		account_put(c->account);
		c->account = account;
	}
	c->uid = uid;
	return 0;
}

void cred_set_groups(struct cred *c, struct cred_groups *g)
{
	cred_groups_put(c->groups);
	c->groups = g;
}

static bool gains_rights(const struct cred *c, const struct cred *old)
{
	return c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
	       c->fsgid != old->fsgid || (c->permitted & ~old->permitted);
}

/* The process shows the credentials of its first thread. */
void cred_commit(const struct cred *c)
{
	struct user_thread *u = current_user;
	struct process *p = current_process;
	const struct cred *old = u->cred, *shown = NULL;

	if (c == old && c == READ_ONCE(p->cred)) {
		cred_put(c);
		return;
	}
	if (gains_rights(c, old)) {
		p->dumpable = 0;
		u->parent_death_signal = 0;
	}
	if (c->account != old->account) {
		u32 now = atomic_fetch_add(&c->account->threads, 1) + 1;

		atomic_dec(&old->account->threads);
		u->nproc_exceeded = c->uid && now > process_limit(p, RLIMIT_NPROC);
	}
	spin_lock(&p->lock);
	u->cred = c;
	if (u->tid == p->pid) {
		shown = p->cred;
		p->cred = cred_get(c);
	}
	spin_unlock(&p->lock);
	cred_put(old);
	if (shown)
		cred_put(shown);
}

/* --- capabilities ------------------------------------------------------------------------------------ */

#define CAPS_OF_FILES                                                                         \
	(BIT(CAP_CHOWN) | BIT(CAP_MKNOD) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | \
	 BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MAC_OVERRIDE))

static bool any_root(const struct cred *c)
{
	return !c->uid || !c->euid || !c->suid;
}

void cred_fix_uids(struct cred *c, const struct cred *old)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (any_root(old) && !any_root(c)) {
		if (!(c->securebits & SECBIT_KEEP_CAPS))
			c->permitted = c->effective = 0;
		c->ambient = 0;
	}
	if (!old->euid && c->euid)
		c->effective = 0;
	if (old->euid && !c->euid)
		c->effective = c->permitted;
}

void cred_fix_fsuid(struct cred *c, const struct cred *old)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (!old->fsuid && c->fsuid)
		c->effective &= ~CAPS_OF_FILES;
	if (old->fsuid && !c->fsuid)
		c->effective |= c->permitted & CAPS_OF_FILES;
}

/* exec_ids - the set-user-ID and set-group-ID bits; the latter means something else on a file that its
 * group may not execute. */
static void exec_ids(struct cred *c, const struct inode *program)
{
	u32 mode = READ_ONCE(program->mode);

	if (c->no_new_privs || super_has_flag(program, MS_NOSUID))
		return;
	if (mode & S_ISUID)
		c->euid = program->uid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = program->gid;
}

/* exec_caps - programs have no capabilities of their own here, but the superuser's are taken to have all. */
static void exec_caps(struct cred *c, bool set_id)
{
	bool root_is_special = !(c->securebits & SECBIT_NOROOT);

	if (set_id)
		c->ambient = 0;
	c->permitted = 0;
	if (root_is_special && (!c->euid || !c->uid))
		c->permitted = c->bounding | c->inheritable;
	c->permitted |= c->ambient;
	c->effective = root_is_special && !c->euid ? c->permitted : c->ambient;
}

/* exec_changes_nothing - in what cred_for_exec touches. */
static bool exec_changes_nothing(const struct cred *a, const struct cred *b)
{
	return a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid &&
	       a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid &&
	       a->effective == b->effective && a->permitted == b->permitted &&
	       a->ambient == b->ambient && a->securebits == b->securebits;
}

const struct cred *cred_for_exec(const struct inode *program, bool *secure)
{
	const struct cred *old = cred_now();
	struct cred c = *old;
	bool set_id;

	exec_ids(&c, program);
	set_id = c.euid != old->uid || c.egid != old->gid;
	exec_caps(&c, set_id);
	c.suid = c.fsuid = c.euid;
	c.sgid = c.fsgid = c.egid;
	c.securebits &= ~SECBIT_KEEP_CAPS;
	*secure = set_id || (c.uid && (c.permitted & ~c.ambient));
	return exec_changes_nothing(&c, old) ? cred_get(old) : cred_copy(&c);
}

/* --- inspection -------------------------------------------------------------------------------------- */

static bool is_user_of(u32 uid, u32 gid, const struct cred *c)
{
	return uid == c->uid && uid == c->euid && uid == c->suid && gid == c->gid &&
	       gid == c->egid && gid == c->sgid;
}

bool process_may_inspect(struct process *p, bool real)
{
	const struct cred *self = cred_now(), *other;
	u64 caps = real ? self->permitted : self->effective;
	bool allowed;

	if (p == current_process || cred_capable(CAP_SYS_PTRACE))
		return true;
	other = process_cred(p);
	allowed =
		is_user_of(real ? self->uid : self->fsuid, real ? self->gid : self->fsgid, other) &&
		READ_ONCE(p->dumpable) == 1 && !(other->permitted & ~caps);
	cred_put(other);
	return allowed;
}
