/* SPDX-License-Identifier: MIT */
/*
 * signal.c - the frame through which a signal handler is entered and left.
 *
 * User stack, from the handler's sp upwards: struct sigframe (the layout is the ABI: siginfo, ucontext with
 * room for 4096 bytes of extension records), then a frame record so that backtraces reach the
 * interrupted code. Extension records are {magic, size} blocks ended by a null one; ours are the FP state and, for
 * faults, the exception syndrome.
 *
 * What sigreturn reads back comes from the program and is not trusted: it may be in any order, but must be well formed;
 * of PSTATE only what a program may choose is taken.
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
#define ESR_MAGIC     0x45535201u
#define EXTRA_MAGIC   0x45585401u
#define FRAME_MAX     65536 /* bytes, with all records */
#define RESERVED_SIZE 4096
/* What a program may choose of PSTATE: the condition flags, DIT and SSBS. */
#define PSTATE_USER_BITS (0xf0000000ul | BIT(24) | BIT(12))
#define PSTATE_FORBIDDEN (SPSR_MODE_MASK | SPSR_D | SPSR_A | SPSR_I | SPSR_F)

struct record_head {
	u32 magic, size;
};

struct esr_record {
	u32 magic, size;
	u64 esr;
};

/* Says that more records follow elsewhere: right behind the null record after it. */
struct extra_record {
	u32 magic, size;
	u64 at;
	u32 bytes, unused[3];
};

struct fpsimd_record {
	u32 magic, size;
	u32 fpsr, fpcr;
	u64 q[64];
};

struct sigframe_context { /* the beginning of ucontext */
	u64 flags, link;
	struct uapi_sigaltstack stack;
	u64 mask;
};

struct sigframe { /* followed by the rest of the reserved area */
	struct uapi_siginfo info;
	u8 info_rest[SIGINFO_SIZE - sizeof(struct uapi_siginfo)];
	struct sigframe_context uc;
	u8 unused[120];
	/* sigcontext, 16-byte aligned */
	u64 fault_address ALIGNED(16);
	u64 regs[31];
	u64 sp, pc, pstate;
	/* extension records, 16-byte aligned */
	struct fpsimd_record fp ALIGNED(16);
	struct esr_record esr; /* of faults; for other signals all is zero, which ends the list */
	u32 end_magic, end_size;
};
BUILD_ASSERT(offsetof(struct sigframe, fault_address) == 304, "the ABI's layout");
BUILD_ASSERT(offsetof(struct sigframe, fp) == 592, "the ABI's layout");
BUILD_ASSERT(sizeof(struct fpsimd_record) == 528, "the ABI's layout");

/* The registers are the first fields of a trap frame, in the same order. */
#define SIGFRAME_REGS_SIZE (34 * sizeof(u64))
BUILD_ASSERT(offsetof(struct sigframe, pstate) + 8 - offsetof(struct sigframe, regs) ==
		     SIGFRAME_REGS_SIZE,
	     "as in struct trap_frame");
BUILD_ASSERT(offsetof(struct trap_frame, pstate) + 8 == SIGFRAME_REGS_SIZE,
	     "as in struct sigframe");
BUILD_ASSERT(offsetof(struct sigframe, fp) - offsetof(struct sigframe, regs) == 280, "uaccess.S");

#define SIGFRAME_SIZE (offsetof(struct sigframe, fp) + RESERVED_SIZE)

struct frame_record {
	u64 fp, lr;
};

/* arch_min_signal_stack - see arch/elf.h. */
u64 arch_min_signal_stack(void)
{
	return SIGFRAME_SIZE + sizeof(struct frame_record) + 16; /* and alignment */
}

