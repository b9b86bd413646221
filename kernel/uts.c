/* SPDX-License-Identifier: MIT */
/*
 * uts.c - the system's names, and the system calls that set two of them.
 *
 * The release is that of the Linux whose system calls we speak: C libraries refuse to run on one that is too old.
 * The version tells who it really is.
 */
#include "kernel/uts.h"

#include <arch/abi.h>
#include <uapi/errno.h>
#include "kernel/cred.h"
#include "kernel/lock.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_PROCESS);
static struct uapi_utsname uts = {
	.sysname = "Linux",
	.nodename = "quire",
	.release = "6.12.0-quire",
	.version = "Quire",
	.machine = UTS_MACHINE,
	.domainname = "(none)",
};

void uts_get(struct uapi_utsname *out)
{
	spin_lock(&uts_lock);
	*out = uts;
	spin_unlock(&uts_lock);
}

void uts_set(size_t field, const char *s, size_t n)
{
	char *at = (char *)&uts + field;

	spin_lock(&uts_lock);
	memset(at, 0, sizeof(uts.nodename));
	memcpy(at, s, n);
	spin_unlock(&uts_lock);
}

long sys_uname(vaddr_t out)
{
	struct uapi_utsname copy;

	uts_get(&copy);
	return copy_to_user(out, &copy, sizeof(copy));
}

static long set_name(size_t field, vaddr_t name, int len)
{
	char copy[sizeof(uts.nodename)];

	if (!cred_capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || (size_t)len >= sizeof(copy))
		return -EINVAL;
	if (copy_from_user(copy, name, (size_t)len))
		return -EFAULT;
	uts_set(field, copy, (size_t)len);
	return 0;
}

long sys_sethostname(vaddr_t name, int len)
{
	return set_name(offsetof(struct uapi_utsname, nodename), name, len);
}

long sys_setdomainname(vaddr_t name, int len)
{
	return set_name(offsetof(struct uapi_utsname, domainname), name, len);
}
