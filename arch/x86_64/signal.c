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
 * FP registers are stored to user memory, and loaded from it, by the CPU itself: an access that faults like any other.
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
#include <arch/extable.h>
#include <arch/gdt.h>
#include <arch/msr.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include "arch/x86_64/internal.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "lib/atomic.h"

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

BUILD_ASSERT(FP_NOTE_OFFSET + sizeof(struct fp_note) == FXSAVE_SIZE,
	     "the note ends the FXSAVE area");

/* stack_choose - *top: where the frame goes: below the red zone, or on the alternate stack if wanted and not in use
 * already. lowest: it may not reach below. */
static inline vaddr_t stack_choose(const struct trap_frame *f, const struct uapi_sigaction *action,
				   const struct uapi_sigaltstack *alt, vaddr_t *lowest)
{
	bool inside;

	*lowest = 0;
	if (likely(!alt->ss_size))
		return f->rsp - RED_ZONE;
	inside = signal_on_altstack(alt, f->rsp);
	if (!inside && (action->flags & SA_ONSTACK) && !(alt->ss_flags & SS_DISABLE)) {
		*lowest = alt->ss_sp;
		return alt->ss_sp + alt->ss_size;
	}
	if (inside)
		*lowest = alt->ss_sp;
	return f->rsp - RED_ZONE;
}

/* A word of a structure in user memory, and the FP registers. All of these, and the functions that say so, are used inside
 * user_access_begin .. end, on ranges that have been checked, and go to `fault`. */
#define STORE(at, value)     user_store_u64(at, 0, value, fault)
#define STORE_REGISTER(name) STORE(c + offsetof(struct sigcontext, name), f->name)
#define LOAD(value, at)      user_load_u64(value, at, 0, fault)
#define LOAD_REGISTER(name)  LOAD(f->name, c + offsetof(struct sigcontext, name))
#define FP_ACCESS(insn, at)                                             \
	__asm__ goto("770: " insn "\n" EX_ENTRY("770b", "%l3")          \
		     :                                                  \
		     : "r"(at), "a"(~0u), "d"(~0u) /* all components */ \
		     : "memory"                                         \
		     : fault)

#define STORE_TWO_ZEROES(at)        \
	do {                        \
		STORE((at), 0);     \
		STORE((at) + 8, 0); \
	} while (0)

/* fp_push - the registers; around them the note, which is all zeroes in FXSAVE format; the XSAVE header, of which the CPU
 * writes some bits only; and the mark behind the area. x87 and SSE registers are always said to be there, as they are,
 * though perhaps in their initial state: handlers do not look. In user_access. */
static ALWAYS_INLINE int fp_push(vaddr_t to, u64 size, u64 components)
{
	vaddr_t note = to + FP_NOTE_OFFSET, header = to + FXSAVE_SIZE;

	STORE(to + size, FP_MAGIC_END);
	STORE_TWO_ZEROES(note + 24);
	STORE(note + 40, 0);
	if (unlikely(!components)) {
		STORE_TWO_ZEROES(note);
		STORE(note + 16, 0);
		FP_ACCESS("fxsave64 (%0)", to);
		return 0;
	}
	STORE(note, FP_MAGIC | (size + sizeof(u32)) << 32);
	STORE(note + offsetof(struct fp_note, components), components);
	STORE(note + offsetof(struct fp_note, state_size), size);
	STORE_TWO_ZEROES(header);
	STORE_TWO_ZEROES(header + 16);
	STORE_TWO_ZEROES(header + 32);
	STORE_TWO_ZEROES(header + 48);
	FP_ACCESS("xsave64 (%0)", to);
	FP_ACCESS("orb $3, 512(%0)", to);
	return 0;
fault:
	return -EFAULT;
}

/* registers_push - the reserved words are left alone. In user_access. */
static ALWAYS_INLINE int registers_push(vaddr_t sp, vaddr_t fp, const struct trap_frame *f,
					const struct uapi_siginfo *info, sigset mask)
{
	vaddr_t c = sp + offsetof(struct signal_frame, uc.registers);
	u64 error = 0, vector = 0, cr2 = 0;

	if (f->vector < 32) {
		error = f->error;
		vector = f->vector;
		cr2 = vector == TRAP_PF ? info->si_addr : 0;
	}
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
	STORE(c + offsetof(struct sigcontext, error), error);
	STORE(c + offsetof(struct sigcontext, vector), vector);
	STORE(c + offsetof(struct sigcontext, old_mask), mask);
	STORE(c + offsetof(struct sigcontext, cr2), cr2);
	STORE(c + offsetof(struct sigcontext, fp_state), fp);
	return 0;
fault:
	return -EFAULT;
}

