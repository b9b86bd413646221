/* SPDX-License-Identifier: MIT */
/*
 * random.h - unpredictable numbers: ChaCha20 run as a generator with fast key erasure.
 *
 * The key is mixed from what the firmware handed over, the CPU's own generator where there is one, and
 * the timing of early events. Each request derives the next key first, so that a later
 * leak of the state does not tell what was handed out before.
 */
#pragma once

#include <quire/types.h>

/* random_init - mix in the boot seed. Boot CPU, after the clock runs. */
void random_init(void);
/* random_add - stir in n bytes of whatever; harmless when they are predictable. Any context but NMI. */
void random_add(const void *data, size_t n);
/* random_bytes - fill a buffer. Never fails, never sleeps. */
void random_bytes(void *out, size_t n);
u64 random_u64(void);
/* random_is_seeded - at least 32 bytes came from a real source. */
bool random_is_seeded(void);
/* random_credit - so many of the bytes that were added come from a real source. */
void random_credit(u32 bytes);
/* random_wait_seeded - until it is: sys_random.c. 0, or -EINTR for a signal. Sleeps. */
int random_wait_seeded(void);
