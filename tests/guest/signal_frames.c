/* SPDX-License-Identifier: MIT */
/*
 * signal_frames.c - what a signal handler finds about the interrupted code, and frames that a program spoils before
 * it returns through them: the worst that may happen is that the program dies of SIGSEGV.
 */
#include "ktap.h"
#include <stdint.h>
#include <ucontext.h>

typedef void (*mutator)(ucontext_t *uc, unsigned n);

static mutator mutate;
static unsigned variant;
static volatile int handled;

static void spoil(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	handled = 1;
	mutate(context, variant);
}

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

	ASSERT_EQ(sigaction(sig, &sa, NULL), 0);
}

static void run_spoiled(void *unused)
{
	(void)unused;
	install(SIGUSR1, spoil, 0);
	raise(SIGUSR1);
	_exit(handled ? 0 : 9);
}

/* outcome - 0: went on; else the signal that ended it. */
static int outcome(mutator m, unsigned n)
{
	mutate = m;
	variant = n;
	int status = ktap_fork_run(run_spoiled, NULL);

	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

#define EXPECT_LIVES(m, n) EXPECT_EQ(outcome(m, n), 0)
#define EXPECT_DIES(m, n)  EXPECT_EQ(outcome(m, n), SIGSEGV)

static void nothing(ucontext_t *uc, unsigned n)
{
	(void)uc;
	(void)n;
}

#ifdef __x86_64__

#define PC(uc)     ((uc)->uc_mcontext.gregs[REG_RIP])
#define SP(uc)     ((uc)->uc_mcontext.gregs[REG_RSP])
#define RESULT(uc) ((uc)->uc_mcontext.gregs[REG_RAX])

struct fp_note {
	uint32_t magic, extended_size;
	uint64_t features;
	uint32_t state_size;
};

static uint8_t *fp_area(ucontext_t *uc)
{
	return (uint8_t *)uc->uc_mcontext.fpregs;
}

static struct fp_note *fp_note(ucontext_t *uc)
{
	return (struct fp_note *)(fp_area(uc) + 464);
}

static bool has_xsave(ucontext_t *uc)
{
	return fp_note(uc)->magic == 0x46505853;
}

static void check_layout(ucontext_t *uc, unsigned n)
{
	struct fp_note *note = fp_note(uc);
	uint32_t end;

	(void)n;
	EXPECT_EQ((uintptr_t)fp_area(uc) % 64, 0);
	if (!has_xsave(uc))
		return;
	memcpy(&end, fp_area(uc) + note->state_size, sizeof(end));
	EXPECT_EQ(end, 0x46505845);
	EXPECT_EQ(note->extended_size, note->state_size + 4);
	EXPECT_EQ(note->features & 3, 3);
	EXPECT_EQ(uc->uc_flags & 1, 1);
	uint64_t *header = (uint64_t *)(fp_area(uc) + 512);
	EXPECT_EQ(header[0] & 3, 3);
	EXPECT_EQ(header[0] & ~note->features, 0);
	EXPECT_EQ(header[1], 0);
}

static void spoil_fp(ucontext_t *uc, unsigned n)
{
	uint8_t *area = fp_area(uc);
	uint64_t *header = (uint64_t *)(area + 512);
	uint32_t bad = 0xffffffff;

	if (n >= 10 && !has_xsave(uc))
		raise(SIGSEGV); /* as expected of those below */
	switch (n) {
	case 0: /* MXCSR's reserved bits */
		memcpy(area + 24, &bad, 4);
		break;
	case 1:
		uc->uc_mcontext.fpregs = (void *)8;
		break;
	case 2:
		uc->uc_mcontext.fpregs = (void *)0xffff800000000000;
		break;
	case 3:
		uc->uc_mcontext.fpregs = (void *)(area + 1);
		break;
	case 10:
		header[0] |= 1ull << 62;
		break;
	case 11:
		header[1] = 1ull << 63;
		break;
	case 12:
		header[2] = 1;
		break;
	}
}

static void harmless_fp(ucontext_t *uc, unsigned n)
{
	uint8_t *area = fp_area(uc);
	struct fp_note *note = fp_note(uc);

	switch (n) {
	case 0:
		uc->uc_mcontext.fpregs = NULL;
		break;
	case 1:
		note->magic = 1;
		break;
	case 2:
		note->state_size = 0xffffffff;
		break;
	case 3:
		note->extended_size = 0;
		break;
	case 4:
		memset(area + note->state_size, 0, 4);
		break;
	case 5:
		memset(area, 0xff, 24); /* x87 control words take anything */
		break;
	case 6:
		note->features = 3;
		break;
	}
}

/* spoil_registers - segments and flags are not the program's to choose. */
static void spoil_registers(ucontext_t *uc, unsigned n)
{
	greg_t *r = uc->uc_mcontext.gregs;

	switch (n) {
	case 0:
		r[REG_CSGSFS] = 0x0008; /* a kernel code segment: what it becomes is asked below */
		break;
	case 1:
		r[REG_EFL] |= 0x3000; /* IOPL */
		break;
	case 2:
		r[REG_EFL] &= ~0x200; /* interrupts off */
		break;
	case 3:
		r[REG_EFL] |= 0x4000 | 0x20000; /* NT, VM */
		break;
	}
}

static void bad_addresses(ucontext_t *uc, unsigned n)
{
	static const uint64_t values[] = {
		0x8000000000000000, 0xffff800000000000, 0x0000800000000000, 0xffffffffffffffff, 8,
		0x7ffffffff000};

	if (n < 6)
		PC(uc) = (greg_t)values[n];
	else
		SP(uc) = (greg_t)values[n - 6];
}

TEST(spoiled_fp_state_is_no_frame)
{
	/* The emulator's XRSTOR lets reserved bits of MXCSR pass, and so does a kernel that relies on it. */
	int end = outcome(spoil_fp, 0);
	EXPECT(end == 0 || end == SIGSEGV);
	for (unsigned n = 1; n < 4; n++)
		EXPECT_DIES(spoil_fp, n);
	for (unsigned n = 10; n < 13; n++)
		EXPECT_DIES(spoil_fp, n);
}

TEST(fp_state_may_be_absent_or_less)
{
	for (unsigned n = 0; n < 7; n++)
		EXPECT_LIVES(harmless_fp, n);
}

TEST(privileged_flags_and_segments_stay)
{
	for (unsigned n = 1; n < 4; n++)
		EXPECT_LIVES(spoil_registers, n);
	int end = outcome(spoil_registers, 0);
	EXPECT(end == 0 || end == SIGSEGV);
}

static volatile uint64_t flags_after;

TEST(no_io_privilege_through_a_frame)
{
	mutate = spoil_registers;
	variant = 1;
	install(SIGUSR1, spoil, 0);
	raise(SIGUSR1);
	__asm__ volatile("pushfq; popq %0" : "=r"(flags_after));
	EXPECT_EQ(flags_after & 0x3000, 0);
	EXPECT_EQ(flags_after & 0x200, 0x200);
}

TEST(addresses_that_are_none)
{
	for (unsigned n = 0; n < 12; n++)
		EXPECT_DIES(bad_addresses, n);
}

#else /* aarch64 */

#define PC(uc)     ((uc)->uc_mcontext.pc)
#define SP(uc)     ((uc)->uc_mcontext.sp)
#define RESULT(uc) ((uc)->uc_mcontext.regs[0])

struct record {
	uint32_t magic, size;
};

static struct record *first_record(ucontext_t *uc)
{
	return (struct record *)uc->uc_mcontext.__reserved;
}

static struct record *next_record(struct record *r)
{
	return (struct record *)((char *)r + r->size);
}

static struct record *find_record(ucontext_t *uc, uint32_t magic)
{
	for (struct record *r = first_record(uc); r->magic; r = next_record(r))
		if (r->magic == magic)
			return r;
	return NULL;
}

#define FPSIMD 0x46508001
#define ESR    0x45535201
#define EXTRA  0x45585401

static void check_layout(ucontext_t *uc, unsigned n)
{
	struct record *fp = find_record(uc, FPSIMD);

	(void)n;
	EXPECT(fp != NULL);
	EXPECT_EQ((uintptr_t)fp % 16, 0);
	EXPECT_EQ(fp->size, 528);
	EXPECT_EQ(uc->uc_mcontext.pstate & 0x3df, 0);
}

static void spoil_records(ucontext_t *uc, unsigned n)
{
	struct record *fp = find_record(uc, FPSIMD), *end = next_record(fp);

	switch (n) {
	case 0:
		fp->magic = 0;
		break;
	case 1:
		fp->size = 0;
		break;
	case 2:
		fp->size = 524;
		break;
	case 3:
		fp->magic = 0x12345678;
		break;
	case 4:
		fp->size = 0x7ffffff0;
		break;
	case 5: /* twice */
		memcpy(end, fp, 528);
		memset(next_record(end), 0, 16);
		break;
	case 6: /* a null record with a size */
		end->magic = 0;
		end->size = 16;
		break;
	case 7: /* extra records that are elsewhere */
		end->magic = EXTRA;
		end->size = 32;
		((uint64_t *)end)[1] = (uintptr_t)uc;
		((uint64_t *)end)[2] = 64;
		memset((char *)end + 32, 0, 16);
		break;
	case 8: /* records to the end of the room, and no null record */
		for (uintptr_t at = (uintptr_t)end; at < (uintptr_t)first_record(uc) + 4096;
		     at += 16)
			*(struct record *)at = (struct record){ESR, 16};
		break;
	case 9: /* misaligned */
		*end = (struct record){ESR, 24};
		break;
	}
}

static void harmless_records(ucontext_t *uc, unsigned n)
{
	struct record *fp = find_record(uc, FPSIMD), *end = next_record(fp);
	char copy[528];

	switch (n) {
	case 0: /* in another order */
		memcpy(copy, fp, sizeof(copy));
		*fp = (struct record){ESR, 16};
		memcpy(next_record(fp), copy, sizeof(copy));
		memset((char *)fp + 16 + 528, 0, 16);
		break;
	case 1:
		*end = (struct record){ESR, 16};
		memset(next_record(end), 0, 16);
		break;
	case 2: /* an extra record that leads to nothing right behind it */
		*end = (struct record){EXTRA, 32};
		((uint64_t *)end)[1] = (uintptr_t)end + 48;
		((uint64_t *)end)[2] = 16;
		memset((char *)end + 32, 0, 64);
		break;
	}
}

static void spoil_pstate(ucontext_t *uc, unsigned n)
{
	static const uint64_t bits[] = {4, 5, 8, 0xd, 0x10, 0x40, 0x80, 0x100, 0x200};

	uc->uc_mcontext.pstate |= bits[n];
}

static void harmless_pstate(ucontext_t *uc, unsigned n)
{
	(void)n;
	uc->uc_mcontext.pstate |= 0xf0000000;
}

static void bad_addresses(ucontext_t *uc, unsigned n)
{
	static const uint64_t values[] = {0x8000000000000000, 0xffff800000000000,
					  0x0100000000000000, 0xfffffffffffffffc, 8};

	if (n < 5)
		PC(uc) = values[n];
	else
		SP(uc) = values[n - 5];
}

TEST(spoiled_records_are_no_frame)
{
	for (unsigned n = 0; n < 10; n++)
		EXPECT_DIES(spoil_records, n);
}

TEST(records_may_be_in_any_order)
{
	for (unsigned n = 0; n < 3; n++)
		EXPECT_LIVES(harmless_records, n);
}

TEST(privileged_state_is_no_frame)
{
	for (unsigned n = 0; n < 9; n++)
		EXPECT_DIES(spoil_pstate, n);
	EXPECT_LIVES(harmless_pstate, 0);
}

TEST(addresses_that_are_none)
{
	for (unsigned n = 0; n < 10; n++)
		EXPECT_DIES(bad_addresses, n);
}

static void expect_syndrome(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct record *r = find_record(uc, ESR);

	(void)sig;
	if (!r || r->size != 16)
		_exit(1);
	uint64_t esr = ((uint64_t *)r)[1];
	/* A data abort from user mode, by a write, of a translation fault. */
	if (esr >> 26 != 0x24 || !(esr & 64) || (esr & 0x3c) != 4)
		_exit(2);
	_exit(uc->uc_mcontext.fault_address != (uintptr_t)info->si_addr ? 3 : 0);
}

static void store_at(void *p)
{
	install(SIGSEGV, expect_syndrome, 0);
	ktap_store(p, 1);
	_exit(9);
}

TEST(a_fault_tells_its_syndrome)
{
	EXPECT_CHILD_OK(store_at, 0x10);
	EXPECT_CHILD_OK(store_at, 0xffff000000001000);
}

#endif

TEST(frames_are_laid_out_as_the_abi_says)
{
	EXPECT_LIVES(check_layout, 0);
}

TEST(an_untouched_frame_goes_on)
{
	EXPECT_LIVES(nothing, 0);
}

/* --- numbers that the kernel has a use for ------------------------------------------------------ */

static long wanted_result;

static void set_result(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	RESULT(uc) = (typeof(RESULT(uc)))wanted_result;
}

/* kill_self_result - what the register holds when kill(getpid(), SIGUSR1) is over. */
static long kill_self_result(void)
{
#ifdef __x86_64__
	long result = 62;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "memory", "rcx", "r11");
	return result;
#else
	register long x0 __asm__("x0") = getpid(), x1 __asm__("x1") = SIGUSR1,
			 x8 __asm__("x8") = 129;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
	return x0;
#endif
}

