/* SPDX-License-Identifier: MIT */
/* futex.h - futex operations and the robust list. */
#pragma once

#include <quire/types.h>

#define FUTEX_WAIT             0
#define FUTEX_WAKE             1
#define FUTEX_REQUEUE          3
#define FUTEX_CMP_REQUEUE      4
#define FUTEX_WAKE_OP          5
#define FUTEX_WAIT_BITSET      9
#define FUTEX_WAKE_BITSET      10
#define FUTEX_PRIVATE_FLAG     128
#define FUTEX_CLOCK_REALTIME   256
#define FUTEX_CMD_MASK         (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
#define FUTEX_BITSET_MATCH_ANY 0xffffffffu

/* One word of futex_waitv(2). */
struct uapi_futex_waitv {
	u64 val;
	u64 addr;
	u32 flags; /* FUTEX2_*: the size, which must be U32 */
	u32 reserved;
};
#define FUTEX2_SIZE_MASK 0x03u
#define FUTEX2_SIZE_U32  0x02u
#define FUTEX2_PRIVATE   FUTEX_PRIVATE_FLAG
#define FUTEX_WAITV_MAX  128

/* A robust mutex's word: owner's tid and two flags. */
#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3fffffffu

/* FUTEX_WAKE_OP: op << 28 | cmp << 24 | oparg << 12 | cmparg */
#define FUTEX_OP_SET         0
#define FUTEX_OP_ADD         1
#define FUTEX_OP_OR          2
#define FUTEX_OP_ANDN        3
#define FUTEX_OP_XOR         4
#define FUTEX_OP_OPARG_SHIFT 8
#define FUTEX_OP_CMP_EQ      0
#define FUTEX_OP_CMP_NE      1
#define FUTEX_OP_CMP_LT      2
#define FUTEX_OP_CMP_LE      3
#define FUTEX_OP_CMP_GT      4
#define FUTEX_OP_CMP_GE      5

/* The head that set_robust_list(2) names, in user memory: a ring of list nodes (each a pointer to the
 * next, its lowest bit set for a PI mutex), the distance from a node to its futex word, and
 * the node that is being inserted or removed right now. */
struct uapi_robust_list_head {
	u64 next;
	s64 futex_offset;
	u64 pending;
};
#define ROBUST_LIST_LIMIT 2048
