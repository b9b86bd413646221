/* SPDX-License-Identifier: MIT */
/* save.h - the general registers of a trap frame, in and out. Private to arch/x86_64; assembler only. */
#pragma once

/* clang-format off */
/* Above them, the vector has just been pushed. */
.macro SAVE_REGISTERS
	pushq	%rax
	pushq	%rcx
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%r10
	pushq	%r8
	pushq	%r9
.endm

.macro RESTORE_REGISTERS
	popq	%r9
	popq	%r8
	popq	%r10
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%rcx
	popq	%rax
.endm
