/* SPDX-License-Identifier: MIT */
/*
 * random.c - the generator: ChaCha20 (RFC 8439) with a key that is replaced on every use.
 *
 * A refill makes some blocks with the present key: their first 32 bytes are the next key, the others are kept
 * for small requests, which erase what they take. So neither what was given out nor what will be can
 * be told from the other. A large request takes 32 of these bytes as a key of its own and makes its
 * blocks with that, outside the lock. New input is mixed by running it through the block function
 * together with the key, and makes what was kept void.
 */
#include "kernel/random.h"

#include <arch/cpu.h>
#include "boot/boot_info.h"
#include "kernel/lock.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/string.h"

#define KEY_WORDS       8
#define REFILL_WORDS    64 /* so an eighth of what is made goes into keys */
#define SMALL_BYTES     (KEY_WORDS * 4)
#define SEED_BYTES      32u /* so many from real sources are enough */
#define RESEED_INTERVAL 256 /* refills */

static struct {
	struct spinlock lock;      /* RANK_IRQ_LEAF */
	u32 key[KEY_WORDS];        /* [lock] */
	u8 kept[REFILL_WORDS * 4]; /* [lock] the last nr_kept bytes are still unused */
	u32 nr_kept;               /* [lock] */
	u64 counter;               /* [lock] refills so far */
	u32 seeded;                /* [a] bytes from real sources */
} state = {.lock = SPINLOCK_INIT(RANK_IRQ_LEAF)};

/* --- ChaCha20 ---------------------------------------------------------------------------------------- */

static u32 rotate(u32 x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static ALWAYS_INLINE void quarter(u32 *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static void chacha20_block(const u32 key[8], const u32 counter_nonce[4], u32 out[16])
{
	u32 in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */

	memcpy(in + 4, key, 32);
	memcpy(in + 12, counter_nonce, 16);
	memcpy(out, in, 64);
	for (int i = 0; i < 10; i++) {
		quarter(out, 0, 4, 8, 12);
		quarter(out, 1, 5, 9, 13);
		quarter(out, 2, 6, 10, 14);
		quarter(out, 3, 7, 11, 15);
		quarter(out, 0, 5, 10, 15);
		quarter(out, 1, 6, 11, 12);
		quarter(out, 2, 7, 8, 13);
		quarter(out, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		out[i] += in[i];
}

/* --- the pool ---------------------------------------------------------------------------------------- */

/* stir - what the CPU and the clock say now goes into the key. Lock held. */
static void stir(void)
{
	u64 now = time_now(), word;

	state.key[0] ^= (u32)now;
	state.key[1] ^= (u32)(now >> 32);
	if (!arch_random_get(&word))
		return;
	state.key[2] ^= (u32)word;
	state.key[3] ^= (u32)(word >> 32);
}

/* refill - replace the key and all that is kept. Lock held. */
static void refill(void)
{
	u32 nonce[4] = {0, 0, (u32)state.counter, (u32)(state.counter >> 32)};
	u32 blocks[REFILL_WORDS];

	if (!(state.counter++ % RESEED_INTERVAL))
		stir();
	for (nonce[0] = 0; nonce[0] < REFILL_WORDS / 16; nonce[0]++)
		chacha20_block(state.key, nonce, blocks + nonce[0] * 16);
	memcpy(state.key, blocks, sizeof(state.key));
	memcpy(state.kept, blocks, sizeof(state.kept));
	memset(state.kept, 0, sizeof(state.key));
	state.nr_kept = sizeof(state.kept) - sizeof(state.key);
	memset(blocks, 0, sizeof(blocks));
	barrier(); /* the stores above are for nobody the compiler knows of */
}

/* take_small - up to SMALL_BYTES of what is kept, which is erased. */
static void take_small(void *out, size_t n)
{
	unsigned long irq = spin_lock_irqsave(&state.lock);
	u8 *at;

	if (state.nr_kept < n)
		refill();
	at = state.kept + sizeof(state.kept) - state.nr_kept;
	memcpy(out, at, n);
	memset(at, 0, n);
	state.nr_kept -= (u32)n;
	spin_unlock_irqrestore(&state.lock, irq);
}

void random_add(const void *data, size_t n)
{
	const u8 *at = data;
	unsigned long irq = spin_lock_irqsave(&state.lock);

	while (n) {
		size_t piece = MIN(n, sizeof(state.key));
		u8 bytes[sizeof(state.key)] = {0};
		u32 words[KEY_WORDS];

		memcpy(bytes, at, piece);
		memcpy(words, bytes, sizeof(words));
		for (int i = 0; i < KEY_WORDS; i++)
			state.key[i] ^= words[i];
		refill();
		at += piece;
		n -= piece;
	}
	spin_unlock_irqrestore(&state.lock, irq);
}

void random_credit(u32 bytes)
{
	atomic_fetch_add(&state.seeded, bytes);
}

void random_init(void)
{
	u64 now = time_now(), word;

	random_add(boot_info.rng_seed, boot_info.rng_seed_len);
	random_credit(boot_info.rng_seed_len);
	for (int i = 0; i < 8 && arch_random_get(&word); i++) {
		random_add(&word, sizeof(word));
		random_credit(sizeof(word));
	}
	/* How long things take differs a little each time; that is worth something where nothing else is. */
	for (int i = 0; i < 16; i++) {
		random_add(&now, sizeof(now));
		now = time_now();
	}
}

bool random_is_seeded(void)
{
	return atomic_load(&state.seeded) >= SEED_BYTES;
}

void random_bytes(void *out, size_t n)
{
	u32 key[KEY_WORDS], counter[4] = {0}, block[16];
	u8 *at = out;

	if (n <= SMALL_BYTES) {
		take_small(out, n);
		return;
	}
	take_small(key, sizeof(key));
	while (n) {
		size_t piece = MIN(n, sizeof(block));

		chacha20_block(key, counter, block);
		counter[0]++;
		memcpy(at, block, piece);
		at += piece;
		n -= piece;
	}
	memset(block, 0, sizeof(block));
	memset(key, 0, sizeof(key));
	barrier(); /* the stores above are for nobody the compiler knows of */
}

u64 random_u64(void)
{
	u64 x;

	random_bytes(&x, sizeof(x));
	return x;
}
