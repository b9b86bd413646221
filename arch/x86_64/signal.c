/* SPDX-License-Identifier: MIT */
/*
 * signal.c - signal frames: the user registers put aside on the user stack while a handler runs.
 *
 * The layout is part of the ABI: handlers read and change the registers through their third argument,
 * debuggers and unwinders know it. From low to high addresses:
 *
 *   struct signal_frame   return address (the C library's restorer), ucontext, siginfo
 *   FP state              64-byte aligned, in XSAVE format with a note of its size and contents
 *
 * FP registers are stored to user memory, and loaded from it, by the CPU itself.
 *
 * What sigreturn reads back comes from the program and is not trusted: segment registers and privileged
 * flags stay ours, and a FP area that XRSTOR would refuse is not a frame. Any instruction
 * pointer will do, because iretq's refusal is handled (trap.S).
 *
 * (System V ABI for x86-64, 3.2.2: the red zone; Intel SDM vol. 1, 13.4: the XSAVE area.)
 */
#include <quire/assert.h>
#include <uapi/errno.h>
#include <uapi/signal.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include "arch/x86_64/internal.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "lib/string.h"

#define RED_ZONE 128

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

/* Flags that a program may set: AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF. */
#define USER_FLAGS 0x50dd5ul

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 error, vector, old_mask, cr2;
	u64 fp_state; /* address; 0: none */
	u64 reserved[8];
};
BUILD_ASSERT(sizeof(struct sigcontext) == 256, "the ABI's size");

struct ucontext {
	u64 flags, link;
	struct uapi_sigaltstack stack;
	struct sigcontext registers;
	u64 mask;
};

struct signal_frame {
	u64 restorer;
	struct ucontext uc;
	struct uapi_siginfo info;
	u8 info_rest[SIGINFO_SIZE - sizeof(struct uapi_siginfo)];
};

/* In bytes 464-511 of the FP state, which the CPU leaves alone; the second magic number follows the state. */
struct fp_note {
	u32 magic, size;
	u64 components;
	u32 state_size, unused[7];
};
#define FP_NOTE_OFFSET 464
#define FP_MAGIC       0x46505853u
#define FP_MAGIC_END   0x46505845u
#define FP_ATTEMPTS    8

BUILD_ASSERT(FP_NOTE_OFFSET + sizeof(struct fp_note) == FXSAVE_SIZE,
	     "the note ends the FXSAVE area");

/* Where the frame goes: below the red zone, or on the alternate stack if wanted and not in use already. */
static vaddr_t stack_choose(const struct trap_frame *f, const struct uapi_sigaction *action,
			    const struct uapi_sigaltstack *alt)
{
	bool enabled = alt->ss_size && !(alt->ss_flags & SS_DISABLE);

	if (action->flags & SA_ONSTACK && enabled && !signal_on_altstack(alt, f->rsp))
		return alt->ss_sp + alt->ss_size;
	return f->rsp - RED_ZONE;
}

/* Would a frame that starts on the alternate stack run out of it at the bottom? top is where it starts. */
static bool stack_overflows(const struct trap_frame *f, vaddr_t top, vaddr_t frame,
			    const struct uapi_sigaltstack *alt)
{
	bool starts_there = signal_on_altstack(alt, f->rsp) || top != f->rsp - RED_ZONE;

	return (starts_there && frame < alt->ss_sp) || frame > top;
}

/* A word of a structure in user memory, inside user_access_begin .. end. */
#define STORE(at, value)     user_store_u64(at, 0, value, fault)
#define STORE_REGISTER(name) STORE(c + offsetof(struct sigcontext, name), f->name)
#define LOAD(value, at)      user_load_u64(value, at, 0, fault)
#define LOAD_REGISTER(name)  LOAD(f->name, c + offsetof(struct sigcontext, name))

/* fp_touch - make both ends of the area, which is smaller than a page, present and writable. */
static int fp_touch(vaddr_t to)
{
	return put_user_u32(to, 0) || put_user_u32(to + arch_fpu_state_size() - 4, 0) ? -EFAULT : 0;
}

#define STORE_TWO_ZEROES(at)        \
	do {                        \
		STORE((at), 0);     \
		STORE((at) + 8, 0); \
	} while (0)

/* fp_frame_push - around what the CPU stores: the note, which is all zeroes in FXSAVE format; the XSAVE header, of which the
 * CPU writes some bits only; and the mark behind the area. */
