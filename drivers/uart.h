/* SPDX-License-Identifier: MIT */
/*
 * uart.h - what the console asks of a serial port, and how a driver reaches its registers.
 *
 * A driver is four short functions over a register block; buffering, locking and sleeping are the
 * console's. No function here waits: the console decides how long it is worth waiting for.
 *
 * Read next: uart_16550.c or uart_pl011.c, then console.c.
 */
#pragma once

#include <quire/types.h>
#include <arch/io.h>
#include "boot/boot_info.h"
#include "drivers/port.h"

struct uart;

struct uart_ops {
	const char *name;
	/* init - make the port send and receive, input interrupts off. 0, or -ENODEV: nothing there. */
	int (*init)(struct uart *);
	bool (*tx_ready)(const struct uart *);
	void (*tx)(const struct uart *, u8 byte); /* after tx_ready */
	int (*rx)(const struct uart *);           /* a byte, or -1 when there is none */
	void (*rx_irq_enable)(const struct uart *, bool on);
	void (*irq_ack)(
		const struct uart *); /* first thing in the handler, before the bytes are read */
};

extern const struct uart_ops uart_16550_ops, uart_pl011_ops;

struct uart {
	const struct uart_ops *ops;
	struct boot_uart info;
	volatile u8 *regs; /* NULL: the registers are I/O ports from info.base */
};

/* uart_reg_read / uart_reg_write - register number `reg` of the block, by the machine's spacing. */
static inline u32 uart_reg_read(const struct uart *u, u32 reg)
{
	volatile u8 *at = u->regs + (reg << u->info.reg_shift);

	if (!u->regs)
		return port_in8((u16)(u->info.base + reg));
	return u->info.reg_width == 4 ? arch_mmio_read32(at) : arch_mmio_read8(at);
}

static inline void uart_reg_write(const struct uart *u, u32 reg, u32 value)
{
	volatile u8 *at = u->regs + (reg << u->info.reg_shift);

	if (!u->regs)
		port_out8((u16)(u->info.base + reg), (u8)value);
	else if (u->info.reg_width == 4)
		arch_mmio_write32(at, value);
	else
		arch_mmio_write8(at, (u8)value);
}
