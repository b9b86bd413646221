/* SPDX-License-Identifier: MIT */
/* io.h - device registers: I/O ports (architectures without them say 0 and drivers leave that half out)
 * and registers in memory. */
#pragma once

#include <quire/types.h>

#define ARCH_HAS_PORT_IO 1

static inline u8 arch_port_in8(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 arch_port_in16(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 arch_port_in32(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void arch_port_out8(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void arch_port_out16(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline void arch_port_out32(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

/* Registers in memory: one access each, in program order with other uncached accesses. */
static inline u8 arch_mmio_read8(const volatile void *reg)
{
	return *(const volatile u8 *)reg;
}

static inline u32 arch_mmio_read32(const volatile void *reg)
{
	return *(const volatile u32 *)reg;
}

static inline u64 arch_mmio_read64(const volatile void *reg)
{
	return *(const volatile u64 *)reg;
}

static inline void arch_mmio_write8(volatile void *reg, u8 v)
{
	*(volatile u8 *)reg = v;
}

static inline void arch_mmio_write32(volatile void *reg, u32 v)
{
	*(volatile u32 *)reg = v;
}

static inline void arch_mmio_write64(volatile void *reg, u64 v)
{
	*(volatile u64 *)reg = v;
}
