/* SPDX-License-Identifier: MIT */
/*
 * trap.h - the registers of whatever was interrupted, as the entry code saves them.
 *
 * Every entry into the kernel (exception, interrupt, system call) builds one trap_frame; for entries
 * from user mode it lies at the very top of the thread's kernel stack (arch_thread_frame). Changing
 * the frame changes what user mode continues with. cs and ss never change: only 64-bit programs run.
 *
 * Read next: arch/x86_64/trap.S builds it, trap.c and kernel/syscall.c use it.
 */
#pragma once

#define FRAME_R11    0x30
#define FRAME_RAX    0x50
#define FRAME_RCX    0x58
#define FRAME_VECTOR 0x78
#define FRAME_RIP    0x88
#define FRAME_CS     0x90
#define FRAME_RFLAGS 0x98
#define FRAME_RSP    0xa0
#define FRAME_SIZE   0xb0

#define TRAP_DE  0
#define TRAP_DB  1
#define TRAP_NMI 2
#define TRAP_BP  3
#define TRAP_UD  6
#define TRAP_NM  7
#define TRAP_DF  8
#define TRAP_NP  11
#define TRAP_SS  12
#define TRAP_GP  13
#define TRAP_PF  14
#define TRAP_MF  16
#define TRAP_AC  17
#define TRAP_MC  18
#define TRAP_XM  19

#define TRAP_SYSCALL 0x100 /* frame.vector of a system call */
#define TRAP_SYSCALL_DONE \
	0x101 /* of one that must not be restarted, or whose frame was changed: syscall.S */

#ifndef __ASSEMBLY__
#include <quire/types.h>

struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector; /* exception or interrupt vector, TRAP_SYSCALL */
	u64 error;  /* exception: error code or 0; system call: rax, its number */
	u64 rip, cs, rflags, rsp, ss;
};

static inline bool frame_is_user(const struct trap_frame *f)
{
	return f->cs & 3;
}

static inline vaddr_t frame_ip(const struct trap_frame *f)
{
	return f->rip;
}

static inline vaddr_t frame_sp(const struct trap_frame *f)
{
	return f->rsp;
}

static inline vaddr_t frame_fp(const struct trap_frame *f)
{
	return f->rbp;
}

static inline void frame_set_ip(struct trap_frame *f, vaddr_t ip)
{
	f->rip = ip;
}

static inline void frame_set_sp(struct trap_frame *f, vaddr_t sp)
{
	f->rsp = sp;
}

/* frame_syscall_nr - the system call that this entry is for, -1 when it is none. */
static inline s64 frame_syscall_nr(const struct trap_frame *f)
{
	return f->vector == TRAP_SYSCALL ? (s32)f->error : -1; /* the upper half is ignored */
}

/* frame_syscall_arg - argument 0..5. */

static inline u64 frame_syscall_arg(const struct trap_frame *f, unsigned i)
{
	switch (i) {
	case 0:
		return f->rdi;
	case 1:
		return f->rsi;
	case 2:
		return f->rdx;
	case 3:
		return f->r10;
	case 4:
		return f->r8;
	default:
		return f->r9;
	}
}

static inline void frame_set_syscall_result(struct trap_frame *f, s64 result)
{
	f->rax = (u64)result;
}

static inline s64 frame_syscall_result(const struct trap_frame *f)
{
	return (s64)f->rax;
}

/* frame_end_syscall - this entry is no longer a system call: nothing will be restarted. */
static inline void frame_end_syscall(struct trap_frame *f)
{
	f->vector = TRAP_SYSCALL_DONE;
}

/* frame_rewind_syscall - make the same system call again on return to user mode. */
static inline void frame_rewind_syscall(struct trap_frame *f)
{
	f->rax = f->error;
	f->rip -= 2; /* the length of the instruction */
	f->vector = TRAP_SYSCALL_DONE;
}

/* frame_init_user - registers of a program at its first instruction: all zero but ip and sp. */
void frame_init_user(struct trap_frame *, vaddr_t ip, vaddr_t sp);

/* frame_print - all registers through printk_raw, for the panic path. */
void frame_print(const struct trap_frame *);
#endif
