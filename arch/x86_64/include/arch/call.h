/* SPDX-License-Identifier: MIT */
/*
 * call.h - calls that a fast path makes only now and then.
 *
 * A compiler that sees a call in a function keeps what it needs afterwards in registers that calls preserve, and saves those
 * on entry, whether or not it comes to the call. For a call that it does not see, to a stub that preserves all registers but
 * the one with the value, nothing is saved.
 */
#pragma once

/* RARE_FUNCTION - in one source file: make fn, which has one or two arguments that are integers or pointers, callable
 * by rare_call. If it is static, it is USED and NOINLINE. */
#define RARE_FUNCTION(fn)                                                           \
	__asm__(".pushsection .text.unlikely, \"ax\"\n"                             \
		".globl rarely_" #fn "\n"                                           \
		"rarely_" #fn ":\n"                                                 \
		"pushq %rbp; movq %rsp, %rbp; pushq %rcx; pushq %rdx; pushq %rsi\n" \
		"pushq %rdi; pushq %r8; pushq %r9; pushq %r10; pushq %r11\n"        \
		"call " #fn "\n"                                                    \
		"popq %r11; popq %r10; popq %r9; popq %r8; popq %rdi; popq %rsi\n"  \
		"popq %rdx; popq %rcx; popq %rbp; ret\n"                            \
		".popsection")

/* rare_call - fn(arguments). */
#define RARE_ARGUMENTS(a, b, ...) "D"((unsigned long)(a)), "S"((unsigned long)(b))
#define rare_call(fn, ...)                                           \
	({                                                           \
		unsigned long value;                                 \
                                                                     \
		__asm__ volatile("call rarely_" #fn                  \
				 : "=a"(value)                       \
				 : RARE_ARGUMENTS(__VA_ARGS__, 0, 0) \
				 : "memory", "cc");                  \
		(__typeof__(fn(__VA_ARGS__)))value;                  \
	})
