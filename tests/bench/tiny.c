/* SPDX-License-Identifier: MIT */
/*
 * tiny.c - the program that the benchmark executes: exits at once, without a C library.
 */
void _start(void);

__attribute__((noreturn)) void _start(void)
{
#ifdef __x86_64__
	register long nr __asm__("rax") = 231; /* exit_group */
	register long code __asm__("rdi") = 0;

	__asm__ volatile("syscall" : : "r"(nr), "r"(code) : "memory");
#else
	register long nr __asm__("x8") = 94;
	register long code __asm__("x0") = 0;

	__asm__ volatile("svc #0" : : "r"(nr), "r"(code) : "memory");
#endif
	__builtin_unreachable();
}