TEST(a_frame_may_bring_back_any_result)
{
	install(SIGUSR1, set_result, 0);
	for (wanted_result = -520; wanted_result <= -500; wanted_result++)
		EXPECT_EQ(kill_self_result(), wanted_result);
	wanted_result = 0;
	EXPECT_EQ(kill_self_result(), 0);
}

/* --- sigreturn without a frame ------------------------------------------------------------------ */

static void sigreturn_now(void *sp)
{
#ifdef __x86_64__
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" ::"r"(sp) : "memory", "rax");
#else
	__asm__ volatile("mov sp, %0; mov x8, #139; svc #0" ::"r"(sp) : "memory", "x8");
#endif
	__builtin_unreachable();
}

static char zeroes[16384] __attribute__((aligned(16)));

TEST(sigreturn_from_anywhere_only_kills)
{
	static const uintptr_t places[] = {0,
					   8,
					   0x1000,
					   0x7fffffffe000,
					   0xffff800000000000,
					   0xfffffffffffffff0,
					   0x8000000000000000};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		EXPECT_DEATH(sigreturn_now, places[i], SIGSEGV);
	EXPECT_DEATH(sigreturn_now, zeroes + 64, SIGSEGV);
	memset(zeroes, 0xff, sizeof(zeroes));
	EXPECT_DEATH(sigreturn_now, zeroes + 64, SIGSEGV);
}

