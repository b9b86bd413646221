/* SPDX-License-Identifier: MIT */
/*
 * cpu_traps.c - what a program is told when the CPU refuses one of its instructions: signal, code, address.
 * And what a program may do by itself on this CPU.
 */
#include "ktap.h"
#include <setjmp.h>

static sigjmp_buf after_trap;
static siginfo_t told;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told = *info;
	siglongjmp(after_trap, 1);
}

static void catch_all(void)
{
	static char stack[65536];
	static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

/* EXPECT_TRAP - doing `what` raises this signal. Without: it raises none. */
#define EXPECT_TRAP(sig, code, addr, what)                             \
	do {                                                           \
		memset(&told, 0, sizeof(told));                        \
		catch_all();                                           \
		if (!sigsetjmp(after_trap, 1)) {                       \
			what;                                          \
		}                                                      \
		EXPECT_EQ(told.si_signo, sig);                         \
		EXPECT_EQ(told.si_code, code);                         \
		EXPECT_EQ((uintptr_t)told.si_addr, (uintptr_t)(addr)); \
	} while (0)
#define EXPECT_NO_TRAP(what) EXPECT_TRAP(0, 0, 0, what)

/* An instruction under a label of its own, whose address the trap should report. */
#define AT_LABEL(label, insn, ...) \
	__asm__ volatile(".globl " label "\n" label ": " insn __VA_ARGS__)

static void load(uintptr_t address)
{
	*(volatile char *)address;
}

static void store(uintptr_t address)
{
	*(volatile char *)address = 1;
}

static void call(uintptr_t address)
{
	((void (*)(void))address)();
}

TEST(null_pointers)
{
	EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, 0, load(0));
	EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, 16, store(16));
	EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, 0, call(0));
}

TEST(rights_of_the_program)
{
	static char data[1];
	static const char text[1] = {1};

	EXPECT_TRAP(SIGSEGV, SEGV_ACCERR, data, call((uintptr_t)data));
	EXPECT_TRAP(SIGSEGV, SEGV_ACCERR, text, store((uintptr_t)text));
	EXPECT_TRAP(SIGSEGV, SEGV_ACCERR, on_signal, store((uintptr_t)on_signal));
}

TEST(kernel_addresses)
{
	static const uintptr_t addresses[] = {
		0xffffffff80000000, 0xffffffff81000000, 0xfffffffffffff000,
		0xffff888000100000, 0xffff000040000000,
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
#ifdef __x86_64__
		if (addresses[i] < 0xffff800000000000)
			continue;
#endif
		EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, addresses[i], load(addresses[i]));
		EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, addresses[i], store(addresses[i]));
		EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, addresses[i], call(addresses[i]));
	}
}

TEST(unaligned_data_is_fine)
{
	char bytes[32] = {0};

	for (int i = 0; i < 16; i++)
		EXPECT_NO_TRAP(*(volatile uint64_t *)(bytes + i) = 1);
}

TEST(generated_code_runs)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(code != MAP_FAILED);
	for (unsigned i = 1; i <= 50; i++) { /* the same place again: no stale instruction */
#ifdef __x86_64__
		memcpy(code, (uint8_t[]){0xb8, (uint8_t)i, 0, 0, 0, 0xc3},
		       6); /* mov $i, %eax; ret */
#else
		code[0] = 0x52800000 | i << 5; /* mov w0, #i */
		code[1] = 0xd65f03c0;          /* ret */
#endif
		__builtin___clear_cache((char *)code, (char *)(code + 2));
		EXPECT_EQ(((unsigned (*)(void))code)(), i);
	}
}

#ifdef __x86_64__

extern char trap_ud2[], trap_div[];