/* context_push - what belongs to signals. In user_access. */
static ALWAYS_INLINE int context_push(vaddr_t sp, u64 restorer, sigset mask,
				      const struct uapi_sigaltstack *alt, u64 components)
{
	u64 flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;

	STORE(sp + offsetof(struct signal_frame, restorer), restorer);
	STORE(sp + offsetof(struct signal_frame, uc.flags),
	      components ? flags | UC_FP_XSTATE : flags);
	STORE(sp + offsetof(struct signal_frame, uc.link), 0);
	STORE(sp + offsetof(struct signal_frame, uc.stack.ss_sp), alt->ss_sp);
	STORE(sp + offsetof(struct signal_frame, uc.stack.ss_flags), (u32)alt->ss_flags);
	STORE(sp + offsetof(struct signal_frame, uc.stack.ss_size), alt->ss_size);
	STORE(sp + offsetof(struct signal_frame, uc.mask), mask);
	return 0;
fault:
	return -EFAULT;
}

/* fp_hold - for as long as the current thread runs, its FP state is in the registers. */
static inline void fp_hold(void)
{
	if (unlikely(READ_ONCE(current->work) & THREAD_WORK_FPU))
		fpu_load_current();
}

/* arch_signal_push - see kernel/signal.h. */
int arch_signal_push(struct trap_frame *f, const struct uapi_sigaction *action,
		     const struct uapi_siginfo *info, sigset mask,
		     const struct uapi_sigaltstack *altstack)
{
	u64 size = fpu_state_size, components = fpu_state_mask;
	vaddr_t lowest, top = stack_choose(f, action, altstack, &lowest);
	vaddr_t fp = ALIGN_DOWN(top - size - sizeof(u64), 64ul);
	vaddr_t sp = ALIGN_DOWN(fp - sizeof(struct signal_frame), 16ul) - 8;
	int err;

	/* There is no code of ours in user memory that could call sigreturn. */
	if (unlikely(!(action->flags & SA_RESTORER)))
		return -EFAULT;
	if (unlikely(top > USER_TOP || sp > top || sp < lowest))
		return -EFAULT;
	lock_assert_user_access();
	fp_hold();
	user_access_begin();
	err = fp_push(fp, size, components) || registers_push(sp, fp, f, info, mask) ||
	      context_push(sp, action->restorer, mask, altstack, components);
	user_access_end();
	if (err || ((action->flags & SA_SIGINFO) &&
		    siginfo_to_user(sp + offsetof(struct signal_frame, info), info)))
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

/* fp_load - the registers from a full XSAVE image of ours. In user_access.
 *  returns: false: it is something else, or the CPU does not take it, which leaves the registers undefined */
static ALWAYS_INLINE bool fp_load(vaddr_t from, u64 size)
{
	u64 head, components, state_size, end, note = from + FP_NOTE_OFFSET;

	LOAD(head, note);
	LOAD(components, note + offsetof(struct fp_note, components));
	LOAD(state_size, note + offsetof(struct fp_note, state_size));
	LOAD(end, from + size - sizeof(u32)); /* its upper half */
	if (head != (FP_MAGIC | (size + sizeof(u32)) << 32) || (u32)state_size != size ||
	    end >> 32 != FP_MAGIC_END || (components & fpu_state_mask) != fpu_state_mask)
		return false;
	FP_ACCESS("xrstor64 (%0)", from);
	return true;
fault:
	return false;
}

/* fp_components_of - which components an image of ours holds; 0: only what FXSAVE knows is there. */
static u64 fp_components_of(vaddr_t from)
{
	struct fp_note note;
	u64 size = fpu_state_size;
	u32 end;

	if (!fpu_state_mask || copy_from_user(&note, from + FP_NOTE_OFFSET, sizeof(note)) ||
	    get_user_u32(from + size, &end) || end != FP_MAGIC_END)
		return 0;
	if (note.magic != FP_MAGIC || note.size != size + sizeof(end) || note.state_size != size)
		return 0;
	return note.components & fpu_state_mask;
}

static int fp_read(vaddr_t from, u64 components, u8 *area)
{
	if (copy_from_user(area, from, components ? fpu_state_size : FXSAVE_SIZE))
		return -EFAULT;
	return fpu_area_check(area, components);
}

/* fp_pop_checked - through the saved state, from where nothing is loaded until it has been checked. A program whose frame
 * cannot be read loses its state, and then, most likely, its life. */
static NOINLINE int fp_pop_checked(vaddr_t from)
{
	u64 components = from ? fp_components_of(from) : 0;
	u8 *area;
	int err = 0;

	if (!IS_ALIGNED(from, components ? 64ul : 16ul))
		return -EFAULT;
	area = arch_thread_fp_begin_edit(current);
	if (from)
		err = fp_read(from, components, area);
	if (!from || err)
		fpu_area_init(area);
	return err;
}

/* fp_pop - a full image goes straight into the registers; what is not one is looked at closely. */
static inline int fp_pop(vaddr_t from)
{
	u64 size = fpu_state_size;
	bool loaded;

	if (unlikely(!fpu_state_mask || !IS_ALIGNED(from, 64ul) ||
		     !user_range_ok(from, size + sizeof(u32))))
		return fp_pop_checked(from);
	fp_hold();
	user_access_begin();
	loaded = fp_load(from, size);
	user_access_end();
	return likely(loaded) ? 0 : fp_pop_checked(from);
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