/* random_frame - a frame of noise: whatever it means, somebody else goes on. */
static void random_frame(void *seed)
{
	uint64_t x = (uintptr_t)seed * 0x9e3779b97f4a7c15ull + 1;

	signal(SIGALRM, SIG_DFL);
	for (size_t i = 0; i < sizeof(zeroes); i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		zeroes[i] = (char)x;
	}
	sigreturn_now(zeroes + 64);
}

TEST(noise_is_no_frame)
{
	for (uintptr_t seed = 0; seed < 40; seed++) {
		int status = ktap_fork_run(random_frame, (void *)seed);

		EXPECT(WIFSIGNALED(status));
	}
}

/* spoil_bits - flip one bit of the frame's first kilobyte, FP state included. */
static void spoil_bits(ucontext_t *uc, unsigned n)
{
	uint8_t *at = (uint8_t *)uc;

	at[n / 8] ^= (uint8_t)(1u << n % 8);
}

TEST_SECONDS(single_bits_of_a_frame_may_flip, 60)
{
	for (unsigned n = 0; n < 1200 * 8; n += 67) {
		int status;

		mutate = spoil_bits;
		variant = n;
		pid_t pid = fork();
		ASSERT(pid >= 0);
		if (pid == 0)
			run_spoiled(NULL);
		bool late;
		status = ktap_wait(pid, 5, &late); /* it may well loop for ever */
		EXPECT(late || WIFSIGNALED(status) || WIFEXITED(status));
	}
}

