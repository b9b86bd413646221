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

static int fp_push(vaddr_t to)
{
	u64 size = arch_fpu_state_size();
	u8 *area = arch_thread_fp_begin_edit(current);
	u32 end = FP_MAGIC_END;
	struct fp_note note = {
		.magic = FP_MAGIC,
		.size = (u32)(size + sizeof(end)),
		.components = fpu_components(),
		.state_size = (u32)size,
	};

	fpu_area_complete(area);
	if (!note.components)
		memset(&note, 0, sizeof(note)); /* plain FXSAVE format */
	memcpy(area + FP_NOTE_OFFSET, &note, sizeof(note));
	if (copy_to_user(to, area, size))
		return -EFAULT;
	return put_user_u32(to + size, end);
}

static void registers_push(struct sigcontext *c, const struct trap_frame *f,
			   const struct uapi_siginfo *info, sigset mask)
{
	*c = (struct sigcontext){
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rdi = f->rdi,
		.rsi = f->rsi,
		.rbp = f->rbp,
		.rbx = f->rbx,
		.rdx = f->rdx,
		.rax = f->rax,
		.rcx = f->rcx,
		.rsp = f->rsp,
		.rip = f->rip,
		.rflags = f->rflags,
		.cs = USER_CS,
		.ss = USER_DS,
		.old_mask = mask,
	};
	if (f->vector < 32) {
		c->error = f->error;
		c->vector = f->vector;
		c->cr2 = f->vector == TRAP_PF ? info->si_addr : 0;
	}
}

/* arch_signal_push - see kernel/signal.h. */
int arch_signal_push(struct trap_frame *f, const struct uapi_sigaction *action,
		     const struct uapi_siginfo *info, sigset mask,
		     const struct uapi_sigaltstack *altstack)
{
	vaddr_t top = stack_choose(f, action, altstack);
	vaddr_t fp = ALIGN_DOWN(top - arch_fpu_state_size() - sizeof(u32), 64ul);
	vaddr_t sp = ALIGN_DOWN(fp - sizeof(struct signal_frame), 16ul) - 8;
	struct signal_frame frame = {
		.restorer = action->restorer,
		.uc = {.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
		       .stack = *altstack,
		       .mask = mask},
		.info = *info,
	};

	/* There is no code of ours in user memory that could call sigreturn. */
	if (!(action->flags & SA_RESTORER) || stack_overflows(f, top, sp, altstack))
		return -EFAULT;
	registers_push(&frame.uc.registers, f, info, mask);
	frame.uc.registers.fp_state = fp;
	frame.uc.flags |= fpu_components() ? UC_FP_XSTATE : 0;
	if (fp_push(fp) || copy_to_user(sp, &frame, sizeof(frame)))
		return -EFAULT;
	f->rdi = (u64)info->si_signo;
	f->rsi = sp + offsetof(struct signal_frame, info);
	f->rdx = sp + offsetof(struct signal_frame, uc);
	f->rax = 0;
	f->rsp = sp;
	f->rip = action->handler;
	f->rflags &= ~(u64)(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	frame_end_syscall(f);
	return 0;
}

/* fp_components_of - which components a full XSAVE image of ours holds; 0: only what FXSAVE knows is there. */
static u64 fp_components_of(vaddr_t from, const u8 *area)
{
	u64 size = arch_fpu_state_size();
	struct fp_note note;
	u32 end;

	memcpy(&note, area + FP_NOTE_OFFSET, sizeof(note));
	if (!fpu_components() || note.magic != FP_MAGIC || note.state_size != size ||
	    note.size != size + sizeof(end) || get_user_u32(from + size, &end) ||
	    end != FP_MAGIC_END)
		return 0;
	return note.components & fpu_components();
}

static int fp_read(vaddr_t from, u8 *area)
{
	u64 components;

	if (!IS_ALIGNED(from, 16) || copy_from_user(area, from, FXSAVE_SIZE))
		return -EFAULT;
	components = fp_components_of(from, area);
	if (components &&
	    (!IS_ALIGNED(from, 64) || copy_from_user(area, from, arch_fpu_state_size())))
		return -EFAULT;
	return fpu_area_check(area, components);
}

/* Into the saved state at once; until it has been checked, nothing can load it into registers. A program
 * whose frame cannot be read loses its state, and then, most likely, its life. */
static int fp_pop(vaddr_t from)
{
	u8 *area = arch_thread_fp_begin_edit(current);
	int err = from ? fp_read(from, area) : 0;

	if (!from || err)
		fpu_area_init(area);
	return err;
}

static void registers_pop(struct trap_frame *f, const struct sigcontext *c)
{
	f->r8 = c->r8;
	f->r9 = c->r9;
	f->r10 = c->r10;
	f->r11 = c->r11;
	f->r12 = c->r12;
	f->r13 = c->r13;
	f->r14 = c->r14;
	f->r15 = c->r15;
	f->rdi = c->rdi;
	f->rsi = c->rsi;
	f->rbp = c->rbp;
	f->rbx = c->rbx;
	f->rdx = c->rdx;
	f->rax = c->rax;
	f->rcx = c->rcx;
	f->rsp = c->rsp;
	f->rip = c->rip;
	f->rflags = (f->rflags & ~USER_FLAGS) | (c->rflags & USER_FLAGS);
	frame_end_syscall(f);
}

/* arch_signal_pop - see kernel/signal.h. The handler's return has popped the restorer's address. */
int arch_signal_pop(struct trap_frame *f, sigset *mask, struct uapi_sigaltstack *altstack)
{
	struct signal_frame frame;

	if (copy_from_user(&frame, f->rsp - sizeof(frame.restorer),
			   offsetof(struct signal_frame, info)))
		return -EFAULT;
	if (fp_pop(frame.uc.registers.fp_state))
		return -EFAULT;
	registers_pop(f, &frame.uc.registers);
	*mask = frame.uc.mask;
	*altstack = frame.uc.stack;
	return 0;
}