/* place_frame - choose the new stack pointer and where the frame record goes. */
static int place_frame(const struct trap_frame *f, const struct uapi_sigaction *action,
		       const struct uapi_sigaltstack *alt, u64 *frame, u64 *record)
{
	bool inside = signal_on_altstack(alt, f->sp);
	bool enter = (action->flags & SA_ONSTACK) && alt->ss_size &&
		     !(alt->ss_flags & SS_DISABLE) && !inside;
	u64 top = enter ? alt->ss_sp + alt->ss_size : f->sp;

	*record = ALIGN_DOWN(top - sizeof(struct frame_record), 16);
	*frame = *record - SIGFRAME_SIZE;
	if (*frame > top) /* wrapped */
		return -EFAULT;
	return (enter || inside) && *frame < alt->ss_sp ? -EFAULT : 0;
}

static bool is_fault(const struct uapi_siginfo *info)
{
	switch (info->si_signo) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
		return info->si_code > 0 && info->si_code != SI_KERNEL;
	default:
		return false;
	}
}

#define FP_HEAD (FPSIMD_MAGIC | (u64)sizeof(struct fpsimd_record) << 32)

/* fp_hold - for as long as the current thread runs, its FP state is in the registers. */
static inline void fp_hold(void)
{
	if (unlikely(READ_ONCE(current->work) & THREAD_WORK_FPU))
		fpu_load_current();
}

#define FRAME_FIELD(at, field) ((at) + offsetof(struct sigframe, field))

/* These are words of the frame; the range has been checked. They go to `fault`. */
#define STORE(at, value) user_store_u64(at, 0, value, fault)
#define STORE_CONTEXT(field, value) \
	user_store_u64(uc, offsetof(struct sigframe_context, field), value, fault)
#define LOAD_CONTEXT(field, value) \
	user_load_u64(value, uc, offsetof(struct sigframe_context, field), fault)

