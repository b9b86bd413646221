/* SPDX-License-Identifier: MIT */
/* test_random.c - the random generator: the published test vector, and that nothing is handed out twice. */
#include <arch/cpu.h>
#include "boot/boot_info.h"
#include "kernel/time.h"
#include "tests/host/harness.h"

bool arch_random_get(u64 *out); /* the host has none */
#include "kernel/random.c"      /* for the block function */

struct boot_info boot_info;
static u64 now;

u64 arch_clock_ns(void)
{
	return now++;
}

bool arch_random_get(u64 *out)
{
	(void)out;
	return false;
}

unsigned long spin_lock_irqsave(struct spinlock *l)
{
	EXPECT(!l->holder);
	l->holder = 1;
	return 0;
}

void spin_unlock_irqrestore(struct spinlock *l, unsigned long irq)
{
	(void)irq;
	l->holder = 0;
}

/* RFC 8439, section 2.3.2. */
TEST(block_is_chacha20)
{
	static const u32 want[16] = {
		0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033,
		0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
		0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
	};
	u32 key[8], nonce[4] = {1, 0x09000000, 0x4a000000, 0}, out[16];
	u8 bytes[32];

	for (int i = 0; i < 32; i++)
		bytes[i] = (u8)i;
	memcpy(key, bytes, sizeof(key));
	chacha20_block(key, nonce, out);
	EXPECT(!memcmp(out, want, sizeof(want)));
}

/* Whoever sees all of the state cannot tell what was given out before. */
TEST(what_was_given_out_is_not_in_the_state)
{
	u32 before[KEY_WORDS];

	random_init();
	memcpy(before, state.key, sizeof(before));
	for (int i = 0; i < 40; i++) {
		u64 x = random_u64();

		EXPECT(!memmem(&state, sizeof(state), &x, sizeof(x)));
	}
	EXPECT(memcmp(before, state.key, sizeof(before)));
}

TEST(no_two_requests_give_the_same)
{
	u64 seen[64];

	random_init();
	for (int i = 0; i < 64; i++) {
		seen[i] = random_u64();
		for (int j = 0; j < i; j++)
			EXPECT(seen[i] != seen[j]);
	}
}

TEST(input_changes_the_key_and_voids_what_is_kept)
{
	u32 before[KEY_WORDS];
	u8 kept[sizeof(state.kept)];

	random_init();
	random_u64();
	memcpy(before, state.key, sizeof(before));
	memcpy(kept, state.kept, sizeof(kept));
	random_add("x", 1);
	EXPECT(memcmp(before, state.key, sizeof(before)));
	EXPECT(memcmp(kept + sizeof(kept) - 32, state.kept + sizeof(kept) - 32, 32));
}

TEST(seed_decides_what_comes_out)
{
	u64 a, b;

	memset(&state.key, 0, sizeof(state.key));
	state.counter = now = 0;
	boot_info.rng_seed_len = 64;
	random_init();
	EXPECT(random_is_seeded());
	a = random_u64();
	memset(&state.key, 0, sizeof(state.key));
	state.counter = now = 0;
	boot_info.rng_seed[63] = 1;
	random_init();
	b = random_u64();
	EXPECT(a != b);
}

TEST(every_length_is_filled_and_no_more)
{
	u8 buf[300];

	for (size_t n = 0; n < 290; n++) {
		unsigned zeroes = 0;

		memset(buf, 0, sizeof(buf));
		random_bytes(buf + 4, n);
		for (size_t i = 0; i < n; i++)
			zeroes += !buf[4 + i];
		EXPECT(zeroes <= 2 + n / 32);
		EXPECT(!buf[3] && !buf[4 + n]);
	}
}
