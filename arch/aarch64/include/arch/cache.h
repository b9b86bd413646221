/* SPDX-License-Identifier: MIT */
/* cache.h - instruction caches do not see stores by themselves (Arm ARM B2.4.4). */
#pragma once

#include <quire/types.h>

/* arch_icache_sync - what was written to [va, va + len) is going to be executed, here or elsewhere: clean
 * the data cache and invalidate the instruction caches of all CPUs.
 *  va: kernel address of normal memory; any alignment   sleeps: no */
void arch_icache_sync(const void *va, size_t len);
