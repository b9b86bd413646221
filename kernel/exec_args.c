/* SPDX-License-Identifier: MIT */
/* exec_args.c - the strings that a program is started with, one behind the other in one buffer that grows. */
#include <uapi/errno.h>
#include "kernel/exec.h"
#include "kernel/process.h"
#include "kernel/uaccess.h"
#include "lib/string.h"
#include "mm/phys/slab.h"
#include "mm/phys/vmalloc.h"

#define ARG_STRING_MAX    KIB(128) /* one string with its NUL */
#define ARGS_LIMIT_MAX    MIB(6)
#define ARGS_LIMIT_MIN    KIB(128)
#define EXEC_BUFFER_SMALL KIB(32)
#define EXEC_BUFFER_MIN   KIB(2)

void exec_args_init(struct exec_args *a, u64 stack_limit)
{
	*a = (struct exec_args){
		.limit = MAX(MIN(stack_limit / 4, ARGS_LIMIT_MAX), ARGS_LIMIT_MIN),
	};
}

/* Most programs are started with a page of strings: those do without a mapping of their own. */
void *exec_buffer_alloc(size_t size)
{
	return size <= EXEC_BUFFER_SMALL ? kmalloc(size, 0) : vmalloc(size);
}

void exec_buffer_free(void *buf, size_t size)
{
	if (size <= EXEC_BUFFER_SMALL)
		kfree(buf);
	else
		vfree(buf);
}

void exec_args_free(struct exec_args *a)
{
	exec_buffer_free(a->data, a->capacity);
	a->data = NULL;
	a->capacity = 0;
}

/* reserve - room for n more bytes; the pointers that will refer to the strings count as well. */
static int reserve(struct exec_args *a, size_t n)
{
	size_t need = a->len + n;
	size_t capacity = MAX(a->capacity, EXEC_BUFFER_MIN);
	char *data;

	if (need + (a->argc + a->envc) * sizeof(u64) > a->limit)
		return -E2BIG;
	if (need <= a->capacity)
		return 0;
	while (capacity < need)
		capacity *= 2;
	data = exec_buffer_alloc(capacity);
	if (!data)
		return -ENOMEM;
	if (a->len)
		memcpy(data, a->data, a->len);
	exec_buffer_free(a->data, a->capacity);
	a->data = data;
	a->capacity = capacity;
	return 0;
}

int exec_args_add(struct exec_args *a, const char *s)
{
	size_t n = strlen(s) + 1;
	int err = reserve(a, n);

	if (err)
		return err;
	memcpy(a->data + a->len, s, n);
	a->len += n;
	return 0;
}

/* add_user_string - try with the room there is; when it does not fit make more. */
static int add_user_string(struct exec_args *a, vaddr_t s)
{
	for (size_t room = 256; room <= ARG_STRING_MAX; room *= 2) {
		int err = reserve(a, MIN(room, MAX(a->limit - a->len, 1)));
		ssize_t n;

		if (err)
			return err;
		n = strncpy_from_user(a->data + a->len, s, MIN(a->capacity - a->len, room));
		if (n >= 0) {
			a->len += (size_t)n + 1;
			return 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
	}
	return -E2BIG;
}

int exec_args_add_user(struct exec_args *a, vaddr_t array, u32 *count)
{
	for (;; array += sizeof(u64)) {
		u64 s;
		int err;

		if (!array || get_user_u64(array, &s))
			return array ? -EFAULT : 0;
		if (!s)
			return 0;
		(*count)++;
		err = add_user_string(a, s);
		if (err)
			return err;
		if (signal_fatal(current))
			return -EINTR;
	}
}

int exec_args_replace_first(struct exec_args *a, const char *const *strings, unsigned n)
{
	size_t old = strlen(a->data) + 1, len = 0;
	int err;

	for (unsigned i = 0; i < n; i++)
		len += strlen(strings[i]) + 1;
	a->argc += n - 1;
	err = reserve(a, len);
	if (err)
		return err;
	memmove(a->data + len, a->data + old, a->len - old);
	a->len += len - old;
	a->env_offset += len - old;
	a->path_offset += len - old;
	for (size_t at = 0; n--; strings++) {
		memcpy(a->data + at, *strings, strlen(*strings) + 1);
		at += strlen(*strings) + 1;
	}
	return 0;
}