/* words_push - all but the registers. Zeroes end the list of records. What is unused of the frame is left alone. */
static inline int words_push(vaddr_t at, const struct uapi_siginfo *info, sigset mask,
			     const struct uapi_sigaltstack *alt)
{
	vaddr_t uc = FRAME_FIELD(at, uc), esr = FRAME_FIELD(at, esr);
	bool fault_known = is_fault(info);

	user_access_begin();
	STORE_CONTEXT(flags, 0);
	STORE_CONTEXT(link, 0);
	STORE_CONTEXT(stack.ss_sp, alt->ss_sp);
	STORE_CONTEXT(stack.ss_flags, (u32)alt->ss_flags);
	STORE_CONTEXT(stack.ss_size, alt->ss_size);
	STORE_CONTEXT(mask, mask);
	STORE(FRAME_FIELD(at, fault_address), fault_known ? info->si_addr : 0);
	STORE(FRAME_FIELD(at, fp), FP_HEAD);
	if (fault_known) {
		STORE(esr, ESR_MAGIC | (u64)sizeof(struct esr_record) << 32);
		STORE(esr + offsetof(struct esr_record, esr), current->arch.esr);
		esr += sizeof(struct esr_record);
	}
	STORE(esr, 0);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static inline int record_push(vaddr_t at, const struct trap_frame *f)
{
	user_access_begin();
	STORE(at, f->regs[29]);
	STORE(at + 8, f->regs[30]);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
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
	u64 frame_at, record_at;

	if (unlikely(place_frame(f, action, altstack, &frame_at, &record_at) ||
		     !user_range_ok(frame_at, SIGFRAME_SIZE + sizeof(struct frame_record))))
		return -EFAULT;
	lock_assert_user_access();
	fp_hold();
	if (unlikely(user_frame_store(FRAME_FIELD(frame_at, regs), f) ||
		     words_push(frame_at, info, mask, altstack) || record_push(record_at, f)))
		return -EFAULT;
	if (action->flags & SA_SIGINFO) {
		if (siginfo_to_user(frame_at, info))
			return -EFAULT;
		f->regs[1] = frame_at;
		f->regs[2] = frame_at + offsetof(struct sigframe, uc);
	}
	f->regs[0] = (u64)info->si_signo;
	f->regs[29] = record_at;
	f->regs[30] = return_address(action);
	f->sp = frame_at;
	f->pc = action->handler;
	f->pstate &= PSTATE_USER_BITS;
	return 0;
}

/* follow_extra - go on with the records that an extra record at *at points to. */
static int follow_extra(vaddr_t *at, vaddr_t *end, vaddr_t frame)
{
	struct extra_record extra;
	struct record_head null;
	vaddr_t behind = *at + sizeof(extra);

	if (behind + 16 > *end || copy_from_user(&extra, *at, sizeof(extra)) ||
	    copy_from_user(&null, behind, sizeof(null)))
		return -EFAULT;
	if (extra.size != sizeof(extra) || null.magic || null.size || extra.at != behind + 16)
		return -EFAULT;
	if (!IS_ALIGNED(extra.bytes, 16) || extra.bytes > FRAME_MAX - (extra.at - frame) ||
	    !user_range_ok(extra.at, extra.bytes))
		return -EFAULT;
	*at = extra.at;
	*end = extra.at + extra.bytes;
	return 0;
}

union record_word {
	struct {
		u32 magic, size;
	};
	u64 word;
};

static inline int head_load(vaddr_t at, union record_word *head)
{
	user_access_begin();
	user_load_u64(head->word, at, 0, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* find_fp - the FP record among all that the frame at sp has, whose reserved area is below USER_TOP. -EFAULT: not exactly
 * one, or the list is damaged. */
static int find_fp(vaddr_t sp, vaddr_t *fp)
{
	vaddr_t at = sp + offsetof(struct sigframe, fp), end = at + RESERVED_SIZE;
	union record_word head;
	bool extra = false;

	for (*fp = 0;; at += head.size) {
		if (end - at < sizeof(head) || !IS_ALIGNED(at, 16) || head_load(at, &head))
			return -EFAULT;
		if (!head.magic)
			return head.size || !*fp ? -EFAULT : 0;
		if (head.size < sizeof(head) || head.size > end - at)
			return -EFAULT;
		if (head.magic == FPSIMD_MAGIC) {
			if (*fp || head.size != sizeof(struct fpsimd_record))
				return -EFAULT;
			*fp = at;
		} else if (head.magic == EXTRA_MAGIC) {
			if (extra || follow_extra(&at, &end, sp))
				return -EFAULT;
			extra = true;
			head.size = 0;
		} else if (head.magic != ESR_MAGIC) {
			return -EFAULT;
		}
	}
}

/* context_pop - what belongs to signals, and PSTATE as the frame says. */
static inline int context_pop(vaddr_t at, sigset *mask, struct uapi_sigaltstack *alt, u64 *pstate)
{
	vaddr_t uc = FRAME_FIELD(at, uc);
	u64 flags;

	user_access_begin();
	LOAD_CONTEXT(stack.ss_sp, alt->ss_sp);
	LOAD_CONTEXT(stack.ss_flags, flags);
	LOAD_CONTEXT(stack.ss_size, alt->ss_size);
	LOAD_CONTEXT(mask, *mask);
	user_load_u64(*pstate, FRAME_FIELD(at, pstate), 0, fault);
	user_access_end();
	alt->ss_flags = (s32)flags;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* arch_signal_pop - see kernel/signal.h. PSTATE is never what the frame says but after a check, not even for a moment. */
int arch_signal_pop(struct trap_frame *f, sigset *mask, struct uapi_sigaltstack *altstack)
{
	vaddr_t at = f->sp, fp;
	u64 pstate;

	if (unlikely(!IS_ALIGNED(at, 16) || !user_range_ok(at, SIGFRAME_SIZE)))
		return -EFAULT;
	lock_assert_user_access();
	if (unlikely(context_pop(at, mask, altstack, &pstate) || pstate & PSTATE_FORBIDDEN ||
		     find_fp(at, &fp)))
		return -EFAULT;
	fp_hold();
	if (unlikely(user_frame_load(fp, FRAME_FIELD(at, regs), f)))
		return -EFAULT;
	f->pstate = pstate & PSTATE_USER_BITS;
	return 0;
}
