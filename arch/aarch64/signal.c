/* SPDX-License-Identifier: MIT */
/*
 * signal.c - the frame through which a signal handler is entered and left.
 *
 * User stack, from the handler's sp upwards: struct sigframe (the layout is the ABI: siginfo, ucontext with
 * room for 4096 bytes of extension records), then a frame record so that backtraces reach the
 * interrupted code. Extension records are {magic, size} blocks ended by a null one; ours is the FP state.
 *
 * A handler returns to sa_restorer, or, where the C library has none, into the vDSO.
 */
#include <uapi/errno.h>
#include <arch/elf.h>
#include <arch/trap.h>
#include "arch/aarch64/internal.h"
#include "kernel/signal.h"
#include "kernel/thread.h"
#include "kernel/uaccess.h"
#include "kernel/vdso.h"
#include "lib/string.h"

#define FPSIMD_MAGIC  0x46508001u
#define RESERVED_SIZE 4096
/* What a program may choose of PSTATE: the condition flags, DIT and SSBS. */
#define PSTATE_USER_BITS (0xf0000000ul | BIT(24) | BIT(12))
#define PSTATE_FORBIDDEN (SPSR_MODE_MASK | SPSR_D | SPSR_A | SPSR_I | SPSR_F)

struct fpsimd_record {
	u32 magic, size;
	u32 fpsr, fpcr;
	u64 q[64];
};

struct sigframe { /* followed by the rest of the reserved area */
	struct uapi_siginfo info;
	/* ucontext */
	u64 uc_flags, uc_link;
	struct uapi_sigaltstack uc_stack;
	u64 uc_sigmask;
	u8 unused[120];
	/* sigcontext, 16-byte aligned */
	u64 fault_address ALIGNED(16);
	u64 regs[31];
	u64 sp, pc, pstate;
	/* extension records, 16-byte aligned */
	struct fpsimd_record fp ALIGNED(16);
	u32 end_magic, end_size;
};
BUILD_ASSERT(offsetof(struct sigframe, fault_address) == 304, "the ABI's layout");
BUILD_ASSERT(offsetof(struct sigframe, fp) == 592, "the ABI's layout");
BUILD_ASSERT(sizeof(struct fpsimd_record) == 528, "the ABI's layout");

#define SIGFRAME_SIZE (offsetof(struct sigframe, fp) + RESERVED_SIZE)

struct frame_record {
	u64 fp, lr;
};

/* arch_min_signal_stack - see arch/elf.h. */
u64 arch_min_signal_stack(void)
{
	return SIGFRAME_SIZE + sizeof(struct frame_record) + 16; /* and alignment */
}

static bool on_altstack(const struct uapi_sigaltstack *s, u64 sp)
{
	return !(s->ss_flags & (s32)SS_AUTODISARM) && sp > s->ss_sp && sp - s->ss_sp <= s->ss_size;
}

/* place_frame - choose the new stack pointer and where the frame record goes. */
static int place_frame(const struct trap_frame *f, const struct uapi_sigaction *action,
		       const struct uapi_sigaltstack *alt, u64 *frame, u64 *record)
{
	bool inside = on_altstack(alt, f->sp);
	bool enter = (action->flags & SA_ONSTACK) && alt->ss_size &&
		     !(alt->ss_flags & SS_DISABLE) && !inside;
	u64 top = enter ? alt->ss_sp + alt->ss_size : f->sp;

	*record = ALIGN_DOWN(top - sizeof(struct frame_record), 16);
	*frame = *record - SIGFRAME_SIZE;
	if (*frame > top) /* wrapped */
		return -EFAULT;
	return (enter || inside) && *frame < alt->ss_sp ? -EFAULT : 0;
}

static void fill_frame(struct sigframe *s, const struct trap_frame *f,
		       const struct uapi_siginfo *info, sigset mask,
		       const struct uapi_sigaltstack *alt)
{
	const struct fpu_state *fp;

	memset(s, 0, sizeof(*s));
	s->info = *info;
	s->uc_stack = *alt;
	if (on_altstack(alt, f->sp))
		s->uc_stack.ss_flags |= SS_ONSTACK;
	s->uc_sigmask = mask;
	if (info->si_code > 0 && info->si_code != SI_KERNEL && info->si_signo != SIGCHLD)
		s->fault_address = info->si_addr;
	memcpy(s->regs, f->regs, sizeof(s->regs));
	s->sp = f->sp;
	s->pc = f->pc;
	s->pstate = f->pstate;
	fp = fpu_begin_read(current);
	s->fp = (struct fpsimd_record){
		.magic = FPSIMD_MAGIC,
		.size = sizeof(s->fp),
		.fpsr = fp->fpsr,
		.fpcr = fp->fpcr,
	};
	memcpy(s->fp.q, fp->q, sizeof(s->fp.q));
}

/* return_address - where a handler returns to: a C library may leave that to the vDSO. */
static u64 return_address(const struct uapi_sigaction *action)
{
	return action->flags & SA_RESTORER ? action->restorer : vdso_sigreturn(current->space);
}

/* arch_signal_push - see kernel/signal.h. */
int arch_signal_push(struct trap_frame *f, const struct uapi_sigaction *action,
		     const struct uapi_siginfo *info, sigset mask,
		     const struct uapi_sigaltstack *altstack)
{
	struct frame_record record = {f->regs[29], f->regs[30]};
	u64 frame_at, record_at;
	struct sigframe s;

	if (place_frame(f, action, altstack, &frame_at, &record_at))
		return -EFAULT;
	fill_frame(&s, f, info, mask, altstack);
	if (copy_to_user(frame_at, &s, sizeof(s)) ||
	    copy_to_user(record_at, &record, sizeof(record)))
		return -EFAULT;
	f->regs[0] = (u64)info->si_signo;
	f->regs[1] = frame_at;
	f->regs[2] = frame_at + offsetof(struct sigframe, uc_flags);
	f->regs[29] = record_at;
	f->regs[30] = return_address(action);
	f->sp = frame_at;
	f->pc = action->handler;
	f->pstate &= PSTATE_USER_BITS;
	frame_end_syscall(f);
	return 0;
}

/* arch_signal_pop - see kernel/signal.h. The FP record must come first, as we wrote it; a handler that
 * moves records about is not supported. */
int arch_signal_pop(struct trap_frame *f, sigset *mask, struct uapi_sigaltstack *altstack)
{
	struct sigframe s;
	struct fpu_state *fp;

	if (!IS_ALIGNED(f->sp, 16) || copy_from_user(&s, f->sp, sizeof(s)))
		return -EFAULT;
	if (s.pstate & PSTATE_FORBIDDEN || s.fp.magic != FPSIMD_MAGIC || s.fp.size != sizeof(s.fp))
		return -EFAULT;
	fp = fpu_begin_write(current);
	fp->fpsr = s.fp.fpsr;
	fp->fpcr = s.fp.fpcr;
	memcpy(fp->q, s.fp.q, sizeof(fp->q));
	memcpy(f->regs, s.regs, sizeof(f->regs));
	f->sp = s.sp;
	f->pc = s.pc;
	f->pstate = s.pstate & PSTATE_USER_BITS;
	frame_end_syscall(f);
	*mask = s.uc_sigmask;
	*altstack = s.uc_stack;
	return 0;
}
