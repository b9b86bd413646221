/* SPDX-License-Identifier: MIT */
/* io.h - device registers in memory. There are no I/O ports on this architecture. */
#pragma once

#include <quire/types.h>

#define ARCH_HAS_PORT_IO 0

/* Accesses to device registers: one instruction each, in program order with each other (the mapping is
 * Device-nGnRE). Ordering against normal memory is the caller's: rmb() and wmb() of arch/cpu.h. They
 * are written in assembler because a compiler may pick an addressing mode that a hypervisor
 * cannot emulate. */
static inline u8 arch_mmio_read8(const volatile void *reg)
{
	u32 v;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(v) : "r"(reg));
	return (u8)v;
}

static inline u32 arch_mmio_read32(const volatile void *reg)
{
	u32 v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(reg));
	return v;
}

static inline u64 arch_mmio_read64(const volatile void *reg)
{
	u64 v;

	__asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(reg));
	return v;
}

static inline void arch_mmio_write8(volatile void *reg, u8 v)
{
	__asm__ volatile("strb %w0, [%1]" : : "rZ"((u32)v), "r"(reg));
}

static inline void arch_mmio_write32(volatile void *reg, u32 v)
{
	__asm__ volatile("str %w0, [%1]" : : "rZ"(v), "r"(reg));
}

static inline void arch_mmio_write64(volatile void *reg, u64 v)
{
	__asm__ volatile("str %x0, [%1]" : : "rZ"(v), "r"(reg));
}
