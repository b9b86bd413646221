/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the registers of interrupted code, as trap.S saves them on the kernel stack.
 *
 * The frame of a thread's last entry from user mode lies at the very top of its kernel stack
 * (arch_thread_frame). Frames of traps taken in kernel mode lie wherever the stack was.
 */
#pragma once

#define FRAME_SIZE    304
#define FRAME_SP      248
#define FRAME_PC      256
#define FRAME_ORIG_X0 272 /* and the number of the call */
#define FRAME_SYSCALL 280
#define FRAME_RECORD  288

#ifndef __ASSEMBLY__

#include <quire/types.h>
#include <arch/sysreg.h>

struct trap_frame {
	u64 regs[31]; /* x0 .. x30 */
	u64 sp;
	u64 pc;      /* ELR_EL1 */
	u64 pstate;  /* SPSR_EL1 */
	u64 orig_x0; /* first argument of the system call, which its result overwrites */
	s64 syscall; /* number of the system call; -1: entered for another reason */
	u64 record
		[2]; /* frame record { x29, pc }, so that backtraces cross the trap; {0, 0}: from user */
};

_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "trap.S");
_Static_assert(offsetof(struct trap_frame, sp) == FRAME_SP, "trap.S");
_Static_assert(offsetof(struct trap_frame, pc) == FRAME_PC, "trap.S");
_Static_assert(offsetof(struct trap_frame, orig_x0) == FRAME_ORIG_X0, "trap.S");
_Static_assert(offsetof(struct trap_frame, syscall) == FRAME_SYSCALL, "trap.S");
_Static_assert(offsetof(struct trap_frame, record) == FRAME_RECORD, "trap.S");
_Static_assert(FRAME_SIZE % 16 == 0, "SP stays aligned");

static inline bool frame_is_user(const struct trap_frame *f)
{
	return (f->pstate & SPSR_MODE_MASK) == SPSR_EL0T;
}

static inline vaddr_t frame_ip(const struct trap_frame *f)
{
	return f->pc;
}

static inline vaddr_t frame_sp(const struct trap_frame *f)
{
	return f->sp;
}

static inline vaddr_t frame_fp(const struct trap_frame *f)
{
	return f->regs[29];
}

static inline void frame_set_ip(struct trap_frame *f, vaddr_t ip)
{
	f->pc = ip;
}

static inline void frame_set_sp(struct trap_frame *f, vaddr_t sp)
{
	f->sp = sp;
}

/* frame_syscall_nr - the system call that this entry is for, -1 when it is none. */
static inline s64 frame_syscall_nr(const struct trap_frame *f)
{
	return f->syscall;
}

/* frame_syscall_arg - argument 0..5. */
static inline u64 frame_syscall_arg(const struct trap_frame *f, unsigned i)
{
	return i ? f->regs[i] : f->orig_x0;
}

static inline void frame_set_syscall_result(struct trap_frame *f, s64 result)
{
	f->regs[0] = (u64)result;
}

static inline s64 frame_syscall_result(const struct trap_frame *f)
{
	return (s64)f->regs[0];
}

/* frame_end_syscall - this entry is no longer a system call: nothing will be restarted. */
static inline void frame_end_syscall(struct trap_frame *f)
{
	f->syscall = -1;
}

/* frame_rewind_syscall - make the same system call again on return to user mode. */
static inline void frame_rewind_syscall(struct trap_frame *f)
{
	f->regs[0] = f->orig_x0;
	f->pc -= 4;
	f->syscall = -1;
}

/* frame_init_user - the registers with which a new program starts: all zero but these two. */
void frame_init_user(struct trap_frame *, vaddr_t ip, vaddr_t sp);

/* frame_print - all registers through printk_raw: for panics. */
void frame_print(const struct trap_frame *);

#endif