static int fp_frame_push(vaddr_t to, u64 size, u64 components)
{
	vaddr_t note = to + FP_NOTE_OFFSET, header = to + FXSAVE_SIZE;

	user_access_begin();
	STORE(note, components ? FP_MAGIC | (size + sizeof(u32)) << 32 : 0);
	STORE(note + offsetof(struct fp_note, components), components);
	STORE(note + offsetof(struct fp_note, state_size), components ? size : 0);
	STORE_TWO_ZEROES(note + 24);
	STORE(note + 40, 0);
	if (components) {
		STORE_TWO_ZEROES(header);
		STORE_TWO_ZEROES(header + 16);
		STORE_TWO_ZEROES(header + 32);
		STORE_TWO_ZEROES(header + 48);
	}
	STORE(to + size, FP_MAGIC_END);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* fp_push - memory may be taken away again between touching and storing; not for ever. */
static int fp_push(vaddr_t to)
{
	u64 size = arch_fpu_state_size(), components = fpu_components();

	if (!user_range_ok(to, size + sizeof(u64)))
		return -EFAULT;
	for (unsigned i = 0; i < FP_ATTEMPTS; i++) {
		if (fp_frame_push(to, size, components))
			return -EFAULT;
		if (!fpu_store_user(to))
			return 0;
		if (fp_touch(to))
			return -EFAULT;
	}
	return -EFAULT;
}

/* registers_push - sp: the frame, whose range has been checked. The reserved words are left alone. */
static int registers_push(vaddr_t sp, vaddr_t fp, const struct trap_frame *f,
			  const struct uapi_siginfo *info, sigset mask)
{
	vaddr_t c = sp + offsetof(struct signal_frame, uc.registers);
	bool exception = f->vector < 32;

	user_access_begin();
	STORE_REGISTER(r8);
	STORE_REGISTER(r9);
	STORE_REGISTER(r10);
	STORE_REGISTER(r11);
	STORE_REGISTER(r12);
	STORE_REGISTER(r13);
	STORE_REGISTER(r14);
	STORE_REGISTER(r15);
	STORE_REGISTER(rdi);
	STORE_REGISTER(rsi);
	STORE_REGISTER(rbp);
	STORE_REGISTER(rbx);
	STORE_REGISTER(rdx);
	STORE_REGISTER(rax);
	STORE_REGISTER(rcx);
	STORE_REGISTER(rsp);
	STORE_REGISTER(rip);
	STORE_REGISTER(rflags);
	STORE(c + offsetof(struct sigcontext, cs), USER_CS | (u64)USER_DS << 48);
	STORE(c + offsetof(struct sigcontext, error), exception ? f->error : 0);
	STORE(c + offsetof(struct sigcontext, vector), exception ? f->vector : 0);
	STORE(c + offsetof(struct sigcontext, old_mask), mask);
	STORE(c + offsetof(struct sigcontext, cr2), f->vector == TRAP_PF ? info->si_addr : 0);
	STORE(c + offsetof(struct sigcontext, fp_state), fp);
	STORE(sp + offsetof(struct signal_frame, uc.mask), mask);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int context_push(vaddr_t sp, u64 restorer, const struct uapi_sigaltstack *alt)
{
	u64 flags =
		UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_components() ? UC_FP_XSTATE : 0u);

	user_access_begin();
	STORE(sp + offsetof(struct signal_frame, restorer), restorer);
	STORE(sp + offsetof(struct signal_frame, uc.flags), flags);
	STORE(sp + offsetof(struct signal_frame, uc.link), 0);
	STORE(sp + offsetof(struct signal_frame, uc.stack.ss_sp), alt->ss_sp);
	STORE(sp + offsetof(struct signal_frame, uc.stack.ss_flags), (u32)alt->ss_flags);
	STORE(sp + offsetof(struct signal_frame, uc.stack.ss_size), alt->ss_size);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* arch_signal_push - see kernel/signal.h. */
int arch_signal_push(struct trap_frame *f, const struct uapi_sigaction *action,
		     const struct uapi_siginfo *info, sigset mask,
		     const struct uapi_sigaltstack *altstack)
{
	vaddr_t top = stack_choose(f, action, altstack);
	vaddr_t fp = ALIGN_DOWN(top - arch_fpu_state_size() - sizeof(u64), 64ul);
	vaddr_t sp = ALIGN_DOWN(fp - sizeof(struct signal_frame), 16ul) - 8;

	/* There is no code of ours in user memory that could call sigreturn. */
	if (!(action->flags & SA_RESTORER) || stack_overflows(f, top, sp, altstack))
		return -EFAULT;
	if (!user_range_ok(sp, sizeof(struct signal_frame)) || fp_push(fp) ||
	    registers_push(sp, fp, f, info, mask) || context_push(sp, action->restorer, altstack))
		return -EFAULT;
	if ((action->flags & SA_SIGINFO) &&
	    siginfo_to_user(sp + offsetof(struct signal_frame, info), info))
		return -EFAULT;
	f->rdi = (u64)info->si_signo;
	f->rsi = sp + offsetof(struct signal_frame, info);
	f->rdx = sp + offsetof(struct signal_frame, uc);
	f->rax = 0;
	f->rsp = sp;
	f->rip = action->handler;
	f->rflags &= ~(u64)(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	f->vector = TRAP_SYSCALL; /* the exception, if there was one, is in the frame */
	return 0;
}

/* fp_components_of - which components a full XSAVE image of ours holds; 0: only what FXSAVE knows is there. */
static u64 fp_components_of(vaddr_t from)
{
	u64 size = arch_fpu_state_size(), head, components, state_size;
	vaddr_t note = from + FP_NOTE_OFFSET;
	u32 end;

	if (!user_range_ok(from, size) || get_user_u32(from + size, &end) || end != FP_MAGIC_END)
		return 0;
	user_access_begin();
	LOAD(head, note);
	LOAD(components, note + offsetof(struct fp_note, components));
	LOAD(state_size, note + offsetof(struct fp_note, state_size));
	user_access_end();
	if (head != (FP_MAGIC | (size + sizeof(end)) << 32) || (u32)state_size != size)
		return 0;
	return components & fpu_components();
fault:
	user_access_end();
	return 0;
}

static int fp_read(vaddr_t from, u64 components, u8 *area)
{
	if (copy_from_user(area, from, components ? arch_fpu_state_size() : FXSAVE_SIZE))
		return -EFAULT;
	return fpu_area_check(area, components);
}

/* fp_pop - a full image goes straight into the registers. What the CPU does not take is looked at in the saved state, from
 * where nothing is loaded until it has been checked. A program whose frame cannot be read loses its state, and then,
 * most likely, its life. */
static int fp_pop(vaddr_t from)
{
	u64 components;
	u8 *area;
	int err = 0;

	if (!IS_ALIGNED(from, 16))
		return -EFAULT;
	components = from ? fp_components_of(from) : 0;
	if (components && !IS_ALIGNED(from, 64))
		return -EFAULT;
	if (components && components == fpu_components() && !fpu_load_user(from))
		return 0;
	area = arch_thread_fp_begin_edit(current);
	if (from)
		err = fp_read(from, components, area);
	if (!from || err)
		fpu_area_init(area);
	return err;
}

/* context_pop - what belongs to signals, and where the FP state is. */
static int context_pop(vaddr_t sp, sigset *mask, struct uapi_sigaltstack *alt, vaddr_t *fp)
{
	u64 flags;

	user_access_begin();
	LOAD(*mask, sp + offsetof(struct signal_frame, uc.mask));
	LOAD(alt->ss_sp, sp + offsetof(struct signal_frame, uc.stack.ss_sp));
	LOAD(flags, sp + offsetof(struct signal_frame, uc.stack.ss_flags));
	LOAD(alt->ss_size, sp + offsetof(struct signal_frame, uc.stack.ss_size));
	LOAD(*fp, sp + offsetof(struct signal_frame, uc.registers.fp_state));
	user_access_end();
	alt->ss_flags = (s32)flags;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* registers_pop - the stack pointer last: without the whole frame the program is not where the frame says. */
static int registers_pop(struct trap_frame *f, vaddr_t sp)
{
	vaddr_t c = sp + offsetof(struct signal_frame, uc.registers);
	u64 rflags;

	user_access_begin();
	LOAD_REGISTER(r8);
	LOAD_REGISTER(r9);
	LOAD_REGISTER(r10);
	LOAD_REGISTER(r11);
	LOAD_REGISTER(r12);
	LOAD_REGISTER(r13);
	LOAD_REGISTER(r14);
	LOAD_REGISTER(r15);
	LOAD_REGISTER(rdi);
	LOAD_REGISTER(rsi);
	LOAD_REGISTER(rbp);
	LOAD_REGISTER(rbx);
	LOAD_REGISTER(rdx);
	LOAD_REGISTER(rax);
	LOAD_REGISTER(rcx);
	LOAD(rflags, c + offsetof(struct sigcontext, rflags));
	LOAD_REGISTER(rip);
	LOAD_REGISTER(rsp);
	user_access_end();
	f->rflags = (f->rflags & ~USER_FLAGS) | (rflags & USER_FLAGS);
	f->vector = TRAP_SYSCALL;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* arch_signal_pop - see kernel/signal.h. The handler's return has popped the restorer's address. */
int arch_signal_pop(struct trap_frame *f, sigset *mask, struct uapi_sigaltstack *altstack)
{
	vaddr_t sp = f->rsp - sizeof(u64), fp;

	if (!user_range_ok(sp, sizeof(struct signal_frame)) ||
	    context_pop(sp, mask, altstack, &fp) || fp_pop(fp))
		return -EFAULT;
	return registers_pop(f, sp);
}
