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

#define FRAME_R9     0x00
#define FRAME_R8     0x08
#define FRAME_R10    0x10
#define FRAME_RDX    0x18
#define FRAME_RSI    0x20
#define FRAME_RDI    0x28
#define FRAME_R15    0x30
#define FRAME_R14    0x38
#define FRAME_R13    0x40
#define FRAME_R12    0x48
#define FRAME_RBP    0x50
#define FRAME_RBX    0x58
#define FRAME_R11    0x60
#define FRAME_RCX    0x68
#define FRAME_RAX    0x70
#define FRAME_VECTOR 0x78
#define FRAME_ERROR  0x80
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

#define TRAP_SYSCALL 0x100 /* frame.vector of what was no exception */

#ifndef __ASSEMBLY__
#include <quire/types.h>

struct trap_frame {
	u64 r9, r8, r10, rdx, rsi, rdi; /* what a system call has to put back */
	u64 r15, r14, r13, r12, rbp, rbx, r11, rcx, rax;
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

/* frame_syscall_nr - the number of the system call that this entry is for; the upper half of the register does not count. */
static inline u32 frame_syscall_nr(const struct trap_frame *f)
{
	return (u32)f->error;
}

static inline void frame_set_syscall_result(struct trap_frame *f, s64 result)
{
	f->rax = (u64)result;
}

/* frame_rewind_syscall - make the same system call again on return to user mode. */
static inline void frame_rewind_syscall(struct trap_frame *f)
{
	f->rax = f->error;
	f->rip -= 2; /* the length of the instruction */
}

/* frame_init_user - registers of a program at its first instruction: all zero but ip and sp. */
void frame_init_user(struct trap_frame *, vaddr_t ip, vaddr_t sp);

/* frame_print - all registers through printk_raw, for the panic path. */
void frame_print(const struct trap_frame *);
#endif
