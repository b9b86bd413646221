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
#include <quire/assert.h>
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
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/vma/space.h"

#define AUXV_PAIRS        21
#define STACK_RANDOM_BITS 22       /* of pages */
#define STACK_INITIAL     KIB(128) /* mapped beyond what the strings need; grows by faults */
#define STACK_GAP_MIN     MIB(128) /* kept free below for growth, whatever the limit says */

/* The stack as the program will find it is assembled in one piece, then copied out. */
struct stack_image {
	u64 *words; /* what comes first: count of them so far */
	size_t count;
	vaddr_t sp, strings, random; /* where the parts will lie */
	size_t size;                 /* bytes, from sp to the top */
};

static void push(struct stack_image *w, u64 value)
{
	w->words[w->count++] = value;
}

static void push_aux(struct stack_image *w, u64 type, u64 value)
{
	push(w, type);
	push(w, value);
}

/* push_strings - a NULL-terminated array of pointers to the n strings that start at data. */
static const char *push_strings(struct stack_image *w, const char *data, u32 n, vaddr_t at)
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

static void push_auxv(struct stack_image *w, const struct exec_program *x, vaddr_t path,
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
static void place_stack(struct space *space, u64 limit, u64 random)
{
	u64 gap = MAX(MIN(limit, USER_TOP / 6 * 5), STACK_GAP_MIN);

	space->stack_top =
		USER_TOP - VDSO_ROOM - ((random & low_mask(STACK_RANDOM_BITS)) << PAGE_SHIFT);
	space->mmap_top =
		ALIGN_DOWN(space->stack_top - gap, PAGE_SIZE) -
		((random >> STACK_RANDOM_BITS & low_mask(STACK_RANDOM_BITS)) << PAGE_SHIFT);
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

/* place_parts - from the top downwards; what there is of words is known beforehand. */
static void place_parts(struct stack_image *w, vaddr_t top, const struct exec_args *a)
{
	size_t words = 1 + a->argc + 1 + a->envc + 1 + 2 * AUXV_PAIRS;

	w->strings = top - 8 - a->len;
	w->random = ALIGN_DOWN(w->strings - 16 - sizeof(ELF_PLATFORM), 16);
	w->sp = ALIGN_DOWN(w->random - words * sizeof(u64), 16);
	w->size = top - w->sp;
}

/* at - where in the image an address of the stack lies. */
static char *at(const struct stack_image *w, vaddr_t va)
{
	return (char *)w->words + (va - w->sp);
}

/* push_bytes - the parts behind the words, with zeroes between and behind them. */
static void push_bytes(struct stack_image *w, const struct exec_args *a)
{
	char *words_end = (char *)(w->words + w->count), *random = at(w, w->random);
	char *platform = random + 16, *strings = at(w, w->strings);

	assert(words_end <= random);
	memset(words_end, 0, (size_t)(random - words_end));
	random_bytes(random, 16);
	memset(platform, 0, (size_t)(strings - platform));
	memcpy(platform, ELF_PLATFORM, sizeof(ELF_PLATFORM));
	memcpy(strings, a->data, a->len);
	memset(strings + a->len, 0, 8);
}

/* fill - all that lies on the stack, into the image; /proc is told where. */
static void fill(struct stack_image *w, struct exec_program *x, const struct exec_args *a)
{
	struct space *space = x->space;
	const char *env;
	size_t auxv;

	push(w, a->argc);
	env = push_strings(w, a->data, a->argc, w->strings);
	push_strings(w, env, a->envc, w->strings + a->env_offset);
	auxv = w->count;
	push_auxv(w, x, w->strings + a->path_offset, w->random + 16, w->random);
	space->arg_start = w->strings;
	space->arg_end = space->env_start = w->strings + a->env_offset;
	space->env_end = w->strings + a->path_offset;
	space->program = (struct space_program){
		.code_start = x->image.code_start,
		.code_end = x->image.code_end,
		.data_start = x->image.data_start,
		.data_end = x->image.data_end,
		.stack = w->sp,
		.auxv = w->sp + auxv * sizeof(u64),
		.auxv_end = w->sp + w->count * sizeof(u64),
	};
	push_bytes(w, a);
}

int exec_build_stack(struct exec_program *x, const struct exec_args *a, const struct process *p)
{
	struct space *space = x->space;
	u64 random = exec_layout_random();
	struct stack_image w = {0};
	int err;

	place_stack(space, process_limit(p, RLIMIT_STACK), random);
	err = vdso_map(space, random >> 2 * STACK_RANDOM_BITS);
	if (err)
		return err;
	place_parts(&w, space->stack_top, a);
	err = map_stack(space, w.size, x->image.exec_stack);
	if (err)
		return err;
	w.words = exec_buffer_alloc(w.size);
	if (!w.words)
		return -ENOMEM;
	fill(&w, x, a);
	err = space_write(space, w.sp, w.words, w.size);
	exec_buffer_free(w.words, w.size);
	x->sp = w.sp;
	return err;
}
