/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the registers of interrupted code, as trap.S saves them on the kernel stack.
 *
 * The frame of a thread's last entry from user mode lies at the very top of its kernel stack
 * (arch_thread_frame). Frames of traps taken in kernel mode lie wherever the stack was.
 */
#pragma once

#define FRAME_X30     240
#define FRAME_SP      248
#define FRAME_PC      256
#define FRAME_RECORD  272
#define FRAME_ORIG_X0 288
#define FRAME_THREAD  296 /* above a thread's user registers: a pointer to it (thread.c) */
#define FRAME_ROOM    304 /* for both */

#ifndef __ASSEMBLY__

#include <quire/types.h>
#include <arch/sysreg.h>

struct trap_frame {
	u64 regs[31]; /* x0 .. x30 */
	u64 sp;
	u64 pc;        /* ELR_EL1 */
	u64 pstate;    /* SPSR_EL1 */
	u64 record[2]; /* from the kernel: frame record { x29, pc }, for backtraces */
	u64 orig_x0;   /* of a system call that has a result in x0: its first argument */
};

_Static_assert(sizeof(struct trap_frame) == FRAME_THREAD, "trap.S");
_Static_assert(offsetof(struct trap_frame, regs[30]) == FRAME_X30, "trap.S");
_Static_assert(offsetof(struct trap_frame, sp) == FRAME_SP, "trap.S");
_Static_assert(offsetof(struct trap_frame, pc) == FRAME_PC, "trap.S");
_Static_assert(offsetof(struct trap_frame, orig_x0) == FRAME_ORIG_X0, "trap.S");
_Static_assert(offsetof(struct trap_frame, record) == FRAME_RECORD, "trap.S");
_Static_assert(FRAME_ROOM % 16 == 0, "SP stays aligned");

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

/* frame_syscall_nr - the number of the system call that this entry is for; the upper half of the register does not count. */
static inline u32 frame_syscall_nr(const struct trap_frame *f)
{
	return (u32)f->regs[8];
}

static inline void frame_set_syscall_result(struct trap_frame *f, s64 result)
{
	f->regs[0] = (u64)result;
}

/* frame_rewind_syscall - make the same system call again on return to user mode. */
static inline void frame_rewind_syscall(struct trap_frame *f)
{
	f->regs[0] = f->orig_x0;
	f->pc -= 4;
}

/* frame_init_user - the registers with which a new program starts: all zero but these two. */
void frame_init_user(struct trap_frame *, vaddr_t ip, vaddr_t sp);

/* frame_print - all registers through printk_raw: for panics. */
void frame_print(const struct trap_frame *);

#endif