TEST(instructions)
{
	EXPECT_TRAP(SIGILL, ILL_ILLOPN, trap_ud2, AT_LABEL("trap_ud2", "ud2"));
	EXPECT_TRAP(SIGTRAP, SI_KERNEL, 0, __asm__ volatile("int3"));
	EXPECT_TRAP(SIGFPE, FPE_INTDIV, trap_div,
		    AT_LABEL("trap_div", "divl %1",
			     :
			     : "a"(1), "r"(0), "d"(0)));
	EXPECT_TRAP(SIGSEGV, SI_KERNEL, 0, __asm__ volatile("hlt"));
	EXPECT_TRAP(SIGSEGV, SI_KERNEL, 0, __asm__ volatile("outb %al, $0x80"));
	EXPECT_TRAP(SIGSEGV, SI_KERNEL, 0, __asm__ volatile("mov %%cr3, %%rax" : : : "rax"));
	EXPECT_TRAP(SIGSEGV, SI_KERNEL, 0, __asm__ volatile("int $0x40"));
	EXPECT_NO_TRAP(__asm__ volatile("rdtsc" : : : "rax", "rdx"));
}

TEST(addresses_that_are_none)
{
	EXPECT_TRAP(SIGSEGV, SI_KERNEL, 0, load(0x4000000000000000));
	EXPECT_TRAP(SIGSEGV, SI_KERNEL, 0, store(0x1234567800000000));
}

#else

extern char trap_udf[], trap_brk[], trap_hvc[], trap_sctlr[], trap_daif[];

TEST(instructions)
{
	EXPECT_TRAP(SIGILL, ILL_ILLOPC, trap_udf, AT_LABEL("trap_udf", ".inst 0"));
	EXPECT_TRAP(SIGTRAP, TRAP_BRKPT, trap_brk, AT_LABEL("trap_brk", "brk #0"));
	EXPECT_TRAP(SIGILL, ILL_ILLOPC, trap_hvc, AT_LABEL("trap_hvc", "hvc #0"));
	EXPECT_TRAP(SIGILL, ILL_ILLOPC, trap_sctlr,
		    AT_LABEL("trap_sctlr", "mrs x9, sctlr_el1",
			     :
			     :
			     : "x9"));
	EXPECT_TRAP(SIGILL, ILL_ILLOPC, trap_daif, AT_LABEL("trap_daif", "msr daifset, #2"));
	EXPECT_TRAP(SIGBUS, BUS_ADRALN, (uintptr_t)on_signal + 2, call((uintptr_t)on_signal + 2));
}

TEST(exclusive_access_must_be_aligned)
{
	static uint64_t words[2];
	char *odd = (char *)words + 1;

	EXPECT_TRAP(SIGBUS, BUS_ADRALN, odd, __asm__ volatile("ldxr x9, [%0]" : : "r"(odd) : "x9"));
}

TEST(addresses_that_are_none)
{
	EXPECT_TRAP(SIGSEGV, SEGV_MAPERR, 0x0001000000000000, load(0x0001000000000000));
}

TEST(top_byte_of_an_address_is_ignored)
{
	volatile char x = 5;

	EXPECT_NO_TRAP(load((uintptr_t)&x | 0x5aull << 56));
	EXPECT_EQ(*(volatile char *)((uintptr_t)&x | 0x5aull << 56), 5);
}

TEST(registers_open_to_programs)
{
	static uint64_t v, before, after;

	EXPECT_NO_TRAP(__asm__ volatile("mrs %0, ctr_el0" : "=r"(v)));
	EXPECT_NO_TRAP(__asm__ volatile("mrs %0, dczid_el0" : "=r"(v)));
	EXPECT_NO_TRAP(__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(v)));
	EXPECT_NO_TRAP(__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(before)));
	ktap_sleep_ns(1000000);
	EXPECT_NO_TRAP(__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(after)));
	EXPECT(after > before);
	/* The kernel borrows this one on the way in: nothing of it may be left. */
	for (int i = 0; i < 1000; i++) {
		__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(v));
		EXPECT_EQ(v, 0);
		sched_yield();
	}
	EXPECT_NO_TRAP(__asm__ volatile("yield; sevl; wfe"));
}

#endif

TEST_MAIN()