/* --- no room for the frame ---------------------------------------------------------------------- */

static char altstack[65536];

static void end_well(int sig)
{
	(void)sig;
	_exit(0);
}

static void signal_without_stack(void *unused)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof(altstack)};
	struct sigaction sa = {.sa_handler = end_well, .sa_flags = SA_ONSTACK};

	(void)unused;
	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	install(SIGUSR1, spoil, 0); /* not on the alternate stack */
	pid_t self = getpid();
#ifdef __x86_64__
	__asm__ volatile("mov $0x1000, %%rsp; mov $62, %%eax; syscall" ::"D"(self), "S"(SIGUSR1)
			 : "memory", "rax");
#else
	register long x0 __asm__("x0") = self, x1 __asm__("x1") = SIGUSR1, x8 __asm__("x8") = 129;
	__asm__ volatile("mov x9, #0x1000; mov sp, x9; svc #0" ::"r"(x0), "r"(x1), "r"(x8)
			 : "memory", "x9");
#endif
	_exit(9);
}

TEST(no_room_for_a_frame_is_a_fault_that_can_be_handled)
{
	EXPECT_CHILD_OK(signal_without_stack, NULL);
}

static void tiny_altstack(void *unused)
{
	stack_t ss = {.ss_sp = altstack + 32768, .ss_size = 0x1400};

	(void)unused;
	memset(altstack, 0x5a, sizeof(altstack));
	if (sigaltstack(&ss, NULL))
		_exit(0); /* refused, which is as good */
	mutate = nothing;
	install(SIGUSR1, spoil, SA_ONSTACK);
	raise(SIGUSR1);
	for (size_t i = 0; i < 32768; i++)
		if (altstack[i] != 0x5a)
			_exit(7); /* written below the stack */
	_exit(0);
}

TEST(nothing_is_written_below_an_alternate_stack)
{
	int status = ktap_fork_run(tiny_altstack, NULL);

	EXPECT(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
}

TEST_MAIN()
