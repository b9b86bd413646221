/* SPDX-License-Identifier: MIT */
/*
 * uart_pl011.c - the ARM PrimeCell serial port.
 *
 * A port that firmware left enabled is used as it is: that covers the SBSA generic UART, a subset
 * which has no control registers, and rates we cannot know. Only a disabled port is set up, to 8
 * data bits, no parity, 1 stop bit, FIFOs on.
 *
 * Reference: ARM DDI 0183, PrimeCell UART (PL011) Technical Reference Manual, chapter 3.
 */
#include <uapi/errno.h>
#include "drivers/uart.h"

enum reg { /* offset / 4 */
	   REG_DR = 0x00 / 4,
	   REG_FR = 0x18 / 4,
	   REG_IBRD = 0x24 / 4,
	   REG_FBRD = 0x28 / 4,
	   REG_LCRH = 0x2c / 4,
	   REG_CR = 0x30 / 4,
	   REG_IFLS = 0x34 / 4,
	   REG_IMSC = 0x38 / 4,
	   REG_ICR = 0x44 / 4,
};

#define FR_RX_EMPTY    (1u << 4)
#define FR_TX_FULL     (1u << 5)
#define LCRH_FIFO_8N1  0x70
#define CR_ENABLE      0x301 /* port, transmitter, receiver */
#define IFLS_RX_EIGHTH 0     /* interrupt at an eighth of the FIFO, or after a pause */
#define INT_RX         (1u << 4)
#define INT_RX_TIMEOUT (1u << 6)
#define INT_ALL        0x7ff

/* The divisor has six fractional bits: clock / (16 * rate) * 64. */
static void set_rate(const struct uart *u)
{
	u64 divisor = ((u64)u->info.clock_hz * 4 + u->info.baud / 2) / u->info.baud;

	if (divisor < 64 || divisor >= 65536 * 64)
		return;
	uart_reg_write(u, REG_IBRD, (u32)(divisor >> 6));
	uart_reg_write(u, REG_FBRD, (u32)(divisor & 63));
}

static int uart_pl011_init(struct uart *u)
{
	uart_reg_write(u, REG_IMSC, 0);
	if ((uart_reg_read(u, REG_CR) & CR_ENABLE) == CR_ENABLE)
		return 0;
	uart_reg_write(u, REG_CR, 0);
	if (u->info.clock_hz && u->info.baud)
		set_rate(u);
	uart_reg_write(u, REG_LCRH, LCRH_FIFO_8N1); /* also latches the divisor */
	uart_reg_write(u, REG_ICR, INT_ALL);
	uart_reg_write(u, REG_CR, CR_ENABLE);
	return 0;
}

static bool uart_pl011_tx_ready(const struct uart *u)
{
	return !(uart_reg_read(u, REG_FR) & FR_TX_FULL);
}

static void uart_pl011_tx(const struct uart *u, u8 byte)
{
	uart_reg_write(u, REG_DR, byte);
}

/* The bits above the byte tell of framing errors and breaks; a console takes what it gets. */
static int uart_pl011_rx(const struct uart *u)
{
	if (uart_reg_read(u, REG_FR) & FR_RX_EMPTY)
		return -1;
	return (int)(uart_reg_read(u, REG_DR) & 0xff);
}

static void uart_pl011_rx_irq_enable(const struct uart *u, bool on)
{
	uart_reg_write(u, REG_IFLS, IFLS_RX_EIGHTH);
	uart_reg_write(u, REG_IMSC, on ? INT_RX | INT_RX_TIMEOUT : 0);
}

/* Before the FIFO is emptied: a byte that arrives in between raises the interrupt again. */
static void uart_pl011_irq_ack(const struct uart *u)
{
	uart_reg_write(u, REG_ICR, INT_RX | INT_RX_TIMEOUT);
}

const struct uart_ops uart_pl011_ops = {
	.name = "PL011",
	.init = uart_pl011_init,
	.tx_ready = uart_pl011_tx_ready,
	.tx = uart_pl011_tx,
	.rx = uart_pl011_rx,
	.rx_irq_enable = uart_pl011_rx_irq_enable,
	.irq_ack = uart_pl011_irq_ack,
};
