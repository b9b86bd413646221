/* SPDX-License-Identifier: MIT */
/*
 * exec_stack.c - the stack that a program finds (System V ABI, "Process Initialization").
 *
 * From the top of the stack downwards:
 *
 *	8 bytes of zero
 *	the strings: argv, envp, the path           exec_args, copied as they are
 *	platform name, 16 random bytes
 *	auxiliary vector, pairs of words, AT_NULL last
 *	pointers to the environment, NULL
 *	pointers to the arguments, NULL
 *	argc                                         <- stack pointer, a multiple of 16
 */
#include <arch/elf.h>
#include <arch/layout.h>
#include <uapi/elf.h>
#include <uapi/errno.h>
#include <uapi/misc.h>
#include <uapi/mman.h>
#include <uapi/time.h>
#include "kernel/cred.h"
#include "kernel/exec.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/uaccess.h"
#include "kernel/vdso.h"
#include "lib/string.h"
#include "mm/vma/space.h"

#define AUXV_PAIRS        24
#define STACK_RANDOM_BITS 22       /* of pages */
#define STACK_INITIAL     KIB(128) /* mapped beyond what the strings need; grows by faults */
#define STACK_GAP_MIN     MIB(128) /* kept free below for growth, whatever the limit says */

/* Pointers and auxiliary vector are assembled here, then copied out. */
struct stack_words {
	u64 *words;
	size_t count, capacity;
};

static void push(struct stack_words *w, u64 value)
{
	w->words[w->count++] = value;
}

static void push_aux(struct stack_words *w, u64 type, u64 value)
{
	push(w, type);
	push(w, value);
}

/* push_strings - a NULL-terminated array of pointers to the n strings that start at data. */
static const char *push_strings(struct stack_words *w, const char *data, u32 n, vaddr_t at)
{
	for (u32 i = 0; i < n; i++) {
		size_t len = strlen(data) + 1;

		push(w, at);
		data += len;
		at += len;
	}
	push(w, 0);
	return data;
}

static void push_auxv(struct stack_words *w, const struct exec_program *x, vaddr_t path,
		      vaddr_t platform, vaddr_t random)
{
	const struct elf_image *image = &x->image;
	const struct cred *cred = x->cred;

	push_aux(w, AT_SYSINFO_EHDR, x->space->vdso);
	push_aux(w, AT_HWCAP, arch_hwcap());
	push_aux(w, AT_HWCAP2, arch_hwcap2());
	push_aux(w, AT_PAGESZ, PAGE_SIZE);
	push_aux(w, AT_CLKTCK, USER_HZ);
	push_aux(w, AT_PHDR, image->phdr);
	push_aux(w, AT_PHENT, sizeof(struct elf64_phdr));
	push_aux(w, AT_PHNUM, image->phnum);
	push_aux(w, AT_BASE, 0);
	push_aux(w, AT_FLAGS, 0);
	push_aux(w, AT_ENTRY, image->entry);
	push_aux(w, AT_UID, cred->uid);
	push_aux(w, AT_EUID, cred->euid);
	push_aux(w, AT_GID, cred->gid);
	push_aux(w, AT_EGID, cred->egid);
	push_aux(w, AT_SECURE, x->secure);
	push_aux(w, AT_RANDOM, random);
	push_aux(w, AT_EXECFN, path);
	push_aux(w, AT_PLATFORM, platform);
	push_aux(w, AT_MINSIGSTKSZ, arch_min_signal_stack());
	push_aux(w, AT_NULL, 0);
}

u64 exec_layout_random(void)
{
	bool fixed = current->proc && (current_process->personality & ADDR_NO_RANDOMIZE);

	return fixed ? 0 : random_u64();
}

/* place_stack - choose where the stack ends, and where other mappings start to be looked for. */
static void place_stack(struct space *space, u64 limit)
{
	u64 random = exec_layout_random();
	u64 gap = MAX(MIN(limit, USER_TOP / 6 * 5), STACK_GAP_MIN);

	space->stack_top =
		USER_TOP - VDSO_ROOM - ((random & ((1u << STACK_RANDOM_BITS) - 1)) << PAGE_SHIFT);
	space->mmap_top = ALIGN_DOWN(space->stack_top - gap, PAGE_SIZE) -
			  ((random >> 32 & ((1u << STACK_RANDOM_BITS) - 1)) << PAGE_SHIFT);
}

static int map_stack(struct space *space, u64 used, bool executable)
{
	u64 size = ALIGN_UP(used + STACK_INITIAL, PAGE_SIZE);
	struct map_request r = {
		.addr = space->stack_top - size,
		.len = size,
		.prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0u),
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN,
		.vm_flags = VM_STACK,
	};
	vaddr_t addr;

	return space_map(space, &r, &addr);
}

/* write_stack - with everything placed; sp is where the words go. */
static int write_stack(struct space *space, const struct exec_args *a, vaddr_t strings,
		       struct stack_words *w, vaddr_t sp, vaddr_t random)
{
	struct {
		u8 random[16];
		char platform[sizeof(ELF_PLATFORM)];
	} bytes = {.platform = ELF_PLATFORM};
	int err;

	random_bytes(bytes.random, sizeof(bytes.random));
	err = space_write(space, strings, a->data, a->len);
	if (!err)
		err = space_write(space, random, &bytes, sizeof(bytes));
	if (!err)
		err = space_write(space, sp, w->words, w->count * sizeof(u64));
	space->arg_start = strings;
	space->arg_end = space->env_start = strings + a->env_offset;
	space->env_end = strings + a->path_offset;
	return err;
}

int exec_build_stack(struct exec_program *x, const struct exec_args *a, const struct process *p)
{
	struct stack_words w = {.capacity = 1 + a->argc + 1 + a->envc + 1 + 2 * AUXV_PAIRS};
	struct space *space = x->space;
	vaddr_t strings, random;
	size_t auxv;
	const char *env;
	int err;

	w.words = exec_buffer_alloc(w.capacity * sizeof(u64));
	if (!w.words)
		return -ENOMEM;
	place_stack(space, process_limit(p, RLIMIT_STACK));
	err = vdso_map(space);
	if (err)
		goto free_words;
	strings = space->stack_top - 8 - a->len;
	random = ALIGN_DOWN(strings - 16 - sizeof(ELF_PLATFORM), 16);

	push(&w, a->argc);
	env = push_strings(&w, a->data, a->argc, strings);
	push_strings(&w, env, a->envc, strings + a->env_offset);
	auxv = w.count;
	push_auxv(&w, x, strings + a->path_offset, random + 16, random);
	x->sp = ALIGN_DOWN(random - w.count * sizeof(u64), 16);
	space->program = (struct space_program){
		.code_start = x->image.code_start,
		.code_end = x->image.code_end,
		.data_start = x->image.data_start,
		.data_end = x->image.data_end,
		.stack = x->sp,
		.auxv = x->sp + auxv * sizeof(u64),
		.auxv_end = x->sp + w.count * sizeof(u64),
	};

	err = map_stack(space, space->stack_top - x->sp, x->image.exec_stack);
	if (!err)
		err = write_stack(space, a, strings, &w, x->sp, random);
free_words:
	exec_buffer_free(w.words, w.capacity * sizeof(u64));
	return err;
}
