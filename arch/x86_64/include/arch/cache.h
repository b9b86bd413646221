/* SPDX-License-Identifier: MIT */
/* cache.h - instruction fetch sees all earlier stores of every CPU by itself (SDM vol. 3, 12.6). */
#pragma once

#include <quire/types.h>
#include <quire/compiler.h>

/* arch_icache_sync - what was written to [va, va + len) is going to be executed, here or elsewhere. */
static inline void arch_icache_sync(const void *va UNUSED, size_t len UNUSED)
{
}
